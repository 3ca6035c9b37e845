"""The priority matrix: scores and ranks computed again, and their range under other weights."""

from itertools import permutations
from typing import Any

import duckdb
import jinja2
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support import Ground, csv_rows
from tests.test_statistics import DBT, variables

KINDS = ("volume", "harm", "change", "rest", "concern")
MODEL = DBT / "models/marts/acquisitive_crime/crime_priorities.sql"
COMPARED = {
    "period_start": pd.Timestamp(2018, 1, 1), "area_type": "district",
    "population": 5000.0, "rest_population": 9000.0,
}  # fmt: skip


def declared() -> dict[str, float]:
    return {kind: float(variables()[f"priority_weight_{kind}"]) for kind in KINDS}


def weight_sets() -> list[dict[str, float]]:
    """Return the declared weights, then the twenty with one more and one less."""
    base, shift = declared(), variables()["priority_weight_shift"]
    sets = [base]
    for more, fewer in permutations(KINDS, 2):
        sets.append({**base, more: base[more] + shift, fewer: base[fewer] - shift})
    return sets


def scores(points: pd.DataFrame, weights: dict[str, float]) -> pd.Series:
    """Average each row's points by the weights of those that it has."""
    known = points[list(KINDS)].notna()
    weight = pd.Series(weights)[list(KINDS)]
    return (points[list(KINDS)].fillna(0) * weight).sum(axis=1) / (known * weight).sum(axis=1)


def places(points: pd.DataFrame) -> pd.DataFrame:
    """Return score, rank and the range of ranks of one area's types."""
    ranks = [scores(points, one).round(9).rank(method="min", ascending=False)
             for one in weight_sets()]  # fmt: skip
    return pd.DataFrame(
        {
            "priority_score": scores(points, declared()),
            "priority_rank": ranks[0],
            "priority_rank_best": pd.concat(ranks, axis=1).min(axis=1),
            "priority_rank_worst": pd.concat(ranks, axis=1).max(axis=1),
        }
    )


def test_the_declared_weights_are_a_hundred_and_stay_positive() -> None:
    assert sum(declared().values()) == 100
    assert min(value for one in weight_sets() for value in one.values()) > 0


def of_order(values: pd.Series) -> pd.Series:
    """Return 0 for the least of the values to 100 for the greatest."""
    return 100 * (values.rank(method="min") - 1) / (values.notna().sum() - 1)


def of_ratio(compared: pd.Series, lower: pd.Series, upper: pd.Series) -> pd.Series:
    higher = 50 + 50 * np.log2(lower.clip(lower=1)).clip(upper=1)
    lower_ones = 50 + 50 * np.log2(upper.clip(lower=0.5, upper=1)).clip(lower=-1)
    given = pd.Series(np.where(compared == "higher", higher, lower_ones), compared.index)
    return given.where(compared != "similar", 50.0).where(compared.notna())


def concern(area: str, responses: pd.DataFrame) -> dict[str, float]:
    """Place the issues by their share of an area's answers, in steps of five points."""
    own = responses[responses["area_code"] == area]
    by_answer = own.groupby("answer")["answer_count"].sum()
    if by_answer.sum() < 100:
        return {}
    counts: dict[str, float] = {}
    for row in csv_rows(DBT / "seeds/survey_concerns.csv"):
        counts[row["crime_type"]] = counts.get(row["crime_type"], 0) + by_answer[row["answer"]]
    bands = {
        name: int(100 * one / by_answer.sum() / 5 + 0.5) if one >= 10 else 0
        for name, one in counts.items()
    }
    order = sorted(set(bands.values()))
    return {name: 100 * order.index(band) / (len(order) - 1) for name, band in bands.items()}


def test_scores_and_ranks_of_the_sample_are_computed_again(sample: Ground) -> None:
    with duckdb.connect(str(sample.settings.warehouse), read_only=True) as connection:
        scanned = connection.execute("from marts.crime_scanning").df()
        harm = connection.execute("select area_code, crime_type, harm_score from marts.crime_harm")
        scanned = scanned.merge(harm.df(), on=["area_code", "crime_type"])
        responses = connection.execute(
            "select area_code, answer, answer_count from marts.survey_perceptions "
            "where question = 'csp_focus' and period_start between '2017-07-01' and '2018-06-30'"
        ).df()
        matrix = connection.execute("from marts.crime_priorities").df()
    assert len(matrix) == 7 * 14
    surveyed = set()
    for area, rows in scanned[scanned["crime_type"] != "Total crime"].groupby("area_code"):
        own = rows.set_index("crime_type").sort_index()
        asked = concern(str(area), responses)
        surveyed |= {area} if asked else set()
        points = pd.DataFrame(
            {
                "volume": of_order(own["offences"]),
                "harm": of_order(own["harm_score"]),
                "change": of_ratio(
                    own["compared_with_year_before"],
                    1 + own["change_percent_lower"] / 100,
                    1 + own["change_percent_upper"].fillna(np.inf) / 100,
                ),
                "rest": of_ratio(
                    own["compared_with_rest"], own["rate_ratio_lower"], own["rate_ratio_upper"]
                ),
                "concern": pd.Series(asked, dtype=float).reindex(own.index),
            }
        )
        wanted = places(points)
        found = matrix[matrix["area_code"] == area].set_index("crime_type").sort_index()
        for name in wanted:
            assert found[name].tolist() == pytest.approx(wanted[name].tolist()), (area, name)
        for kind in KINDS:
            assert found[f"{kind}_points"].tolist() == pytest.approx(
                points[kind].tolist(), nan_ok=True
            ), (area, kind)
        shown = own[["priority_score", "priority_rank"]].astype(float)
        assert shown.equals(found[["priority_score", "priority_rank"]].astype(float))
    assert surveyed == {"E07000010"}
    missing = matrix.set_index(["area_code", "crime_type"])["points_missing"]
    assert missing["E07000010", "Anti-social behaviour"] == "harm"
    assert missing["E07000008", "Burglary"] == "concern"
    assert missing["E23000023", "Burglary"] == "rest of force, concern"


def built(types: list[dict[str, Any]]) -> pd.DataFrame:
    """Build the model on one district's types, given by their points."""
    names = [f"T{number}" for number in range(len(types))]
    frame = pd.DataFrame(types)
    missing = dict.fromkeys(["area_name", "csp", "period_end", "period_label",
                             "status", "deliveries"], "x")  # fmt: skip
    compared = pd.DataFrame(
        {
            "area_code": "D", "crime_type": names, **COMPARED, **missing,
            "offences": frame["volume"],
            "compared_with_year_before": frame["change"].map(_word),
            "change_percent_lower": 100.0, "change_percent_upper": -50.0,
            "compared_with_rest": frame["rest"].map(_word),
            "rate_ratio_lower": 2.0, "rate_ratio_upper": 0.5,
        }
    )  # fmt: skip
    harm = pd.DataFrame({"area_code": "D", "crime_type": names, "harm_share_percent": 1.0,
                         "harm_score": frame["harm"].astype(float), "deliveries": "x"})  # fmt: skip
    concerns = pd.DataFrame({"area_code": "D", "crime_type": names, "issues": "x",
                             "concern_points": frame["concern"].astype(float),
                             "delivery": "x"})  # fmt: skip
    agencies = pd.DataFrame({"crime_type": names, "agencies": "x"})
    macros = "".join(
        (DBT / "macros" / name).read_text()
        for name in ("periods.sql", "status.sql", "scanning.sql")
    )
    template = jinja2.Environment(autoescape=False).from_string(macros + MODEL.read_text())
    sql = template.render(ref=lambda name: f"input_{name}", var=variables().__getitem__)
    with duckdb.connect() as connection:
        connection.register("input_int_crime_scanning__compared", compared)
        connection.register("input_crime_harm", harm.dropna(subset="harm_score"))
        connection.register("input_int_survey_concerns__ranked", concerns)
        connection.register("input_crime_type_agencies", agencies)
        return connection.execute(f"from ({sql}) order by crime_type").df()


def _word(points: int) -> str:
    return {0: "lower", 50: "similar", 100: "higher"}[points]


TYPES = st.lists(
    st.fixed_dictionaries(
        {
            "volume": st.integers(1, 9),
            "harm": st.none() | st.integers(1, 9),
            "change": st.sampled_from([0, 50, 100]),
            "rest": st.sampled_from([0, 50, 100]),
            "concern": st.none() | st.sampled_from([0, 50, 100]),
        }
    ),
    min_size=1,
    max_size=8,
)


@settings(max_examples=20, deadline=None)
@given(TYPES)
def test_a_rank_lies_in_its_range_and_a_score_between_its_points(types: list[dict]) -> None:
    found = built(types)
    assert (found["priority_rank_best"] <= found["priority_rank"]).all()
    assert (found["priority_rank"] <= found["priority_rank_worst"]).all()
    assert found["priority_rank"].min() == 1
    assert found["priority_rank_worst"].max() <= len(found)
    points = found[[f"{kind}_points" for kind in KINDS]]
    assert (points.min(axis=1) - 1e-9 <= found["priority_score"]).all()
    assert (found["priority_score"] <= points.max(axis=1) + 1e-9).all()


@settings(max_examples=10, deadline=None)
@given(TYPES)
def test_a_type_with_more_of_everything_is_never_below(types: list[dict]) -> None:
    top = {"volume": 10, "harm": 10, "change": 100, "rest": 100, "concern": 100}
    found = built([top, *types]).set_index("crime_type").loc["T0"]
    assert (found["priority_rank"], found["priority_rank_worst"]) == (1, 1)
