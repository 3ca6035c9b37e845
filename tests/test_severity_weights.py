"""Severity weights and harm: a list is read, and the sample's harm is computed again."""

import csv
from datetime import date
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from orchestration.config.settings import PROJECT
from tests.support import Ground, messages

SOURCE = PROJECT / "orchestration/ingest/sources/crime_severity_weights"
SEEDS = PROJECT / "dbt_project/seeds"
HEADER = "Edition,Offence category,Offence code,Offence,Weight,Recorded offences"
ROWS = [
    "31/03/2018,Homicide,1,Made-up homicide,5000.5,",
    "31/03/2018,Homicide,4.1,Made-up killing,4000,",
    "31/03/2018,Robbery,34B,Made-up robbery,700,12",
]


def delivered(ground: Ground, rows: list[str]) -> list[str]:
    """Land a list of weights and load it; return the messages."""
    content = "\n".join([HEADER, *rows, ""])
    ground.put("crime_severity_weights", "2018-04-01", {"weights.csv": content})
    return messages(ground.load("crime_severity_weights"))


def test_a_list_is_read(ground: Ground) -> None:
    assert delivered(ground, ROWS) == []
    assert ground.query(
        "select edition, offence_category, offence_code, weight, recorded_offences "
        "from raw.crime_severity_weights order by _line"
    ) == [
        (date(2018, 3, 31), category, code, weight, recorded)
        for category, code, weight, recorded in [
            ("Homicide", "1", 5000.5, None), ("Homicide", "4.1", 4000, None),
            ("Robbery", "34B", 700, 12),
        ]
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("31/03/2018,Robbery,34A,Made-up,n/k,", ["line 5", "column 'Weight'", "n/k"]),
        ("31/03/2018,Robbery,34A,Made-up,-5,", ["line 5", "column 'Weight'", "-5"]),
        (
            "31/03/2018,Robbery,thirty,Made-up,5,",
            ["line 5", "column 'Offence code'", "thirty", "Home Office offence code"],
        ),
        ("31/03/2018,,34A,Made-up,5,", ["line 5", "column 'Offence category'"]),
        ("31/03/2018,Total,,,99,", ["line 5", "column 'Offence'"]),
        (ROWS[-1], ["line 5", "are in an earlier row"]),
    ],
    ids=["no number", "below zero", "no code", "no category", "a total", "twice"],
)
def test_a_broken_list_is_refused_with_its_place(ground: Ground, row: str, said: list[str]) -> None:
    found = "\n".join(delivered(ground, [*ROWS, row]))
    assert all(part.casefold() in found.casefold() for part in said), found
    assert ground.query("select * from raw.crime_severity_weights") == []


def _facts(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def _mean_weights() -> dict[str, float]:
    """Average the sample's weights by hand: by recorded offences where all are known."""
    types = {
        row["offence_category"]: row["crime_type"]
        for row in _facts(SEEDS / "offence_categories.csv")
    }
    groups: dict[str, list[tuple[float, str]]] = {}
    for row in _facts(SOURCE / "sample_weights.csv"):
        if crime_type := types[row["offence_category"]]:
            groups.setdefault(crime_type, []).append(
                (float(row["weight"]), row["recorded_offences"])
            )
    means = {}
    for crime_type, rows in groups.items():
        counts = [float(count) if all(count for _, count in rows) else 1.0 for _, count in rows]
        weighed = (weight * count for (weight, _), count in zip(rows, counts, strict=True))
        means[crime_type] = sum(weighed) / sum(counts)
    return means


def test_harm_of_the_sample_is_offences_times_mean_weight(sample: Ground) -> None:
    with duckdb.connect(str(sample.settings.warehouse), read_only=True) as connection:
        months = connection.execute(
            "select area_code, crime_type, period_start, offences, population "
            "from marts.crime_trends where period_type = 'month'"
        ).df()
        found = connection.execute("from marts.crime_harm").df().set_index("area_code")
    means = _mean_weights()
    last = months.loc[months["offences"].notna(), "period_start"].max()
    of_year = months[months["period_start"] > last - pd.DateOffset(months=12)]
    counts = of_year.groupby(["area_code", "crime_type"])["offences"].sum()
    people = months[months["period_start"] == last].groupby("area_code")["population"].first()
    assert len(found) == 7 * 15
    assert set(found["edition"].dropna().astype(str)) == {"2018-03-31"}
    for area, rows in found.groupby(level=0):
        harms = {name: counts[area, name] * mean for name, mean in means.items()}
        harms["Total crime"] = sum(harms.values())
        own = rows.set_index("crime_type")
        assert own["harm_score"].drop("Anti-social behaviour").to_dict() == pytest.approx(harms)
        per_1000 = {name: 1000 * harm / people[area] for name, harm in harms.items()}
        assert own["harm_per_1000"].drop("Anti-social behaviour").to_dict() == pytest.approx(
            per_1000
        )
        shares = own["harm_share_percent"].drop(["Anti-social behaviour", "Total crime"])
        assert shares.sum() == pytest.approx(100)
        assert own.loc["Anti-social behaviour", "status"] == "[z]"
        assert own["harm_score"].isna().tolist() == (own.index == "Anti-social behaviour").tolist()
        assert own.loc["Total crime", "weighted_percent"] == 100
    methods = found.groupby("crime_type")["weight_method"].first().dropna()
    assert (methods["Drugs"], methods["Other crime"]) == ("unweighted", "category")


def test_the_sample_says_that_its_weights_are_made_up() -> None:
    receipt = (PROJECT / "raw/crime_severity_weights/2018-04-01/delivery.json").read_text()
    assert '"synthetic"' in receipt and "every weight, offence and number is made up" in receipt
    offences = [row["offence"].casefold() for row in _facts(SOURCE / "sample_weights.csv")]
    assert all("made-up" in one or one == "all offences" for one in offences)
