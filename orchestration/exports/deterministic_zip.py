"""Rewrites Office files, which are zip archives, so that equal content has equal bytes."""

import io
import zipfile
from collections.abc import Mapping

_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The earliest time that a zip archive can state."""

LANGUAGE = "en-GB"

CORE = "docProps/core.xml"
"""The part of an Office file that has its title, author and language."""


def repacked(content: bytes, replaced: Mapping[str, bytes] | None = None) -> bytes:
    """Return a zip archive with its members in their order and without times of its own.

    ``replaced`` has new contents for members, by name.
    """
    target = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as old,
        zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as new,
    ):
        for name in old.namelist():
            member = zipfile.ZipInfo(name, _EPOCH)
            member.compress_type = zipfile.ZIP_DEFLATED
            new.writestr(member, (replaced or {}).get(name) or old.read(name))
    return target.getvalue()


def member(content: bytes, name: str) -> bytes:
    """Return one member of a zip archive."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return archive.read(name)


def with_language(workbook: bytes) -> bytes:
    """Return a workbook that states its language, which its writer cannot set."""
    core = member(workbook, CORE).decode("utf-8")
    stated = f"<dc:language>{LANGUAGE}</dc:language></cp:coreProperties>"
    return repacked(workbook, {CORE: core.replace("</cp:coreProperties>", stated).encode("utf-8")})
