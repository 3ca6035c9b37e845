"""A load that dies anywhere and is run again gives what one clean load gives. Rows balance."""

import functools
import os
import subprocess
import sys
import tempfile
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from orchestration.config.settings import Settings
from orchestration.ingest.checking.row_accounting import unbalanced_deliveries
from orchestration.ingest.loading.load import load_source
from orchestration.ingest.loading.pseudonyms import Pseudonyms
from orchestration.warehouse.connection import connect
from tests.corpus.good import good_deliveries
from tests.support import NOW, Ground, month_file, street_file, street_row

STREET = "police_uk_street"
KEYED = "iom_cohort"
_TABLES = (
    "control.deliveries",
    "control.files",
    "control.coverage",
    "control.landing_index",
    "quarantine.refused_rows",
    f"raw.{STREET}",
    f"raw.{KEYED}",
)


class Killed(BaseException):
    """The process is gone."""


class Dying:
    """A connection that dies at its n-th statement, and answers nothing after it."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, last: int | None, how: Any) -> None:
        self._connection = connection
        self._how = how
        self.last = last
        self.statements = 0

    def execute(self, *arguments: Any) -> Any:
        self.statements += 1
        if self.last is not None and self.statements >= self.last:
            self._how()
        return self._connection.execute(*arguments)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


def _raise() -> None:
    raise Killed


def _ground(folder: Path) -> Ground:
    """Three deliveries in bulk (good, partly wrong, refused), one with a key, partly wrong."""
    ground = Ground(Settings(home=folder / "var", raw=folder / "raw"))
    ground.put(STREET, "2017-10-01", {"a.csv": month_file("2017-10")})
    rows = [street_row("2018-01", number=one) for one in range(1, 301)]
    rows[7] = street_row("2018-01", crime_type="Jaywalking")
    rows[9] = "short,line"
    ground.put(STREET, "2018-01-01", {"b.csv": street_file(rows)})
    ground.put(STREET, "2018-04-01", {"c.csv": "nothing of use"})
    (good,) = (one for one in good_deliveries() if one.source == KEYED)
    place = good.place("Sex")

    def wrong(grid: list[list[Any]]) -> list[list[Any]]:
        grid[5][place] = "X"
        return grid

    ground.put(KEYED, "2018-04-01", {"d.csv": good.bytes(wrong)})
    return ground


def _load(ground: Ground, last: int | None = None, how: Any = _raise) -> int:
    """Load everything; return the number of statements that it took."""
    with connect(ground.settings) as connection:
        dying = Dying(connection, last, how)
        for source in (STREET, KEYED):
            load_source(
                dying,  # type: ignore[arg-type]
                ground.settings.raw,
                ground.contract(source),
                date(2018, 4, 1),
                NOW,
                Pseudonyms(b"the same in every run"),
                ground.settings.supplier_reports,
            )
        return dying.statements


def _state(ground: Ground) -> dict[str, Any]:
    """What the warehouse and the reports hold.

    Numbers of deliveries and files stand for what they number: a load that died may have used
    some. Times of files differ between landing zones.
    """
    state: dict[str, Any] = {}
    with connect(ground.settings) as connection:
        numbers = {
            "delivery_id": dict(_keyed(connection, "source, quarter, version", "deliveries")),
            "file_id": {0: "none"} | dict(_keyed(connection, "sha256", "files")),
        }
        for table in _TABLES:
            found = connection.execute(f"select * from {table}")
            names = [column[0] for column in found.description]
            state[table] = sorted(
                repr([_named(numbers, name, value) for name, value in zip(names, row, strict=True)])
                for row in found.fetchall()
            )
    reports = ground.settings.supplier_reports
    state["reports"] = {
        path.relative_to(reports).as_posix(): path.read_bytes()
        for path in sorted(reports.rglob("*.*"))
    }
    return state


def _keyed(connection: duckdb.DuckDBPyConnection, key: str, table: str) -> list[tuple[int, Any]]:
    number = "delivery_id" if table == "deliveries" else "file_id"
    found = connection.execute(f"select {number}, concat_ws(' ', {key}) from control.{table}")
    return found.fetchall()


def _named(numbers: dict[str, dict[int, Any]], name: str, value: Any) -> Any:
    if name in ("mtime_ns", "ctime_ns", "inode"):
        return None
    return numbers.get(name.removeprefix("_"), {}).get(value, value)


@functools.cache
def _clean() -> tuple[dict[str, Any], int]:
    with tempfile.TemporaryDirectory() as folder:
        ground = _ground(Path(folder))
        statements = _load(ground)
        return _state(ground), statements


def _crash_and_reload(points: list[int]) -> None:
    clean, _ = _clean()
    with tempfile.TemporaryDirectory() as folder:
        ground = _ground(Path(folder))
        for point in points:
            try:
                _load(ground, point)
            except Killed:
                _whole(ground)
        _load(ground)
        assert _state(ground) == clean


def _whole(ground: Ground) -> None:
    """Whatever a dead load left behind, no delivery is there in part."""
    with connect(ground.settings) as connection:
        for source in (STREET, KEYED):
            known = connection.execute(
                "select count(*) from duckdb_tables() where schema_name = 'raw' "
                f"and table_name = '{source}'"
            ).fetchall()
            if known == [(1,)]:
                assert unbalanced_deliveries(connection, ground.contract(source)) == []
                ((lost,),) = connection.execute(
                    f"select count(*) from raw.{source} where _delivery_id not in "
                    "(select delivery_id from control.deliveries)"
                ).fetchall()
                assert lost == 0


@hypothesis_settings(max_examples=3, deadline=None)
@given(data=st.data())
def test_a_crash_anywhere_and_a_reload_are_one_clean_load(data: st.DataObject) -> None:
    statement = st.integers(1, _clean()[1])
    _crash_and_reload(data.draw(st.lists(statement, min_size=1, max_size=3)))


@pytest.mark.slow
@pytest.mark.campaign
def test_a_crash_at_every_statement_and_a_reload_are_one_clean_load() -> None:
    for point in range(1, _clean()[1] + 1):
        _crash_and_reload([point])


@pytest.mark.slow
@pytest.mark.parametrize("part", [0.3, 0.6, 0.9])
def test_a_killed_process_and_a_reload_are_one_clean_load(tmp_path: Path, part: float) -> None:
    clean, statements = _clean()
    ground = _ground(tmp_path)
    code = (
        "import os; from pathlib import Path; from tests import test_crash as crash; "
        "from orchestration.config.settings import Settings; from tests.support import Ground; "
        f"folder = Path({str(tmp_path)!r}); "
        "ground = Ground(Settings(home=folder / 'var', raw=folder / 'raw')); "
        f"crash._load(ground, {int(part * statements)}, lambda: os._exit(9))"
    )
    root = Path(__file__).parents[1]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, env=dict(os.environ), check=False)
    assert done.returncode == 9
    _load(ground)
    assert _state(ground) == clean


def test_the_clean_load_is_what_it_is_taken_for(tmp_path: Path) -> None:
    ground = _ground(tmp_path)
    _load(ground)
    assert ground.query(
        "select source, state, rows_delivered, rows_loaded, rows_refused "
        "from control.deliveries order by source, quarter"
    ) == [
        (KEYED, "loaded", 120, 119, 1),
        (STREET, "loaded", 10, 10, 0),
        (STREET, "loaded", 300, 298, 2),
        (STREET, "refused", 0, 0, 0),
    ]
    reports = sorted(path.name for path in ground.settings.supplier_reports.rglob("*.csv"))
    assert reports == ["v1.csv"] * 3


@pytest.mark.parametrize(
    "damage",
    [
        f"delete from raw.{STREET} where rowid = (select max(rowid) from raw.{STREET})",
        f"insert into raw.{STREET} select * from raw.{STREET} limit 1",
        "delete from quarantine.refused_rows where line is not null",
        "update control.files set rows_refused = rows_refused + 1",
    ],
)
def test_a_row_that_is_not_accounted_for_is_reported(tmp_path: Path, damage: str) -> None:
    ground = _ground(tmp_path)
    _load(ground)
    contract = ground.contract(STREET)
    with connect(ground.settings) as connection:
        assert unbalanced_deliveries(connection, contract) == []
        connection.execute(damage)
        assert unbalanced_deliveries(connection, contract)
