"""The subjects that the page offers, read from ``subjects.toml`` beside this module."""

import tomllib
from collections.abc import Mapping
from importlib.resources import files

from pydantic import BaseModel, ConfigDict, Field


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
    """A column that is drawn, with the columns of its limits; ``limits`` says what these are.

    ``decimals`` is how many a value is shown with. A ``share`` is a part of 1, shown as percent.
    """

    column: str
    label: str
    lower: str = ""
    upper: str = ""
    limits: str = "95 % limits"
    decimals: int = 0
    share: bool = False


class Subject(_Declared):
    """A published mart, with what is chosen and drawn of it.

    ``order`` has the columns by which rows, and so the values to choose from, are sorted first.
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


def load_subjects() -> tuple[Subject, ...]:
    """Return every subject in the order of the file."""
    text = files("orchestration.exports.explore").joinpath("subjects.toml").read_text("utf-8")
    return tuple(Subject(name=name, **one) for name, one in tomllib.loads(text).items())
