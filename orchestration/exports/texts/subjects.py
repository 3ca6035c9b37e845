"""The subjects that a text may be about, read from ``subjects.toml`` beside this module."""

import tomllib
from collections.abc import Mapping
from importlib.resources import files
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class ShortName(BaseModel):
    """A short name of a figure: its column, and what it is compared with over time."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    column: str
    before: Literal["", "year", "comparable"] = ""
    counted: str = ""
    per: str = ""


class Subject(BaseModel):
    """A subject: its report table, the words that name it, its units and short names."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    title: str
    table: str
    words: tuple[str, ...] = Field(min_length=1)
    units: tuple[str, ...] = ()
    figures: Mapping[str, ShortName]


def load_subjects() -> tuple[Subject, ...]:
    """Return every subject in the order of the file."""
    text = files("orchestration.exports.texts").joinpath("subjects.toml").read_text("utf-8")
    return tuple(Subject(name=name, **one) for name, one in tomllib.loads(text).items())
