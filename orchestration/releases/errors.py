"""Errors of releases, each written for the person who has to act on it."""

from orchestration.errors import CspError


class PublishError(CspError):
    """A release could not be published; what was published before is unchanged."""


class ReleaseUnreadableError(PublishError):
    """A published file is missing, damaged, or not a release of this product."""


class UnknownReleaseError(PublishError):
    """There is no release of the quarter, or no such build of it."""
