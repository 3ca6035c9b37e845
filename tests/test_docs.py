"""The documents that readers of the database follow: what they show works."""

import re

import duckdb
import pytest
import yaml

from orchestration.bench.readers import example_queries
from orchestration.settings import PROJECT
from tests.support import Ground

BI = PROJECT / "docs" / "bi"
QUERIES = list(example_queries().items())


@pytest.mark.parametrize(("question", "query"), QUERIES, ids=[title for title, _ in QUERIES])
def test_example_query_runs_on_the_published_file(sample: Ground, question: str, query: str):
    with duckdb.connect(sample.settings.published / "csp.duckdb", read_only=True) as connection:
        rows = connection.execute(query).fetchall()
    # The sample's first release has every month, and none before it to have changed since.
    assert rows or question.startswith(("16.", "49.", "50."))


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
    for page in [PROJECT / "README.md", *(PROJECT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\((?!http|#|mailto)([^)#]+)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_open_connection_keeps_its_release(sample: Ground, tmp_path):
    """What the pages say of an open connection: it goes on reading the release that it opened."""
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
