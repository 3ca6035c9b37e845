"""The dbt models as Dagster assets, their tests as asset checks."""

import os
from collections.abc import Iterator, Mapping
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DagsterDbtTranslatorSettings, dbt_assets
from dagster_dbt.asset_utils import get_subset_selection_for_context
from dagster_dbt.core.dbt_cli_event import DbtCoreCliEventMessage

from orchestration.errors import TransformError
from orchestration.owners import ANALYSTS
from orchestration.resources import WarehouseWriter
from orchestration.settings import Settings
from orchestration.transform.project import RawEvent, run_dbt
from orchestration.warehouse import connect


class ModelTranslator(DagsterDbtTranslator):
    """Names dbt nodes as the design does: key (schema, model), group by schema."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(DagsterDbtTranslatorSettings(enable_source_tests_as_checks=True))
        self._places = settings

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str | None:
        """Group by the schema: staging, intermediate, marts, reports, reference."""
        schema: str = dbt_resource_props["schema"]
        return schema

    def get_owners(self, dbt_resource_props: Mapping[str, Any]) -> list[str]:
        """Every model is the analysts'."""
        return [ANALYSTS]

    def get_metadata(self, dbt_resource_props: Mapping[str, Any]) -> Mapping[str, Any]:
        """Add where the table is found: in the warehouse, and what is published also outside."""
        metadata = dict(super().get_metadata(dbt_resource_props))
        metadata["warehouse"] = dg.MetadataValue.path(self._places.warehouse)
        if dbt_resource_props["config"].get("meta", {}).get("csp", {}).get("publish"):
            metadata["published"] = dg.MetadataValue.path(self._places.published / "csp.duckdb")
            metadata["exports"] = dg.MetadataValue.path(self._places.exports)
        return metadata


def model_assets(
    settings: Settings, manifest: Mapping[str, Any], partitions: dg.PartitionsDefinition[Any]
) -> dg.AssetsDefinition:
    """Return the assets of every seed and model in the manifest."""
    translator = ModelTranslator(settings)

    @dbt_assets(
        manifest=manifest,
        name="marts",
        partitions_def=partitions,
        backfill_policy=dg.BackfillPolicy.multi_run(1),
        dagster_dbt_translator=translator,
        pool="warehouse",
    )
    def build(context: dg.AssetExecutionContext, warehouse: WarehouseWriter) -> Iterator[Any]:
        events: list[RawEvent] = []
        failure: TransformError | None = None
        try:
            run_dbt(warehouse.settings, _command(context, manifest, translator), events.append)
        except TransformError as error:
            failure = error
        rows = _row_counts(warehouse.settings, manifest)
        for event in events:
            message = DbtCoreCliEventMessage(event, event_history_metadata={})
            for asset_event in message.to_default_asset_events(manifest, translator, context):
                yield _with_row_count(
                    asset_event, rows.get(message.raw_event["data"]["node_info"]["unique_id"])
                )
        if failure:
            raise failure

    return build


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
    """Count the rows of every table that dbt made (a view would have to be computed)."""
    with connect(settings, read_only=True) as connection:
        tables = set(
            connection.execute(
                "select schema_name || '.' || table_name from duckdb_tables()"
            ).fetchall()
        )
        counts = {}
        for name, node in manifest["nodes"].items():
            table = f"{node['schema']}.{node.get('alias') or node['name']}"
            if node["resource_type"] in {"model", "seed"} and (table,) in tables:
                ((rows,),) = connection.execute(f"select count(*) from {table}").fetchall()
                counts[name] = rows
    return counts


def _with_row_count(event: Any, rows: int | None) -> Any:
    if not isinstance(event, dg.Output) or rows is None:
        return event
    return dg.Output(
        None,
        output_name=event.output_name,
        metadata={**event.metadata, "dagster/row_count": rows},
    )
