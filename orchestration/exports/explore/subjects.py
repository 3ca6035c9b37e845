"""The subjects that the page offers: ``subjects.toml`` beside this module, and the metrics.

Names, limits, forms and notes of what is drawn are those of ``main.metrics`` of the release.
"""

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from importlib.resources import files
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from orchestration.exports.report_definition.row_selection import Row
from orchestration.releases.report_metadata import ColumnNote

_DECIMALS = {"count": 0, "rate": 2, "percent": 1, "share": 1}
"""How many decimals a value is shown with, by the form of its metric."""


class _Declared(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Choice(_Declared):
    """A column of which a value is chosen; ``first`` is the one that is chosen at first.

    ``largest_first`` lists the values side by side in the order of their figures.
    """

    column: str
    label: str
    first: str = ""
    largest_first: bool = False


class Measure(_Declared):
    """A metric of the release that is drawn, by the column that holds it.

    ``lower`` and ``upper`` are the columns of its limits, and ``limits`` says what these are.
    ``decimals`` is how many a value is shown with. A ``share`` is a part of 1, shown as percent.
    ``note`` says what it means, how it is formed and what must not be summed.
    """

    column: str
    label: str
    lower: str = ""
    upper: str = ""
    limits: str = ""
    decimals: int = 0
    share: bool = False
    note: str = ""


class Subject(_Declared):
    """A published mart, with what is chosen and drawn of it.

    ``measures`` are the metrics of the mart that are drawn. ``order`` has the columns by which
    rows, and so the values to choose from, are sorted first.
    """

    name: str
    title: str
    table: str
    measures: tuple[Measure, ...] = Field(min_length=1)
    choices: tuple[Choice, ...] = ()
    only: Mapping[str, str] = Field(default_factory=dict)
    order: tuple[str, ...] = ()
    start: str = "period_start"
    label: str = "period_label"
    kind: str = "period_type"

    @property
    def columns(self) -> list[str]:
        """Every column that the page needs, each once."""
        limits = [name for one in self.measures for name in (one.lower, one.upper)]
        named = [
            "area_code",
            self.kind,
            self.start,
            self.label,
            *(one.column for one in self.choices),
            *(one.column for one in self.measures),
            *limits,
            "status",
        ]
        return [name for name in dict.fromkeys(named) if name]


def subject_metrics() -> dict[str, tuple[str, ...]]:
    """Return the names of the metrics that each subject draws."""
    return {name: tuple(one["metrics"]) for name, one in _declared().items()}


def load_subjects(metrics: Iterable[Row]) -> tuple[Subject, ...]:
    """Return every subject whose metrics the release has, in the order of the file.

    ``metrics`` are the rows of ``main.metrics``.
    """
    known = {str(row["metric_name"]): row for row in metrics}
    return tuple(
        _subject(name, one, [known[metric] for metric in one["metrics"]])
        for name, one in _declared().items()
        if known.keys() >= set(one["metrics"])
    )


def _declared() -> dict[str, dict[str, Any]]:
    text = files("orchestration.exports.explore").joinpath("subjects.toml").read_text("utf-8")
    return tomllib.loads(text)


def _subject(name: str, declared: Mapping[str, Any], metrics: Sequence[Row]) -> Subject:
    fields = {key: value for key, value in declared.items() if key != "metrics"}
    table = str(metrics[0]["table_name"])
    return Subject(name=name, table=table, measures=tuple(map(_measure, metrics)), **fields)


def _measure(metric: Row) -> Measure:
    column, label = str(metric["column_name"]), str(metric["metric_label"])
    meaning = ColumnNote(text=f"{label}: {metric['description']}").words({})
    formula = f"Formula: {metric['formula']}." if metric["formula"] else ""
    return Measure(
        column=column,
        label=label,
        lower=str(metric["lower_column"] or ""),
        upper=str(metric["upper_column"] or ""),
        limits=str(metric["limits"] or ""),
        decimals=_DECIMALS[str(metric["form"])],
        share=metric["form"] == "share",
        note=" ".join(filter(None, (meaning, formula, str(metric["note"] or "")))),
    )
