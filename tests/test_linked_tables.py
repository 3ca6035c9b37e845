"""Tables that say nothing about each other are rounded apart, with the same result."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestration.disclosure import rounding_step
from orchestration.disclosure.declarations import Row
from orchestration.disclosure.earlier_releases import version_name
from orchestration.disclosure.linked_tables import (
    as_bytes,
    from_bytes,
    linked,
    names_in,
    narrowed,
    number_of,
    protected_links,
)
from orchestration.disclosure.published_rounding import PublishedRounding
from orchestration.disclosure.release_protection import disclose
from orchestration.disclosure.release_rounding import round_tables
from orchestration.disclosure.rounding_cube import Taken, collected
from orchestration.disclosure.rounding_declarations import RoundedDeclaration
from orchestration.disclosure.rounding_system import Beside
from orchestration.disclosure.table_model import (
    Cell,
    PrintedRatio,
    Publication,
    Ratio,
    total,
)
from orchestration.disclosure.withholding import WITHHELD
from orchestration.releases.release_registry import PublishedRelease
from tests.test_disclosure_step import DECLARED as KNOWN
from tests.test_disclosure_step import known

SECRET = b"of a test"
QUARTER = date(2018, 4, 1)
NOTHING = Beside({}, frozenset(), Publication({}, (), (), ()))


def declared(*counts: Mapping[str, object]) -> RoundedDeclaration:
    return RoundedDeclaration.model_validate(
        {"method": "rounded", "plain": ["row"], "counts": list(counts)}
    )


def sets(
    tables: Mapping[str, tuple[RoundedDeclaration, Sequence[Row]]], *links: Sequence[str]
) -> Any:
    names = {name: names_in(collected(name, rows, form)) for name, (form, rows) in tables.items()}
    return linked(names, [frozenset(map(number_of, link)) for link in links])


ROWS: list[Row] = [{"row": "a", "people": 3, "all_people": 9, "status": None}]


def test_tables_without_a_name_in_common_are_apart() -> None:
    one = declared({"column": "people", "cell": "people {row}"})
    other = declared({"column": "people", "cell": "answers {row}"})
    assert sets({"b": (one, ROWS), "a": (other, ROWS)}) == [("a",), ("b",)]


@pytest.mark.parametrize(
    "count",
    [
        {"column": "people", "cell": "people {row}"},
        {"column": "people", "cell": "answers {row}", "sums": [{"row": "All"}]},
        {"column": "people", "cell": "answers {row}", "control": ["row"]},
        {"column": "people", "cell": "answers {row}", "within": "people {row}"},
        {"column": "people", "cell": "answers {row}", "made_of": ["people {row}", "b {row}"]},
        {"column": "people", "cell": "answers {row}", "divides": "all_people"},
        {"column": "people", "cell": "answers {row}", "part_of": "all_people"},
        {"column": "people", "cell": "x {row}", "into": {"column": "all_people"}},
        {"column": "people", "cell": "x {row}", "balances": [{"name": "both {row}", "side": "l"}]},
    ],
)
def test_tables_that_name_one_thing_go_together(count: Mapping[str, object]) -> None:
    everyone = {"column": "all_people", "cell": "all {row}"}
    one = declared(
        {"column": "people", "cell": "people {row}", "control": ["row"]},
        {"column": "all_people", "cell": "all {row}"},
        {
            "column": "all_people",
            "cell": "answers All",
            "balances": [{"name": "both {row}", "side": "r"}],
        },
    )
    assert sets({"a": (declared(count, everyone), ROWS), "b": (one, ROWS)}) == [("a", "b")]


def test_what_protected_tables_link_goes_together() -> None:
    one = declared({"column": "people", "cell": "people {row}"})
    other = declared({"column": "people", "cell": "answers {row}"})
    third = declared({"column": "people", "cell": "prisoners {row}"})
    tables = {"a": (one, ROWS), "b": (other, ROWS), "c": (third, ROWS)}
    assert sets(tables, ["people a", "elsewhere", "answers a"]) == [("a", "b"), ("c",)]
    assert sets(tables, ["people a", "x"], ["x", "answers a"]) == [("a", "b"), ("c",)]
    assert sets(tables, ["people a", "x"], ["y", "answers a"]) == [("a",), ("b",), ("c",)]


def test_the_counts_of_protected_tables_are_linked_by_sums_quotients_and_earlier_versions() -> None:
    cells = {
        key: Cell(key, 7)
        for key in ("whole", "part", "rest", "base", "alone", version_name("base", 1), "old")
    }
    published = Publication(
        dict.fromkeys(cells, (0, 9)),
        (total("whole", ["part", "rest"]), total(version_name("base", 1), ["old"])),
        (PrintedRatio(Ratio("part", "base"), 5), PrintedRatio(Ratio("alone", 1000), 7)),
        ("part", "alone"),
    )
    beside = Beside(cells, frozenset({"part", "alone"}), published)
    links = protected_links(beside)
    together = frozenset({"whole", "part", "rest", "base", "old"})
    assert set(links.sets) == {together, frozenset({"alone"})}
    assert links.beside({number_of("old")}) == together
    assert links.beside({number_of("people")}) == frozenset()
    found = narrowed(beside, together)
    assert found.cells.keys() == cells.keys() - {"alone"}
    assert (found.hidden, found.published.asked) == (frozenset({"part"}), ("part",))
    assert found.published.relations == published.relations
    assert found.published.ratios == published.ratios[:1]
    assert narrowed(beside, {"alone"}).published.relations == ()


def test_names_are_kept_as_bytes() -> None:
    numbers = frozenset(number_of(name) for name in ("a", "people All", "ä"))
    assert from_bytes(as_bytes(numbers)) == numbers and len(as_bytes(numbers)) == 24


CUBE = declared(
    {
        "column": "people",
        "cell": "{kind} {row} {part}",
        "sums": [{"part": "All"}],
        "control": ["row"],
    }
)


def cube(kind: str, values: Sequence[int]) -> list[Row]:
    rows = [
        {"row": str(place // 3), "part": str(place % 3), "people": value}
        for place, value in enumerate(values)
    ]
    for row in sorted({str(one["row"]) for one in rows}):
        whole = sum(int(str(one["people"])) for one in rows if one["row"] == row)
        rows.append({"row": row, "part": "All", "people": whole})
    return [
        {
            **one, "row": f"{kind} {one['row']}", "kind": kind, "status": None, "area_code": "A",
            "area_type": "district",
        }
        for one in rows
    ]  # fmt: skip


values = st.lists(st.integers(0, 12), min_size=3, max_size=12)


@given(values, values)
@settings(max_examples=40, deadline=None)
def test_rounded_apart_gives_what_rounded_together_gives(
    first: list[int], second: list[int]
) -> None:
    contents = {"marts.one": cube("one", first), "marts.two": cube("two", second)}
    form = {name: CUBE.model_copy(update={"plain": ("kind",)}) for name in contents}
    tables = {name: (form[name], rows) for name, rows in contents.items()}
    assert sets(tables) == [("marts.one",), ("marts.two",)]

    def rounded(*names: str) -> Any:
        return round_tables(
            {name: pa.Table.from_pylist(contents[name]).schema for name in names},
            {name: contents[name] for name in names},
            {name: form[name] for name in names},
            [collected(name, contents[name], form[name]) for name in names],
            Taken({}, frozenset()),
            NOTHING,
            {},
            SECRET,
        )

    both, shown, build = rounded("marts.one", "marts.two")
    apart = [rounded(name) for name in contents]
    assert both.counts == sum(outcome.counts for outcome, _, _ in apart)
    assert shown == {name: rows for _, found, _ in apart for name, rows in found.items()}
    for told in ("values", "shown", "bounds", "groups"):
        joined: dict[str, object] = {}
        for _, _, one in apart:
            joined |= getattr(one, told)
        assert getattr(build, told) == joined


class Warehouse:
    """Two tables of people that say nothing about each other, and what is rounded meanwhile."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self.connection = connection
        self.ran: list[tuple[str, ...]] = []
        connection.execute("create schema marts; create schema intermediate")
        connection.execute(
            "create table intermediate.int_areas__listed (area_code varchar, force_code varchar, "
            "partnership_code varchar, area_type varchar)"
        )
        for table in ("offenders", "survey"):
            connection.execute(
                f"create table marts.{table} as select 'A' as area, 7 as people, "
                "null::varchar as status"
            )

    def disclose(self, releases: Sequence[PublishedRelease] = (), **names: str) -> Any:
        """Protect both tables; ``names`` are the templates of their counts."""
        cells = {"offenders": "offenders {area}", "survey": "answers {area}"} | names
        forms = {
            f"marts.{table}": RoundedDeclaration.model_validate(
                {"method": "rounded", "counts": [{"column": "people", "cell": cell}]}
            )
            for table, cell in cells.items()
        }
        self.ran.clear()
        return disclose(self.connection, QUARTER, {}, list(releases), forms, SECRET)

    def people(self, table: str) -> list[Any]:
        return self.connection.execute(f"select people from protected.{table}").fetchall()


@pytest.fixture
def warehouse(monkeypatch: pytest.MonkeyPatch) -> Any:
    with duckdb.connect(":memory:") as connection:
        made = Warehouse(connection)

        def noted(read: Mapping[str, pa.Table], *others: Any) -> Any:
            made.ran.append(tuple(read))
            return round_tables(read, *others)

        monkeypatch.setattr(rounding_step, "round_tables", noted)
        yield made


def test_a_changed_table_leaves_the_rounding_of_the_others(warehouse: Warehouse) -> None:
    outcome = warehouse.disclose()
    assert (outcome.rounded_tables, outcome.withheld) == (2, {})
    assert warehouse.ran == [("marts.offenders",), ("marts.survey",)]
    warehouse.disclose()
    assert warehouse.ran == []
    warehouse.connection.execute("update marts.survey set people = 12")
    assert warehouse.disclose().rounded_tables == 2
    assert warehouse.ran == [("marts.survey",)]
    assert (warehouse.people("offenders"), warehouse.people("survey")) == ([(7,)], [(12,)])


def test_tables_that_begin_to_share_a_count_are_rounded_together(warehouse: Warehouse) -> None:
    warehouse.disclose()
    warehouse.disclose(survey="offenders {area}")
    assert warehouse.ran == [("marts.offenders", "marts.survey")]


def test_tables_that_disagree_are_withheld_and_others_are_not(warehouse: Warehouse) -> None:
    warehouse.connection.execute("create table marts.more as from marts.survey")
    warehouse.connection.execute("update marts.survey set people = 12")
    outcome = warehouse.disclose(more="answers {area}")
    assert sorted(outcome.withheld) == ["marts.more", "marts.survey"]
    assert WITHHELD not in outcome.withheld.values()
    assert (warehouse.people("offenders"), warehouse.people("survey")) == ([(7,)], [])


def test_a_run_that_was_cut_short_is_rounded_again(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    warehouse.disclose()
    warehouse.connection.execute("update marts.survey set people = 12")

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(rounding_step, "keep_rounding", killed)
        warehouse.disclose()
    warehouse.connection.execute("update marts.survey set people = 7")
    warehouse.disclose()
    assert warehouse.ran == [("marts.survey",)]
    assert warehouse.people("survey") == [(7,)]


def test_groups_that_an_earlier_build_rounded_together_link_its_tables() -> None:
    told = PublishedRounding({"a": 1, "b": 2, "c": 3}, {}, {}, {"a": "g", "b": "g", "c": "h"})
    names = {"one": {number_of("a")}, "two": {number_of("b")}, "three": {number_of("c")}}
    assert linked(names, rounding_step._groups_of(told)) == [("one", "two"), ("three",)]


def test_that_a_build_was_published_is_no_change(warehouse: Warehouse, tmp_path: Path) -> None:
    connection = warehouse.connection
    connection.execute("create schema reports")
    connection.register("rows", pa.Table.from_pylist([dict(row) for row in known()]))
    connection.execute(
        "create table reports.known as select * replace (status::varchar as status) from rows"
    )
    connection.execute("create table marts.more as select * exclude (percent) from reports.known")
    connection.execute(
        "insert into intermediate.int_areas__listed select distinct area_code, 'F', null, "
        "'district' from reports.known where area_code <> 'F'"
    )
    forms = {
        "marts.more": declared(
            {
                "column": "people",
                "cell": "people {area_code} {sex}",
                "instead": [{"cell": "people {area_code}", "where": {"sex": ["All"]}}],
            }
        )
    }

    def again(*releases: PublishedRelease) -> Any:
        warehouse.ran.clear()
        return disclose(
            connection, QUARTER, {"reports.known": KNOWN}, list(releases), forms, SECRET
        )

    assert again().withheld == {}
    assert warehouse.ran == [("marts.more",)]
    file = tmp_path / "csp.duckdb"
    connection.execute(
        f"attach '{file}' as out; create schema out.reports; create schema out.marts"
    )
    connection.execute("create table out.reports.known as from protected.known")
    connection.execute("create table out.marts.more as from protected.more")
    connection.execute("detach out")
    release = PublishedRelease(QUARTER, datetime(2018, 7, 1), 1, False, "0" * 64, file, False)
    again(release)
    assert warehouse.ran == []
    connection.execute("update reports.known set people = people + 1 where area_code = 'D3'")
    connection.execute("update reports.known set people = people + 2 where people = 122")
    again(release)
    assert warehouse.ran == [("marts.more",)]
