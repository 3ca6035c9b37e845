"""Sample of severity weights: every weight is made up.

The weights of the Office for National Statistics are not in the sample. Those of
`sample_weights.csv` are round numbers, larger for offences with longer sentences.
"""

import csv
import io
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

from orchestration.ingest.landing.receipt import SampleDelivery

EDITION = date(2018, 3, 31)
RECEIVED_AT = datetime(2018, 7, 9, 9)
HEADER = ("Edition", "Offence category", "Offence code", "Offence", "Weight", "Recorded offences")


def deliveries() -> Iterator[SampleDelivery]:
    """Yield the one edition of the sample."""
    yield SampleDelivery(
        source="crime_severity_weights",
        quarter=date(2018, 4, 1),
        received_at=RECEIVED_AT,
        nature="synthetic",
        note=(
            "Synthetic: every weight, offence and number is made up and none is a weight of the "
            "Crime Severity Score. Offence codes and categories are named as the Home Office "
            "names them. Replace it by the list of weights of the published data tool: "
            "https://www.ons.gov.uk/peoplepopulationandcommunity/crimeandjustice/datasets/"
            "crimeseverityscoredatatool"
        ),
        files={"crime-severity-weights-2018-made-up.csv": _file()},
    )


def _file() -> bytes:
    path = Path(__file__).parent / "sample_weights.csv"
    with path.open(encoding="utf-8", newline="") as stream:
        facts = list(csv.reader(stream))[1:]
    text = io.StringIO()
    edition = f"{EDITION:%d/%m/%Y}"
    csv.writer(text, lineterminator="\n").writerows([HEADER, *([edition, *row] for row in facts)])
    return text.getvalue().encode()
