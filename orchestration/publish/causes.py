"""Why a published figure moved: told from the lineage of two releases, never from their figures.

Everything here is a pure function. A context says what is known of a change (its table, its period,
the deliveries before and after); the evidence says how the two releases differ in what they were
made from. One context stands for all cells that have it in common.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date

NEW_PERIOD = "new period"
LATE = "late arrival"
REVISED = "revised delivery"
CORRECTED = "correction"
METHOD = "method change"
SERIES = "series recalculated"
WITHDRAWN = "row withdrawn"
SUPPRESSION = "suppression changed"
UNEXPLAINED = "not explained"

REVISIONS = (REVISED, LATE, CORRECTED, METHOD, UNEXPLAINED)
"""Kinds by which a figure that had been published is revised, and so is marked [r]."""

_SHOWN_PERIODS = 3


@dataclass(frozen=True)
class Shift:
    """A period for which another delivery speaks than in the earlier release (none: nobody)."""

    source: str
    period: date
    old: str | None
    new: str | None


@dataclass(frozen=True)
class Context:
    """What is known of a change: ``presence`` is added, withdrawn or changed.

    ``missing`` says that there was no value before, ``hidden`` that it is or was ``[c]``,
    ``follows_series`` that the measure is computed from its whole series (a control limit).
    """

    table: str
    presence: str
    hidden: bool
    missing: bool
    follows_series: bool
    old_deliveries: frozenset[str]
    new_deliveries: frozenset[str]
    period_start: date | None
    period_end: date | None

    @property
    def sources(self) -> frozenset[str]:
        """Sources of the figure before and after."""
        named = self.old_deliveries | self.new_deliveries
        return frozenset(delivery.split(" ", 1)[0] for delivery in named)

    def holds(self, period: date) -> bool:
        """Say whether a source's period lies in the figure's."""
        if self.period_start is None or self.period_end is None:
            return False
        return self.period_start <= period <= self.period_end


@dataclass(frozen=True)
class Evidence:
    """How two releases differ in what they were made from.

    ``unnamed`` are shifts of sources that no row names, such as lists of areas; they may bear on
    any figure. ``old_end`` is the last day of the earlier release's quarter, ``last_periods`` the
    last period of each source in it. ``other_methods`` are the tables whose SQL, macros, seeds or
    settings differ; ``corrections`` says, by delivery, which corrections differ.
    """

    shifts: tuple[Shift, ...]
    unnamed: tuple[Shift, ...]
    old_end: date
    last_periods: Mapping[str, date]
    cadences: Mapping[str, str]
    other_methods: frozenset[str]
    corrections: Mapping[str, str]


@dataclass(frozen=True)
class Cause:
    """A kind (one of the constants of this module) and the same in words."""

    kind: str
    words: str


def cause_of(context: Context, evidence: Evidence) -> Cause:
    """Return the first cause that explains the change, from the surest to the least sure."""
    for explain in _EXPLANATIONS:
        cause = explain(context, evidence)
        if cause and cause.kind in _MAY_BE_SHARED and explain is not _unnamed and evidence.unnamed:
            return Cause(cause.kind, f"{cause.words}; also {_said(evidence.unnamed)}")
        if cause:
            return cause
    return Cause(
        UNEXPLAINED,
        "Its deliveries and its method are the same in both releases; compare the two files.",
    )


def _suppressed(context: Context, evidence: Evidence) -> Cause | None:
    if context.hidden and context.presence == "changed":
        return Cause(SUPPRESSION, "Disclosure control hides the figure in one of the releases.")
    return None


def _after_the_quarter(context: Context, evidence: Evidence) -> Cause | None:
    appeared = context.presence == "added" or context.missing
    if not appeared or context.period_start is None or context.period_start <= evidence.old_end:
        return None
    return Cause(NEW_PERIOD, _said(_direct(context, evidence)) or _after(evidence.old_end))


def _appeared(context: Context, evidence: Evidence) -> Cause | None:
    """Explain a figure of a period that the earlier release could have had."""
    if context.presence != "added" and not context.missing:
        return None
    brought = _direct(context, evidence) or _indirect(context, evidence)
    if not brought:
        return None
    if any(shift.old for shift in brought):
        return Cause(REVISED, _said(brought))
    kind = LATE if any(_is_late(shift, evidence) for shift in brought) else NEW_PERIOD
    return Cause(kind, _said(brought))


def _is_late(shift: Shift, evidence: Evidence) -> bool:
    """Say whether a period came after the release that should have had it.

    A quarterly source is due for every period of a quarter. An annual table comes when it comes:
    only a period before its last one is late.
    """
    if evidence.cadences.get(shift.source, "quarterly") == "quarterly":
        return shift.period <= evidence.old_end
    last = evidence.last_periods.get(shift.source)
    return last is not None and shift.period <= last


def _withdrawn(context: Context, evidence: Evidence) -> Cause | None:
    if context.presence != "withdrawn":
        return None
    said = _said(_direct(context, evidence) or _indirect(context, evidence))
    if not said and context.table in evidence.other_methods:
        said = _other_method(context)
    return Cause(WITHDRAWN, said or "The row is not in this release.")


def _revised(context: Context, evidence: Evidence) -> Cause | None:
    direct = _direct(context, evidence)
    if direct:
        late = all(not shift.old and _is_late(shift, evidence) for shift in direct)
        return Cause(LATE if late else REVISED, _said(direct))
    if context.old_deliveries == context.new_deliveries:
        return None
    said = _said(_indirect(context, evidence))
    gone = ", ".join(sorted(context.old_deliveries - context.new_deliveries))
    come = ", ".join(sorted(context.new_deliveries - context.old_deliveries))
    return Cause(REVISED, said or f"{come or 'No delivery'} in place of {gone or 'none'}")


def _corrected(context: Context, evidence: Evidence) -> Cause | None:
    both = context.old_deliveries & context.new_deliveries
    said = [evidence.corrections[one] for one in sorted(both & evidence.corrections.keys())]
    return Cause(CORRECTED, "; ".join(said)) if said else None


def _follows(context: Context, evidence: Evidence) -> Cause | None:
    others = _others(context, evidence)
    if not context.follows_series or not others:
        return None
    return Cause(SERIES, f"Computed from the whole series, which has changed: {_said(others)}")


def _method(context: Context, evidence: Evidence) -> Cause | None:
    if context.table in evidence.other_methods:
        return Cause(METHOD, _other_method(context))
    return None


def _other_period(context: Context, evidence: Evidence) -> Cause | None:
    """Explain a figure that is computed from several periods, such as a rolling sum."""
    others = _others(context, evidence)
    revised = [shift for shift in others if shift.old]
    late = [shift for shift in others if not shift.old and _is_late(shift, evidence)]
    if revised:
        return Cause(REVISED, f"Computed from other periods: {_said([*revised, *late])}")
    if late:
        return Cause(LATE, f"Computed from other periods: {_said(late)}")
    return None


def _unnamed(context: Context, evidence: Evidence) -> Cause | None:
    said = _said(evidence.unnamed)
    return Cause(REVISED, f"Lists that no row names: {said}") if said else None


def _grown(context: Context, evidence: Evidence) -> Cause | None:
    said = _said(_others(context, evidence))
    return Cause(SERIES, f"Computed from other periods: {said}") if said else None


_MAY_BE_SHARED = (LATE, REVISED, SERIES)
"""Kinds to which a list that no row names may have contributed."""

_EXPLANATIONS: tuple[Callable[[Context, Evidence], Cause | None], ...] = (
    _suppressed,
    _after_the_quarter,
    _appeared,
    _withdrawn,
    _follows,
    _revised,
    _corrected,
    _method,
    _other_period,
    _unnamed,
    _grown,
)


def _others(context: Context, evidence: Evidence) -> list[Shift]:
    """Return the shifts of the figure's sources, whatever their period."""
    return [shift for shift in evidence.shifts if shift.source in context.sources]


def _direct(context: Context, evidence: Evidence) -> list[Shift]:
    """Return the shifts of the figure's deliveries within its own period."""
    return [
        shift
        for shift in _others(context, evidence)
        if context.holds(shift.period)
        and (shift.old in context.old_deliveries or shift.new in context.new_deliveries)
    ]


def _indirect(context: Context, evidence: Evidence) -> list[Shift]:
    """Return the shifts of deliveries that the figure has in one release only."""
    gone = context.old_deliveries - context.new_deliveries
    come = context.new_deliveries - context.old_deliveries
    return [
        shift
        for shift in _others(context, evidence)
        if (shift.old in gone or shift.new in come) and not context.holds(shift.period)
    ]


def _other_method(context: Context) -> str:
    return (
        f"The deliveries are the same, but {context.table} is computed in another way: its SQL, "
        "macros, reference lists or settings differ"
    )


def _after(day: date) -> str:
    return f"The period begins after {day.isoformat()}, the end of the earlier release's quarter"


def _said(shifts: Iterable[Shift]) -> str:
    """Say in words which deliveries speak for which periods now."""
    periods: dict[tuple[str | None, str | None], list[date]] = {}
    for shift in sorted(shifts, key=lambda one: (one.period, one.new or "", one.old or "")):
        periods.setdefault((shift.new, shift.old), []).append(shift.period)
    return "; ".join(_one(new, old, days) for (new, old), days in periods.items())


def _one(new: str | None, old: str | None, periods: list[date]) -> str:
    days = list(dict.fromkeys(periods))
    span = (
        ", ".join(_period(day) for day in days)
        if len(days) <= _SHOWN_PERIODS
        else f"{len(days)} periods from {_period(days[0])} to {_period(days[-1])}"
    )
    if new is None:
        return f"{old} no longer speaks for {span}"
    if old is None:
        return f"{new} brings {span}"
    source, _, version = old.partition(" ")
    replaced = version if new.startswith(f"{source} ") else old
    return f"{new} replaces {replaced} for {span}"


def _period(day: date) -> str:
    return f"{day:%Y-%m}" if day.day == 1 else day.isoformat()
