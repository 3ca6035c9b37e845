"""What commands print at 80 and 120 columns and in a pipe: whole values, no line too long."""

from collections.abc import Callable
from datetime import date
from io import StringIO

import pytest
from rich.console import Console

from orchestration.cli.audit import audited_quarter, show_audit
from orchestration.cli.console import new_console
from orchestration.cli.history import show_history
from orchestration.cli.releases import show_releases
from orchestration.cli.sources import show_sources
from orchestration.cli.sql import ask
from orchestration.cli.status import show_status
from orchestration.cli.trace import show_trace
from orchestration.config.settings import Settings
from orchestration.releases.release_registry import list_releases
from tests.support import Ground

QUERY = "select * from marts.crime_monthly where month = '2018-04-01' order by all limit 3"
KEY = ["month=2018-04-01", "area_code=E07000010", "crime_type=Shoplifting"]
Show = Callable[[Settings, Console], object]
COMMANDS: dict[str, Show] = {
    "history": lambda settings, console: show_history(settings, "police_uk_street", None, console),
    "releases": show_releases,
    "sources": show_sources,
    "sql": lambda settings, console: ask(
        settings, QUERY, published=False, as_csv=False, console=console
    ),
    "status": lambda settings, console: show_status(settings, console, date(2018, 8, 1)),
    "trace": lambda settings, console: show_trace(settings, "crime_monthly", KEY, None, console),
    "audit": lambda settings, console: show_audit(
        settings, misprints=True, findings=True, console=console
    ),
}
OWN_LINES = ("/", "sha256", "Report")
"""Parts of lines that are never wrapped, so that a path can be copied."""


def printed(show: Show, settings: Settings, width: int | None) -> str:
    said = StringIO()
    show(settings, new_console(file=said, width=width))
    return said.getvalue()


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("command", COMMANDS)
def test_no_line_is_longer_than_the_terminal(sample: Ground, command: str, width: int) -> None:
    said = printed(COMMANDS[command], sample.settings, width)
    for line in said.splitlines():
        assert len(line) <= width or any(part in line for part in OWN_LINES), line
    assert "…" not in said


@pytest.mark.parametrize("command", COMMANDS)
def test_a_pipe_gets_the_same_words_whole(sample: Ground, command: str) -> None:
    """What a terminal shows is in the pipe as well, unwrapped; tables are the same rows."""
    piped = printed(COMMANDS[command], sample.settings, None)
    assert "…" not in piped and not any("  --- " in line for line in piped.splitlines())
    words = set(printed(COMMANDS[command], sample.settings, 120).split())
    missing = {word for word in words if word not in piped and word.rstrip(":") not in piped}
    assert {word for word in missing if word.strip("─-")} <= {"of"}


def test_history_in_a_pipe_has_a_line_for_each_version_and_file(sample: Ground) -> None:
    lines = printed(COMMANDS["history"], sample.settings, None).splitlines()
    versions = lines[2 : lines.index("Files")]
    assert len(versions) == len({line[:10] for line in versions}) > 20
    assert all("loaded, synthetic" in line for line in versions)
    assert all(len(line.split()[-1]) == 64 for line in lines[lines.index("Files") + 2 :][:5])


def test_releases_name_each_build_whole(sample: Ground) -> None:
    (release,) = list_releases(sample.settings.published)
    for width in (80, 120, None):
        assert release.build in printed(COMMANDS["releases"], sample.settings, width)


def test_numbers_of_a_query_are_rounded_and_those_of_csv_exact(
    sample: Ground, capsys: pytest.CaptureFixture[str]
) -> None:
    query = "select 1234567.891 as rate, 2018 as year, 1234567 as rows"

    def said(as_csv: bool) -> str:
        ask(
            sample.settings, query, published=False, as_csv=as_csv,
            console=new_console(width=80),
        )  # fmt: skip
        return capsys.readouterr().out

    assert said(as_csv=False).split()[-3:] == ["1,234,567.89", "2018", "1,234,567"]
    assert said(as_csv=True) == "rate,year,rows\n1234567.891,2018,1234567\n"


def test_a_query_without_rows_says_so(sample: Ground) -> None:
    said = StringIO()
    ask(
        sample.settings, f"{QUERY} offset 99999", published=False, as_csv=False,
        console=new_console(file=said, width=80),
    )  # fmt: skip
    assert "No rows." in said.getvalue()


@pytest.mark.slow
def test_audit_of_another_quarter_names_the_refresh_it_needs(
    quarters: dict[str, object], sample: Ground
) -> None:
    settings = Settings(home=str(quarters["2018-10-01"]), raw=sample.settings.raw)
    said = printed(COMMANDS["audit"], settings, None)
    assert f"Run `csp refresh {audited_quarter()}` and `csp audit` again." in said
    assert "`csp refresh 2018-10-01` brings back the tables of Q3 2018/19." in said
