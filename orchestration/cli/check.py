"""``csp check``: checks a delivery before it is handed over; prints what is wrong by rule."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path

from rich.console import Console

from orchestration.cli.console import styled
from orchestration.cli.exit_codes import ExitCode
from orchestration.cli.json_output import BrokenRule, CheckOutput, Place, print_json
from orchestration.cli.tables import print_facts
from orchestration.config.settings import Settings
from orchestration.errors import LandingError
from orchestration.ingest.checking.contract import Contract, contract_of
from orchestration.ingest.checking.delivery_check import (
    check,
    configured_contract,
    source_of_columns,
)
from orchestration.ingest.checking.remedies import SEVERITIES
from orchestration.ingest.checking.supplier_report import (
    RuleGroup,
    grouped,
    report_rows,
    summary,
    write_report,
)
from orchestration.ingest.loading.outcomes import Outcome

_SHOWN = 20
"""Most groups that are printed; the report has every row."""

_STYLES = dict(zip(SEVERITIES.values(), ("bold red", "red", "yellow"), strict=True))


def check_files(
    settings: Settings,
    source: str,
    paths: Sequence[Path],
    report: Path,
    console: Console,
    *,
    as_json: bool = False,
) -> ExitCode:
    """Check a delivery, print what is wrong by rule and write its report; return the exit code.

    Writes ``<source>-error-report.csv`` and ``.xlsx`` into ``report`` where anything is wrong.
    Raises :class:`LandingError` for an unknown source, and for an unusable file or folder.
    """
    contract = configured_contract(settings, contract_of(source))
    outcome = check(settings, contract, paths)
    try:
        written = write_faults(contract, outcome, report, f"{source}-error-report")
    except OSError as error:
        raise LandingError(
            f"The report cannot be written to {report} ({error.strerror}). "
            "Name another folder with --report."
        ) from error
    if as_json:
        print_json(_output(contract, outcome, written))
    else:
        print_outcome(contract, outcome, written, console)
        print_other_source(contract, outcome, paths, console)
    return ExitCode.REFUSED_DELIVERY if outcome.state == "refused" else ExitCode.DONE


def _output(contract: Contract, outcome: Outcome, written: Sequence[Path]) -> CheckOutput:
    return CheckOutput(
        source=contract.source,
        outcome=outcome.state,
        rows_delivered=outcome.rows_delivered,
        rows_loaded=outcome.rows_loaded,
        rows_refused=outcome.rows_refused,
        rules=[
            BrokenRule.model_validate(
                asdict(group)
                | {
                    "places": [
                        dict(zip(Place.model_fields, one, strict=True)) for one in group.places
                    ]
                }
            )
            for group in grouped(report_rows(contract, outcome))
        ],
        reports=[str(path) for path in written],
    )


def write_faults(contract: Contract, outcome: Outcome, folder: Path, name: str) -> list[Path]:
    """Write the report of a delivery in which anything is wrong; return the paths.

    Raises OSError where it cannot be written.
    """
    if not (outcome.faults or outcome.warnings):
        return []
    return write_report(folder, name, contract, outcome)


def print_outcome(
    contract: Contract, outcome: Outcome, written: Sequence[Path], console: Console
) -> None:
    """Print a delivery's faults, a block for each rule, the report's paths and a summary."""
    groups = grouped(report_rows(contract, outcome))
    for group in groups[:_SHOWN]:
        _print_group(group, console)
    if len(groups) > _SHOWN:
        console.print(f"... and {len(groups) - _SHOWN:,} more rules in the report.")
    if written:
        console.print(
            f"Report, with every row: {', '.join(str(path) for path in written)}", soft_wrap=True
        )
    console.print(
        summary(outcome, checked=True), style="bold red" if outcome.state == "refused" else "bold"
    )


def print_other_source(
    contract: Contract, outcome: Outcome, paths: Iterable[Path], console: Console
) -> None:
    """Say that a refused delivery has the columns of another source, where it has."""
    if outcome.state == "refused" and (other := source_of_columns(contract, paths)):
        console.print(
            styled(
                "[bold]The columns are those of {}, not of {}.[/] Name that source instead.",
                other,
                contract.source,
            )
        )


def _print_group(group: RuleGroup, console: Console) -> None:
    heading = styled(
        "{}: {} [{}]{}", group.severity, group.rule, group.code, _columns(group.columns)
    )
    heading.stylize(_STYLES[group.severity], 0, len(group.severity))
    is_whole = group.severity == SEVERITIES["submission"]
    if group.count > 1 and not is_whole:
        in_rows = any(line is not None for _, _, line in group.places)
        heading.append(f": {group.count:,} {'rows' if in_rows else 'times'}")
    console.print(heading)
    facts = []
    if where := _places(group):
        is_more = group.count > len(group.places) and not is_whole
        facts.append(("First of them" if is_more else "Where", where))
    found = f" Found: {group.value!r}." if group.value is not None else ""
    facts.append(("Example" if group.count > 1 else "What is wrong", f"{group.message}{found}"))
    facts.append(("How to fix it", group.remedy))
    print_facts(facts, console, indent=2)


def _columns(columns: Sequence[str]) -> str:
    names = ", ".join(f"'{one}'" for one in columns)
    if not names:
        return ""
    return f", column {names}" if len(columns) == 1 else f", columns {names}"


def _places(group: RuleGroup) -> str:
    """Return the first places of a group, the rows of a file and sheet together."""
    by_file: dict[str, list[str]] = {}
    for file, sheet, line in group.places:
        name = ", ".join(part for part in (file, f"sheet '{sheet}'" if sheet else None) if part)
        by_file.setdefault(name, []).extend([str(line)] if line is not None else [])
    said = []
    for name, lines in by_file.items():
        rows = f"{'row' if len(lines) == 1 else 'rows'} {', '.join(lines)}" if lines else ""
        said.append(", ".join(part for part in (name, rows) if part))
    return "; ".join(said)
