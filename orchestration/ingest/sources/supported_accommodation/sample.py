"""Sample of supported accommodation: Fenland's schemes as the assessment lists them, others made.

The schemes named in the assessment's section on current provision (and the ten places that one of
them has in Huntingdon) are in `sample_schemes.csv` with the places that it states; where it
states none the cell is empty. Other districts' schemes are made up and say so in their name, and
so is what changes after June 2018.
"""

import csv
import io
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

from orchestration.config.quarters import quarter_of
from orchestration.ingest.landing.receipt import SampleDelivery

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
# Snapshot, and when the list came.
SNAPSHOTS = {
    date(2018, 6, 30): datetime(2018, 7, 12, 9),
    date(2018, 9, 30): datetime(2018, 10, 11, 9),
    date(2018, 12, 31): datetime(2019, 1, 14, 9),
}


def deliveries() -> Iterator[SampleDelivery]:
    """Yield a delivery for each snapshot, one list of all councils."""
    for snapshot, received_at in SNAPSHOTS.items():
        later = "" if snapshot == min(SNAPSHOTS) else " Changes since June 2018 are made up."
        yield SampleDelivery(
            source="supported_accommodation",
            quarter=quarter_of(snapshot),
            received_at=received_at,
            nature="synthetic",
            note=(
                "Synthetic: schemes called sample scheme are made up. Those of Fenland, and one in "
                "Huntingdon, are as the assessment describes them." + later
            ),
            files={f"supported-accommodation-{snapshot}.csv": _file(snapshot)},
        )


def _file(snapshot: date) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(HEADER)
    path = Path(__file__).parent / "sample_schemes.csv"
    with path.open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            if row["snapshot"] != snapshot.isoformat():
                continue
            writer.writerow(
                [
                    f"{snapshot:%d/%m/%Y}",
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
