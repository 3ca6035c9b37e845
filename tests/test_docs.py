"""The documents that readers of the database follow: what they show works."""

import re
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
import yaml
from pydantic import ByteSize
from typer.core import TyperGroup
from typer.main import get_command

from orchestration.cli.app import app
from orchestration.config.settings import PROJECT, Settings
from tests.bench.readers import example_queries
from tests.support import Ground

BI = PROJECT / "docs" / "bi"
QUERIES = list(example_queries().items())
PAGES = [
    *(
        PROJECT / name
        for name in ("README.md", "CONTRIBUTING.md", "bi/README.md", "deploy/README.md")
    ),
    *(PROJECT / "docs").rglob("*.md"),
]


@pytest.mark.parametrize(("question", "query"), QUERIES, ids=[title for title, _ in QUERIES])
def test_example_query_runs_on_the_published_file(sample: Ground, question: str, query: str):
    with duckdb.connect(sample.settings.published / "csp.duckdb", read_only=True) as connection:
        rows = connection.execute(query).fetchall()
    # The sample's first release has every month, none before it to have changed since, and no stop
    # and search yet.
    assert rows or question.startswith(("16.", "49.", "50.", "83.", "84."))


def test_every_question_has_its_query():
    headings = re.findall(r"^### (\d+)\.", (BI / "queries.md").read_text(), re.M)
    assert [int(number) for number in headings] == list(range(1, len(QUERIES) + 1))


def test_method_page_states_the_parameters_of_the_control_limits():
    text = " ".join((PROJECT / "docs/method.md").read_text().split())
    project = yaml.safe_load((PROJECT / "dbt_project/dbt_project.yml").read_text())
    given = project["vars"]["csp_warehouse"]
    for words in (
        f"fewer than {given['xmr_min_points']} points has no limits",
        f"{given['xmr_run_length']} points in a row on one side",
        f"the first {given['xmr_restart_points']} points of a segment",
        f"a run of {given['xmr_restart_run_length']} or more points",
        f"at least {given['xmr_restart_points']} points follow",
    ):
        assert words in text


def test_links_between_documents_lead_somewhere():
    for page in PAGES:
        for target in re.findall(r"\]\((?!http|#|mailto)([^)#]+)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_files_that_are_named_exist():
    for page in PAGES:
        for named in re.findall(
            r"`((?:orchestration|dbt_project|tests|docs|deploy)/[^`\s<…]+)`", page.read_text()
        ):
            assert any(PROJECT.glob(named.rstrip("/"))), f"{page.name} names {named}"


def test_settings_page_lists_every_setting_with_its_default():
    page = (PROJECT / "docs/settings.md").read_text()
    rows = dict(re.findall(r"^\| (`CSP_[^|]*) \| ([^|]*) \|", page, re.M))
    listed = {name: default for names, default in rows.items() for name in names.split(", ")}
    defaults = {
        f"`CSP_{name.upper()}`": field.default for name, field in Settings.model_fields.items()
    }
    assert set(listed) == set(defaults)
    for name, default in defaults.items():
        if isinstance(default, Path):
            default = default.relative_to(PROJECT)
        elif isinstance(default, ByteSize):
            default = default.human_readable().replace(".0", "")
        assert listed[name] in (f"`{default}`", "unset"), name
        assert (listed[name] == "unset") == (default is None or "_SMTP_" in name), name


def test_commands_page_describes_every_command():
    page = (PROJECT / "docs/commands.md").read_text()
    command = get_command(app)
    assert isinstance(command, TyperGroup)
    assert set(re.findall(r"`csp ([a-z-]+)", page)) == set(command.commands)


def test_make_targets_that_are_named_exist():
    named = {
        target
        for path in [*PAGES, *PROJECT.glob(".github/workflows/*.yml"), PROJECT / ".ci/run"]
        for target in re.findall(
            r"(?:`|run: |^)make ([a-z0-9-]+)(?=`|  |$| [A-Z]+=)", path.read_text(), re.M
        )
    }
    targets = set(re.findall(r"^([a-z0-9-]+):.*##", (PROJECT / "Makefile").read_text(), re.M))
    assert len(named) > 8
    assert named <= targets, named - targets


def test_open_connection_keeps_its_release(sample: Ground, tmp_path):
    """What the pages say of an open connection: it continues to read the release that it opened."""
    current = tmp_path / "csp.duckdb"
    current.write_bytes((sample.settings.published / "csp.duckdb").read_bytes())
    newer = tmp_path / "newer" / "csp.duckdb"
    newer.parent.mkdir()
    newer.write_bytes(current.read_bytes())
    with duckdb.connect(newer) as connection:
        connection.execute("update main.release set product_version = 'newer'")
    question = "select product_version from main.release"
    with duckdb.connect(current, read_only=True) as first:
        before = first.execute(question).fetchall()
        newer.replace(current)
        assert first.execute(question).fetchall() == before
        with duckdb.connect(current, read_only=True) as second:
            assert second.execute(question).fetchall() == before
    with duckdb.connect(current, read_only=True) as connection:
        assert connection.execute(question).fetchall() == [("newer",)]


@pytest.mark.slow
@pytest.mark.campaign
def test_first_hour_works_as_it_is_written(tmp_path: Path):
    """Every command of the page in order, in folders of its own; all but the set-up."""
    page = (PROJECT / "docs/first-hour.md").read_text()
    blocks = re.findall(r"```sh\n(.*?)```", page, re.S)
    script = "\n".join(blocks).replace("make setup\n", "").replace("/tmp/", f"{tmp_path}/")
    script = script.replace("$PWD/.venv/bin", str(Path(sys.executable).parent))
    script = re.sub(r"^(.*)\n# ends with code (\d)$", r"\1 || test $? -eq \2", script, flags=re.M)
    done = subprocess.run(
        ["bash", "-e", "-o", "pipefail", "-c", script], cwd=PROJECT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr
    said = " ".join(done.stdout.split())
    for words in ("Rows refused", "What changed beside the build", "[rule:", "crime_monthly"):
        assert words in said
