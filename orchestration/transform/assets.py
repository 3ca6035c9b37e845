"""The dbt models as Dagster assets, their tests as asset checks."""

import os
from collections.abc import Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DagsterDbtTranslatorSettings, dbt_assets
from dagster_dbt.asset_utils import default_asset_key_fn, get_subset_selection_for_context
from dagster_dbt.core.dbt_cli_event import DbtCoreCliEventMessage

from orchestration.errors import TransformError
from orchestration.owners import ANALYSTS
from orchestration.resources import WarehouseWriter
from orchestration.settings import Settings
from orchestration.transform.last_build import (
    LastBuild,
    fingerprints,
    remember,
    standing_build,
    table_rows,
)
from orchestration.transform.lineage_shown import with_lineage
from orchestration.transform.project import (
    RawEvent,
    inputs_sha256,
    load_lineage,
    run_dbt,
    told_warnings,
)
from orchestration.warehouse import connect

FULL_TAG = "csp/full"
"""Tag of a run that builds every model, whether or not anything has changed."""

STANDS_SINCE = "csp/stands_since"
"""Metadata of a model that was not built again: when it was built (UTC)."""

_DBT_BUILD = ["build", "--exclude-resource-type", "unit_test"]
"""Unit tests belong to the test suite, not to a refresh."""


class ModelTranslator(DagsterDbtTranslator):
    """Names dbt nodes as the design does: key (schema, model), group by schema."""

    def __init__(self, settings: Settings, manifest: Mapping[str, Any]) -> None:
        super().__init__(DagsterDbtTranslatorSettings(enable_source_tests_as_checks=True))
        self._places = settings
        self._manifest = manifest
        self._lineage = load_lineage(settings)

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str | None:
        """Group by the schema: staging, intermediate, marts, reports, reference."""
        schema: str = dbt_resource_props["schema"]
        return schema

    def get_owners(self, dbt_resource_props: Mapping[str, Any]) -> list[str]:
        """Every model is the analysts'."""
        return [ANALYSTS]

    def get_metadata(self, dbt_resource_props: Mapping[str, Any]) -> Mapping[str, Any]:
        """Add what each column is made from, and where the table is found: in the warehouse, and
        what is published also outside."""
        metadata = with_lineage(
            super().get_metadata(dbt_resource_props),
            dbt_resource_props,
            self._lineage,
            self._manifest,
        )
        metadata["warehouse"] = dg.MetadataValue.path(self._places.warehouse)
        if dbt_resource_props["config"].get("meta", {}).get("csp", {}).get("publish"):
            metadata["published"] = dg.MetadataValue.path(self._places.published / "csp.duckdb")
            metadata["exports"] = dg.MetadataValue.path(self._places.exports)
        return metadata


def model_assets(
    settings: Settings, manifest: Mapping[str, Any], partitions: dg.PartitionsDefinition[Any]
) -> dg.AssetsDefinition:
    """Return the assets of every seed and model in the manifest."""
    translator = ModelTranslator(settings, manifest)

    @dbt_assets(
        manifest=manifest,
        name="marts",
        partitions_def=partitions,
        backfill_policy=dg.BackfillPolicy.multi_run(1),
        dagster_dbt_translator=translator,
        pool="warehouse",
    )
    def build(context: dg.AssetExecutionContext, warehouse: WarehouseWriter) -> Iterator[Any]:
        settings = warehouse.settings
        made_from = _fingerprints(settings, manifest)
        last = _last_build(context, settings)
        changed = [
            name
            for name, digest in made_from.items()
            if not last or last.fingerprints.get(name) != digest
        ]
        if last:
            context.log.info(f"{len(changed)} of {len(made_from)} models have anything new.")
            standing = [name for name in made_from if name not in set(changed)]
            yield from _unchanged(manifest, standing, last)
        checked: set[tuple[dg.AssetKey | None, str | None]] = set()
        if changed:
            some = last is not None and len(changed) < len(made_from)
            command = _only(manifest, changed) if some else _command(context, manifest, translator)
            built = yield from _build(context, settings, manifest, translator, command)
            checked = built.checks
            if built.none_failed and not context.is_subset:
                before = last.warned if last else {}
                rerun = {_check_id(*check) for check in checked}
                kept = {check: said for check, said in before.items() if check not in rerun}
                _remember(settings, made_from, built.rows, {**kept, **built.warned})
        if last:
            for check in sorted(context.selected_asset_check_keys):
                if (check.asset_key, check.name) not in checked:
                    yield _standing_check(check, last)

    return build


# --- what need not be built ------------------------------------------------------------------


def _fingerprints(settings: Settings, manifest: Mapping[str, Any]) -> dict[str, str]:
    with connect(settings, read_only=True) as connection:
        return fingerprints(connection, manifest, inputs_sha256())


def _last_build(context: dg.AssetExecutionContext, settings: Settings) -> LastBuild | None:
    """Return the build that stands, unless only some models, or all regardless, are asked for."""
    if context.is_subset or context.run.tags.get(FULL_TAG):
        return None
    with connect(settings, read_only=True) as connection:
        return standing_build(connection)


def _unchanged(
    manifest: Mapping[str, Any], names: Iterable[str], last: LastBuild
) -> Iterator[dg.MaterializeResult[Any]]:
    """Tell Dagster of each model that stands as it was built; ``names`` have parents first."""
    for name in names:
        rows = last.rows.get(_table(manifest, name))
        yield dg.MaterializeResult(
            asset_key=default_asset_key_fn(manifest["nodes"][name]),
            metadata={
                STANDS_SINCE: last.built_at.isoformat(),
                **({} if rows is None else {"dagster/row_count": rows}),
            },
        )


def _standing_check(check: dg.AssetCheckKey, last: LastBuild) -> dg.AssetCheckResult:
    """Tell Dagster how a check on what still stands ended: a build that failed is not remembered,
    so it passed or warned."""
    said = last.warned.get(_check_id(check.asset_key, check.name))
    return dg.AssetCheckResult(
        passed=said is None,
        severity=dg.AssetCheckSeverity.WARN if said else dg.AssetCheckSeverity.ERROR,
        description="; ".join(said) if said else None,
        asset_key=check.asset_key,
        check_name=check.name,
        metadata={STANDS_SINCE: last.built_at.isoformat()},
    )


def _check_id(asset_key: dg.AssetKey | None, name: str | None) -> str:
    return f"{asset_key.to_user_string() if asset_key else ''}:{name}"


def _only(manifest: Mapping[str, Any], names: Iterable[str]) -> list[str]:
    """Build what has anything new; every test that touches any of it runs, as do the sources'.

    Where anything stands the project is the same, so an incremental model may keep what it has.
    A model is named in full: ``iom_cohort`` alone would also mean the folder of that name.
    """
    chosen = ["fqn:" + ".".join(manifest["nodes"][name]["fqn"]) for name in names]
    return [*_DBT_BUILD, "--select", *chosen, "source:control"]


def _remember(
    settings: Settings,
    made_from: Mapping[str, str],
    rows: Mapping[str, int],
    warned: Mapping[str, list[str]],
) -> None:
    now = datetime.now(UTC).replace(tzinfo=None, microsecond=0)
    with connect(settings) as connection:
        remember(connection, LastBuild(made_from, now, rows, warned))


# --- what is built ---------------------------------------------------------------------------


@dataclass
class _Built:
    """What came of a run of dbt: the rows of each table, the checks made, and how they ended.

    ``warned`` has the words of each check that warned.
    """

    rows: Mapping[str, int]
    checks: set[tuple[dg.AssetKey | None, str | None]] = field(default_factory=set)
    none_failed: bool = True
    warned: dict[str, list[str]] = field(default_factory=dict)


def _build(
    context: dg.AssetExecutionContext,
    settings: Settings,
    manifest: Mapping[str, Any],
    translator: ModelTranslator,
    command: list[str],
) -> Generator[Any, None, _Built]:
    """Run dbt, and yield what it reports of each model and test as Dagster's events."""
    events: list[RawEvent] = []
    failure: TransformError | None = None
    try:
        run_dbt(settings, command, events.append)
    except TransformError as error:
        failure = error
    built = _Built(_row_counts(settings, manifest))
    warnings = told_warnings(settings)
    for event in events:
        about = event["data"]["node_info"]
        built.none_failed &= str(about["node_status"]) in {"success", "pass", "warn"}
        message = DbtCoreCliEventMessage(event, event_history_metadata={})
        for asset_event in message.to_default_asset_events(manifest, translator, context):
            if isinstance(asset_event, dg.AssetCheckResult):
                check = (asset_event.asset_key, asset_event.check_name)
                built.checks.add(check)
                if about["unique_id"] in warnings:
                    built.warned[_check_id(*check)] = warnings[about["unique_id"]]
            yield _with_row_count(asset_event, built.rows.get(_table(manifest, about["unique_id"])))
    if failure:
        raise failure
    return built


def _command(
    context: dg.AssetExecutionContext, manifest: Mapping[str, Any], translator: ModelTranslator
) -> list[str]:
    """Build what Dagster selected, from nothing: what stands may be of another project."""
    selection, indirect = get_subset_selection_for_context(
        context=context,
        manifest=manifest,
        select=context.op.tags.get("dagster_dbt/select"),
        exclude=context.op.tags.get("dagster_dbt/exclude"),
        selector=context.op.tags.get("dagster_dbt/selector"),
        dagster_dbt_translator=translator,
        current_dbt_indirect_selection_env=os.environ.get("DBT_INDIRECT_SELECTION"),
    )
    chosen = ["--indirect-selection", indirect] if indirect else []
    return [*_DBT_BUILD, "--full-refresh", *selection, *chosen]


def _row_counts(settings: Settings, manifest: Mapping[str, Any]) -> dict[str, int]:
    """Count the rows of every table that dbt made, by ``schema.name``."""
    tables = [
        _table(manifest, name)
        for name, node in manifest["nodes"].items()
        if node["resource_type"] in {"model", "seed"}
    ]
    with connect(settings, read_only=True) as connection:
        return table_rows(connection, tables)


def _table(manifest: Mapping[str, Any], name: str) -> str:
    node = manifest["nodes"].get(name, {})
    return f"{node.get('schema')}.{node.get('alias') or node.get('name')}"


def _with_row_count(event: Any, rows: int | None) -> Any:
    if not isinstance(event, dg.Output) or rows is None:
        return event
    return dg.Output(
        None,
        output_name=event.output_name,
        metadata={**event.metadata, "dagster/row_count": rows},
    )
