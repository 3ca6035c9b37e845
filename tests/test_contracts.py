"""Contracts, dbt sources and raw tables say the same; quarters have their right names."""

from datetime import date

import pytest
import yaml

from orchestration.config.quarters import (
    last_closed_quarter,
    next_quarter,
    parse_quarter,
    quarter_end,
    quarter_label,
)
from orchestration.errors import ContractError, QuarterError
from orchestration.ingest.checking.contract import load_contract, load_contracts
from orchestration.ingest.checking.dbt_source import outdated_sources
from orchestration.ingest.checking.in_force_view import DELIVERY_COLUMNS
from tests.support import Ground


def test_dbt_sources_are_written_from_the_contracts() -> None:
    assert outdated_sources(load_contracts()) == []


def test_raw_tables_have_the_contracts_columns_types_and_comments(sample: Ground) -> None:
    for name, contract in load_contracts().items():
        made = sample.query(
            "select column_name, data_type, comment from duckdb_columns() "
            f"where schema_name = 'raw' and table_name = '{name}' order by column_index"
        )
        declared = [(one.name, one.type, one.comment) for one in contract.stored_columns]
        lineage = [(key, kind, said) for key, (kind, said) in contract.lineage_columns.items()]
        assert made == declared + lineage


def test_an_identifier_is_described_as_the_pseudonym_that_is_stored() -> None:
    described = {
        column.name: column.comment
        for contract in load_contracts().values()
        for column in contract.stored_columns
        if column.identifier
    }
    assert {"pnc_id", "crn", "nominal_ref", "response_id"} <= described.keys()
    assert all(said.startswith("Pseudonym (HMAC-SHA-256).") for said in described.values())


def test_dbt_database_and_contract_agree_on_tables(sample: Ground) -> None:
    """What dbt reads as a source is compared with the database itself, without our writer."""
    for name, contract in load_contracts().items():
        ((source,),) = [yaml.safe_load((contract.folder / "_source.yml").read_text())["sources"]]
        (table,) = source["tables"]
        made = sample.query(
            "select shown.column_name, shown.data_type, raw.comment "
            "from duckdb_columns() as shown left join duckdb_columns() as raw "
            "on raw.schema_name = 'raw' and raw.table_name = shown.table_name "
            "and raw.column_name = shown.column_name "
            f"where shown.schema_name = '{source['schema']}' "
            f"and shown.table_name = '{table['name']}' order by shown.column_index"
        )
        declared = [(one["name"], one["data_type"], one["description"]) for one in table["columns"]]
        of_deliveries = len(DELIVERY_COLUMNS)
        assert made[:-of_deliveries] == declared[:-of_deliveries]
        # The view adds these to the raw table, whose comments are the contract's.
        assert [one[:2] for one in made[-of_deliveries:]] == [
            one[:2] for one in declared[-of_deliveries:]
        ]
        said = sample.value(
            "select comment from duckdb_tables() where schema_name = 'raw' "
            f"and table_name = '{name}'"
        )
        assert table["description"] == f"{said} Grain: {contract.grain}."
        about = table["config"]["meta"]["csp"]
        assert (about["supplier"], about["licence"]) == (contract.supplier, contract.licence)
        assert about["personal"] == [one.name for one in contract.stored_columns if one.personal]


def test_a_contract_that_names_a_missing_column_is_reported(tmp_path: object) -> None:
    from pathlib import Path

    folder = Path(str(tmp_path)) / "broken"
    folder.mkdir()
    good = (load_contracts()["population_estimates"].folder / "contract.toml").read_text()
    (folder / "contract.toml").write_text(good.replace('period = "mid_year"', 'period = "when"'))
    with pytest.raises(ContractError, match="when"):
        load_contract(folder)


@pytest.mark.parametrize(
    ("text", "first", "last", "label"),
    [
        ("2018-04-01", date(2018, 4, 1), date(2018, 6, 30), "Q1 2018/19"),
        ("Q4 2018/19", date(2019, 1, 1), date(2019, 3, 31), "Q4 2018/19"),
        ("q3 1999/00", date(1999, 10, 1), date(1999, 12, 31), "Q3 1999/00"),
        ("2020-01-01", date(2020, 1, 1), date(2020, 3, 31), "Q4 2019/20"),
    ],
)
def test_quarters(text: str, first: date, last: date, label: str) -> None:
    quarter = parse_quarter(text)
    assert (quarter, quarter_end(quarter), quarter_label(quarter)) == (first, last, label)
    assert (next_quarter(quarter) - last).days == 1


@pytest.mark.parametrize("text", ["2018-05-01", "2018-04-02", "Q5 2018/19", "Q1 2018/20", "spring"])
def test_what_is_not_a_quarter_is_reported(text: str) -> None:
    with pytest.raises(QuarterError, match=r"such as 2018-04-01|financial year"):
        parse_quarter(text)


@pytest.mark.parametrize(
    ("today", "closed"),
    [
        (date(2018, 7, 1), date(2018, 4, 1)),
        (date(2018, 6, 30), date(2018, 1, 1)),
        (date(2019, 1, 15), date(2018, 10, 1)),
    ],
)
def test_last_closed_quarter(today: date, closed: date) -> None:
    assert last_closed_quarter(today) == closed
