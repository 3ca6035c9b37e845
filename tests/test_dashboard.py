"""The dashboard: its board is of the release's metrics, and shows the published figures."""

import configparser
import io
import json
import os
import re
import shutil
import socket
import subprocess
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import duckdb
import pytest
import yaml

from bi.board import AREA, CHARTS, DATASETS, SECTIONS, TYPE
from bi.bundle import ROOT, bundle
from bi.serve import drawn
from orchestration.config.settings import PROJECT
from tests.support import Ground

BROWSER = PROJECT / "tests" / "browser"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
SUPERSET = PROJECT / ".venv-dashboard" / "bin" / "python"
needs_superset = pytest.mark.skipif(
    not (
        CHROMIUM
        and shutil.which("node")
        and (BROWSER / "node_modules").is_dir()
        and (SUPERSET.parents[1] / ".installed").is_file()
    ),
    reason="needs `make superset`, chromium, node, and `npm ci` in tests/browser",
)
START_SECONDS = 400


@pytest.fixture(scope="module")
def release(sample: Ground, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the sample's release, to be replaced by another one."""
    copied = tmp_path_factory.mktemp("dashboard") / "csp.duckdb"
    shutil.copyfile(sample.settings.published / "csp.duckdb", copied)
    return copied


@pytest.fixture(scope="module")
def files(release: Path) -> dict[str, Any]:
    with zipfile.ZipFile(io.BytesIO(bundle(release, "fenland"))) as opened:
        return {
            name.removeprefix(f"{ROOT}/"): yaml.safe_load(opened.read(name))
            for name in opened.namelist()
        }


def ask(release: Path, query: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(release, read_only=True) as connection:
        return connection.execute(query).fetchall()


def as_superset(files: dict[str, Any]) -> duckdb.DuckDBPyConnection:
    """Connect as the board's database says."""
    database = files["databases/csp.yaml"]
    path = database["sqlalchemy_uri"].removeprefix("duckdb:///")
    return duckdb.connect(path, **database["extra"]["engine_params"]["connect_args"])


# --- the board -----------------------------------------------------------------------------------


def test_a_dataset_has_the_metrics_of_its_table_as_the_release_has_them(
    release: Path, files: dict[str, Any]
) -> None:
    listed = {
        row[0]: row[1:]
        for row in ask(
            release,
            "select metric_name, metric_label, sql_expression, table_name from main.metrics",
        )
    }
    for dataset in DATASETS:
        made = files[f"datasets/csp/{dataset.name}.yaml"]["metrics"]
        lines = {line.name for line in dataset.lines}
        own = {name for name, (*_, table) in listed.items() if table == dataset.table}
        assert {one["metric_name"] for one in made} == own | lines
        for one in made:
            if one["metric_name"] in own:
                label, expression, _ = listed[one["metric_name"]]
                assert (one["verbose_name"], one["expression"]) == (label, expression)


def test_every_chart_names_what_its_dataset_has(files: dict[str, Any]) -> None:
    with as_superset(files) as connection:
        for chart in CHARTS:
            dataset = files[f"datasets/csp/{chart.dataset}.yaml"]
            known = {one["metric_name"]: one["expression"] for one in dataset["metrics"]}
            assert known.keys() >= set(chart.metrics), chart.name
            groups = [*chart.options.get("groupby", ())]
            groups += [chart.options["x_axis"]] if "x_axis" in chart.options else []
            columns = [*chart.columns, *(one.removeprefix("-") for one in chart.order), *groups]
            where = chart.where or "true"
            rows = connection.execute(
                f"select {', '.join(columns) or '1'} from ({dataset['sql']}) where {where}"
            ).fetchall()
            assert rows, chart.name
            for name in chart.metrics:
                by = f"group by {', '.join(groups)}" if groups else ""
                query = f"select {known[name]} from ({dataset['sql']}) where {where} {by}"
                assert connection.execute(query).fetchall(), (chart.name, name)


def test_filters_choose_one_area_and_type_of_every_chart(files: dict[str, Any]) -> None:
    """A figure summed over areas or types would be wrong: one of each is always chosen."""
    filters = files["dashboards/board.yaml"]["metadata"]["native_filter_configuration"]
    assert [one["targets"][0]["column"]["name"] for one in filters] == [AREA, TYPE]
    for one in filters:
        assert one["controlValues"]["enableEmptyFilter"] is True
        assert one["controlValues"]["multiSelect"] is False
    first = {one["targets"][0]["column"]["name"]: one["defaultDataMask"] for one in filters}
    assert first[AREA]["filterState"]["value"] == ["Fenland"]
    with as_superset(files) as connection:
        for dataset in DATASETS[1:]:
            columns = {
                c["column_name"] for c in files[f"datasets/csp/{dataset.name}.yaml"]["columns"]
            }
            held = connection.execute(f"describe marts.{dataset.table}").fetchall()
            assert AREA in columns, dataset.name
            assert (TYPE in {name for name, *_ in held}) == (TYPE in columns), dataset.name


def test_the_layout_has_every_chart_once_under_its_section(files: dict[str, Any]) -> None:
    position = files["dashboards/board.yaml"]["position"]
    placed = [one["meta"]["uuid"] for one in position.values() if one_kind(one) == "CHART"]
    made = [files[f"charts/{chart.name}.yaml"]["uuid"] for chart in CHARTS]
    assert sorted(placed) == sorted(made)
    headings = [one["meta"]["text"] for one in position.values() if one_kind(one) == "HEADER"]
    assert headings[1:] == list(SECTIONS.values())
    for one in position.values():
        if one_kind(one) == "ROW":
            assert sum(position[child]["meta"]["width"] for child in one["children"]) <= 12
    text = position["MARKDOWN-markers"]["meta"]["code"]
    assert "**[c]** confidential" in text
    assert "**[x]** not available" in text


def one_kind(part: Any) -> str:
    return part["type"] if isinstance(part, dict) else ""


def test_the_same_release_gives_the_same_file(release: Path) -> None:
    assert bundle(release, "fenland") == bundle(release, "fenland")


def test_an_unknown_partnership_is_refused(release: Path) -> None:
    with pytest.raises(SystemExit, match="no partnership 'fenlands'"):
        bundle(release, "fenlands")


def test_the_board_reads_the_release_and_no_other_file(files: dict[str, Any]) -> None:
    with as_superset(files) as connection:
        assert connection.execute("select count(*) from main.metrics").fetchone() != (0,)
        with pytest.raises(duckdb.Error, match="read-only"):
            connection.execute("create table main.own (a int)")
        with pytest.raises(duckdb.PermissionException):
            connection.execute("from read_csv('/etc/hosts')")
        with pytest.raises(duckdb.Error):
            connection.execute("set enable_external_access = true")


def test_a_secret_is_drawn_once_and_is_its_owners(tmp_path: Path) -> None:
    first = drawn(tmp_path / "password.txt", 16)
    assert len(first) > 20
    assert drawn(tmp_path / "password.txt", 16) == first
    assert drawn(tmp_path / "other.txt", 16) != first
    assert (tmp_path / "password.txt").stat().st_mode & 0o777 == 0o600


# --- connection files of other tools --------------------------------------------------------------

CONNECTIONS = PROJECT / "bi" / "connections"


def test_tableau_joins_as_the_release_says_and_names_metrics(release: Path) -> None:
    source = ElementTree.parse(CONNECTIONS / "csp.tds").getroot()
    joined = {
        tuple(sorted(one.attrib["op"] for one in clause))
        for clause in source.iterfind(".//clause/expression")
    }
    declared = {
        tuple(sorted((f"[crime_trends].[{columns}]", f"[{dimension}].[{to}]")))
        for columns, dimension, to in ask(
            release,
            "select column_names, dimension_name, dimension_columns from main.joins "
            "where table_name = 'crime_trends'",
        )
    }
    assert len(joined) == 3
    assert joined <= declared
    tables = {one.attrib["table"] for one in source.iterfind(".//relation[@table]")}
    assert tables == {
        f"[marts].[{name}]" for name in ("crime_trends", "dim_area", "dim_period", "dim_crime_type")
    }
    metrics = {
        name: (label, column, expression)
        for name, label, column, expression in ask(
            release,
            "select metric_name, metric_label, column_name, sql_expression from main.metrics "
            "where table_name = 'crime_trends'",
        )
    }
    fields = [one for one in source.iterfind("column") if one.attrib["role"] == "measure"]
    assert len(fields) == len(metrics)
    for field in fields:
        name = field.attrib["name"].strip("[]")
        calculation = field.find("calculation")
        if calculation is None:
            assert (field.attrib["caption"], name) in {one[:2] for one in metrics.values()}
            continue
        label, _, expression = metrics[name]
        made = re.sub(r"nullif\((sum\(\w+\)), 0\)", r"\1", expression)
        made = re.sub(r"sum\((\w+)\)", r"SUM([\1])", made)
        assert (field.attrib["caption"], calculation.attrib["formula"]) == (label, made)


@pytest.mark.parametrize("name", ["csp.pbids", "tables.pbids"])
def test_a_file_for_power_bi_has_one_connection(name: str) -> None:
    declared = json.loads((CONNECTIONS / name).read_text(encoding="utf-8"))
    (connection,) = declared["connections"]
    assert connection["mode"] == "Import"
    assert connection["details"]["protocol"] in ("odbc", "folder")


def test_every_connection_is_read_only() -> None:
    odbc = configparser.ConfigParser()
    odbc.read(CONNECTIONS / "odbc.ini", encoding="utf-8")
    assert odbc["csp"]["access_mode"] == "READ_ONLY"
    power_bi = json.loads((CONNECTIONS / "csp.pbids").read_text(encoding="utf-8"))
    (connection,) = power_bi["connections"]
    assert connection["details"]["address"]["options"]["access_mode"] == "READ_ONLY"
    tableau = (CONNECTIONS / "tableau.properties").read_text(encoding="utf-8")
    assert "duckdb.read_only=true" in tableau.splitlines()


# --- the dashboard -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def address(release: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Start the dashboard in a new folder, with nothing set up, as `make dashboard` does."""
    home = release.parent / "home"
    board = release.parent / "board.zip"
    board.write_bytes(bundle(release, "fenland"))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = release.parent / "serve.log"
    with log.open("wb") as output:
        serving = subprocess.Popen(
            [
                str(SUPERSET),
                str(PROJECT / "bi/serve.py"),
                str(home),
                str(board),
                "--port",
                str(port),
            ],
            stdout=output,
            stderr=subprocess.STDOUT,
            env={"PATH": os.environ["PATH"], "HOME": str(release.parent)},
        )
        try:
            _wait_until_served(serving, port, log)
            yield f"http://127.0.0.1:{port}"
        finally:
            serving.terminate()
            serving.wait(timeout=60)


def _wait_until_served(serving: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        assert serving.poll() is None, log.read_text(errors="replace")[-3000:]
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.5)
    raise AssertionError(log.read_text(errors="replace")[-3000:])


def another_release(release: Path) -> Path:
    """Make a release with a hundred more shopliftings in Fenland, as a file of its own."""
    other = release.with_name("next.duckdb")
    shutil.copyfile(release, other)
    with duckdb.connect(other) as connection:
        connection.execute(
            "update marts.crime_scanning set offences = offences + 100 "
            "where area_code = 'E07000010' and crime_type = 'Shoplifting'"
        )
    return other


@pytest.fixture(scope="module")
def found(release: Path, address: str) -> Any:
    """Walk the dashboard while another release is published."""
    other = another_release(release)
    folder = release.parent
    with subprocess.Popen(
        [
            "node",
            "dashboard.cjs",
            str(CHROMIUM),
            address,
            str(folder / "home" / "password.txt"),
            str(folder),
            str(folder / "replaced"),
            str(len(CHARTS)),
        ],
        cwd=BROWSER,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as walking:
        while walking.poll() is None and not (folder / "ready").exists():
            time.sleep(0.2)
        other.replace(release)
        (folder / "replaced").touch()
        output, errors = walking.communicate(timeout=300)
        assert walking.returncode == 0, errors.decode()[-3000:]
    return json.loads(output)


def _figure(release: Path, column: str, crime_type: str) -> float:
    ((value,),) = ask(
        release,
        f"select {column} from marts.crime_scanning "
        f"where area_code = 'E07000010' and crime_type = '{crime_type}'",
    )
    return float(value)


@pytest.mark.slow
@needs_superset
def test_the_dashboard_shows_published_figures(found: Any, release: Path) -> None:
    charts = found["first"]["charts"]
    assert list(charts) == [chart.title for chart in CHARTS]
    assert [(title, one["error"]) for title, one in charts.items() if one["error"]] == []
    for chart in CHARTS:
        shown = charts[chart.title]
        if chart.kind == "table":
            assert shown["rows"], chart.title
            assert shown["headings"] == list(chart.columns.values())
        elif chart.kind == "big_number_total":
            assert shown["number"], chart.title
        else:
            assert shown["canvas"], chart.title
    number = charts["Offences of twelve months"]["number"]
    assert number == f"{_figure(release, 'offences', 'Total crime'):,.0f}"
    rate = charts["Offences per 1,000 people"]["number"]
    assert rate == f"{_figure(release, 'rate_per_1000', 'Total crime'):,.1f}"
    districts = {row[0]: row for row in charts["Twelve months by district"]["rows"]}
    assert districts["Fenland"][1] == number
    assert len(districts) == 7


@pytest.mark.slow
@needs_superset
def test_the_dashboard_explains_itself(found: Any) -> None:
    assert "Synthetic data" in found["first"]["text"]
    assert "data up to" in found["first"]["text"]
    assert "[c] confidential" in found["first"]["text"]
    assert "[x] not available" in found["first"]["text"]
    assert found["console"] == []
    assert found["beyond"] == []


@pytest.mark.slow
@needs_superset
def test_a_filter_and_a_publish_change_what_is_shown(found: Any, release: Path) -> None:
    """The release that replaced the first one has a hundred more."""
    now = _figure(release, "offences", "Shoplifting")
    chosen = found["chosen"]["charts"]["Offences of twelve months"]["number"]
    published = found["published"]["charts"]["Offences of twelve months"]["number"]
    assert (chosen, published) == (f"{now - 100:,.0f}", f"{now:,.0f}")


@pytest.mark.slow
@needs_superset
def test_nobody_else_may_read_the_dashboards_secrets(found: Any, release: Path) -> None:
    home = release.parent / "home"
    assert home.stat().st_mode & 0o077 == 0
    for name in ("secret.key", "password.txt", "superset.db"):
        assert (home / name).stat().st_mode & 0o077 == 0, name
