"""``csp new-source``: what it writes works at once, and a source needs nothing else edited.

Everything happens in a scratch copy of the project, which its own ``csp`` runs.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

import duckdb
import pytest

from orchestration.config.settings import PROJECT
from orchestration.ingest.checking.contract import load_contracts

COPIED = ("orchestration", "dbt_project", "raw", "tests", "pyproject.toml", ".sqlfluff")
NAME = "ambulance_incidents"
FOLDER = f"orchestration/ingest/sources/{NAME}"
MART = f"dbt_project/models/marts/community/{NAME}"
REPORT = "dbt_project/models/reports/table_9_ambulance_incidents"

MART_SQL = """\
-- Ambulance incidents by quarter and district; districts without a record had none.

with incidents as (

    select
        date_trunc('quarter', month)::date as period_start,
        district_code,
        delivery
    from {{ ref('stg_ambulance_incidents__records') }}

),

quarters as (

    select
        period_start,
        any_value(delivery) as delivery
    from incidents
    group by period_start

),

districts as (

    select
        area_code,
        area_name,
        csp
    from {{ ref('int_areas__listed') }}
    where area_type = 'district'

)

select
    quarters.period_start,
    districts.area_code,
    districts.area_name,
    districts.csp,
    count(incidents.district_code) as people,
    null::varchar as status,
    quarters.delivery as deliveries
from quarters
cross join districts
left join incidents
    on
        quarters.period_start = incidents.period_start
        and districts.area_code = incidents.district_code
group by all
"""
COLUMNS = """\
    columns:
      - {name: period_start, description: First day of the quarter., data_type: date}
      - {name: area_code, description: GSS code of the district., data_type: varchar}
      - {name: area_name, description: Name of the district., data_type: varchar}
      - {name: csp, description: Partnership that the district is of., data_type: varchar}
      - {name: people, description: "Incidents. Unit: people.", data_type: bigint}
      - {name: status, description: Marker of a figure that is not shown., data_type: varchar}
      - {name: deliveries, description: Deliveries behind the row., data_type: varchar}
"""
MART_YML = f"""\
version: 2

models:
  - name: {NAME}
    description: "Ambulance incidents. Grain and key: period_start x area_code."
    config:
      meta:
        csp: {{publish: false, counts: people, key: [period_start, area_code]}}
    data_tests:
      - unique_combination_of_columns:
          arguments: {{combination_of_columns: [period_start, area_code]}}
{COLUMNS}"""
REPORT_SQL = f"""\
-- Table 9: ambulance incidents by quarter and district.

select
    period_start,
    area_code,
    area_name,
    csp,
    people,
    status,
    deliveries
from {{{{ ref('{NAME}') }}}}
"""
REPORT_YML = f"""\
version: 2

models:
  - name: table_9_{NAME}
    description: "Table 9: ambulance incidents. Grain and key: period_start x area_code."
    config:
      meta:
        csp:
          publish: true
          counts: people
          title: "Table 9: Ambulance incidents"
          data_up_to:
            period_end: "period_start + interval 3 month - interval 1 day"
            measure: people
          key: [period_start, area_code]
          disclosure:
            counts:
              - {{column: people, cell: "ambulance incidents {{period_start}} {{area_code}}"}}
          report:
            section: numbers
            position: 3
            label: Table 9
            subject: Ambulance incidents
            latest: period_start
            columns:
              - {{column: area_name, heading: Area}}
              - {{column: people, heading: People, form: count}}
              - {{column: status, heading: Marker}}
    data_tests:
      - unique_combination_of_columns:
          arguments: {{combination_of_columns: [period_start, area_code]}}
{COLUMNS}"""


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the project to change."""
    return copied(tmp_path / "project")


@pytest.fixture(scope="module")
def unchanged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project that no test may change."""
    return copied(tmp_path_factory.mktemp("unchanged") / "project")


def copied(target: Path) -> Path:
    """Copy the project to ``target``."""
    target.mkdir()
    for name in COPIED:
        source = PROJECT / name
        if source.is_dir():
            shutil.copytree(
                source, target / name, ignore=shutil.ignore_patterns("__pycache__", "node_modules")
            )
        else:
            shutil.copy(source, target)
    return target


def run(project: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Run a module of the copy's own code in the copy."""
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("CSP_")},
        "PYTHONPATH": str(project),
        "CSP_HOME": str(project / "var"),
        "PYTHONDONTWRITEBYTECODE": "1",
        "COLUMNS": "200",
        **more,
    }
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-m", *arguments],
        cwd=project, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip


def done(project: Path, *arguments: str) -> str:
    """Run a module that must end well; return what it printed."""
    ended = run(project, *arguments)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def contents(project: Path) -> Mapping[str, str]:
    """Return the checksum of every file that belongs to the project."""
    return {
        str(path.relative_to(project)): sha256(path.read_bytes()).hexdigest()
        for name in COPIED
        for path in (
            [project / name] if (project / name).is_file() else (project / name).rglob("*")
        )
        if path.is_file() and "__pycache__" not in path.parts
    }


@pytest.mark.parametrize(
    "options",
    [
        ["--reader", "--counts", "places"],
        pytest.param([], marks=pytest.mark.slow),
        pytest.param(["--counts", "offences"], marks=pytest.mark.slow),
        pytest.param(["--reader"], marks=pytest.mark.slow),
    ],
)
def test_what_is_written_is_a_source_at_once(options: list[str], copy: Path) -> None:
    done(copy, "orchestration.cli", "new-source", "ice_rinks", *options)
    folder = copy / "orchestration" / "ingest" / "sources" / "ice_rinks"
    assert (folder / "reader.py").is_file() is ("--reader" in options)
    agreeing = f"{len(load_contracts()) + 1} sources agree"
    assert agreeing in done(copy, "orchestration.cli", "contracts", "--check")
    (sample,) = (copy / "raw" / "ice_rinks" / "2018-10-01").glob("ice-rinks*")
    assert "all 150 rows" in done(
        copy, "orchestration.cli", "check", "ice_rinks", str(sample), "--report", str(copy)
    )
    for arguments in (["check"], ["format", "--check"]):
        done(copy, "ruff", *arguments, "--no-cache", str(folder))


@pytest.mark.parametrize("name", ["Ambulance", "2nd", "a__b", "../etc", "", "x" * 41])
def test_a_name_that_cannot_be_used_is_refused(name: str, unchanged: Path) -> None:
    before = contents(unchanged)
    ended = run(unchanged, "orchestration.cli", "new-source", name)
    assert ended.returncode == 1
    assert "such as ambulance_incidents" in " ".join(ended.stderr.split())
    assert contents(unchanged) == before


def test_a_source_that_exists_is_not_overwritten(unchanged: Path) -> None:
    before = contents(unchanged)
    ended = run(unchanged, "orchestration.cli", "new-source", "iom_cohort")
    assert ended.returncode == 1
    assert "exists already" in " ".join(ended.stderr.split())
    assert contents(unchanged) == before


@pytest.mark.slow
@pytest.mark.campaign
def test_a_source_with_a_mart_and_a_report_table_edits_no_file(copy: Path) -> None:
    before = contents(copy)
    done(copy, "orchestration.cli", "new-source", NAME)
    scaffolded = contents(copy).keys() - before.keys()
    written = {
        f"{MART}.sql": MART_SQL,
        f"{MART}.yml": MART_YML,
        f"{REPORT}.sql": REPORT_SQL,
        f"{REPORT}.yml": REPORT_YML,
    }
    for name, text in written.items():
        (copy / name).write_text(text)
    done(copy, "orchestration.cli", "refresh", "2018-10-01")

    after = contents(copy)
    assert {name for name in before if before[name] != after.get(name)} == set(), (
        "nothing is edited"
    )
    assert after.keys() - before.keys() - scaffolded == written.keys()
    assert {name for name in scaffolded if not name.startswith((FOLDER, f"raw/{NAME}"))} == set()

    published = copy / "var" / "published" / "csp.duckdb"
    with duckdb.connect(published, read_only=True) as connection:
        shown = connection.execute(
            f"select area_name, people, status from reports.table_9_{NAME} order by all"
        ).fetchall()
        sources = connection.execute("select source from main.sources").fetchall()
    assert len(shown) == 6
    assert sum(people or 0 for _, people, _ in shown) <= 150
    assert (NAME,) in sources
    exported = copy / "var" / "exports" / "2018-10-01" / "fenland"
    assert (exported / "tables" / f"table_9_{NAME}.csv").is_file()
    page = (exported / "pack.html").read_text(encoding="utf-8")
    (heading,) = re.findall(rf'<h3 id="table_9_{NAME}">(.*?)</h3>', page)
    assert heading == "Table 9: Ambulance incidents"
    assert '<th scope="col">People</th>' in page[page.index(f'id="table_9_{NAME}"') :][:600]


@pytest.mark.slow
@pytest.mark.parametrize("options", [[], ["--reader", "--counts", "offences"]])
def test_the_checks_and_the_corpus_hold_for_a_new_source(options: list[str], copy: Path) -> None:
    done(copy, "orchestration.cli", "new-source", NAME, *options)
    done(copy, "ruff", "check", "--no-cache", ".")
    done(copy, "mypy", FOLDER)
    done(
        copy, "pytest", "-p", "no:cacheprovider", "-m", "slow or not slow",
        "tests/test_corpus.py", "tests/test_sample.py",
        "-k", f"{NAME} or good_delivery or sample_written_again",
    )  # fmt: skip
