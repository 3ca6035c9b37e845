"""Recorded crime by partnership: reading in little memory, the feed, and an independent count."""

import io
import json
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
import python_calamine

from orchestration.config.settings import PROJECT, Settings
from orchestration.feeds.errors import LayoutError
from orchestration.ingest.checking.contract import load_contracts
from orchestration.ingest.checking.faults import SubmissionError
from orchestration.ingest.landing.landing_zone import landed_file
from orchestration.ingest.reading.isolated_reading import read_isolated
from orchestration.ingest.reading.streamed_ods import ods_rows
from orchestration.ingest.sources.dwelling_stock.sample import Row, open_document
from orchestration.ingest.sources.recorded_crime_by_csp.sample import HEADER
from tests.feed_server import FeedServer, served
from tests.support import Ground
from tests.test_feeds import Run, files, run, server, transport  # noqa: F401

SOURCE = "recorded_crime_by_csp"
CONTENT = (
    "https://www.gov.uk/api/content/government/statistical-data-sets/"
    "police-recorded-crime-and-outcomes-open-data-tables"
)
MEDIA = "https://assets.publishing.service.gov.uk/media"
OLD_HEADER = (
    "Financial Year", "Financial Quarter", "Force Name", "CSP Name", "Offence Description",
    "Offence Group", "Offence Subgroup", "Offence Code", "Number of Offences",
)  # fmt: skip


def line(number: int = 1, **other: str | Decimal) -> Row:
    values: dict[str, str | Decimal] = {
        "year": "2024/25", "quarter": Decimal(number), "force": "Cambridgeshire",
        "csp": "Fenland", "description": "Shoplifting", "group": "Theft offences",
        "subgroup": "Shoplifting", "code": "46", "count": Decimal(7),
    }  # fmt: skip
    return tuple((values | other).values())


def put(ground: Ground, *rows: Row, header: Row = HEADER, sheet: str = "2024_25") -> None:
    notes: list[Row] = [("Notes",)]
    book = open_document({"Notes": notes, sheet: [("Table of counts",), header, *rows]})
    ground.put(SOURCE, "2024-10-01", {"prc-csp-mar21-dec24-tables-240425.ods": book})


def loaded(ground: Ground) -> tuple[str, str]:
    (outcome,) = ground.load(SOURCE, "2024-10-01").outcomes
    return outcome.state, " ".join(map(str, [*outcome.faults, *outcome.warnings]))


@pytest.mark.parametrize("header", [HEADER, OLD_HEADER])
def test_quarters_are_read_under_the_headings_of_any_edition(ground: Ground, header: Row) -> None:
    put(ground, *[line(number) for number in (1, 2, 3, 4)], header=header)
    assert loaded(ground) == ("loaded", "")
    assert ground.query(f"select quarter, offences, _line from raw.{SOURCE} order by 1") == [
        (date(2024, 4, 1), 7, 3),
        (date(2024, 7, 1), 7, 4),
        (date(2024, 10, 1), 7, 5),
        (date(2025, 1, 1), 7, 6),
    ]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"year": "2024/26"}, "financial year"),
        ({"quarter": Decimal(5)}, "financial quarter"),
        ({"count": "#N/A"}, "must be a number"),
        ({"csp": ""}, "A value is needed"),
    ],
)
def test_a_wrong_row_is_refused_with_its_line(
    ground: Ground, wrong: dict[str, str | Decimal], said: str
) -> None:
    good = [line(1, code=str(number)) for number in range(200)]
    put(ground, *good, line(2, **wrong), line(3, count=Decimal(-2)))
    state, words = loaded(ground)
    assert state == "loaded" and said in words and "line 203" in words
    assert ground.value(f"select sum(offences) from raw.{SOURCE}") == 1398


def test_a_sheet_without_headings_and_a_book_without_years_are_refused(ground: Ground) -> None:
    put(ground, line(), header=("Year", "Place"))
    state, words = loaded(ground)
    assert state == "refused" and "'Financial Year' and 'CSP Name'" in words
    put(ground, line(), sheet="Table 1")
    assert "named after a financial year" in loaded(ground)[1]
    put(ground, line(), header=HEADER[:-1])
    assert "'Offence Count' or 'Number of Offences'" in loaded(ground)[1]


def test_a_damaged_book_is_refused(ground: Ground, tmp_path: Path) -> None:
    book = open_document({"2024_25": [HEADER, line()]})
    damaged = "damaged, or of another kind"
    for content, said in ((book[:-300], damaged), (b"hello", damaged), (b"", "is empty")):
        path = tmp_path / "book.ods"
        path.write_bytes(content)
        with pytest.raises(SubmissionError, match=said):
            list(ods_rows(landed_file(path, path.name, {})))


def _large(rows: int) -> bytes:
    """Return a packed spreadsheet of so many rows of a kilobyte, and blank ones below."""
    small = open_document({"2024_25": [HEADER, line()]})
    with zipfile.ZipFile(io.BytesIO(small)) as archive:
        content = archive.read("content.xml").decode()
    start = content.rindex("<table:table-row>")
    one = content[start : content.index("</table:table-row>", start) + len("</table:table-row>\n")]
    blank = (
        '<table:table-row table:number-rows-repeated="900000"><table:table-cell/></table:table-row>'
    )
    many = "".join(one.replace(">46<", f">{number}<") for number in range(rows))
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("content.xml", content.replace(one, many + blank))
    return made.getvalue()


def test_a_large_table_is_read_in_little_memory(tmp_path: Path) -> None:
    """50 MB of XML are read where a whole reading would need several times as much."""
    path = tmp_path / "prc-csp-mar21-dec24-tables-240425.ods"
    path.write_bytes(_large(60_000))
    with zipfile.ZipFile(path) as archive:
        assert archive.getinfo("content.xml").file_size > 45 << 20
    file = landed_file(path, path.name, {})
    found = read_isolated(file, load_contracts()[SOURCE], tmp_path, 64 << 20)
    assert found.rows == 60_000


# --- the feed ------------------------------------------------------------------------------------


def page(server: FeedServer, *names: str) -> None:  # noqa: F811
    attachments = [{"title": "A table", "url": f"{MEDIA}/1/{name}"} for name in names]
    body = json.dumps({"details": {"attachments": attachments}}).encode()
    server.answers[CONTENT] = served(body, kind="application/json")


def test_the_latest_table_is_fetched_once(
    server: FeedServer,  # noqa: F811
    run: Run,  # noqa: F811
    ground: Ground,
) -> None:
    latest = "prc-csp-mar2021-dec2024-tables-240425.ods"
    names = ("prc-csp-mar16-mar20-tables-240425.ods", latest, "prc-pfa-mar21-tables-240425.ods")
    page(server, *names, "prc-csp-mar21-sep24-tables-290125.ods")
    book = open_document({"2024_25": [HEADER, line()]})
    server.answers[f"{MEDIA}/1/{latest}"] = served(book)
    quarter = date(2025, 1, 1)
    assert [one.name for one in run(SOURCE, quarter).files] == [latest]
    assert files(ground.settings, SOURCE, quarter) == {latest: book}
    # A release is not fetched again for a later quarter.
    assert run(SOURCE, date(2025, 4, 1)).files == ()
    page(server, "prc-pfa-mar21-tables-240425.ods")
    with pytest.raises(LayoutError, match="no attachment has a file named 'prc-csp-mar"):
        run(SOURCE, quarter)


# --- the marts against the file --------------------------------------------------------------


@pytest.fixture(scope="module")
def latest(quarters: Mapping[str, Path]) -> Ground:
    """The sample as at its last quarter."""
    return Ground(Settings(home=quarters["2018-10-01"], raw=PROJECT / "raw"))


def _rows() -> Iterator[dict[str, str]]:
    (path,) = (PROJECT / "raw" / SOURCE / "2018-10-01").glob("*.ods")
    book = python_calamine.CalamineWorkbook.from_path(path)
    for sheet in ("2017_18", "2018_19"):
        header, *rows = book.get_sheet_by_name(sheet).to_python()
        yield from (dict(zip(map(str, header), map(str, row), strict=True)) for row in rows)


def test_official_counts_are_an_independent_sum_of_the_file(latest: Ground) -> None:
    counted: Counter[tuple[str, str, str]] = Counter()
    for row in _rows():
        year, number = int(row["Financial Year"][:4]), int(float(row["Financial Quarter"]))
        start = f"{year + 1}-01-01" if number == 4 else f"{year}-{3 * number + 1:02d}-01"
        for place in (row["CSP Name"], row["Police Force"], "All police forces of the table"):
            for group in (row["Offence Group"], "All offences"):
                counted[place, group, start] += int(float(row["Offence Count"]))
    made = {
        (place, group, start.isoformat()): offences
        for place, group, start, offences in latest.query(
            "select place_name, recorded_offence_group, period_start, offences "
            "from marts.recorded_crime_by_csp where period_type = 'quarter'"
        )
    }
    assert len(made) == len(counted) > 1000
    assert made == dict(counted)
    ((year, rate, population),) = latest.query(
        "select offences, rate_per_1000, population from marts.recorded_crime_by_csp "
        "where served_area_code = 'E07000010' and is_sum "
        "and period_key = 'twelve_months:2018-01-01'"
    )
    starts = ("2018-01-01", "2018-04-01", "2018-07-01", "2018-10-01")
    assert year == sum(counted["Fenland", "All offences", start] for start in starts)
    assert rate == pytest.approx(1000 * year / population)


def test_street_level_counts_are_set_beside_the_official_ones(latest: Ground) -> None:
    burglary: Counter[str] = Counter()
    for row in _rows():
        of_quarter = (row["Financial Year"], float(row["Financial Quarter"])) == ("2018/19", 3)
        if of_quarter and "burglary" in row["Offence Subgroup"].lower():
            burglary[row["CSP Name"]] += int(float(row["Offence Count"]))
    made = latest.query(
        "select compared.area_name, official_offences, street_offences, difference, offences "
        "from marts.crime_counts_compared as compared inner join marts.crime_trends as trends "
        "using (area_code, crime_type, period_key) "
        "where period_key = 'quarter:2018-10-01' and crime_type = 'Burglary' "
        "and compared.area_type = 'district'"
    )
    assert len(made) == 6
    for name, official, street, difference, offences in made:
        assert (official, street) == (burglary[name], offences)
        assert difference == street - official
