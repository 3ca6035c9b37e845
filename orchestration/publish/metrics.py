"""The metrics of the release: ``main.metrics``, from the project's semantic models and metrics.

``dbt_project/models/metrics/metrics.yml`` has each metric once. Names, formulas and notes that the
release, the pack, the workbook, ``explore.html`` and the dashboard show are made from it here.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

import sqlglot
from sqlglot import expressions as sql

from orchestration.publish.errors import CatalogueError
from orchestration.publish.published_tables import PublishedColumn, PublishedTable

MetricForm = Literal["count", "rate", "percent", "share"]
"""How a figure is written: a share is from 0 to 1 and is written as a percentage."""

LIMITS = "95 % limits"
"""What the limits of a metric are where it says nothing else."""

METRICS = PublishedTable(
    "main",
    "metrics",
    "Metrics of this release",
    "One row for each metric: what it means, how it is formed, which column holds it row by row, "
    "and what it must not be summed over.",
    "",
    "reference",
    (
        PublishedColumn("metric_name", "VARCHAR", "Name of the metric."),
        PublishedColumn("metric_label", "VARCHAR", "Name of the metric for people."),
        PublishedColumn("description", "VARCHAR", "What the metric means."),
        PublishedColumn("unit", "VARCHAR", "Unit of the metric."),
        PublishedColumn(
            "form",
            "VARCHAR",
            "How a value is written: count, rate, percent, or share (0 to 1, written as per cent).",
        ),
        PublishedColumn(
            "formula", "VARCHAR", "How it is formed, as people write it; null of a plain sum."
        ),
        PublishedColumn(
            "numerator", "VARCHAR", "Columns above the line of a quotient; null of a plain sum."
        ),
        PublishedColumn(
            "denominator", "VARCHAR", "Columns below the line of a quotient; null of a plain sum."
        ),
        PublishedColumn("table_schema", "VARCHAR", "Schema of the table that has it."),
        PublishedColumn("table_name", "VARCHAR", "Name of the table that has it."),
        PublishedColumn("column_name", "VARCHAR", "Column that holds it row by row."),
        PublishedColumn("lower_column", "VARCHAR", "Column of its lower limit; null without."),
        PublishedColumn("upper_column", "VARCHAR", "Column of its upper limit; null without."),
        PublishedColumn("limits", "VARCHAR", "What the limits are; null without."),
        PublishedColumn(
            "sql_expression",
            "VARCHAR",
            "SQL that forms it from rows of the table, for BI tools; right where each column of "
            "not_summed_over has one value.",
        ),
        PublishedColumn(
            "dimensions", "VARCHAR", "Columns to group or filter it by, separated by commas."
        ),
        PublishedColumn(
            "not_summed_over",
            "VARCHAR",
            "Columns over which its rows are not summed, separated by commas; null where none.",
        ),
        PublishedColumn("note", "VARCHAR", "What must not be summed, and why; null where nothing."),
    ),
    ("metric_name",),
)


_SIGNS = {
    "1000": "1,000",
    "*": "\N{MULTIPLICATION SIGN}",
    "/": "\N{DIVISION SIGN}",
    "-": "\N{MINUS SIGN}",
}


@dataclass(frozen=True)
class Metric:
    """A metric: what it is called, how it is formed of columns of ``table``, what it means.

    ``expression`` is SQL over columns of a row, ``wording`` has the words for each of them in the
    formula. ``not_summed_over`` has the reason by column.
    """

    name: str
    label: str
    description: str
    unit: str
    form: MetricForm
    table: tuple[str, str]
    column: str
    expression: str
    wording: Mapping[str, str]
    lower: str
    upper: str
    limits: str
    dimensions: tuple[str, ...]
    not_summed_over: Mapping[str, str]

    @property
    def is_quotient(self) -> bool:
        """Whether it is formed of several sums, and so is never summed itself."""
        return isinstance(_parsed(self.expression), sql.Div)

    @property
    def sides(self) -> tuple[str, str]:
        """What is above and below the line of a quotient, without a constant factor."""
        tree = _parsed(self.expression)
        if not isinstance(tree, sql.Div):
            return "", ""
        above = tree.this
        if isinstance(above, sql.Mul) and isinstance(above.this, sql.Literal):
            above = above.expression
        return _sql(above.unnest()), _sql(tree.expression.unnest())

    @property
    def formula(self) -> str:
        """How a quotient is formed, as people write it; empty of a plain sum."""
        if not self.is_quotient:
            return ""
        words = {**_SIGNS, **self.wording}
        parts = re.findall(r"\w+|\S", _sql(_parsed(self.expression)))
        text = " ".join(words.get(part, part) for part in parts)
        return text.replace("( ", "(").replace(" )", ")")

    @property
    def sql_expression(self) -> str:
        """SQL that forms it from several rows."""
        tree = _parsed(self.expression).copy()
        for column in list(tree.find_all(sql.Column)):
            total = sql.Sum(this=sql.to_identifier(column.name, quoted=False))
            if column is tree:
                return _sql(total)
            column.replace(total)
        if isinstance(tree, sql.Div):
            below = sql.Nullif(this=tree.expression.unnest(), expression=sql.Literal.number(0))
            tree.set("expression", below)
        return _sql(tree)

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column of the table that it needs."""
        used = [column.name for column in _parsed(self.expression).find_all(sql.Column)]
        named = [self.column, self.lower, self.upper, *used, *self.dimensions]
        return tuple(name for name in dict.fromkeys([*named, *self.not_summed_over]) if name)

    @property
    def note(self) -> str:
        """What must not be summed, and why; empty where anything may."""
        over = "; ".join(f"{column} ({why})" for column, why in self.not_summed_over.items())
        if self.is_quotient:
            rule = "A quotient is not added up or averaged: divide the sums of its two parts."
            return f"{rule} The parts are not summed over {over}." if over else rule
        return f"Not summed over {over}." if over else ""

    @property
    def printed_note(self) -> str:
        """What a printed table says of it: its formula; empty of a plain sum."""
        return f"{self.label}: {self.formula}." if self.is_quotient else ""

    @property
    def row(self) -> list[object]:
        """Its row of :data:`METRICS`."""
        above, below = self.sides
        limits = self.limits if self.lower else ""
        return [
            text or None
            for text in (
                self.name, self.label, self.description, self.unit, self.form, self.formula, above,
                below, *self.table, self.column, self.lower, self.upper, limits,
                self.sql_expression, ", ".join(self.dimensions), ", ".join(self.not_summed_over),
                self.note,
            )
        ]  # fmt: skip


def declared_metrics(manifest: Mapping[str, Any]) -> list[Metric]:
    """Return the metrics of a dbt manifest, in the order of the file.

    Raises :class:`CatalogueError`, which names metric and field, where one cannot be used.
    """
    models = manifest.get("semantic_models", {}).values()
    measures = {
        measure["name"]: (model, str(measure.get("expr") or measure["name"]))
        for model in models
        for measure in model["measures"]
    }
    nodes = {node["name"]: node for node in manifest.get("metrics", {}).values()}
    return [_metric(node, nodes, measures) for node in nodes.values()]


Measures = Mapping[str, tuple[Mapping[str, Any], str]]


def _metric(
    node: Mapping[str, Any], nodes: Mapping[str, Mapping[str, Any]], measures: Measures
) -> Metric:
    meta = _csp(node)
    _refuse_faults(node["name"], meta)
    inputs = {name: nodes[metric] for name, metric in _inputs(node).items()}
    columns = {name: measures[_measure_of(one, nodes)][1] for name, one in inputs.items()}
    model, own_column = measures[_measure_of(node, nodes)]
    relation = model["node_relation"]
    keys = [entity["expr"] or entity["name"] for entity in model["entities"]]
    others = [dimension.get("expr") or dimension["name"] for dimension in model["dimensions"]]
    return Metric(
        name=node["name"],
        label=node["label"],
        description=" ".join(str(node.get("description") or "").split()),
        unit=meta["unit"],
        form=meta["form"],
        table=(relation["schema_name"], relation["alias"]),
        column=meta["column"],
        expression=_of_columns(_expression(node), columns) or own_column,
        wording={
            columns[name]: str(_csp(one).get("called") or _lower_first(one))
            for name, one in inputs.items()
        },
        lower=meta.get("lower", ""),
        upper=meta.get("upper", ""),
        limits=meta.get("limits", LIMITS),
        dimensions=tuple(dict.fromkeys([*keys, *others])),
        not_summed_over={
            **(_csp(model).get("not_summed_over") or {}),
            **(meta.get("not_summed_over") or {}),
        },
    )


def _csp(node: Mapping[str, Any]) -> Mapping[str, Any]:
    meta: Mapping[str, Any] = (node.get("config") or {}).get("meta") or {}
    csp: Mapping[str, Any] = meta.get("csp") or {}
    return csp


_FIELDS = frozenset(
    {"column", "form", "unit", "lower", "upper", "limits", "not_summed_over", "called"}
)


def _refuse_faults(name: str, meta: Mapping[str, Any]) -> None:
    faults = [f"field {one} is missing" for one in ("column", "form", "unit") if one not in meta]
    faults += [f"field {one} is not a field" for one in sorted(set(meta) - _FIELDS)]
    if meta.get("form") not in (None, *get_args(MetricForm)):
        faults.append(f"field form is {meta['form']!r}; it must be one of {get_args(MetricForm)}")
    if bool(meta.get("lower")) != bool(meta.get("upper")):
        faults.append("it has one limit of two")
    if faults:
        raise CatalogueError(
            f"Metric {name} (config.meta.csp in metrics.yml): {'; '.join(faults)}. Correct the "
            "YAML; docs/metrics.md describes every field."
        )


def _inputs(node: Mapping[str, Any]) -> dict[str, str]:
    """Return the metrics that a metric is formed of, by their names in its formula."""
    params = node["type_params"]
    if node["type"] == "ratio":
        return {params[side]["name"]: params[side]["name"] for side in ("numerator", "denominator")}
    return {one.get("alias") or one["name"]: one["name"] for one in params.get("metrics") or ()}


def _measure_of(node: Mapping[str, Any], nodes: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the measure of a metric, of the first part of a quotient."""
    if node["type"] == "simple":
        return str(node["type_params"]["measure"]["name"])
    first, *_ = _inputs(node).values()
    return _measure_of(nodes[first], nodes)


def _expression(node: Mapping[str, Any]) -> str:
    """Return the formula of a metric in SQL over metrics; empty of a plain sum."""
    params = node["type_params"]
    if node["type"] == "ratio":
        return f"{params['numerator']['name']} / {params['denominator']['name']}"
    return str(params.get("expr") or "") if node["type"] == "derived" else ""


def _of_columns(expression: str, columns: Mapping[str, str]) -> str:
    """Return a formula over the columns that its metrics are sums of."""
    if not expression:
        return ""
    tree = _parsed(expression)
    for name in list(tree.find_all(sql.Column)):
        name.replace(sql.column(columns[name.name]))
    return _sql(tree)


def _lower_first(node: Mapping[str, Any]) -> str:
    label = str(node["label"])
    return label[:1].lower() + label[1:]


def _parsed(expression: str) -> sql.Expr:
    return sqlglot.parse_one(expression, dialect="duckdb")


def _sql(tree: sql.Expr) -> str:
    return tree.sql(dialect="duckdb", normalize_functions="lower")
