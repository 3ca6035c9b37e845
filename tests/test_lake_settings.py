"""What of a lake needs no PostgreSQL: its settings, its tables, and faults before it is reached."""

import traceback
from pathlib import Path

import duckdb
import pytest
from pydantic import SecretStr, ValidationError

from orchestration.config.settings import Settings
from orchestration.errors import LakeError
from orchestration.warehouse import connection, control_schema, lake
from orchestration.warehouse.connection import connect, warehouse_exists, warehouse_name
from orchestration.warehouse.control_schema import CONTROL_SCHEMA, ensure_control
from orchestration.warehouse.lake import lake_fault, lake_state
from orchestration.warehouse.refresh_state import read_state
from tests.lake_services import free_port

PASSWORD = "the-password-of-a-test"


def lake_settings(home: Path, **values: str) -> Settings:
    address = f"postgres:dbname=lake host=127.0.0.1 port={free_port()} user=csp"
    given = {"lake_catalogue": f"{address} password={PASSWORD}", "lake_data": str(home / "data")}
    return Settings.model_validate({"home": home, "store": "lake", **given, **values})


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"lake_catalogue": f"dbname=lake password={PASSWORD}"}, "start with postgres:"),
        ({"lake_catalogue": f"postgres://csp:{PASSWORD}@db/lake"}, "does not name a database"),
        ({"lake_catalogue": f"postgres:host=db password={PASSWORD}"}, "does not name a database"),
        ({"lake_data": "https://store/lake"}, "neither a folder nor an s3:// address"),
        ({"lake_s3_endpoint": "http://store:9000"}, "does not start with https://"),
    ],
)
def test_a_lake_that_cannot_be_named_so_is_refused(
    tmp_path: Path, values: dict[str, str], said: str
) -> None:
    with pytest.raises(ValidationError, match=said) as refused:
        lake_settings(tmp_path, **values)
    assert PASSWORD not in str([one["msg"] for one in refused.value.errors()])


def test_a_lake_without_its_addresses_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="needs CSP_LAKE_CATALOGUE and CSP_LAKE_DATA"):
        Settings(home=tmp_path, store="lake")
    assert not Settings(home=tmp_path).has_lake


def test_a_data_folder_is_made_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert lake_settings(tmp_path, lake_data="data").lake_data == str(tmp_path / "data")
    assert lake_settings(tmp_path, lake_data="s3://lake/a").lake_data == "s3://lake/a"


def test_another_catalogue_or_password_is_a_change_and_is_not_kept(tmp_path: Path) -> None:
    settings = lake_settings(tmp_path)
    other = settings.model_copy(update={"lake_catalogue": SecretStr("postgres:dbname=b")})
    assert read_state(settings).rest != read_state(other).rest
    assert PASSWORD not in read_state(settings).model_dump_json()


def test_tables_of_a_lake_are_those_of_a_file_without_keys_and_checks() -> None:
    statements = control_schema._without_constraints(CONTROL_SCHEMA.read_text())
    with duckdb.connect() as of_file, duckdb.connect() as of_lake:
        ensure_control(of_file)
        of_lake.execute(statements)
        columns = (
            "select schema_name, table_name, column_name, data_type, is_nullable "
            "from duckdb_columns() where schema_name in ('control', 'quarantine') order by all"
        )
        keys = {
            "published_counts", "published_roundings", "hiding_choices", "withheld_tables",
            "release_prints",
        }  # fmt: skip

        def shape(connection: duckdb.DuckDBPyConnection) -> list[tuple[object, ...]]:
            # A key of several columns makes each of them not null: that alone goes with it.
            rows = connection.execute(columns).fetchall()
            return [row[:4] if row[1] in keys else row for row in rows]

        assert shape(of_file) == shape(of_lake)
        kinds = "select distinct constraint_type from duckdb_constraints() order by all"
        assert of_lake.execute(kinds).fetchall() == [("NOT NULL",)]
        assert len(of_file.execute(kinds).fetchall()) == 4


def test_a_postgres_that_does_not_answer_is_named_without_the_password(tmp_path: Path) -> None:
    settings = lake_settings(tmp_path)
    for use in (lake_state, warehouse_exists):
        with pytest.raises(LakeError, match="PostgreSQL does not answer for the lake lake at"):
            use(settings)
    with pytest.raises(LakeError) as refused, connect(settings):
        pass
    assert PASSWORD not in str(refused.value)
    assert "Start it, or correct CSP_LAKE_CATALOGUE" in str(refused.value)
    assert PASSWORD not in warehouse_name(settings)


def test_an_address_that_cannot_be_read_is_not_quoted(tmp_path: Path) -> None:
    broken = f"postgres:dbname=lake password='{PASSWORD}"
    with pytest.raises(LakeError, match="CSP_LAKE_CATALOGUE cannot be read") as refused:
        lake_state(lake_settings(tmp_path, lake_catalogue=broken))
    assert PASSWORD not in str(refused.value)


def test_a_missing_extension_is_named_with_its_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lake, "lake_state", lambda _: None)
    monkeypatch.setattr(lake, "packaged_extension", lambda _: None)
    with (
        pytest.raises(LakeError, match=r"package duckdb-extension-httpfs.*pip install"),
        connect(lake_settings(tmp_path)),
    ):
        pass


def test_an_object_store_needs_a_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lake, "lake_state", lambda _: None)
    with (
        pytest.raises(LakeError, match="Set CSP_LAKE_S3_KEY_ID and CSP_LAKE_S3_SECRET"),
        connect(lake_settings(tmp_path, lake_data="s3://lake/csp")),
    ):
        pass


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("IO Error: server closed the connection unexpectedly", "to the catalogue of the lake"),
        ('IO Error: Cannot open file "/d/a.parquet": No such file or directory', "missing or dam"),
        ("HTTP Error: HTTP GET error on 's3://lake/a.parquet' (HTTP 404)", "missing or damaged"),
        ("Invalid Input Error: No magic bytes found at end of file '/d/a.parquet'", "damaged"),
    ],
)
def test_a_fault_of_the_lake_is_told_from_others(tmp_path: Path, said: str, expected: str) -> None:
    settings = lake_settings(tmp_path)
    assert expected in str(lake_fault(settings, said))
    assert lake_fault(settings, "Binder Error: no such column") is None


def test_a_commit_that_fails_quotes_no_value(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DuckLake's message has the smallest and largest values of columns."""
    said = (
        "TransactionContext Error: Failed to commit: Failed to commit DuckLake transaction.\n"
        "Failed to execute query \"INSERT INTO stats VALUES (1, '1931-02-03', '1999-04-05')\""
    )
    monkeypatch.setattr(connection, "attach_lake", lambda *_, **__: None)
    monkeypatch.setattr(connection, "CATALOGUE", "memory")
    with pytest.raises(LakeError) as refused, connect(lake_settings(tmp_path)):
        raise duckdb.TransactionException(said)
    shown = "".join(traceback.format_exception(refused.value))
    assert "did not take a change (TransactionContext Error" in shown
    assert "1931-02-03" not in shown
    assert refused.value.__suppress_context__
