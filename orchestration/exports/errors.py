"""Errors of exporting, each written for the person who has to act on it."""

from orchestration.errors import CspError


class ExportError(CspError):
    """A folder could not be exported; the previous one is unchanged."""


class UnknownPartnershipError(ExportError):
    """The release does not know the partnership asked for."""


class TargetFolderError(ExportError):
    """The folder asked for is not one into which an export may be written."""


class WrongReleaseError(ExportError):
    """The release is of another quarter than the one asked for."""
