"""Canaries planted in deliveries about people: in every column, a heading, a sheet, a file name."""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from python_calamine import CalamineWorkbook

from orchestration.ingest.checking.contract import Contract
from tests.workbooks import xlsx

Grid = list[list[Any]]


@dataclass
class Planted:
    """A delivery's file with canaries in it, and where each was put."""

    name: str
    content: bytes
    places: list[tuple[str, str]] = field(default_factory=list)


def grids_of(path: Path) -> dict[str, Grid]:
    """Return the cells of a CSV (under an empty name) or of each sheet of a workbook."""
    if path.suffix == ".csv":
        with path.open(encoding="utf-8-sig", newline="") as handle:
            return {"": [list(row) for row in csv.reader(handle)]}
    book = CalamineWorkbook.from_path(str(path))
    return {
        name: book.get_sheet_by_name(name).to_python(skip_empty_area=False)
        for name in book.sheet_names
    }


def written(grids: dict[str, Grid], suffix: str) -> bytes:
    """Return the file that holds the cells."""
    if suffix == ".csv":
        text = io.StringIO(newline="")
        csv.writer(text).writerows(grids[""])
        return text.getvalue().encode()
    return xlsx(grids)


def planted(
    path: Path, contract: Contract, canaries: Iterator[str], most: int | None = None
) -> Planted:
    """Return a delivery's file with a row for each column that has a canary in its place.

    There are ``most`` such rows at most, of the texts that nothing bounds first. A further column
    has a canary as its heading and another below it; a workbook has a sheet called after one, and
    canaries beside the labels above its table; the file's name ends with one.
    """
    grids = grids_of(path)
    found = Planted(f"{path.stem}-{_in_a_name(next(canaries))}{path.suffix}", b"")
    found.places.append(("file name", found.name))
    for sheet, grid in list(grids.items()):
        header = _header_of(grid, contract)
        if header is None:
            continue
        _plant_rows(grid, header, contract, canaries, found, most)
        added = [next(canaries) for _ in range(3)]
        for number, row in enumerate(grid[header:]):
            row.append(added[number] if number < len(added) else "")
        found.places += [(f"column that nobody agreed {sheet}", one) for one in added]
    if path.suffix != ".csv":
        name = _in_a_name(next(canaries))[:28]
        cells = [next(canaries) for _ in range(3)]
        grids[name] = [cells[:1], cells[1:]]
        found.places += [("sheet", one) for one in (name, *cells)]
    found.content = written(grids, path.suffix)
    return found


def planted_above(path: Path, canary: str) -> Planted:
    """Return a workbook with a canary behind every text above its table."""
    grids = grids_of(path)
    first = next(iter(grids.values()))
    places = []
    for row in first[:3]:
        for place, cell in enumerate(row):
            if isinstance(cell, str) and cell:
                row[place] = f"{cell} {canary}"
                places.append(("above the table", row[place]))
    return Planted(path.name, written(grids, path.suffix), places)


def _in_a_name(canary: str) -> str:
    return "".join(sign for sign in canary if sign.isalnum() or sign in " -") or "x"


def _header_of(grid: Grid, contract: Contract) -> int | None:
    titles = {str(one.header) for one in contract.columns if one.header}
    for number, row in enumerate(grid[:20]):
        if len(titles & {str(cell) for cell in row}) >= 2:
            return number
    return None


def _plant_rows(
    grid: Grid,
    header: int,
    contract: Contract,
    canaries: Iterator[str],
    found: Planted,
    most: int | None,
) -> None:
    columns = contract.by_header
    is_open = {title: columns[title].is_open or bool(columns[title].otherwise) for title in columns}
    titles: Sequence[str] = [str(cell) for cell in grid[header]]
    places = sorted(
        (place for place, title in enumerate(titles) if title in columns),
        key=lambda place: not is_open[titles[place]],
    )
    for place in places[:most]:
        canary = next(canaries)
        row = list(grid[header + 1])
        row[place] = canary
        grid.append(row)
        found.places.append((titles[place], canary))
