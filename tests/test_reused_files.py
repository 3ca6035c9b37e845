"""An export takes over what it would write again alike from the export before, and nothing else."""

import hashlib
import json
import shutil
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from orchestration.exports import export_partnership, reused_files
from orchestration.exports.charts import exhibit_charts
from orchestration.exports.report_definition.row_selection import Place
from orchestration.exports.reused_files import digest_of, export_folder, program_digest
from tests.release_fixtures import exhibits
from tests.test_exports import build, contents


@pytest.fixture(scope="module")
def corrected(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A release in which one month has other offences than in the release that was exported."""
    return build(tmp_path_factory.mktemp("corrected"), extra_offences=3)


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The export of the release before."""
    folder = tmp_path_factory.mktemp("before")
    export_partnership(build(folder), folder / "fenland", "fenland")
    return folder / "fenland"


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The slugs of the charts that are drawn meanwhile."""
    slugs: list[str] = []
    draw = exhibit_charts.chart_of

    def noted(*inputs: Any) -> Any:
        slugs.append(inputs[4])
        return draw(*inputs)

    monkeypatch.setattr(exhibit_charts, "chart_of", noted)
    return slugs


def beside(before: Path, folder: Path) -> Path:
    shutil.copytree(before, folder / "fenland")
    return folder / "fenland"


def test_a_corrected_release_gives_the_same_folder_beside_the_one_before_as_from_nothing(
    corrected: Path, before: Path, tmp_path: Path, drawn: list[str]
) -> None:
    export_partnership(corrected, tmp_path / "new" / "fenland", "fenland")
    every = {one.slug for one in exhibits() if one.chart}
    assert "figure_10_shoplifting" in drawn and len(drawn) > 1
    drawn.clear()
    out = beside(before, tmp_path)
    export_partnership(corrected, out, "fenland")
    assert contents(out) == contents(tmp_path / "new" / "fenland")
    assert contents(out) != contents(before)
    assert set(drawn) & every == {"figure_10_shoplifting"}


def test_a_file_that_somebody_changed_is_written_again(
    corrected: Path, before: Path, tmp_path: Path
) -> None:
    out = beside(before, tmp_path)
    kept = ["charts/table_5_social_dwellings.png", "tables/dim_area.csv", "explore.html"]
    changed = [name for name in kept if (out / name).exists()]
    assert len(changed) > 1
    for name in changed:
        (out / name).write_bytes(b"changed")
    export_partnership(corrected, out, "fenland")
    assert all((out / name).read_bytes() == (before / name).read_bytes() for name in changed[:2])
    assert b"changed" not in [(out / name).read_bytes() for name in changed]


@pytest.mark.parametrize("damage", ["", "{}", '{"files": [{"path": "pack.html"}]}', "[1]"])
def test_beside_a_manifest_that_cannot_be_read_everything_is_written(
    corrected: Path, before: Path, tmp_path: Path, drawn: list[str], damage: str
) -> None:
    out = beside(before, tmp_path)
    (out / "manifest.json").write_text(damage)
    export_partnership(corrected, out, "fenland")
    assert len(drawn) > 1


def test_another_program_takes_nothing_over(
    corrected: Path, before: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, drawn: list[str]
) -> None:
    monkeypatch.setattr(reused_files, "program_digest", lambda: "another")
    export_partnership(corrected, beside(before, tmp_path), "fenland")
    assert len(drawn) > 1


def test_the_program_is_its_files_and_packages() -> None:
    assert program_digest() == program_digest.__wrapped__()
    assert len(program_digest()) == 64


def test_a_digest_follows_from_values_and_not_from_the_order_of_a_set() -> None:
    place = Place("A", "Fenland", "F", "the force", frozenset("AB"), frozenset("ABC"))
    same = Place("A", "Fenland", "F", "the force", frozenset("BA"), frozenset("CBA"))
    other = Place("A", "Fenland", "F", "the force", frozenset("BA"), frozenset("CB"))
    assert digest_of(place) == digest_of(same) != digest_of(other)
    day = date(2018, 4, 1)
    told: list[object] = [None, 0, 0.0, "", "0", False, day, "2018-04-01", [], {}, [None], ["a"]]
    assert len({digest_of(one) for one in told}) == len(told)
    assert digest_of({"a": 1, "b": 2}) != digest_of({"b": 2, "a": 1})


def test_files_are_taken_over_together_or_not_at_all(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    second.mkdir()
    folder = export_folder(first)
    ran: list[str] = []

    def write(into: Path, text: str) -> None:
        ran.append(text)
        (into / "a.csv").write_text(text)
        (into / "b.csv").write_text(text)

    folder.make(["a.csv", "b.csv"], ("rows", 1), lambda: write(first, "one"))
    files = [
        {"path": name, "made_from": digest, "sha256": sha256(first / name)}
        for name, digest in folder.made_from.items()
    ]
    assert [one["path"] for one in files] == ["a.csv", "b.csv"]
    (first / "manifest.json").write_text(json.dumps({"files": files}))
    again = export_folder(second, first)
    again.make(["a.csv", "b.csv"], ("rows", 1), lambda: write(second, "two"))
    assert ran == ["one"] and (second / "b.csv").read_text() == "one"
    (first / "b.csv").unlink()
    again.make(["a.csv", "b.csv"], ("rows", 1), lambda: write(second, "three"))
    assert ran == ["one", "three"] and (second / "a.csv").read_text() == "three"
    again.make(["a.csv", "b.csv"], ("rows", 2), lambda: write(second, "four"))
    assert ran == ["one", "three", "four"]


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
