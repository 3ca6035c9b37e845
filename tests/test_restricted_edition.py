"""``csp export``: the restricted edition has true counts, says so everywhere, and leaks nowhere.

The sample's home is copied, since an export records itself in the warehouse.
"""

import base64
import hashlib
import os
import re
import shutil
import stat
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path

import docx
import pytest
from python_calamine import CalamineWorkbook

from orchestration.cli import export as command
from orchestration.cli.console import new_console
from orchestration.cli.export import export_to_folder
from orchestration.config.settings import Settings
from orchestration.errors import CspError, WarehouseUnreadableError
from orchestration.exports import (
    ExportError,
    TargetFolderError,
    UnknownPartnershipError,
    export_partnership,
    export_release,
    export_restricted,
)
from orchestration.exports.report_definition.report_catalogue import read_catalogue
from orchestration.exports.report_definition.row_selection import (
    exported_tables,
    partnership,
    selection_query,
)
from orchestration.publish.published_tables import ROUNDED_NOTE
from orchestration.releases.published_file import open_release
from orchestration.releases.restricted_edition import NOTICE
from orchestration.warehouse.connection import connect
from tests.support import Ground

QUARTER = date(2018, 4, 1)
FILES = ["pack.docx", "pack.html", "workbook.xlsx"]


pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def home(sample, tmp_path_factory) -> Ground:
    """A copy of the sample's home, in which editions may be recorded."""
    copied = tmp_path_factory.mktemp("restricted") / "var"
    shutil.copytree(sample.settings.home, copied)
    return Ground(Settings(home=copied, raw=sample.settings.raw))


@pytest.fixture(scope="module")
def edition(home, tmp_path_factory) -> Path:
    """Fenland's restricted edition, made by a process whose files everybody could open."""
    target = tmp_path_factory.mktemp("edition") / "new"
    before = os.umask(0o022)
    try:
        export(home, target)
    finally:
        os.umask(before)
    return target / "fenland"


def export(
    home: Ground, target: Path, *names: str, quarter: date | None = None, restricted: bool = True
) -> None:
    export_to_folder(
        home.settings, quarter, names or ("fenland",), target, new_console(), restricted=restricted
    )


def bytes_under(*folders: Path) -> dict[str, str]:
    return {
        str(path): hashlib.sha256(path.read_bytes()).hexdigest()
        for folder in folders
        for path in folder.rglob("*")
        if path.is_file()
    }


def public(home: Ground) -> Path:
    return home.settings.exports / QUARTER.isoformat() / "fenland"


# What it shows


def sheets(workbook: Path, home: Ground) -> Iterator[tuple[str, Sequence[Sequence[object]]]]:
    """Yield each table of a workbook with its rows of cells."""
    book = CalamineWorkbook.from_path(workbook)
    with open_release(home.settings.published / "csp.duckdb") as release:
        exhibits = read_catalogue(release).exhibits
    for exhibit in exhibits:
        if exhibit.label in book.sheet_names:
            rows = book.get_sheet_by_name(exhibit.label).to_python()
            (head,) = (n for n, row in enumerate(rows) if row[0] == exhibit.columns[0].heading)
            yield exhibit.table, rows[head + 1 :]


def in_order_of_the_sheet(query: str, columns: Sequence[str]) -> str:
    """Put columns that a sheet is ordered by before the table's key."""
    selected, key = query.rsplit(" order by ", maxsplit=1)
    return f"{selected} order by {', '.join((*columns, key))}"


def true_rows(home: Ground) -> Mapping[str, list[tuple[object, ...]]]:
    """Rows of the warehouse that the sheets of Fenland are about, by table."""
    with open_release(home.settings.published / "csp.duckdb") as release:
        whose = partnership(release, "fenland")
        tables = {table.name: table for table in exported_tables(release)}
        # The audit is of a release; the warehouse has no such table.
        exhibits = [
            one for one in read_catalogue(release).exhibits if one.table and one.section != "audit"
        ]
    queries = {}
    for exhibit in exhibits:
        names = tables[exhibit.table].column_names
        shown = [field.column for field in exhibit.columns if field.column in names]
        query = selection_query(tables[exhibit.table], whose, ", ".join(shown))
        queries[exhibit.table] = in_order_of_the_sheet(query, exhibit.workbook_order_by)
    with connect(home.settings, read_only=True) as connection:
        return {name: connection.execute(query).fetchall() for name, query in queries.items()}


def test_every_cell_is_that_of_the_true_tables(home, edition):
    true = true_rows(home)
    compared = 0
    for table, rows in sheets(edition / "workbook.xlsx", home):
        if table in ("page_audit", "page_misprints"):
            continue
        assert len(rows) == len(true[table]), table
        for row, expected in zip(rows, true[table], strict=True):
            for cell, value in zip(row, expected, strict=True):
                if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
                    compared += 1
                    assert cell == pytest.approx(float(value)), (table, row, expected)
    assert compared > 4000


def test_counts_that_the_public_edition_hides_or_rounds_are_there(home, edition):
    open_tables = dict(sheets(public(home) / "workbook.xlsx", home))
    hidden, rounded = set(), set()
    for table, rows in sheets(edition / "workbook.xlsx", home):
        if table == "page_misprints":
            # With true counts, more of the printed numbers can be compared.
            assert len(rows) > len(open_tables[table])
            continue
        for row, shown in zip(rows, open_tables[table], strict=True):
            for cell, public_cell in zip(row, shown, strict=True):
                if public_cell == "[c]" and isinstance(cell, float):
                    hidden.add(table)
                elif isinstance(public_cell, float) and cell != public_cell:
                    rounded.add(table)
    assert {"figure_2_offender_profile", "table_7_feel_safe"} <= hidden
    assert {"figure_5_nps_profile", "table_4_need_complexity"} <= rounded


def texts(folder: Path) -> str:
    """All that pack and workbook say, charts included."""
    parts = [(folder / "pack.html").read_text("utf-8")]
    for name in ("pack.docx", "workbook.xlsx"):
        with zipfile.ZipFile(folder / name) as archive:
            parts += [
                re.sub(r"<[^>]+>", " ", archive.read(one).decode("utf-8"))
                for one in archive.namelist()
                if one.endswith(".xml")
            ]
    return " ".join(parts)


@pytest.mark.parametrize(
    "said", ["[c]", "confidential", "rounded counts", "rounded away", "chance and rounding",
             ROUNDED_NOTE, "datapackage.json"],
)  # fmt: skip
def test_it_does_not_say_that_counts_are_hidden_or_rounded(home, edition, said):
    assert said in texts(public(home))
    assert said not in texts(edition)


# Marks


def test_the_page_is_marked_at_the_top_and_in_print(edition):
    page = (edition / "pack.html").read_text("utf-8")
    body = re.sub(r"\s*<a class=\"skip\".*?</a>\s*", "", page[page.index("<body>") + 6 :])
    assert body.startswith('<aside class="restricted"')
    assert body[: body.index("</aside>")].endswith(NOTICE)
    assert f'@bottom-left {{ content: "{NOTICE}"' in page
    assert '@top-right { content: "Restricted. ' in page
    assert "<title>" in page and "restricted edition</title>" in page
    drawn = re.findall(r'svg\+xml;base64,([^"]+)"', page)
    assert all(NOTICE.encode() in base64.b64decode(svg) for svg in drawn)
    assert page.count('alt="') == len(re.findall(r'alt="RESTRICTED: true counts', page)) > 8


def test_each_section_of_the_document_is_marked(edition):
    document = docx.Document(str(edition / "pack.docx"))
    assert len(document.sections) > 1
    pictures = [one.get("descr") for one in document.element.iter() if one.tag.endswith("}docPr")]
    assert pictures and all(text.startswith(NOTICE) for text in pictures)
    for section in document.sections:
        assert NOTICE in [one.text for one in section.header.paragraphs]
        assert not section.different_first_page_header_footer
    assert NOTICE in document.core_properties.comments


def test_each_sheet_is_marked(edition):
    book = CalamineWorkbook.from_path(edition / "workbook.xlsx")
    assert len(book.sheet_names) > 15
    for name in book.sheet_names:
        top = " ".join(str(row[0]) for row in book.get_sheet_by_name(name).to_python()[:3])
        assert NOTICE in top, name
    with zipfile.ZipFile(edition / "workbook.xlsx") as archive:
        parts = [one for one in archive.namelist() if one.startswith("xl/worksheets/sheet")]
        assert len(parts) == len(book.sheet_names)
        for part in parts:
            content = archive.read(part).decode("utf-8")
            for printed in ("oddHeader", "oddFooter"):
                assert NOTICE in re.findall(rf"<{printed}>(.*?)</{printed}>", content)[0], part


def test_public_exports_are_not_marked(home):
    assert "estricted edition" not in texts(public(home))
    assert NOTICE not in texts(public(home))


# Where it goes, and what it leaves


def test_only_the_owner_can_open_it(edition):
    assert sorted(path.name for path in edition.iterdir()) == FILES
    for path in (edition.parent, edition, *edition.iterdir()):
        wanted = 0o700 if path.is_dir() else 0o600
        assert stat.S_IMODE(path.stat().st_mode) == wanted, path


def test_it_changes_no_public_file_and_leaves_nothing_in_the_home(home, tmp_path):
    settings = home.settings
    before = bytes_under(settings.published, settings.exports)
    names = set(settings.home.rglob("*"))
    killed = settings.home / ".building-killed"
    killed.mkdir()
    (killed / "csp.duckdb").touch()
    export(home, tmp_path / "new")
    assert bytes_under(settings.published, settings.exports) == before
    assert set(settings.home.rglob("*")) == names


def test_it_is_recorded_for_whom_it_was_made(home, edition):
    made = home.query("select distinct quarter, csp, made_by <> '' from control.restricted_exports")
    assert made == [(QUARTER, "fenland", True)]


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError(28, "No space left on device")])
def test_an_interrupted_export_leaves_nothing(home, tmp_path, monkeypatch, error):
    found = []

    def interrupted(release: Path, out: Path, csp: str, texts: Path) -> None:
        assert stat.S_IMODE(release.parent.stat().st_mode) == 0o700
        found.append(release)
        (out / "pack.html").write_text("half")
        raise error

    monkeypatch.setattr(command, "export_restricted", interrupted)
    names = set(home.settings.home.rglob("*"))
    records = home.value("select count(*) from control.restricted_exports")
    with pytest.raises(BaseException, match=r"No space|^$"):
        export(home, tmp_path / "new")
    assert found
    assert not list(tmp_path.iterdir())
    assert set(home.settings.home.rglob("*")) == names
    assert home.value("select count(*) from control.restricted_exports") == records


def test_a_file_that_somebody_puts_there_meanwhile_is_kept(home, tmp_path, monkeypatch):
    target = tmp_path / "new"
    target.mkdir()
    monkeypatch.setattr(
        command, "export_restricted", lambda *_: (target / "theirs.txt").write_text("kept")
    )
    with pytest.raises(TargetFolderError, match="holds files already"):
        export(home, target)
    assert [path.name for path in tmp_path.rglob("*")] == ["new", "theirs.txt"]


# What is refused


@pytest.mark.parametrize("restricted", [True, False])
@pytest.mark.parametrize("place", ["exports", "exports/2018-04-01/fenland/new", "published/new"])
@pytest.mark.parametrize("linked", [True, False])
def test_a_folder_of_the_public_files_is_refused(home, tmp_path, place, linked, restricted):
    target = home.settings.home / place
    if linked:
        (tmp_path / "link").symlink_to(home.settings.home, target_is_directory=True)
        target = tmp_path / "link" / place
    with pytest.raises(TargetFolderError, match="which csp looks after itself"):
        export(home, target, restricted=restricted)
    assert target.name != "new" or not target.exists()


def test_the_exports_are_refused_where_the_home_is_a_link(home, tmp_path):
    (tmp_path / "link").symlink_to(home.settings.home, target_is_directory=True)
    linked = Ground(home.settings.model_copy(update={"home": tmp_path / "link"}))
    with pytest.raises(TargetFolderError, match="which csp looks after itself"):
        export(linked, home.settings.exports / "new")


def test_the_landing_zone_is_refused(home, tmp_path):
    (tmp_path / "raw").mkdir()
    elsewhere = Ground(home.settings.model_copy(update={"raw": tmp_path / "raw"}))
    with pytest.raises(TargetFolderError, match="which csp looks after itself"):
        export(elsewhere, tmp_path / "raw" / "police_charges" / "new")


def test_a_folder_with_files_and_a_file_are_refused(home, tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(TargetFolderError, match="holds files already"):
        export(home, tmp_path)
    with pytest.raises(TargetFolderError, match="is a file"):
        export(home, tmp_path / "notes.txt")
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_another_quarter_is_refused(home, tmp_path):
    with pytest.raises(ExportError, match=r"holds the tables of Q1 2018/19 .*refresh 2018-07-01"):
        export(home, tmp_path / "new", quarter=date(2018, 7, 1))


def test_an_unknown_partnership_is_refused(home, tmp_path):
    with pytest.raises(UnknownPartnershipError, match=r"'atlantis'. The partnerships: cambridge"):
        export(home, tmp_path / "new", "fenland", "atlantis")
    assert not list(tmp_path.iterdir())


def test_a_home_without_a_refresh_is_refused(ground, tmp_path):
    with pytest.raises(WarehouseUnreadableError, match="Run `csp refresh`"):
        export(ground, tmp_path / "new")
    with pytest.raises(ExportError, match="Nothing is published yet"):
        export(ground, tmp_path / "new", restricted=False)
    assert not ground.settings.home.exists()


@pytest.mark.parametrize(
    "cut_short",
    ["delete from control.last_build", "update control.in_force set period = period + 1"],
)
def test_tables_of_an_unfinished_refresh_are_refused(home, tmp_path, cut_short):
    copied = Ground(home.settings.model_copy(update={"home": tmp_path / "var"}))
    shutil.copytree(home.settings.home, copied.settings.home, ignore=shutil.ignore_patterns("exp*"))
    with connect(copied.settings) as connection:
        connection.execute(cut_short)
    with pytest.raises(ExportError, match="are not complete"):
        export(copied, tmp_path / "new")


def test_neither_edition_is_exported_as_the_other(home, tmp_path, monkeypatch):
    """A release says itself which it is: the public exports refuse one with true counts."""
    release = home.settings.published / "csp.duckdb"
    with pytest.raises(ExportError, match="is not a restricted release"):
        export_restricted(release, tmp_path, "fenland")
    refused = []

    def publicly(built: Path, out: Path, csp: str, texts: Path) -> None:
        for attempt in (
            lambda: export_partnership(built, out, csp),
            lambda: export_release(built, out, QUARTER),
        ):
            with pytest.raises(ExportError, match="true counts of people"):
                attempt()
            refused.append(csp)

    monkeypatch.setattr(command, "export_restricted", publicly)
    export(home, tmp_path / "new")
    assert refused == ["fenland", "fenland"]
    assert not list((tmp_path / "new/fenland").iterdir())


# The published edition, and the command line


def test_without_restricted_the_public_exports_are_written(home, tmp_path):
    export(home, tmp_path / "new", quarter=QUARTER, restricted=False)
    written = bytes_under(tmp_path / "new/fenland")
    expected = bytes_under(public(home))
    assert {str(Path(name).relative_to(tmp_path / "new/fenland")): digest
            for name, digest in written.items()} == {
        str(Path(name).relative_to(public(home))): digest for name, digest in expected.items()
    }  # fmt: skip
    with pytest.raises(ExportError, match="Q2 2018/19 is not published yet"):
        export(home, tmp_path / "other", quarter=date(2018, 7, 1), restricted=False)


def test_the_command_ends_with_its_codes(csp, home, tmp_path):
    environment = {"CSP_HOME": str(home.settings.home), "CSP_RAW": str(home.settings.raw)}
    refused = csp("export", "--restricted", "--to", str(home.settings.exports), **environment)
    assert refused.returncode == 1
    assert "which csp looks after itself" in " ".join(refused.stderr.split())
    missing = csp("export", "--restricted", **environment)
    assert missing.returncode == 2
    assert "csp export --to FOLDER" in " ".join(missing.stderr.split())


def test_errors_of_a_target_are_errors_of_an_export():
    assert issubclass(TargetFolderError, ExportError) and issubclass(ExportError, CspError)
