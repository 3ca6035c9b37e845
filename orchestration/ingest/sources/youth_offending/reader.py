"""Reads the case management extract of a youth offending service, one CSV a service.

The quarter that a registration belongs to is that of its date: no file can say another.
"""

from contextlib import suppress
from datetime import datetime
from pathlib import Path

from orchestration.ingest.contract import load_contract
from orchestration.ingest.keyed_csv import csv_rows
from orchestration.ingest.landing import LandedFile
from orchestration.ingest.reading import Row
from orchestration.quarters import quarter_of


def read(file: LandedFile) -> list[Row]:
    """Return one row for each registration, with the quarter of its date."""
    contract = load_contract(Path(__file__).parent)
    (registered_on,) = (one for one in contract.columns if one.name == "registered_on")
    return [
        Row({**row.values, "return_quarter": _quarter(row, registered_on.date_format)}, row.line)
        for row in csv_rows(file, contract)
    ]


def _quarter(row: Row, date_format: str) -> str | None:
    # What is not a date is left to the contract, which refuses the row and says why.
    with suppress(ValueError):
        text = row.values.get("registered_on") or ""
        return quarter_of(datetime.strptime(text, date_format).date()).isoformat()
    return None
