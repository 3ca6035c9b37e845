"""The whole refresh on the real public extracts, against the print and an independent count."""

import csv
import math
from collections import Counter
from datetime import date
from decimal import Decimal
from pathlib import Path
from statistics import fmean, pstdev

import pytest

from tests.support import GOLDEN, Ground, csv_rows

pytestmark = pytest.mark.real

PRINTED_COLUMNS = {
    "Local Authority (incl. owned by other LAs)": "local_authority",
    "Private Registered Provider": "private_registered_provider",
    "Other public sector": "other_public_sector",
    "Total": "total",
    "Population": "population",
    "Rate per 1000": "rate_per_1000",
}


def test_table_5_of_2016_is_the_printed_table_in_every_cell(real: Ground) -> None:
    printed = csv_rows(GOLDEN / "table5_social_dwellings.csv")
    columns = ", ".join(PRINTED_COLUMNS.values())
    made = {
        row[0]: dict(zip(PRINTED_COLUMNS.values(), row[1:], strict=True))
        for row in real.query(
            f"select area_name, {columns} from reports.table_5_social_dwellings "
            "where stock_year = 2016"
        )
    }
    assert len(printed) == 41
    for cell in printed:
        value = made[cell["area_name"]][PRINTED_COLUMNS[cell["measure"]]]
        assert Decimal(str(value)) == Decimal(cell["value"]), cell
    assert made["Cambridgeshire and Peterborough"]["rate_per_1000"] == pytest.approx(67.7)


def _districts(real_data: Path) -> dict[str, str]:
    """LSOA code to district code, from the files themselves."""
    import json

    districts = {}
    lookup = next((real_data / "lookups").glob("Lower_Layer*.csv"))
    for row in csv_rows(lookup):
        districts[row["LSOA11CD"]] = row["LAD17CD"]
    for path in (real_data / "lookups/lsoa2021_boundaries").glob("*.geojson"):
        for feature in json.loads(path.read_text())["features"]:
            area = feature["properties"]
            districts[area["LSOA21CD"]] = area["LADCD_ACTIVE"]
    return districts


def _independent_count(real_data: Path, crime_type: str) -> Counter[tuple[str, str]]:
    """Count (month, district) with Python's own CSV reader."""
    districts = _districts(real_data)
    counted: Counter[tuple[str, str]] = Counter()
    for path in (real_data / "police_uk").glob("*-street.csv"):
        with path.open(encoding="utf-8", newline="") as handle:
            for row in csv.DictReader(handle):
                if row["Crime type"] == crime_type:
                    counted[row["Month"], districts.get(row["LSOA code"], "")] += 1
    return counted


@pytest.mark.parametrize(
    ("crime_type", "mart"), [("Shoplifting", "shoplifting_trends"), ("Burglary", "burglary_trends")]
)
def test_monthly_counts_are_an_independent_count_of_the_files(
    real: Ground, real_data: Path, crime_type: str, mart: str
) -> None:
    counted = _independent_count(real_data, crime_type)
    made = {
        (month, area): offences
        for month, area, offences in real.query(
            "select strftime(period_start, '%Y-%m'), area_code, offences "
            f"from marts.{mart} where period_type = 'month' and area_type = 'district'"
        )
    }
    months = {month for month, _ in counted}
    areas = {area for _, area in made}
    assert len(areas) == 6
    assert len(months) == 22
    for (month, area), offences in made.items():
        assert offences == (counted[month, area] if month in months else None)
    assert {month for month, _ in made} >= months


def test_fenland_shoplifting_is_what_the_issue_names(real: Ground) -> None:
    expected = {"2014-01": 27, "2014-11": 43, "2018-10": 41, "2024-04": 69}
    made = dict(
        real.query(
            "select strftime(period_start, '%Y-%m'), offences from marts.shoplifting_trends "
            "where area_name = 'Fenland' and period_type = 'month' and offences is not null"
        )
    )
    assert {month: made[month] for month in expected} == expected


def test_a_month_without_a_file_is_null_and_so_is_every_window_that_touches_it(
    real: Ground,
) -> None:
    rows = real.query(
        "select period_start, offences, rolling_12m_offences, offences_year_before, status "
        "from marts.shoplifting_trends where area_name = 'Fenland' and period_type = 'month'"
    )
    by_month = {row[0]: row for row in rows}
    delivered = {
        period
        for (period,) in real.query(
            "select period from control.in_force where source = 'police_uk_street'"
        )
    }
    assert len(delivered) == 22
    for month, offences, rolling, before, status in rows:
        assert (offences is not None) == (month in delivered)
        assert offences is not None or status == "[x]"
        window = {
            date((month.year * 12 + month.month - 1 - back) // 12,
                 (month.year * 12 + month.month - 1 - back) % 12 + 1, 1)
            for back in range(12)
        }  # fmt: skip
        assert (rolling is not None) == (window <= delivered)
        year_before = date(month.year - 1, month.month, 1)
        known_before = year_before in by_month and by_month[year_before][1] is not None
        assert (before is not None) == known_before
    missing = "('2014-12-01', '2018-09-01', '2019-03-01', '2023-12-01')"
    assert real.value(f"select count(*) from marts.crime_monthly where month in {missing}") == 0


def test_every_row_of_the_files_is_loaded_and_counted_once(real: Ground, real_data: Path) -> None:
    lines = 0
    for path in (real_data / "police_uk").glob("*-street.csv"):
        with path.open("rb") as handle:
            lines += sum(1 for _ in handle) - 1
    assert real.value("select count(*) from raw.police_uk_street") == lines
    assert real.value("select sum(offences) from marts.crime_monthly") == lines


def test_all_sheets_of_live_table_100_are_read(real: Ground) -> None:
    assert real.query(
        "select min(stock_year), max(stock_year), count(distinct stock_year) "
        "from marts.social_housing_stock"
    ) == [(2009, 2025, 17)]
    assert real.query(
        "select dwellings, status from marts.social_housing_stock where area_name = 'Fenland' "
        "and stock_year = 2009 and tenure = 'other public sector'"
    ) == [(None, "[x]")]


def test_a_row_is_traced_to_its_line_in_the_file(real: Ground, real_data: Path) -> None:
    rows = real.query(
        "select file_name, _line, crime_id, location, crime_type "
        "from raw.police_uk_street_lines as crimes "
        "inner join control.files as files on files.file_id = crimes._file_id "
        "where crime_id is not null and hash(crime_id) % 2000 = 0"
    )
    assert len(rows) > 20
    for name, line, crime_id, location, crime_type in rows:
        text = (real_data / "police_uk" / name).read_text().splitlines()[line - 1]
        assert text.startswith(f"{crime_id},")
        assert location in text
        assert crime_type in text


def _likeness(real_data: Path) -> dict[str, dict[str, float]]:
    """What each district of England and Wales is like, read from the files by other libraries."""
    import xlrd
    from python_calamine import CalamineWorkbook

    book = xlrd.open_workbook(str(next((real_data / "population").glob("*.xls"))))
    sheet = book.sheet_by_name("MYE 5")
    rows = [sheet.row_values(row) for row in range(4, sheet.nrows)]
    now, before = (rows[0].index(f"Estimated Population mid-{year}") for year in (2019, 2009))
    stock = CalamineWorkbook.from_path(real_data / "housing" / "Live_Table_100.ods")
    homes = {str(row[1]): row for row in stock.get_sheet_by_name("2019").to_python()[4:]}
    made: dict[str, dict[str, float]] = {}
    for row in rows[1:]:
        code, people = str(row[0]), row[now]
        if code[:3] not in ("E06", "E07", "E08", "E09", "W06"):
            continue
        made[code] = {
            "population": math.log(people),
            "density": math.log(people / row[3]),
            "change": 100 * (people / row[before] - 1),
        }
        if code in homes:
            social = sum(float(str(cell)) for cell in homes[code][3:6])
            dwellings = float(str(homes[code][7]))
            made[code] |= {"social": 100 * social / dwellings, "size": people / dwellings}
    return made


def test_similar_areas_are_the_nearest_of_all_districts(real: Ground, real_data: Path) -> None:
    known = _likeness(real_data)
    assert len(known) == 336
    spread = {
        name: (fmean(values), pstdev(values))
        for name in known["E07000010"]
        if (values := [one[name] for one in known.values() if name in one])
    }
    scores = {
        code: {name: (value - spread[name][0]) / spread[name][1] for name, value in one.items()}
        for code, one in known.items()
    }
    for own in ("E07000010", "E07000008", "E06000031"):
        away = sorted(
            (math.dist(scores[own].values(), other.values()) / math.sqrt(5), code)
            for code, other in scores.items()
            if code != own and len(other) == 5
        )
        made = real.query(
            "select distance, similar_code from marts.similar_areas "
            f"where area_code = '{own}' order by similarity_rank"
        )
        assert [code for _, code in made] == [code for _, code in away[:14]]
        assert [one for one, _ in made] == pytest.approx([one for one, _ in away[:14]])
