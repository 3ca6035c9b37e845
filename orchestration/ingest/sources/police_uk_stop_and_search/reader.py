"""Reads stop and search files of data.police.uk: the force is in the name of the file alone.

A date has the time of day in UTC. A search in the first hour of a summer month is therefore
published with the last day of the month before, in the file of its own month.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path, PurePosixPath
from zoneinfo import ZoneInfo

from orchestration.ingest.checking.contract import load_contract
from orchestration.ingest.checking.faults import Fault, SubmissionError
from orchestration.ingest.landing.landing_zone import LandedFile
from orchestration.ingest.reading.keyed_csv import csv_rows
from orchestration.ingest.reading.source_reading import Reading, Row

_NAME = re.compile(r"(?P<month>[0-9]{4}-[0-9]{2})-(?P<force>[a-z]+(?:-[a-z]+)*)-stop-and-search\b")
_LOCAL = ZoneInfo("Europe/London")


def read(file: LandedFile) -> Reading:
    """Return a row for each search, with the force of the file's name.

    Raises :class:`SubmissionError` for a file whose name gives no force.
    """
    contract = load_contract(Path(__file__).parent)
    headings = {heading: column.name for heading, column in contract.by_header.items()}
    found = csv_rows(file, headings, contract)
    named = _NAME.search(PurePosixPath(file.name).name.lower())
    if named is None:
        raise SubmissionError(
            Fault(
                "says which force it is of",
                "The file's name says no force, and the file has no column of it. Name it as "
                "data.police.uk does: YYYY-MM-<force>-stop-and-search.csv, such as "
                "2018-04-avon-and-somerset-stop-and-search.csv.",
                file=file.name,
            )
        )
    month, force = named["month"], named["force"]

    def rows() -> Iterator[Row]:
        for row in found.rows:
            day = _day(row.values.get("searched_on"), month)
            yield replace(row, values={**row.values, "reported_by": force, "searched_on": day})

    return Reading(rows(), found.warnings)


def _day(text: str | None, month: str) -> str | None:
    """Return the day of a date with its time; what is no such date as it is, to be refused.

    The day is that of the United Kingdom, or that of the text where only it lies in ``month``.
    """
    if text is None or ":" not in text:
        return text
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return text
    published = at.date().isoformat()
    local = at.astimezone(_LOCAL).date().isoformat() if at.tzinfo else published
    return published if published.startswith(month) and not local.startswith(month) else local
