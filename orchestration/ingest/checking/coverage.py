"""The periods and series that a delivery covers: what it claims, not what occurs in its rows.

Pure functions of a contract and of counts of rows. A claim is what the receipt says, else what the
file's name says, else what the contract holds by default (``[coverage]``). Rows outside the claim
are late rows: they never take the place of a period that another delivery covers.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Literal, TypeVar

from orchestration.config.quarters import quarter_end
from orchestration.ingest.checking.contract import Contract
from orchestration.ingest.checking.faults import Fault, given
from orchestration.ingest.checking.named_periods import Span, named_spans

Role = Literal["covers", "history", "late rows", "left out"]
"""What a delivery's rows of a period are: the period itself; the period, where no other delivery
covers it; an addition to what another delivery covers; nothing that is counted."""

_STRONGEST: tuple[Role, ...] = ("covers", "history", "late rows", "left out")
_MONTHS = {"month": 1, "quarter": 3}
_LONGEST_GAP = 12
"""Months without rows after which an earlier period is no history that was handed over."""

_A_YEAR = 366
"""Most days for which a file without a row may say that nothing happened."""

_BELIEVED = 0.5
"""Share of a file's rows that must be of the period that its name says."""

_Key = TypeVar("_Key")

RULE = "says which period it is of"
STRAY_RULE = "is of the file's period"


@dataclass(frozen=True)
class Count:
    """Rows of one file, of one series (as delivered) and period; ``name`` is the series' name."""

    file_id: int
    series: str
    name: str
    period: date
    rows: int


@dataclass(frozen=True)
class Covered:
    """Rows of a delivery, of one series (as delivered) and period, and what they are."""

    series: str
    name: str
    period: date
    role: Role
    rows: int


@dataclass(frozen=True)
class Stray:
    """Rows of a file that are refused; ``of`` describes the period of the file."""

    file_id: int
    series: str
    period: date
    rows: int
    of: str


@dataclass
class Claims:
    """What a delivery covers, the rows that it has to do without, and what is said of them."""

    covered: list[Covered] = field(default_factory=list)
    refused: list[Stray] = field(default_factory=list)
    warnings: list[Fault] = field(default_factory=list)
    files: dict[tuple[str, date], list[int]] = field(default_factory=dict)
    """Files that have each series and period which the delivery covers."""


def plain_name(text: str) -> str:
    """Return a name as names are matched: white space collapsed, letters of one case."""
    return " ".join(text.split()).casefold()


def claims_of(
    contract: Contract,
    quarter: date | None,
    covers: Span | None,
    files: Mapping[int, str],
    counts: Iterable[Count],
) -> Claims:
    """Return what the delivery of ``quarter`` covers.

    ``covers`` is what its receipt says, ``files`` are the names of its files by number. Where no
    quarter is known yet, a return is taken to cover the periods of its rows.
    """
    judging = _Judging(contract, quarter, covers, files)
    by_file: dict[int, list[Count]] = defaultdict(list)
    for one in counts:
        by_file[one.file_id].append(one)
    for file_id in sorted(by_file):
        judging.file(file_id, by_file[file_id])
    judging.unnamed_files()
    return judging.settled()


def nothing_happened(
    contract: Contract, quarter: date, covers: Span | None, file: str, known: Mapping[str, str]
) -> list[Covered]:
    """Return what a file with a header and no row covers; nothing where its name does not say.

    The name must say whose return it is, by one of ``known`` (series to name), and the receipt or
    the name which periods, of a year at most, where it is not the delivery's quarter.
    """
    said = f"-{_slug(file)}-"
    series = [one for one, name in known.items() if name and f"-{_slug(name)}-" in said]
    spans = [one for one in named_spans(file) if one.first != one.last]
    span = covers or (spans[0] if spans else Span(quarter, quarter_end(quarter)))
    if not series or (span.last - span.first).days > _A_YEAR:
        return []
    step = _MONTHS[contract.coverage.every or "quarter"]
    periods = list(_period_starts(span.first, min(span.last, quarter_end(quarter)), step))
    role: Role = "covers" if covers else "history"
    return [
        Covered(one, known[one], period, role, 0) for one in sorted(series) for period in periods
    ]


def _slug(text: str) -> str:
    return "-".join(re.findall(r"[^\W_]+", text.casefold()))


@dataclass
class _Judging:
    contract: Contract
    quarter: date | None
    receipt: Span | None
    files: Mapping[int, str]
    claims: Claims = field(default_factory=Claims)
    found: list[Covered] = field(default_factory=list)
    pool: list[Count] = field(default_factory=list)

    def file(self, file_id: int, counts: Sequence[Count]) -> None:
        own = self._own_series(file_id, counts)
        span = self.receipt or self._named(file_id, own)
        if span:
            self._judge_by_span(file_id, own, span)
        elif self.contract.coverage.default == "delivery quarter":
            self.pool += own
        else:
            self._judge_by_rows(file_id, own)

    # --- series ------------------------------------------------------------------------------

    def _own_series(self, file_id: int, counts: Sequence[Count]) -> list[Count]:
        """Put aside the series of which the file has but few rows among another's."""
        if self.contract.coverage.other_series == "covered":
            return list(counts)
        rows = _sum_by(counts, lambda one: plain_name(one.series))
        fullest = max(rows.values())
        few = {key for key, n in rows.items() if n < self.contract.coverage.fullness * fullest}
        others = [one for one in counts if plain_name(one.series) in few]
        if others:
            main = next(one.series for one in counts if rows[plain_name(one.series)] == fullest)
            for series, number in sorted(_sum_by(others, lambda one: one.series).items()):
                self._warn(
                    file_id,
                    f"{_rows(number)} of '{given(series)}' in a file of '{given(main)}'. They are "
                    "left out of both. If they are a delivery, send them in a file of their own.",
                )
            self.found += [_covered(one, "left out") for one in others]
        return [one for one in counts if plain_name(one.series) not in few]

    # --- a receipt or a name -----------------------------------------------------------------

    def _named(self, file_id: int, counts: Sequence[Count]) -> Span | None:
        """Return what the file's name says that it is of, where its rows bear it out."""
        if self.contract.coverage.default == "label" or not self.contract.coverage.file_name:
            return None
        spans = named_spans(self.files[file_id])
        if self.contract.coverage.every:
            # A day in the name of a file of months is when it was made.
            spans = [one for one in spans if one.first != one.last]
        if not spans:
            return None
        whole = sum(one.rows for one in counts)
        held = [sum(one.rows for one in counts if span.holds(one.period)) for span in spans]
        best = max(held)
        if best >= _BELIEVED * whole:
            return spans[held.index(best)]
        self._warn(
            file_id,
            f"{_rows(whole - held[0])} of {whole:,} are of another period than the file's name "
            "says, so the name does not decide what the file covers. Name the file after its "
            "period, or land it with --covers.",
        )
        return None

    def _judge_by_span(self, file_id: int, counts: Sequence[Count], span: Span) -> None:
        for one in counts:
            if span.holds(one.period):
                self._covers(one)
            else:
                self._outside(one, given(span))
        # A name is a weak sign that nothing happened: it yields to a delivery that has rows.
        empty: Role = "covers" if self.receipt else "history"
        for sample in _one_a_series(counts):
            self.found += self._empty(sample, self._periods(span), empty)

    def _covers(self, one: Count) -> None:
        self.found.append(_covered(one, "covers"))
        files = self.claims.files.setdefault((plain_name(one.series), one.period), [])
        if one.file_id not in files:
            files.append(one.file_id)

    def _periods(self, span: Span) -> list[date]:
        """Return the periods of a span that a delivery may cover without a row."""
        every = self.contract.coverage.every
        end = min(span.last, quarter_end(self.quarter)) if self.quarter else span.last
        return [] if every is None else list(_period_starts(span.first, end, _MONTHS[every]))

    def _empty(self, sample: Count, periods: Iterable[date], role: Role) -> list[Covered]:
        return [Covered(sample.series, sample.name, period, role, 0) for period in periods]

    def _outside(self, one: Count, of: str) -> None:
        if self.contract.coverage.outside == "refuse":
            stray = Stray(one.file_id, one.series, one.period, one.rows, of)
            self.claims.refused.append(stray)
        else:
            self.found.append(_covered(one, "late rows"))

    # --- rows --------------------------------------------------------------------------------

    def _judge_by_rows(self, file_id: int, counts: Sequence[Count]) -> None:
        asked = self.contract.coverage.fullness
        by_label = self.contract.coverage.default == "label"
        for rows in _by_series(counts).values():
            by_period = _sum_by(rows, lambda one: one.period)
            fullest = max(by_period.values())
            full = {period for period, n in by_period.items() if by_label or n >= asked * fullest}
            of = ", ".join(given(period) for period in sorted(full))
            for one in rows:
                if one.period in full:
                    self._covers(one)
                else:
                    self._outside(one, of)

    # --- the delivery's quarter --------------------------------------------------------------

    def unnamed_files(self) -> None:
        """Judge the rows of files that do not say their period, series by series."""
        if self.quarter is None:
            self.found += [_covered(one, "covers") for one in self.pool]
            return
        for rows in _by_series(self.pool).values():
            own, history = _own_and_history(self.contract, self.quarter, rows)
            for one in rows:
                role: Role = (
                    "covers"
                    if one.period in own
                    else "history"
                    if one.period in history
                    else "late rows"
                )
                self.found.append(_covered(one, role))
            sample = _one_a_series(rows)[0]
            self.found += self._empty(sample, own | history, "history")
            if history:
                self._warn(
                    rows[0].file_id,
                    f"The file does not say which periods it covers. Its rows of "
                    f"'{given(sample.series)}' count for {given(min(history))} to "
                    f"{given(max(own | history))}, where "
                    "no other delivery covers them; a period without rows is 0. If that is "
                    "wrong, name the file after its period (2018-04-to-2018-06), or land it with "
                    "--covers.",
                )

    # --- in all ------------------------------------------------------------------------------

    def settled(self) -> Claims:
        """Return one entry for each series and period, under the strongest of its roles."""
        best: dict[tuple[str, date], Role] = {}
        for one in self.found:
            key = (plain_name(one.series), one.period)
            known = best.setdefault(key, one.role)
            if _STRONGEST.index(one.role) < _STRONGEST.index(known) and (
                one.rows or known != "left out"
            ):
                best[key] = one.role
        merged: dict[tuple[str, date], Covered] = {}
        with_rows = {(plain_name(one.series), one.period) for one in self.found if one.rows}
        for one in self.found:
            key = (plain_name(one.series), one.period)
            if not one.rows and key in with_rows:
                continue
            known_rows = merged.get((one.series, one.period))
            rows = one.rows + (known_rows.rows if known_rows else 0)
            merged[one.series, one.period] = replace(one, role=best[key], rows=rows)
        self.claims.covered = sorted(merged.values(), key=lambda one: (one.series, one.period))
        self._warn_of_late_rows()
        return self.claims

    def _warn_of_late_rows(self) -> None:
        if self.contract.coverage.additive:
            return
        for one in self.claims.covered:
            if one.role == "late rows":
                told = f" of '{given(one.series)}'" if one.series else ""
                self._warn(
                    None,
                    f"{_rows(one.rows)}{told} {'is' if one.rows == 1 else 'are'} of "
                    f"{given(one.period)}, "
                    "which this delivery does not cover. They are late rows: they are added to "
                    "what is in force for that period, and replace none of it.",
                )

    def _warn(self, file_id: int | None, message: str) -> None:
        name = self.files[file_id] if file_id is not None else None
        self.claims.warnings.append(Fault(RULE, message, file=name, severity="warning"))


def _own_and_history(
    contract: Contract, quarter: date, rows: Sequence[Count]
) -> tuple[set[date], set[date]]:
    """Return the periods that the quarter's delivery covers, and those that it hands over.

    History reaches back from the quarter over full periods, with at most a year between two.
    """
    step = _MONTHS[contract.coverage.every or "quarter"]
    by_period = _sum_by(rows, lambda one: one.period)
    fullest = max(by_period.values())
    full = sorted(
        period
        for period, n in by_period.items()
        if n >= contract.coverage.fullness * fullest and period <= quarter_end(quarter)
    )
    of_quarter = list(_period_starts(quarter, quarter_end(quarter), step))
    # A quarter's return covers its quarter, unless its rows are of long ago; months of a longer
    # extract must lie within its rows.
    near = not full or _months_between(full[-1], quarter) <= _LONGEST_GAP
    own = {
        period
        for period in of_quarter
        if (len(of_quarter) == 1 and near) or (full and full[-1] >= period)
    }
    before = [period for period in full if period < quarter]
    if not before:
        return own, set()
    last = quarter if own else before[-1]
    first = last
    for period in reversed(before):
        if _months_between(period, first) > _LONGEST_GAP + step:
            break
        first = period
    reached = {*_period_starts(first, before[-1] if not own else quarter, step)} - own
    return own, {period for period in reached if period < quarter}


def _period_starts(first: date, last: date, months: int) -> Iterator[date]:
    """Yield the first days of the months or quarters that lie between two days in whole or part."""
    month = first.month - (first.month - 1) % months
    day = date(first.year, month, 1)
    while day <= last:
        yield day
        ahead = day.month + months
        day = date(day.year + (ahead - 1) // 12, (ahead - 1) % 12 + 1, 1)


def _months_between(first: date, last: date) -> int:
    return (last.year - first.year) * 12 + last.month - first.month


def _by_series(counts: Iterable[Count]) -> dict[str, list[Count]]:
    found: dict[str, list[Count]] = defaultdict(list)
    for one in counts:
        found[plain_name(one.series)].append(one)
    return found


def _one_a_series(counts: Sequence[Count]) -> list[Count]:
    """Return for each series its spelling with most rows."""
    return [
        max(rows, key=lambda one: (one.rows, one.series)) for rows in _by_series(counts).values()
    ]


def _sum_by(counts: Iterable[Count], key: Callable[[Count], _Key]) -> dict[_Key, int]:
    found: dict[_Key, int] = defaultdict(int)
    for one in counts:
        found[key(one)] += one.rows
    return found


def _covered(one: Count, role: Role) -> Covered:
    return Covered(one.series, one.name, one.period, role, one.rows)


def _rows(number: int) -> str:
    return f"{number:,} row{'s' if number != 1 else ''}"
