"""Models, tests and columns are named as docs/naming.md says."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from orchestration.config.settings import PROJECT

MODELS = PROJECT / "dbt_project" / "models"
SOURCES = PROJECT / "orchestration" / "ingest" / "sources"
FORMS = {
    "intermediate": r"int_[a-z_]+__[a-z_]+",
    "marts": r"(?:dim_)?[a-z_]+",
    "reports": r"(?:(?:table|figure)_\d+|appendix_[a-z]|page)_[a-z_]+|reconciliation(?:_findings)?",
}
NAMED_BEFORE = {"several_answers", "agreed"}
"""True-or-false columns that readers know by these names."""


@pytest.mark.parametrize("layer", FORMS)
def test_models_are_named_after_their_layer(layer: str) -> None:
    names = [path.stem for path in (MODELS / layer).rglob("*.sql")]
    assert names
    assert not [name for name in names if not re.fullmatch(FORMS[layer], name)]


def test_staging_models_are_named_after_their_source() -> None:
    models = [*SOURCES.glob("*/*.sql")]
    assert models
    for path in models:
        assert re.fullmatch(rf"stg_{path.parent.name}__[a-z_]+", path.stem), path


def test_singular_tests_state_what_holds() -> None:
    names = [path.stem for path in (PROJECT / "dbt_project/tests").glob("*.sql")]
    assert names
    assert not [name for name in names if not name.startswith("assert_")]


def declared_columns() -> Iterator[tuple[Path, dict[str, str]]]:
    for path in [*MODELS.rglob("*.yml"), *SOURCES.glob("*/stg_*.yml")]:
        for model in yaml.safe_load(path.read_text()).get("models") or ():
            for column in model.get("columns") or ():
                yield path, column


def test_columns_have_the_suffix_of_their_type() -> None:
    types = {"_date": "date", "_code": "varchar", "_name": "varchar", "_label": "varchar"}
    for path, column in declared_columns():
        name, kind = column["name"], str(column.get("data_type") or "").lower()
        if kind == "boolean" and name not in NAMED_BEFORE:
            assert re.search(r"(?:^|_)(?:is|has)_", name), (path.name, name)
        for suffix, expected in types.items():
            if kind and name.endswith(suffix):
                assert kind == expected, (path.name, name, kind)
