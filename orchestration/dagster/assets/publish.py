"""The published release as a Dagster asset."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

import dagster as dg

from orchestration.config.settings import Settings
from orchestration.dagster.asset_keys import asset_key_of
from orchestration.dagster.assets.disclosure import DISCLOSURE_KEY
from orchestration.dagster.owners import PUBLISHERS
from orchestration.dagster.partitions import quarters_of
from orchestration.dagster.resources import WarehouseWriter
from orchestration.publish import (
    Release,
    build_release,
    declared_metrics,
    declared_reports,
    published_tables,
    source_descriptions,
)
from orchestration.transform.dbt_runner import load_lineage, method_settings, published_nodes
from orchestration.transform.source_origins import sources_behind
from orchestration.warehouse.connection import lake_attacher
from orchestration.warehouse.permissions import open_to_readers

RELEASE_KEY = dg.AssetKey(["published", "csp"])


def release_asset(
    settings: Settings, manifest: Mapping[str, Any], partitions: dg.PartitionsDefinition[Any]
) -> dg.AssetsDefinition:
    """Return the asset that publishes every model marked for publication."""
    # Tables of people are taken as disclosure control left them.
    models = [
        asset_key_of(manifest["nodes"][name])
        for name in published_nodes(manifest)
        if "disclosure" not in manifest["nodes"][name]["config"]["meta"]["csp"]
    ]

    @dg.asset(
        key=RELEASE_KEY,
        deps=[*models, DISCLOSURE_KEY],
        group_name="publish",
        owners=[PUBLISHERS],
        partitions_def=partitions,
        backfill_policy=dg.BackfillPolicy.single_run(),
        kinds={"duckdb"},
        description="The read-only database for BI: a new file, checked, and renamed into place.",
        metadata={
            "for_bi": dg.MetadataValue.path(settings.published / "csp.duckdb"),
            "exports": dg.MetadataValue.path(settings.exports),
        },
        pool="warehouse",
    )
    def publish(
        context: dg.AssetExecutionContext, warehouse: WarehouseWriter
    ) -> dg.MaterializeResult[Any]:
        quarters = quarters_of(context)
        warehouse.completed.require(quarters[:-1])
        release = publish_quarter(warehouse.settings, manifest, quarters[-1])
        warehouse.completed.add_to(context, RELEASE_KEY)
        return dg.MaterializeResult(metadata=release_metadata(warehouse.settings, release))

    return publish


def publish_quarter(settings: Settings, manifest: Mapping[str, Any], quarter: date) -> Release:
    """Publish the warehouse's tables as the release of ``quarter``."""
    release = build_release(
        settings.warehouse,
        settings.published,
        quarter,
        published_tables(manifest, method_settings(), load_lineage(settings)),
        datetime.now(UTC),
        credits=source_descriptions(manifest),
        reports=declared_reports(manifest),
        metrics=declared_metrics(manifest),
        sources=sources_behind(manifest, published_nodes(manifest)),
        memory_limit=settings.engine_memory,
        threads=settings.threads,
        key=settings.warehouse_key.get_secret_value() if settings.warehouse_key else None,
        attach_lake=lake_attacher(settings),
    )
    open_to_readers(settings.published)
    return release


def release_metadata(settings: Settings, release: Release) -> dict[str, Any]:
    """Return the metadata of a release for Dagster."""
    return {
        "changed": release.changed,
        "changed_tables": dg.JsonMetadataValue(list(release.changed_tables)),
        "current": release.is_current,
        "synthetic": release.synthetic,
        "data_up_to": str(release.data_up_to or "no data"),
        "built_at": release.built_at.isoformat(),
        "content_digest": release.content_digest,
        "path": dg.MetadataValue.path(release.path),
        "exports": dg.MetadataValue.path(settings.exports / release.quarter.isoformat()),
        "dagster/row_count": sum(release.row_counts.values()),
    }
