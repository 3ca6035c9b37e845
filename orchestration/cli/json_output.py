"""What ``--json`` prints: one JSON object for each command, its keys and their meaning.

Keys are only ever added within one ``format``. ``docs/commands.md`` lists them, and
``docs/json_schema.json`` is the JSON Schema of these models.
"""

import json
import sys
from datetime import date, datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import models_json_schema

from orchestration.cli.delivery_states import State


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class DeliveryStatus(_Part):
    """The delivery of one source for one quarter."""

    source: str = Field(description="Name of the source.")
    quarter: date = Field(description="First day of the quarter.")
    state: State = Field(description="Where the delivery is on its way.")
    version: int | None = Field(description="Latest version that a refresh has read.")
    rows_refused: int = Field(description="Rows of that version that were left out.")
    reason: str | None = Field(description="Why it was refused.")
    report: str | None = Field(description="Path of the error report to send to the supplier.")
    due: date | None = Field(description="Last day on time, where it has not come.")
    days_late: int | None = Field(description="Days since then.")


class SourceStatus(_Part):
    """A source: how far it is loaded, and when its next delivery is due."""

    source: str = Field(description="Name of the source.")
    loaded_to: date | None = Field(description="Latest quarter loaded.")
    next_due: date | None = Field(description="Last day on time of its next delivery.")


class QuarterStatus(_Part):
    """One of the quarters that are shown."""

    quarter: date = Field(description="First day of the quarter.")
    label: str = Field(description="Its name, such as Q1 2018/19.")
    published: bool = Field(description="Whether it has a release.")


class Unusual(_Part):
    """An anomaly of a delivery in force; ``accepted`` where somebody accepted it."""

    source: str = Field(description="Name of the source.")
    quarter: date = Field(description="First day of the quarter of the delivery.")
    version: int = Field(description="Version of the delivery.")
    period: date = Field(description="First day of the period that is unusual.")
    rule: str = Field(description="Rule, as `csp accept` takes it.")
    message: str = Field(description="What is unusual.")
    accepted: bool = Field(description="Whether somebody accepted it.")


class StatusReleased(_Part):
    """The release of a quarter, and the tables that were withheld from it."""

    quarter: date = Field(description="First day of the quarter.")
    built_at: datetime = Field(description="UTC.")
    synthetic: bool = Field(description="Whether it holds synthetic data.")
    current: bool = Field(description="Whether it is the current release.")
    withheld: list[str] = Field(description="Tables withheld from it.")


class StatusOutput(_Part):
    """``csp status --json``."""

    format: Literal[1] = Field(default=1, description="Version of these keys.")
    on: date = Field(description="Day that the state is of.")
    sample_up_to: date | None = Field(description="Last day of sample data; null for other data.")
    warehouse_readable: bool = Field(description="Whether what is loaded is known now.")
    quarters: list[QuarterStatus] = Field(description="The two quarters that are shown.")
    sources: list[SourceStatus] = Field(description="Every source.")
    deliveries: list[DeliveryStatus] = Field(
        description="Of the quarters shown, and those of other quarters that are refused now."
    )
    unusual: list[Unusual] = Field(description="Anomalies of deliveries in force.")
    releases: list[StatusReleased] = Field(description="The release of each quarter.")


class DeliveredFile(_Part):
    """One file of a delivery."""

    number: int = Field(description="Place in the delivery, from 1.")
    name: str = Field(description="Path within the delivery.")
    bytes: int = Field(description="Size in bytes.")
    sha256: str = Field(description="SHA-256 in hex.")
    rows_loaded: int = Field(description="Rows loaded from it.")
    rows_refused: int = Field(description="Rows left out.")


class Superseded(_Part):
    """A later delivery that is in force for periods of an earlier one."""

    delivery: str = Field(description="Quarter and version of the later delivery.")
    first: date = Field(description="First day of the first period.")
    last: date = Field(description="First day of the last period.")
    whole: bool = Field(description="Whether it is the next version of the same quarter.")


class DeliveryVersion(_Part):
    """One version of a delivery."""

    quarter: date = Field(description="First day of the quarter.")
    version: int = Field(description="Number of the version, from 1.")
    state: Literal["loaded", "refused", "purged"] = Field(
        description="What came of it; purged after `csp purge`."
    )
    nature: Literal["real", "synthetic"] = Field(description="Whether its figures are real.")
    received_at: datetime | None = Field(description="Local time; null without a receipt.")
    loaded_at: datetime = Field(description="UTC.")
    rows_delivered: int = Field(description="Rows read.")
    rows_loaded: int = Field(description="Rows loaded.")
    rows_refused: int = Field(description="Rows left out.")
    reason: str | None = Field(description="Why it was refused.")
    first_period: date | None = Field(description="First day of the first period covered.")
    last_period: date | None = Field(description="First day of the last period covered.")
    content_sha256: str = Field(description="Identity of its content, in hex.")
    report: str | None = Field(description="Path of the error report to send to the supplier.")
    superseded_by: list[Superseded] = Field(
        description="Later deliveries in force for its periods."
    )
    files: list[DeliveredFile] = Field(description="Its files.")


class HistoryOutput(_Part):
    """``csp history SOURCE --json``."""

    format: Literal[1] = Field(default=1, description="Version of these keys.")
    source: str = Field(description="Name of the source.")
    versions: list[DeliveryVersion] = Field(description="Every version, oldest first.")
    unusual: list[Unusual] = Field(description="Anomalies of deliveries in force.")


class Release(_Part):
    """A published release; ``superseded`` where a later build of its quarter replaced it."""

    quarter: date = Field(description="First day of the quarter.")
    label: str = Field(description="Its name, such as Q1 2018/19.")
    build: str = Field(description="Name of the build, as `csp rollback --build` takes it.")
    built_at: datetime = Field(description="UTC.")
    schema_version: int = Field(description="Version of the published tables.")
    synthetic: bool = Field(description="Whether it holds synthetic data.")
    current: bool = Field(description="Whether it is the current release.")
    superseded: bool = Field(description="Whether a later build of the quarter replaced it.")
    path: str = Field(description="Path of the database.")


class RollbackInForce(_Part):
    """Which release was made current by `csp rollback`, when (UTC) and why."""

    quarter: date = Field(description="Quarter that was made current.")
    at: datetime = Field(description="UTC.")
    reason: str = Field(description="Why.")


class ReleasesOutput(_Part):
    """``csp releases --json``."""

    format: Literal[1] = Field(default=1, description="Version of these keys.")
    releases: list[Release] = Field(description="Every release, superseded ones included.")
    rollback: RollbackInForce | None = Field(description="The rollback in force.")


class Place(_Part):
    """Where a fault is."""

    file: str | None = Field(description="Name of the file.")
    sheet: str | None = Field(description="Name of the sheet.")
    row: int | None = Field(description="Row, from 1, the header included.")


class BrokenRule(_Part):
    """The faults of one rule, of rows in one column."""

    severity: Literal["Delivery refused", "Row refused", "Warning"] = Field(
        description="What the fault does."
    )
    rule: str = Field(description="The rule.")
    code: str = Field(description="Its code (suppliers.md).")
    columns: list[str] = Field(description="Headings of the columns.")
    count: int = Field(description="Faults: rows, where the rule is on rows.")
    places: list[Place] = Field(description="The first of them, at most three.")
    message: str = Field(description="Of the first.")
    value: str | None = Field(description="Of the first; of people only its kind and length.")
    remedy: str = Field(description="How to fix it.")


class CheckOutput(_Part):
    """``csp check SOURCE FILES --json``."""

    format: Literal[1] = Field(default=1, description="Version of these keys.")
    source: str = Field(description="Name of the source.")
    outcome: Literal["loaded", "refused"] = Field(description="What a refresh would do.")
    rows_delivered: int = Field(description="Rows read.")
    rows_loaded: int = Field(description="Rows that would be loaded.")
    rows_refused: int = Field(description="Rows that would be left out.")
    rules: list[BrokenRule] = Field(description="What is wrong, by rule and column.")
    reports: list[str] = Field(description="Paths of the error report.")


class KindOfChange(_Part):
    """How many figures changed for one reason."""

    kind: str = Field(description="Why, as in main.changes.")
    figures: int = Field(description="Number of figures.")
    tables: int = Field(description="Number of tables that they are in.")


class ChangedFigure(_Part):
    """A published figure that differs from the release compared with."""

    table: str = Field(description="Title of the table.")
    key: str = Field(description="What the figure is about.")
    measure: str = Field(description="Column of the figure.")
    old: str = Field(description="Value before.")
    new: str = Field(description="Value now.")
    cause: str = Field(description="Why, with deliveries and periods.")


class NumbersChanged(_Part):
    """What a release changed, beside the build that it replaced or else the quarter before."""

    compared_with: str | None = Field(
        description="replaced build or previous quarter; null where there is nothing to compare."
    )
    compared_quarter: date | None = Field(description="First day of the quarter compared with.")
    kinds: list[KindOfChange] = Field(description="By why, most figures first.")
    largest: list[ChangedFigure] = Field(description="The largest changes of figures.")


class SourceLoaded(_Part):
    """What a run loaded of one source."""

    source: str = Field(description="Name of the source.")
    deliveries_new: int = Field(description="Deliveries that were not known before.")
    deliveries_unchanged: int = Field(description="Deliveries that were known and are the same.")
    rows_loaded: int = Field(description="Rows of the new deliveries that were loaded.")
    rows_refused: int = Field(description="Rows of the new deliveries that were quarantined.")
    rows_in_all: int = Field(description="Rows of the source in the warehouse, all versions.")
    warnings: list[str] = Field(description="Warnings on the new deliveries.")


class DeliveryRefused(_Part):
    """A delivery that is refused now."""

    source: str = Field(description="Name of the source.")
    quarter: date = Field(description="First day of its quarter.")
    version: int = Field(description="Number of the version.")
    reason: str = Field(description="File, row, column, value and rule.")
    report: str | None = Field(description="Path of the error report to send to the supplier.")


class ChecksCounted(_Part):
    """How many checks passed, warned and failed."""

    passed: int = Field(description="Number that passed.")
    warned: int = Field(description="Number that warned.")
    failed: list[str] = Field(description="Those that failed, with what must hold.")


class StepStopped(_Part):
    """A step that stopped, and why."""

    step: str = Field(description="The step.")
    message: str = Field(description="What happened and what to do.")


class QuarterReleased(_Part):
    """The release and the exports of one quarter of the run."""

    quarter: date = Field(description="First day of the quarter.")
    published: bool = Field(description="Whether this run published it or found it unchanged.")
    changed: bool = Field(description="Whether the release differs from the one before.")
    changed_tables: list[str] = Field(description="Published tables that differ.")
    synthetic: bool = Field(description="Whether it contains synthetic data.")
    data_up_to: date | None = Field(description="Last day with a figure; null where there is none.")
    release: str | None = Field(description="Path of the published file.")
    exports: str | None = Field(description="Path of the exports; null where not completed.")
    text_warnings: list[str] = Field(description="What is wrong in the analysts' texts.")


class Compared(_Part):
    """What was compared where nothing was run."""

    ended_at: datetime = Field(description="UTC; end of the refresh that is compared with.")
    landed_files: int = Field(description="Number of files in the landing zone.")
    files_left: int = Field(description="Number of files of warehouse, releases and exports.")


class RefreshOutput(_Part):
    """``csp refresh --json``."""

    format: Literal[1] = Field(default=1, description="Version of these keys.")
    run_id: str = Field(
        description="Dagster's id of the run; of the run compared with where nothing was run."
    )
    outcome: Literal["published", "unchanged", "stopped"] = Field(
        description="published (something is new), unchanged, or stopped."
    )
    exit_code: int = Field(description="Exit code of the command.")
    deliveries: list[SourceLoaded] = Field(description="What came of each source.")
    refused: list[DeliveryRefused] = Field(description="Deliveries refused now.")
    checks: ChecksCounted = Field(description="The checks of the run; none where nothing was run.")
    stopped: list[StepStopped] = Field(description="Steps that stopped; empty where none did.")
    quarters: list[QuarterReleased] = Field(description="Each quarter of the run.")
    numbers: NumbersChanged | None = Field(
        description="What changed in the last quarter's numbers; null where nothing was published."
    )
    compared: Compared | None = Field(
        None, description="Where nothing was run, since nothing has changed; else null."
    )


Outcome = Literal["in order", "warning", "fault"]


class Finding(_Part):
    """What one check found."""

    check: str = Field(description="What was looked at.")
    outcome: Outcome = Field(description="in order, warning (works, but look at it) or fault.")
    found: str = Field(description="What was found.")
    remedy: str = Field("", description="What to do; empty where nothing is to be done.")


class DoctorOutput(_Part):
    """``csp doctor --json``."""

    format: Literal[1] = Field(default=1, description="Version of these keys.")
    findings: list[Finding] = Field(description="What each check found, in the order of reading.")
    faults: int = Field(description="How many of them are faults.")
    warnings: int = Field(description="How many of them are warnings.")


class FetchedRows(_Part):
    """A file that was fetched, and its rows compared with those that had landed."""

    name: str = Field(description="Name of the file in the delivery.")
    rows: int = Field(description="Rows in it.")
    rows_before: int | None = Field(description="Rows in the file before it; null if it is new.")
    rows_differ: int = Field(description="Rows that differ, in any order.")
    rows_revised: int = Field(
        description="Those that differ only in what the publisher revises, such as the outcome."
    )
    landed: bool = Field(description="Whether it has landed: it is new, or rows differ.")


class FetchedQuarter(_Part):
    """What came of fetching a source for one quarter."""

    quarter: date = Field(description="First day of the quarter.")
    landed: bool = Field(description="Whether anything has landed.")
    files: list[FetchedRows] = Field(description="Files that were fetched.")
    unchanged: list[str] = Field(description="Files that are as they were fetched before.")
    unchanged_since: datetime | None = Field(description="When those were fetched, UTC.")
    notes: list[str] = Field(description="What is missing, and why.")
    requests: int = Field(description="Requests that were sent.")
    bytes: int = Field(description="Bytes that were received.")


class FetchOutput(_Part):
    """``csp fetch SOURCE --json``."""

    format: Literal[1] = Field(default=1, description="Version of these keys.")
    source: str = Field(description="Name of the source.")
    quarters: list[FetchedQuarter] = Field(description="Each quarter that was asked for.")


OUTPUTS: tuple[type[_Part], ...] = (
    StatusOutput,
    HistoryOutput,
    ReleasesOutput,
    CheckOutput,
    RefreshOutput,
    DoctorOutput,
    FetchOutput,
)


def print_json(output: BaseModel) -> None:
    """Print a model as JSON on standard output, and nothing else."""
    sys.stdout.write(output.model_dump_json(indent=2) + "\n")


def json_schema() -> str:
    """Return the JSON Schema of every output, as ``docs/json_schema.json`` has it."""
    _, schema = models_json_schema(
        [(model, "serialization") for model in OUTPUTS], title="Output of csp --json"
    )
    return json.dumps(_plain(schema), indent=2) + "\n"


def _plain(schema: Any) -> Any:
    """Leave out the titles that pydantic makes up from the names of keys."""
    if isinstance(schema, dict):
        made_up = isinstance(schema.get("title"), str) and "$defs" not in schema
        return {name: _plain(one) for name, one in schema.items() if name != "title" or not made_up}
    return [_plain(one) for one in schema] if isinstance(schema, list) else schema
