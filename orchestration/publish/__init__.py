"""Publishing: from the restricted warehouse to a read-only database that anybody may open.

A release is built as a new file, checked, synced and renamed into place, so a reader never meets
a half-written or locked database. What belongs here: which tables leave (``published_tables``),
how report tables declare how they are shown (``report_declarations``), what is measured
(``metrics``), what the file holds
(``release_contents``), what moved since an earlier release (``revisions``, ``revision_causes``),
how two releases are compared (``release_comparison``) and what a new one must keep
(``schema_compatibility``). ``release_build`` puts them together. No rule about crime or housing
belongs here: those are in the dbt project.
"""

from orchestration.publish.errors import (
    CatalogueError,
    MissingTableError,
    SchemaMismatchError,
    UnknownOriginError,
    UnsafeTableError,
    VerificationError,
    WrongQuarterError,
)
from orchestration.publish.metrics import Metric, declared_metrics
from orchestration.publish.published_tables import (
    PublishedColumn,
    PublishedTable,
    published_tables,
    true_tables,
)
from orchestration.publish.release_build import (
    Release,
    build_release,
    build_restricted_release,
)
from orchestration.publish.release_contents import SourceDescription, source_descriptions
from orchestration.publish.report_declarations import DeclaredReport, declared_reports
from orchestration.releases.errors import PublishError, ReleaseUnreadableError

__all__ = [
    "CatalogueError",
    "DeclaredReport",
    "Metric",
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
    "build_restricted_release",
    "declared_metrics",
    "declared_reports",
    "published_tables",
    "source_descriptions",
    "true_tables",
]
