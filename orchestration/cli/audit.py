"""``csp audit``: which numbers of the printed assessment are reproduced, and which are misprints.

Reads ``reports.reconciliation`` and ``reports.reconciliation_findings``, which the refresh builds
and checks. Computes nothing itself.
"""

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb
import yaml
from rich.console import Console

from orchestration.cli.console import styled
from orchestration.cli.exit_codes import ExitCode
from orchestration.cli.tables import ShownTable, print_table
from orchestration.config.quarters import quarter_label
from orchestration.config.settings import Settings
from orchestration.errors import CspError
from orchestration.transform.dbt_runner import project_settings
from orchestration.warehouse.connection import connect

BEGIN, END = "<!-- audit: begin -->", "<!-- audit: end -->"
_REVISED = "revised since printed"
_VERDICTS = (
    "reproduced", "misprint", "cannot be derived", _REVISED, "not checked", "unexplained",
)  # fmt: skip
_ANSWERS = (
    "computed", "hidden", "shown otherwise", "not answerable", _REVISED, "not checked", "nothing",
)  # fmt: skip
_FIGURES = """
select
    as_at,
    figure_id,
    place,
    area,
    dimension,
    measure,
    period,
    printed_value,
    computed_value,
    true_value,
    verdict,
    reason,
    inconsistency_ids,
    regenerated_by,
    deliveries,
    agreed,
    fault
from reports.reconciliation
order by source_line, figure_id
"""
_FINDINGS = """
select
    inconsistency_id,
    location,
    claim,
    printed,
    verdict,
    answered_by,
    answer,
    agreed,
    fault
from reports.reconciliation_findings
order by inconsistency_id
"""
_CSV_COLUMNS = (
    "figure_id", "place", "area", "dimension", "measure", "period", "printed_value",
    "computed_value", "verdict", "reason", "inconsistency_ids", "regenerated_by", "deliveries",
    "agreed",
)  # fmt: skip


class AuditError(CspError):
    """The warehouse holds no audit, or it cannot be written where it was asked for."""


@dataclass(frozen=True)
class Figure:
    """A printed number and what the warehouse makes of it; the columns of the reconciliation."""

    as_at: date
    figure_id: str
    place: str
    area: str
    dimension: str | None
    measure: str
    period: str
    printed_value: str
    computed_value: str | None
    true_value: float | None
    verdict: str
    reason: str | None
    inconsistency_ids: str | None
    regenerated_by: str | None
    deliveries: str | None
    agreed: bool
    fault: str | None


@dataclass(frozen=True)
class Finding:
    """An inconsistency of the printed assessment and the warehouse's answer to it."""

    inconsistency_id: int
    location: str
    claim: str
    printed: str
    verdict: str
    answered_by: str
    answer: str | None
    agreed: bool
    fault: str | None


@dataclass(frozen=True)
class Audit:
    """The audit of one refresh."""

    figures: list[Figure]
    findings: list[Finding]

    def having(self, verdict: str) -> list[Figure]:
        """Return the printed numbers of a verdict, in the order of the page."""
        return [figure for figure in self.figures if figure.verdict == verdict]

    @property
    def faults(self) -> list[str]:
        """Messages about unexplained numbers and about answers that no longer hold."""
        judged: list[Figure | Finding] = [*self.figures, *self.findings]
        return [one.fault or "" for one in judged if not one.agreed]

    @property
    def headline(self) -> str:
        """How many numbers were checked, and how many of them were reproduced, in a sentence."""
        reproduced = len(self.having("reproduced"))
        missing = len(self.having("cannot be derived"))
        unchecked = len(self.having("not checked"))
        derivable = len(self.figures) - missing - unchecked
        if not derivable:
            return f"{unchecked:,} printed numbers, none of them checked."
        share = f"{100 * reproduced / derivable:.1f} %"
        said = (
            f"{len(self.figures) - unchecked:,} printed numbers checked: {reproduced:,} of the "
            f"{derivable:,} that can be derived are reproduced ({share}), "
            f"{len(self.having('misprint')):,} are misprints, {missing:,} cannot be derived."
        )
        if revised := len(self.having(_REVISED)):
            said += f" {revised:,} were revised since."
        return said + (f" {unchecked:,} were not checked." if unchecked else "")


def read_audit(settings: Settings) -> Audit:
    """Read the audit that the last refresh left in the warehouse.

    Raises :class:`AuditError` where there is none, and what :func:`connect` raises.
    """
    with connect(settings, read_only=True) as connection:
        try:
            figures = connection.execute(_FIGURES).fetchall()
            findings = connection.execute(_FINDINGS).fetchall()
        except (duckdb.CatalogException, duckdb.BinderException) as error:
            raise AuditError(
                "The warehouse holds no audit of the printed assessment yet. Run `csp refresh`."
            ) from error
    return Audit([Figure(*row) for row in figures], [Finding(*row) for row in findings])


# --- at the terminal -------------------------------------------------------------------------


def show_audit(
    settings: Settings, *, misprints: bool, findings: bool, console: Console
) -> ExitCode:
    """Print the audit's summary; with ``misprints`` and ``findings`` each of them as well.

    Returns the exit code: that of a failed check where a number is neither reproduced nor
    explained, or an answer to an inconsistency no longer holds.
    """
    audit = read_audit(settings)
    if audit.figures:
        as_at = audit.figures[0].as_at
        console.print(f"The printed assessment against {quarter_label(as_at)} ({as_at})")
        if as_at != (audited := audited_quarter()):
            console.print(_how_to_audit(len(audit.figures), as_at, audited))
            return ExitCode.DONE
    print_table(_counts("Printed numbers", "Place", _by_place(audit), _VERDICTS), console)
    console.print(audit.headline)
    for verdict in ("cannot be derived", _REVISED, "not checked"):
        for reason, count in _reasons(audit.having(verdict)):
            console.print(f"  {verdict}, {count:,}: {reason}")
    print_table(_counts("Inconsistencies", "Kind", _by_kind(audit), _ANSWERS), console)
    if misprints:
        print_table(_misprint_table(audit), console)
    if findings:
        print_table(_finding_table(audit), console)
    faults = audit.faults
    if faults:
        console.print(styled("[bold red]{:,} not explained:[/]", len(faults)))
        for fault in faults:
            console.print(f"  {fault}")
    return ExitCode.FAILED_CHECK if faults else ExitCode.DONE


def audited_quarter() -> date:
    """Return the quarter of the printed assessment, as the dbt project says it."""
    given = yaml.safe_load(project_settings())["vars"]["csp_warehouse"]["audited_quarter"]
    return date.fromisoformat(given)


def _how_to_audit(numbers: int, as_at: date, audited: date) -> str:
    """Return why nothing is checked where the warehouse holds another quarter, and what to do."""
    return (
        f"None of the {numbers:,} printed numbers is checked: the assessment is of "
        f"{quarter_label(audited)} ({audited}), and the warehouse holds the tables of "
        f"{quarter_label(as_at)} ({as_at}). Run `csp refresh {audited}` and `csp audit` again. "
        "Refreshing an older quarter never replaces the current release; "
        f"`csp refresh {as_at}` brings back the tables of {quarter_label(as_at)}."
    )


def _by_place(audit: Audit) -> list[tuple[str, str]]:
    return [(figure.place, figure.verdict) for figure in audit.figures]


def _by_kind(audit: Audit) -> list[tuple[str, str]]:
    return [(finding.verdict, finding.answered_by) for finding in audit.findings]


def _tallied(
    pairs: Sequence[tuple[str, str]], columns: Iterable[str]
) -> tuple[list[str], list[tuple[str, list[int]]]]:
    """Count pairs of row and column: the columns that occur, and the rows with their counts."""
    shown = [column for column in columns if any(found == column for _, found in pairs)]
    rows = [
        (row, [pairs.count((row, column)) for column in shown])
        for row in sorted({row for row, _ in pairs})
    ]
    total = [sum(found == column for _, found in pairs) for column in shown]
    return shown, [*rows, ("All", total)]


def _counts(
    title: str, first: str, pairs: list[tuple[str, str]], columns: Iterable[str]
) -> ShownTable:
    shown, rows = _tallied(pairs, columns)
    table = ShownTable((first, *shown), title)
    for name, counts in rows:
        table.add(name, *counts)
    return table


def _reasons(figures: Iterable[Figure]) -> list[tuple[str, int]]:
    reasons = [figure.reason or "" for figure in figures]
    return [(reason, reasons.count(reason)) for reason in dict.fromkeys(reasons)]


def _misprint_table(audit: Audit) -> ShownTable:
    table = ShownTable(("Number", "Printed", "True", "Why", "Finding"), "Misprints")
    for figure in audit.having("misprint"):
        table.add(
            figure.figure_id,
            figure.printed_value,
            figure.computed_value or "",
            figure.reason or "",
            figure.inconsistency_ids or "",
        )
    return table


def _finding_table(audit: Audit) -> ShownTable:
    table = ShownTable(("No.", "Where", "What", "Kind", "Answered by", "Answer"), "Inconsistencies")
    for one in audit.findings:
        table.add(
            one.inconsistency_id,
            one.location,
            one.claim,
            one.verdict,
            one.answered_by,
            one.answer or "",
        )
    return table


# --- in files --------------------------------------------------------------------------------


def write_csv(settings: Settings, path: Path) -> int:
    """Write the reconciliation to a CSV file, a printed number a row; return how many rows.

    Raises :class:`AuditError` where the file cannot be written.
    """
    audit = read_audit(settings)
    try:
        with path.open("w", encoding="utf-8", newline="") as handle:
            writer = csv.writer(handle, lineterminator="\n")
            writer.writerow(_CSV_COLUMNS)
            for figure in audit.figures:
                writer.writerow(getattr(figure, column) for column in _CSV_COLUMNS)
    except OSError as error:
        raise AuditError(f"{path} cannot be written: {error.strerror}.") from error
    return len(audit.figures)


def audit_markdown(audit: Audit) -> str:
    """Return the summary and the list of misprints as Markdown, the same for the same audit."""
    shown, rows = _tallied(_by_place(audit), _VERDICTS)
    answers, kinds = _tallied(_by_kind(audit), _ANSWERS)
    misprints = [
        [
            f"`{figure.figure_id}`",
            figure.printed_value,
            figure.computed_value or "",
            figure.reason or "",
            figure.inconsistency_ids or "",
        ]
        for figure in audit.having("misprint")
    ]
    reasons = [
        f"- {reason} ({count:,})" for reason, count in _reasons(audit.having("cannot be derived"))
    ]
    return "\n".join(
        [
            audit.headline,
            "",
            *_markdown_table(["place", *shown], _written(rows)),
            "",
            "## Inconsistencies",
            "",
            *_markdown_table(["kind", *answers], _written(kinds)),
            "",
            "## Misprints",
            "",
            *_markdown_table(["number", "printed", "true", "why", "finding"], misprints),
            "",
            "## Not to be derived",
            "",
            *reasons,
        ]
    )


def _written(rows: Iterable[tuple[str, list[int]]]) -> list[list[str]]:
    return [[name, *(f"{count:,}" for count in counts)] for name, counts in rows]


def _markdown_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    cells = [header, ["---"] * len(header), *rows]
    return [f"| {' | '.join(cell.replace('|', '/') for cell in row)} |" for row in cells]


def write_markdown(settings: Settings, path: Path) -> None:
    """Write the audit into a Markdown file, between its two marks; the rest of it stays.

    Raises :class:`AuditError` where the file or its marks are missing.
    """
    try:
        text = path.read_text(encoding="utf-8")
        before, _, rest = text.partition(BEGIN)
        _, found, after = rest.partition(END)
        if not found:
            raise AuditError(f"{path} has no place for the audit: {BEGIN} and {END} on two lines.")
        made = audit_markdown(read_audit(settings))
        path.write_text(f"{before}{BEGIN}\n{made}\n{END}{after}", encoding="utf-8")
    except OSError as error:
        raise AuditError(f"{path} cannot be written: {error.strerror}.") from error
