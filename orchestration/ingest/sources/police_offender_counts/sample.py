"""Sample of the force's yearly counts of known offenders.

Four counts are those that the assessment prints. Those up to 2016 were made so that, over the
population of their year, they give the rate that it prints; `sample_counts.csv` says which is
which. Counts of 2017 and 2018 came later and are made up; those of 2018 are what the sample of
`police_charges` gives, but for one with two digits exchanged, as happens when a number is copied by
hand.
"""

import csv
import io
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

from orchestration.ingest.landing.receipt import SampleDelivery

FORCE = "Cambridgeshire Constabulary"
PRINTED_NOTE = (
    "Synthetic but for four printed counts: Fenland 1,267 (2012) and 767 (2016), South "
    "Cambridgeshire 917 (2012) and 671 (2016). The other counts were not printed; each "
    "was made so that the printed rate comes out to one decimal place over the Office "
    "for National Statistics mid-year estimate (2012 to 2015) or the county research "
    "group's estimate (2016). Those are the populations on which the printed counts give "
    "the printed rates: over the 2016 estimate of the Office for National Statistics, "
    "Fenland would be 7.7 and South Cambridgeshire 4.3, where 7.8 and 4.4 are printed. "
    "The force area is the sum of its districts."
)
LATER_NOTE = "Synthetic: all counts are made up. The force area is the sum of its districts."


def deliveries() -> Iterator[SampleDelivery]:
    """Yield the deliveries: calendar years 2012 to 2016, then one a year."""
    yield _delivery(date(2018, 4, 1), datetime(2018, 7, 12, 9), range(2012, 2017), PRINTED_NOTE)
    yield _delivery(date(2018, 7, 1), datetime(2018, 10, 11, 9), range(2017, 2018), LATER_NOTE)
    yield _delivery(date(2018, 10, 1), datetime(2019, 1, 14, 9), range(2018, 2019), LATER_NOTE)


def _delivery(quarter: date, received_at: datetime, years: range, note: str) -> SampleDelivery:
    span = f"{years[0]}-{years[-1]}" if len(years) > 1 else f"{years[0]}"
    return SampleDelivery(
        source="police_offender_counts",
        quarter=quarter,
        received_at=received_at,
        nature="synthetic",
        note=note,
        files={f"known-offenders-{span}.csv": _counts_csv(years)},
    )


def _counts_csv(years: range) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(["Force", "Area Code", "Area", "Year", "Known Offenders"])
    with (Path(__file__).parent / "sample_counts.csv").open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            if int(row["calendar_year"]) in years:
                writer.writerow(
                    [FORCE, row["area_code"], row["area_name"], row["calendar_year"],
                     row["known_offenders"]]
                )  # fmt: skip
    return text.getvalue().encode()
