"""Reads the list of supported accommodation of a district council, a CSV."""

from pathlib import Path

from orchestration.ingest.contract import load_contract
from orchestration.ingest.delimited import read_delimited
from orchestration.ingest.landing import LandedFile
from orchestration.ingest.reading import Row


def read(file: LandedFile) -> list[Row]:
    """Return one row for each scheme, town and kind of place."""
    return read_delimited(file, load_contract(Path(__file__).parent))
