"""``csp doctor``: checks the installation and says what to do."""

from rich.console import Console
from rich.text import Text

from orchestration.cli.console import styled
from orchestration.cli.exit_codes import ExitCode
from orchestration.cli.health_checks import find_all
from orchestration.cli.json_output import DoctorOutput, Finding, print_json
from orchestration.cli.tables import print_facts
from orchestration.config.settings import Settings

_STYLES = {"in order": "green", "warning": "yellow", "fault": "bold red"}


def show_health(settings: Settings, console: Console, *, as_json: bool = False) -> ExitCode:
    """Print what every check found, and what to do; return the exit code.

    A warning leaves it 0, a fault makes it 1.
    """
    found = find_all(settings)
    if as_json:
        print_json(_health(found))
        return exit_code(found)
    print_facts(((finding.check, _said(finding)) for finding in found), console)
    console.print(_in_short(_health(found)))
    return exit_code(found)


def exit_code(found: list[Finding]) -> ExitCode:
    """Return the exit code of what was found."""
    faulty = any(finding.outcome == "fault" for finding in found)
    return ExitCode.STOPPED if faulty else ExitCode.DONE


def _said(finding: Finding) -> Text:
    """Return the outcome, what was found and what to do."""
    said = Text(f"{finding.outcome}.", style=_STYLES[finding.outcome])
    return said.append(" ".join(["", finding.found, finding.remedy]).rstrip(), style="default")


def _health(found: list[Finding]) -> DoctorOutput:
    outcomes = [finding.outcome for finding in found]
    return DoctorOutput(
        findings=found, faults=outcomes.count("fault"), warnings=outcomes.count("warning")
    )


def _in_short(health: DoctorOutput) -> Text:
    if not health.faults and not health.warnings:
        return styled("[bold green]Everything is in order.[/]")
    return styled("[bold]Faults: {}. Warnings: {}.[/]", health.faults, health.warnings)
