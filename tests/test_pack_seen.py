"""The pack as a person sees it: in a browser, on paper, and in an office program.

Needs Debian's ``chromium``, ``libreoffice-calc``, ``libreoffice-writer`` and ``poppler-utils``,
and ``npm ci`` in ``tests/browser``; what is missing is named by the skipped test.
"""

import json
import re
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from orchestration.exports import export_partnership
from tests.test_pack import made_release

BROWSER = Path(__file__).parent / "browser"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
OFFICE = shutil.which("soffice")

pytestmark = pytest.mark.slow

needs_browser = pytest.mark.skipif(
    not (CHROMIUM and shutil.which("node") and (BROWSER / "node_modules").is_dir()),
    reason="needs chromium, node, and `npm ci` in tests/browser",
)
needs_office = pytest.mark.skipif(not OFFICE, reason="needs LibreOffice (soffice)")
needs_poppler = pytest.mark.skipif(
    not shutil.which("pdftotext"), reason="needs poppler-utils (pdftotext, pdffonts)"
)


@pytest.fixture(scope="module")
def folder(sample, tmp_path_factory) -> Path:
    base = tmp_path_factory.mktemp("seen")
    export_partnership(made_release(sample, base / "csp.duckdb"), base / "fenland", "fenland")
    return base / "fenland"


@pytest.fixture(scope="module")
def seen(folder):
    """What the browser found, and the PDF that it printed."""
    pdf = folder.parent / "pack.pdf"
    done = subprocess.run(
        ["node", str(BROWSER / "look.cjs"), str(CHROMIUM), str(folder / "pack.html"), str(pdf)],
        capture_output=True, text=True, timeout=180, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout), pdf


def pdf_pages(pdf: Path) -> list[str]:
    done = subprocess.run(["pdftotext", "-layout", str(pdf), "-"], capture_output=True, check=True)
    return done.stdout.decode().split("\f")[:-1]


def converted(path: Path, kind: str, out: Path) -> Path:
    """Convert with an office program that has a profile of its own."""
    subprocess.run(
        [str(OFFICE), f"-env:UserInstallation=file://{out}/profile", "--headless",
         "--convert-to", kind, "--outdir", str(out), str(path)],
        capture_output=True, timeout=240, check=True,
    )  # fmt: skip
    made = out / f"{path.stem}.{kind.split(':')[0]}"
    assert made.is_file(), f"the office program could not open {path.name}"
    return made


@needs_browser
def test_nothing_is_wider_than_the_window_or_loaded_from_elsewhere(seen):
    found, _ = seen
    assert found["console"] == []
    assert found["requests"] == []
    assert max(found["widths"].values()) <= 0, found["widths"]


@needs_browser
def test_no_chart_is_empty(seen):
    images = seen[0]["images"]
    assert len(images) == 17
    for image in images:
        assert image["width"] > 600, image["alt"]
        assert image["inked"] > 0.01, image["alt"]


@needs_browser
def test_the_keyboard_reaches_the_content_first(seen):
    assert seen[0]["firstFocus"] == "Skip to the content"


@needs_browser
def test_axe_finds_no_violation(seen):
    assert seen[0]["violations"] == []


@needs_browser
@needs_poppler
def test_every_printed_page_says_synthetic_and_no_glyph_is_missing(seen):
    pages = pdf_pages(seen[1])
    assert 10 < len(pages) < 50
    for number, text in enumerate(pages, start=1):
        assert "Synthetic data. Q1 2018/19" in text, number
        assert f"Page {number} of {len(pages)}" in text
        assert "\N{REPLACEMENT CHARACTER}" not in text
        assert len(text.split()) > 15, f"page {number} is all but empty"


@needs_office
@needs_poppler
def test_document_opens_and_every_page_says_synthetic(folder, tmp_path):
    pages = pdf_pages(converted(folder / "pack.docx", "pdf", tmp_path))
    assert 10 < len(pages) < 50
    for number, text in enumerate(pages, start=1):
        assert "Synthetic data. Fenland" in text, number
        assert "\N{REPLACEMENT CHARACTER}" not in text
    whole = " ".join(" ".join(pages).split())
    assert "878 known offenders in Fenland" in whole
    assert "Appendix C: Share of assessed offenders with each need" in whole


@needs_office
def test_workbook_opens_with_every_sheet_and_value(folder, tmp_path):
    made = converted(folder / "workbook.xlsx", "ods", tmp_path)
    content = zipfile.ZipFile(made).read("content.xml").decode()
    names = re.findall(r'<table:table table:name="([^"]+)"', content)
    workbook = zipfile.ZipFile(folder / "workbook.xlsx").read("xl/workbook.xml").decode()
    assert names == re.findall(r'<sheet name="([^"]+)"', workbook)
    assert "Err:" not in content and "#REF!" not in content
    assert 'office:value="1267"' in content  # offenders of 2012, Table 1


@needs_office
@needs_poppler
def test_sheets_are_no_wider_than_a_page(folder, tmp_path):
    pages = pdf_pages(converted(folder / "workbook.xlsx", "pdf", tmp_path))
    title = next(text for text in pages if text.lstrip().startswith("Figure 5:"))
    assert "Marker" in title  # its last column
