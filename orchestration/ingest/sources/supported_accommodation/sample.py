"""Sample of supported accommodation: Fenland's schemes as the assessment lists them, others made.

The schemes named in the assessment's section on current provision (and the ten places that one of
them has in Huntingdon) stand in `sample_schemes.csv` with the places that it states; where it
states none the cell is empty. Other districts' schemes are made up and say so in their name.
"""

import csv
import io
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

from orchestration.ingest.receipt import SampleDelivery

HEADER = (
    "Snapshot date",
    "District",
    "Scheme",
    "Provider",
    "Town",
    "Client group",
    "Kind",
    "Places",
)
SNAPSHOT = "30/06/2018"


def deliveries() -> Iterator[SampleDelivery]:
    """Yield the one delivery, one list of all councils."""
    yield SampleDelivery(
        source="supported_accommodation",
        quarter=date(2018, 4, 1),
        received_at=datetime(2018, 7, 12, 9),
        nature="synthetic",
        note=(
            "Synthetic: schemes called sample scheme are made up. Those of Fenland, and one in "
            "Huntingdon, are as the assessment describes them."
        ),
        files={"supported-accommodation-2018-06-30.csv": _file()},
    )


def _file() -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(HEADER)
    path = Path(__file__).parent / "sample_schemes.csv"
    with path.open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            writer.writerow(
                [
                    SNAPSHOT,
                    row["district_code"],
                    row["scheme"],
                    row["provider"],
                    row["town"],
                    row["client_group"],
                    row["kind"],
                    row["places"],
                ]
            )
    return text.getvalue().encode()
