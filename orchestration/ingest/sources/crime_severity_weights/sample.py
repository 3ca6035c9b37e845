"""Sample of severity weights: every weight is made up, in the layout of the published list.

The weights of the Office for National Statistics are not in the sample. Those of
`sample_weights.csv` are round numbers, larger for offences with longer sentences.
"""

import csv
import io
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

import xlsxwriter

from orchestration.ingest.landing.receipt import SampleDelivery

RECEIVED_AT = datetime(2018, 7, 9, 9)
HEADER = ("Offence category", "Offence code", "Offence", "Weight", "Recorded offences")


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
        files={"crime-severity-weights-2018-made-up.xlsx": _file()},
    )


def _file() -> bytes:
    path = Path(__file__).parent / "sample_weights.csv"
    with path.open(encoding="utf-8", newline="") as stream:
        facts = list(csv.DictReader(stream))
    stream_out = io.BytesIO()
    with xlsxwriter.Workbook(stream_out, {"in_memory": True}) as book:
        book.set_properties({"created": RECEIVED_AT})
        sheet = book.add_worksheet("List of weights")
        sheet.write(0, 0, "List of weights, made up for the sample: none is of the publisher")
        sheet.write(2, 0, "Year ending March 2018")
        sheet.write_row(4, 0, HEADER)
        before = ""
        for line, row in enumerate(facts, start=5):
            # As published, a category is printed once, in its first row.
            sheet.write(
                line, 0, "" if row["offence_category"] == before else row["offence_category"]
            )
            before = row["offence_category"]
            sheet.write(line, 1, row["offence_code"])
            sheet.write(line, 2, row["offence"])
            for column, name in ((3, "weight"), (4, "recorded_offences")):
                if row[name]:
                    sheet.write(line, column, int(row[name]))
    return stream_out.getvalue()
