"""The raw sources behind the columns of a published table, followed through the models.

Read from the dbt manifest and the column lineage that is kept beside it. Pure functions.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

Lineage = Mapping[str, Mapping[str, Sequence[Sequence[str]]]]
"""By unique id of a model and by its columns: unique id and column (or ``*``) of each origin."""

_ROWS = "*"


def sources_behind(manifest: Mapping[str, Any], nodes: Iterable[str]) -> frozenset[str]:
    """Return the raw sources from which the nodes are made, however many models lie between."""
    declared = manifest.get("sources", {})
    return frozenset(
        str(declared[name]["name"])
        for name in _upstream(manifest, nodes)
        if declared.get(name, {}).get("source_name") == "in_force"
    )


def carried_sources(manifest: Mapping[str, Any], node: str) -> dict[str, int]:
    """Return the sources whose figures a model uses for later years too, with how many years.

    A model before it declares that (``carried_forward`` in its meta).
    """
    found: dict[str, int] = {}
    for name in _upstream(manifest, [node]):
        meta = (manifest["nodes"].get(name, {}).get("config") or {}).get("meta") or {}
        declared = (meta.get("csp") or {}).get("carried_forward") or {}
        found.update({source: int(years) for source, years in declared.items()})
    return found


def column_sources(
    manifest: Mapping[str, Any], lineage: Lineage, node: str
) -> dict[str, frozenset[str]]:
    """Return the raw sources whose values each column of a model is made of.

    Where rows are counted, all sources of the model whose rows they are. A column that the lineage
    does not follow is left out.
    """
    return {
        column: frozenset(_origins(manifest, lineage, node, column))
        for column in lineage.get(node, {})
    }


def _origins(manifest: Mapping[str, Any], lineage: Lineage, node: str, column: str) -> set[str]:
    found: set[str] = set()
    seen: set[tuple[str, str]] = set()
    waiting = [(node, column)]
    while waiting:
        here = waiting.pop()
        if here in seen:
            continue
        seen.add(here)
        name, wanted = here
        if name in manifest.get("sources", {}):
            declared = manifest["sources"][name]
            found |= {declared["name"]} if declared["source_name"] == "in_force" else set()
        elif wanted == _ROWS or name not in lineage:
            found |= sources_behind(manifest, [name])
        else:
            waiting += [(parent, behind) for parent, behind in lineage[name].get(wanted, ())]
    return found


def _upstream(manifest: Mapping[str, Any], nodes: Iterable[str]) -> Iterator[str]:
    """Return the nodes and all nodes and sources before them, each once."""
    seen: set[str] = set()
    waiting = list(nodes)
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        yield name
        depends = manifest["nodes"].get(name, {}).get("depends_on") or {}
        waiting += depends.get("nodes", [])
