"""The exports of every partnership as a Dagster asset."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import dagster as dg

from orchestration.config.settings import Settings
from orchestration.dagster.assets.publish import RELEASE_KEY
from orchestration.dagster.owners import PUBLISHERS
from orchestration.dagster.partitions import quarters_of
from orchestration.dagster.resources import WarehouseWriter
from orchestration.exports import ExportResult, export_release
from orchestration.warehouse.permissions import open_to_readers

EXPORTS_KEY = dg.AssetKey(["exports", "partnerships"])


def exports_asset(
    settings: Settings, partitions: dg.PartitionsDefinition[Any]
) -> dg.AssetsDefinition:
    """Return the asset that writes tables, charts and a workbook for each partnership."""

    @dg.asset(
        key=EXPORTS_KEY,
        deps=[RELEASE_KEY],
        group_name="exports",
        owners=[PUBLISHERS],
        partitions_def=partitions,
        backfill_policy=dg.BackfillPolicy.single_run(),
        kinds={"excel", "csv"},
        description="Tables, charts and workbook of each partnership, from the published file.",
        metadata={"exports": dg.MetadataValue.path(settings.exports)},
        pool="warehouse",
    )
    def export(
        context: dg.AssetExecutionContext, warehouse: WarehouseWriter
    ) -> dg.MaterializeResult[Any]:
        quarter = quarters_of(context)[-1]
        results = export_quarter(warehouse.settings, quarter)
        warehouse.completed.add_to(context, EXPORTS_KEY)
        return dg.MaterializeResult(metadata=export_metadata(warehouse.settings, quarter, results))

    return export


def export_quarter(settings: Settings, quarter: date) -> list[ExportResult]:
    """Export the release of ``quarter`` for every partnership."""
    published = settings.published / quarter.isoformat() / "csp.duckdb"
    results = export_release(published, settings.exports, quarter, texts=settings.texts_folder)
    open_to_readers(settings.exports)
    return results


def export_metadata(
    settings: Settings, quarter: date, results: Sequence[ExportResult]
) -> dict[str, Any]:
    """Return the metadata of a quarter's exports for Dagster."""
    return {
        "partnerships": len(results),
        "changed": sum(result.changed for result in results),
        "warnings": dg.JsonMetadataValue([one for result in results for one in result.warnings]),
        "folders": dg.JsonMetadataValue([str(result.folder) for result in results]),
        "path": dg.MetadataValue.path(settings.exports / quarter.isoformat()),
    }
