"""The dbt project as a library: its manifest, prepared ahead, and runs within this process.

dbt in process is several times cheaper than a subprocess once loaded, which is what makes a
quarter's refresh a matter of seconds.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestration import __version__
from orchestration.config.settings import PROJECT, Settings
from orchestration.errors import CspError, TransformError
from orchestration.ingest.checking.contract import SOURCES
from orchestration.transform.check_failures import (
    FAILED,
    failure_message,
    words_of_failures,
    words_of_test,
)
from orchestration.transform.private_interfaces import close_connections
from orchestration.warehouse.checksum import sha256_of
from orchestration.warehouse.connection import damaged, is_damage
from orchestration.warehouse.lake import lake_environment, lake_fault

if TYPE_CHECKING:
    from orchestration.transform.column_lineage import ColumnLineage

PROJECT_DIR = PROJECT / "dbt_project"
_INPUT_SUFFIXES = {".sql", ".yml", ".yaml", ".csv", ".md"}
_NOT_INPUTS = {"target", "logs"}
_FUNCTIONS = Path(__file__).with_name("seasonal_adjustment.py")
"""What the SQL of the models calls."""

RawEvent = dict[str, Any]


def manifest_path(settings: Settings) -> Path:
    """Where the parsed project lies once :func:`prepare_manifest` has run."""
    return settings.dbt_state / "target" / "manifest.json"


def load_manifest(settings: Settings) -> dict[str, Any]:
    """Read the prepared manifest.

    Raises :class:`TransformError` where it was never prepared, or is damaged.
    """
    try:
        with manifest_path(settings).open("rb") as handle:
            manifest: dict[str, Any] = json.load(handle)
    except (OSError, ValueError) as error:
        raise TransformError(
            "The dbt project has not been parsed yet, or the parsed one is damaged. Run `csp "
            "prepare` (or `make dev`, which does) and load the definitions again."
        ) from error
    return manifest


def lineage_path(settings: Settings) -> Path:
    """Where the column lineage of the parsed project lies."""
    return settings.dbt_state / "lineage.json"


def load_lineage(settings: Settings) -> "ColumnLineage":
    """Read the prepared column lineage; nothing where it was never prepared, or is damaged."""
    try:
        text = lineage_path(settings).read_text(encoding="utf-8")
        read = json.loads(text)
    except (OSError, ValueError):
        return {}
    return {
        model: {
            column: [(parent, behind) for parent, behind in origins]
            for column, origins in columns.items()
        }
        for model, columns in read.items()
    }


def prepare_manifest(settings: Settings) -> bool:
    """Parse the dbt project, and read its column lineage, if it changed since that was last done.

    What was damaged since is made again too. Returns whether anything had to be done. Raises
    :class:`TransformError` with dbt's own words on a fault.
    """
    stamp = _stamp(settings)
    if is_prepared(settings):
        return False
    # Gone until all is there: what breaks off half-way is done again.
    _remove(stamp)
    for path in (manifest_path(settings), lineage_path(settings)):
        _remove(path)
    _remove_odd(settings.dbt_state)
    parsed = run_dbt(settings, ["parse"])
    _write_lineage(settings, _compiled_models(settings, parsed))
    stamp_prepared(settings)
    return True


def is_prepared(settings: Settings) -> bool:
    """Say whether the parsed project and its lineage are of the project's files, and undamaged."""
    try:
        return _stamp(settings).read_text() == _prepared_sha256(settings)
    except (OSError, UnicodeDecodeError):
        return False


def is_stamped(settings: Settings) -> bool:
    """Say whether this very project was prepared once, damaged since or not."""
    try:
        return _stamp(settings).read_text().startswith(inputs_sha256())
    except (OSError, UnicodeDecodeError):
        return False


def stamp_prepared(settings: Settings) -> None:
    """Note of which project the parsed one is, and its checksum."""
    _stamp(settings).write_text(_prepared_sha256(settings))


def _stamp(settings: Settings) -> Path:
    return settings.dbt_state / "inputs.sha256"


def _prepared_sha256(settings: Settings) -> str:
    made = (manifest_path(settings), lineage_path(settings))
    return "\n".join([inputs_sha256(), *(sha256_of(path) for path in made)])


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _remove_odd(state: Path) -> None:
    """Remove what dbt can neither read nor write: a file in a folder's place, or the other way."""
    target = state / "target"
    for folder in (state, target, state / "logs"):
        if folder.exists() and not folder.is_dir():
            folder.unlink()
    for name in ("partial_parse.msgpack", "graph_summary.json", "perf_info.json",
                 "semantic_manifest.json"):  # fmt: skip
        if (target / name).is_dir():
            shutil.rmtree(target / name)


_COMPILE_MODELS = [
    # Asks nothing of the warehouse, which may not be there yet or be another process's; writes
    # nothing that a build writes.
    "--no-write-json",
    "compile",
    "--no-populate-cache",
    "--no-introspect",
    "--select", "resource_type:model",
    "--indirect-selection", "empty",
]  # fmt: skip


def _compiled_models(settings: Settings, parsed: Any) -> dict[str, str]:
    """Return the SQL of every model by its unique id, with the project as dbt has parsed it."""
    compiled = run_dbt(settings, _COMPILE_MODELS, parsed=parsed)
    return {one.node.unique_id: one.node.compiled_code for one in compiled}


def _write_lineage(settings: Settings, compiled: Mapping[str, str]) -> None:
    from orchestration.transform.column_lineage import column_lineage

    lineage = column_lineage(load_manifest(settings), compiled)
    lineage_path(settings).write_text(json.dumps(lineage), encoding="utf-8")


def inputs_sha256() -> str:
    """Return the digest of every file that dbt parses, of the functions that the models call with
    the version of their library, and of this version."""
    digest = hashlib.sha256(f"{__version__} {_functions()}".encode())
    for root in (PROJECT_DIR, SOURCES):
        for path in sorted(root.rglob("*")):
            parts = path.relative_to(root).parts
            if path.suffix in _INPUT_SUFFIXES and not _NOT_INPUTS & set(parts) and path.is_file():
                digest.update("/".join(parts).encode())
                digest.update(path.read_bytes())
    return digest.hexdigest()


def _functions() -> str:
    """Return the text of the functions that the models call, and the version of their library."""
    return f"statsmodels {version('statsmodels')}\n{_FUNCTIONS.read_text(encoding='utf-8')}"


def run_dbt(
    settings: Settings,
    arguments: Sequence[str],
    on_event: Callable[[RawEvent], None] | None = None,
    parsed: Any = None,
) -> Any:
    """Run a dbt command in this process, on the warehouse of ``settings``; return its result.

    ``on_event`` gets each structured event as a mapping with ``info`` and ``data``. ``parsed`` is
    the result of ``parse``, where the command need not parse again. Raises
    :class:`TransformError` that names the models and tests that failed. Leaves no connection open.
    """
    from dbt.cli.main import dbtRunner
    from google.protobuf.json_format import MessageToDict

    def forward(event: Any) -> None:
        if on_event and event.info.name in _RESULT_EVENTS:
            on_event(MessageToDict(event, preserving_proto_field_name=True))

    command = [
        *arguments,
        "--project-dir", str(PROJECT_DIR),
        "--profiles-dir", str(PROJECT_DIR),
        "--target-path", str(settings.dbt_state / "target"),
        "--log-path", str(settings.dbt_state / "logs"),
        "--log-level", "none",
        "--no-use-colors",
    ]  # fmt: skip
    if settings.on_lake:
        # Every commit takes the next number of one catalogue: two threads only repeat each other's.
        command += ["--threads", "1"]
    with _environment(settings), _closed_connections():
        result = dbtRunner(manifest=parsed, callbacks=[forward]).invoke(command)
    if not result.success:
        raise _failure(result, settings)
    return result.result


_RESULT_EVENTS = {
    "LogModelResult",
    "LogSeedResult",
    "LogSnapshotResult",
    "LogTestResult",
    "LogNodeResult",
    "LogFunctionResult",
}


@contextmanager
def _environment(settings: Settings) -> Iterator[None]:
    """Give dbt's profile its settings, which it can only take from the environment."""
    given = {
        "CSP_WAREHOUSE": str(settings.warehouse),
        "CSP_ENGINE_MEMORY": settings.engine_memory,
        "CSP_THREADS": str(settings.threads),
    }
    if settings.warehouse_key:
        given["CSP_HOME"] = str(settings.home)
        given["CSP_WAREHOUSE_KEY"] = settings.warehouse_key.get_secret_value()
    if settings.on_lake:
        # The plug-in attaches the lake by the settings; what the profile calls it is a name only.
        given |= {
            **lake_environment(settings),
            "CSP_HOME": str(settings.home),
            "CSP_WAREHOUSE": "ducklake:warehouse",
            "CSP_SPILL": str(settings.home / "warehouse.tmp"),
        }
    before = {name: os.environ.get(name) for name in given}
    os.environ.update(given)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextmanager
def _closed_connections() -> Iterator[None]:
    """Close dbt's connection afterwards, whatever happens."""
    try:
        yield
    finally:
        close_connections()


def _failure(result: Any, settings: Settings) -> CspError:
    if result.exception is not None:
        if isinstance(result.exception.__cause__ or result.exception, KeyboardInterrupt):
            raise KeyboardInterrupt from result.exception
        said = f"dbt stopped: {result.exception}"
        if settings.on_lake:
            return lake_fault(settings, said) or TransformError(said)
        return damaged(settings.warehouse, said) if is_damage(said) else TransformError(said)
    messages = " ".join(str(one.message) for one in result.result if one.status in FAILED)
    if settings.on_lake and (fault := lake_fault(settings, messages)):
        return fault
    if not settings.on_lake and is_damage(messages):
        return damaged(settings.warehouse, messages)
    failed = words_of_failures(settings, result.result)
    return TransformError(failure_message(settings, result.result, failed), failed)


def warnings_by_test(settings: Settings, results: Iterable[Any]) -> dict[str, list[str]]:
    """Return what each test that warned in a run says, without counts, by unique id.

    ``results`` are those that :func:`run_dbt` returned.
    """
    return {
        one.node.unique_id: words_of_test(settings, one, counted=False)
        for one in results
        if one.status == "warn"
    }


def project_settings() -> str:
    """Return the text of the dbt project's own file, which has the variables of its methods."""
    return (PROJECT_DIR / "dbt_project.yml").read_text(encoding="utf-8")


def method_settings() -> str:
    """Return the text of what figures depend on beside the models: variables and functions."""
    return f"{project_settings()}\n{_functions()}"


def published_nodes(manifest: Mapping[str, Any]) -> list[str]:
    """Return the unique ids of the models that leave the restricted side."""
    return sorted(
        name
        for name, node in manifest["nodes"].items()
        if node["resource_type"] == "model"
        and node["config"].get("meta", {}).get("csp", {}).get("publish")
    )


def fixed_dimensions(manifest: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """Return, by model, the dimensions that a table has without a column for them."""
    return {
        node["name"]: node["config"]["meta"]["csp"]["stands_for"]
        for node in manifest["nodes"].values()
        if "stands_for" in node["config"].get("meta", {}).get("csp", {})
    }
