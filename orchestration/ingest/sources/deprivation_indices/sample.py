"""Sample of the Indices of Deprivation: real codes and names, every score and rank made up.

The file has the columns of File 7 of the edition 2015, the latest one at the sample's quarter.
Ranks are drawn at random, so that they are related to nothing.
"""

import csv
import io
import random
from collections.abc import Iterator
from datetime import date, datetime

from orchestration.ingest.landing.receipt import SampleDelivery
from orchestration.ingest.sources.area_lookups.sample import SmallArea, districts, lsoas

RECEIVED_AT = datetime(2018, 7, 9, 9)
SMALL_AREAS = 32_844
"""Small areas of England of 2011, each of which has a rank."""

_SEED = 2015
_RANK = "Rank (where 1 is most deprived)"
_DECILE = "Decile (where 1 is most deprived 10% of LSOAs)"
HEADER = (
    "LSOA code (2011)",
    "LSOA name (2011)",
    "Local Authority District code (2013)",
    "Local Authority District name (2013)",
    "Index of Multiple Deprivation (IMD) Score",
    f"Index of Multiple Deprivation (IMD) {_RANK}",
    f"Index of Multiple Deprivation (IMD) {_DECILE}",
    "Income Score (rate)",
    f"Income {_RANK}",
    f"Income {_DECILE}",
    "Total population: mid 2012 (excluding prisoners)",
)


def deliveries() -> Iterator[SampleDelivery]:
    """Yield the one edition of the sample."""
    yield SampleDelivery(
        source="deprivation_indices",
        quarter=date(2018, 4, 1),
        received_at=RECEIVED_AT,
        nature="synthetic",
        note=(
            "Synthetic: every score, rank, decile and population is made up, drawn at random, and "
            "none is one of the English Indices of Deprivation. Codes and names of small areas "
            "and districts are real. Replace it by File 7 (all ranks, deciles and scores) of the "
            "publisher: https://www.gov.uk/government/collections/"
            "english-indices-of-deprivation"
        ),
        files={"deprivation-indices-2015-made-up.csv": _file()},
    )


def _file() -> bytes:
    names = {district.code: district.name for district in districts()}
    draw = random.Random(_SEED)
    areas = lsoas(2011)
    ranks = draw.sample(range(1, SMALL_AREAS + 1), len(areas))
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(
        [HEADER, *(_row(area, names, rank, draw) for area, rank in zip(areas, ranks, strict=True))]
    )
    return text.getvalue().encode()


def _row(
    area: SmallArea, names: dict[str, str], rank: int, draw: random.Random
) -> tuple[object, ...]:
    income = draw.randint(1, SMALL_AREAS)
    return (
        area.code,
        area.name,
        area.district_code,
        names[area.district_code],
        f"{_score(rank):.3f}",
        rank,
        _decile(rank),
        f"{_score(income) / 200:.3f}",
        income,
        _decile(income),
        10 * draw.randint(110, 230),
    )


def _score(rank: int) -> float:
    """Return a made-up score, from 80 for the first rank to 0 for the last."""
    return 80 * (1 - rank / SMALL_AREAS) ** 2


def _decile(rank: int) -> int:
    return -(-rank * 10 // SMALL_AREAS)
