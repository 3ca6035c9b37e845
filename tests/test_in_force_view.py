"""The views that staging reads hold the rows in force, each with its delivery, and no other row."""

import pytest

from orchestration.ingest.checking.contract import load_contracts
from orchestration.ingest.checking.in_force_view import DELIVERY_COLUMNS
from tests.support import Ground, street_file, street_row

STREET = "police_uk_street"


@pytest.mark.parametrize("source", load_contracts())
def test_the_view_holds_the_rows_that_the_load_counted(sample: Ground, source: str) -> None:
    """The load counts the rows of each delivery and period by itself, when it reads them."""
    counted = sample.query(
        "select delivery, served_name, period, sum(row_count)::bigint from control.in_force "
        f"where source = '{source}' and row_count > 0 group by all order by all"
    )
    period = load_contracts()[source].period
    held = sample.query(
        f"select delivery, served_name, {period}, count(*) from in_force.{source} "
        "group by all order by all"
    )
    assert held == counted
    # The sample has outcomes and stop and search from the next quarter on.
    assert held or source in ("police_uk_outcomes", "police_uk_stop_and_search")


@pytest.mark.parametrize("source", load_contracts())
def test_a_row_names_the_delivery_that_it_came_in(sample: Ground, source: str) -> None:
    others = sample.value(
        f"select count(*) from in_force.{source} as held "
        "left join control.deliveries as deliveries on held._delivery_id = deliveries.delivery_id "
        "where (held.delivery_quarter, held.delivery_version) is distinct from "
        "(deliveries.quarter, deliveries.version) or held.delivery is distinct from "
        "format('{} {} v{}', deliveries.source, deliveries.quarter, deliveries.version)"
    )
    assert others == 0


def test_no_contract_has_a_column_that_the_view_adds() -> None:
    for name, contract in load_contracts().items():
        own = {column.name for column in contract.columns} | contract.lineage_columns.keys()
        assert not own & DELIVERY_COLUMNS.keys(), name


def test_a_replaced_delivery_is_out_of_the_view_and_stays_in_the_raw_table(ground: Ground) -> None:
    for rows in (3, 2):
        made = [street_row(number=number) for number in range(1, rows + 1)]
        ground.put(STREET, "2018-04-01", {"a.csv": street_file(made)})
        ground.load(STREET)
    ground.resolve("2018-04-01")
    assert ground.value(f"select count(*) from raw.{STREET}") == 5
    assert ground.query(f"select delivery, count(*) from in_force.{STREET} group by all") == [
        (f"{STREET} 2018-04-01 v2", 2)
    ]
