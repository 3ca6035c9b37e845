"""What the partnerships file adds to a contract: towns of the survey, forms of numbers.

A contract says what every supplier's files have in common. What differs by force area is
configured, and is checked by the same rules.
"""

import hashlib
import json
from collections.abc import Mapping

import duckdb

from orchestration.errors import SettingsError
from orchestration.ingest.checking.contract import Column, Contract, NumberForm
from orchestration.ingest.checking.faults import Fault
from orchestration.ingest.checking.rules import NUMBER_FORM_RULE

_LISTED_IN = {"town": ("town", "partnership_towns")}


def with_configured_values(connection: duckdb.DuckDBPyConnection, contract: Contract) -> Contract:
    """Return a contract with the values that the partnerships file lists for its columns.

    Where no such file has been read, values are not compared with its lists.
    Raises :class:`SettingsError` for a number format of a column that the source does not have.
    """
    if not connection.execute("select 1 from control.partnership_areas limit 1").fetchall():
        return contract
    forms = _number_forms(connection, contract)
    columns = tuple(
        _with_values(connection, column, forms.get(column.name, ())) for column in contract.columns
    )
    return contract.model_copy(update={"columns": columns})


def is_configured_fault(contract: Contract, fault: Fault) -> bool:
    """Say whether a fault is by a rule that the partnerships file has added to the contract."""
    listed = {column.title for column in contract.columns if column.listed}
    is_listed = fault.rule == "is a known value" and fault.column in listed
    return is_listed or fault.rule == NUMBER_FORM_RULE


def configured_digest(contract: Contract) -> str:
    """Return a fingerprint of what the partnerships file has added to a contract."""
    added = [
        (
            column.name,
            column.allowed if column.listed else None,
            [(one.name, one.pattern) for one in column.number_forms],
        )
        for column in contract.columns
        if column.listed or column.number_forms
    ]
    return hashlib.sha256(json.dumps(added).encode()).hexdigest()


def _with_values(
    connection: duckdb.DuckDBPyConnection, column: Column, forms: tuple[NumberForm, ...]
) -> Column:
    added: dict[str, object] = {"number_forms": forms} if forms else {}
    if column.listed:
        name, table = _LISTED_IN[column.listed]
        rows = connection.execute(
            f"select distinct {name} from control.{table} order by 1"
        ).fetchall()
        added["allowed"] = tuple(str(value) for (value,) in rows)
    return column.model_copy(update=added) if added else column


def _number_forms(
    connection: duckdb.DuckDBPyConnection, contract: Contract
) -> dict[str, tuple[NumberForm, ...]]:
    rows = connection.execute(
        "select column_name, served_name, pattern, form from control.partnership_number_formats "
        "where source = ? order by all",
        [contract.source],
    ).fetchall()
    found: dict[str, tuple[NumberForm, ...]] = {}
    for column, name, pattern, form in rows:
        form_of_name = NumberForm(name=name, pattern=pattern, form=form)
        found[column] = (*found.get(column, ()), form_of_name)
    return found


def refuse_unknown_columns(
    connection: duckdb.DuckDBPyConnection, contracts: Mapping[str, Contract]
) -> None:
    """Raise :class:`SettingsError` for number formats of columns that no source has."""
    rows = connection.execute(
        "select distinct source, column_name from control.partnership_number_formats order by all"
    ).fetchall()
    faults = []
    for source, column in rows:
        contract = contracts.get(source)
        if contract is None:
            faults.append(
                f"source '{source}', which does not exist; the sources are {', '.join(contracts)}"
            )
            continue
        texts = [one.name for one in contract.columns if one.type == "VARCHAR" and one.header]
        if contract.coverage.named is None:
            faults.append(f"source '{source}', whose rows name no force and no service")
        elif column not in texts:
            faults.append(
                f"column '{column}' of '{source}', which has no such column; it has "
                f"{', '.join(texts)}"
            )
    if faults:
        raise SettingsError(
            "The partnerships file has number formats ([[force_areas.number_formats]]) for "
            f"{'; for '.join(faults)}. Correct source and column, or take the format out."
        )
