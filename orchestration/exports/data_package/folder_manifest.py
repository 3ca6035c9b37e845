"""The description of an exported folder: ``manifest.json`` and ``SHA256SUMS``.

The manifest has the only time in a folder, that of the release; every other file is the same
whenever the same figures are exported.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import MappingProxyType

from orchestration.exports.report_definition.row_selection import Partnership, ReleaseFacts, Row

EXPORT_FORMAT = 5
"""Raised when the code that writes exports changes what it writes, so that folders are redone."""

MANIFEST = "manifest.json"
SUMS = "SHA256SUMS"


@dataclass(frozen=True)
class ExportedFile:
    """A file of an export: its path within the folder, its checksum and its size in bytes."""

    path: str
    sha256: str
    bytes: int


def exported_files(folder: Path) -> list[ExportedFile]:
    """Return every file under ``folder`` but the checksums, by path."""
    return [
        ExportedFile(path, hashlib.sha256(content).hexdigest(), len(content))
        for path, content in (
            (file.relative_to(folder).as_posix(), file.read_bytes())
            for file in sorted(folder.rglob("*"))
            if file.is_file()
        )
        if path != SUMS
    ]


def write_manifest(
    folder: Path,
    release: ReleaseFacts,
    whose: Partnership,
    sources: Sequence[Row],
    texts: Sequence[Mapping[str, str]] = (),
    made_from: Mapping[str, str] = MappingProxyType({}),
) -> list[ExportedFile]:
    """Write ``manifest.json`` and ``SHA256SUMS``; return all files but the latter.

    ``made_from`` has, by path, digests of all that a file was made from (see ``reused_files``).
    """
    manifest = {
        **identity(release, whose, texts),
        "csp_name": whose.name,
        "areas": list(whose.areas),
        "compared_with": list(whose.forces),
        "synthetic": release.synthetic,
        "synthetic_notice": release.synthetic_notice,
        "files": [
            asdict(file) | ({"made_from": made_from[file.path]} if file.path in made_from else {})
            for file in exported_files(folder)
        ],
        "sources": [{name: _plain(value) for name, value in row.items()} for row in sources],
    }
    text = json.dumps(manifest, indent=2, ensure_ascii=False)
    (folder / MANIFEST).write_text(f"{text}\n", encoding="utf-8")
    files = exported_files(folder)
    (folder / SUMS).write_text(
        "".join(f"{file.sha256}  {file.path}\n" for file in files), encoding="utf-8"
    )
    return files


def identity(
    release: ReleaseFacts, whose: Partnership, texts: Sequence[Mapping[str, str]] = ()
) -> dict[str, object]:
    """Return what an export is of: equal where it need not be written again.

    ``texts`` are the analyst's files that are in it, each with its checksum.
    """
    return {
        "format": EXPORT_FORMAT,
        "csp": whose.csp,
        "quarter": release.quarter.isoformat(),
        "quarter_label": release.quarter_label,
        "release": {
            "built_at": f"{release.built_at.isoformat()}Z",
            "schema_version": release.schema_version,
            "content_digest": release.content_digest,
            "product": release.product,
            "product_version": release.product_version,
        },
        "texts": [dict(one) for one in texts],
    }


def current_files(
    folder: Path,
    release: ReleaseFacts,
    whose: Partnership,
    texts: Sequence[Mapping[str, str]] = (),
) -> list[ExportedFile] | None:
    """Return the files of an export that is whole, of this release and these texts, or none."""
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        sums = (folder / SUMS).read_text(encoding="utf-8")
        files = exported_files(folder)
    except (OSError, ValueError):
        return None
    expected = identity(release, whose, texts)
    if not isinstance(manifest, dict) or expected != {
        name: manifest.get(name) for name in expected
    }:
        return None
    return files if sums == "".join(f"{file.sha256}  {file.path}\n" for file in files) else None


def _plain(value: object) -> object:
    return value if value is None or isinstance(value, str | int | float) else str(value)
