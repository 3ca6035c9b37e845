"""Severity weights and harm: the published layout is read, the sample's harm computed again."""

import csv
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from orchestration.config.settings import PROJECT
from tests.support import Ground, messages
from tests.workbooks import xls

SOURCE = PROJECT / "orchestration/ingest/sources/crime_severity_weights"
SEEDS = PROJECT / "dbt_project/seeds"
HEADER = ["Offence category", "Offence code", "Offence description", "Weight"]
ROWS: list[list[object]] = [
    ["Homicide", 1, "Made-up homicide", 5000.5],
    ["", "4.1", "Made-up killing", 4000],
    ["Robbery", "34B", "Made-up robbery", 700],
]


def delivered(ground: Ground, name: str, rows: list[list[object]], title: str = "") -> list[str]:
    """Land one workbook with a sheet of weights and load it; return the messages."""
    sheet = [[title or "List of weights"], [], HEADER, *rows, [], ["1. A note below the table."]]
    files: dict[str, str | bytes] = {
        name: xls({"Contents": [["Notes"]], "Force scores": [["x"]], "List of weights": sheet})
    }
    ground.put("crime_severity_weights", "2018-04-01", files)
    return messages(ground.load("crime_severity_weights"))


def test_the_published_layout_is_read(ground: Ground) -> None:
    """A category is printed in its first row, the year above the table."""
    delivered(ground, "cssdatatool.xls", ROWS, "Weights, year ending March 2018")
    assert ground.query(
        "select edition, offence_category, offence_code, weight, recorded_offences "
        "from raw.crime_severity_weights order by _line"
    ) == [
        (pd.Timestamp("2018-03-31").date(), category, code, weight, None)
        for category, code, weight in [
            ("Homicide", "1", 5000.5), ("Homicide", "4.1", 4000), ("Robbery", "34B", 700),
        ]
    ]  # fmt: skip


def test_the_year_may_be_in_the_name_of_the_file(ground: Ground) -> None:
    delivered(ground, "weights-2020.xls", ROWS)
    assert ground.value("select min(edition) from raw.crime_severity_weights").year == 2020


@pytest.mark.parametrize(
    ("name", "rows", "said"),
    [
        ("weights.xls", ROWS, ["weights.xls", "names no year", "crime-severity-weights-2018.xls"]),
        (
            "weights-2018.xls",
            [*ROWS, ["Robbery", "34A", "Made-up", "n/k"]],
            ["weights-2018.xls", "line 7", "Weight", "n/k"],
        ),
        (
            "weights-2018.xls",
            [*ROWS, ["Robbery", "34A", "Made-up", -5]],
            ["line 7", "column 'Weight'", "-5"],
        ),
        (
            "weights-2018.xls",
            [*ROWS, ["Robbery", "thirty", "Made-up", 5]],
            ["line 7", "column 'Offence code'", "thirty", "Home Office offence code"],
        ),
        ("weights-2018.xls", [*ROWS, ROWS[-1]], ["line 7", "are in an earlier row"]),
        ("weights-2018.xls", [], ["No row below the header holds a weight"]),
    ],
    ids=["no year", "no number", "below zero", "no code", "twice", "no rows"],
)
def test_a_broken_list_is_refused_with_its_place(
    ground: Ground, name: str, rows: list[list[object]], said: list[str]
) -> None:
    found = "\n".join(delivered(ground, name, rows))
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
    assert all("made-up" in (row["offence"].casefold() or "made-up")
               for row in _facts(SOURCE / "sample_weights.csv"))  # fmt: skip
