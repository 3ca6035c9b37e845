"""The disclosure step: declarations to the table model, rows as shown, and the attack on them."""

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from orchestration.cli.console import new_console
from orchestration.cli.exit_codes import ExitCode
from orchestration.cli.refresh import run_refresh
from orchestration.config.settings import PROJECT
from orchestration.disclosure import release_protection as step
from orchestration.disclosure.attack_verdict import Finding, Verdict, examine
from orchestration.disclosure.attacker_view import as_written, printed_counts
from orchestration.disclosure.declarations import Declaration, Row, declarations
from orchestration.disclosure.earlier_releases import with_releases
from orchestration.disclosure.protection import protect
from orchestration.disclosure.published_store import models_of
from orchestration.disclosure.release_protection import Outcome, disclose
from orchestration.disclosure.table_assembly import (
    Wholes,
    assembled,
    ordinary_labels,
    protected_rows,
    with_wholes,
)
from orchestration.disclosure.table_model import Protection, Tables
from orchestration.errors import DisclosureError, UnpublishableCountError
from orchestration.publish import PublishedColumn, PublishedTable, build_release
from orchestration.publish.errors import UnsafeTableError
from orchestration.releases.release_registry import PublishedRelease, read_release
from tests.release_fixtures import NOW, QUARTER, build_warehouse
from tests.support import Ground

NAME = "reports.known"
DECLARED = Declaration.model_validate(
    {
        "counts": [
            {
                "column": "people",
                "where": {"sex": ["All"]},
                "cell": "people {area_code}",
                "areas": "exact",
                "kept": 20,
            },
            {
                "column": "people",
                "unless": {"sex": ["All"]},
                "cell": "people {area_code} {sex}",
                "adds_to": [{"cell": "people {area_code}", "by": "sex"}],
                "areas": "exact",
                "shares": [{"column": "percent", "of": "people {area_code}"}],
            },
        ]
    }
)
FORCES = Wholes({"D1": "F", "D2": "F", "D3": "F"})
COUNTS = {"D1": (3, 30), "D2": (12, 40), "D3": (20, 50), "F": (35, 120)}


def known(counts: Mapping[str, tuple[int, int]] = COUNTS) -> list[Row]:
    """Women and men of each area, and everybody, with the share that each is."""
    rows = []
    for area, (women, men) in counts.items():
        for sex, people in (("All", women + men), ("Men", men), ("Women", women)):
            share = None if sex == "All" else (200 * people + women + men) // (2 * (women + men))
            row = {"area_code": area, "sex": sex, "people": people, "percent": share}
            rows.append(with_wholes({**row, "status": None}, FORCES))
    return rows


def shown_and_judged(spoil: Mapping[tuple[str, str], int] | None = None) -> tuple[Any, Verdict]:
    """Protect the small table, write ``spoil`` back into it, and attack it as written."""
    rows, declared = known(), {NAME: DECLARED}
    protection = protect(assembled({NAME: rows}, declared))
    shown = protected_rows(NAME, rows, DECLARED, protection)
    for row in shown:
        if spoil and (row["area_code"], row["sex"]) in spoil:
            row["people"] = spoil[row["area_code"], row["sex"]]
    labels = {NAME: ordinary_labels(rows, DECLARED)}
    return shown, examine(
        protection, as_written({NAME: shown}, declared, protection.tables, labels)
    )


def test_hidden_counts_are_empty_and_marked_with_what_follows_from_them() -> None:
    shown, verdict = shown_and_judged()
    hidden = {(row["area_code"], row["sex"]) for row in shown if row["people"] is None}
    # By hand: the three women of D1, the men beside them (the total is kept), and the same of one
    # other district, of which D2 has the smaller counts.
    assert hidden == {(area, sex) for area in ("D1", "D2") for sex in ("Men", "Women")}
    for row in shown:
        marked = (row["area_code"], row["sex"]) in hidden
        assert (row["status"] == "[c]") == marked
        assert (row["percent"] is None) == (marked or row["sex"] == "All")
    assert verdict.safe


def test_the_attack_names_what_an_unhidden_cell_gives_away_without_a_value() -> None:
    _, verdict = shown_and_judged({("D1", "Men"): 30})
    assert "people D1 Women" in {finding.key for finding in verdict.findings}
    assert not any(digit in finding.fault for finding in verdict.findings for digit in "0123456789")


def test_a_small_count_that_was_never_hidden_is_found() -> None:
    _, verdict = shown_and_judged({("D1", "Women"): 3, ("D1", "Men"): 30})
    assert Finding("people D1 Women", "it is printed as it is") in verdict.findings


def test_two_tables_must_agree_about_a_count() -> None:
    other = [{**row, "people": row["people"] + 1} for row in known()[:1]]
    with pytest.raises(DisclosureError, match="print different counts of one thing: people D1"):
        assembled(
            {NAME: known(), "reports.other": other}, {NAME: DECLARED, "reports.other": DECLARED}
        )


def test_a_count_beyond_what_it_is_within_is_refused() -> None:
    declared = Declaration.model_validate(
        {
            "counts": [
                {"column": "base", "cell": "asked {area_code}"},
                {"column": "need", "cell": "need {area_code}", "within": ["asked {area_code}"]},
            ]
        }
    )
    row = {"area_code": "D1", "base": 7, "need": 5, "status": None, "force_code": None}
    made = assembled({NAME: [row]}, {NAME: declared})
    assert made.cells["need D1 short of asked D1"].value == 2
    assert not made.cells["need D1 short of asked D1"].printed
    with pytest.raises(DisclosureError, match="need D1 counts more than asked D1"):
        assembled({NAME: [{**row, "need": 8}]}, {NAME: declared})


def test_weighted_totals_and_parts_that_are_not_printed() -> None:
    declared = Declaration.model_validate(
        {
            "counts": [
                {"column": "people", "where": {"needs": ["All"]}, "cell": "people"},
                {
                    "column": "people",
                    "unless": {"needs": ["All"]},
                    "cell": "people with {needs}",
                    "adds_to": [
                        {"cell": "people", "by": "number", "part": True},
                        {"cell": "needs", "by": "number", "times": "needs"},
                    ],
                },
            ]
        }
    )
    rows = [
        {"area_code": None, "needs": needs, "people": people, "status": None, "force_code": None}
        for needs, people in (("All", 20), ("1", 6), ("2", 5))
    ]
    made = assembled({NAME: rows}, {NAME: declared})
    assert made.cells["needs"].value == 16
    assert made.cells["people not printed by number"].value == 9


def test_a_released_row_that_was_revised_since_is_read_with_its_marks() -> None:
    shown, _ = shown_and_judged()
    for row in shown:
        row["status"] = " ".join(filter(None, (row["status"], "[r]")))
    told = printed_counts(shown, DECLARED, {})
    assert told["people D3 Women"] == 20
    assert "people D1 Women" not in told


# --- in the warehouse ------------------------------------------------------------------------


@pytest.fixture
def warehouse() -> Iterator[duckdb.DuckDBPyConnection]:
    """A warehouse with one small table of people."""
    with duckdb.connect() as connection:
        connection.execute(
            "create schema reports; create schema control; create schema intermediate; "
            "create table intermediate.int_areas__listed (area_code varchar, force_code varchar, "
            "partnership_code varchar, area_type varchar); "
            "create table reports.known (area_code varchar, sex varchar, people bigint, "
            "percent bigint, status varchar)"
        )
        connection.executemany(
            "insert into intermediate.int_areas__listed values (?, ?, null, 'district')",
            list(FORCES.forces.items()),
        )
        columns = ("area_code", "sex", "people", "percent", "status")
        connection.executemany(
            "insert into reports.known values (?, ?, ?, ?, ?)",
            [[row[name] for name in columns] for row in known()],
        )
        yield connection


def run(connection: duckdb.DuckDBPyConnection) -> Outcome:
    return disclose(connection, QUARTER, {NAME: DECLARED}, [])


def test_the_step_writes_what_may_be_shown_and_records_it(
    warehouse: duckdb.DuckDBPyConnection,
) -> None:
    outcome = run(warehouse)
    assert (outcome.cells, outcome.sensitive, outcome.hidden, outcome.findings) == (12, 1, 4, ())
    assert warehouse.execute(
        "select count(*) from protected.known where people is null and status = '[c]'"
    ).fetchall() == [(4,)]
    assert warehouse.execute(
        "select quarter, in_place, cells, hidden, findings from control.disclosure"
    ).fetchall() == [(QUARTER, True, 12, 4, 0)]


def test_a_choice_is_made_once_and_the_attack_every_time(
    warehouse: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []

    def counted(name: str, function: Any) -> Any:
        def called(*arguments: Any) -> Any:
            calls.append(name)
            return function(*arguments)

        return called

    monkeypatch.setattr(step, "protect", counted("protect", protect))
    monkeypatch.setattr(step, "examine", counted("examine", examine))
    first, second = run(warehouse), run(warehouse)
    assert calls == ["protect", "examine", "examine"]
    assert replace(first, seconds=0) == replace(second, seconds=0)
    warehouse.execute(
        "update reports.known set people = people + 1 "
        "where area_code in ('D3', 'F') and sex <> 'Women'"
    )
    run(warehouse)
    assert calls[3:] == ["protect", "examine"]


def test_what_the_step_forgets_to_hide_is_found(
    warehouse: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forgetful(
        name: str, rows: Sequence[Row], declared: Declaration, protection: Protection
    ) -> list[dict[str, Any]]:
        shown = protected_rows(name, rows, declared, protection)
        for row in shown:
            if (row["area_code"], row["sex"]) == ("D1", "Men"):
                row["people"] = 30
        return shown

    monkeypatch.setattr(step, "protected_rows", forgetful)
    assert "people D1 Women" in {finding.key for finding in run(warehouse).findings}


def test_what_the_attack_works_out_is_hidden_with_its_neighbours(
    warehouse: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    def sensitive_alone(made: Tables) -> Protection:
        dark = (key for key, cell in made.cells.items() if cell.sensitive and cell.printed)
        return Protection(made, frozenset(dark))

    monkeypatch.setattr(step, "protect", sensitive_alone)
    outcome = run(warehouse)
    assert outcome.findings == ()
    assert outcome.hidden_after_attack == outcome.hidden - outcome.sensitive > 0
    assert warehouse.execute(
        "select count(*) from protected.known where people is null and status = '[c]'"
    ).fetchall() == [(outcome.hidden,)]
    assert warehouse.execute(
        "select hidden, findings, hidden_after_attack from control.disclosure"
    ).fetchall() == [(outcome.hidden, 0, outcome.hidden_after_attack)]


OTHER, THIRD = "reports.other", "reports.third"
APART = DECLARED.model_copy(
    update={
        "counts": tuple(
            count.model_copy(
                update={
                    "cell": f"third {count.cell}",
                    "adds_to": tuple(
                        whole.model_copy(update={"cell": f"third {whole.cell}"})
                        for whole in count.adds_to
                    ),
                    "shares": (),
                }
            )
            for count in DECLARED.counts
        )
    }
)


def test_tables_of_a_count_that_nothing_protects_are_withheld_and_the_rest_is_not(
    warehouse: duckdb.DuckDBPyConnection,
) -> None:
    warehouse.execute(
        "create table reports.third as from reports.known; "
        "create table reports.other as select * replace (people + 1 as people) "
        "from reports.known where area_code = 'D2' and sex = 'All'"
    )
    declared = {NAME: DECLARED, OTHER: DECLARED, THIRD: APART}
    outcome = disclose(warehouse, QUARTER, declared, [])
    assert outcome.findings == ()
    assert set(outcome.withheld) == {NAME, OTHER}
    assert (outcome.tables, outcome.hidden) == (1, 4)
    assert warehouse.execute(
        "select (select count(*) from protected.known), (select count(*) from protected.other), "
        "(select count(*) from protected.third where people is null and status = '[c]')"
    ).fetchall() == [(0, 0, 4)]
    assert warehouse.execute(
        "select table_name from control.withheld_tables where quarter = ? order by all", [QUARTER]
    ).fetchall() == [(NAME,), (OTHER,)]


def test_a_table_that_cannot_be_protected_is_tried_once(
    warehouse: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    warehouse.execute("create table reports.third as from reports.known")
    tried: list[int] = []

    def refusing(made: Tables) -> Protection:
        tried.append(len(made.cells))
        if "people D1 Women" in made.cells:
            raise UnpublishableCountError("No way.", "people D1 Women")
        return protect(made)

    monkeypatch.setattr(step, "protect", refusing)
    declared = {NAME: DECLARED, THIRD: APART}
    for _ in range(2):
        assert set(disclose(warehouse, QUARTER, declared, []).withheld) == {NAME}
    assert len(tried) == 2
    monkeypatch.setattr(step, "protect", protect)
    warehouse.execute("update reports.known set status = '[b]'")
    warehouse.execute("delete from control.hiding_choices")
    assert disclose(warehouse, QUARTER, declared, []).withheld == {}
    assert warehouse.execute("select count(*) from control.withheld_tables").fetchall() == [(0,)]


def test_what_the_attack_works_out_whatever_is_hidden_is_withheld(
    warehouse: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    def always_found(*arguments: Any) -> Verdict:
        verdict = examine(*arguments)
        if "people D1 Women" not in arguments[0].tables.cells:
            return verdict
        return replace(verdict, findings=(Finding("people D1 Women", "found"),))

    warehouse.execute("create table reports.third as from reports.known")
    monkeypatch.setattr(step, "examine", always_found)
    outcome = disclose(warehouse, QUARTER, {NAME: DECLARED, THIRD: APART}, [])
    assert (outcome.findings, set(outcome.withheld)) == ((), {NAME})


# --- beside earlier builds -------------------------------------------------------------------


def published_file(connection: duckdb.DuckDBPyConnection, path: Path) -> PublishedRelease:
    """Publish what schema protected holds, with [r] as a release adds it, and only that."""
    path.parent.mkdir(parents=True)
    connection.execute(f"attach '{path}' as out; create schema out.reports")
    connection.execute(
        "create table out.reports.known as select * replace "
        "(case when area_code = 'D3' then concat_ws(' ', status, '[r]') else status end as status) "
        "from protected.known"
    )
    connection.execute("detach out")
    return PublishedRelease(QUARTER, datetime(2018, 7, 1), 1, False, "0" * 64, path, True)


def test_what_a_replaced_build_hid_is_known_to_the_next_one(
    warehouse: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    run(warehouse)
    release = published_file(warehouse, tmp_path / "1" / "csp.duckdb")
    warehouse.execute(
        "update reports.known set people = people + 1 "
        "where area_code in ('D2', 'F') and sex in ('Women', 'All')"
    )
    outcome = disclose(warehouse, QUARTER, {NAME: DECLARED}, [release])
    assert (outcome.findings, outcome.withheld, outcome.still_readable) == ((), {}, 0)
    models, unknown = models_of(warehouse, [release])
    assert unknown == []
    made = with_releases(assembled({NAME: known()}, {NAME: DECLARED}), models)
    women, before = made.cells["people D1 Women"], models[0].counts["people D1 Women"]
    assert (before.shown, before.marked, women.marked_before, women.fixed) == (
        False, True, True, False,
    )  # fmt: skip
    assert made.cells["people D1"].fixed
    later = [
        {**row, "people": row["people"] + (row["area_code"] in ("D2", "F"))}
        for row in known()
        if row["sex"] != "Men"
    ]
    men = [row for row in known() if row["sex"] == "Men"]
    revised = with_releases(assembled({NAME: [*later, *men]}, {NAME: DECLARED}), models)
    old = revised.cells["people D2 Women (before 1)"]
    assert (old.value, old.printed, old.marked_before, old.fixed) == (12, False, True, False)
    assert revised.cells["people D2 (before 1)"].fixed
    named = {key for relation in revised.relations for key, _ in relation.terms}
    assert {"people D2 Women", "people D2 Women (before 1)"} <= named


def test_a_build_without_a_model_binds_by_what_it_prints(
    warehouse: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    run(warehouse)
    release = published_file(warehouse, tmp_path / "1" / "csp.duckdb")
    warehouse.execute("delete from control.published_counts")
    _, unknown = models_of(warehouse, [release])
    assert unknown == [release]
    # Made by a version whose table had a column less.
    with duckdb.connect(release.path) as connection:
        connection.execute("alter table reports.known drop column percent")
    assert run_beside(warehouse, release).findings == ()


def test_a_threshold_that_is_raised_holds_from_then_on(
    warehouse: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    run(warehouse)
    release = published_file(warehouse, tmp_path / "1" / "csp.duckdb")
    raised = DECLARED.model_copy(update={"threshold": 25})
    outcome = disclose(warehouse, QUARTER, {NAME: raised}, [release])
    assert (outcome.findings, outcome.withheld) == ((), {})
    # The women of D3 were printed, and so those of D1 and D2 are known to be 15 together: fewer
    # than 25 each. No release takes that back; more than that must not follow.
    assert outcome.still_readable == 3
    hidden = {("D1", "Men"), ("D1", "Women"), ("D2", "Men"), ("D2", "Women"), ("D3", "Women")}
    assert (
        set(
            warehouse.execute(
                "select area_code, sex from protected.known where people is null and status = '[c]'"
            ).fetchall()
        )
        == hidden
    )


def run_beside(connection: duckdb.DuckDBPyConnection, release: PublishedRelease) -> Outcome:
    return disclose(connection, QUARTER, {NAME: DECLARED}, [release])


# --- at the gate -----------------------------------------------------------------------------

PEOPLE = PublishedTable(
    "reports",
    "known",
    "Known people",
    "A row for each area and sex.",
    "",
    "people",
    (
        PublishedColumn("area_code", "VARCHAR", "Area."),
        PublishedColumn("people", "BIGINT", "People."),
        PublishedColumn("status", "VARCHAR", "Marker."),
    ),
    ("area_code",),
    protected=True,
)


@pytest.mark.parametrize(
    ("in_place", "findings"), [(None, None), (False, 0), (True, 1)], ids=["none", "stale", "found"]
)
def test_tables_of_people_that_no_attack_has_passed_are_not_published(
    tmp_path: Path, in_place: bool | None, findings: int | None
) -> None:
    path = build_warehouse(tmp_path / "warehouse.duckdb")
    prepare_protected(path, in_place, findings)
    with pytest.raises(UnsafeTableError, match="has not passed"):
        build_release(path, tmp_path / "published", QUARTER, [PEOPLE], NOW)
    assert not list((tmp_path / "published").glob("*/csp.duckdb"))


def test_tables_of_people_are_taken_as_disclosure_control_left_them(tmp_path: Path) -> None:
    path = build_warehouse(tmp_path / "warehouse.duckdb")
    prepare_protected(path, True, 0)
    release = build_release(path, tmp_path / "published", QUARTER, [PEOPLE], NOW)
    with duckdb.connect(release.path, read_only=True) as connection:
        rows = connection.execute("select * from reports.known").fetchall()
    assert rows == [("D1", None, "[c]")]


def test_a_change_of_a_few_people_is_not_printed(tmp_path: Path) -> None:
    path = build_warehouse(tmp_path / "warehouse.duckdb")
    prepare_protected(path, True, 0)

    def publish(first: int, second: int) -> Path:
        with duckdb.connect(path) as connection:
            connection.execute(
                "create or replace table protected.known as from (values "
                "('D1', ?::bigint, null::varchar), ('D2', ?::bigint, null)) "
                "as rows (area_code, people, status)",
                [first, second],
            )
        return build_release(path, tmp_path / "published", QUARTER, [PEOPLE], NOW).path

    publish(13, 40)
    with duckdb.connect(publish(14, 60), read_only=True) as connection:
        rows = connection.execute(
            "select area_code, old, new, difference, new_status from main.changes "
            "where table_name = 'known' order by area_code"
        ).fetchall()
    assert rows == [("D1", None, None, None, "[c]"), ("D2", "40", "60", 20.0, None)]


def prepare_protected(path: Path, in_place: bool | None, findings: int | None) -> None:
    with duckdb.connect(path) as connection:
        connection.execute(
            "create schema if not exists protected; create schema if not exists reports; "
            "create table reports.known as select 'D1' as area_code, 3::bigint as people, "
            "null::varchar as status; "
            "create table protected.known as select 'D1' as area_code, null::bigint as people, "
            "'[c]' as status"
        )
        if in_place is not None:
            connection.execute(
                "insert into control.disclosure values "
                "(?, ?, 1, 1, 1, 1, 0, ?, null, 0, 0, 0, 0, 0, 0, 0)",
                [QUARTER, in_place, findings],
            )


# --- the sample ------------------------------------------------------------------------------


def judged(ground: Ground, plant: Mapping[str, int] | None = None) -> tuple[set[str], Verdict]:
    """Attack the published file of the sample; ``plant`` makes a hidden count known.

    The truth comes from the warehouse, what is hidden from the file, nothing from the protection.
    """
    manifest = json.loads((ground.settings.home / "dbt/target/manifest.json").read_text())
    declared = declarations(manifest)
    forces = Wholes(
        dict(ground.query("select district_code, force_code from control.partnership_areas"))
    )

    def rows(path: Path, name: str) -> list[Row]:
        with duckdb.connect(path, read_only=True) as connection:
            found = connection.sql(f"select * from {name}").to_arrow_table().to_pylist()
        return [with_wholes(row, forces) for row in found]

    truth = {name: rows(ground.settings.warehouse, name) for name in declared}
    written = {name: rows(ground.settings.published / "csp.duckdb", name) for name in declared}
    made = assembled(truth, declared)
    labels = {name: ordinary_labels(truth[name], one) for name, one in declared.items()}
    told: dict[str, int] = {}
    for name, one in declared.items():
        told |= printed_counts(written[name], one, labels[name])
    hidden = {key for key, cell in made.cells.items() if cell.printed} - told.keys()
    published = as_written(written, declared, made, labels)
    bounds = dict(published.bounds) | {key: (value, value) for key, value in (plant or {}).items()}
    asked = tuple(key for key in published.asked if key not in (plant or {}))
    seen = replace(published, bounds=bounds, asked=asked)
    return hidden, examine(Protection(made, frozenset(hidden)), seen)


@pytest.mark.slow
def test_nothing_hidden_in_the_sample_can_be_worked_out(sample: Ground) -> None:
    hidden, verdict = judged(sample)
    assert len(hidden) > 50
    assert verdict.findings == ()
    # Two hidden categories of a district's ethnicity add up to what is known: one gives the other.
    ethnicity = "offenders 2017-04-01 E07000010 Ethnicity "
    one, other = sorted(key for key in hidden if key.startswith(ethnicity))
    value = sample.value(
        "select offenders from reports.figure_2_offender_profile where area_code = 'E07000010' "
        "and period_start = '2017-04-01' and dimension = 'Ethnicity' "
        f"and category = '{one.removeprefix(ethnicity)}'"
    )
    _, spoilt = judged(sample, {one: value})
    assert Finding(other, "it can be worked out exactly") in spoilt.findings


@pytest.mark.slow
def test_a_finding_stops_the_refresh_before_it_publishes(
    sample: Ground, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "var"
    shutil.copytree(sample.settings.home, home, ignore=shutil.ignore_patterns("dagster"))
    monkeypatch.setenv("CSP_HOME", str(home))
    monkeypatch.setenv("CSP_RAW", str(PROJECT / "raw"))
    before = read_release(home / "published/csp.duckdb").identity

    def found(*arguments: Any, **options: Any) -> Outcome:
        finding = Finding("people D1 Women", "it can be worked out exactly")
        return Outcome(1, 12, 1, 4, 0, (finding,), 0, 50, 0.0, 0.1, 0)

    monkeypatch.setattr(step, "disclose", found)
    console = new_console(record=True, width=200)
    settings = sample.settings.__class__(home=home, raw=PROJECT / "raw")
    assert run_refresh(settings, date(2018, 4, 1), console) is ExitCode.DISCLOSURE
    said = console.export_text()
    assert "people D1 Women: it can be worked out exactly" in said
    assert "Nothing was published" in said
    assert read_release(home / "published/csp.duckdb").identity == before


def test_a_cell_that_is_hidden_for_its_neighbours_says_so_itself() -> None:
    """A share of those known is hidden throughout where one count is; its row's status is not."""
    declared = Declaration.model_validate(
        {
            "counts": [
                {"column": "people", "cell": "people {area_code} {sex}", "areas": "exact",
                 "hides": ["percent"]},
            ],
            "together": [{"columns": ["percent"], "by": ["area_code"]}],
        }
    )  # fmt: skip
    rows = [
        {"area_code": "D1", "sex": sex, "people": people, "percent": percent,
         "percent_status": None if percent else "[z]", "status": None}
        for sex, people, percent in (("F", 2, 10), ("M", 18, 90), ("Not known", 5, None))
    ]  # fmt: skip
    hidden = Protection(Tables({}, ()), frozenset({"people D1 F"}))
    shown = protected_rows(NAME, rows, declared, hidden)
    assert [(row["percent"], row["percent_status"], row["status"]) for row in shown] == [
        (None, "[c]", "[c]"),
        (None, "[c]", None),
        (None, "[z]", None),
    ]
