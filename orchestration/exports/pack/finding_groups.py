"""The key findings of a pack: in groups by section, and what is left out."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from orchestration.exports.findings.finding_text import listed
from orchestration.exports.findings.importance import Placed, selected
from orchestration.exports.findings.key_findings import findings
from orchestration.exports.report_definition.report_catalogue import Section
from orchestration.exports.report_definition.row_selection import Place, Row
from orchestration.releases.report_metadata import Exhibit


@dataclass(frozen=True)
class KeyFinding:
    """A finding's text, the exhibit (label, slug) that has its figures, and if they are rounded."""

    text: str
    label: str
    slug: str
    rounded: bool = False


@dataclass(frozen=True)
class FindingGroup:
    """The findings of one section, under its title."""

    title: str
    findings: tuple[KeyFinding, ...]


@dataclass(frozen=True)
class KeyFindings:
    """The groups of a pack, the most important first.

    ``notes`` says what is left out, how findings are chosen, and what their limits allow for.
    """

    groups: tuple[FindingGroup, ...]
    notes: tuple[str, ...]


def key_findings(
    sections: Sequence[Section],
    is_shown: Callable[[Exhibit], bool],
    rows: Mapping[str, Sequence[Row]],
    place: Place,
    rounded_to: Mapping[str, int],
) -> KeyFindings:
    """Return the most important findings of the exhibits that are shown."""
    exhibits: list[Exhibit] = []
    placed = []
    for number, section in enumerate(sections):
        for exhibit in filter(is_shown, section.exhibits):
            found = findings(
                exhibit.table, rows[exhibit.table], place, rounded_to.get(exhibit.table)
            )
            placed += [Placed(finding, number, len(exhibits)) for finding in found]
            exhibits.append(exhibit)
    chosen = selected(placed)

    def said(one: Placed) -> KeyFinding:
        exhibit = exhibits[one.table]
        rounded = exhibit.table in rounded_to
        return KeyFinding(one.finding.text, exhibit.label, exhibit.slug, rounded)

    groups = tuple(
        FindingGroup(sections[group[0].section].title, tuple(map(said, group)))
        for group in chosen.groups
    )
    labels = [exhibits[table].label for table in sorted({one.table for one in chosen.left_out})]
    notes = (_left_out(len(chosen.left_out), labels), *_notes(bool(rounded_to)))
    return KeyFindings(groups, notes if groups else ())


def _left_out(count: int, labels: Sequence[str]) -> str:
    if not count:
        return "No finding is left out."
    more = "1 less important finding is" if count == 1 else f"{count} less important findings are"
    return f"{more} left out; the figures are in {listed(labels)}."


def _notes(rounded: bool) -> tuple[str, str]:
    """State the rules once for all findings; ``rounded`` says whether any counts are rounded."""
    away, rounding = (", whatever was rounded away", " and rounding") if rounded else ("", "")
    return (
        "The most important come first: what chance does not explain before what it can explain, "
        "and the greater difference before the smaller one.",
        "A rise, a fall or a difference is claimed only where its 95% confidence limits exclude "
        f"none{away}. The limits allow for chance{rounding}, not for how crimes are recorded or "
        "who answers a survey.",
    )
