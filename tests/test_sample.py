"""The committed sample of the landing zone: reproducible, honest about itself, and in the layout.

Tests marked `real` hold the sample against the publishers' own files, found by CSP_REAL_DATA.
"""

import csv
import json
import os
import re
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import python_calamine

from orchestration.ingest.landing.receipt import RECEIPT_NAME, Receipt, ReceiptError
from orchestration.ingest.sources.sample_landing_zone import main, sample_deliveries, write_sample

RAW = Path(__file__).parents[1] / "raw"
STREET = RAW / "police_uk_street"
# The month that was sent again, with offences recorded late.
CORRECTED = STREET / "2018-10-01" / "2018-06-cambridgeshire-street.csv"
LOOKUPS = RAW / "area_lookups" / "2018-04-01"
DWELLINGS = RAW / "dwelling_stock" / "2018-04-01" / "Live_Table_100.ods"
POPULATION = RAW / "population_estimates" / "2018-04-01" / "ukmidyearestimates2017.xls"
LSOA_2011 = "Lower_Layer_Super_Output_Area_2011_to_Ward_2017_Lookup_in_England_and_Wales.csv"
DISTRICTS = "Local_Authority_Districts_December_2018_Names_and_Codes_in_the_United_Kingdom.csv"
FENLAND = "E07000010"
ELEVEN_TYPES = {
    "Anti-social behaviour",
    "Burglary",
    "Criminal damage and arson",
    "Drugs",
    "Other crime",
    "Other theft",
    "Public disorder and weapons",
    "Robbery",
    "Shoplifting",
    "Vehicle crime",
    "Violent crime",
}

Rows = list[dict[str, str]]


@pytest.fixture(scope="module")
def street() -> Rows:
    """Return every row, each month as it was first sent."""
    rows: Rows = []
    for path in sorted(set(STREET.glob("*/*.csv")) - {CORRECTED}):
        with path.open(encoding="utf-8", newline="") as stream:
            rows += csv.DictReader(stream)
    return rows


@pytest.fixture(scope="module")
def district_of() -> dict[str, str]:
    with (LOOKUPS / LSOA_2011).open(encoding="utf-8", newline="") as stream:
        return {row["LSOA11CD"]: row["LAD17CD"] for row in csv.DictReader(stream)}


@pytest.fixture(scope="module")
def real() -> Path:
    folder = os.environ.get("CSP_REAL_DATA")
    if not folder:
        pytest.skip("CSP_REAL_DATA is not set: the publishers' own files are not at hand")
    return Path(folder)


def sheet(path: Path, name: str) -> list[list[Any]]:
    workbook = python_calamine.CalamineWorkbook.from_path(path)
    return list(map(list, workbook.get_sheet_by_name(name).to_python(skip_empty_area=False)))


# --- the committed files


def test_sample_written_again_gives_the_committed_bytes(tmp_path: Path) -> None:
    write_sample(tmp_path)
    written = sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file())
    different = [
        str(path)
        for path in written
        if not (RAW / path).is_file() or (RAW / path).read_bytes() != (tmp_path / path).read_bytes()
    ]
    assert len(written) > 90
    assert different == []


def test_every_committed_delivery_agrees_with_its_receipt() -> None:
    folders = sorted(path for path in RAW.glob("*/*") if path.is_dir())
    assert len(folders) == len(list(sample_deliveries()))
    for folder in folders:
        receipt = Receipt.read(folder)
        assert receipt is not None, folder
        assert receipt.differences(folder) == (), folder
        assert (receipt.source, receipt.quarter.isoformat()) == (folder.parent.name, folder.name)


def test_receipt_has_the_agreed_shape() -> None:
    text = (STREET / "2018-04-01" / RECEIPT_NAME).read_text(encoding="utf-8")
    content = json.loads(text)
    assert list(content) == ["source", "quarter", "received_at", "nature", "note", "files"]
    assert [list(file) for file in content["files"]] == [["name", "bytes", "sha256"]] * 3
    assert text.endswith("}\n") and content["received_at"] == "2018-08-29T09:00:00"


def test_deliveries_arrive_after_their_quarter_and_say_what_they_are() -> None:
    for delivery in sample_deliveries():
        month = delivery.quarter.month + 3
        after = date(delivery.quarter.year + month // 13, (month - 1) % 12 + 1, 1)
        assert delivery.received_at.date() >= after
        opening = {"synthetic": "Synthetic", "real": "Excerpt"}[delivery.nature]
        assert delivery.note.startswith(opening), delivery.source


def test_sample_stays_small() -> None:
    # Of these, 7.7 million are the two quarters after the assessment, half of it the workbooks of
    # assessments, which are stored without compression so that they are the same everywhere, and
    # 4.9 million the outcomes of crimes and the official counts. Stop and search has 0.6 million.
    assert sum(path.stat().st_size for path in RAW.rglob("*") if path.is_file()) < 34_800_000


# --- the writer and the receipt


def test_writing_the_sample_never_touches_another_delivery(tmp_path: Path) -> None:
    folder = tmp_path / "dwelling_stock" / "2018-04-01"
    folder.mkdir(parents=True)
    (folder / "supplied.ods").write_bytes(b"a supplier's file")
    with pytest.raises(FileExistsError, match=r"supplied\.ods"):
        write_sample(tmp_path)
    assert [path.name for path in folder.iterdir()] == ["supplied.ods"]


def test_command_reports_what_stopped_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "a file"
    target.touch()
    assert main([str(target)]) == 1
    assert "could not be written" in capsys.readouterr().err


@pytest.mark.parametrize("content", ["", "{", '{"source": "x"}', "[]", "\u00e9"])
def test_unreadable_receipt_names_file_and_remedy(tmp_path: Path, content: str) -> None:
    (tmp_path / RECEIPT_NAME).write_text(content, encoding="latin-1")
    with pytest.raises(ReceiptError, match=r"delivery\.json.*csp land"):
        Receipt.read(tmp_path)


def test_no_receipt_is_none_and_changed_files_are_named(tmp_path: Path) -> None:
    assert Receipt.read(tmp_path) is None
    delivery = next(one for one in sample_deliveries() if len(one.files) > 1)
    folder = delivery.write(tmp_path)
    receipt = Receipt.read(folder)
    assert receipt is not None
    changed, removed, *_ = receipt.files
    (folder / changed.name).write_bytes(b"changed")
    (folder / removed.name).unlink()
    (folder / "new.csv").touch()
    found = {difference.split(":")[0] for difference in receipt.differences(folder)}
    assert found == {changed.name, removed.name, "new.csv"}


# --- street-level crime


def test_street_files_cover_every_month_with_windows_line_ends() -> None:
    names = [path.name[:7] for path in sorted(set(STREET.glob("*/*.csv")) - {CORRECTED})]
    expected = [f"{year}-{month:02}" for year in range(2013, 2019) for month in range(1, 13)]
    assert names == expected
    for path in STREET.glob("*/*.csv"):
        content = path.read_bytes()
        assert content.count(b"\n") == content.count(b"\r\n") and content.endswith(b"\r\n")
        assert content.startswith(b"Crime ID,")


def test_crime_id_is_blank_on_anti_social_behaviour_and_only_there(street: Rows) -> None:
    blank = {row["Crime type"] for row in street if row["Crime ID"] == ""}
    assert blank == {"Anti-social behaviour"}
    pattern = re.compile("[0-9a-f]{64}")
    for row in street:
        anti_social = row["Crime type"] == "Anti-social behaviour"
        assert anti_social or pattern.fullmatch(row["Crime ID"])
        assert anti_social == (row["Last outcome category"] == "")
        assert row["Context"] == ""


def test_quirks_of_the_publisher_are_there(street: Rows) -> None:
    identical = Counter(tuple(row.values()) for row in street if row["Crime ID"] == "")
    assert max(identical.values()) > 1
    repeated = Counter(row["Crime ID"] for row in street if row["Crime ID"])
    (crime_id,) = [crime_id for crime_id, count in repeated.items() if count > 1]
    twice = [row for row in street if row["Crime ID"] == crime_id]
    assert {row["Month"] for row in twice} == {"2014-01"}
    assert len({row["Crime type"] for row in twice}) == 2


def test_crime_types_change_in_may_2013(street: Rows) -> None:
    types: dict[str, set[str]] = {}
    for row in street:
        types.setdefault(row["Month"], set()).add(row["Crime type"])
    for month, published in types.items():
        assert len(published) == (11 if month <= "2013-04" else 14), month
    assert types["2013-04"] == ELEVEN_TYPES


def test_rows_without_a_location_are_in_2018_only(street: Rows) -> None:
    nowhere = [row for row in street if row["Location"] == "No Location"]
    assert nowhere and {row["Month"][:4] for row in nowhere} == {"2018"}
    for row in street:
        blank = {row[name] == "" for name in ("Longitude", "Latitude", "LSOA code", "LSOA name")}
        assert blank == {row["Location"] == "No Location"}


def test_locations_say_that_they_are_synthetic(street: Rows) -> None:
    named = (row["Location"] for row in street if row["Location"] != "No Location")
    assert all(re.fullmatch(r"On or near Synthetic Street \d+", name) for name in named)


def test_small_areas_are_in_the_lookup_and_few_lie_outside(
    street: Rows, district_of: dict[str, str]
) -> None:
    assert {row["LSOA code"] for row in street} - {""} <= district_of.keys()
    inside = {path.stem for path in LOOKUPS.glob("E0*.geojson")}
    assert len(inside) == 6
    outside = Counter(
        row["Month"]
        for row in street
        if row["LSOA code"] and district_of[row["LSOA code"]] not in inside
    )
    # An anti-social behaviour row may be there twice, as in the force area.
    assert len(outside) == 72
    assert min(outside.values()) >= 10 and max(outside.values()) <= 24


def fenland(street: Rows, district_of: dict[str, str], crime_type: str) -> Counter[str]:
    return Counter(
        row["Month"]
        for row in street
        if row["Crime type"] == crime_type and district_of.get(row["LSOA code"]) == FENLAND
    )


def test_fenland_shoplifting_is_plausible_and_rises_each_year(
    street: Rows, district_of: dict[str, str]
) -> None:
    monthly = fenland(street, district_of, "Shoplifting")
    assert len(monthly) == 72
    assert min(monthly.values()) >= 15 and max(monthly.values()) <= 75
    year_of_2014 = [count for month, count in monthly.items() if month[:4] == "2014"]
    assert 30 <= sum(year_of_2014) / 12 <= 42
    financial = Counter[int]()
    for month, count in monthly.items():
        financial[int(month[:4]) - (month[5:] < "04")] += count
    totals = [financial[year] for year in range(2013, 2018)]
    assert totals == sorted(set(totals))


def test_burglary_is_highest_of_five_years_in_2017(
    street: Rows, district_of: dict[str, str]
) -> None:
    force = Counter(row["Month"] for row in street if row["Crime type"] == "Burglary")
    for monthly in (force, fenland(street, district_of, "Burglary")):
        yearly = Counter[str]()
        for month, count in monthly.items():
            yearly[month[:4]] += count
        assert max(range(2013, 2018), key=lambda year: yearly[str(year)]) == 2017


def test_corrected_month_keeps_what_was_sent_and_adds_what_was_recorded_late(
    district_of: dict[str, str],
) -> None:
    first, again = (
        Counter((STREET / quarter / CORRECTED.name).read_text().splitlines())
        for quarter in ("2018-04-01", "2018-10-01")
    )
    assert first - again == Counter()
    late = list(csv.reader((again - first).elements()))
    assert Counter((row[9], district_of[row[7]]) for row in late) == {
        ("Shoplifting", FENLAND): 7,
        ("Shoplifting", "E06000031"): 11,
        ("Burglary", "E07000011"): 4,
    }


# --- the quarters after the assessment


def people(source: str, quarter: str, name: str, column: str) -> set[str]:
    with (RAW / source / quarter / name).open(encoding="utf-8", newline="") as stream:
        return {row[column] for row in csv.DictReader(stream)}


@pytest.mark.parametrize(
    ("source", "column", "before", "after", "least"),
    [
        ("probation_caseload", "CRN", ("2018-04-01", "crc_caseload_2018-05-31.csv"),
         ("2018-07-01", "crc_caseload_2018-08-31.csv"), 0.8),
        ("probation_caseload", "CRN", ("2018-07-01", "crc_caseload_2018-08-31.csv"),
         ("2018-10-01", "crc_caseload_2018-11-30.csv"), 0.8),
        ("probation_caseload", "CRN", ("2018-07-01", "nps_caseload_2018-08-31.csv"),
         ("2018-10-01", "nps_caseload_2018-11-30.csv"), 0.85),
        ("iom_cohort", "Nominal", ("2018-04-01", "iom-cohort-2018-06-30.csv"),
         ("2018-07-01", "iom-cohort-2018-09-30.csv"), 0.8),
        ("iom_cohort", "Nominal", ("2018-07-01", "iom-cohort-2018-09-30.csv"),
         ("2018-10-01", "iom-cohort-2018-12-31.csv"), 0.8),
    ],
)  # fmt: skip
def test_most_people_go_on_from_quarter_to_quarter(
    source: str, column: str, before: tuple[str, str], after: tuple[str, str], least: float
) -> None:
    earlier, later = people(source, *before, column), people(source, *after, column)
    assert least <= len(earlier & later) / len(earlier) < 1
    assert later - earlier


def test_offence_references_and_new_people_are_never_given_twice() -> None:
    files = sorted((RAW / "police_charges").glob("*/*.csv"))
    offences: Counter[str] = Counter()
    born: dict[str, set[str]] = {}
    for path in files:
        with path.open(encoding="utf-8", newline="") as stream:
            for row in csv.DictReader(stream):
                offences[row["Offence Ref"]] += 1
                born.setdefault(row["Nominal Ref"], set()).update({row["Date Of Birth"]} - {""})
    assert len(files) == 4
    assert max(offences.values()) == 1
    assert max(map(len, born.values())) == 1


# --- the excerpts


def test_table_5_can_be_made_from_the_2016_sheet() -> None:
    cells = {str(row[2]): row[3:6] for row in sheet(DWELLINGS, "2016")}
    assert cells["Fenland"] == [2, 5562, 9]
    assert "Peterborough UA" in cells


def test_2009_sheet_has_old_codes_and_markers_only() -> None:
    rows = sheet(DWELLINGS, "2009")
    assert rows[3][0] == "Old ONS code"
    assert [row[0] for row in rows if row[2] == "Fenland"] == ["12UD"]
    assert any("[x]" in row for row in rows)


def test_geojson_maps_small_areas_of_2021_to_districts() -> None:
    for path in LOOKUPS.glob("*.geojson"):
        content = json.loads(path.read_text(encoding="utf-8"))
        assert content["name"] == path.stem
        for feature in content["features"]:
            assert feature["geometry"]["type"] == "MultiPolygon"
            assert feature["properties"]["LADCD_ACTIVE"] == path.stem
            assert re.fullmatch("E010[0-9]{5}", feature["properties"]["LSOA21CD"])


# --- against the publishers' own files


@pytest.mark.real
def test_street_header_and_line_ends_equal_the_real_ones(real: Path) -> None:
    name = "2014-01-cambridgeshire-street.csv"
    published = (real / "police_uk" / name).read_bytes().split(b"\n")
    ours = (STREET / "2014-01-01" / name).read_bytes().split(b"\n")
    assert ours[0] == published[0]
    assert {line[-1:] for line in ours[:-1]} == {line[-1:] for line in published[:-1]} == {b"\r"}


@pytest.mark.real
def test_street_vocabulary_is_the_real_one(real: Path, street: Rows) -> None:
    outcomes: set[str] = set()
    types: set[str] = set()
    for path in (real / "police_uk").glob("201*-street.csv"):
        with path.open(encoding="utf-8", newline="") as stream:
            for row in csv.DictReader(stream):
                outcomes.add(row["Last outcome category"])
                types.add(row["Crime type"])
    assert {row["Last outcome category"] for row in street} <= outcomes
    assert {row["Crime type"] for row in street if row["Month"] >= "2013-05"} == types


@pytest.mark.real
@pytest.mark.parametrize("name", [LSOA_2011, DISTRICTS])
def test_lookup_header_and_facts_equal_the_real_ones(real: Path, name: str) -> None:
    published = (real / "lookups" / name).read_bytes()
    ours = (LOOKUPS / name).read_bytes()
    assert ours.split(b"\n")[0] == published.split(b"\n")[0]
    assert b"\r" not in ours and b"\r" not in published

    def facts(content: bytes) -> set[tuple[str, ...]]:
        rows = csv.DictReader(content.decode("utf-8-sig").splitlines())
        dropped = {"WD17CD", "WD17NM", "WD17NMW", "FID"}
        return {tuple(v for k, v in row.items() if k not in dropped) for row in rows}

    assert facts(ours) <= facts(published)


@pytest.mark.real
def test_small_areas_of_2021_equal_the_real_ones(real: Path) -> None:
    names = ("LSOA21CD", "LSOA21NM", "LADCD_ACTIVE", "UTLACD", "CAUTHCD", "RGNCD")

    def facts(path: Path) -> set[tuple[str, ...]]:
        features = json.loads(path.read_text(encoding="utf-8"))["features"]
        return {tuple(feature["properties"][name] for name in names) for feature in features}

    paths = list(LOOKUPS.glob("*.geojson"))
    assert len(paths) == 6
    for path in paths:
        assert facts(path) == facts(real / "lookups" / "lsoa2021_boundaries" / path.name)


@pytest.mark.real
@pytest.mark.parametrize("year", range(2009, 2018))
def test_dwelling_headers_and_figures_equal_the_real_ones(real: Path, year: int) -> None:
    published = sheet(real / "housing" / "Live_Table_100.ods", str(year))
    ours = sheet(DWELLINGS, str(year))
    assert ours[3] == published[3]
    assert all(row in published[4:] for row in ours[4:])
    # The last two years have sixteen other districts, too.
    assert len(ours) == (11 if year <= 2011 else 14) + (16 if year >= 2016 else 0)


@pytest.mark.real
def test_population_figures_equal_the_real_ones(real: Path) -> None:
    path = real / "population" / "ukmidyearestimates20192020ladcodes.xls"
    published, ours = sheet(path, "MYE 5"), sheet(POPULATION, "MYE 5")
    # The two newest years of the real file (four columns) are later than the sample's.
    assert ours[4] == published[4][:4] + published[4][8:]
    cut = {str(row[0]): row[:4] + row[8:] for row in published[5:]}
    body = [row for row in ours[5:] if row[1]]
    assert len(body) == 25
    assert all(row == cut[str(row[0])] for row in body)
