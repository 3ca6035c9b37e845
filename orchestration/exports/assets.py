"""The exports of every partnership as a Dagster asset."""

from datetime import date
from typing import Any

import dagster as dg

from orchestration.exports import export_release
from orchestration.owners import PUBLISHERS
from orchestration.publish.assets import RELEASE_KEY
from orchestration.resources import WarehouseWriter
from orchestration.settings import Settings


def exports_asset(
    settings: Settings, partitions: dg.PartitionsDefinition[Any]
) -> dg.AssetsDefinition:
    """Return the asset that writes tables, charts and a workbook for each partnership."""

    @dg.asset(
        key=["exports", "partnerships"],
        deps=[RELEASE_KEY],
        group_name="exports",
        owners=[PUBLISHERS],
        partitions_def=partitions,
        backfill_policy=dg.BackfillPolicy.multi_run(1),
        kinds={"excel", "csv"},
        description="Tables, charts and workbook of each partnership, from the published file.",
        metadata={"exports": dg.MetadataValue.path(settings.exports)},
        pool="warehouse",
    )
    def export(
        context: dg.AssetExecutionContext, warehouse: WarehouseWriter
    ) -> dg.MaterializeResult[Any]:
        settings = warehouse.settings
        quarter = date.fromisoformat(context.partition_key)
        published = settings.published / quarter.isoformat() / "csp.duckdb"
        results = export_release(published, settings.exports, quarter)
        return dg.MaterializeResult(
            metadata={
                "partnerships": len(results),
                "changed": sum(result.changed for result in results),
                "folders": dg.JsonMetadataValue([str(result.folder) for result in results]),
                "path": dg.MetadataValue.path(settings.exports / quarter.isoformat()),
            }
        )

    return export
