"""Each contract as a dbt source, so that dbt, the database and the contract say the same.

``_source.yml`` beside a contract is written from it (``csp contracts``) and committed; a test fails
where the two differ.
"""

from pathlib import Path

import yaml

from orchestration.ingest.checking.contract import Contract
from orchestration.ingest.checking.in_force_view import DELIVERY_COLUMNS, SCHEMA

_HEADING = "# Written from contract.toml by `csp contracts`. Change the contract, not this file.\n"


def source_yaml(contract: Contract) -> str:
    """Return the text of the source's ``_source.yml``."""
    columns = [
        {"name": column.name, "description": column.comment, "data_type": column.type}
        for column in contract.stored_columns
    ]
    columns += [
        {"name": name, "description": meaning, "data_type": kind}
        for name, (kind, meaning) in contract.lineage_columns.items()
    ]
    columns += [
        {"name": name, "description": meaning, "data_type": kind}
        for name, (_, kind, meaning) in DELIVERY_COLUMNS.items()
    ]
    table = {
        "name": contract.source,
        "description": f"{contract.meaning} Grain: {contract.grain}.",
        "config": {
            "meta": {
                "dagster": {"asset_key": ["raw", contract.source]},
                "csp": {
                    "title": contract.title,
                    "supplier": contract.supplier,
                    **_supplier_by_name(contract),
                    "licence": contract.licence,
                    "cadence": contract.cadence,
                    "arrival_days": contract.arrival_days,
                    "counts": contract.counts,
                    "personal": [
                        column.name for column in contract.stored_columns if column.personal
                    ],
                },
            }
        },
        "columns": columns,
    }
    # The view that staging reads. In Dagster it is part of the asset of the raw table.
    source = {"name": SCHEMA, "schema": SCHEMA, "tables": [table]}
    body: str = yaml.safe_dump(
        {"version": 2, "sources": [source]}, sort_keys=False, allow_unicode=True, width=100
    )
    return _HEADING + body


def _supplier_by_name(contract: Contract) -> dict[str, str]:
    """Return how the supplier is named by its deliveries; empty where the contract names it."""
    if not contract.supplied_by:
        return {}
    return {"supplied_by": contract.supplied_by, "supplier_series": contract.supplier_series or ""}


def outdated_sources(contracts: dict[str, Contract]) -> list[str]:
    """Return the sources whose ``_source.yml`` is not what their contract says."""
    return [
        name
        for name, contract in contracts.items()
        if not _path(contract).exists() or _path(contract).read_text() != source_yaml(contract)
    ]


def write_sources(contracts: dict[str, Contract]) -> list[str]:
    """Write every ``_source.yml`` that is out of date; return the sources written."""
    outdated = outdated_sources(contracts)
    for name in outdated:
        _path(contracts[name]).write_text(source_yaml(contracts[name]))
    return outdated


def _path(contract: Contract) -> Path:
    return contract.folder / "_source.yml"
