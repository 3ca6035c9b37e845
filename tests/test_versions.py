"""Versions of deliveries: what is kept, what takes effect, and which delivery is in force."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestration.config.quarters import quarter_end
from orchestration.ingest.loading.history import delivery_history
from orchestration.ingest.loading.in_force import resolve_in_force
from orchestration.warehouse.connection import connect
from orchestration.warehouse.control_schema import ensure_control
from tests.support import Ground, month_file, street_file, street_row

STREET = "police_uk_street"
QUARTERS = [date(2018, month, 1) for month in (1, 4, 7, 10)]
MONTHS = [date(2018, month, 1) for month in range(1, 13)]


# --- as at, against a reference written from the design's words ----------------------------------


@dataclass(frozen=True)
class Made:
    """A delivery as Hypothesis makes it: what it covers, by series and period."""

    source: str
    quarter: date
    version: int
    loaded: bool
    covers: frozenset[tuple[str, date]]


@st.composite
def deliveries(draw: st.DrawFn) -> list[Made]:
    made = []
    for source in ("one", "two"):
        for quarter in QUARTERS:
            for version in range(1, draw(st.integers(0, 3)) + 1):
                covers = draw(
                    st.frozensets(
                        st.tuples(st.sampled_from(["north", "south"]), st.sampled_from(MONTHS)),
                        max_size=6,
                    )
                )
                made.append(Made(source, quarter, version, draw(st.booleans()), covers))
    return draw(st.permutations(made))


def reference(made: list[Made], as_at: date) -> dict[tuple[str, str, date], tuple[date, int]]:
    """Which delivery is in force: latest version of each quarter, later quarters first."""
    speaks: dict[tuple[str, str, date], tuple[date, int]] = {}
    for quarter in sorted({one.quarter for one in made if one.quarter <= as_at}):
        for source in ("one", "two"):
            versions = [
                one
                for one in made
                if (one.source, one.quarter, one.loaded) == (source, quarter, True)
            ]
            if versions:
                latest = max(versions, key=lambda one: one.version)
                for series, period in latest.covers:
                    if period <= quarter_end(as_at):
                        speaks[source, series, period] = (quarter, latest.version)
    return speaks


@pytest.fixture(scope="module")
def control() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(":memory:") as connection:
        ensure_control(connection)
        yield connection


def fill(connection: duckdb.DuckDBPyConnection, made: list[Made]) -> None:
    numbered = list(enumerate(made, start=1))
    connection.execute("delete from control.deliveries; delete from control.coverage")
    connection.execute(
        "insert into control.deliveries select unnest($1), unnest($2), unnest($3), unnest($4), "
        "unnest($5), 'real', null, 'x', null, timestamp '2018-12-01', 1, 1, 0, null",
        [
            [number for number, _ in numbered],
            [one.source for one in made],
            [one.quarter for one in made],
            [one.version for one in made],
            ["loaded" if one.loaded else "refused" for one in made],
        ],
    )
    cells = [
        (one.source, series, period, number)
        for number, one in numbered
        if one.loaded
        for series, period in one.covers
    ]
    connection.execute(
        "insert into control.coverage "
        "select unnest($1), unnest($2), '', unnest($3::date[]), unnest($4::integer[]), 'covers', 1",
        [list(column) for column in zip(*cells, strict=True)] or [[], [], [], []],
    )


@settings(max_examples=25, deadline=None)
@given(made=deliveries(), as_at=st.sampled_from(QUARTERS))
def test_in_force_is_what_the_design_says(
    control: duckdb.DuckDBPyConnection, made: list[Made], as_at: date
) -> None:
    fill(control, made)
    resolve_in_force(control, as_at)
    found = control.execute(
        "select source, series, period, quarter, version from control.in_force"
    ).fetchall()
    assert {tuple(row[:3]): tuple(row[3:]) for row in found} == reference(made, as_at)


@settings(max_examples=10, deadline=None)
@given(made=deliveries(), as_at=st.sampled_from(QUARTERS[:-1]))
def test_what_comes_later_does_not_change_an_earlier_as_at(
    control: duckdb.DuckDBPyConnection, made: list[Made], as_at: date
) -> None:
    query = "select source, series, period, quarter, version from control.in_force order by all"
    fill(control, [one for one in made if one.quarter <= as_at])
    resolve_in_force(control, as_at)
    then = control.execute(query).fetchall()
    fill(control, made)
    resolve_in_force(control, QUARTERS[-1])
    resolve_in_force(control, as_at)
    assert control.execute(query).fetchall() == then


def reference_superseding(made: list[Made], one: Made) -> set[tuple[str, int, date, date]]:
    """Who took which of a delivery's periods: (delivery, how many, first, last)."""
    loaded = [other for other in made if other.source == one.source and other.loaded]
    later = [x for x in loaded if x.quarter == one.quarter and x.version > one.version]
    takes: dict[str, set[date]] = {}
    if one.loaded and later:
        follower = min(later, key=lambda x: x.version)
        takes[f"{one.quarter} v{follower.version}"] = {period for _, period in one.covers}
    elif one.loaded:
        latest = [
            max((x for x in loaded if x.quarter == quarter), key=lambda x: x.version)
            for quarter in sorted({x.quarter for x in loaded if x.quarter > one.quarter})
        ]
        for cell in one.covers:
            first = next((x for x in latest if cell in x.covers), None)
            if first:
                takes.setdefault(f"{first.quarter} v{first.version}", set()).add(cell[1])
    return {(name, len(days), min(days), max(days)) for name, days in takes.items() if days}


@settings(max_examples=12, deadline=None)
@given(made=deliveries())
def test_history_says_of_every_period_who_took_it(
    control: duckdb.DuckDBPyConnection, made: list[Made]
) -> None:
    fill(control, made)
    own = {(one.quarter, one.version): one for one in made if one.source == "one"}
    records = delivery_history(control, "one")
    assert {(record.quarter, record.version) for record in records} == own.keys()
    for record in records:
        said = {(one.delivery, one.periods, one.first, one.last) for one in record.superseded}
        assert said == reference_superseding(made, own[record.quarter, record.version])


# --- the landing zone and the raw table ----------------------------------------------------------


def versions(ground: Ground) -> list[tuple[object, ...]]:
    return ground.query(
        "select quarter::varchar, version, state, rows_loaded from control.deliveries "
        "order by quarter, version"
    )


def test_same_bytes_under_another_name_and_time_are_no_new_version(ground: Ground) -> None:
    folder = ground.put(STREET, "2018-04-01", {"a.csv": month_file()})
    ground.load(STREET)
    (folder / "a.csv").rename(folder / "b.csv")
    os.utime(folder / "b.csv", (1, 1))
    report = ground.load(STREET)
    assert report.unchanged == 1 and not report.outcomes
    assert versions(ground) == [("2018-04-01", 1, "loaded", 10)]


def test_corrected_delivery_is_the_next_version_and_the_first_stays(ground: Ground) -> None:
    ground.put(STREET, "2018-04-01", {"a.csv": month_file(rows=10)})
    ground.load(STREET)
    ground.put(STREET, "2018-04-01", {"a.csv": month_file(rows=12)})
    ground.load(STREET)
    ground.resolve()
    assert versions(ground) == [("2018-04-01", 1, "loaded", 10), ("2018-04-01", 2, "loaded", 12)]
    assert ground.value("select count(*) from raw.police_uk_street") == 22
    assert ground.query("select version from control.in_force") == [(2,)]
    # The first content again is a third version: a supplier may take a correction back.
    ground.put(STREET, "2018-04-01", {"a.csv": month_file(rows=10)})
    ground.load(STREET)
    ground.resolve()
    assert ground.query("select version from control.in_force") == [(3,)]


def test_refused_correction_leaves_the_version_before_in_force(ground: Ground) -> None:
    ground.put(STREET, "2018-04-01", {"a.csv": month_file()})
    ground.load(STREET)
    ground.put(STREET, "2018-04-01", {"a.csv": street_file([street_row(crime_type="Arson")])})
    ground.load(STREET)
    ground.resolve()
    assert versions(ground)[-1] == ("2018-04-01", 2, "refused", 0)
    assert ground.query("select version from control.in_force") == [(1,)]


def test_older_quarter_again_gives_what_it_gave(ground: Ground) -> None:
    query = "select period::varchar, delivery, delivery_id from control.in_force order by all"
    ground.put(STREET, "2018-04-01", {"a.csv": month_file("2018-05")})
    ground.load(STREET)
    ground.resolve()
    then = ground.query(query)
    ground.put(STREET, "2018-07-01", {"b.csv": month_file("2018-05", 11)})
    ground.load(STREET, "2018-07-01")
    ground.resolve("2018-07-01")
    assert ground.query(query) == [("2018-05-01", f"{STREET} 2018-07-01 v1", 2)]
    ground.resolve()
    assert ground.query(query) == then


def test_history_lists_versions_files_and_who_took_which_periods(ground: Ground) -> None:
    ground.put(
        STREET, "2018-04-01", {"a.csv": month_file("2018-04"), "b.csv": month_file("2018-05")}
    )
    ground.load(STREET)
    ground.put(STREET, "2018-04-01", {"b.csv": month_file("2018-05", 12)})
    ground.load(STREET)
    ground.put(STREET, "2018-07-01", {"c.csv": month_file("2018-05", 13)})
    ground.load(STREET, "2018-07-01")
    with connect(ground.settings, read_only=True) as connection:
        first, second, third = delivery_history(connection, STREET)
        (alone,) = delivery_history(connection, STREET, date(2018, 7, 1))
    assert [one.version for one in (first, second, third)] == [1, 2, 1]
    assert [file.name for file in first.files] == ["a.csv", "b.csv"]
    assert len(first.files[0].sha256) == 64 and first.rows_loaded == 20
    (taken,) = first.superseded
    assert (taken.delivery, taken.periods, taken.version_only) == ("2018-04-01 v2", 2, True)
    (taken,) = second.superseded
    assert (taken.delivery, taken.first) == ("2018-07-01 v1", date(2018, 5, 1))
    assert third.superseded == () and alone == third
