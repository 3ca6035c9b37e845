"""``datapackage.json``: describes the tables of an export by the Data Package standard, version 2.

Names, types and meanings come from the release's data dictionary; lineage from the deliveries that
the rows name. The resources are the CSV tables; the same as Parquet, the charts and the documents
are in the manifest with their checksums. It has no time: equal figures give equal bytes.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

from orchestration.exports.data_package.folder_manifest import ExportedFile
from orchestration.exports.report_definition.row_selection import (
    Partnership,
    ReleaseFacts,
    Row,
    TableRef,
)

PROFILE = "https://datapackage.org/profiles/2.0/datapackage.json"

_TYPES: Mapping[str, str] = MappingProxyType(
    {
        "BOOLEAN": "boolean",
        "DATE": "date",
        "TIMESTAMP": "datetime",
        "DOUBLE": "number",
        "FLOAT": "number",
        "TINYINT": "integer",
        "SMALLINT": "integer",
        "INTEGER": "integer",
        "BIGINT": "integer",
        "HUGEINT": "integer",
    }
)

_LICENCES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "Open Government Licence v3.0": (
            "OGL-UK-3.0",
            "https://www.nationalarchives.gov.uk/doc/open-government-licence/version/3/",
        )
    }
)
"""Licences of sources that have a name in the standard's list."""


def datapackage(
    release: ReleaseFacts,
    whose: Partnership,
    tables: Mapping[str, TableRef],
    named: Mapping[str, Iterable[str]],
    sources: Sequence[Row],
    files: Sequence[ExportedFile],
    absent: Sequence[Mapping[str, str]] = (),
) -> bytes:
    """Return the descriptor of an export.

    ``named`` has the deliveries that the rows of each table name, such as
    ``dwelling_stock 2018-04-01 v1``; ``files`` are those of the folder; ``absent`` are the tables
    and figures of the assessment of which nothing is shown (label, title, reason).
    """
    deliveries = _deliveries(sources)
    described = [
        _resource(file, tables[_stem(file)], deliveries, sorted(named.get(_stem(file), ())))
        for file in files
        if file.path.endswith(".csv")
    ]
    package: dict[str, object] = {
        "$schema": PROFILE,
        "name": f"{whose.csp}-{release.quarter.isoformat()}",
        "title": f"{whose.name}: tables of {release.quarter_label}",
        "description": release.synthetic_notice
        or "Tables, charts and documents of the strategic assessment.",
        "version": f"{release.quarter.isoformat()}+{release.content_digest[:12]}",
        "licenses": _licences(sources),
        "contributors": [{"title": release.product, "roles": ["creator"]}],
        "sources": list(deliveries.values()),
        "resources": described,
        "absent": list(absent),
    }
    text = json.dumps({key: value for key, value in package.items() if value}, indent=2,
                      ensure_ascii=False)  # fmt: skip
    return f"{text}\n".encode()


def _resource(
    file: ExportedFile,
    table: TableRef,
    deliveries: Mapping[str, Mapping[str, object]],
    named: Sequence[str],
) -> dict[str, object]:
    lineage = [_brief(deliveries[name]) for name in named if name in deliveries]
    return {
        "name": table.name,
        "type": "table",
        "path": file.path,
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "bytes": file.bytes,
        "hash": f"sha256:{file.sha256}",
        "title": table.title,
        "description": " ".join(part for part in (table.description, table.note) if part),
        **({"sources": lineage} if lineage else {}),
        "schema": _schema(table),
    }


def _schema(table: TableRef) -> dict[str, object]:
    schema: dict[str, object] = {
        "fields": [
            {
                "name": name,
                "type": _TYPES.get(data_type.split("(")[0], "string"),
                "description": table.meanings.get(name, ""),
            }
            for name, data_type in table.columns
        ],
        "missingValues": [""],
    }
    if table.key:
        schema["primaryKey"] = list(table.key)
    return schema


def _deliveries(sources: Sequence[Row]) -> dict[str, dict[str, object]]:
    """Return each delivery by its name, with its files and their checksums."""
    found: dict[str, dict[str, object]] = {}
    for row in sources:
        name = f"{row['source']} {row['quarter']} v{row['version']}"
        entry = found.setdefault(
            name,
            {
                "title": f"{row['title'] or row['source']}, delivered for {row['quarter']}, "
                f"version {row['version']}",
                "version": f"{row['quarter']} v{row['version']}",
                "delivery": name,
                "supplier": str(row["supplier"] or ""),
                "nature": str(row["nature"]),
                "files": [],
            },
        )
        listed = entry["files"]
        if isinstance(listed, list):
            checksum = {"sha256": row["sha256"]} if row["sha256"] else {}
            listed.append({"name": row["file_name"], **checksum})
    return found


def _brief(delivery: Mapping[str, object]) -> dict[str, object]:
    """Return a delivery without its files, which the package lists once."""
    return {key: delivery[key] for key in ("title", "version", "delivery")}


def _licences(sources: Sequence[Row]) -> list[dict[str, str]]:
    names = sorted({str(row["licence"]) for row in sources if row["licence"]})
    return [
        {"name": _LICENCES[name][0], "path": _LICENCES[name][1], "title": name}
        for name in names
        if name in _LICENCES
    ]


def _stem(file: ExportedFile) -> str:
    return file.path.rsplit("/", 1)[-1].rsplit(".", 1)[0]
