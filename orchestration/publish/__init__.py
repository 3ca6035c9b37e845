"""Publishing: from the restricted warehouse to a read-only database that anybody may open.

A release is built as a new file, checked, synced and renamed into place, so a reader never meets
a half-written or locked database. What belongs here: which tables leave (``catalogue``), what the
file holds (``contents``), how two releases are compared (``comparison``), and how a file reaches
its place (``placement``). ``release`` puts them together. No rule about crime or housing belongs
here: those are in the dbt project.
"""

from orchestration.publish.catalogue import PublishedColumn, PublishedTable, published_tables
from orchestration.publish.contents import SourceDescription
from orchestration.publish.errors import (
    CatalogueError,
    MissingTableError,
    PublishError,
    ReleaseUnreadableError,
    SchemaMismatchError,
    UnknownOriginError,
    UnsafeTableError,
    VerificationError,
    WrongQuarterError,
)
from orchestration.publish.release import Release, build_release

__all__ = [
    "CatalogueError",
    "MissingTableError",
    "PublishError",
    "PublishedColumn",
    "PublishedTable",
    "Release",
    "ReleaseUnreadableError",
    "SchemaMismatchError",
    "SourceDescription",
    "UnknownOriginError",
    "UnsafeTableError",
    "VerificationError",
    "WrongQuarterError",
    "build_release",
    "published_tables",
]
