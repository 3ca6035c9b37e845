"""The warehouse as a lake: the same rows as in the file, its lock, its purge, and its limits.

PostgreSQL and the object store are those of ``lake_services``; without them the tests are skipped.
"""

import math
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import pytest
from pydantic import SecretStr

from orchestration.config.settings import PROJECT, Settings
from orchestration.errors import (
    BackupError,
    CspError,
    EncryptionError,
    LakeError,
    MigrationError,
    StorageError,
    WarehouseBusyError,
    WarehouseDamagedError,
    WarehouseUnreadableError,
)
from orchestration.ingest.checking.contract import load_contracts
from orchestration.ingest.landing.delivery_folder import remove_delivery
from orchestration.warehouse import lake, migration
from orchestration.warehouse.backup import back_up, restore, utc_now
from orchestration.warehouse.connection import (
    connect,
    warehouse_exists,
    warehouse_lock,
    warehouse_writer,
)
from orchestration.warehouse.lake import catalogue, lake_environment
from orchestration.warehouse.lake_upkeep import remove_past
from orchestration.warehouse.migration import Store, migrate
from orchestration.warehouse.purging import settle_purges
from orchestration.warehouse.retention import copies_of, purge
from tests.lake_services import (
    PASSWORD,
    Postgres,
    missing,
    object_store,
    postgres,
    postgres_programs,
    stored_objects,
)
from tests.support import NOW, Ground, refresh, street_file, street_row
from tests.test_privacy import COHORT, pseudonyms_of, two_quarters

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(missing()), reason=f"No lake here: {missing()}"),
]
BEFORE = date(2018, 7, 1)
KEY = "b3f1c06d9e7a48250c1d9f6b2e84a7355d0e6c1b9a2f7348"


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    """A PostgreSQL for the tests of this file."""
    with postgres() as running:
        yield running


@pytest.fixture
def lake_ground(server: Postgres, tmp_path: Path) -> Callable[..., Ground]:
    """Make a landing zone and a lake in a database of its own."""

    def make(**values: Any) -> Ground:
        name = f"lake_{os.getpid()}_{abs(hash(str(tmp_path))) % 10**9}"
        given = {
            "home": tmp_path / "var",
            "raw": tmp_path / "raw",
            "store": "lake",
            "lake_catalogue": server.create(name),
            "lake_data": str(tmp_path / "data"),
        }
        return Ground(Settings.model_validate(given | values))

    return make


@pytest.fixture
def own_people(lake_ground: Callable[..., Ground]) -> Ground:
    """Two quarters of people in a lake of the test's own."""
    return two_quarters(lake_ground())


@pytest.fixture(scope="module")
def people(server: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Ground:
    """The same in a lake that tests share: they leave its own tables as they were."""
    folder = tmp_path_factory.mktemp("people")
    return two_quarters(
        Ground(
            Settings(
                home=folder / "var",
                raw=folder / "raw",
                store="lake",
                lake_catalogue=SecretStr(server.create(f"people_{os.getpid()}")),
                lake_data=str(folder / "data"),
            )
        )
    )


def _data_files(ground: Ground) -> list[Path]:
    return sorted(Path(ground.settings.lake_data or "").rglob("*.parquet"))


def _values_in(file: Path) -> str:
    """Everything that a Parquet file holds, decompressed, and what its footer says of it."""
    name = str(file).replace("'", "''")
    rows = duckdb.execute(f"select * from read_parquet('{name}')").fetchall()
    footer = duckdb.execute(f"select * from parquet_metadata('{name}')").fetchall()
    return f"{rows} {footer}"


def _left_of(wanted: set[str], ground: Ground) -> set[str]:
    """Return those values that any data file of the lake has."""
    values = " ".join(map(_values_in, _data_files(ground)))
    return {one for one in wanted if one in values}


def _dump(server: Postgres, settings: Settings) -> str:
    """The whole catalogue as text."""
    programs = postgres_programs()
    assert programs and settings.lake_catalogue
    address = settings.lake_catalogue.get_secret_value().removeprefix("postgres:")
    done = subprocess.run(
        [str(programs / "pg_dump"), "--dbname", address],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout


# --- the same as the file -----------------------------------------------------------------------

_close = partial(math.isclose, rel_tol=1e-11, abs_tol=1e-12)
_NOT_ALIKE = {
    "control.deliveries": "loaded_at",
    "control.disclosure": "seconds",
    "control.landing_index": "",
    "control.last_build": "",
    "control.rounding": "outcome",
    "intermediate.int_crime__counted": "counted_under",
}
"""Columns that differ between any two refreshes: times, and texts made of the views' own SQL. Of
two tables, all: when files were seen, and when the build ended."""


def _content(connection: duckdb.DuckDBPyConnection, table: str) -> list[tuple[object, ...]]:
    """The rows of a table in an order of their own, fractions last."""
    columns = connection.execute(
        "select column_name, data_type from duckdb_columns() where schema_name || '.' || "
        "table_name = ? and database_name = current_database() order by column_index",
        [table],
    ).fetchall()
    kept = [one for one in columns if one[0] != _NOT_ALIKE.get(table)]
    shown = ", ".join(
        f'"{name}"' for name, kind in sorted(kept, key=lambda one: one[1] == "DOUBLE")
    )
    return connection.execute(f"select {shown} from {table} order by all").fetchall()


def _alike(one: list[tuple[object, ...]], other: list[tuple[object, ...]]) -> bool:
    """Whether rows are equal. The last digits of a sum of fractions depend on the order in which
    they were added, which no database promises."""
    return len(one) == len(other) and all(
        left == right
        or (isinstance(left, float) and isinstance(right, float) and _close(left, right))
        for pair in zip(one, other, strict=True)
        for left, right in zip(*pair, strict=True)
    )


def test_every_table_and_the_release_are_the_same_on_file_and_lake(
    sample: Ground, lake_ground: Callable[..., Ground]
) -> None:
    """Whole refreshes of the sample; only times differ. Then a refresh with nothing new."""
    ground = lake_ground(raw=PROJECT / "raw")
    settings = ground.settings
    settings.home.mkdir(mode=0o700)
    shutil.copy2(sample.settings.home / "pseudonym.key", settings.home)
    done = refresh(settings.home, settings.raw, "2018-04-01", **lake_environment(settings))
    assert done.returncode == 0, done.stdout + done.stderr
    assert not settings.warehouse.exists()
    with (
        connect(sample.settings, read_only=True) as of_file,
        connect(settings, read_only=True) as of_lake,
    ):
        tables = {schema: _tables(one) for schema, one in (("file", of_file), ("lake", of_lake))}
        assert tables["file"] == tables["lake"]
        assert len(tables["file"]) > 250
        compared = [name for name in tables["file"] if _NOT_ALIKE.get(name) != ""]
        differing = [
            one for one in compared if not _alike(_content(of_file, one), _content(of_lake, one))
        ]
        assert differing == []
        assert _lines(of_file) == _lines(of_lake)
    releases = [_release(one) for one in (sample.settings, settings)]
    assert releases[0].keys() == releases[1].keys()
    assert not [one for one, rows in releases[0].items() if not _alike(rows, releases[1][one])]
    again = refresh(settings.home, settings.raw, "2018-04-01", **lake_environment(settings))
    assert "Nothing was run" in again.stdout, again.stdout + again.stderr
    for command in ("status", "doctor"):
        said = _csp(settings, command)
        assert said.returncode == 0, said.stdout + said.stderr
        assert PASSWORD not in said.stdout + said.stderr
    logs = [path for path in settings.home.rglob("*") if path.is_file()]
    assert not [path for path in logs if PASSWORD.encode() in path.read_bytes()]


def _lines(connection: duckdb.DuckDBPyConnection) -> dict[str, tuple[object, ...]]:
    """A checksum of each view that says in which line of its file a row was: that follows from the
    order of the rows."""
    views = connection.execute(
        "select view_name from duckdb_views() where schema_name = 'raw' order by all"
    ).fetchall()
    assert views
    return {
        name: connection.execute(
            f"select count(*), sum(hash(one)::hugeint) from raw.{name} as one"
        ).fetchall()[0]
        for (name,) in views
    }


def _tables(connection: duckdb.DuckDBPyConnection) -> list[str]:
    rows = connection.execute(
        "select schema_name || '.' || table_name from duckdb_tables() "
        "where database_name = current_database() and not temporary order by all"
    ).fetchall()
    return [name for (name,) in rows]


def _release(settings: Settings) -> dict[str, list[tuple[object, ...]]]:
    """Every table of the release, without the time and the checksum of its build."""
    with duckdb.connect(settings.published / "csp.duckdb", read_only=True) as connection:
        names = [name for name in _tables(connection) if name != "main.release"]
        return {name: _content(connection, name) for name in names}


def _csp(settings: Settings, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "orchestration.cli", *arguments],
        env={
            **os.environ,
            "COLUMNS": "200",
            "CSP_HOME": str(settings.home),
            "CSP_RAW": str(settings.raw),
            **lake_environment(settings),
        },
        capture_output=True,
        text=True,
        check=False,
    )


def test_an_object_store_holds_the_data(lake_ground: Callable[..., Ground], tmp_path: Path) -> None:
    if reason := missing(store=True):
        pytest.skip(reason)
    with object_store("lake") as store:
        named = {name.removeprefix("CSP_").lower(): value for name, value in store.items()}
        ground = two_quarters(lake_ground(lake_data="s3://lake/csp", **named))
        held = stored_objects(store, "lake")
        assert len(held) > 10
        assert all(name.startswith("csp/") and name.endswith(".parquet") for name in held)
        assert ground.value(f"select count(*) from raw.{COHORT}") == 41
        purge(ground.settings, load_contracts(), BEFORE, NOW)
        assert ground.value(f"select count(*) from raw.{COHORT}") == 21
        assert len(stored_objects(store, "lake")) < len(held)
        asked = _csp(ground.settings, "sql", f"select count(distinct pnc_id) from raw.{COHORT}")
        assert asked.returncode == 0, asked.stdout + asked.stderr
    assert not (tmp_path / "data").exists()


# --- what cannot be used, said plainly ------------------------------------------------------------


def _refusal(kind: type[CspError], settings: Settings, *, read_only: bool = False) -> str:
    with pytest.raises(kind) as refused, connect(settings, read_only=read_only):
        pass
    assert PASSWORD not in str(refused.value)
    return str(refused.value)


def test_a_wrong_password_and_a_missing_database_are_told_apart(
    server: Postgres, lake_ground: Callable[..., Ground]
) -> None:
    settings = lake_ground().settings
    wrong = SecretStr(server.address("postgres", password="another"))
    other = settings.model_copy(update={"lake_catalogue": wrong})
    assert "refuses the password" in _refusal(LakeError, other)
    nowhere = SecretStr(server.address("nowhere"))
    other = settings.model_copy(update={"lake_catalogue": nowhere})
    assert "createdb" in _refusal(LakeError, other)
    assert "no warehouse in the lake" in _refusal(
        WarehouseUnreadableError, settings, read_only=True
    )
    assert not warehouse_exists(settings)
    # The command says it in one sentence, too.
    said = _csp(other, "status")
    assert "Traceback" not in said.stdout + said.stderr
    assert PASSWORD not in said.stdout + said.stderr


def test_other_data_than_the_catalogues_are_refused(people: Ground, tmp_path: Path) -> None:
    other = people.settings.model_copy(update={"lake_data": str(tmp_path / "elsewhere")})
    said = _refusal(LakeError, other)
    assert str(tmp_path / "elsewhere") in said and str(people.settings.lake_data) in said
    assert not (tmp_path / "elsewhere").exists()


def test_a_data_folder_that_cannot_be_written_is_refused(
    lake_ground: Callable[..., Ground], tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way")
    assert "CSP_LAKE_DATA" in _refusal(
        StorageError, lake_ground(lake_data=str(tmp_path / "file/data")).settings
    )


def test_messages_in_another_language_are_refused(
    lake_ground: Callable[..., Ground], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lake, "_WORDS", ("en",))
    assert "lc_messages is C" in _refusal(LakeError, lake_ground().settings)


def test_encryption_is_chosen_when_the_lake_is_made(lake_ground: Callable[..., Ground]) -> None:
    ground = two_quarters(lake_ground(warehouse_key=SecretStr(KEY)))
    assert ground.value(f"select count(*) from raw.{COHORT}") == 41
    for file in _data_files(ground):
        assert file.read_bytes()[-4:] == b"PARE"
    without = ground.settings.model_copy(update={"warehouse_key": None})
    assert "Set CSP_WAREHOUSE_KEY" in _refusal(EncryptionError, without)
    gone = pseudonyms_of(ground, "2018-04-01") - pseudonyms_of(ground, "2018-07-01")
    assert purge(ground.settings, load_contracts(), BEFORE, NOW).pseudonyms == len(gone)


def test_a_key_for_a_lake_made_without_one_is_refused(people: Ground) -> None:
    other = people.settings.model_copy(update={"warehouse_key": SecretStr(KEY)})
    assert "made without encryption" in _refusal(EncryptionError, other)


def test_a_missing_data_file_is_named_as_damage(people: Ground) -> None:
    file = next(one for one in _data_files(people) if one.parent.name == COHORT)
    file.rename(file.with_suffix(".away"))
    with pytest.raises(WarehouseDamagedError, match=file.name):
        people.query(f"select pnc_id from raw.{COHORT}")
    file.with_suffix(".away").rename(file)
    assert len(people.query(f"select pnc_id from raw.{COHORT}")) == 41


def test_a_postgres_that_stops_half_way_loses_nothing(server: Postgres, people: Ground) -> None:
    with pytest.raises(LakeError, match="was lost"), connect(people.settings) as connection:
        connection.execute("begin")
        connection.execute("delete from control.deliveries")
        server.stop("immediate")
        try:
            connection.execute("commit")
        finally:
            server.start()
    assert people.value("select count(*) from control.deliveries") == 2


# --- one writer ---------------------------------------------------------------------------------

_HOLDER = """
import sys
from orchestration.config.settings import load_settings
from orchestration.warehouse.connection import warehouse_lock
with warehouse_lock(load_settings(), "Run 1a2b3c4d"):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_another_machines_writer_is_named_and_its_death_frees_the_lake(
    lake_ground: Callable[..., Ground], tmp_path: Path
) -> None:
    settings = lake_ground().settings
    elsewhere = {"CSP_HOME": str(tmp_path / "elsewhere"), "CSP_RAW": str(tmp_path)}
    holder = subprocess.Popen(
        [sys.executable, "-c", _HOLDER],
        env={**os.environ, **lake_environment(settings), **elsewhere},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        assert holder.stdout and holder.stdout.readline() == b"held\n"
        writer = warehouse_writer(settings)
        assert writer and writer.startswith(f"Run 1a2b3c4d (process {holder.pid} on ")
        with pytest.raises(WarehouseBusyError, match=r"Run 1a2b3c4d .* is writing the lake"):
            _lock(settings)
        said = _csp(settings, "purge", "--before", "2018-07-01")
        assert "Run 1a2b3c4d" in said.stdout + said.stderr or not warehouse_exists(settings)
    finally:
        holder.kill()
        holder.wait()
    with warehouse_lock(settings, "A test", 30):
        assert warehouse_writer(settings)
    assert warehouse_writer(settings) is None


def _lock(settings: Settings) -> None:
    with warehouse_lock(settings, "A test"):
        pass


# --- purge --------------------------------------------------------------------------------------


def test_a_purge_removes_the_bytes_from_every_file_and_from_the_catalogue(
    server: Postgres, own_people: Ground
) -> None:
    settings = own_people.settings
    with connect(settings) as connection:
        connection.execute("create schema marts")
        connection.execute(f"create table marts.built as from raw.{COHORT}")
    gone = pseudonyms_of(own_people, "2018-04-01") - pseudonyms_of(own_people, "2018-07-01")
    staying = pseudonyms_of(own_people, "2018-07-01")
    comment = f"select comment from duckdb_columns() where table_name = '{COHORT}' order by all"
    comments = own_people.query(comment)
    assert _left_of(gone, own_people)
    dumped = _dump(server, settings)
    assert [one for one in gone if one in dumped]
    purged = purge(settings, load_contracts(), BEFORE, NOW)
    assert purged.pseudonyms == len(gone) > 20
    assert not _left_of(gone, own_people)
    assert _left_of(staying, own_people) == staying
    dumped = _dump(server, settings)
    assert not [one for one in gone if one in dumped]
    assert pseudonyms_of(own_people, "2018-07-01") == staying
    assert own_people.query(comment) == comments
    assert own_people.value("select count(*) from control.purges") == 1
    assert own_people.query("select 1 from duckdb_tables() where schema_name = 'marts'") == []


def test_a_purge_that_was_cut_short_is_finished_by_the_next_run(
    own_people: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = pseudonyms_of(own_people, "2018-04-01") - pseudonyms_of(own_people, "2018-07-01")

    def cut_short(_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("orchestration.warehouse.lake_purging.remove_past", cut_short)
        with pytest.raises(KeyboardInterrupt):
            purge(own_people.settings, load_contracts(), BEFORE, NOW)
    assert _left_of(gone, own_people)
    said: list[str] = []
    settle_purges(own_people.settings, said.append, NOW, remove_delivery)
    assert "It was finished" in said[0]
    assert not _left_of(gone, own_people)


# --- backup -------------------------------------------------------------------------------------


def test_backup_and_restore_say_what_to_use_instead(people: Ground, tmp_path: Path) -> None:
    with pytest.raises(BackupError, match="pg_dump and a copy of CSP_LAKE_DATA"):
        back_up(people.settings, None, utc_now())
    with pytest.raises(BackupError, match="csp migrate --to file"):
        restore(people.settings, tmp_path / "any.duckdb", utc_now())


def test_a_dump_and_a_copy_of_the_data_bring_the_lake_back_and_nothing_purged(
    server: Postgres, own_people: Ground
) -> None:
    settings = own_people.settings
    dumped = _dump(server, settings)
    data = Path(settings.lake_data or "")
    shutil.copytree(data, data.with_name("copied"))
    before = own_people.query(f"from raw.{COHORT} order by all")
    purge(settings, load_contracts(), BEFORE, NOW)
    after = own_people.query(f"from raw.{COHORT} order by all")
    programs = postgres_programs()
    assert programs
    address = server.create(f"restored_{os.getpid()}")
    subprocess.run(
        [str(programs / "psql"), "--quiet", "--dbname", address.removeprefix("postgres:")],
        input=dumped, text=True, check=True, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    shutil.rmtree(data)
    data.with_name("copied").rename(data)
    restored = Ground(settings.model_copy(update={"lake_catalogue": SecretStr(address)}))
    assert restored.query(f"from raw.{COHORT} order by all") == before
    said: list[str] = []
    settle_purges(restored.settings, said.append, NOW, remove_delivery)
    assert "They were purged again" in said[0]
    assert restored.query(f"from raw.{COHORT} order by all") == after
    assert len(before) > len(after)


# --- what DuckLake does otherwise than a file -----------------------------------------------------


def test_small_inserts_go_into_files_and_not_into_the_catalogue(
    server: Postgres, people: Ground
) -> None:
    with connect(people.settings) as connection:
        connection.execute("create table raw.one as select 'b71f-in-a-row' as value")
        connection.execute("insert into raw.one values ('9c02-in-a-row')")
    with catalogue(people.settings) as session:
        inlined = session.execute(
            "select tablename from pg_tables where tablename ~ '^ducklake_inlined_data_\\d'"
        ).fetchall()
        for (table,) in inlined:
            assert session.execute(f'select 1 from "{table}"').fetchall() == []
    values = [_values_in(file) for file in _data_files(people) if file.parent.name == "one"]
    assert "b71f-in-a-row" in " ".join(values) and "9c02-in-a-row" in " ".join(values)


def test_deleted_rows_stay_in_the_files_until_they_are_rewritten(own_people: Ground) -> None:
    """Why a purge rewrites and then removes the past: neither alone is enough."""
    (value, *_) = sorted(
        pseudonyms_of(own_people, "2018-04-01") - pseudonyms_of(own_people, "2018-07-01")
    )

    def is_there() -> bool:
        return any(value in _values_in(file) for file in _data_files(own_people))

    with connect(own_people.settings) as connection:
        connection.execute(f"delete from raw.{COHORT} where pnc_id = $1", [value])
        connection.execute(f"delete from raw.{COHORT} where nominal_id = $1", [value])
        assert is_there()
        connection.execute("call ducklake_expire_snapshots('warehouse', older_than => now())")
        connection.execute("call ducklake_cleanup_old_files('warehouse', cleanup_all => true)")
        assert is_there()
        remove_past(connection)
        assert not is_there()


def test_two_writers_that_delete_nothing_both_insert_the_same_key(people: Ground) -> None:
    """Why one writer holds the lake: DuckLake sees no conflict, and there is no key to see it."""
    with connect(people.settings) as one, connect(people.settings) as other:
        one.execute("create table raw.keyed (id integer)")
        for connection in (one, other):
            connection.execute("begin")
            connection.execute("delete from raw.keyed where id = 1")
            connection.execute("insert into raw.keyed values (1)")
        one.execute("commit")
        other.execute("commit")
        rows = one.execute("select count(*) from raw.keyed").fetchall()
    assert rows == [(2,)], "DuckLake now refuses this: docs/scale.md may say so"


def test_many_commits_at_once_are_tried_again_until_they_succeed(people: Ground) -> None:
    with connect(people.settings) as connection:
        connection.execute("create schema race")

        def replace(number: int) -> None:
            cursor = connection.cursor()
            cursor.execute("use warehouse")
            cursor.execute(f"create or replace table race.t{number} as select {number} as n")

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(replace, range(16)))
        ((retries,),) = connection.execute(
            "select current_setting('ducklake_max_retry_count')"
        ).fetchall()
        assert int(retries) == 100
        tables = "select count(*) from duckdb_tables() where schema_name = 'race'"
        assert connection.execute(tables).fetchall() == [(16,)]


# --- migration ----------------------------------------------------------------------------------


@pytest.fixture
def filed(lake_ground: Callable[..., Ground]) -> Ground:
    """Two quarters of people, and a bulk source with a refused line, in a file beside an empty
    lake."""
    ground = lake_ground(store="file")
    rows = [street_row(number=number) for number in range(1, 30)]
    rows[7] = street_row("no month", number=8)
    ground.put("police_uk_street", "2018-04-01", {STREET: street_file(rows)})
    ground.load("police_uk_street")
    return two_quarters(ground)


STREET = "2018-04-cambridgeshire-street.csv"


def _everything(settings: Settings) -> dict[str, list[tuple[object, ...]]]:
    """Every table in the order of its rows."""
    with connect(settings, read_only=True) as connection:
        return {
            name: connection.execute(f"select rowid, * from {name} order by rowid").fetchall()
            for name in _tables(connection)
            if name != "control.last_build"
        }


def test_a_migration_to_the_lake_and_back_keeps_every_row_and_its_order(filed: Ground) -> None:
    of_file = filed.settings
    of_lake = of_file.model_copy(update={"store": "lake"})
    before = _everything(of_file)
    done = migrate(of_file, "lake")
    assert done.tables == len(before)
    assert done.rows == sum(map(len, before.values())) > 60
    after = _everything(of_lake)
    assert {name: [row[1:] for row in rows] for name, rows in after.items()} == {
        name: [row[1:] for row in rows] for name, rows in before.items()
    }
    # A purge of the lake does not reach the file: it is listed as a copy.
    assert of_file.warehouse in copies_of(of_lake) and of_file.warehouse not in copies_of(of_file)
    with pytest.raises(MigrationError, match=r"warehouse in the lake .* already"):
        migrate(of_file, "lake")
    with pytest.raises(MigrationError, match=r"warehouse\.duckdb already"):
        migrate(of_lake, "file")
    of_file.warehouse.rename(of_file.warehouse.with_name("warehouse-before.duckdb"))
    assert migrate(of_lake, "file").rows == done.rows
    assert {name: [row[1:] for row in rows] for name, rows in _everything(of_file).items()} == {
        name: [row[1:] for row in rows] for name, rows in before.items()
    }
    # What was loaded is known there, and loading goes the same way.
    assert Ground(of_lake).load("police_uk_street").outcomes == []
    assert filed.load("police_uk_street").outcomes == []


def test_a_copy_that_is_not_the_same_is_not_put_in_place(
    filed: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    of_lake = filed.settings.model_copy(update={"store": "lake"})
    right = migration._content
    rows = iter(range(1000))
    with monkeypatch.context() as patched:
        patched.setattr(migration, "_content", lambda *_: (next(rows), ""))
        with pytest.raises(MigrationError, match="is not the same after copying"):
            migrate(filed.settings, "lake")
    assert migration._content is right
    with connect(of_lake, read_only=True) as connection:
        assert _tables(connection) == []
    assert migrate(filed.settings, "lake").rows > 0


_MIGRATES_UNTIL = """
import os, signal
from orchestration.warehouse import migration
from orchestration.config.settings import load_settings
seen = []
def killed(*_):
    seen.append(1)
    if len(seen) == 9:
        os.kill(os.getpid(), signal.SIGKILL)
    return right(*_)
right, migration._content = migration._content, killed
migration.migrate(load_settings(), TO)
"""


@pytest.mark.parametrize("to", ["lake", "file"])
def test_a_killed_migration_leaves_nothing_and_is_started_again(filed: Ground, to: Store) -> None:
    settings = filed.settings
    if to == "file":
        migrate(settings, "lake")
        settings.warehouse.unlink()
    killed = subprocess.run(
        [sys.executable, "-c", _MIGRATES_UNTIL.replace("TO", repr(to))],
        env={
            **os.environ,
            **lake_environment(settings),
            "CSP_STORE": "file",
            "CSP_HOME": str(settings.home),
            "CSP_RAW": str(settings.raw),
        },
        check=False,
    )
    assert killed.returncode == -9
    assert migrate(settings, to).rows > 60
    if to == "lake":
        of_lake = settings.model_copy(update={"store": "lake"})
        with catalogue(of_lake) as session:
            ((known,),) = session.execute("select count(*) from ducklake_data_file").fetchall()
        assert len(_data_files(filed)) == known
    else:
        assert [one for one in settings.home.iterdir() if one.name.startswith(".building")] == []


def test_the_command_says_what_comes_next(filed: Ground) -> None:
    said = _csp(filed.settings, "migrate", "--to", "lake")
    assert said.returncode == 0, said.stdout + said.stderr
    assert "Set CSP_STORE=lake" in said.stdout
    assert PASSWORD not in said.stdout + said.stderr
