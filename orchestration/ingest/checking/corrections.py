"""Corrections of suppliers' known errors, applied between raw and staging.

One reviewed file lists them, each with the value that it expects to find. The raw table keeps what
was delivered; the view that staging reads, ``in_force.<source>``, has the corrected values. A
correction whose expected value is no longer there stops the refresh, so that none outlives the
error it was made for.

The guard is the practice of Our World in Data's ETL, which checks a known error before it corrects
it.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import duckdb
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    field_validator,
    model_validator,
)

from orchestration.config.identifying_texts import holds_identifier
from orchestration.config.quarters import parse_quarter
from orchestration.config.toml_files import place_of, published_text, read_toml, seen_text
from orchestration.errors import CspError, QuarterError
from orchestration.ingest.checking.contract import Column, Contract
from orchestration.ingest.checking.in_force_view import create_in_force_view
from orchestration.ingest.checking.rules import as_type, rules_of
from orchestration.warehouse.sql_quoting import literal


class CorrectionError(CspError):
    """A correction cannot be applied: it is wrong in itself, or what it corrects is not there."""


_Word = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=100)]
_Value = Annotated[str, StringConstraints(max_length=1_000), AfterValidator(seen_text)]
_Published = Annotated[
    str,
    StringConstraints(strip_whitespace=True, max_length=1_000),
    AfterValidator(published_text),
]


class Correction(BaseModel):
    """One known error. Values are written as the supplier writes them; ``""`` is a blank.

    ``quarter`` (and ``version``) name the delivery that has the error, or ``period`` the period in
    whatever delivery is in force for it. ``key`` names the rows, of which there must be ``rows``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: _Word
    quarter: date | None = None
    version: int | None = Field(default=None, ge=1)
    period: date | None = None
    key: dict[_Word, _Value] = Field(min_length=1, max_length=20)
    rows: int = Field(default=1, ge=1)
    column: _Word
    expected: _Value
    corrected: _Value
    reason: _Published = Field(min_length=10)
    source_of_truth: _Published = Field(min_length=3)
    author: _Published = Field(min_length=1)
    date: date

    @field_validator("quarter", mode="before")
    @classmethod
    def _quarter(cls, value: object) -> object:
        try:
            return parse_quarter(str(value)) if value is not None else None
        except QuarterError as error:
            raise ValueError(str(error)) from error

    @model_validator(mode="after")
    def _bounded(self) -> "Correction":
        if self.quarter is None and self.period is None:
            raise ValueError("name the quarter of the delivery, or the period")
        if self.version is not None and self.quarter is None:
            raise ValueError("a version is of a quarter's delivery: name the quarter")
        if self.expected == self.corrected:
            raise ValueError("the corrected value is the expected one")
        return self


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    corrections: list[Correction] = []


@dataclass(frozen=True)
class _Match:
    """What a correction meets in one delivery in force."""

    delivery_id: int
    delivery: str
    quarter: date
    version: int
    rows: int
    expected: int


def load_corrections(path: Path, contracts: Mapping[str, Contract]) -> list[Correction]:
    """Read the reviewed file, and check the whole of it before any correction is applied.

    Raises :class:`CorrectionError` that names every correction that is wrong, its field and what is
    wrong with it: an unknown source or column, a personal one, one that identifies deliveries, a
    value that the column may not have, a text that may not be published.
    """
    try:
        listed = _File.model_validate(read_toml(path)).corrections
    except ValidationError as error:
        # The values of a file that cannot be read may be anybody's: pydantic's text shows them.
        raise _refused(path, map(_said, error.errors(include_input=False))) from error
    except CspError as error:
        raise _refused(path, [str(error)]) from error
    faults = []
    with duckdb.connect(":memory:", config={"temp_directory": ""}) as connection:
        for number, one in enumerate(listed, start=1):
            fault = _fault(one, contracts) or _value_faults(connection, one, contracts, number)
            if fault:
                faults.append(f"corrections[{number}] ({one.source}): {fault}")
    if faults := [*faults, *_twice(listed)]:
        raise _refused(path, faults)
    return listed


def _refused(path: Path, faults: Iterable[str]) -> CorrectionError:
    return CorrectionError(f"{path} does not list corrections as it should. {' '.join(faults)}")


def _said(fault: Any) -> str:
    """Return the message on one field, with its place and without its value."""
    place = place_of(fault["loc"])
    if fault["type"] == "extra_forbidden":
        return f"{place} is no key of the file. Remove it, or correct its name."
    if fault["type"] == "missing":
        return f"{place} is missing."
    return f"{place}: {fault['msg'].removeprefix('Value error, ')}. Correct it."


def _value_faults(
    connection: duckdb.DuckDBPyConnection,
    one: Correction,
    contracts: Mapping[str, Contract],
    number: int,
) -> str | None:
    """Return what is wrong with the values of a correction, as the contract reads them."""
    columns = {column.name: column for column in contracts[one.source].columns}
    if any(map(holds_identifier, (one.expected, one.corrected, *one.key.values()))):
        return (
            "a value holds what looks like an identifier of a person. This file may not hold data "
            "about people: ask the supplier for a corrected delivery."
        )
    try:
        _value(connection, columns[one.column], one.expected, number, checked=False)
        _value(connection, columns[one.column], one.corrected, number, checked=True)
        for name, text in one.key.items():
            _value(connection, columns[name], text, number, checked=False)
    except CorrectionError as error:
        return str(error)
    return None


def _twice(listed: Sequence[Correction]) -> Iterator[str]:
    """Yield a sentence for each correction that an earlier one of the same rows contradicts."""
    first: dict[object, int] = {}
    for number, one in enumerate(listed, start=1):
        rows = (one.source, one.quarter, one.version, one.period, one.column)
        earlier = first.setdefault((*rows, *sorted(one.key.items())), number)
        if earlier != number:
            yield (
                f"corrections[{number}] ({one.source}) corrects the same value as "
                f"corrections[{earlier}]. Leave one of them."
            )


def _fault(one: Correction, contracts: Mapping[str, Contract]) -> str | None:
    contract = contracts.get(one.source)
    if contract is None:
        return f"there is no such source. The sources: {', '.join(contracts)}."
    columns = {column.name: column for column in contract.columns}
    named = [one.column, *one.key]
    if unknown := [name for name in named if name not in columns]:
        return f"the contract has no column {', '.join(unknown)}."
    if personal := [name for name in named if columns[name].personal]:
        return (
            f"{', '.join(personal)} is personal. This file may not hold data about people: ask the "
            "supplier for a corrected delivery."
        )
    if one.column in (contract.period, *contract.series, *contract.key):
        return (
            f"{one.column} identifies the row or its delivery. Ask the supplier for a corrected "
            "delivery."
        )
    return None


# --- applying --------------------------------------------------------------------------------


def apply_corrections(
    connection: duckdb.DuckDBPyConnection,
    contracts: Mapping[str, Contract],
    corrections: Sequence[Correction],
) -> int:
    """Rebuild the views ``in_force.*`` for the deliveries in force; return how many are applied.

    Writes ``control.corrections_applied``. Raises :class:`CorrectionError` where an expected value
    is not there; the views are then unchanged.
    """
    as_at: date
    ((as_at,),) = connection.execute("select as_at from control.refresh").fetchall()
    replacements: dict[str, dict[str, list[str]]] = {}
    records: list[list[object]] = []
    for number, one in enumerate(corrections, start=1):
        settled = _settle(connection, contracts[one.source], one, number, as_at)
        records.append(settled.record)
        if settled.case:
            replacements.setdefault(one.source, {}).setdefault(one.column, []).append(settled.case)
    connection.execute("begin")
    try:
        for source, contract in contracts.items():
            _replace_view(connection, contract, replacements.get(source, {}))
        connection.execute("delete from control.corrections_applied")
        if records:
            one_row = f"({', '.join('?' * len(records[0]))})"
            connection.execute(
                "insert into control.corrections_applied values "
                + ", ".join([one_row] * len(records)),
                [value for record in records for value in record],
            )
    except BaseException:
        connection.execute("rollback")
        raise
    connection.execute("commit")
    return sum(len(cases) for columns in replacements.values() for cases in columns.values())


def _replace_view(
    connection: duckdb.DuckDBPyConnection, contract: Contract, columns: Mapping[str, Sequence[str]]
) -> None:
    known = connection.execute(
        "select 1 from duckdb_tables() where schema_name = 'raw' and table_name = ?",
        [contract.source],
    ).fetchall()
    if not known:
        return
    create_in_force_view(connection, contract, columns)


@dataclass(frozen=True)
class _Settled:
    record: list[object]
    case: str | None


def _settle(
    connection: duckdb.DuckDBPyConnection,
    contract: Contract,
    one: Correction,
    number: int,
    as_at: date,
) -> _Settled:
    """Look for what the correction corrects among the deliveries in force."""
    columns = {column.name: column for column in contract.columns}
    expected = _value(connection, columns[one.column], one.expected, number, checked=False)
    corrected = _value(connection, columns[one.column], one.corrected, number, checked=True)
    key = " and ".join(
        _equals(name, _value(connection, columns[name], text, number, checked=False))
        for name, text in one.key.items()
    )
    period = f"{contract.period} = date {literal(one.period.isoformat())}" if one.period else "true"
    found = f"{key} and {period}"
    is_expected = _equals(one.column, expected)
    matches = _matches(connection, contract, found, is_expected)
    own = [match for match in matches if one.quarter in (None, match.quarter)]
    others = [match for match in matches if match not in own]
    state = _state(connection, contract, one, number, as_at, found, own, others)
    applied = own if state == "applied" else []
    record: list[object] = [
        number, one.source, one.quarter or (own[0].quarter if own else None),
        own[0].version if own else one.version, one.period, json.dumps(one.key), one.column,
        one.expected, one.corrected, sum(match.rows for match in applied), state, one.reason,
        one.source_of_truth, one.author, one.date,
    ]  # fmt: skip
    if not applied:
        return _Settled(record, None)
    numbers = ", ".join(str(match.delivery_id) for match in applied)
    condition = f"_delivery_id in ({numbers}) and {found} and {is_expected}"
    return _Settled(record, f"when {condition} then {corrected}")


def _matches(
    connection: duckdb.DuckDBPyConnection, contract: Contract, found: str, is_expected: str
) -> list[_Match]:
    rows = connection.execute(
        "select in_force.delivery_id, in_force.delivery, in_force.quarter, in_force.version, "
        f"count(*), count(*) filter (where {is_expected}) "
        f"from (select *, {contract.series_sql} as _series, {contract.period} as _period "
        f"from {contract.raw_table} where {found}) as raw_rows "
        "inner join control.in_force as in_force on in_force.source = $1 "
        "and raw_rows._delivery_id = in_force.delivery_id "
        "and raw_rows._series = in_force.delivered_series and raw_rows._period = in_force.period "
        "group by all order by all",
        [contract.source],
    ).fetchall()
    return [_Match(*row) for row in rows]


def _state(
    connection: duckdb.DuckDBPyConnection,
    contract: Contract,
    one: Correction,
    number: int,
    as_at: date,
    found: str,
    own: Sequence[_Match],
    others: Sequence[_Match],
) -> str:
    """Return what becomes of a correction; raise :class:`CorrectionError` that says what to do."""
    what = f"Correction {number} ({one.source}, column '{one.column}')"
    repeated = [
        match.delivery
        for match in others
        if match.expected and one.quarter and match.quarter > one.quarter
    ]
    if repeated:
        raise CorrectionError(
            f"{what}: {', '.join(repeated)} has the error as well. Add a correction for it, or "
            "name the period instead of the quarter."
        )
    if own:
        _require_expected(one, what, own)
        return "applied"
    if not _delivered(connection, one, as_at):
        return "not delivered yet"
    held = connection.execute(
        f"select count(*) from {contract.raw_table} inner join control.deliveries as deliveries "
        f"on _delivery_id = deliveries.delivery_id where deliveries.quarter = $1 and {found}",
        [one.quarter],
    ).fetchall()
    if one.quarter is not None and held[0][0] and others:
        return "superseded"
    raise CorrectionError(
        f"{what}: no row in force has the key {json.dumps(one.key)}. If the supplier has taken the "
        "row out, take the correction out; otherwise put its key right."
    )


def _require_expected(one: Correction, what: str, own: Sequence[_Match]) -> None:
    named = ", ".join(dict.fromkeys(match.delivery for match in own))
    if one.version is not None and any(match.version != one.version for match in own):
        raise CorrectionError(
            f"{what} is for version {one.version}, and {named} is in force. See whether it still "
            "has the error: then raise the version, otherwise take the correction out."
        )
    rows, expected = sum(match.rows for match in own), sum(match.expected for match in own)
    if expected != rows or rows != one.rows:
        raise CorrectionError(
            f"{what} expects '{one.expected}' in {one.rows} row(s) with the key "
            f"{json.dumps(one.key)}. In {named} there are {rows} such row(s), of which {expected} "
            "have that value. The supplier has probably fixed the error: remove the correction, "
            "or name the quarters whose deliveries still have it."
        )


def _delivered(connection: duckdb.DuckDBPyConnection, one: Correction, as_at: date) -> bool:
    """Say whether what the correction is about has been delivered by then."""
    rows = connection.execute(
        "select 1 from control.deliveries as deliveries "
        "inner join control.coverage as coverage using (delivery_id) "
        "where deliveries.source = $1 and deliveries.state = 'loaded' and deliveries.quarter <= $2 "
        "and ($3 is null or deliveries.quarter = $3) and ($4 is null or coverage.period = $4) "
        "and coverage.row_count > 0 "
        "and deliveries.delivery_id not in (select delivery_id from control.purges) "
        "limit 1",
        [one.source, as_at, one.quarter, one.period],
    ).fetchall()
    return bool(rows)


def _equals(name: str, value: str) -> str:
    if value == "null":
        return f"nullif({name}::varchar, '') is null"
    return f"{name} is not distinct from {value}"


def _value(
    connection: duckdb.DuckDBPyConnection,
    column: Column,
    text: str,
    number: int,
    *,
    checked: bool,
) -> str:
    """Return the SQL literal of a value as the contract reads it; ``null`` for a blank.

    Raises :class:`CorrectionError` where it is not of the column's type, or (``checked``) breaks
    one of its rules.
    """
    given = f"(select nullif($1, '')::varchar as {column.name})"
    ((value,),) = connection.execute(
        f"select ({as_type(column)})::varchar from {given}", [text]
    ).fetchall()
    rules = rules_of(column) if checked else []
    broken = [
        rule.message
        for rule in rules
        if connection.execute(f"select {rule.condition} from {given}", [text]).fetchall()
        == [(False,)]
    ]
    if broken or (value is None and text):
        why = " ".join(broken) or f"It is not a value of type {column.type}."
        raise CorrectionError(
            f"Correction {number}: '{text}' is not allowed in {column.name}. {why}"
        )
    return "null" if value is None else f"{literal(value)}::{column.type}"
