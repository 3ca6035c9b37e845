"""A refused delivery in the Dagster UI: the reason, the rows, the rules and the report to send.

What is shown comes from the supplier's error report, which shows of a source about people only
what is harmless.
"""

import csv
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from orchestration.config.quarters import quarter_label
from orchestration.dagster.markdown import markdown_text
from orchestration.ingest.loading.outcomes import Outcome

_SHOWN_LINES = 20
_SHOWN_NUMBERS = 5
_REFUSING = ("Delivery refused", "Row refused")
_SAME = ("Code", "Rule", "File", "Column", "How to fix it")
"""Columns of the report in which the faults of one line agree."""

_SHOWN = ("File", "Column", "Rows", "Value found", "What is wrong", "How to fix it", "Rule")


def refusal_message(reports: Path, refused: Sequence[Outcome]) -> str:
    """Return why deliveries are refused and what to do, as plain text."""
    said = [f"{_name(one)} is refused. {one.reason or ''}".strip() for one in refused]
    files = [path for one in refused if (path := _report(reports, one)).is_file()]
    send = f" Send the supplier {', '.join(map(str, files))}." if files else ""
    return f"{' '.join(said)}{send} Land a corrected file with `csp land`, and refresh again."


def refusal_summary(refused: Sequence[Outcome]) -> str | None:
    """Return which deliveries are refused, in one sentence; nothing where none is."""
    return f"Refused: {', '.join(map(_name, refused))}." if refused else None


def refusal_markdown(reports: Path, refused: Sequence[Outcome]) -> str:
    """Return reason, rows, rules and report of each refused delivery as Markdown.

    ``reports`` is the folder of the suppliers' error reports.
    """
    return "\n\n".join(_delivery(reports, one) for one in refused)


def _name(outcome: Outcome) -> str:
    quarter = f"{quarter_label(outcome.quarter)} ({outcome.quarter})"
    return f"{outcome.source} of {quarter}, version {outcome.version}"


def _report(reports: Path, outcome: Outcome) -> Path:
    folder = reports / outcome.source / outcome.quarter.isoformat()
    return folder / f"v{outcome.version}.xlsx"


def _delivery(reports: Path, outcome: Outcome) -> str:
    report = _report(reports, outcome)
    parts = [
        f"### Refused: {markdown_text(_name(outcome))}",
        f"**Reason:** {markdown_text(outcome.reason or 'see the report')}",
        *_faults(report.with_suffix(".csv")),
    ]
    if report.is_file():
        parts.append(f"**Report to send to the supplier:** `{report}`")
    parts.append(
        "**What to do:** land the corrected file with "
        f"`csp land {outcome.source} {outcome.quarter} FILE` and refresh again. Nothing of the "
        "delivery is loaded; its previous version, if any, stays in force."
    )
    return "\n\n".join(parts)


def _faults(report: Path) -> list[str]:
    """Return what refuses something in a report as a table: one line for each rule and column."""
    try:
        with report.open(encoding="utf-8-sig", newline="") as file:
            rows = [row for row in csv.DictReader(file) if row["Severity"] in _REFUSING]
    except FileNotFoundError:
        return []
    groups: dict[tuple[str, ...], list[Mapping[str, str]]] = defaultdict(list)
    for row in rows:
        groups[tuple(row[name] for name in _SAME)].append(row)
    lines = [_line(group) for group in list(groups.values())[:_SHOWN_LINES]]
    if not lines:
        return []
    table = [_SHOWN, ["---"] * len(_SHOWN), *lines]
    more = len(groups) - len(lines)
    return [
        "\n".join(f"| {' | '.join(line)} |" for line in table),
        *([f"{more:,} more rules and columns are in the report."] if more else []),
    ]


def _line(group: Sequence[Mapping[str, str]]) -> list[str]:
    """Return the cells of the faults that are of one rule and column."""
    first = group[0]
    numbers = [row["Row"] for row in group if row["Row"]]
    more = len(numbers) - _SHOWN_NUMBERS
    shown = ", ".join(numbers[:_SHOWN_NUMBERS]) + (f" and {more:,} more" if more > 0 else "")
    cells = {**first, "Rows": shown, "Rule": f"{first['Code']} {first['Rule']}"}
    return [markdown_text(cells[name]) for name in _SHOWN]
