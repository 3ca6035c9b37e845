"""Months that publishers are known not to have, with the reason: ``known_gaps.toml``."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from orchestration.config.toml_files import TomlFileError, place_of, read_toml
from orchestration.feeds.errors import FeedFileError

_MONTH = r"^\d{4}-(0[1-9]|1[0-2])$"
_MONTH_NAMES = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip


class KnownGap(BaseModel):
    """Months without data of one series: from ``first`` to ``last``, or since ``first``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: str
    series: str
    name: str
    first: str = Field(pattern=_MONTH)
    last: str | None = Field(default=None, pattern=_MONTH)
    reason: str = Field(min_length=10)
    reviewed: date
    """Day on which somebody looked at the publisher's notes."""

    def holds(self, month: str) -> bool:
        """Say whether a month (``2019-07``) is in the gap."""
        return self.first <= month and (self.last is None or month <= self.last)

    def __str__(self) -> str:
        months = f"from {month_name(self.first)}"
        if self.last == self.first:
            months = month_name(self.first)
        elif self.last:
            months += f" to {month_name(self.last)}"
        return f"{self.name}, {months}: {self.reason}"


class _Gaps(BaseModel):
    model_config = ConfigDict(extra="forbid")

    gaps: tuple[KnownGap, ...] = ()


def known_gaps(path: Path | None = None) -> tuple[KnownGap, ...]:
    """Return the known gaps. Raises :class:`FeedFileError` for a table that cannot be used."""
    path = path or Path(__file__).with_name("known_gaps.toml")
    try:
        return _Gaps.model_validate(read_toml(path)).gaps
    except TomlFileError as error:
        raise FeedFileError(f"{path} does not list known gaps. {error}") from error
    except ValidationError as error:
        faults = "; ".join(f"{place_of(one['loc'])}: {one['msg']}" for one in error.errors())
        raise FeedFileError(f"{path} does not list known gaps as it should. {faults}.") from error


def gap_of(gaps: Sequence[KnownGap], source: str, series: str, month: str) -> KnownGap | None:
    """Return the gap that a month of a series is in, if one is known."""
    found = (gap for gap in gaps if (gap.source, gap.series) == (source, series))
    return next((gap for gap in found if gap.holds(month)), None)


def month_name(month: str) -> str:
    """Return the name of a month (``2019-07``): July 2019."""
    year, number = month.split("-")
    return f"{_MONTH_NAMES[int(number) - 1]} {year}"
