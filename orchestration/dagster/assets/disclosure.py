"""Disclosure control as a Dagster asset: the step between the marts and the release."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import date
from typing import TYPE_CHECKING, Any

import dagster as dg

from orchestration.config.settings import Settings
from orchestration.dagster.asset_keys import asset_key_of
from orchestration.dagster.owners import PUBLISHERS
from orchestration.dagster.partitions import quarters_of
from orchestration.dagster.resources import WarehouseWriter
from orchestration.disclosure.declarations import declarations
from orchestration.disclosure.rounding_declarations import rounded_declarations
from orchestration.ingest.loading.pseudonyms import rounding_secret
from orchestration.releases.release_registry import list_releases
from orchestration.warehouse.connection import connect

if TYPE_CHECKING:
    from orchestration.disclosure.release_protection import Outcome

DISCLOSURE_KEY = dg.AssetKey(["control", "disclosure"])
ATTACK_CHECK = "disclosure_attack"
_AREAS = dg.AssetKey(["intermediate", "int_areas__listed"])
_TOLD = 10


def disclosure_asset(
    manifest: Mapping[str, Any], partitions: dg.PartitionsDefinition[Any]
) -> dg.AssetsDefinition:
    """Return the asset that protects every table of people that is to be published.

    Its check ``disclosure_attack`` stops the run before publishing where the attack finds a count.
    """
    declared = [*declarations(manifest), *rounded_declarations(manifest)]
    nodes = {f"{node['schema']}.{node['name']}": node for node in manifest["nodes"].values()}

    @dg.asset(
        key=DISCLOSURE_KEY,
        deps=[*(asset_key_of(nodes[name]) for name in declared), _AREAS],
        check_specs=[
            dg.AssetCheckSpec(
                ATTACK_CHECK,
                asset=DISCLOSURE_KEY,
                blocking=True,
                description="No hidden count can be worked out from all that is published.",
            )
        ],
        group_name="disclosure",
        owners=[PUBLISHERS],
        partitions_def=partitions,
        backfill_policy=dg.BackfillPolicy.single_run(),
        kinds={"duckdb"},
        description="Tables about people with small counts hidden, and the attack on them.",
        metadata={
            "dagster/table_name": "control.disclosure",
            "dagster/column_schema": _columns(),
        },
        pool="warehouse",
    )
    def disclosure(
        context: dg.AssetExecutionContext, warehouse: WarehouseWriter
    ) -> Iterator[dg.MaterializeResult[Any]]:
        outcome = disclose_quarter(warehouse.settings, manifest, quarters_of(context)[-1])
        warehouse.completed.add_to(context, DISCLOSURE_KEY)
        yield dg.MaterializeResult(
            metadata=disclosure_metadata(outcome), check_results=[_check(outcome)]
        )

    return disclosure


def disclose_quarter(settings: Settings, manifest: Mapping[str, Any], quarter: date) -> "Outcome":
    """Protect and attack the tables about people in the warehouse.

    All that was published before is known to the attack. Raises :class:`DisclosureError` where a
    count cannot be protected.
    """
    # The solver and its packages are not for runs without this step.
    from orchestration.disclosure.release_protection import disclose

    releases = list_releases(settings.published)
    with connect(settings) as connection:
        return disclose(
            connection,
            quarter,
            declarations(manifest),
            releases,
            rounded_declarations(manifest),
            rounding_secret(settings, connection),
            publish_rounded=settings.rounded_tables,
        )


def _columns() -> dg.TableSchema:
    described = {
        "quarter": "First day of the quarter.",
        "in_place": "Whether schema protected holds its tables now.",
        "tables": "Tables of people that were protected.",
        "cells": "Counts that they print.",
        "sensitive": "Counts that the rule hides.",
        "hidden": "Counts hidden, for others' sake too.",
        "merged": "Tables in which categories were merged.",
        "findings": "Counts that the attack worked out.",
        "narrowest_interval": "Least width, in people, that the attack left; null without limit.",
        "information_lost": "Cost of what is hidden: 10 a cell, 1 for each doubling.",
        "solver_gap": "Share of that cost by which it may exceed the least.",
        "seconds": "Time that it took.",
        "hidden_after_attack": "Counts hidden beside the choice, after the attack.",
        "still_readable": "Small counts that earlier releases give away.",
        "rounded_tables": "Tables of people that were rounded.",
        "rounded_counts": "Counts of theirs that are shown with another value.",
    }
    return dg.TableSchema(
        [dg.TableColumn(name, description=words) for name, words in described.items()]
    )


def disclosure_metadata(outcome: "Outcome") -> dict[str, Any]:
    """Return the step's metadata for Dagster: counts, never values."""
    told = asdict(outcome)
    told["findings"] = len(outcome.findings)
    told["withheld"] = ", ".join(outcome.withheld)
    return {name: value for name, value in told.items() if value is not None}


def attack_words(outcome: "Outcome") -> str:
    """Return the message on what the attack found."""
    found = [f"{finding.key}: {finding.fault}" for finding in outcome.findings[:_TOLD]]
    if not found:
        more = (
            f" {outcome.hidden_after_attack} of them are hidden because the attack had worked out "
            "counts beside them."
            if outcome.hidden_after_attack
            else ""
        )
        return (
            f"None of {outcome.hidden} hidden counts can be worked out.{more}{_readable(outcome)}"
            f"{_withheld(outcome)}"
        )
    return (
        f"{len(outcome.findings)} hidden counts can be worked out; nothing is published. "
        f"{'; '.join(found)}"
    )


def _readable(outcome: "Outcome") -> str:
    if not outcome.still_readable:
        return ""
    return (
        f" {outcome.still_readable} small counts stay readable in earlier releases, which were made"
        " under another rule or by an earlier version: no release takes them back."
    )


def _withheld(outcome: "Outcome") -> str:
    if not outcome.withheld:
        return ""
    return (
        f" Withheld, because a small count could be worked out from them whatever is hidden: "
        f"{', '.join(outcome.withheld)}."
    )


def _check(outcome: "Outcome") -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        check_name=ATTACK_CHECK,
        passed=not outcome.findings,
        description=attack_words(outcome),
    )
