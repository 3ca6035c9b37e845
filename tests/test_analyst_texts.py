"""The analyst's own text in the pack: files, references, figures, the check of typed numbers."""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import Any

import docx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from orchestration.cli.app import app
from orchestration.cli.console import new_console
from orchestration.cli.refresh_summary import _print_text_warnings
from orchestration.config.settings import PROJECT, Settings
from orchestration.exports import export_partnership, partnership_export
from orchestration.exports.data_package.folder_manifest import current_files
from orchestration.exports.errors import ExportError
from orchestration.exports.findings.comparable_periods import BASES
from orchestration.exports.report_definition.row_selection import (
    Place,
    Row,
    partnership,
    release_facts,
)
from orchestration.exports.report_definition.table_layout import is_about
from orchestration.exports.texts.figure_catalogue import (
    Figure,
    FigureCatalogue,
    UnknownFigureError,
)
from orchestration.exports.texts.number_check import (
    SubjectFigures,
    check_numbers,
    typed_numbers,
)
from orchestration.exports.texts.pack_texts import PackTexts, pack_texts, text_identity
from orchestration.exports.texts.references import Reference, references
from orchestration.exports.texts.release_texts import (
    check_release,
    earlier_releases,
    release_texts,
)
from orchestration.exports.texts.subjects import load_subjects
from orchestration.exports.texts.text_blocks import (
    Block,
    Heading,
    Paragraph,
    Span,
    TextList,
    TextTable,
    blocks,
)
from orchestration.exports.texts.text_files import PARTS, texts_in_force, write_new
from orchestration.publish import build_release
from orchestration.releases.published_file import open_release
from tests.release_fixtures import (
    CREDITS,
    NOW,
    QUARTER,
    build_warehouse,
    exhibits,
    reports,
    tables,
)

HOME = Place("E07000010", "Fenland", "E23000023", "Force", frozenset({"E07000010"}))
LATER = date(2018, 7, 1)


def month_rows(values: Sequence[int | None], status: str | None = None) -> list[Row]:
    """Months that end with June 2018, whose rolling twelve months are ``values``."""
    last = 2018 * 12 + 5
    first = last - len(values) + 1
    return [
        {
            "area_code": HOME.code, "area_name": "Fenland",
            "month": date(n // 12, n % 12 + 1, 1), "offences": 40 + n - first,
            "rolling_12m_offences": value,
            "status": "[x]" if value is None else status,
        }
        for n, value in enumerate(values, start=first)
    ]  # fmt: skip


def catalogue(
    rows: dict[str, Sequence[Row]], rounded_to: Mapping[str, int] = MappingProxyType({})
) -> FigureCatalogue:
    shown = [one for one in exhibits() if one.table in rows]
    return FigureCatalogue(shown, rows, rounded_to, HOME, load_subjects())


SHOPLIFTING = catalogue({"figure_10_shoplifting": month_rows([600, *range(601, 613)])})
PATHWAYS = catalogue(
    {
        "table_3_oasys_pathways": [
            {"area_code": HOME.code, "area_name": "Fenland", "period_end": date(2018, 6, 1),
             "period_label": "June 2018", "cohort": "CRC", "pathway": pathway, "offenders": count,
             "percent": share, "status": "[c]" if count is None else None}
            for pathway, count, share in (("Drugs", 32, 16.9), ("Alcohol", None, None))
        ],
        "figure_4_first_time_entrants": [
            {"area_code": HOME.code, "period_start": date(2017, 4, 1), "period_label": "2017/18",
             "period_end": date(2018, 3, 31), "first_time_entrants": 35, "status": None}
        ],
    },
    {"figure_4_first_time_entrants": 5},
)  # fmt: skip


def shown(figures: FigureCatalogue, name: str, **where: str) -> str:
    return figures.figure(Reference("figure", name, tuple(where.items()))).shown


# --- references ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{{ figure "a.b" }}', Reference("figure", "a.b")),
        ("{{figure \u201ca.b\u201d}}", Reference("figure", "a.b")),
        (
            '{{ figure "t.c", pathway = "Drugs" , cohort="CRC" }}',
            Reference("figure", "t.c", (("pathway", "Drugs"), ("cohort", "CRC"))),
        ),
        ('{{ typed "1,200" }}', Reference("typed", "1,200")),
        ("{{ figure a.b }}", Reference("faulty", "figure a.b")),
        ('{{ typed "" }}', Reference("faulty", 'typed ""')),
    ],
)
def test_references_are_read(text: str, expected: Reference) -> None:
    (found,) = references(f"One\ntwo {text} three")
    assert (found.reference, found.line) == (expected, 2)


# --- figures ---------------------------------------------------------------------------------


def test_every_short_name_is_of_a_declared_table_and_column() -> None:
    declared = {one.name: one.metadata for one in reports()}
    for subject in load_subjects():
        names = {column.column: column.form for column in declared[subject.table].columns}
        for short in subject.figures.values():
            used = [one for one in (short.column, short.counted, short.per) if one]
            assert set(used) <= set(names), subject.name
            assert names[short.column] in ("count", "rate", "percent", "share")
            assert not short.before or subject.table in BASES


def test_short_names_give_the_latest_figure_the_one_before_and_the_change() -> None:
    assert shown(SHOPLIFTING, "shoplifting.rolling_12m") == "612"
    assert shown(SHOPLIFTING, "shoplifting.rolling_12m_before") == "600"
    assert shown(SHOPLIFTING, "shoplifting.change_percent") == "+2%"
    assert shown(SHOPLIFTING, "shoplifting.change") == "did not clearly change (+2%)"
    assert shown(SHOPLIFTING, "figure_10_shoplifting.rolling_12m_offences") == "612"
    assert (
        shown(SHOPLIFTING, "figure_10_shoplifting.rolling_12m_offences", month="March 2018")
        == shown(SHOPLIFTING, "shoplifting.rolling_12m", month="2018-03-01")
        == "609"
    )


@pytest.mark.parametrize(
    ("before", "now", "words"),
    [(600, 900, "rose by 50%"), (900, 600, "fell by 33%"), (600, 600, "did not clearly change")],
)
def test_a_change_is_claimed_only_where_chance_does_not_explain_it(before, now, words) -> None:
    figures = catalogue({"figure_10_shoplifting": month_rows([before] * 12 + [now])})
    assert shown(figures, "shoplifting.change").startswith(words)


def test_a_figure_before_a_break_is_not_compared() -> None:
    rows = month_rows([600] * 13)
    broken = [{**row, "status": "[b]"} if n == 5 else row for n, row in enumerate(rows)]
    figures = catalogue({"figure_10_shoplifting": broken})
    for name in ("rolling_12m_before", "change_percent", "change"):
        assert shown(figures, f"shoplifting.{name}").startswith("[b] (break in the series")


def test_a_hidden_or_missing_figure_is_its_marker_and_never_zero() -> None:
    assert shown(PATHWAYS, "table_3_oasys_pathways.offenders", pathway="Alcohol") == (
        "[c] (confidential)"
    )
    figures = catalogue({"figure_10_shoplifting": month_rows([600] * 12 + [None])})
    assert shown(figures, "shoplifting.rolling_12m") == "[x] (not available)"
    assert shown(figures, "shoplifting.change") == "[x] (not available)"


def test_a_rounded_figure_says_about_once() -> None:
    assert shown(PATHWAYS, "first_time_entrants.count") == "about 35"
    # A total of such a table that is no multiple is not rounded.
    assert (is_about(278, 5), is_about(280, 5), is_about(280, None)) == (False, True, False)
    found = blocks("About {{ x }}, not {{ x }}.", lambda _: Span("about 35"))
    assert text_of(found) == "About 35, not about 35."


def test_an_unknown_figure_names_the_nearest_and_one_of_several_says_how_to_choose() -> None:
    with pytest.raises(UnknownFigureError, match=r"Did you mean shoplifting.rolling_12m"):
        SHOPLIFTING.figure(Reference("figure", "shoplifting.rolling"))
    with pytest.raises(UnknownFigureError, match=r'one of 2 rows.*pathway = "Drugs", "Alcohol"'):
        PATHWAYS.figure(Reference("figure", "table_3_oasys_pathways.offenders"))
    with pytest.raises(UnknownFigureError, match="No row of Table 3"):
        PATHWAYS.figure(
            Reference("figure", "table_3_oasys_pathways.offenders", (("pathway", "x"),))
        )
    # A column of text, and one of codes, is no figure.
    with pytest.raises(UnknownFigureError, match="no figure"):
        PATHWAYS.figure(Reference("figure", "table_3_oasys_pathways.area_code"))


# --- Markdown --------------------------------------------------------------------------------


def read(text: str) -> tuple[Block, ...]:
    return blocks(text, lambda number: Span(f"<{number}>"))


def text_of(found: Sequence[Block]) -> str:
    return " ".join(
        "".join(span.text for span in block.spans)
        for block in found
        if isinstance(block, Paragraph | Heading)
    )


def test_markdown_becomes_blocks() -> None:
    found = read(
        "## A *b*\n\nText **c** `d`.\n\n4. e\n   - f\n5. g\n\n|h|i|\n|-|-|\n|j|k|\n\n> l\n"
    )
    heading, paragraph, listed, table, quote = found
    assert isinstance(heading, Heading) and heading.level == 1
    assert heading.spans == (Span("A "), Span("b", italic=True))
    assert isinstance(paragraph, Paragraph) and Span("c", bold=True) in paragraph.spans
    assert Span("d", code=True) in paragraph.spans
    assert isinstance(listed, TextList) and listed.is_ordered and listed.start == 4
    assert isinstance(listed.entries[0][1], TextList)
    assert isinstance(table, TextTable) and table.rows[1][1] == (Span("k"),)
    assert isinstance(quote, Paragraph) and quote.is_quote


def test_html_is_text_comments_are_left_out_and_code_keeps_its_braces() -> None:
    found = read("<!-- {{ a }} -->\n<b>x</b> <!-- y -->{{ b }} `{{ c }}`\n\n<script>z</script>\n")
    assert text_of(found).split() == ["<b>x</b>", "<0>", "{{", "c", "}}", "<script>z</script>"]


@pytest.mark.parametrize(
    ("address", "kept"),
    [("https://a.uk", True), ("mailto:a@b.uk", True), ("javascript:x", False), ("data:x", False),
     ("/etc", False), ("{{ x }}", False)],
)  # fmt: skip
def test_links_lead_to_the_web_or_to_mail(address: str, kept: bool) -> None:
    (paragraph,) = read(f"[a]({address})")
    assert isinstance(paragraph, Paragraph)
    assert [bool(span.link) for span in paragraph.spans if span.text == "a"] == (
        [True] if kept else [False] * ("a" in [span.text for span in paragraph.spans])
    )


def test_an_entity_does_not_imitate_a_reference() -> None:
    assert text_of(read("&#xE000;7&#xE001;")) == ""


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet='ab1 \n#*_-|>[]()`<!>{}"=:./,%'))
def test_any_text_can_be_read_and_checked(text: str) -> None:
    read(text)
    for number in typed_numbers(text):
        assert number.written.split()[0] in " ".join(text.split())


# --- typed numbers ---------------------------------------------------------------------------

SUBJECT = next(one for one in load_subjects() if one.name == "shoplifting")


def known(earlier: Sequence[tuple[str, Figure]] = ()) -> list[SubjectFigures]:
    current = [one for subject, one in SHOPLIFTING.figures_by_subject() if subject == SUBJECT]
    return [
        SubjectFigures(
            SUBJECT,
            current,
            SHOPLIFTING.known(SUBJECT),
            SHOPLIFTING.latest_periods(SUBJECT),
            earlier,
        )
    ]


BEFORE = Figure(
    "shoplifting.rolling_12m", "Figure 10: Offences in 12 months", "March 2018", 577.0, "577",
    False, area="Fenland",
)  # fmt: skip


@pytest.mark.parametrize(
    ("sentence", "rules"),
    [
        # Figures of now, as they are, rounded and approximated.
        ("There were 612 offences of shoplifting.", []),
        ("Shoplifting changed by 2%, from 600 to 612.", []),
        ("Shoplifting changed by 2 per cent.", []),
        ("About 610 thefts, nearly 620, over 600: shoplifting.", []),
        # A figure of a period that the sentence names, and of one that it does not.
        ("In the twelve months to March 2018 there were 609 shoplifting offences.", []),
        ("There were 609 shoplifting offences.", ["contradicts-release"]),
        # The value of an earlier release.
        ("Shoplifting is at 577.", ["contradicts-release"]),
        ("It is at 577.", []),
        ("To March 2018 shoplifting was at 577.", ["contradicts-release"]),
        # A number that nothing explains, with a unit and without one.
        ("There were 5,697 offences of shoplifting.", ["contradicts-release"]),
        ("Shoplifting fell in 14 shops.", ["number-not-found"]),
        ("Fewer than 300 thefts: shoplifting.", ["contradicts-release"]),
        # Other subjects, and no subject.
        ("There were 5,697 offences of arson.", []),
        # Deliberately typed, inserted, and in a comment.
        ('{{ typed "5,697" }} offences of shoplifting.', []),
        ('{{ figure "shoplifting.rolling_12m" }} offences of shoplifting.', []),
        ("Shoplifting <!-- 5,697 offences -->", []),
        # No figures.
        ("Shoplifting in 2017/18, on 3 March 2018, in Q3, since 2015 and 01/02/2018.", []),
        ("Shoplifting: Table 4, section 17 of the Act 1998, the 3rd of 12 months, 24 hours.", []),
        ("Shoplifting cost \u00a31,200, per 1,000 people, on the A47, 1 in 5, 95% limits.", []),
        ("1. Shoplifting\n2. Other", []),
        ("Shoplifting, aged 10 to 17.", []),
        ("See [shoplifting](https://a.uk/123) and `99`.", []),
    ],
)
def test_typed_numbers_are_compared_with_the_figures_of_their_subject(sentence, rules) -> None:
    found = check_numbers(sentence, known([("the release of Q4 2017/18", BEFORE)]))
    assert [one.rule for one in found] == rules


def test_a_contradiction_says_what_the_figure_was_and_is() -> None:
    earlier = [("the release of Q4 2017/18", BEFORE)]
    (fault,) = check_numbers("A\n\nShoplifting is at 577.", known(earlier))
    assert fault.number.line == 3
    assert "was 577 in the release of Q4 2017/18 (March 2018)" in fault.message
    assert "This release has 612 (June 2018)" in fault.message
    assert '{{ figure "shoplifting.rolling_12m" }}' in fault.remedy
    (revised,) = check_numbers("To March 2018 shoplifting was at 577.", known(earlier))
    assert "revised: this release has 609" in revised.message


def test_a_sentence_of_a_section_is_about_it_for_values_of_earlier_releases_only() -> None:
    text = "There were 577 offences. There were 14 offences in shops."
    (fault,) = check_numbers(text, known([("the release of Q4 2017/18", BEFORE)]),
                             frozenset({"shoplifting"}))  # fmt: skip
    assert fault.number.written == "577"


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**7), st.booleans(), st.sampled_from(["", " recorded", " offences of"]))
def test_a_current_figure_is_never_a_fault_however_it_is_written(value, grouped, words) -> None:
    figures = catalogue({"figure_10_shoplifting": month_rows([value])})
    own = [SubjectFigures(SUBJECT, figures.short_figures(), [], frozenset(), [("before", BEFORE)])]
    written = f"{value:,}" if grouped else str(value)
    assert not check_numbers(f"There were {written}{words} shoplifting.", own)


# --- files -----------------------------------------------------------------------------------


def write(root: Path, name: str, text: str) -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_a_text_is_carried_over_until_a_quarter_has_its_own(tmp_path: Path) -> None:
    write(tmp_path, "fenland/2018-04-01/summary.md", "April")
    write(tmp_path, "fenland/2018-04-01/burglary.md", "April")
    write(tmp_path, "fenland/2018-07-01/summary.md", "July")
    write(tmp_path, "fenland/2018-07-01/burglary.md", "<!-- nothing yet -->\n")
    write(tmp_path, "other/2018-07-01/priorities.md", "Others")
    in_force = {
        quarter: {one.part: one.text for one in texts_in_force(tmp_path, "fenland", quarter)}
        for quarter in (date(2018, 1, 1), QUARTER, LATER, date(2019, 1, 1))
    }
    assert in_force[date(2018, 1, 1)] == {}
    assert in_force[QUARTER] == {"summary": "April", "burglary": "April"}
    assert in_force[LATER] == in_force[date(2019, 1, 1)] == {"summary": "July", "burglary": "April"}


def test_new_files_are_written_once_and_say_nothing_yet(tmp_path: Path) -> None:
    own = write(tmp_path, "fenland/2018-04-01/summary.md", "Mine")
    written, kept = write_new(tmp_path, "fenland", QUARTER)
    assert kept == [own] and own.read_text() == "Mine"
    assert {path.stem for path in written} == set(PARTS) - {"summary"}
    assert [one.part for one in texts_in_force(tmp_path, "fenland", QUARTER)] == ["summary"]
    assert write_new(tmp_path, "fenland", QUARTER)[0] == []
    with pytest.raises(ExportError, match=r"'\.\./x' is not the short name"):
        write_new(tmp_path, "../x", QUARTER)
    (tmp_path / "file").write_text("")
    with pytest.raises(ExportError, match="cannot be written"):
        write_new(tmp_path / "file", "fenland", QUARTER)


def test_the_folder_of_the_texts_is_beside_the_landing_zone_or_as_it_is_set(tmp_path) -> None:
    assert Settings(raw=tmp_path / "raw").texts_folder == tmp_path / "texts"
    assert Settings(texts=tmp_path / "own").texts_folder == tmp_path / "own"
    assert Settings().texts_folder == PROJECT / "texts"


def faults(root: Path, **files: str) -> list[tuple[str, int, str, str]]:
    for part, text in files.items():
        write(root, f"fenland/2018-04-01/{part}.md", text)
    texts = pack_texts(root, "fenland", QUARTER, SHOPLIFTING, known())
    return [(one.rule, one.line, one.value, one.message) for one in texts.faults]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("Fine.\nCall 07700 900123.", 2),
        ("Lives at PE13 1AA.", 1),
        ("Lives at PE13\n1AA now.", 1),
        ("Born on a day, A1234BC.", 1),
        ('{{ typed "A1234BC" }}', 1),
        ("Call 07700 **900123**.", 1),
        ("At PE13&#32;1AA.", 1),
        ("Write to a.person@example.com.", 1),
    ],
)
def test_a_text_with_an_identifier_is_not_published_and_its_value_not_repeated(
    tmp_path: Path, text: str, line: int
) -> None:
    ((rule, at, value, message),) = faults(tmp_path, summary=text)
    assert (rule, at, value) == ("identifier", line, "")
    assert not re.search(r"\d", message)
    (shown_text,) = pack_texts(tmp_path, "fenland", QUARTER, SHOPLIFTING, known()).shown
    assert shown_text.blocks == ()
    assert shown_text.notices[0].startswith(
        f"This text is not shown. fenland/2018-04-01/summary.md, line {line}: "
    )


def test_dates_years_counts_and_linked_addresses_are_no_identifiers(tmp_path: Path) -> None:
    text = (
        "In 2016-2018, on 31 March 2018, 2018-04-01: 123,456 of 1,234,567; Q1 2018/19, E07000010.\n"
        "[a.team@example.com](mailto:a.team@example.com)\n<!-- PE13 1AA -->"
    )
    assert faults(tmp_path, summary=text) == []


def test_a_folder_that_cannot_be_read_is_a_fault_and_stops_nothing(tmp_path, monkeypatch) -> None:
    closed = write(tmp_path, "fenland/2018-04-01/summary.md", "x").parent
    listed = Path.iterdir

    def refusing(folder: Path):
        if folder == closed:
            raise PermissionError(13, "Permission denied")
        return listed(folder)

    monkeypatch.setattr(Path, "iterdir", refusing)
    ((rule, _, _, message),) = faults(tmp_path)
    assert (rule, message) == (
        "folder-unreadable", "The folder cannot be read: Permission denied.",
    )  # fmt: skip


def test_faults_name_file_line_value_and_rule(tmp_path: Path) -> None:
    (tmp_path / "fenland/2018-Q1").mkdir(parents=True)
    write(tmp_path, "fenland/2018-04-01/burglery.md", "x")
    write(tmp_path, "fenland/2018-04-01/survey.md", "No such section here.")
    (tmp_path / "fenland/2018-04-01/youth.md").write_bytes(b"\xff")
    found = faults(
        tmp_path,
        priorities="{{ figure",
        summary='One\n{{ figure "x.y" }} {{ z }}\nShoplifting: 99,999 offences\n<b>\n[a](b)',
        needs="Odd\u200b",
    )
    assert {(rule, line, value) for rule, line, value, _ in found} == {
        ("unknown-folder", 0, "2018-Q1"),
        ("unknown-part", 0, "burglery.md"),
        ("section-absent", 0, ""),
        ("file-unreadable", 0, ""),
        ("unknown-figure", 2, "x.y"),
        ("reference-not-understood", 2, "z"),
        ("reference-not-understood", 1, ""),
        ("contradicts-release", 3, "99,999"),
        ("html-as-typed", 4, "<b>"),
        ("not-a-link", 5, "b"),
        ("unseen-character", 1, ""),
    }


# --- the pack and the commands ---------------------------------------------------------------

TEXT = """# Where we are

Shoplifting had **{{ figure "shoplifting.month" }}** offences. Not {{ figure "shoplifting.mnth" }}.

1. First <b>
2. Second [link](https://example.org/?a=1&b=2)

Between.

1. Again

| A | B |
|---|---|
| {{ figure "dwellings.rate_per_1000" }} | {{ figure "shoplifting.rolling_12m" }} |
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Path:
    """A home with the small release, which replaced one with other figures, and its texts."""
    folder = tmp_path_factory.mktemp("texts")
    for number in (7, 0):
        warehouse = build_warehouse(folder / f"{number}.duckdb", extra_offences=number)
        build_release(warehouse, folder / "published", QUARTER, tables(), NOW, credits=CREDITS,
                      reports=reports())  # fmt: skip
    write(folder, "texts/fenland/2018-04-01/summary.md", TEXT)
    write(folder, "texts/fenland/2018-01-01/shoplifting.md", "Written *before*.")
    write(folder, "texts/cambridge/2018-04-01/summary.md", "In order.")
    return folder


@pytest.fixture(scope="module")
def published(home) -> Path:
    return home / "published" / QUARTER.isoformat() / "csp.duckdb"


@pytest.fixture(scope="module")
def exported(home, published) -> Path:
    result = export_partnership(published, home / "fenland", "fenland", texts=home / "texts")
    (warning, html) = result.warnings
    assert "summary.md, line 3: 'shoplifting.mnth': This release has no figure" in warning
    assert "HTML is shown" in html
    return home / "fenland"


def test_the_page_shows_texts_figures_and_notices(exported: Path) -> None:
    page = (exported / "pack.html").read_text(encoding="utf-8")
    assert page.index('<h2 id="summary">') < page.index('<h2 id="key-findings"')
    summary = page[page.index('<h2 id="summary">') : page.index('<h2 id="key-findings"')]
    assert '<span class="tag">Synthetic data</span>' in summary
    assert re.search(r"Shoplifting had <strong>\d+</strong> offences", page)
    assert '<span class="tag">[figure shoplifting.mnth is not known]</span>' in page
    assert "<li>First &lt;b&gt;</li>" in page
    assert '<a href="https://example.org/?a=1&amp;b=2">link</a>' in page
    assert "<td>52.0</td><td>[x] (not available)</td>" in page
    chapter = page[page.index("<h2>Shoplifting</h2>") :]
    assert chapter.index("Written for Q4 2017/18.") < chapter.index("<em>before</em>")
    assert chapter.index("<em>before</em>") < chapter.index('<h3 id="figure_10_shoplifting">')


def test_the_document_shows_the_same(exported: Path) -> None:
    document = docx.Document(str(exported / "pack.docx"))
    styles = {
        paragraph.text: paragraph.style.name for paragraph in document.paragraphs if paragraph.style
    }
    assert styles["Summary"] == "Heading 1"
    assert styles["Where we are"] == "Heading 2"
    assert styles["First <b>"] == styles["Again"] == "List Number"
    assert any("[figure shoplifting.mnth is not known]" in text for text in styles)
    # Each numbered list begins anew.
    numbers = [
        paragraph._p.xpath("./w:pPr/w:numPr/w:numId/@w:val")
        for paragraph in document.paragraphs
        if paragraph.text.startswith(("First", "Second", "Again"))
    ]
    assert numbers[0] == numbers[1] != numbers[2]
    assert "https://example.org/?a=1&b=2" in [one.target_ref for one in document.part.rels.values()]
    assert document.tables[0].rows[1].cells[1].text == "[x] (not available)"


def test_a_changed_text_makes_an_export_stale(home: Path, published: Path, exported: Path) -> None:
    with open_release(published) as connection:
        facts, whose = release_facts(connection), partnership(connection, "fenland")
    before = text_identity(home / "texts", "fenland", QUARTER)
    assert json.loads((exported / "manifest.json").read_text())["texts"] == before
    assert len(before) == 2
    assert current_files(exported, facts, whose, before)
    write(home, "texts/fenland/2018-01-01/shoplifting.md", "Written *again*.")
    after = text_identity(home / "texts", "fenland", QUARTER)
    assert current_files(exported, facts, whose, after) is None
    assert current_files(exported, facts, whose, []) is None


def test_a_text_that_changes_during_the_export_makes_it_stale(
    home: Path, published: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = home / "texts/fenland/2018-04-01/summary.md"
    kept = text.read_text(encoding="utf-8")

    def read(*given: Any) -> PackTexts:
        found = release_texts(*given)
        text.write_text(f"{kept}\nSaved meanwhile.\n", encoding="utf-8")
        return found

    monkeypatch.setattr(partnership_export, "release_texts", read)
    out = tmp_path / "fenland"
    export_partnership(published, out, "fenland", texts=home / "texts")
    assert "Saved meanwhile" not in (out / "pack.html").read_text(encoding="utf-8")
    with open_release(published) as connection:
        facts, whose = release_facts(connection), partnership(connection, "fenland")
    now = text_identity(home / "texts", "fenland", QUARTER)
    assert current_files(out, facts, whose, now) is None
    text.write_text(kept, encoding="utf-8")


def test_a_value_of_the_build_that_was_replaced_is_a_contradiction(
    home: Path, published: Path, tmp_path: Path
) -> None:
    assert len(earlier_releases(published, QUARTER)) == 1
    now = check_release(published, home / "texts", "fenland")
    assert {one.rule for one in now.faults} == {"unknown-figure", "html-as-typed"}
    with open_release(published) as connection:
        row = connection.execute(
            "select max_by(offences, month) from reports.figure_10_shoplifting "
            "where area_name = 'Fenland'"
        ).fetchone()
    assert row
    write(tmp_path, "fenland/2018-04-01/summary.md", f"Shoplifting is at {row[0] + 7}.")
    (fault,) = check_release(published, tmp_path, "fenland").faults
    assert f"was {row[0] + 7} in an earlier build of Q1 2018/19" in fault.message


def run(home: Path, *arguments: str) -> tuple[int, str]:
    environment = {"CSP_HOME": str(home), "CSP_TEXTS": str(home / "texts")}
    done = CliRunner().invoke(app, ["texts", *arguments], env=environment)
    return done.exit_code, done.stdout


def test_check_ends_with_code_5_and_names_file_line_value_and_rule(home: Path) -> None:
    code, said = run(home, "check", "--quarter", "2018-04-01")
    assert code == 5
    (line,) = [line for line in said.splitlines() if "unknown-figure" in line]
    assert line.split()[:4] == ["error", "fenland/2018-04-01/summary.md", "3", "shoplifting.mnth"]
    assert "fenland, Q1 2018/19: parts 2, errors 1, warnings 1. Of an earlier quarter: " in said
    assert run(home, "check", "--csp", "cambridge")[0] == 0
    code, said = run(home, "check", "--csp", "huntingdonshire")
    assert (code, "There are no texts in" in said) == (0, True)


def test_figures_and_new_files_are_listed(home: Path, tmp_path: Path) -> None:
    code, said = run(home, "figures", "fenland")
    assert code == 0
    assert re.search(r"shoplifting\.rolling_12m +\[x\] \(not available\) +June 2018", said)
    assert re.search(r"table_5_social_dwellings\.total +[\d,]+ +2016", said)
    assert run(tmp_path, "new", "fenland", "2018-04-01")[0] == 0
    assert len(list((tmp_path / "texts/fenland/2018-04-01").iterdir())) == len(PARTS)
    assert "Left as they are" in run(tmp_path, "new", "fenland", "2018-04-01")[1]


def test_a_refresh_lists_some_warnings_and_names_the_command(capsys) -> None:
    _print_text_warnings([f"warning {n}" for n in range(12)], new_console())
    said = capsys.readouterr().out
    assert said.count("Warning:") == 10 and "2 more: `csp texts check`" in said


def test_the_example_of_the_sample_is_of_known_figures() -> None:
    subjects = {f"{one.name}.{name}" for one in load_subjects() for name in one.figures}
    declared = {
        f"{one.table}.{column.column}" for one in exhibits() for column in one.columns if one.table
    }
    derived = {"change", "change_percent"}
    for path in (PROJECT / "texts").glob("*/*/*.md"):
        assert path.stem in PARTS, path
        for one in references(path.read_text(encoding="utf-8")):
            name = one.reference.text.removesuffix("_before")
            if one.reference.kind == "figure" and name.split(".")[1] not in derived:
                assert name in subjects | declared, (path, one.line)
