"""The keys by which tables join a dimension, as ``config.meta.csp.joined_by`` declares them.

A key lists ``columns`` of another table, ``to`` columns of the dimension (the same where left out),
``optional`` where the columns may be empty, and ``unless`` tables that have columns of these names
and do not join.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from orchestration.publish.errors import CatalogueError

_FIELDS = frozenset({"columns", "to", "optional", "unless"})


@dataclass(frozen=True)
class DimensionKey:
    """A key by which every table that has its columns joins, but those of ``unless``."""

    columns: tuple[str, ...]
    to: tuple[str, ...]
    optional: bool = False
    unless: frozenset[str] = frozenset()


def dimension_keys(model: str, declared: Iterable[Mapping[str, Any]]) -> tuple[DimensionKey, ...]:
    """Return the keys that ``model`` declares.

    Raises :class:`CatalogueError` where one cannot be understood.
    """
    found = []
    for key in declared:
        columns = tuple(key.get("columns") or ())
        to = tuple(key.get("to") or columns)
        if not columns or len(columns) != len(to) or set(key) - _FIELDS:
            raise CatalogueError(
                f"{model}: its `joined_by` has a key that cannot be used, {dict(key)}. Give "
                "`columns`, and `to` with as many columns of the dimension where they differ."
            )
        unless = frozenset(key.get("unless") or ())
        found.append(DimensionKey(columns, to, bool(key.get("optional")), unless))
    return tuple(found)
