"""Two forces of which months are known to be missing: what is published, and what the pack says."""

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import duckdb
import pytest

from tests.support import refresh, street_file, street_row

pytestmark = pytest.mark.slow

QUARTER = "2022-10-01"
NO_SYSTEM = "the force has supplied no data since it changed its computer system"
NO_MONTH = "the force supplied no data for this month"
PARTNERSHIPS = """
[[force_areas]]
code = "E23000005"
name = "Greater Manchester"
force = "Greater Manchester Police"
[[force_areas.partnerships]]
csp = "bolton"
name = "Bolton Community Safety Partnership"
district_code = "E08000001"
district_name = "Bolton"
[[force_areas]]
code = "E23000034"
name = "London, City of"
force = "City of London Police"
[[force_areas.partnerships]]
csp = "city"
name = "City of London Community Safety Partnership"
district_code = "E09000001"
district_name = "City of London"
"""
FORCES = {
    "Greater Manchester Police": ("E01004766", "Bolton 001A", "E08000001", "Bolton"),
    "City of London Police": ("E01000001", "City of London 001A", "E09000001", "City of London"),
}


def months(first: date, last: date) -> Iterator[date]:
    while first <= last:
        yield first
        first = date(first.year + first.month // 12, first.month % 12 + 1, 1)


SUPPLIED = {
    "Greater Manchester Police": list(months(date(2018, 5, 1), date(2019, 6, 1))),
    "City of London Police": [
        month
        for month in months(date(2021, 1, 1), date(2022, 12, 1))
        if month != date(2022, 6, 1)
    ],
}  # fmt: skip


def offences(month: date) -> int:
    return 3 + month.month


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("gaps")
    (folder / "partnerships.toml").write_text(PARTNERSHIPS)
    lookups = folder / "raw" / "area_lookups" / QUARTER
    lookups.mkdir(parents=True)
    lines = [",".join(places) for places in FORCES.values()]
    (lookups / "lookup.csv").write_text(
        "\n".join(["LSOA11CD,LSOA11NM,LAD20CD,LAD20NM", *lines, ""])
    )
    for force, (code, name, *_) in FORCES.items():
        for month in SUPPLIED[force]:
            quarter = month.replace(month=(month.month - 1) // 3 * 3 + 1)
            landed = folder / "raw" / "police_uk_street" / quarter.isoformat()
            landed.mkdir(parents=True, exist_ok=True)
            rows = [
                street_row(f"{month:%Y-%m}", number=int(f"{month:%Y%m}{number:03d}{len(force)}"),
                           reported_by=force, falls_within=force, lsoa_code=code, lsoa_name=name)
                for number in range(offences(month))
            ]  # fmt: skip
            slug = force.lower().removesuffix(" police").replace(" ", "-")
            (landed / f"{month:%Y-%m}-{slug}-street.csv").write_text(street_file(rows))
    done = refresh(folder / "var", folder / "raw", QUARTER,
                   CSP_PARTNERSHIPS=str(folder / "partnerships.toml"))  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "var"


def test_a_month_without_data_has_its_reason_and_is_never_zero(home: Path) -> None:
    with duckdb.connect(str(home / "published" / "csp.duckdb"), read_only=True) as published:
        found = published.execute(
            "select area_name, period_start, offences, status, missing_because "
            "from marts.crime_trends where crime_type = 'Shoplifting' and period_type = 'month' "
            "and area_type = 'district'"
        ).fetchall()
    counts = {(name, month): count for name, month, count, *_ in found}
    span = list(months(date(2018, 5, 1), date(2022, 12, 1)))
    for force, (*_, name) in FORCES.items():
        expected = {month: offences(month) if month in SUPPLIED[force] else None for month in span}
        assert {month: counts[name, month] for month in span} == expected
    reasons = {(name, month): (status, why) for name, month, _, status, why in found if why}
    gaps = [month for month in span if month > date(2019, 6, 1)]
    assert [reasons["Bolton", month] for month in gaps] == [("[x]", NO_SYSTEM)] * len(gaps)
    assert reasons["City of London", date(2022, 6, 1)] == ("[x]", NO_MONTH)
    before = reasons["City of London", date(2020, 12, 1)]
    assert before == ("[x]", "no file of the month has been loaded")


def text_of(page: Path) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.read_text(encoding="utf-8")))


def test_the_pack_says_why_in_tables_charts_and_findings(home: Path) -> None:
    exports = home / "exports" / QUARTER
    city = exports / "city"
    said = text_of(city / "pack.html")
    assert f"Recorded shoplifting in City of London is not known for June 2022: {NO_MONTH}." in said
    assert f"No data for June 2022: {NO_MONTH}." in said
    assert f"Months without data: {NO_MONTH}." in said
    alt = (city / "charts" / "figure_10_shoplifting.txt").read_text(encoding="utf-8")
    assert f"June 2022: {NO_MONTH}." in alt
    assert f"Shaded: months without data (no file of the month has been loaded; {NO_MONTH})." in (
        city / "charts" / "figure_10_shoplifting.svg"
    ).read_text(encoding="utf-8")
    bolton = text_of(exports / "bolton" / "pack.html")
    gap = "July 2019 to December 2022"
    assert f"Recorded shoplifting in Bolton is not known for {gap}: {NO_SYSTEM}." in bolton
    assert f"Months without data: {NO_SYSTEM}." in bolton
    assert "Data up to June 2019; this pack is for Q3 2022/23." in bolton
