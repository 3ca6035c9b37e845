"""MetricFlow accepts the metrics file, and answers what is published."""

import csv
import math
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import duckdb
import pytest

from orchestration.config.settings import PROJECT
from tests.support import Ground

MF = PROJECT / ".venv-metricflow" / "bin" / "mf"
PROFILES = PROJECT / "tests" / "metricflow"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not MF.is_file(), reason="needs the environment of `make metricflow` (.venv-metricflow)"
    ),
]


@pytest.fixture(scope="module")
def project(sample: Ground, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the dbt project with what it parses to, as `mf` looks for it."""
    copied = tmp_path_factory.mktemp("metricflow") / "dbt_project"
    ignored = shutil.ignore_patterns("target", "logs")
    shutil.copytree(PROJECT / "dbt_project", copied, ignore=ignored)
    parsed = sample.settings.dbt_state / "target"
    (copied / "target").mkdir()
    for name in ("manifest.json", "semantic_manifest.json"):
        shutil.copy(parsed / name, copied / "target" / name)
    return copied


def metricflow(project: Path, sample: Ground, *arguments: str) -> str:
    done = subprocess.run(
        [str(MF), *arguments],
        cwd=project,
        env={
            "PATH": f"{MF.parent}:{os.environ['PATH']}",
            "HOME": str(project.parent),
            "CSP_PUBLISHED": str(sample.settings.published / "csp.duckdb"),
            "DBT_PROFILES_DIR": str(PROFILES),
            "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
            "DO_NOT_TRACK": "1",
        },
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout + done.stderr


def test_the_file_is_valid_and_its_columns_are_published(project: Path, sample: Ground) -> None:
    said = metricflow(project, sample, "validate-configs", "--show-all")
    assert said.count("ERRORS: 0, FUTURE_ERRORS: 0, WARNINGS: 0") == 6, said


@pytest.mark.parametrize(
    ("metric", "table", "keys"),
    [
        (
            "offence_rate",
            "crime_trends",
            {
                "area_code": "area",
                "period_key": "period",
                "crime_type": "crime",
            },
        ),
        (
            "need_share",
            "need_pathways",
            {
                "area_code": "area",
                "period_key": "period",
                "cohort": "offender_needs__cohort",
                "sex": "offender_needs__sex",
                "offence_group": "offender_needs__offence_group",
                "pathway": "offender_needs__pathway",
            },
        ),
        (
            "dwelling_rate",
            "social_housing_stock",
            {
                "area_code": "area",
                "period_key": "period",
                "tenure": "dwelling_stock__tenure",
            },
        ),
    ],
)
def test_its_answers_are_the_published_figures(
    project: Path, sample: Ground, metric: str, table: str, keys: dict[str, str]
) -> None:
    file = project / f"{metric}.csv"
    groups = ",".join(keys.values())
    metricflow(
        project, sample, "query", "--metrics", metric, "--group-by", groups, "--csv", str(file)
    )
    with file.open(encoding="utf-8", newline="") as opened:
        answered = {
            tuple(row[name] for name in keys.values()): row[metric]
            for row in csv.DictReader(opened)
        }
    published = _published(sample, metric, table, list(keys))
    assert len(published) > 300
    differing = [
        (key, value, answered.get(key))
        for key, value in published.items()
        if not math.isclose(value, float(answered.get(key) or "nan"), rel_tol=1e-6)
    ]
    assert differing == []


def _published(
    sample: Ground, metric: str, table: str, keys: list[str]
) -> dict[tuple[Any, ...], float]:
    with duckdb.connect(sample.settings.published / "csp.duckdb", read_only=True) as connection:
        ((column,),) = connection.execute(
            "select column_name from main.metrics where metric_name = ?", [metric]
        ).fetchall()
        rows = connection.execute(
            f"select {', '.join(keys)}, {column} from marts.{table} where {column} is not null"
        ).fetchall()
    return {row[:-1]: row[-1] for row in rows}
