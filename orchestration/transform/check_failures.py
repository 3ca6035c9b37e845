"""The message of a failing check or model: what must hold, where it does not, and an example.

Never the name of a dbt test, and no value that may be about a person: the examples come from the
columns of place, time and kind alone.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import duckdb

from orchestration.config.identifying_texts import holds_identifier
from orchestration.config.settings import Settings
from orchestration.warehouse.connection import connect

FAILED = {"error", "fail", "runtime error"}

_TELLING_COLUMNS = {"broken_rules", "null_columns"}
"""Columns in which a failing test says what is wrong."""

_EXAMPLE_COLUMNS = (
    "area_code", "area_name", "force_code", "force_name", "district_code", "lsoa_code", "month",
    "quarter", "calendar_year", "stock_date", "stock_year", "mid_year", "period_type",
    "period_start", "period_end", "snapshot_date", "wave_start", "year_start", "cohort",
    "crime_type", "tenure", "estimator", "kind", "vintage", "prison", "youth_offending_service",
    "left_out", "mart", "what", "part", "counted", "dimension", "category", "pathway", "town",
    "events", "method", "reported_by", "measure", "statement",
)  # fmt: skip
"""Columns whose values are about places, times and kinds, and may be shown."""

_VALUE = re.compile(r"'[^']*'")
"""How DuckDB quotes a value that it could not convert."""

_SHOWN_EXAMPLES = 3
_SHOWN_RULES = 5


def fault_of(node: Mapping[str, Any]) -> str:
    """Return the message for a failing dbt test (its node of the manifest)."""
    test = node.get("test_metadata") or {}
    kwargs: Mapping[str, Any] = test.get("kwargs") or {}
    arguments = {**kwargs, **(kwargs.get("arguments") or {})}
    column = arguments.get("column_name", "")
    columns = ", ".join(arguments.get("columns") or arguments.get("combination_of_columns") or ())
    generic = {
        "unique_combination_of_columns": f"more than one row has the same {columns}",
        "unique": f"more than one row has the same {column}",
        "columns_not_null": f"a row lacks {columns}",
        "not_null": f"a row lacks {column}",
        "one_row": "it does not have exactly one row",
        "row_rules": "a row breaks the table's rules",
        "without_fault": "a row has a fault",
        "relationships": f"a {column} is not listed in {_referred(arguments.get('to', ''))}",
        "accepted_values": f"a {column} is not one of the accepted values",
    }
    if known := generic.get(str(test.get("name") or "")):
        return known
    said = " ".join(str(node.get("description") or "").split())
    name = str(node.get("name")).removeprefix("assert_").replace("_", " ")
    return f"this does not hold: {(said or name).rstrip('.')}"


def _referred(to: str) -> str:
    """Return the table that ``ref('dim_area')`` names."""
    return to.split("'")[-2] if to.count("'") >= 2 else to


def table_of(node: Mapping[str, Any]) -> str:
    """Return the table that a test is about."""
    dagster = ((node.get("config") or {}).get("meta") or {}).get("dagster") or {}
    named = (dagster.get("ref") or {}).get("name")
    parents = (node.get("depends_on") or {}).get("nodes") or ["the warehouse"]
    attached = node.get("attached_node") or parents[0]
    return str(named or str(attached).split(".")[-1])


def words_of_failures(settings: Settings, results: Iterable[Any]) -> dict[str, str]:
    """Return why each node failed in a run of dbt, by its unique id."""
    return {
        one.node.unique_id: words_of_failure(settings, one)
        for one in results
        if one.status in FAILED
    }


def failure_message(settings: Settings, results: Iterable[Any], words: Mapping[str, str]) -> str:
    """Return what failed in a run of dbt: how many checks and tables, and each in its ``words``."""
    failed = [one for one in results if one.status in FAILED]
    checks = sum(one.node.resource_type == "test" for one in failed)
    counted = [
        f"{count} {noun if count == 1 else nouns}"
        for count, noun, nouns in (
            (checks, "check did not pass", "checks did not pass"),
            (len(failed) - checks, "table could not be built", "tables could not be built"),
        )
        if count
    ]
    log = settings.dbt_state / "logs" / "dbt.log"
    return f"{' and '.join(counted)}. {' '.join(words.values())} The log is {log}."


def words_of_failure(settings: Settings, outcome: Any) -> str:
    """Return in sentences what one failed check or table says."""
    node = outcome.node.to_dict()
    if node["resource_type"] != "test":
        return f"{node['name']} could not be built: {_reason(outcome)}."
    if outcome.status != "fail":
        return f"{table_of(node)}: a check could not be made: {_reason(outcome)}."
    return f"{'; '.join(words_of_test(settings, outcome, counted=True))}."


def words_of_test(settings: Settings, outcome: Any, *, counted: bool) -> list[str]:
    """Return what a test that failed or warned says: each broken rule, or its fault with examples.

    ``counted`` adds how many rows break it. What only warns is said without, so that it can be
    compared from one refresh to the next.
    """
    node = outcome.node.to_dict()
    table = table_of(node)
    sql = getattr(outcome.node, "compiled_code", None)
    if not sql:
        return [f"{table}: {fault_of(node)}"]
    with connect(settings, read_only=True) as connection:
        found = connection.sql(sql)
        telling = next((name for name in found.columns if name in _TELLING_COLUMNS), None)
        if telling is None:
            return [f"{table}: {fault_of(node)}{_rows(connection, sql, found.columns, counted)}"]
        broken = (
            found.aggregate(f"{telling}, count(*) as rows")
            .order(f"rows desc, {telling}")
            .limit(_SHOWN_RULES)
            .fetchall()
        )
        return [_rule_words(table, telling, rules, rows, counted) for rules, rows in broken]


def _rule_words(table: str, telling: str, rules: str, rows: int, counted: bool) -> str:
    said = f"{rules} is empty" if telling == "null_columns" else rules
    if not counted:
        return said
    return f"{table}: {said.rstrip('.')} ({rows:,} {'row' if rows == 1 else 'rows'})"


def _rows(
    connection: duckdb.DuckDBPyConnection, sql: str, columns: Sequence[str], counted: bool
) -> str:
    """Return how many rows there are, and where the first of them are."""
    shown = [name for name in _EXAMPLE_COLUMNS if name in columns]
    ((count,),) = connection.sql(sql).aggregate("count(*)").fetchall()
    said = [f"{count:,} {'row' if count == 1 else 'rows'}"] if counted else []
    if shown:
        ordered = ", ".join(shown)
        first = connection.sql(sql).project(ordered).distinct().order(ordered)
        examples = [
            " ".join(f"{name} {_shown(value)}" for name, value in zip(shown, row, strict=True)
                     if value is not None)
            for row in first.limit(_SHOWN_EXAMPLES).fetchall()
        ]  # fmt: skip
        said.append(f"for example {', '.join(examples)}")
    return f" ({'; '.join(said)})" if said else ""


def _shown(value: object) -> str:
    text = str(value)
    return "(not shown)" if holds_identifier(text) else text


def _reason(outcome: Any) -> str:
    """Return DuckDB's own message, without the file and line of ours that it adds, and no value."""
    lines = [line.strip() for line in str(outcome.message or outcome.status).splitlines()]
    told = [line for line in lines if line and "Error in " not in line and "compiled" not in line]
    return _VALUE.sub("(a value)", (told or lines)[0]).rstrip(".")
