"""Reads the list of supported accommodation of a district council, a CSV."""

from pathlib import Path

from orchestration.ingest.contract import load_contract
from orchestration.ingest.keyed_csv import csv_rows
from orchestration.ingest.landing import LandedFile
from orchestration.ingest.reading import Row


def read(file: LandedFile) -> list[Row]:
    """Return one row for each scheme, town and kind of place."""
    return list(csv_rows(file, load_contract(Path(__file__).parent)))
