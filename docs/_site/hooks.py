"""Pages of the documentation site that are not files of ``docs/``, and links between all pages.

MkDocs calls these functions (``hooks`` in ``mkdocs.yml``). They add README and its like, the data
dictionary from dbt's manifest, dbt's own page and the notebooks; they draw Mermaid diagrams as SVG,
so that a page needs no script for them.
"""

import html
import json
import os
import posixpath
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import mermaidx
import nbformat
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page
from nbconvert import MarkdownExporter

PROJECT = Path(__file__).resolve().parents[2]
HOME = Path(os.environ.get("CSP_HOME") or PROJECT / "var")

OUTSIDE = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "raw/README.md": "sample.md",
    "deploy/README.md": "deploy.md",
    "bi/README.md": "dashboard.md",
}
"""Pages from outside docs/, by their place in the repository."""

_SCHEMAS = {
    "marts": "Marts",
    "reports": "Report tables",
    "intermediate": "Intermediate models",
    "staging": "Staging models",
    "reference": "Reference lists",
    "in_force": "Sources, rows in force",
}
_LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)\s]+)\)")
_MERMAID = re.compile(r"^```mermaid\n(.*?)^```$", re.S | re.M)
_NO_DBT_PAGE = (
    "<!doctype html><title>dbt</title><p>Run <code>make docs</code>, which builds this page."
)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are not files of docs/."""
    for source, target in OUTSIDE.items():
        text = (PROJECT / source).read_text(encoding="utf-8")
        files.append(File.generated(config, target, content=_relinked(text, source, target)))
    files.append(File.generated(config, "dictionary.md", content=_dictionary(_manifest())))
    files.append(File.generated(config, "dbt.html", content=_dbt_page()))
    for path in sorted((PROJECT / "docs").glob("notebooks/*.ipynb")):
        for file in _notebook_files(config, path):
            files.append(file)
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Point links that leave docs/ at pages of the site, and draw diagrams."""
    if page.file.abs_src_path:
        markdown = _relinked(markdown, f"docs/{page.file.src_uri}", page.file.src_uri)
    return _MERMAID.sub(lambda found: _drawn(found.group(1)), markdown)


def _relinked(text: str, source: str, target: str) -> str:
    """Return ``text`` with its links seen from the page ``target`` instead of the file ``source``.

    A link to a file that the site does not have, such as code, becomes plain text.
    """

    def replaced(found: re.Match[str]) -> str:
        image, label, link = found.groups()
        if re.match(r"[a-z]+:|#", link):
            return found.group()
        path, _, anchor = link.partition("#")
        place = posixpath.normpath(posixpath.join(posixpath.dirname(source), path))
        if (PROJECT / place).is_dir():
            place = posixpath.join(place, "README.md")
        on_site = OUTSIDE.get(place) or (place[5:] if place.startswith("docs/") else None)
        if on_site is None:
            return label
        on_site = on_site.removesuffix(".ipynb") + ".md" if on_site.endswith(".ipynb") else on_site
        relative = posixpath.relpath(on_site, posixpath.dirname(target) or ".")
        return f"{image}[{label}]({relative}{'#' + anchor if anchor else ''})"

    return _LINK.sub(replaced, text)


def _drawn(diagram: str) -> str:
    svg = mermaidx.render(diagram).svg()
    return f'<div class="diagram">{" ".join(svg.split())}</div>'


def _dbt_page() -> str:
    page = HOME / "docs" / "dbt.html"
    return page.read_text(encoding="utf-8") if page.exists() else _NO_DBT_PAGE


def _notebook_files(config: MkDocsConfig, path: Path) -> Iterator[File]:
    """Yield a notebook's page and the images that its cells stored."""
    notebook = nbformat.read(path, as_version=4)
    text, resources = MarkdownExporter().from_notebook_node(notebook)
    folder = f"notebooks/{path.stem}"
    for name, content in resources["outputs"].items():
        yield File.generated(config, f"{folder}_files/{name}", content=content)
    text = re.sub(r"\]\((output_[^)]+)\)", rf"]({path.stem}_files/\1)", text)
    text += f"\n[Download this notebook]({path.name})\n"
    yield File.generated(config, f"{folder}.md", content=text)


def _manifest() -> dict[str, Any]:
    path = HOME / "dbt" / "target" / "manifest.json"
    try:
        manifest: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise PluginError(f"{path} is missing. Run `csp prepare`, which makes it.") from error
    return manifest


def _dictionary(manifest: Mapping[str, Any]) -> str:
    """Return the data dictionary: every table and column, with the tables that it is made from."""
    nodes = {
        key: node
        for key, node in {**manifest["nodes"], **manifest["sources"]}.items()
        if node["resource_type"] in ("model", "seed") or node.get("source_name") == "in_force"
    }
    lines = [
        "# Data dictionary",
        "",
        "Every table that the warehouse builds, from the dbt project's own descriptions. "
        "[dbt's documentation](dbt.html) has the same with SQL, tests and a graph of the lineage.",
    ]
    for schema, title in _SCHEMAS.items():
        lines += ["", f"## {title}"]
        for key, node in sorted(nodes.items(), key=lambda item: str(item[1]["name"])):
            if node["schema"] == schema:
                lines += _table(key, node, nodes, manifest)
    return "\n".join(lines) + "\n"


def _full_name(node: Mapping[str, Any]) -> str:
    return f"{node['schema']}.{node['name']}"


def _anchor(node: Mapping[str, Any]) -> str:
    return f"{node['schema']}-{node['name']}"


def _table(
    key: str, node: Mapping[str, Any], nodes: Mapping[str, Any], manifest: Mapping[str, Any]
) -> Iterator[str]:
    meta = node["config"].get("meta", {}).get("csp", {})
    yield from ("", f"### {_full_name(node)} {{: #{_anchor(node)} }}", "")
    if "publish" in meta:
        yield "Published. " if meta["publish"] else "Restricted. "
    yield _text(node["description"])
    if meta.get("note"):
        yield from ("", _text(meta["note"]))
    for label, relatives in (("Made from", "parent_map"), ("Used by", "child_map")):
        links = [
            f"[{_full_name(nodes[one])}](#{_anchor(nodes[one])})"
            for one in sorted(set(manifest[relatives].get(key, ())))
            if one in nodes
        ]
        if links:
            yield from ("", f"{label}: {', '.join(links)}.")
    yield from ("", "| column | type | meaning |", "|---|---|---|")
    for column in node["columns"].values():
        kind = str(column.get("data_type") or "").lower()
        yield f"| `{column['name']}` | {kind} | {_text(column['description'])} |"


def _text(description: str) -> str:
    return html.escape(" ".join(description.split()), quote=False).replace("|", "\\|")
