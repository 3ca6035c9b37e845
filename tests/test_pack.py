"""The pack and the workbook of a release with the tables that count people.

They are tested as files that somebody opens: structure, words and accessibility. What a browser
and an office program make of them is in ``test_pack_seen``.
"""

import csv
import io
import json
import re
import zipfile
from datetime import date
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import docx
import duckdb
import frictionless
import pytest
from docx.enum.section import WD_ORIENT

from orchestration.exports import export_partnership, export_release
from orchestration.exports.pack import word_document
from orchestration.releases.report_metadata import SECTIONS
from tests.people_release import people_release
from tests.release_fixtures import exhibits
from tests.support import Ground

pytestmark = pytest.mark.slow

X = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
DC = "{http://purl.org/dc/elements/1.1/}"
ALIEN = 'Zürich & <b>Söhne</b> "='


def made_release(sample: Ground, target: Path) -> Path:
    settings = sample.settings
    manifest = json.loads((settings.dbt_state / "target" / "manifest.json").read_text())
    published = settings.published / "2018-04-01" / "csp.duckdb"
    return people_release(published, settings.warehouse, manifest, target)


@pytest.fixture(scope="module")
def release(sample, tmp_path_factory) -> Path:
    return made_release(sample, tmp_path_factory.mktemp("people") / "csp.duckdb")


@pytest.fixture(scope="module")
def folder(release, tmp_path_factory) -> Path:
    """Fenland's folder, exported from the release with people."""
    out = tmp_path_factory.mktemp("exports") / "fenland"
    export_partnership(release, out, "fenland")
    return out


@pytest.fixture(scope="module")
def page(folder) -> str:
    return (folder / "pack.html").read_text(encoding="utf-8")


# The page


def test_every_table_and_figure_remains_in_the_printed_order(page):
    places = [page.index(f'<h3 id="{exhibit.slug}">') for exhibit in exhibits()]
    assert places == sorted(places)
    reasons = re.findall(r'<p class="absent">(.*?)</p>', page)
    # The first release of the sample has no stop and search yet.
    assert [reason.split(":")[0] for reason in reasons] == ["Figure 9", "Stop and search"]


def section(page: str, slug: str) -> str:
    """Return what the page says of an exhibit."""
    start = page[page.index(f'<h3 id="{slug}"') :]
    return start[: start.index("</section>")]


def test_sources_have_their_titles_and_what_tables_share_is_in_the_annex(page):
    assert (
        "<li>Source: Offences charged, with the offender, from Cambridgeshire Constabulary" in page
    )
    annex = page[page.index('<h2 id="annex">') :]
    for name in ("general-notes", "shorthand", "sources"):
        assert f'<h3 id="{name}">' in annex
    assert page.count("Inner counts are rounded to a multiple of 5") == 1
    assert "Inner counts are rounded to a multiple of 5" in annex
    assert 'See also <a href="#general-notes">general note' in section(
        page, "table_4_need_complexity"
    )


def test_at_most_fifteen_findings_are_grouped_under_headings_and_the_rest_is_counted(page):
    findings = page[page.index('<h2 id="key-findings"') : page.index('<h3 id="figure_1">')]
    assert findings.count('<a href="#') <= 15
    headings = re.findall(r"<h3>(.*?)</h3>", findings)
    assert len(headings) == len(set(headings)) >= 5
    assert re.search(r"\d+ less important findings? (is|are) left out|No finding is left", findings)


def test_hidden_cells_are_marked_and_explained(page):
    table = section(page, "figure_2_offender_profile")
    row = re.search(r"Asian or Asian British</th><td[^>]*>(.*?)</td>", table)
    assert row and row[1] == "[c]"
    assert "<li>[c] confidential.</li>" in table


def test_printed_figures_are_found_in_the_page(page):
    for printed in ("644", "1,352", "13.2", "224 (26%)", "25 (13.3%)", "343 (88%)", "23% (36%)"):
        assert printed in page, printed


def test_findings_name_their_figure_and_claim_what_the_printed_text_could(page):
    findings = page[page.index('<h2 id="key-findings"') : page.index('<h3 id="figure_1">')]
    assert "878 known offenders in Fenland in 2017/18: 8.9 per 1,000 people" in findings
    assert "cannot be compared with that of 2016" in findings
    assert "a lower share than in the rest of Cambridgeshire and Peterborough" in findings
    assert findings.count('<a href="#') >= 10


def test_synthetic_data_is_marked_once_on_the_page_with_each_source_and_on_each_printed_page(page):
    assert page.count("Synthetic data: a program made the figures") == 1
    notice = page[page.index('role="note">Synthetic data:') :].split("</p>")[0]
    assert "Offences charged, with the offender;" in notice and "police_charges" not in notice
    sources = {
        exhibit.slug: re.search(r"<li>Source: (.*)</li>", section(page, exhibit.slug))
        for exhibit in exhibits()
    }
    marked = {slug for slug, found in sources.items() if found and "(synthetic data)" in found[1]}
    assert len(marked) >= len(exhibits()) - 3
    # Real dwellings are not marked.
    assert "table_5_social_dwellings" not in marked
    assert re.search(r'@top-right \{ content: "Synthetic data\. Q1 2018/19"', page)


def test_the_page_needs_nothing_else(page):
    assert "<script" not in page
    assert not re.search(r'(src|href)="(?!data:|#|explore\.html")', page)
    assert "url(" not in page and "@import" not in page
    assert '<html lang="en-GB">' in page
    assert len(page) < 600_000


def test_every_picture_has_its_text_and_every_table_its_caption_and_headers(page):
    pictures = re.findall(r"<img [^>]*>", page)
    assert len(pictures) == 17
    assert all(re.search(r'alt="[^"]{40,}"', picture) for picture in pictures)
    tables = page.count("<table>")
    assert tables == page.count("<caption>") == page.count("<thead>") >= 18
    assert page.count('scope="col"') > tables


def test_text_from_the_data_is_escaped(sample, tmp_path):
    path = made_release(sample, tmp_path / "csp.duckdb")
    with duckdb.connect(path) as connection:
        connection.execute(
            "update reports.figure_2_offender_profile set category = ? "
            "where category = 'Burglary'", [ALIEN],
        )  # fmt: skip
        connection.execute("update main.release set synthetic_notice = ?", [ALIEN])
    export_partnership(path, tmp_path / "fenland", "fenland")
    page = (tmp_path / "fenland" / "pack.html").read_text(encoding="utf-8")
    assert "<b>S" not in page
    assert "Zürich &amp; &lt;b&gt;Söhne" in page
    document = docx.Document(str(tmp_path / "fenland" / "pack.docx"))
    cells = [cell.text for table in document.tables for cell in table.columns[0].cells]
    assert f"Offence category: {ALIEN}" in cells
    rows = csv.DictReader(
        io.StringIO((tmp_path / "fenland/tables/figure_2_offender_profile.csv").read_text("utf-8"))
    )
    assert ALIEN in {row["category"] for row in rows}


# The document


def test_document_has_headings_captions_header_rows_and_alternative_texts(folder):
    document = docx.Document(str(folder / "pack.docx"))
    styles = [paragraph.style and paragraph.style.name for paragraph in document.paragraphs]
    headings = [paragraph.text for paragraph, style
                in zip(document.paragraphs, styles, strict=True)
                if style == "Heading 2"]  # fmt: skip
    labels = [*(one.label for one in exhibits()), "Audit", "Misprints"]
    assert [heading.split(":")[0] for heading in headings if ":" in heading] == labels
    # The groups of findings come before, and the parts of the annex after.
    assert headings[-3:] == ["General notes", "Shorthand", "Sources"]
    assert styles.count("Heading 1") >= 12
    assert styles.count("Caption") == len(document.tables)
    for table in document.tables:
        assert table.rows[0]._tr.find(f".//{W}tblHeader") is not None
    pictures = document.inline_shapes
    assert len(pictures) == 17
    assert all(len(picture._inline.docPr.get("descr")) > 40 for picture in pictures)


def test_document_states_title_and_language_and_marks_each_page(folder):
    document = docx.Document(str(folder / "pack.docx"))
    core = document.core_properties
    assert core.title == (
        "Fenland Community Safety Partnership: strategic assessment data pack, Q1 2018/19"
    )
    assert core.language == "en-GB"
    assert core.created.date() == date(2018, 6, 30)
    for section in document.sections:
        assert section.header.paragraphs[0].text.startswith("Synthetic data. Fenland")
    styles = zipfile.ZipFile(folder / "pack.docx").read("word/styles.xml").decode()
    assert 'w:lang w:val="en-GB"' in styles and 'w:val="en-US"' not in styles


def test_wide_tables_lie_on_pages_on_their_side(folder):
    document = docx.Document(str(folder / "pack.docx"))
    turned = [
        section
        for section in document.sections
        if (section.page_width or 0) > (section.page_height or 0)
    ]
    assert len(turned) == 8


def test_no_page_of_the_document_is_empty():
    document = docx.Document()
    for heading, wide in (("First", True), ("Second", True), ("Third", False)):
        if wide:
            word_document._turn(document, wide=True)
        document.add_heading(heading)
        if wide:
            word_document._turn(document, wide=False)
    ends = [bool(one.xpath("./w:pPr/w:sectPr")) for one in document.element.body]
    assert not any(pair == (True, True) for pair in pairwise(ends))
    orientations = [section.orientation for section in document.sections]
    assert orientations == [WD_ORIENT.PORTRAIT, *[WD_ORIENT.LANDSCAPE] * 2, WD_ORIENT.PORTRAIT]


# The workbook, by the Analysis Function's checklist that gptables cites


@pytest.fixture(scope="module")
def parts(folder) -> dict[str, bytes]:
    with zipfile.ZipFile(folder / "workbook.xlsx") as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture(scope="module")
def sheets(parts) -> dict[str, ElementTree.Element]:
    book = ElementTree.fromstring(parts["xl/workbook.xml"])
    labels = [sheet.get("name", "") for sheet in book.iter(f"{X}sheet")]
    return {
        label: ElementTree.fromstring(parts[f"xl/worksheets/sheet{number}.xml"])
        for number, label in enumerate(labels, start=1)
    }


def tables_of(parts: dict[str, bytes]) -> list[ElementTree.Element]:
    return [ElementTree.fromstring(content) for name, content in sorted(parts.items())
            if name.startswith("xl/tables/")]  # fmt: skip


def texts_of(parts: dict[str, bytes], sheet: ElementTree.Element) -> dict[str, str]:
    shared = ["".join(text.text or "" for text in item.iter(f"{X}t"))
              for item in ElementTree.fromstring(parts["xl/sharedStrings.xml"])]  # fmt: skip
    return {
        cell.get("r", ""): shared[int(cell.findtext(f"{X}v", "0"))]
        for cell in sheet.iter(f"{X}c")
        if cell.get("t") == "s"
    }


def test_checklist_tables_are_marked_up_named_and_have_one_header_row(parts, sheets):
    marked = tables_of(parts)
    assert len(marked) == len(sheets) - 1  # every sheet but the cover
    names = [table.get("displayName", "") for table in marked]
    assert len(set(names)) == len(names)
    assert "table_3_oasys_pathways" in names
    assert not any(re.fullmatch(r"Table\d+", name) for name in names)
    for table in marked:
        assert table.get("headerRowCount", "1") == "1"
        headings = [column.get("name") for column in table.iter(f"{X}tableColumn")]
        assert all(headings) and len(set(headings)) == len(headings)


def test_checklist_no_merged_blank_or_hidden_cells(parts, sheets):
    for label, sheet in sheets.items():
        assert sheet.find(f"{X}mergeCells") is None, label
        assert not any(row.get("hidden") for row in sheet.iter(f"{X}row")), label
        assert not any(column.get("hidden") for column in sheet.iter(f"{X}col")), label
        blank = [cell.get("r") for cell in sheet.iter(f"{X}c") if cell.find(f"{X}v") is None]
        assert not blank, label


def test_tables_can_be_filtered_and_their_headers_remain_in_view(parts, sheets):
    """The checklist advises against both; users of the workbook asked for them."""
    for label, sheet in sheets.items():
        frozen = [pane.get("state") for pane in sheet.iter(f"{X}pane")]
        assert frozen == ([] if label in ("Cover", "Contents", "Notes") else ["frozen"]), label
    filtered = [table for table in tables_of(parts) if table.find(f"{X}autoFilter") is not None]
    assert len(filtered) == len(sheets) - 3


def test_checklist_text_wraps_and_rows_are_high_enough(parts, sheets):
    styles = ElementTree.fromstring(parts["xl/styles.xml"])
    wrapping = [style.find(f"{X}alignment[@wrapText='1']") is not None
                for style in styles.iterfind(f"{X}cellXfs/*")]  # fmt: skip
    notes = [cell for cell in sheets["Notes"].iter(f"{X}c") if cell.get("r", "").startswith("B")]
    assert all(wrapping[int(cell.get("s", "0"))] for cell in notes[1:])
    heights = [float(row.get("ht", "0")) for row in sheets["Notes"].iter(f"{X}row")]
    assert max(heights) > 2 * 15


def test_checklist_notes_are_marked_in_words_and_explained(parts, sheets):
    notes = texts_of(parts, sheets["Notes"])
    used = set()
    for label, sheet in sheets.items():
        for place, text in texts_of(parts, sheet).items():
            used |= {int(number) for number in re.findall(r"\[note (\d+)\]", text)}
            assert not re.search(r"[*†‡¹²³]", text), (label, place)
    assert used == set(range(1, len(used) + 1))
    assert sum(place.startswith("B") for place in notes) == len(used) + 1


def test_checklist_shorthand_is_explained_on_the_sheet_that_uses_it(parts, sheets):
    for label, sheet in sheets.items():
        if label in ("Cover", "Contents", "Notes"):
            continue
        texts = list(texts_of(parts, sheet).values())
        markers = {marker for text in texts for marker in re.findall(r"^\[[a-z]\](?= |$)", text)}
        for marker in markers:
            assert any(text.startswith(f"{marker} means ") for text in texts), (label, marker)


def test_checklist_sheets_have_names_titles_and_begin_in_column_a(parts, sheets):
    labels = list(sheets)
    assert labels[:3] == ["Cover", "Contents", "Notes"]
    shown = [one.label for one in exhibits() if one.table and one.label != "Stop and search"]
    assert labels[3:] == [*shown, "Audit", "Misprints"]
    for label, sheet in sheets.items():
        texts = texts_of(parts, sheet)
        assert len(texts["A1"]) > 4, label
        if label not in labels[:3]:
            assert texts["A1"].startswith(label)
    for table in tables_of(parts):
        assert table.get("ref", "").startswith("A")


def test_checklist_one_table_a_sheet_and_nothing_below_it(parts, sheets):
    for name in [name for name in parts if re.fullmatch(r"xl/worksheets/_rels/.*", name)]:
        assert parts[name].count(b"relationships/table") <= 1
    for number, (label, sheet) in enumerate(sheets.items(), start=1):
        relations = parts.get(f"xl/worksheets/_rels/sheet{number}.xml.rels")
        if relations is None:
            continue
        target = re.search(rb"tables/(table\d+\.xml)", relations)
        assert target
        table = ElementTree.fromstring(parts[f"xl/tables/{target[1].decode()}"])
        last = int(re.findall(r"\d+", table.get("ref", ""))[-1])
        assert max(int(row.get("r", "0")) for row in sheet.iter(f"{X}row")) == last, label


def test_checklist_no_pictures_macros_fills_headers_or_formulas(parts, sheets):
    assert not any(re.search(r"media|vba|comments", name) for name in parts)
    # Charts of monthly series only, each with its text.
    drawings = [parts[name] for name in parts if name.startswith("xl/drawings/drawing")]
    assert len(drawings) == 2
    assert all(b'descr="Line chart of ' in drawing for drawing in drawings)
    fills = ElementTree.fromstring(parts["xl/styles.xml"])
    patterns = fills.iterfind(f"{X}fills//{X}patternFill")
    assert {pattern.get("patternType") for pattern in patterns} <= {"none", "gray125"}
    for sheet in sheets.values():
        assert sheet.find(f"{X}headerFooter") is None
        assert not list(sheet.iter(f"{X}f"))


def test_checklist_links_lead_to_sheets_and_say_where(parts, sheets):
    links = list(sheets["Contents"].iter(f"{X}hyperlink"))
    assert len(links) >= len(sheets) - 3
    texts = texts_of(parts, sheets["Contents"])
    for link in links:
        assert texts[link.get("ref", "")].strip() in sheets


def test_checklist_document_has_title_and_language_and_opens_on_the_cover(parts, sheets):
    core = ElementTree.fromstring(parts["docProps/core.xml"])
    assert core.findtext(f"{DC}title") == (
        "Fenland Community Safety Partnership: strategic assessment tables, Q1 2018/19"
    )
    assert core.findtext(f"{DC}language") == "en-GB"
    view = next(sheets["Cover"].iter(f"{X}sheetView"))
    assert view.get("tabSelected") == "1"
    assert view.find(f"{X}selection") is None  # the cursor is in A1


# The data package and the folder


def test_data_package_is_valid_and_agrees_with_the_files(folder):
    descriptor = json.loads((folder / "datapackage.json").read_text(encoding="utf-8"))
    assert descriptor["$schema"] == "https://datapackage.org/profiles/2.0/datapackage.json"
    report = frictionless.validate(str(folder / "datapackage.json"))
    assert report.valid, report.flatten(["resource", "note"])
    described = {resource["path"] for resource in descriptor["resources"]}
    assert described == {f"tables/{path.name}" for path in (folder / "tables").glob("*.csv")}


def test_a_changed_cell_makes_the_package_invalid(folder, tmp_path):
    copy = tmp_path / "copy"
    copy.mkdir()
    for path in folder.rglob("*"):
        target = copy / path.relative_to(folder)
        target.mkdir(parents=True) if path.is_dir() else target.write_bytes(path.read_bytes())
    table = copy / "tables" / "figure_3_juvenile_offenders.csv"
    table.write_text(table.read_text().replace("2016-01-01", "someday"), encoding="utf-8")
    assert not frictionless.validate(str(copy / "datapackage.json")).valid


def test_resources_name_the_deliveries_that_their_rows_come_from(folder):
    descriptor = json.loads((folder / "datapackage.json").read_text(encoding="utf-8"))
    resource = next(one for one in descriptor["resources"]
                    if one["path"] == "tables/table_3_oasys_pathways.csv")  # fmt: skip
    rows = csv.DictReader((folder / resource["path"]).open(encoding="utf-8"))
    named = {name.strip() for row in rows for name in row["deliveries"].split(";")}
    assert {source["delivery"] for source in resource["sources"]} == named
    files = {source["delivery"]: source["files"] for source in descriptor["sources"]}
    # Of files about people no checksum is published: it would confirm a guess at their content.
    assert named
    assert not any("sha256" in file for name in named for file in files[name])
    places = [files[name] for name in files if name.startswith("dwelling_stock ")]
    assert places and all(file["sha256"] for found in places for file in found)


def test_printed_comparisons_have_every_area_and_towns_go_with_their_district(folder):
    def areas(name: str) -> set[str]:
        file = (folder / "tables" / f"{name}.csv").open(encoding="utf-8")
        return {row["area_code"] for row in csv.DictReader(file)}

    assert len({code for code in areas("table_1_offender_rates") if code[:3] != "E23"}) == 6
    assert "E07000010:march" in areas("table_7_feel_safe")
    assert areas("table_2_offending_frequency") == {"E07000010", "E23000023"}


def test_two_exports_of_one_release_have_the_same_bytes(release, folder, tmp_path):
    again = tmp_path / "fenland"
    export_partnership(release, again, "fenland")
    for path in folder.rglob("*"):
        if path.is_file():
            assert (again / path.relative_to(folder)).read_bytes() == path.read_bytes(), path.name


def test_every_partnership_has_the_same_set_of_files_or_less(release, folder, tmp_path):
    results = export_release(release, tmp_path, date(2018, 4, 1))
    assert len(results) == 6
    whole = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    for result in results:
        assert {file.path for file in result.files} | {"SHA256SUMS"} == whole


def test_a_wide_table_without_a_chart_has_its_headings_on_its_page(folder):
    document = docx.Document(str(folder / "pack.docx"))
    section = 0
    for paragraph in document.paragraphs:
        style = paragraph.style and paragraph.style.name
        if (paragraph.text, style) == (SECTIONS["scanning"], "Heading 1"):
            break
        properties = paragraph._p.pPr
        section += properties is not None and properties.sectPr is not None
    else:
        pytest.fail("the document has no page on all crime types")
    assert document.sections[section].orientation == WD_ORIENT.LANDSCAPE
