"""A range of quarters in one run: each quarter before the last is completed, oldest first.

The warehouse holds the view of one quarter at a time, and the attack on a release includes those
published before it. So a run over a range cannot take each step for all quarters. The loads run
first, once for all quarters. Before the control tables are resolved for the last quarter, every
earlier one is completed up to its exports, by the functions behind the steps. Then the steps do
the last quarter.
"""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

import dagster as dg

from orchestration.config.quarters import quarter_label
from orchestration.config.settings import Settings
from orchestration.dagster.assets.disclosure import (
    DISCLOSURE_KEY,
    attack_words,
    disclose_quarter,
    disclosure_metadata,
)
from orchestration.dagster.assets.exports import EXPORTS_KEY, export_metadata, export_quarter
from orchestration.dagster.assets.ingest import resolve_quarter, resolved_metadata
from orchestration.dagster.assets.publish import RELEASE_KEY, publish_quarter, release_metadata
from orchestration.dagster.assets.transform import FULL_TAG, build_earlier
from orchestration.dagster.partitions import quarters_of
from orchestration.dagster.resources import WarehouseWriter
from orchestration.dagster.step_progress import StepLog
from orchestration.errors import BackfillError, CspError, DisclosureError, WarehouseBusyError

Metadata = dict[dg.AssetKey, dict[str, Any]]


def earlier_quarters(
    manifest: Mapping[str, Any],
) -> Callable[[dg.AssetExecutionContext, WarehouseWriter], None]:
    """Return what completes the quarters of a range before its last.

    It does nothing in a run of one quarter. A run that publishes nothing is as at the last quarter
    alone, and says so. Raises :class:`BackfillError` that names the quarter which could not be
    completed and those that are published.
    """

    def complete(context: dg.AssetExecutionContext, warehouse: WarehouseWriter) -> None:
        quarters = quarters_of(context)
        keys = set(context.job_def.asset_layer.executable_asset_keys)
        if len(quarters) > 1 and RELEASE_KEY not in keys:
            context.log.warning(
                f"Nothing is published in this run, so the warehouse is left as at its last "
                f"quarter, {quarter_label(quarters[-1])}."
            )
            return
        for quarter in quarters[:-1]:
            if quarter not in warehouse.completed.quarters:
                _complete(context, warehouse, manifest, keys, quarter)

    return complete


def _complete(
    context: dg.AssetExecutionContext,
    warehouse: WarehouseWriter,
    manifest: Mapping[str, Any],
    keys: set[dg.AssetKey],
    quarter: date,
) -> None:
    """Take one quarter to its exports, note it in the run, and tell Dagster of its release."""

    def tell(key: dg.AssetKey, metadata: dict[str, Any]) -> None:
        # At once, so that Dagster knows of it also where something later stops the run.
        context.log_event(
            dg.AssetMaterialization(key, partition=quarter.isoformat(), metadata=metadata)
        )

    settings, full = warehouse.settings, FULL_TAG in context.run.tags
    quarters = quarters_of(context)
    log = StepLog(context.log.info, quarter, f"{quarters.index(quarter) + 1} of {len(quarters)}")
    released = False
    try:
        metadata, warnings = _built(settings, manifest, keys, quarter, log, full=full)
        for words in warnings:
            context.log.warning(f"{quarter_label(quarter)}: {words}")
        log.say("publishing the release")
        release = publish_quarter(settings, manifest, quarter)
        metadata[RELEASE_KEY] = {**release_metadata(settings, release), "warnings": warnings}
        released = True
        tell(RELEASE_KEY, metadata[RELEASE_KEY])
        if EXPORTS_KEY in keys:
            log.say("writing the exports")
            exported = export_quarter(settings, quarter)
            metadata[EXPORTS_KEY] = export_metadata(settings, quarter, exported)
            tell(EXPORTS_KEY, metadata[EXPORTS_KEY])
    except WarehouseBusyError:
        raise
    except CspError as error:
        done = [*warehouse.completed.quarters, *([quarter] if released else [])]
        raise BackfillError(_stopped(quarters, quarter, done, error)) from error
    warehouse.completed.complete(quarter, metadata)


def _built(
    settings: Settings,
    manifest: Mapping[str, Any],
    keys: set[dg.AssetKey],
    quarter: date,
    log: StepLog,
    *,
    full: bool,
) -> tuple[Metadata, list[str]]:
    """Resolve, build, protect and attack a quarter.

    Returns each asset's metadata, and the messages on anomalies and warnings.

    Raises :class:`CspError` where any of it does not pass.
    """
    tables = {
        f"control.{node['name']}": dg.AssetKey(["control", node["name"]])
        for node in manifest["sources"].values()
        if node["source_name"] == "control"
    }
    log.say("choosing the deliveries in force")
    resolved = resolve_quarter(settings, quarter, list(tables))
    built = build_earlier(settings, manifest, keys, log, full=full)
    log.say("hiding small counts, and attacking the result")
    outcome = disclose_quarter(settings, manifest, quarter)
    if outcome.findings:
        raise DisclosureError(attack_words(outcome))
    metadata = {
        **{key: resolved_metadata(key, resolved) for key in tables.values()},
        **built.metadata,
        DISCLOSURE_KEY: disclosure_metadata(outcome),
    }
    unusual = [str(anomaly) for anomaly in resolved.anomalies if anomaly.reason is None]
    return metadata, [*unusual, *built.warnings]


def _stopped(quarters: list[date], at: date, published: list[date], error: CspError) -> str:
    done = ", ".join(quarter_label(one) for one in published) or "none"
    left = ", ".join(quarter_label(one) for one in quarters if one not in published)
    return (
        f"{quarter_label(at)} cannot be completed. {error} "
        f"Published in this run: {done}. Not published: {left}."
    )
