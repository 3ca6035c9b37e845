"""Exports: from the published database to a folder that an analyst can open and send.

Reads the published file and nothing else, so nothing restricted can get out. What belongs here:
the assessment's order and layout (``assessment``), which rows concern a partnership
(``selection``), tables as files (``tables``) and as read (``grids``), charts (``figures`` says
what is drawn, ``charts`` and ``bars`` how, ``series`` and ``words`` from what), key findings
(``findings``, ``comparisons``), the pack (``pack``, ``pack_html``, ``pack_docx``), the workbook,
and what the folder says of itself (``datapackage``, ``manifest``). ``partnership`` puts them
together, folder by folder. No figure is shown that a mart does not hold; only whether two of them
differ is worked out here.
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
