"""From a figure back to the files and rows that it was made from."""

import csv
from collections.abc import Callable

import pytest

from orchestration.config.settings import PROJECT
from orchestration.ingest.checking.contract import load_contracts
from orchestration.warehouse.connection import connect
from orchestration.warehouse.provenance import Trace, TraceError, trace
from tests.support import Ground

RAW = PROJECT / "raw"
FIXED = {"figure_10_shoplifting": {"crime_type": "Shoplifting"}}
Tracer = Callable[..., Trace]


@pytest.fixture
def traced(sample: Ground) -> Tracer:
    def run(table: str, **key: str) -> Trace:
        with connect(sample.settings, read_only=True) as connection:
            return trace(connection, load_contracts(), table, key, FIXED)

    return run


def lines_of_shoplifting_in_fenland(month: str) -> list[int]:
    """Lines of the delivered file, by its own area names; line 1 is the header."""
    (path,) = (RAW / "police_uk_street" / "2018-04-01").glob(f"{month}*street.csv")
    with path.open(newline="", encoding="utf-8") as handle:
        return [
            number
            for number, row in enumerate(csv.DictReader(handle), start=2)
            if row["LSOA name"].startswith("Fenland ") and row["Crime type"] == "Shoplifting"
        ]


@pytest.mark.parametrize("table", ["crime_monthly", "reports.figure_10_shoplifting"])
def test_a_count_of_crimes_leads_to_exactly_its_lines(traced: Tracer, table: str):
    key = {"month": "2018-06-01", "area_name": "Fenland"}
    if table == "crime_monthly":
        key["crime_type"] = "Shoplifting"
    found = traced(table, **key)
    street = found.deliveries[0]
    lines = [row.line for row in street.rows if row.file_name.startswith("2018-06")]
    assert lines == lines_of_shoplifting_in_fenland("2018-06")
    assert len(lines) == found.row["offences"] == len(street.rows)
    assert street.narrowed_by == ("period", "area", "crime_type")
    assert all(len(file.sha256) == 64 for file in street.files)


def test_total_crime_leads_to_every_line_but_incidents(traced: Tracer):
    found = traced(
        "crime_trends", area_name="Fenland", crime_type="Total crime", period_type="month",
        period_start="2018-06-01",
    )  # fmt: skip
    (path,) = (RAW / "police_uk_street" / "2018-04-01").glob("2018-06*street.csv")
    with path.open(newline="", encoding="utf-8") as handle:
        rows = [row for row in csv.DictReader(handle) if row["LSOA name"].startswith("Fenland ")]
    incidents = [row for row in rows if row["Crime type"] == "Anti-social behaviour"]
    assert incidents and found.row["offences"] == len(rows) - len(incidents)
    assert len(found.deliveries[0].rows) == found.row["offences"]


def test_a_rate_leads_to_the_cell_of_its_population(traced: Tracer):
    found = traced(
        "crime_monthly", month="2018-06-01", area_name="Fenland", crime_type="Shoplifting"
    )
    population = next(
        delivery for delivery in found.deliveries if delivery.source == "population_estimates"
    )
    (cell,) = population.rows
    assert (cell.sheet, cell.column) == ("MYE 5", "Estimated Population mid-2017")


def test_people_assessed_lead_to_their_rows_and_no_value_of_them(traced: Tracer):
    found = traced("table_3_oasys_pathways", area_name="Fenland", pathway="Accommodation")
    (assessments,) = found.deliveries
    # 275 in the Fenland CRC cohort of February 2017: 188 assessed (the base) and 87 not.
    assert (len(assessments.rows), found.row["base"]) == (275, 188)
    assert assessments.narrowed_by == ("period", "area", "cohort")
    assert assessments.nature == "synthetic"


@pytest.mark.parametrize(
    ("table", "key", "words"),
    [
        (
            "crime_weekly",
            {},
            "no mart or report .crime_weekly.. Did you mean crime_monthly or .*There are: .*areas",
        ),
        ("crime_monthly", {"colour": "red"}, "no column colour. Its columns: month, area_code"),
        ("crime_monthly", {"month": "1999-01-01"}, "no row with month = 1999-01-01"),
        ("crime_monthly", {"month": "2018-06-01"}, "rows of .* Give more of its key, .*area_code"),
    ],
)
def test_what_cannot_be_traced_is_reported(traced: Tracer, table: str, key: dict, words: str):
    with pytest.raises(TraceError, match=words):
        traced(table, **key)


def test_command_prints_files_and_writes_positions(csp, sample: Ground, tmp_path):
    written = tmp_path / "rows.csv"
    done = csp(
        "trace", "figure_10_shoplifting", "month=2018-06-01", "area_name=Fenland",
        "--csv", str(written), CSP_HOME=str(sample.settings.home),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "2018-06-cambridgeshire-street.csv, line" in done.stdout
    with written.open(newline="") as handle:
        rows = list(csv.DictReader(handle))
    assert [int(row["line"]) for row in rows if row["source"] == "police_uk_street"] == (
        lines_of_shoplifting_in_fenland("2018-06")
    )
    refused = csp("trace", "crime_monthly", "month", CSP_HOME=str(sample.settings.home))
    assert (refused.returncode, "column=value" in refused.stderr) == (1, True)


@pytest.mark.parametrize(
    ("table", "source", "measure", "key"),
    [
        ("marts.offending_frequency", "police_charges", "offences",
         ("area_code", "period_start", "offences_per_offender")),
        ("reports.table_2_offending_frequency", "police_charges", "offences",
         ("area_code", "period_start", "number_of_offences")),
        ("marts.iom_cohort", "iom_cohort", "people",
         ("area_code", "period_start", "dimension", "category")),
        ("marts.youth_offenders", "youth_offending", "young_people",
         ("area_code", "period_type", "period_start", "cohort", "dimension", "category")),
        ("reports.figure_3_juvenile_offenders", "youth_offending", "juvenile_offenders",
         ("area_code", "period_type", "period_start")),
        ("reports.figure_4_first_time_entrants", "youth_offending", "first_time_entrants",
         ("area_code", "period_type", "period_start")),
        ("marts.need_complexity", "oasys_assessments", "offenders",
         ("area_code", "cohort", "period_end", "complexity")),
        ("marts.probation_profile", "probation_caseload", "people",
         ("area_code", "cohort", "period_end", "dimension", "category")),
        ("marts.crime_monthly", "police_uk_street", "offences",
         ("area_code", "month", "crime_type")),
        ("marts.survey_responses", "community_survey", "responses",
         ("area_code", "period_start")),
    ],
)  # fmt: skip
def test_a_figure_that_counts_rows_leads_to_as_many_lines(
    sample: Ground, table: str, source: str, measure: str, key: tuple[str, ...]
) -> None:
    """A few rows of each table, zeros among them, drawn the same each time."""
    fixed: dict[str, dict[str, str]] = {}
    with connect(sample.settings, read_only=True) as connection:
        rows = connection.execute(
            f"select {', '.join(key)}, {measure} from {table} "
            f"where {measure} is not null and area_code not like '%:%' "
            f"order by md5(concat_ws('|', {', '.join(key)})) limit 5"
        ).fetchall()
        assert rows
        for *values, figure in rows:
            named = dict(zip(key, map(str, values), strict=True))
            found = trace(connection, load_contracts(), table, named, fixed)
            lines = [row for one in found.deliveries if one.source == source for row in one.rows]
            assert len(lines) == figure, named
            assert len(set(lines)) == len(lines)


def test_offences_of_those_charged_with_several_lead_to_each_of_them(traced: Tracer) -> None:
    found = traced(
        "offending_frequency",
        area_code="E07000010", period_start="2017-04-01", offences_per_offender="5",
    )  # fmt: skip
    charges = [row for one in found.deliveries for row in one.rows]
    assert len(charges) == found.row["offences"] == 5 * found.row["offenders"]
    assert found.deliveries[0].narrowed_by == ("period", "area", "offences a person")
