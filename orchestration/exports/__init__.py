"""Exports: from the published database to a folder that an analyst can open and send.

Reads the published file and the analysts' texts, so nothing restricted can get out. The rooms:
``report_definition`` (the exhibits, the rows of each, their layout), ``charts``, ``texts`` (the
analyst's own text), ``pack`` (key findings, HTML and Word), ``workbook``, ``data_package`` (tables
as files, with descriptions). ``partnership_export`` puts them together, folder by folder. No figure
is shown that a mart does not hold; only whether, and by how much, two of them differ is worked out
here.
"""

from orchestration.exports.data_package.folder_manifest import ExportedFile
from orchestration.exports.errors import (
    ExportError,
    TargetFolderError,
    UnknownPartnershipError,
    WrongReleaseError,
)
from orchestration.exports.partnership_export import (
    ExportResult,
    export_partnership,
    export_release,
    export_restricted,
    release_partnerships,
)
from orchestration.exports.target_folder import new_target, usable_target

__all__ = [
    "ExportError",
    "ExportResult",
    "ExportedFile",
    "TargetFolderError",
    "UnknownPartnershipError",
    "WrongReleaseError",
    "export_partnership",
    "export_release",
    "export_restricted",
    "new_target",
    "release_partnerships",
    "usable_target",
]
