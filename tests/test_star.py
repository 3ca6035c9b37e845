"""The star: every published table joins its dimensions, and sums over them are right."""

import os
import re
import shutil
from pathlib import Path

import duckdb
import pytest

from orchestration.config.settings import PROJECT
from orchestration.publish.dimension_keys import dimension_keys
from orchestration.publish.errors import CatalogueError
from orchestration.publish.published_tables import published_tables
from orchestration.transform.dbt_runner import load_manifest
from tests.joins import join_faults
from tests.support import Ground

TABLES_PAGE = PROJECT / "docs" / "tables.md"


def published(ground: Ground) -> Path:
    return ground.settings.published / "csp.duckdb"


def ask(ground: Ground, query: str) -> list[tuple[object, ...]]:
    with duckdb.connect(published(ground), read_only=True) as connection:
        return connection.execute(query).fetchall()


def test_no_join_loses_or_doubles_a_row(sample: Ground) -> None:
    assert join_faults(published(sample)) == []


def test_no_join_loses_or_doubles_a_row_of_a_later_quarter(quarters: dict[str, Path]) -> None:
    for home in quarters.values():
        assert join_faults(home / "published" / "csp.duckdb") == []


@pytest.mark.real
def test_no_join_loses_or_doubles_a_row_of_the_real_extracts(real: Ground) -> None:
    assert join_faults(published(real)) == []


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ("delete from marts.dim_area where area_type = 'town'", r"survey_perceptions.*are found"),
        (
            "insert into marts.dim_crime_type from marts.dim_crime_type limit 1",
            r"crime_trends \(crime_type\).*rows become",
        ),
        ("update marts.crime_trends set period_key = null", r"crime_trends.*0 of \d+ rows"),
        (
            "update marts.small_areas set ward_code = 'W' where ward_code is not null",
            r"small_areas \(ward_code\).* 0 of",
        ),
    ],
)
def test_a_join_that_loses_or_doubles_rows_is_found(
    sample: Ground, tmp_path: Path, change: str, fault: str
) -> None:
    changed = tmp_path / "csp.duckdb"
    shutil.copyfile(published(sample), changed)
    with duckdb.connect(changed) as connection:
        connection.execute(change)
    assert any(re.search(fault, found) for found in join_faults(changed))


def test_every_table_of_figures_joins_its_area_and_its_period(sample: Ground) -> None:
    joined: dict[object, set[object]] = {}
    for name, dimension in ask(sample, "select table_name, dimension_name from main.joins"):
        joined.setdefault(name, set()).add(dimension)
    for name, counts in ask(
        sample, "select table_name, counts from main.published_tables where table_schema <> 'main'"
    ):
        if counts != "reference":
            assert "dim_area" in joined[name], name
            assert {"dim_period", "dim_month"} & joined[name], name


def test_every_column_named_like_a_dimension_joins_it(sample: Ground) -> None:
    found = ask(
        sample,
        "select table_name, column_name from main.data_dictionary "
        "where table_schema <> 'main' and column_name in "
        "('crime_type', 'cohort', 'pathway', 'offence_group', 'period_key') "
        "and not (table_name like 'dim\\_%' escape '\\' and column_name <> 'period_key') "
        "and table_name <> 'dim_period' and (table_name, column_name) not in "
        "(select (table_name, column_names) from main.joins) order by all",
    )
    assert found == []


def test_what_a_dimension_declares_is_there(sample: Ground) -> None:
    tables = published_tables(load_manifest(sample.settings))
    names = {table.name for table in tables}
    columns = {column.name for table in tables for column in table.columns}
    for dimension in tables:
        for key in dimension.joined_by:
            assert key.unless <= names, dimension.name
            assert set(key.columns) <= columns, dimension.name


def test_every_refresh_checks_the_joins_of_every_published_table(sample: Ground) -> None:
    written = PROJECT / "dbt_project" / "tests" / "assert_tables_join_their_dimensions.sql"
    named = re.findall(r"'(\w+)',?", written.read_text().split("set tables")[1])
    assert named == sorted(table.name for table in published_tables(load_manifest(sample.settings)))


@pytest.mark.parametrize(
    "declared",
    [
        {"to": ["a"]},
        {"columns": ["a", "b"], "to": ["a"]},
        {"columns": ["a"], "optionally": True},
    ],
)
def test_a_key_that_cannot_be_used_is_refused(declared: dict[str, object]) -> None:
    with pytest.raises(CatalogueError, match="dim_x: its `joined_by`"):
        dimension_keys("dim_x", [declared])


def test_parts_of_a_force_add_up_to_it(sample: Ground) -> None:
    """One way to sum recorded crime, by area and by type, that counts nothing twice."""
    found = ask(
        sample,
        """
        with parts as (
            select areas.force_code as area_code, crime.month as period_start,
                sum(crime.offences) as offences, count(*) = count(crime.offences) as is_whole
            from marts.crime_monthly as crime
            inner join marts.dim_area as areas using (area_code)
            inner join marts.dim_crime_type as types using (crime_type)
            where areas.is_part_of_force and types.is_in_total_crime
            group by all
        )
        select count(*), count(*) filter (parts.offences is distinct from trends.offences)
        from marts.crime_trends as trends
        inner join parts using (area_code, period_start)
        where trends.crime_type = 'Total crime' and trends.period_type = 'month' and parts.is_whole
        """,
    )
    ((months, differing),) = found
    assert isinstance(months, int) and months > 20
    assert differing == 0


def test_an_area_lies_in_a_chain_of_parents_that_ends(sample: Ground) -> None:
    found = ask(
        sample,
        """
        with recursive chain as (
            select area_code, parent_area_code, 1 as steps from marts.dim_area
            union all
            select chain.area_code, areas.parent_area_code, chain.steps + 1
            from chain inner join marts.dim_area as areas
                on chain.parent_area_code = areas.area_code
            where chain.steps < 9
        )
        select area_code from chain where steps > 4
        """,
    )
    assert found == []


def test_rates_divide_by_the_populations_that_are_published(sample: Ground) -> None:
    for table in ("crime_monthly", "crime_trends", "social_housing_stock", "offender_rates"):
        ((rates, unknown),) = ask(
            sample,
            f"""
            select
                count(*),
                count(*) filter (estimates.population is distinct from rates.population)
            from marts.{table} as rates
            left join marts.populations as estimates
                using (area_code, population_mid_year, population_estimator)
            where rates.population is not null
            """,
        )
        assert rates, table
        assert unknown == 0, table


def test_months_agree_with_the_periods_of_months(sample: Ground) -> None:
    found = ask(
        sample,
        "select month from marts.dim_month as months inner join marts.dim_period as periods "
        "using (period_key) where (months.month, months.month_end, months.month_label, "
        "months.quarter, months.quarter_label, months.calendar_year, months.financial_year) "
        "is distinct from (periods.period_start, periods.period_end, periods.period_label, "
        "periods.quarter, periods.quarter_label, periods.calendar_year, periods.financial_year) "
        "or periods.is_after_quarter",
    )
    assert found == []


# --- the page of tables ----------------------------------------------------------------------

_BLOCK = re.compile(r"(<!-- joins: written by tests/test_star.py -->\n)(.*)(<!-- end -->\n)", re.S)


def test_every_mart_is_published(sample: Ground) -> None:
    """Two tables of the audit stay restricted; their public form is main.audit."""
    unpublished = {
        node["name"]
        for node in load_manifest(sample.settings)["nodes"].values()
        if node["resource_type"] == "model"
        and node["schema"] in ("marts", "reports")
        and not node["config"]["meta"]["csp"]["publish"]
    }
    assert unpublished == {"reconciliation", "reconciliation_findings"}


def test_the_page_of_tables_shows_the_joins_of_the_release(sample: Ground) -> None:
    """WRITE_SNAPSHOT=1 writes them again."""
    page = TABLES_PAGE.read_text(encoding="utf-8")
    written = _BLOCK.search(page)
    assert written
    expected = _joins_in_words(sample)
    if os.environ.get("WRITE_SNAPSHOT"):
        made = _BLOCK.sub(lambda found: found[1] + expected + found[3], page)
        TABLES_PAGE.write_text(made, encoding="utf-8")
    else:
        assert written[2] == expected


def _joins_in_words(ground: Ground) -> str:
    """Return the diagram of marts with the same joins, and the keys of each dimension."""
    every = ask(
        ground,
        "select table_schema, table_name, column_names, dimension_name, dimension_columns, "
        "is_optional from main.joins order by dimension_name, dimension_columns, column_names, "
        "table_schema, table_name",
    )
    keys: dict[tuple[object, object, object], dict[object, list[str]]] = {}
    of_mart: dict[str, dict[object, list[str]]] = {}
    for schema, name, columns, dimension, to, optional in every:
        by_schema = keys.setdefault((dimension, columns, to), {})
        by_schema.setdefault(schema, []).append(f"`{name}`{' (may be empty)' * bool(optional)}")
        if schema == "marts" and columns != "period_type, period_start":
            of_mart.setdefault(str(name), {}).setdefault(dimension, []).append(str(columns))
    alike: dict[str, list[str]] = {}
    for mart, joined in of_mart.items():
        drawn = "".join(
            f'    {dimension} ||--o{{ MART : "{", ".join(columns)}"\n'
            for dimension, columns in joined.items()
            if dimension != mart
        )
        if drawn:
            alike.setdefault(drawn, []).append(mart)
    lines = ["```mermaid", "erDiagram"]
    for drawn, marts in sorted(alike.items(), key=lambda one: one[1]):
        more = f" and {len(marts) - 1} more" * (len(marts) > 1)
        lines.append(drawn.replace("MART", f'"{min(marts)}{more}"').rstrip("\n"))
    lines += ["```", ""]
    for marts in sorted(alike.values()):
        first, *others = sorted(marts)
        if others:
            also = ", ".join(f"`{other}`" for other in others)
            lines.append(f"- `{first}` and {len(others)} more: also {also}.")
    lines += ["", "| dimension | its columns | joined by | tables |", "|---|---|---|---|"]
    for (dimension, columns, to), tables in keys.items():
        named = ", ".join(name for schema in sorted(tables, key=str) for name in tables[schema])
        lines.append(f"| `{dimension}` | `{to}` | `{columns}` | {named} |")
    return "\n".join(["", *lines, "", ""])
