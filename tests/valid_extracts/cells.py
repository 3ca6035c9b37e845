"""Values that a contract's column may hold, as Hypothesis strategies, and rows filled from them."""

import random
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from hypothesis import strategies as st

from orchestration.ingest.checking.contract import Column, Contract

Row = dict[str, Any]
"""One row by the contract's column names: text, whole number, number, date, or None for blank."""
Draw = Callable[[st.SearchStrategy[Any]], Any]

# What a text may hold where no rule bounds it: other scripts, quotes, separators and brackets.
_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJ éüŁß'\",;[]()/&-0123456789"
_ASCII = st.characters(min_codepoint=32, max_codepoint=126)
_EARLIEST, _LATEST = date(2010, 12, 1), date(2020, 12, 31)


def values(column: Column) -> st.SearchStrategy[Any]:
    """Return a strategy of what the column may hold, blank left out."""
    if column.allowed:
        return st.sampled_from(column.allowed)
    if column.type == "DATE":
        return st.dates(_EARLIEST, _LATEST)
    if column.type in ("BIGINT", "INTEGER"):
        least, most = int(column.minimum or 0), int(column.maximum or column.minimum or 0)
        if column.maximum is None:
            most = least + 5_000
        return st.one_of(st.sampled_from([least, most]), st.integers(least, most))
    if column.type == "DOUBLE":
        low, high = column.minimum or 0.0, column.maximum or 1_000_000.0
        return st.floats(low, high, allow_nan=False).map(lambda one: round(one, 6))
    return _texts(column)


def _texts(column: Column) -> st.SearchStrategy[str]:
    if column.pattern:
        return st.from_regex(column.pattern, fullmatch=True, alphabet=_ASCII)
    if column.length:
        return st.text("0123456789abcdef", min_size=column.length, max_size=column.length)
    text = st.text(_LETTERS, min_size=1, max_size=30).map(str.strip)
    # A text that would be read as blank, or as a sheet program's error, is no value; nor is one
    # that looks like an identifier, all of which have several digits.
    return text.filter(lambda one: any(map(str.isalpha, one)) and sum(map(str.isdigit, one)) < 2)


def pool(draw: Draw, column: Column) -> list[Any]:
    """Draw the values that a column takes in one extract.

    Now and then it is every allowed value, or one; an optional column may be blank in some rows or
    in all.
    """
    if column.allowed and draw(st.integers(0, 3)):
        found: list[Any] = list(column.allowed)
    else:
        found = draw(st.lists(values(column), min_size=1, max_size=4))
    if column.required:
        return found
    blanks = draw(st.sampled_from(["none", "some", "many", "all", "none", "some"]))
    return {
        "none": found,
        "some": [*found, None],
        "many": [*found, *[None] * len(found)],
        "all": [None],
    }[blanks]


def pools(draw: Draw, contract: Contract, without: set[str] | None = None) -> dict[str, list[Any]]:
    """Draw what each column of the supplier's file takes, but for those that the caller fills."""
    return {
        column.name: pool(draw, column)
        for column in contract.columns
        if column.header and column.name not in (without or set())
    }


def filled(held: Mapping[str, list[Any]], chance: random.Random) -> Row:
    """Return a row of the columns in ``held``."""
    return {name: chance.choice(choices) for name, choices in held.items()}


def _written(value: Any, column: Column | None) -> str:
    """Return a value as a key compares it: of a day, what the file's form says of it."""
    if isinstance(value, date) and column:
        return value.strftime(column.date_format)
    return str(value).casefold()


def rows_by_contract(draw: Draw, contract: Contract, most: int = 40) -> list[Row]:
    """Draw rows of any contract, with nothing known but what it declares. Keys do not repeat."""
    chance = random.Random(draw(st.integers(0, 2**32 - 1)))
    given = {column.name: column for column in contract.columns if column.header}
    held = pools(draw, contract)
    if contract.one_file_a_period:
        # One period of one series a file, whichever column each is.
        for name in {contract.period, *contract.series} & given.keys():
            held[name] = held[name][:1]
    for name in contract.key:
        if name in given and given[name].pattern:
            # Few numbers drawn would leave few rows.
            held[name] = draw(st.lists(values(given[name]), min_size=1, max_size=most, unique=True))
    seen: set[tuple[Any, ...]] = set()
    rows: list[dict[str, Any]] = []
    for _ in range(draw(st.integers(1, most))):
        row = filled(held, chance)
        key = tuple(_written(row.get(name), given.get(name)) for name in contract.key)
        key = key or (str(len(rows)),)
        if key not in seen:
            seen.add(key)
            rows.append(row)
    return rows
