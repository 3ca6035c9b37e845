"""Synthetic sample of the Home Office's table of recorded crime by Community Safety Partnership.

No figure is a real count. The layout is the publisher's: a Notes sheet and a sheet a financial
year. Counts of the six districts follow the street sample, so that the two can be compared; those
of the other districts are made up at the same levels. The street sample is thinned, and so is this.
"""

import csv
import io
from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from random import Random

from orchestration.ingest.landing.receipt import SampleDelivery
from orchestration.ingest.sources.area_lookups.sample import districts, lsoas
from orchestration.ingest.sources.dwelling_stock.sample import Row, open_document
from orchestration.ingest.sources.police_uk_street.sample import StreetSample
from orchestration.ingest.sources.population_estimates.sample import district_names, populations

YEARS = (2017, 2018)
RELEASES = {
    date(2018, 4, 1): ("prc-csp-mar18-jun18-tables-181018.ods", datetime(2018, 10, 18, 10)),
    date(2018, 10, 1): ("prc-csp-mar18-dec18-tables-250419.ods", datetime(2019, 4, 25, 10)),
}
"""File and day of the release that follows a quarter."""

HEADER = (
    "Financial Year", "Financial Quarter", "Police Force", "CSP Name", "Offence Description",
    "Offence Group", "Offence Subgroup", "Offence Code", "Offence Count",
)  # fmt: skip
THEFT = "Theft offences"
OFFENCES = {
    "Bicycle theft": (("Theft of a pedal cycle", THEFT, "Bicycle theft", "44"),),
    "Burglary": (
        ("Burglary: residential", THEFT, "Residential burglary", "28E"),
        ("Burglary: business and community", THEFT, "Non-residential burglary", "30C"),
    ),
    "Criminal damage and arson": (
        ("Criminal damage to a vehicle", "Criminal damage and arson", "Criminal damage", "58C"),
    ),
    "Drugs": (("Possession of cannabis", "Drug offences", "Possession of drugs", "92E"),),
    "Other crime": (
        (
            "Other notifiable offences", "Miscellaneous crimes against society",
            "Miscellaneous crimes against society", "99",
        ),
    ),
    "Other theft": (("Other theft", THEFT, "Other theft offences", "49"),),
    "Possession of weapons": (
        (
            "Possession of article with blade or point", "Possession of weapons offences",
            "Possession of weapons offences", "10D",
        ),
    ),
    "Public order": (
        (
            "Public fear, alarm or distress", "Public order offences", "Public order offences",
            "9A",
        ),
    ),
    "Robbery": (
        ("Robbery of personal property", "Robbery", "Robbery of personal property", "34B"),
    ),
    "Shoplifting": (("Shoplifting", THEFT, "Shoplifting", "46"),),
    "Theft from the person": (
        ("Theft from the person", THEFT, "Theft from the person", "39"),
    ),
    "Vehicle crime": (("Theft from a vehicle", THEFT, "Theft from a vehicle", "45"),),
    "Violence and sexual offences": (
        (
            "Assault without injury", "Violence against the person", "Violence without injury",
            "105A",
        ),
        ("Sexual assault on a female aged 13 and over", "Sexual offences",
         "Other sexual offences", "20A"),
    ),
}  # fmt: skip
"""Description, group, subgroup and code of the offences of each street-level type; the first has
three quarters of them where there are two."""

FORCES = {
    "E06000031": "Cambridgeshire", "E07000008": "Cambridgeshire", "E07000009": "Cambridgeshire",
    "E07000010": "Cambridgeshire", "E07000011": "Cambridgeshire", "E07000012": "Cambridgeshire",
    "E06000032": "Bedfordshire", "E06000055": "Bedfordshire", "E06000056": "Bedfordshire",
    "E07000077": "Essex", "E07000099": "Hertfordshire", "E07000136": "Lincolnshire",
    "E07000138": "Lincolnshire", "E07000140": "Lincolnshire", "E07000141": "Lincolnshire",
    "E07000143": "Norfolk", "E07000146": "Norfolk", "E07000148": "Norfolk",
    "E07000152": "Northamptonshire", "E07000154": "Northamptonshire",
    "E07000178": "Thames Valley", "E07000202": "Suffolk",
}  # fmt: skip
"""Police force of each district: the six of the force area, and those they are compared with."""


def deliveries() -> Iterator[SampleDelivery]:
    """Yield two deliveries, each with all quarters from April 2017 to its own."""
    for quarter, (name, received_at) in RELEASES.items():
        rows = {f"{year}_{(year + 1) % 100:02d}": _year_rows(year, quarter) for year in YEARS}
        sheets: dict[str, list[Row]] = {"Notes": _notes()}
        sheets |= {sheet: [HEADER, *found] for sheet, found in rows.items()}
        yield SampleDelivery(
            source="recorded_crime_by_csp",
            quarter=quarter,
            received_at=received_at,
            nature="synthetic",
            note=(
                "Synthetic: no figure is a real count. Counts follow the street sample, which is "
                "thinned. Names of forces and partnerships are real."
            ),
            files={name: open_document(sheets)},
        )


def _notes() -> list[Row]:
    return [
        ("Police recorded crime Community Safety Partnership open data: synthetic sample",),
        ("No figure is a real count.",),
    ]


def _year_rows(year: int, last: date) -> list[Row]:
    quarters = [date(year, 4, 1), date(year, 7, 1), date(year, 10, 1), date(year + 1, 1, 1)]
    found: list[Row] = []
    for number, quarter in enumerate(quarters, start=1):
        if quarter <= last:
            found += _quarter_rows(f"{year}/{(year + 1) % 100:02d}", number, quarter)
    return found


def _quarter_rows(year: str, number: int, quarter: date) -> Iterator[Row]:
    counts = _street_counts(quarter)
    own = [one.code for one in districts() if one.in_force_area]
    people = populations(quarter.year - 1)
    for district, name in district_names().items():
        if district not in FORCES:
            continue
        random = Random(f"recorded_crime_by_csp sample {quarter} {district}")
        # Another district has the rate of one of the six, and a spread of its own.
        like = district if district in own else Random(district).choice(own)
        for crime_type, offences in OFFENCES.items():
            level = counts[like, crime_type]
            total = level + random.randrange(-2, 3) + random.randrange(1 + level // 25)
            if district not in own:
                level = level * people[district] // people[like]
                total = level * random.randrange(80, 121) // 100
            shares = [max(0, total)]
            if len(offences) == 2:
                shares = [max(0, total) - max(0, total) // 4, max(0, total) // 4]
            for (description, group, subgroup, code), share in zip(offences, shares, strict=True):
                yield (
                    year, Decimal(number), FORCES[district], name, description,
                    group, subgroup, code, Decimal(share),
                )  # fmt: skip


def _street_counts(quarter: date) -> Counter[tuple[str, str]]:
    """Count the quarter's street rows by district and crime type."""
    placed = {area.code: area.district_code for area in lsoas(2011)}
    sample, found = StreetSample(), Counter[tuple[str, str]]()
    for offset in range(3):
        text = sample.month_file(date(quarter.year, quarter.month + offset, 1)).decode()
        for row in csv.DictReader(io.StringIO(text, newline="")):
            found[placed.get(row["LSOA code"], ""), row["Crime type"]] += 1
    return found
