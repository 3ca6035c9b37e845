"""Youth offending services and prisons that the partnerships file names."""

from pathlib import Path

import duckdb
import pytest

from orchestration.config.partnerships import load_partnerships
from orchestration.errors import SettingsError
from orchestration.warehouse.control_schema import ensure_control

NORFOLK = """
[[force_areas]]
code = "E23000024"
name = "Norfolk"
force = "Norfolk Constabulary"

[[force_areas.partnerships]]
csp = "breckland"
name = "Breckland"
district_code = "E07000143"
district_name = "Breckland"
"""
SERVICE = """
[[force_areas.youth_offending_services]]
name = "Norfolk"
districts = ["E07000143", "E07000146"]
"""
PRISONS = """
[[force_areas.prisons]]
name = "HMP Norwich"

[[force_areas.prisons]]
name = "HMP Bure"
group = "Other prisons of Norfolk"
"""


@pytest.fixture
def connection() -> duckdb.DuckDBPyConnection:
    made = duckdb.connect()
    ensure_control(made)
    return made


def load(connection: duckdb.DuckDBPyConnection, folder: Path, content: str) -> None:
    path = folder / "partnerships.toml"
    path.write_text(content)
    load_partnerships(connection, path)


def held(connection: duckdb.DuckDBPyConnection, table: str) -> list[tuple[str, ...]]:
    return connection.sql(f"select * from control.partnership_{table} order by all").fetchall()


def test_services_and_prisons_are_those_of_the_file_and_of_no_earlier_one(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    load(connection, tmp_path, NORFOLK + SERVICE + PRISONS)
    assert held(connection, "youth_services") == [
        ("Norfolk", "E07000143"),
        ("Norfolk", "E07000146"),
    ]
    assert held(connection, "prisons") == [
        ("HMP Bure", "Other prisons of Norfolk", "E23000024"),
        ("HMP Norwich", "HMP Norwich", "E23000024"),
    ]
    load(connection, tmp_path, NORFOLK)
    assert held(connection, "youth_services") == held(connection, "prisons") == []


def test_a_district_of_two_services_is_refused_in_words(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    other = SERVICE.replace('"Norfolk"', '"Breckland"')
    with pytest.raises(SettingsError, match=r"Norfolk.*Breckland.*E07000143"):
        load(connection, tmp_path, NORFOLK + SERVICE + other)


def test_a_service_without_districts_is_refused_in_words(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    content = NORFOLK + SERVICE.replace('"E07000143", "E07000146"', "")
    with pytest.raises(SettingsError, match="does not list partnerships"):
        load(connection, tmp_path, content)
