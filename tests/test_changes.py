"""What moved between releases, why, and what is marked as revised."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from io import StringIO
from pathlib import Path
from typing import Any

import duckdb
import pytest

from orchestration.cli.console import new_console
from orchestration.cli.refresh_changes import numbers_changed, print_changes
from orchestration.config.quarters import quarter_end
from orchestration.publish import PublishedColumn, PublishedTable, Release, SourceDescription
from orchestration.publish import build_release as build
from orchestration.publish.revision_causes import Context, Evidence, Shift, cause_of
from orchestration.warehouse.control_schema import CONTROL_SCHEMA
from tests.release_fixtures import NOW
from tests.support import Ground

STREET, POPULATION = "police_uk_street", "population_estimates"
Q1, Q2, Q3 = date(2018, 4, 1), date(2018, 7, 1), date(2018, 10, 1)
FORCE = "Cambridgeshire Constabulary"
CREDITS = {
    STREET: SourceDescription(cadence="quarterly"),
    POPULATION: SourceDescription(cadence="annual"),
}
OFFENCES = PublishedTable(
    "marts",
    "offences",
    "Offences",
    "One row a month.",
    "",
    "offences",
    tuple(
        PublishedColumn(name, kind, f"The {name}.")
        for name, kind in {
            "area_code": "VARCHAR",
            "area_name": "VARCHAR",
            "month": "DATE",
            "offences": "BIGINT",
            "rate": "DOUBLE",
            "centre": "DOUBLE",
            "status": "VARCHAR",
            "deliveries": "VARCHAR",
        }.items()
    ),
    ("area_code", "month"),
    ("centre",),
    "method one",
)
TRACED = replace(
    OFFENCES,
    sources=frozenset({STREET, POPULATION, "area_lookups"}),
    column_sources={
        "offences": frozenset({STREET}),
        "rate": frozenset({STREET, POPULATION}),
        "centre": frozenset({STREET}),
    },
    months_behind={"offences": 0},
    carried={POPULATION: 2},
)
"""The same with what is known of its columns: the rate is of the count and a population."""


def delivered(quarter: date, version: int = 1, source: str = STREET) -> str:
    return f"{source} {quarter} v{version}"


FIRST, SECOND, THIRD = (delivered(quarter) for quarter in (Q1, Q2, Q3))


def day(text: str) -> date:
    return date.fromisoformat(f"{text}-01")


Row = tuple[str, int | None, float | None, float | None, str | None, str | None]
"""Month, offences, rate, centre, status, deliveries."""


class Publishing:
    """A warehouse of one table, published as at one quarter after another."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def publish(
        self,
        quarter: date,
        rows: Sequence[Row],
        *,
        in_force: dict[str, str] | None = None,
        table: PublishedTable = OFFENCES,
        corrections: str = "",
    ) -> Release:
        """Publish ``rows``; ``in_force`` says which delivery is in force for a month or day.

        Where it is left out, the rows' first deliveries are.
        """
        path = self.folder / "warehouse.duckdb"
        path.unlink(missing_ok=True)
        speaks = in_force or {row[0]: row[5].split(";")[0] for row in rows if row[5]}
        with duckdb.connect(path) as connection:
            connection.execute(CONTROL_SCHEMA.read_text())
            connection.execute(
                "insert into control.refresh values (?, ?)", [quarter, quarter_end(quarter)]
            )
            for number, delivery in enumerate(sorted(set(speaks.values())), start=1):
                source, when, version = delivery.split()
                connection.execute(
                    "insert into control.deliveries values (?, ?, ?, ?, 'loaded', 'real', null, "
                    "'x', null, timestamp '2018-08-01', 1, 1, 0, null)",
                    [number, source, when, int(version[1:])],
                )
                connection.execute(
                    "insert into control.files values (?, ?, 'a.csv', 1, 'x', 1, 1, 1, 0)",
                    [number, number],
                )
                for period in (one for one, said in speaks.items() if said == delivery):
                    month = date.fromisoformat(period) if period.count("-") > 1 else day(period)
                    connection.execute(
                        "insert into control.in_force values "
                        "(?, ?, ?, ?, ?, ?, 'real', ?, ?, ?, 'covers', 1)",
                        [
                            source,
                            FORCE,
                            month,
                            number,
                            when,
                            int(version[1:]),
                            delivery,
                            FORCE,
                            FORCE,
                        ],
                    )
            if corrections:
                connection.execute(
                    "insert into control.corrections_applied values (1, ?, ?, 1, null, '{}', "
                    "'lsoa_code', 'a', 'b', 1, 'applied', ?, 'x', 'x', date '2018-08-01')",
                    [STREET, Q1, corrections],
                )
            columns = ", ".join(f"{one.name} {one.data_type}" for one in table.columns)
            connection.execute(f"create schema marts; create table marts.offences ({columns})")
            for named, *values in rows:
                connection.execute(
                    "insert into marts.offences values ('E07000010', 'Fenland', ?, ?, ?, ?, ?, ?)",
                    [day(named), *values],
                )
        return build(path, self.folder / "published", quarter, [table], NOW, credits=CREDITS)


@pytest.fixture
def publishing(tmp_path: Path) -> Publishing:
    return Publishing(tmp_path)


def ask(release: Release, query: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(":memory:") as connection:
        connection.execute(f"attach '{release.path}' as csp (read_only); use csp")
        return connection.execute(query).fetchall()


def changes(release: Release, compared_with: str = "previous quarter") -> list[tuple[Any, ...]]:
    return ask(
        release,
        "select strftime(json_extract_string(key_json, '$.month')::date, '%Y-%m'), measure, "
        f"old, new, kind, cause from changes where compared_with = '{compared_with}' order by all",
    )


def statuses(release: Release) -> list[str | None]:
    return [one for (one,) in ask(release, "select status from marts.offences order by month")]


JUNE: Row = ("2018-06", 20, 2.0, 15.0, None, FIRST)
MAY: Row = ("2018-05", 10, 1.0, 15.0, None, FIRST)


def test_first_release_has_nothing_to_compare_with(publishing: Publishing) -> None:
    release = publishing.publish(Q1, [MAY, JUNE])
    assert changes(release) == []
    described = ask(release, "select count(*) from data_dictionary where table_name = 'changes'")
    assert described == [(16,)]


def test_revised_delivery_names_what_replaces_what_and_marks_the_row(
    publishing: Publishing,
) -> None:
    publishing.publish(Q1, [MAY, JUNE])
    release = publishing.publish(
        Q2,
        [MAY, ("2018-06", 23, 2.3, 15.0, "[p]", SECOND), ("2018-07", 7, 0.7, 15.0, None, SECOND)],
    )
    cause = f"{SECOND} replaces 2018-04-01 v1 for 2018-06"
    assert changes(release) == [
        ("2018-06", "offences", "20", "23", "revised delivery", cause),
        ("2018-06", "rate", "2.0", "2.3", "revised delivery", cause),
        ("2018-06", "status", None, "[p]", "revised delivery", cause),
        ("2018-07", "centre", None, "15.0", "new period", f"{SECOND} brings 2018-07"),
        ("2018-07", "offences", None, "7", "new period", f"{SECOND} brings 2018-07"),
        ("2018-07", "rate", None, "0.7", "new period", f"{SECOND} brings 2018-07"),
    ]
    assert statuses(release) == [None, "[p] [r]", None]
    assert ask(release, "select key, difference, compared_quarter from changes "
               "where measure = 'offences' and old is not null") == [
        ("Fenland; 2018-06-01", 3.0, Q1)
    ]  # fmt: skip


def test_mark_is_of_the_quarter_before_and_does_not_last(publishing: Publishing) -> None:
    publishing.publish(Q1, [JUNE])
    revised: Row = ("2018-06", 23, 2.0, 15.0, None, SECOND)
    assert statuses(publishing.publish(Q2, [revised])) == ["[r]"]
    third = publishing.publish(Q3, [revised])
    assert statuses(third) == [None] and changes(third) == []


def test_late_arrival_is_no_new_period_and_no_revision(
    publishing: Publishing,
) -> None:
    publishing.publish(Q1, [MAY, ("2018-06", None, None, None, "[x]", None)])
    release = publishing.publish(Q2, [MAY, ("2018-06", 20, 2.0, 15.0, None, SECOND)])
    assert {row[4:] for row in changes(release)} == {("late arrival", f"{SECOND} brings 2018-06")}
    assert statuses(release) == [None, None]


def test_limits_that_move_because_the_series_grew_are_no_revision(publishing: Publishing) -> None:
    publishing.publish(Q1, [JUNE])
    release = publishing.publish(
        Q2, [("2018-06", 20, 2.0, 13.5, None, FIRST), ("2018-07", 7, 0.7, 13.5, None, SECOND)]
    )
    assert changes(release)[0][:5] == ("2018-06", "centre", "15.0", "13.5", "series recalculated")
    assert statuses(release) == [None, None]


def test_limit_of_a_month_that_was_sent_again_unchanged_is_no_revision(
    publishing: Publishing,
) -> None:
    publishing.publish(Q1, [JUNE])
    release = publishing.publish(Q2, [("2018-06", 20, 2.0, 13.5, None, SECOND)])
    ((_, measure, *_, kind, cause),) = changes(release)
    assert (measure, kind) == ("centre", "series recalculated")
    assert f"{SECOND} replaces 2018-04-01 v1 for 2018-06" in cause
    assert statuses(release) == [None]


def test_other_method_is_reported_where_the_deliveries_are_the_same(publishing: Publishing) -> None:
    publishing.publish(Q1, [MAY, JUNE])
    release = publishing.publish(
        Q2,
        [MAY, ("2018-06", 20, 2.2, 15.0, None, FIRST)],
        table=replace(OFFENCES, method_digest="method two"),
    )
    ((*_, kind, cause),) = changes(release)
    assert kind == "method change" and "computed in another way" in cause
    assert statuses(release) == [None, "[r]"]


def test_same_method_and_deliveries_are_not_explained_away(publishing: Publishing) -> None:
    publishing.publish(Q1, [JUNE])
    release = publishing.publish(Q2, [("2018-06", 21, 2.0, 15.0, None, FIRST)])
    assert [row[4] for row in changes(release)] == ["not explained"]
    assert statuses(release) == ["[r]"]


def test_correction_is_reported_with_its_reason(publishing: Publishing) -> None:
    publishing.publish(Q1, [JUNE])
    release = publishing.publish(
        Q2, [("2018-06", 21, 2.0, 15.0, None, FIRST)], corrections="Counted under the wrong town."
    )
    ((*_, kind, cause),) = changes(release)
    assert kind == "correction" and "Counted under the wrong town." in cause


def test_row_that_goes_is_reported(publishing: Publishing) -> None:
    publishing.publish(Q1, [MAY, JUNE])
    release = publishing.publish(Q2, [MAY])
    rows = changes(release)
    assert {(row[0], row[3], row[4]) for row in rows} == {("2018-06", None, "row withdrawn")}
    assert rows[0][5] == f"{FIRST} is no longer in force for 2018-06"


@pytest.mark.parametrize("hidden_first", [True, False])
def test_hidden_value_is_not_sent_by_its_change(publishing: Publishing, hidden_first: bool) -> None:
    hidden: Row = ("2018-06", None, None, 15.0, "[c]", FIRST)
    first, second = (hidden, JUNE) if hidden_first else (JUNE, hidden)
    publishing.publish(Q1, [first])
    release = publishing.publish(Q2, [second])
    rows = ask(
        release, "select measure, old, new, difference, kind, old_status, new_status from changes"
    )
    marks = ("[c]", None) if hidden_first else (None, "[c]")
    assert sorted(rows) == [
        ("offences", None, None, None, "suppression changed", *marks),
        ("rate", None, None, None, "suppression changed", *marks),
    ]
    assert "[r]" not in str(statuses(release))


def test_value_hidden_in_both_or_gone_while_hidden_says_no_number(publishing: Publishing) -> None:
    publishing.publish(
        Q1,
        [("2018-05", None, None, None, "[c]", FIRST), ("2018-06", None, 1.0, None, "[c]", FIRST)],
    )
    release = publishing.publish(Q2, [("2018-05", None, None, None, "[c]", SECOND)])
    rows = [row for row in changes(release) if row[1] != "rate"]
    assert all(row[2] is None and row[3] is None for row in rows)
    assert {row[0] for row in rows} == {"2018-06"}


def test_difference_of_rounding_is_none(publishing: Publishing) -> None:
    publishing.publish(Q1, [("2018-06", 20, 0.3, 15.0, None, FIRST)])
    release = publishing.publish(Q2, [("2018-06", 20, 0.1 + 0.2, 15.0, None, FIRST)])
    assert changes(release) == []


def test_quarter_built_anew_is_compared_with_the_build_that_it_replaces(
    publishing: Publishing,
) -> None:
    publishing.publish(Q1, [MAY])
    publishing.publish(Q2, [MAY, ("2018-07", 7, 0.7, 1.0, None, SECOND)])
    second = delivered(Q2, 2)
    rows: list[Row] = [MAY, ("2018-07", 9, 0.9, 1.0, None, second)]
    release = publishing.publish(Q2, rows)
    cause = f"{second} replaces 2018-07-01 v1 for 2018-07"
    told = changes(release, "replaced build")
    assert [row[1:] for row in told] == [
        ("offences", "7", "9", "revised delivery", cause),
        ("rate", "0.7", "0.9", "revised delivery", cause),
    ]
    # Nobody saw the build of this quarter as an earlier quarter's: it is not marked.
    assert statuses(release) == [None, None]
    before = release.path.read_bytes()
    again = publishing.publish(Q2, rows)
    assert not again.changed and again.path.read_bytes() == before
    assert changes(again, "replaced build") == told


def test_refresh_ends_with_what_changed_in_the_numbers(publishing: Publishing) -> None:
    first = publishing.publish(Q1, [MAY, JUNE])
    assert numbers_changed(first.path).compared_with is None
    revised: Row = ("2018-06", 1520, 15.2, 15.0, None, SECOND)
    rows: list[Row] = [MAY, revised, ("2018-07", 9, 0.9, 15.0, None, SECOND)]
    release = publishing.publish(Q2, rows)
    changed = numbers_changed(release.path)
    assert (changed.compared_with, changed.compared_quarter) == ("previous quarter", Q1)
    by_kind = {one.kind: (one.figures, one.tables) for one in changed.kinds}
    assert by_kind["revised delivery"] == (2, 1)
    (largest,) = changed.largest
    assert (largest.key, largest.measure, largest.old, largest.new) == (
        "Fenland; 2018-06-01", "offences", "20", "1520",
    )  # fmt: skip
    said = StringIO()
    print_changes(changed, new_console(file=said, width=200))
    assert "What changed beside the release of Q1 2018/19:" in said.getvalue()
    assert "revised delivery: 2 figures in 1 table" in said.getvalue()
    assert "Offences, Fenland; 2018-06-01, offences: 20 → 1,520 (" in said.getvalue()


def test_build_that_replaces_another_is_compared_with_that_one(publishing: Publishing) -> None:
    publishing.publish(Q1, [MAY])
    publishing.publish(Q2, [MAY, ("2018-07", 7, 0.7, 1.0, None, SECOND)])
    rows: list[Row] = [MAY, ("2018-07", 9, 0.9, 1.0, None, delivered(Q2, 2))]
    changed = numbers_changed(publishing.publish(Q2, rows).path)
    assert changed.compared_with == "replaced build"
    assert [(one.kind, one.figures) for one in changed.kinds] == [("revised delivery", 2)]


def test_older_quarter_is_compared_with_what_came_before_it(publishing: Publishing) -> None:
    publishing.publish(Q1, [MAY])
    publishing.publish(Q3, [MAY, ("2018-07", 7, 0.7, 15.0, None, SECOND)])
    release = publishing.publish(Q2, [MAY])
    assert changes(release) == []
    assert release.is_current is False


# --- each figure has its own cause ----------------------------------------------------------------

ESTIMATES = delivered(Q1, source=POPULATION)
BOTH = f"{FIRST}; {ESTIMATES}"


def test_correction_of_one_month_is_not_the_cause_of_another_months_rate(
    publishing: Publishing,
) -> None:
    """June is sent again while the mid-year of 2018, in a delivery of before, comes into force."""
    before = {"2018-05": FIRST, "2018-06": FIRST, "2017-06-30": ESTIMATES}
    publishing.publish(
        Q1,
        [("2018-05", 10, 1.0, 15.0, None, BOTH), ("2018-06", 20, 2.0, 15.0, None, BOTH)],
        in_force=before,
        table=TRACED,
    )
    release = publishing.publish(
        Q2,
        [
            ("2018-05", 10, 0.9, 16.0, None, BOTH),
            ("2018-06", 23, 2.1, 16.0, None, f"{SECOND}; {ESTIMATES}"),
        ],
        in_force={**before, "2018-06": SECOND, "2018-06-30": ESTIMATES},
        table=TRACED,
    )
    june = f"{SECOND} replaces 2018-04-01 v1 for 2018-06"
    estimate = f"{ESTIMATES} brings 2018-06-30"
    series = f"Computed from the whole series, which has changed: {june}"
    assert changes(release) == [
        ("2018-05", "centre", "15.0", "16.0", "series recalculated", series),
        ("2018-05", "rate", "1.0", "0.9", "new population estimate", estimate),
        ("2018-06", "centre", "15.0", "16.0", "series recalculated", series),
        ("2018-06", "offences", "20", "23", "revised delivery", june),
        ("2018-06", "rate", "2.0", "2.1", "revised delivery", f"{june}; {estimate}"),
    ]
    # Only June's own delivery was replaced.
    assert statuses(release) == [None, "[r]"]


def test_estimate_of_a_later_delivery_is_no_revision_but_a_restated_one_is(
    publishing: Publishing,
) -> None:
    newer = delivered(Q2, source=POPULATION)
    row: Row = ("2018-06", 20, 2.0, 15.0, "[p]", BOTH)
    before = {"2018-06": FIRST, "2017-06-30": ESTIMATES}
    publishing.publish(Q1, [row], in_force=before, table=TRACED)
    now: Row = ("2018-06", 20, 1.9, 15.0, None, f"{FIRST}; {newer}")
    # All years of the newer delivery are in force; the figure used 2017 and uses 2018.
    force = {"2018-06": FIRST, "2017-06-30": newer, "2018-06-30": newer}
    release = publishing.publish(Q2, [now], in_force=force, table=TRACED)
    assert {row[4:] for row in changes(release)} == {
        ("new population estimate", f"{newer} brings 2018-06-30")
    }
    assert statuses(release) == [None]
    restated = delivered(Q3, source=POPULATION)
    third = publishing.publish(
        Q3,
        [("2018-06", 20, 1.8, 15.0, None, f"{FIRST}; {restated}")],
        in_force={**force, "2018-06-30": restated},
        table=TRACED,
    )
    assert [row[4:] for row in changes(third)] == [
        ("revised delivery", f"{restated} replaces 2018-07-01 v1 for 2018-06-30")
    ]
    assert statuses(third) == ["[r]"]


def test_known_error_that_is_corrected_is_no_cause_of_a_figure_that_kept_its_count(
    publishing: Publishing,
) -> None:
    force = {"2018-05": FIRST, "2018-06": FIRST, "2017-06-30": ESTIMATES}
    rows: list[Row] = [
        ("2018-05", 10, 1.0, 15.0, None, BOTH),
        ("2018-06", 20, 2.0, 15.0, None, BOTH),
    ]
    publishing.publish(Q1, rows, in_force=force, table=TRACED)
    release = publishing.publish(
        Q2,
        [("2018-05", 10, 0.9, 15.0, None, BOTH), ("2018-06", 21, 1.9, 15.0, None, BOTH)],
        in_force={**force, "2018-06-30": ESTIMATES},
        table=TRACED,
        corrections="Counted under the wrong town.",
    )
    kinds = {(row[0], row[1]): row[4] for row in changes(release)}
    assert kinds == {
        ("2018-05", "rate"): "new population estimate",
        ("2018-06", "offences"): "correction",
        ("2018-06", "rate"): "correction",
    }
    assert statuses(release) == [None, "[r]"]


def test_month_out_of_a_figures_reach_is_not_its_cause(publishing: Publishing) -> None:
    publishing.publish(Q1, [MAY, JUNE], table=TRACED)
    release = publishing.publish(
        Q2,
        [("2018-05", 11, 1.0, 15.0, None, FIRST), ("2018-06", 20, 2.0, 15.0, None, SECOND)],
        in_force={"2018-05": FIRST, "2018-06": SECOND},
        table=TRACED,
    )
    assert [row[4] for row in changes(release)] == ["not explained"]


# --- causes ---------------------------------------------------------------------------------------

EVIDENCE = Evidence((), (), date(2018, 6, 30), {POPULATION: date(2016, 6, 30)},
                    {STREET: "quarterly", POPULATION: "annual"}, frozenset(), {})  # fmt: skip


def context(old: str = "", new: str = "", **other: Any) -> Context:
    given: dict[str, Any] = {
        "table": "marts.offences",
        "presence": "changed",
        "hidden": False,
        "missing": False,
        "follows_series": False,
        "old_deliveries": frozenset(filter(None, old.split("; "))),
        "new_deliveries": frozenset(filter(None, new.split("; "))),
        "period_start": date(2017, 5, 1),
        "period_end": date(2017, 5, 31),
    }
    return Context(**(given | other))


def test_rolling_sum_is_revised_by_a_month_within_it() -> None:
    shift = Shift(STREET, date(2016, 9, 1), FIRST, SECOND)
    evidence = replace(EVIDENCE, shifts=(shift,))
    assert cause_of(context(FIRST, FIRST, months_behind=7), evidence).kind == "not explained"
    cause = cause_of(context(FIRST, FIRST, months_behind=8), evidence)
    assert (cause.kind, cause.words) == (
        "revised delivery",
        f"Computed from other periods: {SECOND} replaces 2018-04-01 v1 for 2016-09",
    )


def test_estimate_that_takes_the_place_of_an_older_years_is_a_cause_of_its_own() -> None:
    old, new = delivered(Q1, source=POPULATION), delivered(Q2, source=POPULATION)
    shift = Shift(POPULATION, date(2017, 6, 30), None, new)
    evidence = replace(EVIDENCE, shifts=(shift,), carried={POPULATION: 2})
    cause = cause_of(context(f"{FIRST}; {old}", f"{FIRST}; {new}"), evidence)
    assert (cause.kind, cause.words) == ("new population estimate", f"{new} brings 2017-06-30")


@pytest.mark.parametrize(
    ("period", "kind"), [("2017-06-30", "new period"), ("2015-06-30", "late arrival")]
)
def test_annual_table_is_late_only_for_a_year_before_its_last(period: str, kind: str) -> None:
    new = delivered(Q2, source=POPULATION)
    shift = Shift(POPULATION, date.fromisoformat(period), None, new)
    cause = cause_of(
        context(FIRST, f"{FIRST}; {new}", missing=True), replace(EVIDENCE, shifts=(shift,))
    )
    assert cause.kind == kind


def test_list_that_no_row_names_is_named_as_a_cause() -> None:
    shift = Shift("area_lookups", date(2018, 1, 1), None, "area_lookups 2018-07-01 v1")
    cause = cause_of(context(FIRST, FIRST), replace(EVIDENCE, unnamed=(shift,)))
    assert cause.kind == "revised delivery" and "area_lookups 2018-07-01 v1" in cause.words
    # A table that is not made from lookups has another cause, or none that is known.
    elsewhere = replace(
        EVIDENCE, unnamed=(shift,), behind={"marts.offences": frozenset({POPULATION})}
    )
    assert cause_of(context(FIRST, FIRST), elsewhere).kind == "not explained"


# --- the sample -----------------------------------------------------------------------------------


def test_sample_release_says_which_delivery_speaks_for_which_period(sample: Ground) -> None:
    with duckdb.connect(sample.settings.published / "csp.duckdb", read_only=True) as connection:
        ((months,),) = connection.execute(
            "select count(*) from deliveries_in_force where source = 'police_uk_street'"
        ).fetchall()
        methods = connection.execute(
            "select count(*), count(distinct method_digest) from method_digests"
        ).fetchall()
    assert months == sample.value(
        "select count(*) from control.in_force where source = 'police_uk_street'"
    )
    assert methods[0][0] == methods[0][1] > 5
