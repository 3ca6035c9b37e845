"""Errors of publishing, each written for the person who has to act on it."""

from orchestration.releases.errors import PublishError


class CatalogueError(PublishError):
    """The transformation's manifest does not describe a published table well enough."""


class UnsafeTableError(PublishError):
    """A table counts people, or does not say what it counts, and so must not leave."""


class MissingTableError(PublishError):
    """The warehouse lacks a table that is to be published."""


class SchemaMismatchError(PublishError):
    """A table of the warehouse has other columns than its description says."""


class WrongQuarterError(PublishError):
    """The warehouse, or a release, is as at another quarter than the one asked for."""


class UnknownOriginError(PublishError):
    """A delivery in force has no file on record."""


class VerificationError(PublishError):
    """The new file does not hold what it should."""


class SchemaChangeError(PublishError):
    """A published column would be dropped or retyped without a new schema version."""
