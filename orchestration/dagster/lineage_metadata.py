"""Column lineage for Dagster, in the definition of each model.

It is in the definition and not in each materialization, because it changes with the project only
and would make the event log of every refresh longer. Dagster+ and clients of its API read the key
``dagster/column_lineage``; the open-source UI does not show it. So the description of a column also
names the columns that it is made from, with links to their assets, back to the raw tables.
"""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

import dagster as dg

from orchestration.dagster.asset_keys import asset_key_of
from orchestration.transform.column_lineage import ROWS, ColumnLineage, Origin

_SCHEMA = "dagster/column_schema"
_LINEAGE = "dagster/column_lineage"


def with_lineage(
    metadata: Mapping[str, Any],
    node: Mapping[str, Any],
    lineage: ColumnLineage,
    manifest: Mapping[str, Any],
) -> dict[str, Any]:
    """Return a model's metadata with the origins of its columns.

    Columns that the project does not describe are added to the schema, so that a walk along the
    links meets them. A node without lineage (a seed) keeps its metadata.
    """
    columns = lineage.get(node["unique_id"])
    if columns is None:
        return dict(metadata)
    declared = metadata.get(_SCHEMA) or dg.TableSchema(columns=[])
    described = {column.name: column for column in declared.columns}
    keys = {
        parent: asset_key_of(manifest["sources"].get(parent) or manifest["nodes"][parent])
        for origins in columns.values()
        for parent, _ in origins
    }
    schema = dg.TableSchema(
        columns=[
            _described(described.get(name) or dg.TableColumn(name, "?"), origins, keys)
            for name, origins in columns.items()
        ],
        constraints=declared.constraints,
    )
    return {**metadata, _SCHEMA: schema, _LINEAGE: _column_lineage(columns, keys)}


def _column_lineage(
    columns: Mapping[str, Sequence[Origin]], keys: Mapping[str, dg.AssetKey]
) -> dg.TableColumnLineage:
    """Rows have no column to name: a count of them has only the origins that are columns."""
    return dg.TableColumnLineage(
        {
            name: [
                dg.TableColumnDep(keys[parent], column)
                for parent, column in origins
                if column != ROWS
            ]
            for name, origins in columns.items()
        }
    )


def _described(
    column: dg.TableColumn, origins: Sequence[Origin], keys: Mapping[str, dg.AssetKey]
) -> dg.TableColumn:
    told = [
        _linked(keys[parent], [name for _, name in group])
        for parent, group in groupby(origins, key=lambda origin: origin[0])
    ]
    origin = f"From {'; '.join(told)}." if told else "Set by the model itself."
    return dg.TableColumn(
        name=column.name,
        type=column.type,
        description="\n\n".join(part for part in (column.description, origin) if part),
        constraints=column.constraints,
        tags=column.tags,
    )


def _linked(key: dg.AssetKey, columns: Sequence[str]) -> str:
    named = ["its number of rows" if name == ROWS else f"`{name}`" for name in columns]
    return f"[{key.to_user_string()}](/assets/{key.to_user_string()}): {', '.join(named)}"
