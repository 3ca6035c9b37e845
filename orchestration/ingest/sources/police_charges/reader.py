"""Reads the force's extract of offences charged: a CSV, one row an offence and offender."""

from pathlib import Path

from orchestration.ingest.contract import load_contract
from orchestration.ingest.keyed_csv import csv_rows
from orchestration.ingest.landing import LandedFile
from orchestration.ingest.reading import Row

_DATE_LENGTH = len("dd/mm/yyyy")


def read(file: LandedFile) -> list[Row]:
    """Return one row for each offence charged, with the month of its charge date."""
    contract = load_contract(Path(__file__).parent)
    return [
        Row({**row.values, "charge_month": _month(row.values["charge_date"])}, row.line)
        for row in csv_rows(file, contract)
    ]


def _month(charge_date: str | None) -> str | None:
    """Return yyyy-mm-01 for dd/mm/yyyy; None where the contract will refuse the date anyway."""
    if charge_date is None or len(charge_date) != _DATE_LENGTH:
        return None
    _, month, year = charge_date[:2], charge_date[3:5], charge_date[6:]
    if not (month.isdecimal() and year.isdecimal() and 1 <= int(month) <= 12):
        return None
    return f"{year}-{month}-01"
