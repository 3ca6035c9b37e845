"""Takes a file over from the export before, where all that it was made from is the same.

A corrected survey changes no chart of crime. The manifest of an export has, for each file that may
be taken over, a digest of the program and of all that the file was made from (``made_from``).
"""

import hashlib
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from functools import cache
from pathlib import Path

from orchestration.config.settings import PROJECT
from orchestration.exports.data_package.folder_manifest import MANIFEST


@dataclass(frozen=True)
class _Earlier:
    """A file of the export before: what it was made from, and its checksum."""

    made_from: str
    sha256: str


@dataclass(frozen=True)
class ExportFolder:
    """A folder that is being written, beside the export that it replaces.

    ``made_from`` grows with each file: its path, and the digest of what it was made from.
    """

    path: Path
    earlier_path: Path | None = None
    earlier: Mapping[str, _Earlier] = field(default_factory=dict)
    made_from: dict[str, str] = field(default_factory=dict)

    def make(self, names: Sequence[str], inputs: object, write: Callable[[], object]) -> None:
        """Have ``names`` in the folder: taken over where ``inputs`` are those of the export before,
        written by ``write`` otherwise.

        ``inputs`` must be all that the files follow from, the program apart. Where ``write`` leaves
        one of the files out, there is nothing to take over the next time.
        """
        digest = digest_of(program_digest(), tuple(names), inputs)
        if not self._take_over(names, digest):
            write()
        for name in names:
            if (self.path / name).exists():
                self.made_from[name] = digest

    def _take_over(self, names: Sequence[str], digest: str) -> bool:
        """Copy the files of the export before; none of them where one is not what it was."""
        contents = {}
        for name in names:
            before = self.earlier.get(name)
            if self.earlier_path is None or before is None or before.made_from != digest:
                return False
            try:
                content = (self.earlier_path / name).read_bytes()
            except OSError:
                return False
            if hashlib.sha256(content).hexdigest() != before.sha256:
                return False
            contents[name] = content
        for name, content in contents.items():
            (self.path / name).write_bytes(content)
        return True


def export_folder(path: Path, earlier: Path | None = None) -> ExportFolder:
    """Return the empty folder ``path``, to be written beside the export ``earlier``, if any."""
    return ExportFolder(path, earlier, _files_of(earlier) if earlier else {})


def _files_of(folder: Path) -> dict[str, _Earlier]:
    """Return the files that an export lists with what they were made from; none if unreadable."""
    try:
        files = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))["files"]
        return {
            file["path"]: _Earlier(file["made_from"], file["sha256"])
            for file in files
            if "made_from" in file
        }
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def digest_of(*values: object) -> str:
    """Return the SHA-256 of values: texts, numbers, dates, and collections and records of them."""
    return hashlib.sha256(repr(_in_order(values)).encode("utf-8", "surrogatepass")).hexdigest()


def _in_order(value: object) -> object:
    """Return a value that has the same text in every process: a set has no order of its own."""
    if is_dataclass(value) and not isinstance(value, type):
        own = (_in_order(getattr(value, one.name)) for one in fields(value))
        return (type(value).__name__, *own)
    if isinstance(value, Mapping):
        return {key: _in_order(one) for key, one in value.items()}
    if isinstance(value, set | frozenset):
        return ("set", *sorted(repr(_in_order(one)) for one in value))
    if isinstance(value, list | tuple):
        return [_in_order(one) for one in value]
    return value


@cache
def program_digest() -> str:
    """Return a digest of the program that writes exports, and of the installed packages' versions.

    Neither changes while a process runs.
    """
    digest = hashlib.sha256(sys.version.encode())
    for path in sorted((PROJECT / "orchestration").rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            digest.update(f"{path.relative_to(PROJECT).as_posix()}\n".encode())
            digest.update(path.read_bytes())
    for folder in map(Path, sys.path):
        if folder.is_dir():
            names = sorted(one.name for one in folder.glob("*.dist-info"))
            digest.update("\n".join(names).encode())
    return digest.hexdigest()
