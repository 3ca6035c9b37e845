"""The documentation site builds without a warning, and loads nothing from the network."""

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from html.parser import HTMLParser
from pathlib import Path

import duckdb
import nbformat
import pytest
from nbclient import NotebookClient

from orchestration.config.settings import PROJECT
from orchestration.ingest.checking.contract import load_contracts
from tests.support import Ground

NOTEBOOKS = sorted((PROJECT / "docs" / "notebooks").glob("*.ipynb"))
_LOADED = {
    "script": "src", "img": "src", "iframe": "src", "source": "src", "video": "src", "link": "href",
}  # fmt: skip


class Loaded(HTMLParser):
    """What a page loads by itself when it is opened."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        address = dict(attrs).get(_LOADED.get(tag, ""))
        if address:
            self.addresses.append(address)


def loaded(page: Path) -> list[str]:
    parser = Loaded()
    parser.feed(page.read_text(encoding="utf-8"))
    return parser.addresses


@pytest.fixture(scope="module")
def site(sample: Ground, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)],
        cwd=PROJECT, capture_output=True, text=True, check=False,
        env={**os.environ, "CSP_HOME": str(sample.settings.home), "NO_MKDOCS_2_WARNING": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.slow
def test_no_page_loads_anything_from_the_network(site: Path) -> None:
    pages = [page for page in site.rglob("*.html") if page.name != "404.html"]
    assert len(pages) > 30
    for page in pages:
        for address in loaded(page):
            assert not re.match(r"(?:[a-z]+:)?//", address), f"{page.name} loads {address}"
            if not address.startswith("data:"):
                assert (page.parent / re.sub(r"[?#].*", "", address)).exists(), (page, address)
    for sheet in site.rglob("*.css"):
        assert not re.search(r"(?:url\(|@import)\s*['\"]?(?:https?:)?//", sheet.read_text())


@pytest.mark.slow
def test_site_has_every_page_and_its_diagram_is_drawn(site: Path) -> None:
    pages = {str(page.relative_to(PROJECT / "docs")) for page in (PROJECT / "docs").rglob("*.md")}
    for page in pages:
        built = re.sub(r"README\.md$", "index.md", page).replace(".md", ".html")
        assert (site / built).exists(), page
    architecture = (site / "architecture.html").read_text()
    assert "<svg" in architecture
    assert 'class="mermaid"' not in architecture


@pytest.mark.slow
def test_dictionary_describes_every_source_and_published_table(site: Path, sample: Ground) -> None:
    page = (site / "dictionary.html").read_text()
    with duckdb.connect(sample.settings.published / "csp.duckdb", read_only=True) as connection:
        tables = connection.execute(
            "select table_schema, table_name from main.published_tables"
            " where table_schema in ('marts', 'reports')"
            # Made with the release, not by dbt: main.data_dictionary describes them.
            " and table_name not in ('page_audit', 'page_misprints')"
        ).fetchall()
    assert len(tables) > 10
    sources = [("in_force", source) for source in load_contracts()]
    for schema, table in [*tables, *sources]:
        assert f'id="{schema}-{table}"' in page


def texts(notebook: nbformat.NotebookNode) -> list[str]:
    return [
        output.get("text") or output["data"]["text/plain"]
        for cell in notebook.cells if cell.cell_type == "code"
        for output in cell.outputs
    ]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_shows_what_it_gives_on_the_latest_quarter_of_the_sample(
    path: Path, quarters: Mapping[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    notebook = nbformat.read(path, as_version=4)
    assert "synthetic" in notebook.cells[0].source
    shown = texts(notebook)
    assert len(shown) > 5
    monkeypatch.setenv("CSP_HOME", str(quarters["2018-10-01"]))
    NotebookClient(
        notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": path.parent}}
    ).execute()
    assert texts(notebook) == shown
