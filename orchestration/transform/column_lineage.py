"""Column lineage: the columns behind each column of a model, from the models' compiled SQL.

It follows from the dbt project alone, so it is computed when the project is parsed and kept beside
the manifest. A refresh does not compute it.
"""

from collections.abc import Iterator, Mapping, Sequence
from graphlib import TopologicalSorter
from typing import Any

from sqlglot import MappingSchema, exp, parse_one
from sqlglot.errors import SqlglotError
from sqlglot.lineage import Node, lineage

from orchestration.ingest.checking.in_force_view import DELIVERY_COLUMNS

ROWS = "*"
"""Replaces a parent's column where only the parent's number of rows counts."""

Origin = tuple[str, str]
"""Unique id of a dbt node, and a column of it or :data:`ROWS`."""

ColumnLineage = Mapping[str, Mapping[str, Sequence[Origin]]]
"""By unique id of a model and by its columns, in their order: where each comes from."""

_DIALECT = "duckdb"
_VIEWS = "source.csp_warehouse.in_force."
_IN_FORCE = "source.csp_warehouse.control.in_force"
_Table = tuple[str, str]

_CANNOT_FOLLOW = (SqlglotError, ValueError, TypeError, LookupError, AttributeError)
"""What sqlglot raises over SQL beyond it; no refresh may fail for want of a lineage."""


def column_lineage(manifest: Mapping[str, Any], compiled: Mapping[str, str]) -> ColumnLineage:
    """Return for every column of every model the columns of its parents that its value is made of.

    ``compiled`` has the models' SQL by unique id. What only chooses rows (a join's or a filter's
    columns) is no origin; a constant has none. A count of rows comes from :data:`ROWS` of the
    tables that are counted. A model whose SQL sqlglot cannot follow is left out.
    """
    known = {**manifest["sources"], **manifest["nodes"]}
    behind = {name: known[name]["depends_on"].get("nodes", []) for name in compiled}
    schema = MappingSchema(dialect=_DIALECT)
    owners: dict[_Table, str] = {}
    found: dict[str, dict[str, list[Origin]]] = {}
    for name in TopologicalSorter(behind).static_order():
        node = known[name]
        owners[_table_of(node)] = name
        columns = list(node["columns"])
        if name in compiled:
            try:
                followed = _columns(compiled[name], schema, owners)
                found[name] = {key: _delivered(origins) for key, origins in followed.items()}
                columns = list(found[name])
            except _CANNOT_FOLLOW:
                pass
        described = exp.table_(_table_of(node)[1], db=node["schema"], catalog=node["database"])
        schema.add_table(described, dict.fromkeys(columns, "text"))
    return found


def _delivered(origins: Sequence[Origin]) -> list[Origin]:
    """Name the control table as the origin of what the view ``in_force.<source>`` takes from it."""
    return sorted(
        {
            (_IN_FORCE, DELIVERY_COLUMNS[column][0])
            if parent.startswith(_VIEWS) and column in DELIVERY_COLUMNS
            else (parent, column)
            for parent, column in origins
        }
    )


def _table_of(node: Mapping[str, Any]) -> _Table:
    return node["schema"], node.get("identifier") or node.get("alias") or node["name"]


def _columns(
    sql: str, schema: MappingSchema, owners: Mapping[_Table, str]
) -> dict[str, list[Origin]]:
    query = parse_one(sql, dialect=_DIALECT)
    _spread_structs(query)
    traced: dict[str, Node] = lineage(None, query, schema, dialect=_DIALECT, trim_selects=False)
    return {
        column: sorted({origin for step in top.walk() for origin in _origins(step, owners)})
        for column, top in traced.items()
    }


def _spread_structs(query: exp.Expr) -> None:
    """Write DuckDB's recursive ``unnest`` of structs as the columns that it gives, one a field."""
    for unnest in list(query.find_all(exp.Explode)):
        select = unnest.parent
        if not isinstance(select, exp.Select) or not unnest.expressions:
            continue
        fields: dict[str, list[exp.Expr]] = {}
        for struct in unnest.this.find_all(exp.Struct):
            for pair in struct.expressions:
                fields.setdefault(pair.name, []).append(pair.expression)
        spread = [
            exp.alias_(exp.Array(expressions=values), field) for field, values in fields.items()
        ]
        position = select.expressions.index(unnest)
        projections = [*select.expressions[:position], *spread, *select.expressions[position + 1 :]]
        select.set("expressions", projections)


def _origins(step: Node, owners: Mapping[_Table, str]) -> Iterator[Origin]:
    """Return the parents' columns that the step reads itself, not those of the steps behind it."""
    if isinstance(step.expression, exp.Table):
        owner = owners.get((step.expression.db, step.expression.name))
        if owner and not step.downstream and step.name != "*":
            yield owner, exp.to_column(step.name).name
    elif any(isinstance(count.this, exp.Star) for count in step.expression.find_all(exp.Count)):
        for table in _tables(step.source, _named_queries(step.source)):
            if (table.db, table.name) in owners:
                yield owners[table.db, table.name], ROWS


def _named_queries(part: exp.Expr) -> dict[str, exp.Expr]:
    return {query.alias: query.this for query in part.root().find_all(exp.CTE)}


def _tables(query: exp.Expr | None, named: Mapping[str, exp.Expr]) -> Iterator[exp.Table]:
    """Return the stored tables whose rows a query's are, through the queries named in it."""
    if isinstance(query, exp.SetOperation):
        yield from _tables(query.left, named)
        yield from _tables(query.right, named)
    elif isinstance(query, exp.Subquery):
        yield from _tables(query.this, named)
    elif isinstance(query, exp.Select):
        clause = query.find(exp.From)
        yield from _tables(clause.this if clause else None, named)
    elif isinstance(query, exp.Table):
        if query.db:
            yield query
        else:
            # A recursive query that reads itself has no further tables.
            others = {name: part for name, part in named.items() if name != query.name}
            yield from _tables(named.get(query.name), others)
