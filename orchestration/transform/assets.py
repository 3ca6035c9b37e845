"""The dbt models as Dagster assets, their tests as asset checks."""

import os
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from graphlib import TopologicalSorter
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DagsterDbtTranslatorSettings, dbt_assets
from dagster_dbt.asset_utils import default_asset_key_fn, get_subset_selection_for_context
from dagster_dbt.core.dbt_cli_event import DbtCoreCliEventMessage

from orchestration.errors import TransformError
from orchestration.resources import WarehouseWriter
from orchestration.settings import Settings
from orchestration.transform.last_build import (
    LastBuild,
    fingerprint,
    remember,
    standing_build,
    table_rows,
)
from orchestration.transform.project import RawEvent, inputs_sha256, run_dbt
from orchestration.warehouse import connect

FULL_TAG = "csp/full"
"""Tag of a run that builds every model, whether or not anything has changed."""

STANDS_SINCE = "csp/stands_since"
"""Metadata of a model that was not built again: when it was built (UTC)."""


class ModelTranslator(DagsterDbtTranslator):
    """Names dbt nodes as the design does: key (schema, model), group by schema."""

    def __init__(self) -> None:
        super().__init__(DagsterDbtTranslatorSettings(enable_source_tests_as_checks=True))

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str | None:
        """Group by the schema: staging, intermediate, marts, reports, reference."""
        schema: str = dbt_resource_props["schema"]
        return schema


def model_assets(
    manifest: Mapping[str, Any], partitions: dg.PartitionsDefinition[Any]
) -> dg.AssetsDefinition:
    """Return the assets of every seed and model in the manifest."""
    translator = ModelTranslator()

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
        wanted = _fingerprint(settings, manifest)
        last = _standing(context, settings, wanted)
        if last:
            context.log.info(f"Nothing that the models read has changed since {last.built_at}.")
            yield from _unchanged(context, manifest, last)
            return
        events: list[RawEvent] = []
        failure: TransformError | None = None
        try:
            run_dbt(settings, _command(context, manifest, translator), events.append)
        except TransformError as error:
            failure = error
        rows = _row_counts(settings, manifest)
        for event in events:
            message = DbtCoreCliEventMessage(event, event_history_metadata={})
            for asset_event in message.to_default_asset_events(manifest, translator, context):
                yield _with_row_count(
                    asset_event, rows.get(_table(manifest, event["data"]["node_info"]["unique_id"]))
                )
        if failure:
            raise failure
        if not context.is_subset and _all_passed(events):
            _remember(settings, wanted, events, rows)

    return build


# --- what need not be built ------------------------------------------------------------------


def _fingerprint(settings: Settings, manifest: Mapping[str, Any]) -> str:
    with connect(settings, read_only=True) as connection:
        return fingerprint(connection, manifest, inputs_sha256(settings))


def _standing(
    context: dg.AssetExecutionContext, settings: Settings, wanted: str
) -> LastBuild | None:
    """Return the build that stands, unless only some models, or all regardless, are asked for."""
    if context.is_subset or context.run.tags.get(FULL_TAG):
        return None
    with connect(settings, read_only=True) as connection:
        return standing_build(connection, wanted)


def _unchanged(
    context: dg.AssetExecutionContext, manifest: Mapping[str, Any], last: LastBuild
) -> Iterator[dg.MaterializeResult[Any]]:
    """Tell Dagster of each model, in the order of their making, that it stands as it was built."""
    for name in TopologicalSorter(manifest["parent_map"]).static_order():
        node = manifest["nodes"].get(name)
        key = default_asset_key_fn(node) if node else None
        if key in context.selected_asset_keys:
            rows = last.rows.get(_table(manifest, name))
            yield dg.MaterializeResult(
                asset_key=key,
                metadata={
                    STANDS_SINCE: last.built_at.isoformat(),
                    "csp/tests_passed_then": last.tests,
                    **({} if rows is None else {"dagster/row_count": rows}),
                },
            )


def _all_passed(events: list[RawEvent]) -> bool:
    return {str(event["data"]["node_info"]["node_status"]) for event in events} <= {
        "success",
        "pass",
    }


def _remember(
    settings: Settings, wanted: str, events: list[RawEvent], rows: Mapping[str, int]
) -> None:
    tests = sum(event["info"]["name"] == "LogTestResult" for event in events)
    now = datetime.now(UTC).replace(tzinfo=None, microsecond=0)
    with connect(settings) as connection:
        remember(connection, LastBuild(wanted, now, tests, rows))


# --- what is built ---------------------------------------------------------------------------


def _command(
    context: dg.AssetExecutionContext, manifest: Mapping[str, Any], translator: ModelTranslator
) -> list[str]:
    """Build what Dagster selected; unit tests belong to the test suite, not to a refresh."""
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
    return ["build", *selection, *chosen, "--exclude-resource-type", "unit_test"]


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
