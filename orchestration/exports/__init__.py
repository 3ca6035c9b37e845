"""Exports: from the published database to a folder that an analyst can open and send.

Reads the published file and nothing else, so nothing restricted can get out. What belongs here:
which rows concern a partnership (``selection``), tables as files (``tables``), a month series as
it is drawn (``series``), charts (``charts``), the workbook (``workbook``), checksums and manifest
(``manifest``). ``partnership`` puts them together, folder by folder. No figure is computed here
that a mart does not hold.
"""

from orchestration.exports.errors import (
    ExportError,
    UnknownPartnershipError,
    WrongReleaseError,
)
from orchestration.exports.manifest import ExportedFile
from orchestration.exports.partnership import ExportResult, export_partnership, export_release

__all__ = [
    "ExportError",
    "ExportResult",
    "ExportedFile",
    "UnknownPartnershipError",
    "WrongReleaseError",
    "export_partnership",
    "export_release",
]
