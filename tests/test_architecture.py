"""The floor plan: which package may import which, and where private interfaces are used."""

import ast
import inspect
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[1]
PACKAGE = PROJECT / "orchestration"
PRIVATE = {
    PACKAGE / "dagster" / "private_interfaces.py": ("dagster", "dagster_dbt", "dagster_shared"),
    PACKAGE / "transform" / "private_interfaces.py": ("dbt", "dbt_common"),
}
PUBLIC = {
    "dagster_dbt",
    "dbt.cli.main",  # dbtRunner is dbt's documented way to be run by a program.
    "dbt.adapters.duckdb.plugins",  # BasePlugin is dbt-duckdb's documented way to extend it.
}


def linted_imports(project: Path) -> subprocess.CompletedProcess[str]:
    """Hold the imports of a checkout against the contracts in its pyproject.toml."""
    return subprocess.run(
        [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"],
        cwd=project,
        env={"PYTHONPATH": str(project), "PATH": "", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_packages_import_downwards_only() -> None:
    done = linted_imports(PROJECT)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("module", "line", "contract"),
    [
        (
            "disclosure/table_model.py",
            "from orchestration.publish import errors",
            "Packages import downwards only BROKEN",
        ),
        (
            "warehouse/connection.py",
            "def late() -> None:\n    from orchestration.ingest.loading import load",
            "Packages import downwards only BROKEN",
        ),
        (
            "disclosure/attack.py",
            "from orchestration.disclosure import exact_suppression",
            "The attack shares nothing with the protection but the table model BROKEN",
        ),
        ("publish/revisions.py", "import dagster", "No step knows Dagster BROKEN"),
    ],
)
def test_an_arrow_that_runs_back_is_found(
    module: str, line: str, contract: str, tmp_path: Path
) -> None:
    shutil.copytree(PACKAGE, tmp_path / "orchestration", ignore=shutil.ignore_patterns("*.pyc"))
    shutil.copy(PROJECT / "pyproject.toml", tmp_path)
    planted = tmp_path / "orchestration" / module
    planted.write_text(f"{planted.read_text()}\n{line}\n")
    done = linted_imports(tmp_path)
    assert done.returncode == 1
    assert contract in done.stdout


def test_the_root_holds_the_definitions_and_the_errors_only() -> None:
    assert {path.name for path in PACKAGE.glob("*.py")} == {
        "__init__.py",
        "definitions.py",
        "errors.py",
    }


def test_every_package_says_what_belongs_there() -> None:
    for folder in {path.parent for path in PACKAGE.rglob("*.py")}:
        if folder.parent.name == "sources":
            continue  # A source's folder is described by its contract.
        marker = folder / "__init__.py"
        assert marker.is_file(), folder
        assert ast.get_docstring(ast.parse(marker.read_text())), folder


# --- private interfaces ----------------------------------------------------------------------


def private_uses(path: Path) -> Iterator[str]:
    """Yield each use of an interface that Dagster, dagster-dbt or dbt do not promise to keep."""
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            package = node.module.split(".")[0]
            below = "." in node.module and node.module not in PUBLIC
            dbt_side = package in ("dagster_dbt", "dbt", "dagster_shared") and below
            if dbt_side or (package == "dagster" and "._" in node.module):
                yield node.module
        elif isinstance(node, ast.Attribute) and node.attr == "_ENV":
            yield node.attr


def test_private_interfaces_are_used_in_one_module_a_side() -> None:
    found = {path: list(private_uses(path)) for path in PACKAGE.rglob("*.py")}
    assert {path for path, uses in found.items() if uses} == set(PRIVATE)


def missing(names: dict[str, bool], package: str) -> str:
    gone = [name for name, there in names.items() if not there]
    return (
        f"{package} {version(package)} no longer has {', '.join(gone)} as it was. Pin the version "
        "before, or change private_interfaces.py to its replacement."
    )


def test_dagster_still_has_its_private_interfaces() -> None:
    from dagster_webserver import cli as webserver

    from orchestration.dagster import private_interfaces as private

    store, launcher = private.SqliteEventLogStorage, private.DefaultRunLauncher
    names = {
        "SqliteEventLogStorage(base_dir, inst_data)": list(
            inspect.signature(store.__init__).parameters
        )
        == ["self", "base_dir", "inst_data"],
        "SqliteEventLogStorage.run_connection": hasattr(store, "run_connection"),
        "SqliteEventLogStorage.index_connection": hasattr(store, "index_connection"),
        "SqliteEventLogStorage.has_table": hasattr(store, "has_table"),
        "DefaultRunLauncher.check_run_worker_health": hasattr(launcher, "check_run_worker_health"),
        "dagster_webserver.cli.create_app_from_workspace_process_context": hasattr(
            webserver, "create_app_from_workspace_process_context"
        ),
        "WorkerStatus.FAILED": hasattr(private.WorkerStatus, "FAILED"),
    }
    assert all(names.values()), missing(names, "dagster")


def test_dagster_dbt_still_has_its_private_interfaces() -> None:
    from dagster_dbt import asset_utils
    from dagster_dbt.core import dbt_cli_event

    selection = inspect.signature(asset_utils.get_subset_selection_for_context).parameters
    message = getattr(dbt_cli_event, "DbtCoreCliEventMessage", None)
    names = {
        "get_subset_selection_for_context(current_dbt_indirect_selection_env)": (
            "current_dbt_indirect_selection_env" in selection
        ),
        "DbtCoreCliEventMessage.to_default_asset_events": hasattr(
            message, "to_default_asset_events"
        ),
    }
    assert all(names.values()), missing(names, "dagster-dbt")


def test_dbt_duckdb_still_has_its_private_interfaces() -> None:
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager
    from dbt.adapters.duckdb.environments import Environment

    names = {
        "DuckDBConnectionManager._ENV": hasattr(DuckDBConnectionManager, "_ENV"),
        "DuckDBConnectionManager.close_all_connections": hasattr(
            DuckDBConnectionManager, "close_all_connections"
        ),
        "Environment.close": hasattr(Environment, "close"),
    }
    assert all(names.values()), missing(names, "dbt-duckdb")
