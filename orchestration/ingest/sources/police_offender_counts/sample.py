"""Sample of the force's yearly counts of known offenders.

Four counts are those that the assessment prints. The others were made so that, over the population
of their year, they give the rate that it prints; `sample_counts.csv` says which is which.
"""

import csv
import io
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

from orchestration.ingest.receipt import SampleDelivery

FORCE = "Cambridgeshire Constabulary"


def deliveries() -> Iterator[SampleDelivery]:
    """Yield the one delivery: calendar years 2012 to 2016, six districts and the force area."""
    yield SampleDelivery(
        source="police_offender_counts",
        quarter=date(2018, 4, 1),
        received_at=datetime(2018, 7, 12, 9),
        nature="synthetic",
        note=(
            "Synthetic but for four printed counts: Fenland 1,267 (2012) and 767 (2016), South "
            "Cambridgeshire 917 (2012) and 671 (2016). The other counts were not printed; each "
            "was made so that the printed rate comes out to one decimal place over the Office "
            "for National Statistics mid-year estimate (2012 to 2015) or the county research "
            "group's estimate (2016). Those are the populations on which the printed counts give "
            "the printed rates: over the 2016 estimate of the Office for National Statistics, "
            "Fenland would be 7.7 and South Cambridgeshire 4.3, where 7.8 and 4.4 are printed. "
            "The force area is the sum of its districts."
        ),
        files={"known-offenders-2012-2016.csv": _counts_csv()},
    )


def _counts_csv() -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(["Force", "Area Code", "Area", "Year", "Known Offenders"])
    with (Path(__file__).parent / "sample_counts.csv").open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            writer.writerow(
                [FORCE, row["area_code"], row["area_name"], row["calendar_year"],
                 row["known_offenders"]]
            )  # fmt: skip
    return text.getvalue().encode()
