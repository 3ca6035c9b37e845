"""The contract of a source, declared once in the source's ``contract.toml``.

The contract drives reading, checking, quarantine, the raw table's columns and comments, and the
dbt source. A source is a folder under ``sources/`` that has a contract.
"""

import tomllib
from fnmatch import fnmatch
from functools import cached_property
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from orchestration.errors import ContractError, LandingError, did_you_mean, readable
from orchestration.ingest.checking.headings import fits

SOURCES = Path(__file__).resolve().parents[1] / "sources"


class NumberForm(BaseModel):
    """The form of a column's value in the rows of one force or service."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    pattern: str
    form: str


class Column(BaseModel):
    """One column of a source: what it means and what it may hold."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    meaning: str
    type: Literal["VARCHAR", "DATE", "DOUBLE", "BIGINT", "INTEGER"]
    header: str | None = None
    """Heading in the supplier's file; none where the reader derives the column."""
    required: bool = True
    """Whether every row must hold a value."""
    unit: str | None = None
    personal: bool = False
    """Whether the value is about a person: never shown in reports, logs or quarantine."""
    identifier: str | None = Field(default=None, pattern=r"^[a-z][a-z0-9_]*$")
    """What kind of identifier of a person it is, such as ``pnc``: the raw table holds its pseudonym
    instead, the same for the same identifier of that kind in every source."""
    stored: bool = True
    """Whether the raw table has it. What is only checked, or only derived from, is not kept."""
    severity: Literal["record", "warning"] = "record"
    """What breaking the value's rules does: the row is refused, or loaded and reported."""
    allowed: tuple[str, ...] | None = None
    listed: Literal["town"] | None = None
    """What of the partnerships file it may hold; the values then stand in ``allowed``."""
    names: Literal["force"] | None = None
    """Whose names it holds. A name that is none of them is loaded and reported."""
    number_forms: tuple[NumberForm, ...] = ()
    """Forms of the partnerships file, each of the rows of one name that is served."""
    otherwise: str | None = None
    """What is kept in place of a value that is not among those allowed, which is only warned of."""
    pattern: str | None = None
    """Regular expression for the whole value. Dear on long values in bulk: see ``length``."""
    form: str | None = None
    """The pattern in a supplier's words, such as 'nine characters, such as E07000010'."""
    length: int | None = None
    """Exact number of characters."""
    longest: int = 4_000
    """Most bytes of a text that no other rule bounds."""
    minimum: float | None = None
    maximum: float | None = None
    date_format: str = "%Y-%m-%d"
    derived_from: str | None = None
    """Date column of which this column holds the first day of the period ``derived_to``, or the
    age in whole years."""
    derived_to: Literal["month", "quarter", "age"] | None = None
    age_on: str | None = None
    """Date column of the event at which the age is taken. An age below ``minimum`` (0 where none is
    given) or above ``maximum`` (110) is not recorded, and its row is reported as a warning."""
    not_after: str | None = None
    """Date column before which, or on which, this date must lie. A later one is a warning."""
    same_person: tuple[str, ...] = ()
    """Identifiers by which a row without a date of birth takes it from another of its person."""

    @property
    def is_open(self) -> bool:
        """Whether a text that is kept may be anything: no list and no form bounds it."""
        bounded = bool(self.identifier or self.otherwise)
        if self.severity == "record":
            bounded = bounded or bool(self.allowed or self.listed or self.pattern or self.length)
        return self.stored and self.type == "VARCHAR" and not bounded

    @property
    def comment(self) -> str:
        """What the raw table holds, with its unit, for the database and for dbt."""
        if self.identifier:
            return f"Pseudonym (HMAC-SHA-256). Delivered as: {self.meaning}"
        return f"{self.meaning} Unit: {self.unit}." if self.unit else self.meaning

    @property
    def title(self) -> str:
        """What a supplier knows the column by."""
        return self.header or self.name

    @model_validator(mode="after")
    def _rules_fit(self) -> "Column":
        if self.pattern and not self.form:
            raise ValueError(f"{self.name} has a pattern and no form that describes it")
        if self.names and self.type != "VARCHAR":
            raise ValueError(f"{self.name}: a name is a text (VARCHAR)")
        if self.otherwise and not (self.allowed and self.severity == "warning"):
            raise ValueError(f"{self.name}: otherwise needs a list (allowed) that only warns")
        if self.severity == "warning" and self.type != "VARCHAR":
            raise ValueError(f"{self.name}: only a rule on text can warn; other types must be read")
        if (self.derived_from is None) != (self.derived_to is None):
            raise ValueError(f"{self.name} needs both derived_from and derived_to, or neither")
        if (self.derived_to == "age") != (self.age_on is not None):
            raise ValueError(f"{self.name} needs age_on where it is an age, and nowhere else")
        if self.identifier and (self.type != "VARCHAR" or not self.personal):
            raise ValueError(f"{self.name}: an identifier is a personal text")
        return self


class Volume(BaseModel):
    """The number of rows that is unusual for a source, and is warned about."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    compare_with: Literal["same period last year", "last period", "nothing"] = "last period"
    """Which earlier period of the same series a period's rows are compared with."""
    below: float = Field(default=0.4, gt=0, lt=1)
    """Share by which the rows may fall; they may rise by the like factor, 1 / (1 - below)."""
    fewest_rows: int = 50
    """A period of fewer rows is compared with nothing: small numbers vary."""
    place: str | None = None
    """SQL expression of a row's place, of which none may be missing that had rows before."""


class Beside(BaseModel):
    """A kind of file that comes with the source's files, and that it does not read."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: str
    """What the files are of, as a message names it."""
    headings: tuple[str, ...]
    """Headings that only files of this kind have."""
    file_pattern: str
    source: str | None = None
    """The source that reads files of this kind; none where no source does."""

    def fits(self, name: str) -> bool:
        """Say whether a file's name is of this kind."""
        return fnmatch(name.lower(), self.file_pattern)


class Coverage(BaseModel):
    """Which periods and series a delivery covers, and what becomes of its other rows.

    The receipt (``csp land --covers``) and then the file's name say which periods a file covers;
    ``default`` says it where neither does.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    default: Literal["label", "delivery quarter", "rows"] = "rows"
    """``label``: title, sheet or heading say it for every row, and names of files say nothing;
    ``rows``: each period that is as full as ``fullness`` asks; ``delivery quarter``: the quarter
    of the delivery and, where no other delivery covers them, the full periods before it."""
    file_name: bool = True
    """Whether the name of a file may say which periods it covers."""
    outside: Literal["add", "refuse"] = "refuse"
    """What becomes of a row of another period: it is added to its period's rows by its key, or
    refused."""
    every: Literal["month", "quarter"] | None = None
    """Periods that a delivery may cover without a row: then their figures are 0."""
    fullness: float = Field(default=0.1, gt=0, lt=1)
    """Share of the fullest period's (or series') rows from which one is covered."""
    other_series: Literal["covered", "left out"] = "covered"
    """What becomes of a series that has few rows in another's file."""
    additive: bool = False
    """Whether each delivery adds to what is in force, as a lookup of one district does."""
    named: str | None = None
    """The series' last column, whose values are matched to the names that are served."""
    names: Literal["force", "service", "prison", "district"] | None = None
    """Whose names they are."""
    drop: float = Field(default=0.2, gt=0, lt=1)
    """Share of a period's rows that a revision may take away without a warning."""

    @model_validator(mode="after")
    def _names_fit(self) -> "Coverage":
        if (self.named is None) != (self.names is None):
            raise ValueError("coverage needs both named and names, or neither")
        return self


class Contract(BaseModel):
    """One source: who supplies it, what a row is, and the rules that its rows must meet."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: str
    folder: Path
    title: str
    meaning: str
    supplier: str
    supplied_by: str | None = None
    """The supplier by name, with ``{name}`` for the force, service or prison of a delivery."""
    supplier_series: str | None = None
    """Start of the series that are the supplier's own; all of a delivery where none is given."""
    licence: str
    grain: str
    cadence: Literal["quarterly", "annual", "one-off"]
    arrival_days: int
    """Days after a quarter's end (or after publication) by which the delivery is expected."""
    counts: Literal["offences", "places", "people", "reference"]
    period: str
    """Column that says what time a row is about."""
    area: str
    """Column that says which area a row is about: a code, a name or a small area."""
    series: tuple[str, ...] = ()
    """Columns whose values are delivered independently of each other: supplier, then area."""
    one_file_a_period: bool = False
    key: tuple[str, ...] = ()
    also_unique: tuple[str, ...] = ()
    """Columns of which, together, no two rows of a delivery may have the same values, beside the
    key. A report names the last one."""
    retention_quarters: int | None = Field(default=None, ge=1)
    """For how many quarters rows about persons are kept, counted from the delivery's quarter."""
    refused_share_limit: float = Field(ge=0, le=1)
    """Share of refused rows beyond which the whole delivery is refused."""
    refused_rows_allowed: int = Field(default=0, ge=0)
    """Refused rows that a delivery may always have, where it has ten rows for each of them."""
    file_pattern: tuple[str, ...]
    layout: Literal["csv", "keyed_csv", "reader"]
    """``csv``: read in bulk by DuckDB, no key; ``keyed_csv``: a smaller CSV whose rows have a
    key; ``reader``: read by the source's own ``reader.py``."""
    ignored: tuple[str, ...] = ()
    """Headings (with * and ?) that the supplier sends and we knowingly leave out."""
    ignored_sheets: tuple[str, ...] = ()
    """Sheets of a workbook (with * and ?) that the supplier sends and we knowingly leave out,
    beside covers, contents and notes."""
    beside: tuple[Beside, ...] = ()
    volume: Volume = Volume()
    coverage: Coverage = Coverage()
    columns: tuple[Column, ...]

    @property
    def about_people(self) -> bool:
        """Whether its rows are about people or count them, so that texts are shown with care."""
        return self.counts == "people"

    @cached_property
    def stored_columns(self) -> tuple[Column, ...]:
        """Columns of the raw table."""
        return tuple(column for column in self.columns if column.stored)

    @cached_property
    def identifiers(self) -> tuple[Column, ...]:
        """Columns of which the raw table holds pseudonyms."""
        return tuple(column for column in self.stored_columns if column.identifier)

    @cached_property
    def by_header(self) -> dict[str, Column]:
        """Columns by the heading in the supplier's file."""
        return {column.header: column for column in self.columns if column.header}

    def ignores(self, heading: str) -> bool:
        """Say whether the contract knows a heading that it does not read."""
        return any(fits(heading, pattern) for pattern in self.ignored)

    @property
    def series_sql(self) -> str:
        """SQL expression of a row's series, as it was delivered."""
        return " || ', ' || ".join(self.series) or "''"

    @property
    def name_sql(self) -> str:
        """SQL expression of the part of a row's series that is matched to the served names."""
        return self.coverage.named or "''"

    @property
    def raw_table(self) -> str:
        """Qualified name of the raw table."""
        return f"raw.{self.source}"

    @property
    def lineage_columns(self) -> dict[str, tuple[str, str]]:
        """Columns that we add to each raw row: name to (type, meaning)."""
        lineage = {
            "_delivery_id": ("INTEGER", "Delivery that the row came in (control.deliveries)."),
            "_file_id": ("INTEGER", "File that the row came in (control.files)."),
        }
        if self.layout != "csv":
            lineage |= {
                "_sheet": ("VARCHAR", "Worksheet of a workbook; null otherwise."),
                "_line": ("BIGINT", "Line or sheet row, counted from 1."),
                "_column": ("VARCHAR", "Column of the sheet that held the value, where one did."),
            }
        return lineage

    @field_validator("series", mode="before")
    @classmethod
    def _one_or_more(cls, value: object) -> object:
        return (value,) if isinstance(value, str) else value

    @model_validator(mode="after")
    def _supplier_fits(self) -> "Contract":
        if self.supplied_by and not (self.coverage.named and "{name}" in self.supplied_by):
            raise ValueError("supplied_by needs {name}, and coverage that says what is named")
        return self

    @model_validator(mode="after")
    def _coverage_fits(self) -> "Contract":
        if self.coverage.named and self.coverage.named != (self.series or ("",))[-1]:
            raise ValueError(f"coverage names {self.coverage.named}, not the series' last column")
        if self.coverage.outside == "add" and not self.key:
            raise ValueError("adds late rows by their key and has none")
        return self

    @model_validator(mode="after")
    def _columns_exist(self) -> "Contract":
        names = {column.name for column in self.columns}
        named = {self.period, self.area, *self.key, *self.also_unique, *self.series}
        named |= {column.derived_from for column in self.columns if column.derived_from}
        named |= {column.age_on for column in self.columns if column.age_on}
        named |= {column.not_after for column in self.columns if column.not_after}
        named |= {name for column in self.columns for name in column.same_person}
        if missing := named - names:
            raise ValueError(f"names columns that it does not have: {sorted(missing)}")
        births = {str(one.derived_from) for one in self.columns if one.derived_to == "age"}
        if kept := births & {column.name for column in self.stored_columns}:
            raise ValueError(f"keeps dates of birth of which ages are taken: {sorted(kept)}")
        if self.identifiers and not self.retention_quarters:
            raise ValueError("holds persons and does not say for how long (retention_quarters)")
        if self.layout == "csv" and (births or self.identifiers):
            raise ValueError("is read in bulk, where nobody's identifiers can be replaced")
        if self.layout == "csv" and self.about_people:
            raise ValueError("counts people and is read in bulk; use keyed_csv")
        if not self.about_people and any(column.personal for column in self.columns):
            raise ValueError('has personal columns and does not say counts = "people"')
        if self.layout == "csv" and any(column.listed for column in self.columns):
            raise ValueError("is read in bulk, where a list of the partnerships file is not known")
        if self.also_unique and not self.key:
            raise ValueError("has values that are unique (also_unique) and no key")
        if self.layout == "csv" and self.key:
            raise ValueError("has a key, which a bulk CSV is not checked for; use keyed_csv")
        return self


def load_contract(folder: Path) -> Contract:
    """Read the contract of the source in ``folder``.

    Raises :class:`ContractError` that names the file and what is wrong in it.
    """
    path = folder / "contract.toml"
    try:
        with path.open("rb") as handle:
            declared = tomllib.load(handle)
        return Contract(source=folder.name, folder=folder, **declared)
    except (OSError, tomllib.TOMLDecodeError, ValidationError, TypeError) as error:
        raise ContractError(f"{path} is not a usable contract: {error}") from error


def load_contracts(sources: Path = SOURCES) -> dict[str, Contract]:
    """Read the contract of every source, by name, in alphabetical order."""
    folders = sorted(path.parent for path in sources.glob("*/contract.toml"))
    return {folder.name: load_contract(folder) for folder in folders}


def contract_of(source: str) -> Contract:
    """Read the contract of one source. Raises :class:`LandingError` that lists the sources."""
    require_source(source)
    return load_contract(SOURCES / source)


def require_source(source: str) -> None:
    """Raise :class:`LandingError` for a source that there is not; it names the nearest."""
    names = sorted(path.parent.name for path in SOURCES.glob("*/contract.toml"))
    if source in names:
        return
    raise LandingError(
        f"There is no source '{readable(source)}'.{did_you_mean(source, names)} "
        f"The sources: {', '.join(names)}. `csp sources` says what each is."
    )
