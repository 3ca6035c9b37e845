"""Two made-up forces side by side: each has its own figures, and nothing is of another county."""

import re
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from orchestration.config.settings import PROJECT, Settings
from orchestration.warehouse.sql_quoting import qualified
from tests.joins import join_faults
from tests.made_up_forces import AS_AT, BORSETSHIRE, FORCES, LOAMSHIRE, write_zone
from tests.support import Ground, refresh
from tests.test_valid_extracts import check_loaded_whole, check_markers, compare

OF_ONE_COUNTY = re.compile(
    r"cambridge|peterborough|fenland|huntingdon|wisbech|chatteris|whittlesey|\bramsey\b|\bsoham\b"
    r"|littleport|cambourne|northstowe|sawston|\bst\.? ?(?:ives|neots)\b|\bely\b|bedford"
    r"|littlehey|whitemoor|county research group|printed (?:figure|assessment)|other local prisons"
    r"|assessment of july 2018|\bluminus\b|E23000023|E0700000[89]|E0700001[012]|E06000031",
    re.IGNORECASE,
)
"""Names of the county of the sample and of its bodies, and codes of its areas."""


def found_in(text: str) -> list[str]:
    return sorted({match[0] for match in OF_ONE_COUNTY.finditer(text)})


# --- the code base ---------------------------------------------------------------------------

_SAMPLES = re.compile(r"orchestration/ingest/sources/[a-z_]+/sample")
_ABOUT_THE_PRINT = re.compile(
    r"dbt_project/seeds/(?:printed|audit)_|dbt_project/models/intermediate/audit/"
    r"|dbt_project/models/reports/_?(?:_reports_audit|reconciliation)|orchestration/cli/audit.py"
    r"|dbt_project/macros/audit|dbt_project/seeds/_(?:printed_figures|audit_seeds)\.yml"
)
"""The audit compares with one printed assessment, which is of one county."""
_EXCEPTIONS = {
    "orchestration/config/partnerships.toml": "the sample's configuration",
    "orchestration/ingest/checking/known_places.py": "all forces and prisons, and counties",
}


def code_files() -> Iterator[Path]:
    for folder in ("orchestration", "dbt_project"):
        for path in sorted((PROJECT / folder).rglob("*")):
            name = str(path.relative_to(PROJECT))
            if not path.is_file() or "__pycache__" in name or "/target/" in name:
                continue
            if _SAMPLES.match(name) or _ABOUT_THE_PRINT.match(name) or name in _EXCEPTIONS:
                continue
            if path.suffix in (".py", ".sql", ".yml", ".toml", ".csv", ".md", ".j2", ".css"):
                yield path


_CODES = re.compile(r"E23000023|E0700000[89]|E0700001[012]|E06000031", re.IGNORECASE)


def test_no_code_seed_or_contract_is_of_one_county() -> None:
    files = list(code_files())
    assert len(files) > 400
    told = {}
    for path in files:
        # A code may be an example of its form; it is not a name.
        if words := found_in(_CODES.sub("", path.read_text(encoding="utf-8"))):
            told[str(path.relative_to(PROJECT))] = words
    assert told == {}


def test_the_search_sees_what_it_looks_for() -> None:
    sample = (PROJECT / "orchestration/config/partnerships.toml").read_text(encoding="utf-8")
    assert {"Cambridge", "Ely", "Fenland", "E06000031"} <= set(found_in(sample))
    assert found_in("namely, in March, a bed forder") == []


# --- a whole refresh -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[Ground, str]:
    """Both forces refreshed in one installation, and all that was said."""
    folder = tmp_path_factory.mktemp("both")
    write_zone(folder)
    partnerships = folder / "partnerships.toml"
    done = refresh(
        folder / "var", folder / "raw", AS_AT.isoformat(), CSP_PARTNERSHIPS=str(partnerships)
    )
    assert done.returncode == 0, done.stdout + done.stderr
    settings = Settings(home=folder / "var", raw=folder / "raw", partnerships=partnerships)
    return Ground(settings), done.stdout + done.stderr


def texts_of_a_file(path: Path) -> Iterator[tuple[str, str]]:
    """Yield the texts of an exported file, each with its place."""
    if path.suffix in (".docx", ".xlsx"):
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                if name.endswith((".xml", ".rels")):
                    yield f"{path.name}/{name}", archive.read(name).decode("utf-8")
    elif path.suffix == ".parquet":
        rows = duckdb.execute("select * from read_parquet(?)", [str(path)]).fetchall()
        yield path.name, repr(rows)
    elif path.suffix != ".png":
        yield path.name, path.read_text(encoding="utf-8")


def published_texts(database: Path) -> Iterator[tuple[str, str]]:
    """Yield every text of every table of a release, with its table and column, and the comments."""
    with duckdb.connect(str(database), read_only=True) as connection:
        columns = connection.execute(
            "select schema_name, table_name, column_name, coalesce(comment, '') "
            "from duckdb_columns() where not internal order by all"
        ).fetchall()
        for schema, table, column, comment in columns:
            rows = connection.execute(
                f'select distinct "{column}"::varchar from {qualified(schema, table)}'
            ).fetchall()
            texts = [str(value) for (value,) in rows if value is not None]
            yield f"{schema}.{table}.{column}", "\n".join([comment, *texts])
        comments = "select table_name, coalesce(comment, '') from duckdb_tables()"
        yield from connection.execute(comments).fetchall()


@pytest.mark.slow
def test_nothing_that_is_published_is_of_another_county(both: tuple[Ground, str], csp) -> None:
    ground, said = both
    home = ground.settings.home
    exported = [path for path in (home / "exports").rglob("*") if path.is_file()]
    kinds = Counter(path.suffix for path in exported)
    assert {".html", ".docx", ".xlsx", ".csv", ".json", ".svg", ".parquet"} <= kinds.keys()
    texts = [
        ("refresh", said),
        *published_texts(home / "published" / "csp.duckdb"),
        *(text for path in exported for text in texts_of_a_file(path)),
    ]
    status = csp(
        "status",
        CSP_HOME=str(home),
        CSP_RAW=str(ground.settings.raw),
        CSP_PARTNERSHIPS=str(ground.settings.partnerships),
    )
    assert status.returncode == 0, status.stdout + status.stderr
    texts.append(("status", status.stdout + status.stderr))
    assert len(texts) > 500
    assert {place: words for place, text in texts if (words := found_in(text))} == {}
    # What is looked through does speak of the forces that are served.
    assert "Casterbridge" in dict(texts)["pack.html"] or "Ambridge" in dict(texts)["pack.html"]
    assert "Weatherbury" in dict(texts)["reports.table_7_feel_safe.area_name"]


@pytest.mark.slow
def test_every_mart_of_both_forces_is_what_a_second_computation_gives(
    both: tuple[Ground, str],
) -> None:
    ground, said = both
    check_loaded_whole(ground.settings.warehouse)
    compare(ground.settings.raw.parent, ground.settings.warehouse, AS_AT)
    check_markers(ground.settings.warehouse)
    assert "counted nowhere" not in said


@pytest.mark.slow
def test_each_force_has_figures_of_every_source(both: tuple[Ground, str]) -> None:
    ground, _ = both
    for force in FORCES:
        district = next(iter(force.districts))
        for table, condition in {
            "offender_rates": f"area_code = '{force.code}' and offenders > 0",
            "probation_profile": f"area_code = '{force.code}' and people > 0",
            "need_pathways": f"area_code = '{force.code}' and assessed > 0",
            "youth_offenders": f"area_code = '{district}' and young_people > 0",
            "iom_cohort": f"area_code = '{district}' and people > 0",
            # One half-year is delivered, and marts.prison_release_accommodation has whole years.
            "int_prison_releases__placed": f"area_code = '{district}' and released > 0",
            "prison_accommodation_need": f"area_code = '{force.code}' and assessed > 0",
            "survey_responses": f"area_code = '{district}' and responses = 160",
            "supported_accommodation": f"area_code = '{district}' and places > 0",
        }.items():
            schema = "intermediate" if table.startswith("int_") else "marts"
            query = f"select count(*) from {schema}.{table} where {condition}"
            assert ground.value(query), table


@pytest.mark.slow
def test_every_table_of_both_forces_joins_its_dimensions(both: tuple[Ground, str]) -> None:
    ground, _ = both
    published = ground.settings.published / "csp.duckdb"
    assert join_faults(published) == []
    with duckdb.connect(published, read_only=True) as connection:
        labels = connection.execute(
            "select area_label from marts.dim_area where area_type = 'unlocated'"
        ).fetchall()
    assert len(set(labels)) == len(FORCES)


@pytest.mark.slow
def test_a_supplier_is_named_by_its_deliveries(both: tuple[Ground, str]) -> None:
    ground, _ = both
    with duckdb.connect(
        str(ground.settings.home / "published" / "csp.duckdb"), read_only=True
    ) as connection:
        rows = connection.execute("select distinct source, supplier from main.sources").fetchall()
    names = dict(rows)
    assert len(names) == len(rows)
    forces = f"{BORSETSHIRE.force}; {LOAMSHIRE.force}"
    assert names["police_charges"] == names["police_offender_counts"] == forces
    assert names["iom_cohort"] == "; ".join(
        f"Integrated Offender Management, {one.force}" for one in (BORSETSHIRE, LOAMSHIRE)
    )
    assert names["prison_releases"] == "HMP Felpersham; HMP Shottsford"
