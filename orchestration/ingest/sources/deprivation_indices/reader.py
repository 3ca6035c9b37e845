"""Reads File 7 of the English Indices of Deprivation, of the editions 2015, 2019 and 2025.

An edition is known by the years of the codes in its headings, not by the file's name.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from orchestration.ingest.checking.contract import load_contract
from orchestration.ingest.checking.faults import Fault, SubmissionError, given, quoted
from orchestration.ingest.checking.headings import heading_key
from orchestration.ingest.landing.landing_zone import LandedFile
from orchestration.ingest.reading.csv_integrity import read_header, refuse_binary, scan_csv
from orchestration.ingest.reading.keyed_csv import csv_rows
from orchestration.ingest.reading.source_reading import Reading, Row, decode_text

_CODES = re.compile(r"(?:lsoa|localauthoritydistrict)code\(\d{4}\)")
"""Headings of codes (their keys), with the year of the codes."""
_POPULATION = re.compile(r"totalpopulation:?mid-?(\d{4})(?:\(excludingprisoners\))?")
"""Heading of the population (its key), with the mid-year."""


@dataclass(frozen=True)
class _Edition:
    """An edition of the indices, by its headings of codes: of small areas and of districts."""

    year: int
    codes: tuple[str, str]
    small_areas: int
    """Small areas of England, each of which has a rank."""


_EDITIONS = (
    _Edition(2015, ("LSOA code (2011)", "Local Authority District code (2013)"), 32_844),
    _Edition(2019, ("LSOA code (2011)", "Local Authority District code (2019)"), 32_844),
    _Edition(2025, ("LSOA code (2021)", "Local Authority District code (2024)"), 33_755),
)


def read(file: LandedFile) -> Reading:
    """Return one row for each small area.

    Raises :class:`SubmissionError` for an edition that is not known, with those that are.
    """
    refuse_binary(file)
    decode_text(file)  # refuses an empty file and one that is no text before its header is read
    headings = read_header(file)
    edition, small_area = _edition_of(file, headings)
    contract = load_contract(Path(__file__).parent)
    columns = {small_area: "small_area_code"}
    columns |= {heading: column.name for heading, column in contract.by_header.items()}
    population, mid_year = _population_of(headings)
    if population:
        columns[population] = "population"
    found = csv_rows(file, columns, contract)
    shared = {"edition": f"{edition.year}-01-01", "population_date": mid_year}
    warnings = found.warnings

    def rows() -> Iterator[Row]:
        differing: list[Row] = []
        for row in found.rows:
            if _decile_differs(row, edition):
                differing.append(row)
            yield replace(row, values={**row.values, **shared})
        if differing:
            warnings.append(_decile_warning(file, differing, edition))

    return Reading(rows(), warnings)


def _edition_of(file: LandedFile, headings: Sequence[str]) -> tuple[_Edition, str]:
    """Return the edition of a file and its heading of small areas.

    Raises :class:`SubmissionError` where there is none.
    """
    keys = {heading_key(heading): heading for heading in headings}
    for edition in _EDITIONS:
        codes = [heading_key(heading) for heading in edition.codes]
        if all(code in keys for code in codes):
            return edition, keys[codes[0]]
    dated = [heading for key, heading in keys.items() if _CODES.fullmatch(key)]
    if len(dated) < len(_EDITIONS[-1].codes):
        # Not every heading is there, or none is: says which, or that the file is no such CSV.
        nearest = next(
            (one for one in _EDITIONS if not set(dated).isdisjoint(one.codes)), _EDITIONS[-1]
        )
        scan_csv(file, [*nearest.codes, *load_contract(Path(__file__).parent).by_header])
    known = "; ".join(f"{one.year} ({' and '.join(map(repr, one.codes))})" for one in _EDITIONS)
    raise SubmissionError(
        Fault(
            "is of a known edition",
            f"The headings are {' and '.join(map(quoted, dated))}, so that the edition of the "
            f"English Indices of Deprivation is not known. Known are: {known}. Send File 7 "
            "(all ranks, deciles and scores) as published, as CSV.",
            file=file.name,
            line=1,
        )
    )


def _population_of(headings: Sequence[str]) -> tuple[str | None, str | None]:
    """Return the heading of the population and its 30 June; none where there is no population."""
    for heading in headings:
        if found := _POPULATION.fullmatch(heading_key(heading)):
            return heading, f"{found[1]}-06-30"
    return None, None


def _decile_differs(row: Row, edition: _Edition) -> bool:
    """Say whether a decile is not the one of its rank; other values are for the contract."""
    rank, decile = (
        _number(row.values, name) for name in ("deprivation_rank", "deprivation_decile")
    )
    if rank is None or decile is None or row.fault:
        return False
    return decile != -(-rank * 10 // edition.small_areas)


def _number(values: Mapping[str, str | None], name: str) -> int | None:
    text = values.get(name) or ""
    return int(text) if text.isascii() and text.isdigit() else None


def _decile_warning(file: LandedFile, differing: Sequence[Row], edition: _Edition) -> Fault:
    first = differing[0]
    count = len(differing)
    rows = "1 row has" if count == 1 else f"{count:,} rows have"
    return Fault(
        "the decile agrees with the rank",
        f"{rows} another decile than their rank gives among the {edition.small_areas:,} small "
        "areas of England (the rank times ten, divided by their number, rounded up). They are "
        f"loaded. The first has the rank {given(first.values['deprivation_rank'])}.",
        file=file.name,
        line=first.line,
        column="Index of Multiple Deprivation (IMD) Decile (where 1 is most deprived 10% of LSOAs)",
        value=first.values["deprivation_decile"],
        severity="warning",
    )
