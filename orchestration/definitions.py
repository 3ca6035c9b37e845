"""Assembles the warehouse for Dagster. Nothing else belongs here."""

import warnings

import dagster as dg

from orchestration.config.garbage_collection import collect_seldom
from orchestration.config.settings import load_settings
from orchestration.dagster.assets.disclosure import disclosure_asset
from orchestration.dagster.assets.exports import exports_asset
from orchestration.dagster.assets.feeds import feed_assets
from orchestration.dagster.assets.ingest import control_asset, source_assets
from orchestration.dagster.assets.landing import landing_assets
from orchestration.dagster.assets.publish import release_asset
from orchestration.dagster.assets.transform import model_assets
from orchestration.dagster.backfill import earlier_quarters
from orchestration.dagster.jobs import PROGRESS_LOGGER, fetch_job, progress_logger, refresh_job
from orchestration.dagster.partitions import quarterly
from orchestration.dagster.resources import WarehouseWriter
from orchestration.dagster.schedules import fetch_schedule, refresh_schedule
from orchestration.dagster.sensors import (
    failure_sensor,
    landing_sensor,
    lateness_sensor,
    locked_sensor,
)
from orchestration.transform.dbt_runner import load_manifest


@dg.definitions
def warehouse() -> dg.Definitions:
    """Every asset, check, job and schedule of the warehouse, from the prepared dbt manifest."""
    # Backfill policies have been in beta for years; the warning would precede every command.
    warnings.filterwarnings("ignore", category=dg.BetaWarning)
    # Here as well as before a command: Dagster's own processes load only this.
    collect_seldom()
    settings = load_settings()
    manifest = load_manifest(settings)
    partitions = quarterly(settings)
    job, fetching = refresh_job(), fetch_job()
    return dg.Definitions(
        assets=[
            *feed_assets(manifest, partitions),
            *landing_assets(manifest, partitions),
            *source_assets(manifest, partitions),
            control_asset(manifest, partitions, earlier_quarters(manifest)),
            model_assets(settings, manifest, partitions),
            disclosure_asset(manifest, partitions),
            release_asset(settings, manifest, partitions),
            exports_asset(settings, partitions),
        ],
        jobs=[job, fetching],
        schedules=[refresh_schedule(settings, job), fetch_schedule(settings, fetching)],
        sensors=[
            landing_sensor(settings, job),
            failure_sensor(settings),
            locked_sensor(settings),
            lateness_sensor(settings),
        ],
        resources={"warehouse": WarehouseWriter()},
        loggers={"console": dg.colored_console_logger, PROGRESS_LOGGER: progress_logger},
        # In process: one run is one process, which holds the write lock from end to end.
        executor=dg.in_process_executor,
    )
