"""The dbt models as Dagster assets, their tests as asset checks."""

import os
from collections.abc import Generator, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DagsterDbtTranslatorSettings, dbt_assets

from orchestration.config.settings import Settings
from orchestration.dagster.asset_keys import IN_FORCE, asset_key_of
from orchestration.dagster.lineage_metadata import with_lineage
from orchestration.dagster.owners import ANALYSTS
from orchestration.dagster.partitions import quarters_of
from orchestration.dagster.private_interfaces import dbt_event, dbt_selection
from orchestration.dagster.resources import WarehouseWriter
from orchestration.dagster.step_progress import BuildWatch, StepLog
from orchestration.errors import TransformError
from orchestration.transform.build_state import (
    LastBuild,
    fingerprints,
    last_good_build,
    remember,
    table_rows,
)
from orchestration.transform.dbt_runner import (
    RawEvent,
    inputs_sha256,
    load_lineage,
    run_dbt,
    warnings_by_test,
)
from orchestration.warehouse.connection import connect, warehouse_name

FULL_TAG = "csp/full"
"""Tag of a run that builds every model, whether or not anything has changed."""

UNCHANGED_SINCE = "csp/unchanged_since"
"""Metadata of a model that was not built again: when it was built (UTC)."""

_DBT_BUILD = [
    "--no-write-json", "build",
    "--exclude-resource-type", "unit_test",
    "--exclude-resource-type", "exposure",
]  # fmt: skip
"""Unit tests belong to the test suite, not to a refresh; the manifest is already written. Nothing
is done for an exposure, but dbt would count it among what is to be done."""


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

    def get_asset_spec(
        self, manifest: Mapping[str, Any], unique_id: str, project: Any
    ) -> dg.AssetSpec:
        """Make a model that reads rows in force wait for the control tables, too.

        The view ``in_force.<source>`` has the key of its raw table, and joins it to them.
        """
        spec = super().get_asset_spec(manifest, unique_id, project)
        node = self.get_resource_props(manifest, unique_id)
        if any(name == "in_force" for name, _ in node.get("sources", [])):
            return spec.replace_attributes(deps=[*spec.deps, IN_FORCE])
        return spec

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
        metadata["warehouse"] = dg.MetadataValue.path(warehouse_name(self._places))
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
        backfill_policy=dg.BackfillPolicy.single_run(),
        dagster_dbt_translator=translator,
        pool="warehouse",
    )
    def build(context: dg.AssetExecutionContext, warehouse: WarehouseWriter) -> Iterator[Any]:
        part = context.is_subset
        command = _command(context, manifest, translator)
        quarters = quarters_of(context)
        log = StepLog(context.log.info, quarters[-1])
        chosen = _chosen(manifest, context.selected_asset_keys)
        asked = _Asked(command, chosen, part, FULL_TAG in context.run.tags, log, context)
        for key in context.selected_asset_keys:
            warehouse.completed.add_to(context, key)
        for event in _build_quarter(warehouse.settings, manifest, translator, asked):
            if len(quarters) > 1 and isinstance(event, dg.MaterializeResult) and event.metadata:
                # The quarters before the last have metadata of their own.
                last = quarters[-1].isoformat()
                context.add_asset_metadata(event.metadata, event.asset_key, last)
                yield dg.MaterializeResult(asset_key=event.asset_key)
            else:
                yield event

    return build


@dataclass(frozen=True)
class EarlierBuild:
    """The models as at an earlier quarter of a range: metadata of each, what checks warned of."""

    metadata: dict[dg.AssetKey, dict[str, Any]]
    warnings: list[str]


def build_earlier(
    settings: Settings,
    manifest: Mapping[str, Any],
    keys: AbstractSet[dg.AssetKey],
    log: StepLog,
    *,
    full: bool,
) -> EarlierBuild:
    """Build the models among ``keys`` as at the quarter that is resolved, as the step does.

    ``log`` gets what is built while it is.

    Raises :class:`TransformError` that names the models and checks that failed.
    """
    models = [
        name
        for name, node in manifest["nodes"].items()
        if node["resource_type"] in {"model", "seed"}
    ]
    chosen = _chosen(manifest, keys)
    part = len(chosen) < len(models)
    select = ["--select", *(_in_full(manifest, name) for name in chosen)] if part else []
    asked = _Asked([*_DBT_BUILD, "--full-refresh", *select], chosen, part, full, log, None)
    metadata: dict[dg.AssetKey, dict[str, Any]] = {}
    translator = ModelTranslator(settings, manifest)
    building = _build_quarter(settings, manifest, translator, asked)
    while True:
        try:
            event = next(building)
        except StopIteration as ended:
            warned: Mapping[str, list[str]] = ended.value
            break
        if isinstance(event, dg.MaterializeResult | dg.AssetMaterialization) and event.asset_key:
            metadata[event.asset_key] = dict(event.metadata or {})
    words = [one for said in warned.values() for one in said]
    return EarlierBuild(metadata, list(dict.fromkeys(words)))


def _chosen(manifest: Mapping[str, Any], keys: AbstractSet[dg.AssetKey]) -> list[str]:
    """Return the models and seeds whose assets are among ``keys``."""
    return [
        name
        for name, node in manifest["nodes"].items()
        if node["resource_type"] in {"model", "seed"} and asset_key_of(node) in keys
    ]


@dataclass(frozen=True)
class _Asked:
    """What is to be built: ``command`` from nothing, which builds ``chosen``; ``part`` where only
    some models are asked for; ``full`` regardless of what is unchanged; ``log`` gets what is done;
    ``context`` of the step that reports, if any."""

    command: list[str]
    chosen: list[str]
    part: bool
    full: bool
    log: StepLog
    context: dg.AssetExecutionContext | None


def _build_quarter(
    settings: Settings, manifest: Mapping[str, Any], translator: ModelTranslator, asked: _Asked
) -> Generator[Any, None, dict[str, list[str]]]:
    """Build what has anything new behind it, remember it, and yield Dagster's events.

    Returns the messages of the checks that warn of the present models.
    """
    context = asked.context
    made_from = _fingerprints(settings, manifest)
    last = None if asked.part or asked.full else _last_build(settings)
    changed = [
        name
        for name, digest in made_from.items()
        if not last or last.fingerprints.get(name) != digest
    ]
    if last:
        asked.log.say(f"{len(changed)} of {len(made_from)} models have new input")
        standing = [name for name in made_from if name not in set(changed)]
        yield from _unchanged(manifest, standing, last)
    checked: set[tuple[dg.AssetKey | None, str | None]] = set()
    warned = dict(last.warned) if last else {}
    if changed:
        some = last is not None and len(changed) < len(made_from)
        command = _only(manifest, changed) if some else asked.command
        watch = asked.log.building(_built_count(manifest, changed if some else asked.chosen))
        built = yield from _build(context, settings, manifest, translator, command, watch)
        checked = built.checks
        rerun = {_check_id(*check) for check in checked}
        kept = {check: said for check, said in warned.items() if check not in rerun}
        warned = {**kept, **built.warned}
        if built.none_failed and not asked.part:
            _remember(settings, made_from, built.rows, warned)
    if last and context:
        for check in sorted(context.selected_asset_check_keys):
            if (check.asset_key, check.name) not in checked:
                yield _unchanged_check(check, last)
    return warned


# --- what need not be built ------------------------------------------------------------------


def _fingerprints(settings: Settings, manifest: Mapping[str, Any]) -> dict[str, str]:
    with connect(settings, read_only=True) as connection:
        return fingerprints(connection, manifest, inputs_sha256())


def _last_build(settings: Settings) -> LastBuild | None:
    with connect(settings, read_only=True) as connection:
        return last_good_build(connection)


def _unchanged(
    manifest: Mapping[str, Any], names: Iterable[str], last: LastBuild
) -> Iterator[dg.MaterializeResult[Any]]:
    """Report each unchanged model to Dagster; ``names`` have parents first."""
    for name in names:
        if _is_ephemeral(manifest, name):
            continue
        rows = last.rows.get(_table(manifest, name))
        yield dg.MaterializeResult(
            asset_key=asset_key_of(manifest["nodes"][name]),
            metadata={
                UNCHANGED_SINCE: last.built_at.isoformat(),
                **({} if rows is None else {"dagster/row_count": rows}),
            },
        )


def _is_ephemeral(manifest: Mapping[str, Any], name: str) -> bool:
    """Say whether a model is part of the models that read it, and no table or asset."""
    ephemeral: bool = manifest["nodes"][name]["config"]["materialized"] == "ephemeral"
    return ephemeral


def _built_count(manifest: Mapping[str, Any], names: Iterable[str]) -> int:
    """Return how many of the models dbt builds."""
    return sum(not _is_ephemeral(manifest, name) for name in names)


def _unchanged_check(check: dg.AssetCheckKey, last: LastBuild) -> dg.AssetCheckResult:
    """Report the last result of a check on an unchanged model to Dagster.

    A failed build is not remembered, so the check passed or warned.
    """
    said = last.warned.get(_check_id(check.asset_key, check.name))
    return dg.AssetCheckResult(
        passed=said is None,
        severity=dg.AssetCheckSeverity.WARN if said else dg.AssetCheckSeverity.ERROR,
        description="; ".join(said) if said else None,
        asset_key=check.asset_key,
        check_name=check.name,
        metadata={UNCHANGED_SINCE: last.built_at.isoformat()},
    )


def _check_id(asset_key: dg.AssetKey | None, name: str | None) -> str:
    return f"{asset_key.to_user_string() if asset_key else ''}:{name}"


def _only(manifest: Mapping[str, Any], names: Iterable[str]) -> list[str]:
    """Build what has anything new; every test that touches any of it runs, as do the sources'.

    If anything is unchanged, so is the project, and an incremental model may keep its rows.
    A model is named in full: ``iom_cohort`` alone would also mean the folder of that name.
    """
    chosen = [_in_full(manifest, name) for name in names]
    return [*_DBT_BUILD, "--select", *chosen, "source:control"]


def _in_full(manifest: Mapping[str, Any], name: str) -> str:
    return "fqn:" + ".".join(manifest["nodes"][name]["fqn"])


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
    context: dg.AssetExecutionContext | None,
    settings: Settings,
    manifest: Mapping[str, Any],
    translator: ModelTranslator,
    command: list[str],
    watch: BuildWatch,
) -> Generator[Any, None, _Built]:
    """Run dbt, and yield what it reports of each model and test as Dagster's events.

    ``watch`` gets each report when dbt makes it.
    """
    events: list[RawEvent] = []

    def heard(event: RawEvent) -> None:
        events.append(event)
        watch.heard(event)

    results: Any = []
    failure: TransformError | None = None
    try:
        results = run_dbt(settings, command, heard)
    except TransformError as error:
        failure = error
    built = _Built(_row_counts(settings, manifest))
    warnings = warnings_by_test(settings, results)
    words = {name: "; ".join(said) for name, said in warnings.items()}
    words |= failure.failed if failure else {}
    for event in events:
        about = event["data"]["node_info"]
        built.none_failed &= str(about["node_status"]) in {"success", "pass", "warn"}
        message = dbt_event(event)
        for asset_event in message.to_default_asset_events(manifest, translator, context):
            if isinstance(asset_event, dg.AssetCheckResult | dg.AssetCheckEvaluation):
                check = (asset_event.asset_key, asset_event.check_name)
                built.checks.add(check)
                if about["unique_id"] in warnings:
                    built.warned[_check_id(*check)] = warnings[about["unique_id"]]
            asset_event = _in_words(asset_event, words.get(about["unique_id"]))
            yield _with_row_count(asset_event, built.rows.get(_table(manifest, about["unique_id"])))
    if failure:
        raise failure
    return built


def _command(
    context: dg.AssetExecutionContext, manifest: Mapping[str, Any], translator: ModelTranslator
) -> list[str]:
    """Build what Dagster selected, from nothing: existing tables may be of another project."""
    selection, indirect = dbt_selection(
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


def _in_words(event: Any, words: str | None) -> Any:
    """Say of a check that did not pass what is wrong, in place of the name of its test."""
    if words is None or not isinstance(event, dg.AssetCheckResult):
        return event
    return dg.AssetCheckResult(
        passed=event.passed,
        asset_key=event.asset_key,
        check_name=event.check_name,
        metadata=event.metadata,
        severity=event.severity,
        description=words,
    )


def _with_row_count(event: Any, rows: int | None) -> Any:
    if rows is None or not isinstance(event, dg.Output | dg.AssetMaterialization):
        return event
    if isinstance(event, dg.AssetMaterialization):
        return event.with_metadata(
            {**event.metadata, "dagster/row_count": dg.IntMetadataValue(rows)}
        )
    return dg.Output(
        None,
        output_name=event.output_name,
        metadata={**event.metadata, "dagster/row_count": rows},
    )
