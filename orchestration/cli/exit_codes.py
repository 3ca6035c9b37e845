"""The exit codes of ``csp``, and which error ends a command with which."""

from collections.abc import Iterable, Mapping
from enum import IntEnum

from orchestration.errors import CspError, DisclosureError, TransformError, WarehouseBusyError


class ExitCode(IntEnum):
    """What a program that calls ``csp`` can tell apart."""

    DONE = 0
    STOPPED = 1
    WRONG_ARGUMENTS = 2
    UNEXPECTED = 3
    REFUSED_DELIVERY = 4
    FAILED_CHECK = 5
    LOCKED = 6
    DISCLOSURE = 7
    INTERRUPTED = 130
    TERMINATED = 143


_OF_ERRORS: Mapping[type[CspError], ExitCode] = {
    WarehouseBusyError: ExitCode.LOCKED,
    DisclosureError: ExitCode.DISCLOSURE,
    TransformError: ExitCode.FAILED_CHECK,
}


def code_of(kinds: Iterable[type[BaseException]]) -> ExitCode:
    """Return the exit code of an error and its causes, given by their classes.

    A cause says more than what it stopped: a range that a failed check ended has the check's code.
    """
    for kind in kinds:
        for known, code in _OF_ERRORS.items():
            if issubclass(kind, known):
                return code
    return ExitCode.STOPPED
