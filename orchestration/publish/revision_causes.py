"""The cause of a change in a published figure, from the lineage of two releases.

Everything here is a pure function. A context says what is known of a change (its table, its period,
the sources and deliveries behind that figure before and after); the evidence says how the two
releases differ in what they were made from. One context serves all cells that have it in common.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

NEW_PERIOD = "new period"
LATE = "late arrival"
REVISED = "revised delivery"
CORRECTED = "correction"
METHOD = "method change"
SERIES = "series recalculated"
WITHDRAWN = "row withdrawn"
SUPPRESSION = "suppression changed"
ESTIMATE = "new population estimate"
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
    ``bearing`` are the sources that can have moved the figure, none where that is not known;
    ``months_behind`` is how many months before its period it is computed from too, none where that
    is not known.
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
    bearing: frozenset[str] = frozenset()
    months_behind: int | None = None

    @property
    def sources(self) -> frozenset[str]:
        """Sources that can have moved the figure, of those that its row names if it names any."""
        named = frozenset(map(source_of, self.old_deliveries | self.new_deliveries))
        return (self.bearing & named) or self.bearing or named

    @property
    def gone(self) -> frozenset[str]:
        """Deliveries of the figure's sources that only the earlier release names."""
        return self._of_sources(self.old_deliveries - self.new_deliveries)

    @property
    def come(self) -> frozenset[str]:
        """Deliveries of the figure's sources that only this release names."""
        return self._of_sources(self.new_deliveries - self.old_deliveries)

    def _of_sources(self, deliveries: frozenset[str]) -> frozenset[str]:
        return frozenset(one for one in deliveries if source_of(one) in self.sources)

    def holds(self, period: date) -> bool:
        """Say whether a source's period lies in the figure's."""
        if self.period_start is None or self.period_end is None:
            return False
        return self.period_start <= period <= self.period_end

    def reaches(self, period: date) -> bool:
        """Say whether the figure can be computed from a source's period that is not its own."""
        if self.months_behind is None or self.period_start is None:
            return True
        months = (
            (self.period_start.year - period.year) * 12 + self.period_start.month - period.month
        )
        return 0 <= months <= self.months_behind


@dataclass(frozen=True)
class Evidence:
    """How two releases differ in what they were made from.

    ``unnamed`` are shifts of sources that no row names, such as lists of areas; they may bear on
    any figure. ``old_end`` is the last day of the earlier release's quarter, ``last_periods`` the
    last period of each source in it. ``other_methods`` are the tables whose SQL, macros, seeds or
    settings differ; ``corrections`` says, by delivery, which corrections differ. ``carried`` says
    for how many years a source's figure may be used for later years that have none yet; ``behind``
    names the sources of each table, of which a table that is not in it may have any.
    """

    shifts: tuple[Shift, ...]
    unnamed: tuple[Shift, ...]
    old_end: date
    last_periods: Mapping[str, date]
    cadences: Mapping[str, str]
    other_methods: frozenset[str]
    corrections: Mapping[str, str]
    carried: Mapping[str, int] = field(default_factory=dict)
    behind: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def lists(self, table: str) -> list[Shift]:
        """Return the shifts of sources that no row names and the table is made from."""
        sources = self.behind.get(table)
        return [one for one in self.unnamed if sources is None or one.source in sources]


@dataclass(frozen=True)
class Cause:
    """A kind (one of the constants of this module) and its text for readers."""

    kind: str
    words: str


def cause_of(context: Context, evidence: Evidence) -> Cause:
    """Return the first cause that explains the change, from the surest to the least sure."""
    for explain in _EXPLANATIONS:
        cause = explain(context, evidence)
        lists = evidence.lists(context.table)
        if cause and cause.kind in _MAY_BE_SHARED and explain is not _unnamed and lists:
            return Cause(cause.kind, f"{cause.words}; also {_said(lists)}")
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
    brought = _behind(context, evidence)
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
    said = _said(_behind(context, evidence))
    if not said and context.table in evidence.other_methods:
        said = _other_method(context)
    return Cause(WITHDRAWN, said or "The row is not in this release.")


def _revised(context: Context, evidence: Evidence) -> Cause | None:
    """Explain a figure whose own deliveries a supplier has replaced."""
    estimates = _estimates(context, evidence)
    shifts = [shift for shift in _behind(context, evidence) if shift not in estimates]
    if shifts:
        late = all(not shift.old and _is_late(shift, evidence) for shift in shifts)
        return Cause(LATE if late else REVISED, _said([*shifts, *estimates]))
    if estimates or not (context.gone or context.come):
        return None
    gone, come = (", ".join(sorted(names)) for names in (context.gone, context.come))
    return Cause(REVISED, f"{come or 'No delivery'} in place of {gone or 'none'}")


def _corrected(context: Context, evidence: Evidence) -> Cause | None:
    both = context.old_deliveries & context.new_deliveries
    said = [
        evidence.corrections[one]
        for one in sorted(both & evidence.corrections.keys())
        if source_of(one) in context.sources
    ]
    estimates = _said(_estimates(context, evidence))
    return Cause(CORRECTED, "; ".join([*said, estimates] if estimates else said)) if said else None


def _estimated(context: Context, evidence: Evidence) -> Cause | None:
    """Explain a figure that used an earlier year's estimate until its own year's came."""
    said = _said(_estimates(context, evidence))
    return Cause(ESTIMATE, said) if said else None


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
    others = [shift for shift in _others(context, evidence) if context.reaches(shift.period)]
    revised = [shift for shift in others if shift.old]
    late = [shift for shift in others if not shift.old and _is_late(shift, evidence)]
    if revised:
        return Cause(REVISED, f"Computed from other periods: {_said([*revised, *late])}")
    if late:
        return Cause(LATE, f"Computed from other periods: {_said(late)}")
    return None


def _unnamed(context: Context, evidence: Evidence) -> Cause | None:
    said = _said(evidence.lists(context.table))
    return Cause(REVISED, f"Lists that no row names: {said}") if said else None


def _grown(context: Context, evidence: Evidence) -> Cause | None:
    said = _said(one for one in _others(context, evidence) if context.reaches(one.period))
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
    _estimated,
    _method,
    _other_period,
    _unnamed,
    _grown,
)


def source_of(delivery: str) -> str:
    """Return the source of a delivery, such as ``police_uk_street 2018-04-01 v1``."""
    return delivery.split(" ", 1)[0]


def _others(context: Context, evidence: Evidence) -> list[Shift]:
    """Return the shifts of the figure's sources that are not carried forward, of any period."""
    return [
        shift
        for shift in evidence.shifts
        if shift.source in context.sources and shift.source not in evidence.carried
    ]


def _behind(context: Context, evidence: Evidence) -> list[Shift]:
    """Return the shifts of the deliveries behind the figure itself."""
    direct = _direct(context, evidence)
    return [*(direct or _indirect(context, evidence)), *_carried(context, evidence)]


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
    return [
        shift
        for shift in _others(context, evidence)
        if (shift.old in context.gone or shift.new in context.come)
        and not context.holds(shift.period)
    ]


def _carried(context: Context, evidence: Evidence) -> list[Shift]:
    """Return the shifts of the estimate that the figure uses: the last up to its period's year."""
    if context.period_start is None or context.period_end is None:
        return []
    found: list[Shift] = []
    for source in context.sources & evidence.carried.keys():
        first = date(context.period_start.year - evidence.carried[source], 1, 1)
        last = date(context.period_end.year, 12, 31)
        periods = [
            shift for shift in evidence.shifts
            if shift.source == source and first <= shift.period <= last
            and (shift.old in context.old_deliveries or shift.new in context.new_deliveries)
        ]  # fmt: skip
        newest = max((shift.period for shift in periods), default=None)
        found += [shift for shift in periods if shift.period == newest]
    return found


def _estimates(context: Context, evidence: Evidence) -> list[Shift]:
    """Return the estimates that are new, where an earlier year's was used before."""
    return [shift for shift in _carried(context, evidence) if shift.old is None]


def _other_method(context: Context) -> str:
    return (
        f"The deliveries are the same, but {context.table} is computed in another way: its SQL, "
        "macros, reference lists or settings differ"
    )


def _after(day: date) -> str:
    return f"The period begins after {day.isoformat()}, the end of the earlier release's quarter"


def _said(shifts: Iterable[Shift]) -> str:
    """Return the text on which deliveries are now in force for which periods."""
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
        return f"{old} is no longer in force for {span}"
    if old is None:
        return f"{new} brings {span}"
    source, _, version = old.partition(" ")
    replaced = version if new.startswith(f"{source} ") else old
    return f"{new} replaces {replaced} for {span}"


def _period(day: date) -> str:
    return f"{day:%Y-%m}" if day.day == 1 else day.isoformat()
