"""Months that publishers are known not to have, with the reason: the seed ``known_gaps``."""

import csv
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from orchestration.config.settings import PROJECT
from orchestration.feeds.errors import FeedFileError

_SEED = Path("dbt_project/seeds/known_gaps.csv")
_MONTH_NAMES = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip


class KnownGap(BaseModel):
    """Months without data of one series, such as a force: up to ``last_month``, or ever since."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: str
    series: str = Field(min_length=1)
    first_month: date
    last_month: date | None
    reason: str = Field(min_length=10)
    reviewed: date
    """Day on which somebody looked at the publisher's notes."""

    @field_validator("last_month", mode="before")
    @classmethod
    def _none_if_empty(cls, value: object) -> object:
        return value or None

    @field_validator("first_month", "last_month")
    @classmethod
    def _first_day(cls, value: date | None) -> date | None:
        if value and value.day != 1:
            raise ValueError("must be the first day of a month")
        return value

    def holds(self, month: str) -> bool:
        """Say whether a month (``2019-07``) is in the gap."""
        first, last = f"{self.first_month:%Y-%m}", self.last_month
        return first <= month and (last is None or month <= f"{last:%Y-%m}")

    def __str__(self) -> str:
        name = month_name(f"{self.first_month:%Y-%m}")
        months = f"from {name}"
        if self.last_month == self.first_month:
            months = name
        elif self.last_month:
            months += f" to {month_name(f'{self.last_month:%Y-%m}')}"
        return f"{self.series}, {months}: {self.reason}"


def known_gaps(path: Path | None = None) -> tuple[KnownGap, ...]:
    """Return the known gaps. Raises :class:`FeedFileError` for a table that cannot be used."""
    path = path or PROJECT / _SEED
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file, strict=True))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise FeedFileError(f"{path} cannot be read: {error}.") from error
    return tuple(_known_gap(path, line, row) for line, row in enumerate(rows, start=2))


def _known_gap(path: Path, line: int, row: Mapping[str | None, object]) -> KnownGap:
    try:
        return KnownGap.model_validate({str(name): value for name, value in row.items()})
    except ValidationError as error:
        faults = "; ".join(f"{one['loc'][0]}: {one['msg']}" for one in error.errors())
        raise FeedFileError(f"{path}, line {line}: not a known gap. {faults}.") from error


def gap_of(gaps: Sequence[KnownGap], source: str, series: str, month: str) -> KnownGap | None:
    """Return the gap that a month of a series is in, if one is known."""
    found = (gap for gap in gaps if (gap.source, gap.series) == (source, series))
    return next((gap for gap in found if gap.holds(month)), None)


def month_name(month: str) -> str:
    """Return the name of a month (``2019-07``): July 2019."""
    year, number = month.split("-")
    return f"{_MONTH_NAMES[int(number) - 1]} {year}"
