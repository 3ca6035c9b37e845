"""Outcomes of crimes: landing, feed, load, and the mart against a count of the files."""

import io
import json
import zipfile
from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from orchestration.cli.console import new_console
from orchestration.cli.land import land_download
from orchestration.config.settings import PROJECT, Settings
from orchestration.errors import LandingError
from orchestration.ingest.landing.receipt import Receipt
from tests.feed_server import ARCHIVES, STORAGE, FeedServer, index_page, redirect, served
from tests.feed_server import FORCE as SLUG
from tests.support import FORCE, NOW, Ground, csv_rows, month_file
from tests.test_feeds import Run, files, receipt_of, run, server, transport  # noqa: F401

STREET, OUTCOMES = "police_uk_street", "police_uk_outcomes"
HEADER = (
    "Crime ID,Month,Reported by,Falls within,Longitude,Latitude,Location,LSOA code,LSOA name,"
    "Outcome type"
)
GROUPS = {
    "Charged": [
        "Suspect charged", "Suspect charged as part of another case", "Awaiting court outcome",
        "Court result unavailable", "Court case unable to proceed", "Defendant found not guilty",
        "Offender fined", "Offender given community sentence", "Offender sent to prison",
        "Offender given conditional discharge", "Offender given suspended prison sentence",
    ],
    "Out of court": [
        "Local resolution", "Offender given a caution", "Offender given penalty notice",
    ],
    "Not in the public interest": [
        "Formal action is not in the public interest",
        "Further action is not in the public interest",
        "Further investigation is not in the public interest",
    ],
    "Another organisation": ["Action to be taken by another organisation"],
    "Suspect not prosecuted": ["Unable to prosecute suspect"],
    "No suspect identified": ["Investigation complete; no suspect identified"],
    "No outcome known": ["Under investigation", "Status update unavailable", ""],
}  # fmt: skip
GROUP_OF = {outcome: group for group, outcomes in GROUPS.items() for outcome in outcomes}


def outcome_row(month: str = "2018-04", number: int = 1, outcome: str = "Suspect charged") -> str:
    return (
        f"{number:064x},{month},{FORCE},{FORCE},0.151,52.662,On or near Synthetic Street,"
        f"E01018058,Fenland 008A,{outcome}"
    )


def outcome_file(*rows: str) -> str:
    return "".join(f"{line}\r\n" for line in [HEADER, *rows])


# --- landing and loading -----------------------------------------------------------------------


def landed(ground: Ground, paths: list[Path]) -> str:
    said = io.StringIO()
    receipt = Receipt(
        source=STREET, quarter=date(2018, 4, 1), received_at=NOW, nature="real", note=""
    )
    land_download(
        ground.settings, STREET, paths, receipt, new_console(file=said), replace=True, whole=False
    )
    return said.getvalue()


def given(folder: Path, files: dict[str, str | bytes]) -> list[Path]:
    folder.mkdir(exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return [folder / name for name in files]


DOWNLOAD: dict[str, str | bytes] = {
    "2018-04-cambridgeshire-street.csv": month_file(),
    "2018-04-cambridgeshire-outcomes.csv": outcome_file(outcome_row(), outcome_row(number=2)),
}


@pytest.mark.parametrize("packed", [False, True])
def test_a_month_as_downloaded_lands_for_both_sources(
    ground: Ground, tmp_path: Path, packed: bool
) -> None:
    names = DOWNLOAD
    if packed:
        made = io.BytesIO()
        with zipfile.ZipFile(made, "w") as archive:
            for name, content in DOWNLOAD.items():
                archive.writestr(f"2018-04/{name}", content)
        names = {"month.zip": made.getvalue()}
    said = landed(ground, given(tmp_path / "given", names))
    assert f"1 file is of {OUTCOMES}:" in said
    assert ground.load(STREET).outcomes[0].rows_loaded == 10
    (outcome,) = ground.load(OUTCOMES).outcomes
    assert (outcome.state, outcome.rows_loaded) == ("loaded", 2)


def test_outcomes_alone_land_for_their_source(ground: Ground, tmp_path: Path) -> None:
    name = "2018-04-cambridgeshire-outcomes.csv"
    landed(ground, given(tmp_path / "given", {name: DOWNLOAD[name]}))
    assert not (ground.settings.raw / STREET / "2018-04-01").exists()
    assert (ground.settings.raw / OUTCOMES / "2018-04-01" / name).exists()


def test_what_landed_before_another_source_failed_is_said(ground: Ground, tmp_path: Path) -> None:
    folder = ground.settings.raw / OUTCOMES / "2018-04-01" / "a folder"
    folder.mkdir(parents=True)
    (folder.parent / "link").symlink_to(tmp_path)
    with pytest.raises(LandingError, match=f"^{STREET} landed, {OUTCOMES} did not"):
        landed(ground, given(tmp_path / "given", DOWNLOAD))


def test_outcomes_among_street_files_are_named_with_their_source(ground: Ground) -> None:
    ground.put(STREET, "2018-04-01", DOWNLOAD)
    (outcome,) = ground.load(STREET).outcomes
    said = " ".join(map(str, outcome.warnings))
    assert f"1 file of outcomes is left out: {OUTCOMES} reads them" in said


def test_identical_rows_are_kept_and_an_outcome_that_is_not_listed_is_reported(
    ground: Ground,
) -> None:
    rows = [outcome_row(), outcome_row(), outcome_row(number=2, outcome="Suspect sent to the moon")]
    ground.put(OUTCOMES, "2018-04-01", {"2018-04-cambridgeshire-outcomes.csv": outcome_file(*rows)})
    (outcome,) = ground.load(OUTCOMES).outcomes
    assert (outcome.rows_loaded, outcome.faults) == (3, [])
    (fault,) = outcome.warnings
    assert (fault.column, fault.value) == ("Outcome type", "Suspect sent to the moon")


# --- feed --------------------------------------------------------------------------------------


def test_outcomes_are_read_out_of_the_archive(server: FeedServer, run: Run, ground: Ground) -> None:  # noqa: F811
    made = io.BytesIO()
    months = ("2018-10", "2018-11", "2018-12")
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for month in months:
            archive.writestr(f"{month}/{month}-{SLUG}-street.csv", month_file(month, 12))
            if month != "2018-12":
                content = outcome_file(outcome_row(month), outcome_row(month, 2))
                archive.writestr(f"{month}/{month}-{SLUG}-outcomes.csv", content)
    server.answers[ARCHIVES] = served(index_page({"2020-12": "x"}), kind="text/html")
    server.answers[f"{ARCHIVES}2020-12.zip"] = redirect(f"{STORAGE}2020-12.zip")
    server.answers[f"{STORAGE}2020-12.zip"] = served(made.getvalue())
    outcome = run(OUTCOMES)
    names = [f"{month}-{SLUG}-outcomes.csv" for month in months[:2]]
    assert sorted(files(ground.settings, OUTCOMES, date(2018, 10, 1))) == names
    fetched = receipt_of(ground.settings, OUTCOMES, date(2018, 10, 1)).fetched
    assert [one.member for one in fetched] == [f"{name[:7]}/{name}" for name in names]
    (note,) = outcome.notes
    assert "has no outcomes file of Cambridgeshire Constabulary" in note and "December" in note
    assert run(OUTCOMES).files == ()


# --- the mart against the files ----------------------------------------------------------------


@pytest.fixture(scope="module")
def latest(quarters: Mapping[str, Path]) -> Ground:
    """The sample as at its last quarter."""
    return Ground(Settings(home=quarters["2018-10-01"], raw=PROJECT / "raw"))


Counts = Counter[tuple[str, str, str, str]]
"""Crimes by district, crime type, quarter of record and group."""


def _quarter(month: str) -> str:
    year, number = month.split("-")
    return f"{year}-{(int(number) - 1) // 3 * 3 + 1:02d}-01"


def _counted(raw: Path, as_at: str, districts: dict[str, str], first_month: str) -> Counts:
    """Count the files with Python's own reader and pandas; later quarters' months come first."""
    streets: dict[str, tuple[str, list[dict[str, str]]]] = {}
    for path in sorted((raw / STREET).glob("*/*.csv"), key=lambda one: one.parent.name):
        if path.parent.name <= as_at:
            streets[path.name[:7]] = (path.parent.name, csv_rows(path))
    found = [
        pd.DataFrame(csv_rows(path)).assign(delivered=path.parent.name)
        for path in sorted((raw / OUTCOMES).glob("*/*.csv"))
        if path.parent.name <= as_at
    ]
    latest: dict[str, tuple[str, str]] = {}
    if found:
        order = {group: place for place, group in enumerate(GROUPS)}
        outcomes = pd.concat(found).drop_duplicates()
        outcomes["place"] = outcomes["Outcome type"].map(GROUP_OF).map(order)
        outcomes = outcomes.sort_values(["Month", "place"], ascending=[True, False])
        quarters = outcomes.groupby("Crime ID")["delivered"].max().to_dict()
        last = outcomes.drop_duplicates("Crime ID", keep="last")
        pairs = zip(last["Crime ID"].tolist(), last["Outcome type"].tolist(), strict=True)
        latest = {crime: (outcome, str(quarters[crime])) for crime, outcome in pairs}
    counted: Counts = Counter()
    for month, (delivered, rows) in streets.items():
        if month < first_month:
            continue
        for row in rows:
            district = districts.get(row["LSOA code"])
            if row["Crime type"] == "Anti-social behaviour" or district is None:
                continue
            outcome = row["Last outcome category"]
            newer = latest.get(row["Crime ID"])
            if newer and (GROUP_OF[outcome] == "No outcome known" or newer[1] > delivered):
                outcome = newer[0]
            counted[district, row["Crime type"], _quarter(month), GROUP_OF[outcome]] += 1
    return counted


def _made(ground: Ground) -> Counts:
    return Counter(
        {
            (area, crime_type, start.isoformat(), group): count
            for area, crime_type, start, group, count in ground.query(
                "select area_code, crime_type, period_start, outcome_group, offences_with_outcome "
                "from marts.crime_outcomes where area_type = 'district' and not is_sum "
                "and period_type = 'quarter' and crime_type <> 'Total crime' "
                "and offences_with_outcome > 0"
            )
        }
    )


def test_outcomes_of_the_sample_are_an_independent_count_of_its_files(latest: Ground) -> None:
    lookup = next((PROJECT / "raw/area_lookups/2018-04-01").glob("Lower_Layer*.csv"))
    ours = {row[0] for row in latest.query("select area_code from marts.areas")}
    districts = {
        row["LSOA11CD"]: row["LAD17CD"] for row in csv_rows(lookup) if row["LAD17CD"] in ours
    }
    counted = _counted(PROJECT / "raw", "2018-10-01", districts, "2016-01")
    made = _made(latest)
    assert sum(made.values()) > 30_000
    assert made == counted


def test_an_outcome_that_came_in_a_later_quarter_counts(latest: Ground) -> None:
    """The street files alone would give fewer charges of the first half of 2018."""
    streets = Counter(
        GROUP_OF[row["Last outcome category"]]
        for quarter in ("2018-04-01",)
        for path in sorted((PROJECT / "raw" / STREET / quarter).glob("*.csv"))
        for row in csv_rows(path)
        if row["Crime type"] != "Anti-social behaviour"
    )
    ((charged,),) = latest.query(
        "select offences_with_outcome from marts.crime_outcomes where area_type = 'force' "
        "and crime_type = 'Total crime' and period_key = 'quarter:2018-04-01' "
        "and outcome_group = 'Charged'"
    )
    assert charged > streets["Charged"]


@pytest.mark.real
def test_outcomes_of_the_real_extracts_are_an_independent_count(
    real: Ground, real_data: Path
) -> None:
    districts = {}
    for path in (real_data / "lookups/lsoa2021_boundaries").glob("*.geojson"):
        for feature in json.loads(path.read_text())["features"]:
            area = feature["properties"]
            districts[area["LSOA21CD"]] = area["LADCD_ACTIVE"]
    counted = _counted(real.settings.raw, "2026-04-01", districts, "2024-01")
    made = _made(real)
    assert sum(made.values()) > 33_000
    assert made == counted


# --- outcome rates, issue 24 -------------------------------------------------------------------


def test_the_outcome_rates_of_the_example_query(latest: Ground) -> None:
    page = (PROJECT / "docs/bi/queries.md").read_text(encoding="utf-8")
    query = page.split("### 75. ", 1)[1].split("```sql\n", 1)[1].split("```", 1)[0]
    rows = latest.query(query)
    by_type = {row[0]: row for row in rows}
    assert len(by_type) == 14
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    lookup = next((PROJECT / "raw/area_lookups/2018-04-01").glob("Lower_Layer*.csv"))
    districts = {
        row["LSOA11CD"]: row["LAD17CD"] for row in csv_rows(lookup) if row["LAD17CD"] == "E07000010"
    }
    counted = _counted(PROJECT / "raw", "2018-10-01", districts, "2018-01")
    for (_, crime_type, _, group), number in counted.items():
        counts[crime_type][group] += number
        counts["Total crime"][group] += number
    for crime_type, groups in counts.items():
        offences = sum(groups.values())
        acted = groups["Charged"] + groups["Out of court"]
        assert by_type[crime_type][1] == offences
        assert by_type[crime_type][2] == pytest.approx(100 * acted / offences, abs=0.05)
