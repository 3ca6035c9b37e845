"""``feed.toml``, the archives that hold a month, names of forces, and the table of known gaps."""

import re
from datetime import date
from pathlib import Path

import pytest

from orchestration.feeds.errors import FeedFileError, NoFeedError
from orchestration.feeds.feed_file import fed_sources, feed_of
from orchestration.feeds.fetching import PUBLISHERS
from orchestration.feeds.known_gaps import gap_of, known_gaps
from orchestration.feeds.mirror import mirror_path
from orchestration.feeds.publishers.police_archive import (
    Archive,
    choose,
    months_of,
    read_index,
)
from orchestration.ingest.checking.contract import load_contracts
from orchestration.ingest.checking.force_names import force_slug
from orchestration.ingest.checking.known_places import POLICE_FORCES
from tests.feed_server import ARCHIVES

GOOD = """
publisher = "govuk"
name = "gov.uk"
address = "https://www.gov.uk/api/content/x"
attachment = "Table 100"
licence = "Open Government Licence v3.0"
cadence = "annual"
requests_per_second = 2
largest_bytes = 1000
longest_seconds = 60
"""
WRONG = {
    "a missing key": (GOOD.replace('name = "gov.uk"', ""), "name is missing."),
    "an unknown key": (GOOD + "licenze = 'x'\n", "licenze is no key of a feed. Did you mean lic"),
    "an unknown publisher": (GOOD.replace('"govuk"', '"ftp"'), "publisher: "),
    "no secure address": (GOOD.replace("https:", "http:"), "address: is no address that begins"),
    "a password": (GOOD.replace("www.", "u:p@www."), "address: holds a user name, a password"),
    "too many requests": (GOOD.replace("second = 2", "second = 100"), "requests_per_second: "),
    "no limit": (GOOD.replace("= 1000", "= 0"), "largest_bytes: "),
    "no attachment": (GOOD.replace('attachment = "Table 100"', ""), "needs attachment"),
    "no layers": (GOOD.replace('"govuk"', '"arcgis"'), "needs at least one [[layers]]"),
    "no TOML": ("publisher = ", "is not TOML"),
    "a layer without an address": (
        GOOD.replace('"govuk"', '"arcgis"') + '[[layers]]\nfile = "a.csv"\n',
        "layers[1]: needs item or service, and not both.",
    ),
    "a layer with a path": (
        GOOD.replace('"govuk"', '"arcgis"')
        + f'[[layers]]\nitem = "{"a" * 32}"\nfile = "../a.csv"\n',
        "layers[1].file: ",
    ),
}


def written(folder: Path, text: str) -> Path:
    (folder / "made").mkdir()
    (folder / "made/feed.toml").write_text(text)
    return folder


@pytest.mark.parametrize("fault", WRONG)
def test_a_feed_that_is_wrong_is_reported_with_file_and_key(tmp_path: Path, fault: str) -> None:
    text, says = WRONG[fault]
    with pytest.raises(FeedFileError) as raised:
        feed_of("made", written(tmp_path, text))
    assert f"{tmp_path}/made/feed.toml is not a usable feed. " in str(raised.value)
    assert says in str(raised.value)


def test_the_feeds_of_the_project_fit_their_contracts(tmp_path: Path) -> None:
    assert feed_of("made", written(tmp_path, GOOD)).attachment == "Table 100"
    contracts = load_contracts()
    assert len(fed_sources()) >= 3
    for source in fed_sources():
        feed = feed_of(source)
        assert feed.licence == contracts[source].licence
        assert feed.publisher in PUBLISHERS
        assert not any(column.personal for column in contracts[source].columns)
    with pytest.raises(NoFeedError, match="police_charges has no feed"):
        feed_of("police_charges")


# --- archives --------------------------------------------------------------------------------


def archives(*months: str) -> list[Archive]:
    return [Archive(month, f"{ARCHIVES}{month}.zip", None) for month in months]


@pytest.mark.parametrize(
    ("quarter", "listed", "chosen"),
    [
        ("2018-10-01", ["2020-12"], [("2020-12", 3)]),
        # The newest with all three months: the last three years of it begin with October 2018.
        ("2018-10-01", ["2017-04", "2020-04", "2021-09", "2021-10"], [("2021-09", 3)]),
        ("2018-10-01", ["2019-11", "2021-11"], [("2019-11", 3)]),
        ("2018-10-01", ["2018-11", "2021-11"], [("2018-11", 1), ("2018-11", 1), ("2021-11", 1)]),
        ("2011-01-01", ["2017-04", "2020-04"], [("2017-04", 3)]),
        ("2014-01-01", ["2017-03", "2017-04", "2017-05"], [("2017-04", 3)]),
        ("2014-07-01", ["2017-04", "2017-05"], [("2017-05", 3)]),
        ("2010-10-01", ["2017-04"], [("2017-04", 1), (None, 2)]),
        ("2021-01-01", ["2021-01"], [("2021-01", 1), (None, 2)]),
        ("2021-04-01", ["2021-01"], [(None, 3)]),
    ],
)
def test_which_archive_is_read_for_which_months(
    quarter: str, listed: list[str], chosen: list[tuple[str | None, int]]
) -> None:
    found = choose(months_of(date.fromisoformat(quarter)), archives(*listed))
    assert [(one.month if one else None, len(months)) for one, months in found] == chosen


def test_the_full_history_needs_four_archives() -> None:
    listed = archives("2017-04", "2020-04", "2023-04", "2026-04")
    months = [f"{year}-{n:02d}" for year in range(2010, 2027) for n in range(1, 13)]
    held = [one for one in months if any(archive.holds(one) for archive in listed)]
    assert (held[0], held[-1], len(held)) == ("2010-12", "2026-04", 185)


def test_the_list_of_archives_is_read_whatever_its_markup() -> None:
    page = b"""<html><li><a class=x href='/data/archive/2020-11.zip'>November</a> MD5
    <b>0123456789ABCDEF0123456789abcdef</b></li><a href="/data/archive/latest.zip">latest</a>
    <a HREF="https://data.police.uk/data/archive/2020-12.zip">December</a>
    d41d8cd98f00b204e9800998ecf8427e-12
    <a href="/data/archive/2020-13.zip">never</a> <a href="/data/archive/2020-12.zip">again</a>"""
    assert [(one.month, one.md5) for one in read_index(ARCHIVES, page)] == [
        ("2020-12", None),
        ("2020-11", "0123456789abcdef0123456789abcdef"),
    ]


SLUGS = {
    "Avon and Somerset Constabulary": "avon-and-somerset",
    "British Transport Police": "btp",
    "City of London Police": "city-of-london",
    "Devon & Cornwall Police": "devon-and-cornwall",
    "Dyfed-Powys Police": "dyfed-powys",
    "Hampshire and Isle of Wight Constabulary": "hampshire",
    "Metropolitan Police Service": "metropolitan",
    "Police Service of Northern Ireland": "northern-ireland",
    "Thames Valley Police": "thames-valley",
    "West Midlands Police": "west-midlands",
}


def test_forces_are_found_under_the_names_of_the_publisher() -> None:
    assert {name: force_slug(name) for name in SLUGS} == SLUGS
    slugs = [force_slug(name) for name in POLICE_FORCES if name != "Police Scotland"]
    assert len(set(slugs)) == 45
    assert not [one for one in slugs if not one.replace("-", "").isalpha()]


# --- known gaps ------------------------------------------------------------------------------


def test_known_gaps_are_of_sources_with_feeds_and_of_forces() -> None:
    gaps = known_gaps()
    assert len(gaps) >= 5
    for gap in gaps:
        assert gap.source in fed_sources()
        assert gap.series in POLICE_FORCES


@pytest.mark.parametrize(
    ("series", "month", "known"),
    [
        ("Greater Manchester Police", "2019-06", None),
        ("Greater Manchester Police", "2019-07", "from July 2019: the force"),
        ("Greater Manchester Police", "2026-01", "from July 2019: the force"),
        ("Devon & Cornwall Police", "2022-12", "from November 2022 to December 2022: "),
        ("Devon & Cornwall Police", "2023-01", None),
        ("City of London Police", "2022-06", "City of London Police, June 2022: "),
        ("Norfolk Constabulary", "2022-06", None),
    ],
)
def test_a_month_is_in_a_known_gap(series: str, month: str, known: str | None) -> None:
    gap = gap_of(known_gaps(), "police_uk_street", series, month)
    assert (gap is None) if known is None else known in str(gap)


GAPS = "source,series,first_month,last_month,reason,reviewed\n"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("x,y,2019-13-01,,the force sent none,2026-11-30", "line 2: not a known gap. first_month"),
        ("x,y,2019-07-15,,the force sent none,2026-11-30", "the first day of a month"),
        ("x,,2019-07-01,,the force sent none,2026-11-30", "series"),
        ("x,y,2019-07-01,,none,2026-11-30", "reason"),
        ("x,y,2019-07-01,,the force sent none,2026-11-30,more", "None: Extra inputs"),
        ("x,y,2019-07-01", "reason: Input should be a valid string"),
        ('x,"y', "cannot be read"),
    ],
)
def test_a_table_of_gaps_that_is_wrong_is_reported(tmp_path: Path, line: str, said: str) -> None:
    path = tmp_path / "gaps.csv"
    path.write_text(GAPS + line)
    with pytest.raises(FeedFileError, match=re.escape(said)):
        known_gaps(path)


@pytest.mark.parametrize(
    ("address", "path"),
    [
        ("https://data.police.uk/data/archive/", "data.police.uk/data/archive/index.html"),
        ("https://a.org/x/query?resultOffset=2000&f=json", "a.org/x/query.2000"),
        ("https://a.org/x/query?resultOffset=0&f=json", "a.org/x/query"),
        ("https://a.org/x/query?returnCountOnly=true", "a.org/x/query.count"),
        ("https://a.org/../../etc/%2e%2e/passwd", "a.org/etc/passwd"),
    ],
)
def test_the_path_of_an_address_in_a_mirror(address: str, path: str) -> None:
    assert str(mirror_path(address)) == path
