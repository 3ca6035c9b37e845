"""Findings on the community survey: Tables 7 and 8."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from orchestration.disclosure.confidence_limits import Verdict, rounded_difference
from orchestration.exports.findings.finding import Finding, size_of_difference
from orchestration.exports.findings.finding_text import listed
from orchestration.exports.report_definition.row_selection import Place, Row

Rule = Callable[[Sequence[Row], Place, float], list[Finding]]

_VERBS: tuple[tuple[Verdict, str], ...] = (
    ("higher", "rose in"),
    ("lower", "fell in"),
    ("unclear", "did not clearly change in"),
)


@dataclass(frozen=True)
class _Town:
    """What is known of a town's share of a wave, and of the wave before where it has one."""

    name: str
    now: int
    before: int | None = None
    verdict: Verdict = "unclear"
    size: float = 0.0

    @property
    def shown(self) -> str:
        """The town with its shares in brackets."""
        after = "" if self.before is None else f" after {self.before}%"
        return f"{self.name} ({self.now}%{after})"


def survey_answers(column: str, phrase: str) -> Rule:
    """Return the rule on the share of answers in ``column``, which ``phrase`` describes."""

    def rule(rows: Sequence[Row], place: Place, off: float) -> list[Finding]:
        own = {place.code, *place.districts}
        of_place = [row for row in rows if str(row["area_code"]).split(":")[0] in own]
        wave = _last_wave(of_place, column)
        if not wave:
            return []
        towns = [_town(row, column) for row in wave if row[column] is not None]
        start = f"{_wave_name(wave, of_place)}, share of answers that {phrase}"
        compared = [town for town in towns if town.before is not None]
        if compared:
            return [_change(start, compared)]
        return [
            Finding(
                f"{start}: {listed([town.shown for town in towns])}. There are no shares of the "
                "quarter before to compare with."
            )
        ]

    return rule


def _last_wave(rows: Sequence[Row], column: str) -> list[Row]:
    """Return the rows of the last wave in which a town's share is known."""
    known = [str(row["period_start"]) for row in rows if row[column] is not None]
    return [row for row in rows if str(row["period_start"]) == max(known, default="")]


def _wave_name(wave: Sequence[Row], rows: Sequence[Row]) -> str:
    """Name a wave, and say where it is not of the last quarter that the table lists."""
    last = max(str(row["period_start"]) for row in rows)
    available = ", the last available" if str(wave[0]["period_start"]) < last else ""
    return f"Survey of {wave[0]['period_label']}{available}"


def _town(row: Row, column: str) -> _Town:
    name, now = str(row["area_name"]), int(str(row[column]))
    cells = [row[other] for other in ("base", f"{column}_previous", "previous_base")]
    if any(not cell and cell != 0 for cell in cells):
        return _Town(name, now)
    base, before, base_before = (int(str(cell)) for cell in cells)
    limits = rounded_difference(now, base, before, base_before)
    if limits is None:
        return _Town(name, now, before)
    size = size_of_difference(now / 100, before / 100, limits)
    return _Town(name, now, before, limits.verdict(), size)


def _change(start: str, towns: Sequence[_Town]) -> Finding:
    """Group towns by what can be said of their change since the wave before."""
    by_verdict = {
        verb: [town.shown for town in towns if town.verdict == verdict] for verdict, verb in _VERBS
    }
    parts = [f"{verb} {listed(names)}" for verb, names in by_verdict.items() if names]
    claimed = any(town.verdict != "unclear" for town in towns)
    return Finding(
        f"{start}, against the survey before: {'; '.join(parts)}.",
        "claim" if claimed else "comparison",
        max(town.size for town in towns),
    )
