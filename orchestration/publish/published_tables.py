"""Which tables are published, and how they are described: read from the dbt manifest.

A model is published where its ``config.meta.csp`` says ``publish: true``. The same block says what
it counts, and that is the gate: a table that counts people leaves only as disclosure control has
protected it, which needs a declaration of how its counts are linked.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from orchestration.disclosure import PROTECTED, ROUNDED
from orchestration.disclosure.declarations import STATUS
from orchestration.disclosure.table_model import PEOPLE
from orchestration.publish.dimension_keys import DimensionKey, dimension_keys
from orchestration.publish.errors import CatalogueError, UnsafeTableError
from orchestration.transform.source_origins import (
    Lineage,
    carried_sources,
    column_sources,
    sources_behind,
)

SAFE_COUNTS = frozenset({"offences", "places", "reference"})
"""What a published table may count. People are not among them."""

_DBT_PACKAGES = frozenset({"dbt", "dbt_duckdb"})
"""Packages whose macros come with dbt: how it builds a table, not what the table shows."""

_KEY_ARGUMENTS = {
    "unique": "column_name",
    "unique_combination_of_columns": "combination_of_columns",
    "row_rules": "key",
}
"""dbt tests that a key is one, with the argument that names its columns."""


ROUNDED_NOTE = (
    "Inner counts are rounded to a multiple of 5 beside them, so that none is more than 4 off; a 0 "
    "may be 1 to 4. Totals are sums of inner counts; of one that is hidden, [c], they hold a "
    "multiple of 10 less than 10 off. What a table prints or hides that is not rounded has the "
    "same value here, so that rounded rows may not add up to it."
)
"""What the release says of a rounded table: its method, and how far a value can be off."""

_ROUNDED_COLUMN = "Rounded: an inner count that is shown is at most 4 off."

_EMPTIED = "Empty where it is published: its values cannot be rounded."

_FOLLOWING = "Null where the count is rounded."

_LEAST_BASE = "Null where the base is below 20 people."

_COMPARED = "Null where a count is hidden, or where either side is below 20 people."

_ROUNDED_STATUS = "[c] also where a count is confidential, [u] where a base is below 20 people."


class PublishedColumn(NamedTuple):
    """A column as readers see it: its name, its DuckDB type, and what it means with its unit."""

    name: str
    data_type: str
    description: str


@dataclass(frozen=True)
class PublishedTable:
    """A table that leaves the warehouse, with its description for readers.

    ``counts`` is one of ``offences``, ``places``, ``people`` and ``reference``; ``key`` names the
    columns that identify a row and give the order of the published rows. ``series_columns`` are
    computed from a row's whole series, and ``method_digest`` is the fingerprint of how the table
    is computed (:func:`method_digest`). ``protected`` says that it is taken as disclosure control
    left it, ``rounded_to`` to which multiple its inner counts are rounded. ``period_end`` is the
    SQL expression of the last day that a row is about and ``measure`` the column that holds its
    figure; both are empty for a table of reference.

    ``sources`` are all raw sources behind the table and ``column_sources`` those whose values each
    column is made of, where that could be followed. ``months_behind`` says of how many months
    before its own period a column is computed too (no such column: empty where nothing is
    declared), and ``carried`` for how many years a source's figure may be used for later ones.
    ``lists_changes`` says whether its figures are compared with those of earlier releases, and
    ``joined_by`` by which keys other tables join it, where it is a dimension.
    """

    schema: str
    name: str
    title: str
    description: str
    note: str
    counts: str
    columns: tuple[PublishedColumn, ...]
    key: tuple[str, ...] = ()
    series_columns: tuple[str, ...] = ()
    method_digest: str = ""
    protected: bool = False
    rounded_to: int | None = None
    period_end: str = ""
    measure: str = ""
    sources: frozenset[str] = frozenset()
    column_sources: Mapping[str, frozenset[str]] = field(default_factory=dict, hash=False)
    months_behind: Mapping[str, int] = field(default_factory=dict, hash=False)
    carried: Mapping[str, int] = field(default_factory=dict, hash=False)
    lists_changes: bool = True
    joined_by: tuple[DimensionKey, ...] = ()

    @property
    def where_it_stands(self) -> "PublishedTable":
        """The table under the schema from which it is taken in the warehouse."""
        return replace(self, schema=PROTECTED) if self.protected else self

    @property
    def full_name(self) -> str:
        """Schema and name, such as ``marts.dim_area``."""
        return f"{self.schema}.{self.name}"

    @property
    def comment(self) -> str:
        """Title, description and note in one text: the comment on the published table."""
        sentences = (_sentence(part) for part in (self.title, self.description, self.note))
        return " ".join(sentence for sentence in sentences if sentence)


def published_tables(
    manifest: Mapping[str, Any], settings: str = "", lineage: Lineage | None = None
) -> list[PublishedTable]:
    """Return the tables to publish, by schema and name, from a dbt manifest.

    ``settings`` is what else their figures depend on (the project's variables), as text;
    ``lineage`` says which columns each column is made of.

    Raises :class:`UnsafeTableError` for a table that counts people or does not say what it
    counts, and :class:`CatalogueError` for one without title or with an undescribed column.
    """
    return _tables(manifest, settings, lineage, as_protected=True)


def true_tables(
    manifest: Mapping[str, Any], settings: str = "", lineage: Lineage | None = None
) -> list[PublishedTable]:
    """Return the same tables as they are in the warehouse, with the true counts of people.

    For a restricted edition only: :func:`refuse_unsafe` refuses to publish them.
    """
    return _tables(manifest, settings, lineage, as_protected=False)


def _tables(
    manifest: Mapping[str, Any],
    settings: str,
    lineage: Lineage | None,
    *,
    as_protected: bool,
) -> list[PublishedTable]:
    nodes: Mapping[str, Mapping[str, Any]] = manifest.get("nodes", {})
    keys = _tested_keys(nodes.values())
    tables = [
        replace(
            _table(
                node, _meta(node) if as_protected else _true_meta(node), keys.get(unique_id, ())
            ),
            method_digest=method_digest(manifest, unique_id, settings),
            sources=sources_behind(manifest, [unique_id]),
            column_sources=column_sources(manifest, lineage or {}, unique_id),
            carried=carried_sources(manifest, unique_id),
        )
        for unique_id, node in nodes.items()
        if node.get("resource_type") == "model" and _meta(node).get("publish") is True
    ]
    return sorted(tables, key=lambda table: (table.schema, table.name))


def method_digest(manifest: Mapping[str, Any], model: str, settings: str = "") -> str:
    """Return a SHA-256 fingerprint of how ``model`` is computed.

    It covers the SQL of the model and of all before it, the project's macros that they use, the
    reference lists (seeds) and ``settings``; not the data.
    """
    nodes: Mapping[str, Any] = manifest.get("nodes", {})
    macros: Mapping[str, Any] = manifest.get("macros", {})
    parts: dict[str, str] = {"settings": settings}
    waiting = [model]
    while waiting:
        name = waiting.pop()
        if name in parts:
            continue
        if name in nodes:
            parts[name] = str((nodes[name].get("checksum") or {}).get("checksum"))
        elif name in macros and macros[name]["package_name"] not in _DBT_PACKAGES:
            parts[name] = macros[name]["macro_sql"]
        else:
            continue
        depends = (nodes.get(name) or macros[name]).get("depends_on") or {}
        waiting += [*depends.get("nodes", []), *depends.get("macros", [])]
    return hashlib.sha256(repr(sorted(parts.items())).encode()).hexdigest()


def refuse_unsafe(tables: Iterable[PublishedTable]) -> None:
    """Raise :class:`UnsafeTableError` unless every table counts something that may be shown."""
    for table in tables:
        if table.counts == "people" and not table.protected:
            raise UnsafeTableError(
                f"{table.full_name} counts people. It stays in the warehouse until disclosure "
                "control has passed it: declare its counts under `disclosure` in its meta, or take "
                "`publish: true` off the model."
            )
        _refuse_unknown_counts(table)


def _refuse_unknown_counts(table: PublishedTable) -> None:
    if table.counts not in SAFE_COUNTS and table.counts != "people":
        raise UnsafeTableError(
            f"{table.full_name} does not say what it counts (it says '{table.counts}'). Set "
            f"`counts` in its meta to one of: {', '.join(sorted(SAFE_COUNTS))}."
        )


def _meta(node: Mapping[str, Any]) -> Mapping[str, Any]:
    meta: Mapping[str, Any] = (node.get("config") or {}).get("meta") or {}
    csp: Mapping[str, Any] = meta.get("csp") or {}
    return csp


def _true_meta(node: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what a model declares but how its counts are protected."""
    return {name: value for name, value in _meta(node).items() if name != "disclosure"}


def _table(
    node: Mapping[str, Any], meta: Mapping[str, Any], tested_key: tuple[str, ...]
) -> PublishedTable:
    rounded = rounded_columns(meta)
    table = PublishedTable(
        schema=node["schema"],
        name=node.get("alias") or node["name"],
        title=str(meta.get("title") or ""),
        description=_tidy(node.get("description")),
        note=_note(meta),
        counts=str(meta.get("counts") or ""),
        columns=tuple(
            PublishedColumn(
                column["name"], column.get("data_type") or "", _described(column, rounded)
            )
            for column in (node.get("columns") or {}).values()
        ),
        key=tuple(meta.get("key") or tested_key),
        protected="disclosure" in meta,
        rounded_to=_threshold(meta) if _is_rounded(meta) else None,
        series_columns=tuple(meta.get("series_columns") or ()),
        period_end=str((meta.get("data_up_to") or {}).get("period_end") or ""),
        measure=str((meta.get("data_up_to") or {}).get("measure") or ""),
        months_behind=dict(meta.get("months_behind") or {}),
        lists_changes=bool(meta.get("lists_changes", True)),
        joined_by=dimension_keys(node["name"], meta.get("joined_by") or ()),
    )
    if "disclosure" in _meta(node):
        _refuse_unknown_counts(table)
    else:
        refuse_unsafe([table])
    _refuse_undescribed(table)
    return table


def _is_rounded(meta: Mapping[str, Any]) -> bool:
    return (meta.get("disclosure") or {}).get("method") == ROUNDED


def _threshold(meta: Mapping[str, Any]) -> int:
    return int(meta["disclosure"].get("threshold") or PEOPLE.threshold)


def _note(meta: Mapping[str, Any]) -> str:
    """Return the note of a table, with the method where its counts are rounded."""
    note = _tidy(meta.get("note"))
    return " ".join(filter(None, (note, ROUNDED_NOTE))) if _is_rounded(meta) else note


def rounded_columns(meta: Mapping[str, Any]) -> dict[str, str]:
    """Return what rounding does to the columns of a table, by column; nothing for other tables."""
    if not _is_rounded(meta):
        return {}
    declared = meta["disclosure"]
    said = dict.fromkeys(declared.get("emptied") or (), _EMPTIED)
    for share in declared.get("proportions") or ():
        said |= {share[end]: _LEAST_BASE for end in ("lower", "upper") if end in share}
    compared = declared.get("comparison") or {}
    said |= {name: _COMPARED for end, name in compared.items() if end not in ("of", "base")}
    for count in declared["counts"]:
        said |= dict.fromkeys(count.get("follows") or (), _FOLLOWING)
    said |= {count["column"]: _ROUNDED_COLUMN for count in declared["counts"]}
    return said | {STATUS: _ROUNDED_STATUS}


def _described(column: Mapping[str, Any], rounded: Mapping[str, str]) -> str:
    text = _tidy(column.get("description"))
    more = rounded.get(column["name"])
    return f"{_sentence(text)} {more}" if text and more else text


def _refuse_undescribed(table: PublishedTable) -> None:
    if not table.title or not table.description:
        raise CatalogueError(f"{table.full_name} is to be published without title or description.")
    if not table.columns:
        raise CatalogueError(f"{table.full_name} is to be published but lists no columns.")
    names = {column.name for column in table.columns}
    bare = [column.name for column in table.columns if not column.description]
    if bare:
        raise CatalogueError(f"{table.full_name}: no description of {', '.join(bare)}.")
    if unknown := [name for name in table.key if name not in names]:
        raise CatalogueError(f"{table.full_name}: its key names {', '.join(unknown)}, no column.")
    if table.measure and table.measure not in names:
        raise CatalogueError(f"{table.full_name}: data_up_to names {table.measure}, no column.")
    if unknown := [name for name in table.months_behind if name not in names]:
        raise CatalogueError(
            f"{table.full_name}: months_behind names {', '.join(unknown)}, no column."
        )
    if unknown := [name for key in table.joined_by for name in key.to if name not in names]:
        raise CatalogueError(f"{table.full_name}: joined_by names {', '.join(unknown)}, no column.")
    if unknown := [name for name in table.series_columns if name not in names]:
        raise CatalogueError(
            f"{table.full_name}: series_columns names {', '.join(unknown)}, no column."
        )


def _tested_keys(nodes: Iterable[Mapping[str, Any]]) -> dict[str, tuple[str, ...]]:
    """Return the key of each model that a test declares, the longest where several."""
    keys: dict[str, tuple[str, ...]] = {}
    for node in nodes:
        test = node.get("test_metadata") or {}
        attached = node.get("attached_node")
        if attached and len(key := key_of_test(test)) > len(keys.get(attached, ())):
            keys[attached] = key
    return keys


def key_of_test(test: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the columns of the key that a generic test (its ``test_metadata``) tests; or none."""
    kwargs: Mapping[str, Any] = test.get("kwargs") or {}
    # dbt keeps a generic test's arguments flat, or, as they are now written, one level down.
    arguments = {**kwargs, **(kwargs.get("arguments") or {})}
    named = arguments.get(_KEY_ARGUMENTS.get(test.get("name") or "", "")) or ()
    return (named,) if isinstance(named, str) else tuple(str(name) for name in named)


def _tidy(text: object) -> str:
    return " ".join(str(text or "").split())


def _sentence(text: str) -> str:
    return text if not text or text.endswith((".", "!", "?")) else f"{text}."
