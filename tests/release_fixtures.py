"""A small warehouse in the form that the release and the exports meet, without dbt.

Two districts and a neighbouring one, forty months of shoplifting and burglary with a hole, and a
Table 5 of two years. Nothing here is a real figure.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import yaml

from orchestration.config.settings import PROJECT
from orchestration.exports.report_definition.report_catalogue import catalogue_of
from orchestration.publish import (
    DeclaredReport,
    PublishedTable,
    SourceDescription,
    declared_reports,
    published_tables,
)
from orchestration.releases.report_metadata import Exhibit
from orchestration.warehouse.control_schema import CONTROL_SCHEMA

QUARTER = date(2018, 4, 1)
NOW = datetime(2018, 7, 16, 9, 0, tzinfo=UTC)
FORCE = "E23000023"
MISSING_MONTHS = (date(2016, 5, 1), date(2016, 6, 1), date(2017, 2, 1))
CREDITS = {
    "police_uk_street": SourceDescription(
        "Street-level recorded crime",
        "data.police.uk",
        "Open Government Licence v3.0",
        counts="offences",
    )
}
FORMULAS = ("=1+1", "+44 1354", "-2", "@SUM(A1)", "\tx", "\rx")


@dataclass(frozen=True)
class Model:
    """A published model: what dbt would say of it, and its rows."""

    schema: str
    counts: str
    key: tuple[str, ...]
    columns: Mapping[str, str]
    rows: tuple[tuple[object, ...], ...]
    note: str = ""
    data_up_to: Mapping[str, str] | None = None


NO_DATA = "the force supplied no data for these months"
"""The reason for the months that are missing."""

MONTHLY = {"period_end": "last_day(month)", "measure": "offences"}

AREAS = (
    ("E07000008", "Cambridge", "district", "cambridge", "Cambridge CSP"),
    ("E07000010", "Fenland", "district", "fenland", "Fenland CSP"),
    ("E07000011", "Huntingdonshire", "district", "huntingdonshire", "Huntingdonshire CSP"),
    (FORCE, "Cambridgeshire Constabulary", "force", None, None),
    (f"{FORCE}:unlocated", "Location not recorded", "unlocated", None, None),
)


def months(count: int = 40) -> list[date]:
    """Return consecutive months that end with June 2018."""
    last = 2018 * 12 + 5
    return [date(n // 12, n % 12 + 1, 1) for n in range(last - count + 1, last + 1)]


def _figure(scale: int) -> tuple[tuple[object, ...], ...]:
    rows: list[tuple[object, ...]] = []
    for place, (code, name, kind, csp, _) in enumerate(AREAS[:4]):
        for number, month in enumerate(months()):
            label = f"{month:%B %Y}"
            if month in MISSING_MONTHS:
                empty = (None,) * 6
                rows.append((code, name, csp, month, label, *empty, "[x]", None, None, None, None,
                             NO_DATA))  # fmt: skip
                continue
            offences = scale * (1 + place) + number * 7 % 11
            signal = "above limit" if number == 39 else None
            centre = scale * (1.0 + place) + 5
            rows.append(
                (code, name, csp, month, label, offences, None, centre, centre - 30, centre + 12.5,
                 signal, None, "police_uk_street 2018-04-01 v1", months()[0], False, None, None)
            )  # fmt: skip
        assert kind
    return tuple(rows)


FIGURE_COLUMNS = {
    "area_code": "varchar",
    "area_name": "varchar",
    "csp": "varchar",
    "month": "date",
    "month_label": "varchar",
    "offences": "bigint",
    "rolling_12m_offences": "bigint",
    "xmr_centre": "double",
    "xmr_lower": "double",
    "xmr_upper": "double",
    "xmr_signal": "varchar",
    "status": "varchar",
    "deliveries": "varchar",
    "xmr_since": "date",
    "xmr_is_restart": "boolean",
    "seasonally_adjusted": "double",
    "missing_because": "varchar",
}


def models() -> dict[str, Model]:
    """Return the models of the small warehouse by name."""
    table_5 = tuple(
        (year, order, code, name, 10 * order, 5000 + order, 0, 5010 + order, 100_000,
         None if year == 2017 else 50.0 + order, "[x]" if year == 2017 else None, "dwelling_stock")
        for year in (2016, 2017)
        for order, (code, name, *_) in enumerate(AREAS[:4], start=1)
    )  # fmt: skip
    return {
        "dim_area": Model(
            "marts",
            "reference",
            ("area_code",),
            {
                "area_code": "varchar",
                "area_name": "varchar",
                "area_type": "varchar",
                "force_code": "varchar",
                "csp": "varchar",
                "csp_name": "varchar",
            },
            tuple((code, name, kind, FORCE, csp, label) for code, name, kind, csp, label in AREAS),
        ),
        "dim_month": Model(
            "marts",
            "reference",
            ("month",),
            {"month": "date", "month_label": "varchar"},
            tuple((month, f"{month:%B %Y}") for month in months()),
        ),
        "crime_monthly": Model(
            "marts",
            "offences",
            ("month", "area_code", "crime_type"),
            {
                "month": "date",
                "area_code": "varchar",
                "area_type": "varchar",
                "crime_type": "varchar",
                "offences": "bigint",
                "change": "integer",
                "deliveries": "varchar",
            },
            tuple(
                (month, code, kind, "Shoplifting", 7, -3, FORMULAS[number % len(FORMULAS)])
                for number, month in enumerate(months())
                for code, _, kind, *_ in AREAS
                if kind != "force" and month not in MISSING_MONTHS
            ),
        ),
        "table_5_social_dwellings": Model(
            "reports",
            "places",
            ("stock_year", "row_order"),
            {
                "stock_year": "integer",
                "row_order": "integer",
                "area_code": "varchar",
                "area_name": "varchar",
                "local_authority": "bigint",
                "private_registered_provider": "bigint",
                "other_public_sector": "bigint",
                "total": "bigint",
                "population": "bigint",
                "rate_per_1000": "double",
                "status": "varchar",
                "deliveries": "varchar",
            },
            table_5,
            "Rounded to the nearest ten.",
            {"period_end": "make_date(stock_year, 3, 31)", "measure": "rate_per_1000"},
        ),
        "figure_10_shoplifting": Model(
            "reports",
            "offences",
            ("area_code", "month"),
            FIGURE_COLUMNS,
            _figure(30),
            data_up_to=MONTHLY,
        ),
        "figure_11_burglary": Model(
            "reports",
            "offences",
            ("area_code", "month"),
            FIGURE_COLUMNS,
            _figure(10),
            "data.police.uk does not separate dwelling burglary from other burglary.",
            MONTHLY,
        ),
    }


@cache
def report_models() -> Mapping[str, Mapping[str, Any]]:
    """Return the project's report models that say how they are shown: their YAML, by name."""
    entries = [
        entry
        for path in sorted((PROJECT / "dbt_project/models/reports").glob("*.yml"))
        for entry in yaml.safe_load(path.read_text(encoding="utf-8"))["models"]
    ]
    return {entry["name"]: entry for entry in entries if "report" in _csp(entry)}


def _csp(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    meta: Mapping[str, Any] = entry["config"]["meta"]["csp"]
    return meta


def reports(made: Mapping[str, object] | None = None) -> list[DeclaredReport]:
    """Return how the reports of a manifest are shown, of the small warehouse's by default."""
    return declared_reports(made or manifest())


def exhibits() -> tuple[Exhibit, ...]:
    """Return the tables and figures that the project declares, in order."""
    return catalogue_of((one.name, one.metadata) for one in reports()).exhibits


def manifest(changes: Mapping[str, Mapping[str, object]] | None = None) -> dict[str, object]:
    """Return the part of a dbt manifest that publishing reads; ``changes`` alter csp meta.

    The project's reports say how they are shown; those without a table here are not published.
    """
    nodes: dict[str, object] = {
        "model.csp_warehouse.int_hidden": {
            "resource_type": "model",
            "name": "int_hidden",
            "schema": "intermediate",
            "config": {"meta": {}},
            "columns": {},
        }
    }
    for name, entry in report_models().items():
        nodes[f"model.csp_warehouse.{name}"] = {
            "resource_type": "model",
            "name": name,
            "schema": "reports",
            "config": {"meta": {"csp": {"report": _csp(entry)["report"]}}},
            "columns": {column["name"]: column for column in entry["columns"]},
        }
    for name, model in models().items():
        declared = report_models().get(name)
        unique_id = f"model.csp_warehouse.{name}"
        nodes[unique_id] = {
            "resource_type": "model",
            "name": name,
            "schema": model.schema,
            "description": f"What {name} holds.\nGrain: {' x '.join(model.key)}.",
            "config": {
                "meta": {
                    "csp": {
                        "publish": True,
                        "counts": model.counts,
                        "title": name.replace("_", " ").capitalize(),
                        "note": model.note,
                        **({"data_up_to": model.data_up_to} if model.data_up_to else {}),
                        **({"report": _csp(declared)["report"]} if declared else {}),
                        **(changes or {}).get(name, {}),
                    }
                }
            },
            "columns": {
                column: {"name": column, "data_type": kind, "description": f"The {column}."}
                for column, kind in model.columns.items()
            },
        }
        nodes[f"test.csp_warehouse.unique_{name}"] = {
            "resource_type": "test",
            "attached_node": unique_id,
            "test_metadata": {
                "name": "unique_combination_of_columns",
                "kwargs": {"arguments": {"combination_of_columns": list(model.key)}},
            },
        }
    return {"nodes": nodes, **_metric_nodes()}


@cache
def _metric_nodes() -> dict[str, object]:
    """Return the project's metrics as a manifest has them, from their YAML."""
    declared = yaml.safe_load(
        (PROJECT / "dbt_project/models/metrics/metrics.yml").read_text(encoding="utf-8")
    )
    semantic_models = {
        model["name"]: {
            "measures": [],
            **model,
            "node_relation": {"schema_name": "marts", "alias": model["model"].split("'")[1]},
        }
        for model in declared["semantic_models"]
    }
    metrics = {}
    for metric in declared["metrics"]:
        params = {
            name: {"name": value}
            if name in ("measure", "numerator", "denominator")
            else [one if isinstance(one, dict) else {"name": one} for one in value]
            if name == "metrics"
            else value
            for name, value in metric["type_params"].items()
        }
        metrics[metric["name"]] = {**metric, "type_params": params}
    return {"semantic_models": semantic_models, "metrics": metrics}


def tables() -> list[PublishedTable]:
    """Return the tables to publish."""
    return published_tables(manifest())


def build_warehouse(
    path: Path, *, quarter: date = QUARTER, nature: str = "synthetic", extra_offences: int = 0
) -> Path:
    """Write the small warehouse to ``path``; ``extra_offences`` are added to one figure cell."""
    path.write_bytes(_warehouse_bytes(quarter, nature))
    if extra_offences:
        with duckdb.connect(path) as connection:
            connection.execute(
                "update reports.figure_10_shoplifting set offences = offences + ? "
                "where area_code = 'E07000010' and month = date '2018-06-01'",
                [extra_offences],
            )
    return path


@cache
def _warehouse_bytes(quarter: date, nature: str) -> bytes:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "warehouse.duckdb"
        with duckdb.connect(path) as connection:
            connection.execute(CONTROL_SCHEMA.read_text())
            connection.execute(
                "insert into control.refresh "
                "select $1, ($1 + interval 3 month - interval 1 day)::date",
                [quarter],
            )
            _insert_delivery(connection, quarter, nature)
            for name, model in models().items():
                connection.execute(f"create schema if not exists {model.schema}")
                columns = ", ".join(f"{column} {kind}" for column, kind in model.columns.items())
                connection.execute(f"create table {model.schema}.{name} ({columns})")
                # Against the order of the key, which the release has to bring about.
                _insert(connection, f"{model.schema}.{name}", reversed(model.rows))
        return path.read_bytes()


def _insert_delivery(connection: duckdb.DuckDBPyConnection, quarter: date, nature: str) -> None:
    connection.execute(
        "insert into control.deliveries values "
        "(1, 'police_uk_street', $1, 1, 'loaded', $2, 'a note', 'ab', now()::timestamp, "
        "now()::timestamp, 100, 99, 1, null), "
        "(2, 'dwelling_stock', $1, 1, 'refused', 'real', null, 'cd', null, "
        "now()::timestamp, 5, 0, 5, 'wrong sheet')",
        [quarter, nature],
    )
    connection.execute(
        "insert into control.files values (1, 1, '2018-06-street.csv', 1234, 'ab12', 1, 100, 99, 1)"
    )
    connection.execute(
        "insert into control.in_force values "
        "('police_uk_street', 'Cambridgeshire Constabulary', date '2018-06-01', 1, $1, 1, $2, "
        "'police_uk_street v1', 'Cambridgeshire Constabulary', 'Cambridgeshire Constabulary', "
        "'covers', 50), "
        "('police_uk_street', 'Cambridgeshire Constabulary', date '2018-05-01', 1, $1, 1, $2, "
        "'police_uk_street v1', 'Cambridgeshire Constabulary', 'Cambridgeshire Constabulary', "
        "'covers', 50)",
        [quarter, nature],
    )


def _insert(
    connection: duckdb.DuckDBPyConnection, table: str, rows: Iterable[tuple[object, ...]]
) -> None:
    listed = list(rows)
    one = f"({', '.join('?' * len(listed[0]))})"
    values = [value for row in listed for value in row]
    connection.execute(f"insert into {table} values {', '.join([one] * len(listed))}", values)
