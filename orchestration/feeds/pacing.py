"""How fast a publisher is asked, and how often again: rates, waits, tries and deadlines."""

import email.utils
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

LONGEST_WAIT = 120.0
"""Longest that a fetch waits because a publisher asks for it, in seconds."""


@dataclass(frozen=True)
class Pace:
    """Waits and tries, in seconds. Tests give a clock of their own."""

    tries: int = 5
    first_wait: float = 1.0
    longest_wait: float = 30.0
    longest_retry_after: float = LONGEST_WAIT
    connect_seconds: float = 15.0
    silence_seconds: float = 60.0
    """Longest time without a byte."""
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic


@dataclass
class RateLimit:
    """Keeps a least time between the requests to one host."""

    requests_per_second: float
    pace: Pace
    _next: dict[str, float] = field(default_factory=dict)

    def wait(self, host: str) -> None:
        """Wait until the host may be asked again."""
        now = self.pace.clock()
        start = max(now, self._next.get(host, now))
        if start > now:
            self.pace.sleep(start - now)
        self._next[host] = start + 1 / self.requests_per_second


def seconds_to_wait(retry_after: str | None, now: datetime | None = None) -> float | None:
    """Return the seconds that a Retry-After header asks for: a number, or a date from ``now`` on.

    Returns none where there is no header, or one that is neither.
    """
    text = (retry_after or "").strip()
    if text.isascii() and text.isdigit() and len(text) < 12:
        return float(text)
    try:
        until = email.utils.parsedate_to_datetime(text)
        moment = now or datetime.now(UTC)
        return max(0.0, (until.replace(tzinfo=until.tzinfo or UTC) - moment).total_seconds())
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
