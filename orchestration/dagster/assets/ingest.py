"""Dagster assets of the load: one for each source, then the control tables."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import dagster as dg

from orchestration.config.partnerships import load_partnerships
from orchestration.config.settings import Settings
from orchestration.dagster.asset_keys import IN_FORCE
from orchestration.dagster.assets.feeds import feed_keys
from orchestration.dagster.assets.landing import landed_events, landing_key
from orchestration.dagster.markdown import markdown_list
from orchestration.dagster.owners import ENGINEERS
from orchestration.dagster.partitions import quarters_of
from orchestration.dagster.refusals import refusal_markdown, refusal_message, refusal_summary
from orchestration.dagster.resources import WarehouseWriter, asking_again
from orchestration.errors import RefusedDeliveryError
from orchestration.ingest.checking.anomalies import Anomaly, find_anomalies
from orchestration.ingest.checking.configured_values import refuse_unknown_columns
from orchestration.ingest.checking.contract import SOURCES, load_contract, load_contracts
from orchestration.ingest.checking.corrections import apply_corrections, load_corrections
from orchestration.ingest.checking.in_force_view import DELIVERY_COLUMNS
from orchestration.ingest.checking.row_accounting import unbalanced_deliveries
from orchestration.ingest.checking.served_names import refuse_absent_forces
from orchestration.ingest.checking.supplier_report import report_path
from orchestration.ingest.landing.arrival_calendar import refuse_empty_quarters
from orchestration.ingest.loading.in_force import resolve_in_force
from orchestration.ingest.loading.load import load_source
from orchestration.ingest.loading.outcomes import LoadReport
from orchestration.ingest.loading.pseudonyms import pseudonyms_for
from orchestration.warehouse.connection import connect

GROUP = "ingest"

EVEN_IF_EMPTY = "csp/even_if_empty"
"""Tag of a run that refreshes a quarter for which nothing has landed."""

_SHOWN_FAULTS = 20


def source_assets(
    manifest: Mapping[str, Any], partitions: dg.PartitionsDefinition[Any]
) -> list[dg.AssetsDefinition]:
    """Return one asset for each source that the dbt manifest knows (as the contracts declare)."""
    tables = [node for node in manifest["sources"].values() if node["source_name"] == "in_force"]
    return [_source_asset(node, partitions) for node in sorted(tables, key=lambda one: one["name"])]


def _source_asset(
    node: Mapping[str, Any], partitions: dg.PartitionsDefinition[Any]
) -> dg.AssetsDefinition:
    name = node["name"]
    key = dg.AssetKey(["raw", name])
    about = node["meta"]["csp"]

    @dg.asset(
        key=key,
        # The landing zone is no step of a run: where a run fetches, it does so before it loads.
        deps=[landing_key(name), *feed_keys(name)],
        group_name=GROUP,
        owners=[ENGINEERS],
        partitions_def=partitions,
        backfill_policy=dg.BackfillPolicy.single_run(),
        description=f"{about['title']}. {node['description']}",
        kinds={"duckdb"},
        tags={"cadence": about["cadence"], "counts": about["counts"]},
        metadata={
            "supplier": about["supplier"],
            "licence": about["licence"],
            "dagster/table_name": f"warehouse.raw.{name}",
            "dagster/column_schema": _column_schema(node),
        },
        check_specs=[
            dg.AssetCheckSpec(
                "deliveries_accepted",
                asset=key,
                blocking=True,
                description="No delivery of the quarter is refused.",
            ),
            dg.AssetCheckSpec(
                "rows_balance",
                asset=key,
                blocking=True,
                description="Of every delivery, rows delivered are those in the raw table plus "
                "those refused with a reason.",
            ),
        ],
        pool="warehouse",
    )
    def load(
        context: dg.AssetExecutionContext, warehouse: WarehouseWriter
    ) -> Iterator[dg.MaterializeResult[Any] | dg.AssetCheckResult]:
        quarters = quarters_of(context)
        settings = warehouse.settings
        contract = load_contract(SOURCES / name)
        now = datetime.now(UTC).replace(tzinfo=None, microsecond=0)
        with asking_again(context), connect(settings) as connection:
            warehouse.make_ready(connection)
            report = load_source(
                connection,
                settings.raw,
                contract,
                quarters[-1],
                now,
                pseudonyms_for(contract, settings, connection),
                settings.supplier_reports,
            )
            rows = connection.execute(f"select count(*) from {contract.raw_table}").fetchall()
            unbalanced = unbalanced_deliveries(connection, contract)
            landed = list(
                landed_events(
                    connection, context.instance, name, settings.raw, settings.first_quarter
                )
            )
        for event in landed:
            context.log_event(event)
        for warning in report.warnings:
            context.log.warning(f"{name}: {warning}")
        for outcome in report.refused:
            context.log.error(
                f"{name} {outcome.quarter} version {outcome.version} is refused: {outcome.reason}"
            )
        yield dg.MaterializeResult(
            asset_key=key, metadata={"dagster/row_count": rows[0][0], **_metadata(report, settings)}
        )
        yield _accepted(key, report, quarters, settings.supplier_reports)
        yield _balance(key, report, unbalanced)
        if stopping := [one for one in report.refused if one.quarter in quarters]:
            # Dagster would stop as well, with the name of the check alone.
            raise RefusedDeliveryError(refusal_message(settings.supplier_reports, stopping))

    return load


def _column_schema(node: Mapping[str, Any]) -> dg.TableSchema:
    return dg.TableSchema(
        columns=[
            dg.TableColumn(column["name"], column["data_type"] or "?", column["description"])
            for column in node["columns"].values()
            # The view of the rows in force adds these; they are columns of control.in_force.
            if node["source_name"] != "in_force" or column["name"] not in DELIVERY_COLUMNS
        ]
    )


def _metadata(report: LoadReport, settings: Settings) -> dict[str, Any]:
    table = "\n".join(
        f"| {one.quarter} | {one.version} | {one.state} | {one.rows_delivered:,} | "
        f"{one.rows_loaded:,} | {one.rows_refused:,} |"
        for one in report.outcomes
    )
    heading = (
        "| quarter | version | state | delivered | loaded | refused |\n|---|---|---|---|---|---|"
    )
    # Reports to send to suppliers, of deliveries new or still refused.
    reports = [
        report_path(settings.supplier_reports, one.source, one.quarter, one.version)
        for one in [*report.outcomes, *report.still_refused]
    ]
    return {
        "supplier_reports": dg.JsonMetadataValue([str(path) for path in reports if path]),
        "deliveries_new": len(report.outcomes),
        "deliveries_unchanged": report.unchanged,
        "deliveries_passed_over": len(report.passed_over),
        "rows_loaded": report.total("rows_loaded"),
        "rows_refused": report.total("rows_refused"),
        "warnings": dg.JsonMetadataValue([str(one) for one in report.warnings[:_SHOWN_FAULTS]]),
        "deliveries": dg.MarkdownMetadataValue(f"{heading}\n{table}" if table else "Nothing new."),
    }


def _accepted(
    key: dg.AssetKey, report: LoadReport, quarters: Sequence[date], reports: Path
) -> dg.AssetCheckResult:
    """A refusal in the run's quarters stops the refresh; one in an earlier quarter is a warning."""
    refused = report.refused
    now = any(outcome.quarter in quarters for outcome in refused)
    return dg.AssetCheckResult(
        asset_key=key,
        check_name="deliveries_accepted",
        passed=not refused,
        severity=dg.AssetCheckSeverity.ERROR if now else dg.AssetCheckSeverity.WARN,
        description=refusal_summary(refused),
        metadata={
            "refused": len(refused),
            **(
                {"reasons": dg.MarkdownMetadataValue(refusal_markdown(reports, refused))}
                if refused
                else {}
            ),
        },
    )


def _balance(
    key: dg.AssetKey, report: LoadReport, unbalanced: Sequence[str]
) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        asset_key=key,
        check_name="rows_balance",
        passed=not unbalanced,
        metadata={
            "delivered": report.total("rows_delivered"),
            "loaded": report.total("rows_loaded"),
            "refused": report.total("rows_refused"),
            **_listed("unbalanced", unbalanced),
        },
    )


def _listed(name: str, texts: Sequence[str]) -> dict[str, dg.MarkdownMetadataValue]:
    """Return texts as a list of Markdown under ``name``; nothing where there are none."""
    shown = dg.MarkdownMetadataValue(markdown_list(texts, _SHOWN_FAULTS))
    return {name: shown} if texts else {}


@dataclass(frozen=True)
class Resolved:
    """The control tables as at a quarter: rows by table name, and the anomalies."""

    rows: Mapping[str, int]
    corrections_applied: int
    anomalies: Sequence[Anomaly]


def resolve_quarter(settings: Settings, quarter: date, tables: Sequence[str]) -> Resolved:
    """Resolve which delivery is in force as at ``quarter``, and count the rows of ``tables``."""
    contracts = load_contracts()
    corrections = load_corrections(settings.corrections, contracts)
    with connect(settings) as connection:
        load_partnerships(connection, settings.partnerships)
        resolve_in_force(connection, quarter, contracts)
        refuse_unknown_columns(connection, contracts)
        refuse_absent_forces(connection, contracts)
        applied = apply_corrections(connection, contracts, corrections)
        anomalies = find_anomalies(connection, contracts)
        rows = {}
        for table in tables:
            ((rows[table],),) = connection.execute(f"select count(*) from {table}").fetchall()
    return Resolved(rows, applied, anomalies)


def resolved_metadata(key: dg.AssetKey, resolved: Resolved) -> dict[str, Any]:
    """Return the metadata of a control table for Dagster."""
    metadata: dict[str, Any] = {"dagster/row_count": resolved.rows[".".join(key.path)]}
    if key == IN_FORCE:
        metadata["corrections_applied"] = resolved.corrections_applied
    return metadata


def control_asset(
    manifest: Mapping[str, Any],
    partitions: dg.PartitionsDefinition[Any],
    complete_earlier: Callable[[dg.AssetExecutionContext, WarehouseWriter], None],
) -> dg.AssetsDefinition:
    """Return the asset of the control tables: which delivery is in force for which period.

    ``complete_earlier`` takes the quarters of a range before the last one all the way to their
    exports, since the warehouse holds one quarter's view at a time.
    """
    sources = manifest["sources"].values()
    loads = [
        dg.AssetKey(["raw", node["name"]]) for node in sources if node["source_name"] == "in_force"
    ]
    specs = [
        dg.AssetSpec(
            ["control", node["name"]],
            deps=loads,
            group_name=GROUP,
            owners=[ENGINEERS],
            description=node["description"],
            kinds={"duckdb"},
            metadata={
                "dagster/table_name": f"warehouse.control.{node['name']}",
                "dagster/column_schema": _column_schema(node),
            },
        )
        for node in sources
        if node["source_name"] == "control"
    ]

    @dg.multi_asset(
        name="in_force",
        specs=specs,
        partitions_def=partitions,
        backfill_policy=dg.BackfillPolicy.single_run(),
        pool="warehouse",
        check_specs=[
            dg.AssetCheckSpec(
                "volumes_in_line",
                asset=IN_FORCE,
                description="No delivery in force is unusual, except for accepted ones.",
            )
        ],
    )
    def resolve(
        context: dg.AssetExecutionContext, warehouse: WarehouseWriter
    ) -> Iterator[dg.MaterializeResult[Any] | dg.AssetCheckResult]:
        tables = [".".join(spec.key.path) for spec in specs]
        with asking_again(context):
            if EVEN_IF_EMPTY not in context.run.tags:
                refuse_empty_quarters(warehouse.settings, quarters_of(context))
            complete_earlier(context, warehouse)
            resolved = resolve_quarter(warehouse.settings, quarters_of(context)[-1], tables)
        for spec in specs:
            warehouse.completed.add_to(context, spec.key)
            yield dg.MaterializeResult(
                asset_key=spec.key, metadata=resolved_metadata(spec.key, resolved)
            )
        yield _in_line(resolved.anomalies)

    return resolve


def _in_line(anomalies: Sequence[Anomaly]) -> dg.AssetCheckResult:
    """An unusual volume is a warning: somebody should look, and nothing stops."""
    unexplained = [str(one) for one in anomalies if one.reason is None]
    return dg.AssetCheckResult(
        asset_key=IN_FORCE,
        check_name="volumes_in_line",
        passed=not unexplained,
        severity=dg.AssetCheckSeverity.WARN,
        description="Look at what is listed. If it is in order, `csp accept` records why."
        if unexplained
        else None,
        metadata={
            "anomalies": len(unexplained),
            "accepted": len(anomalies) - len(unexplained),
            **_listed("unusual", unexplained),
        },
    )
