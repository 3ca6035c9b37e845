"""Small areas: counts, hot spots and concentration, computed again from the published file."""

import json
from collections.abc import Callable
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest
import shapely
from scipy.stats import binomtest, false_discovery_control, norm, rankdata

from orchestration.exports.charts.crime_map import (
    BANDS,
    crime_map,
    map_words,
    mapped_places,
    shades,
)
from orchestration.ingest.reading.boundary import BoundaryError, boundary_text
from tests.support import Ground

TESTED = ("hot spot", "cold spot", "not clear")


@pytest.fixture(scope="module")
def published(sample: Ground) -> Callable[[str], pd.DataFrame]:
    return reading(sample)


def reading(home: Ground) -> Callable[[str], pd.DataFrame]:
    path = home.settings.published / "csp.duckdb"

    def read(query: str) -> pd.DataFrame:
        with duckdb.connect(path, read_only=True) as connection:
            return connection.execute(query).df()

    return read


def test_small_areas_and_districts_have_the_same_offences(published) -> None:
    places = published(
        "select area_code, month, crime_type, sum(offences) as placed"
        " from marts.crime_by_small_area group by all"
    )
    districts = published(
        "select area_code, month, crime_type, offences from marts.crime_monthly"
        " where area_type = 'district' and offences > 0"
        " and month > (select max(month) - interval 36 month from marts.crime_monthly)"
    )
    both = places.merge(districts, how="outer", on=["area_code", "month", "crime_type"])
    assert len(both) > 1000
    assert both["month"].nunique() == 36
    assert (both["placed"] == both["offences"]).all()


def test_wards_and_small_areas_have_the_same_offences(published) -> None:
    (wards,) = published(
        "select sum(offences) from marts.crime_by_ward_and_town where place_type = 'ward'"
    ).iloc[0]
    (places,) = published(
        "select sum(offences) from marts.crime_by_small_area"
        " inner join marts.small_areas using (small_area_code) where ward_code is not null"
    ).iloc[0]
    assert wards == places > 10_000


def check_hot_spots(published: Callable[[str], pd.DataFrame]) -> int:
    """Compute each Gi* and verdict again, neighbours by shape; return how many were called."""
    spots = published("from marts.crime_hot_spots")
    shapes = published("from marts.small_areas where boundary is not null")
    boundary = dict(zip(shapes["small_area_code"], shapes["boundary"], strict=True))
    found = 0
    for _, of_type in spots[spots["verdict"].isin(TESTED)].groupby(["crime_type", "force"]):
        geometries = shapely.from_geojson([boundary[code] for code in of_type["small_area_code"]])
        tree = shapely.STRtree(geometries)
        around = np.zeros((len(geometries), len(geometries)))
        first, second = tree.query(geometries, predicate="intersects")
        around[first, second] = 1
        ranks = rankdata(of_type["offences"])
        n, sizes = len(ranks), around.sum(axis=1)
        spread = ranks.std() * np.sqrt((n * sizes - sizes**2) / (n - 1))
        gi_star = (around @ ranks - sizes * ranks.mean()) / spread
        adjusted = false_discovery_control(2 * norm.sf(abs(gi_star)))
        called = np.where(
            adjusted > 0.05, "not clear", np.where(gi_star > 0, "hot spot", "cold spot")
        )
        np.testing.assert_allclose(of_type["gi_star"].astype(float), gi_star, atol=1e-9)
        assert list(of_type["verdict"]) == list(called)
        assert list(of_type["places_around"]) == list(sizes)
        assert list(of_type["offences_around"]) == list(around @ of_type["offences"])
        found += int((called != "not clear").sum())
    return found


def with_force(published: Callable[[str], pd.DataFrame]) -> Callable[[str], pd.DataFrame]:
    """Add to the hot spots the force of each small area, within which they are tested."""

    def read(query: str) -> pd.DataFrame:
        if "crime_hot_spots" not in query:
            return published(query)
        return published(
            "select spots.*, small_areas.force_code as force from marts.crime_hot_spots as spots"
            " inner join marts.small_areas using (small_area_code)"
        )

    return read


def test_hot_spots_of_the_sample_are_as_computed_again(published) -> None:
    # The sample spreads crime over the small areas of a district at random, so there is none.
    assert check_hot_spots(with_force(published)) == 0


def test_hot_spots_of_the_real_extracts_are_as_computed_again(real: Ground) -> None:
    read = with_force(reading(real))
    assert check_hot_spots(read) > 100
    labels = read("from marts.crime_hot_spots")["period_label"].unique()
    assert list(labels) == ["6 of the twelve months to June 2024"]


def test_types_with_few_offences_are_not_tested(published) -> None:
    spots = published(
        "select crime_type, avg(offences) filter (where boundary is not null) as mean,"
        " count(*) filter (where verdict in ('hot spot', 'cold spot', 'not clear')) as tested"
        " from marts.crime_hot_spots inner join marts.small_areas using (small_area_code)"
        " group by crime_type"
    )
    assert (spots["tested"] > 0).sum() == (spots["mean"] >= 1).sum() >= 2
    assert ((spots["mean"] >= 1) == (spots["tested"] > 0)).all()


def test_concentration_is_as_computed_again(published) -> None:
    spots = published(
        "select small_area_code, area_code, crime_type, offences, offences_year_before"
        " from marts.crime_hot_spots"
    )
    stated = published("from marts.crime_concentration where area_type = 'district'")
    stated = stated.set_index(["area_code", "crime_type"])
    for key, places in spots.groupby(["area_code", "crime_type"]):
        row = stated.loc[key]
        number = -(-len(places) // 20)
        total = places["offences"].sum()
        by_count = places.sort_values(["offences", "small_area_code"], ascending=[False, True])
        assert row["highest_places"] == number
        assert row["offences_in_highest"] == by_count["offences"][:number].sum()
        earlier = places.sort_values(
            ["offences_year_before", "small_area_code"], ascending=[False, True]
        )["offences"][:number].sum()
        if not total or not places["offences_year_before"].sum():
            continue
        limits = binomtest(int(earlier), int(total)).proportion_ci(method="wilson")
        assert row["share_of_highest"] == pytest.approx(row["offences_in_highest"] / total)
        assert row["share_of_earlier_highest_lower"] == pytest.approx(limits.low, abs=1e-9)
        assert row["share_of_earlier_highest_upper"] == pytest.approx(limits.high, abs=1e-9)
    assert len(stated) == spots.groupby(["area_code", "crime_type"]).ngroups == 90


# The map


def records(rows: pd.DataFrame) -> list[dict[str, Any]]:
    """Return rows as mappings, with None where there is no value."""
    found = rows.astype(object).where(rows.notna(), None).to_dict("records")
    return [{str(name): value for name, value in row.items()} for row in found]


def test_map_draws_each_small_area_with_a_boundary(published) -> None:
    rows = records(
        published("from reports.page_crime_map where area_name = 'Fenland' order by row_order")
    )
    places = mapped_places(rows)
    words = map_words(places, "map", "Crime map", "Total crime", "June 2018", ["Source"], True)
    drawn = crime_map(places, words)
    assert drawn is not None
    svg = drawn.svg.decode()
    assert svg.count('id="small area"') == sum(one.boundary is not None for one in places) == 54
    highest = max(rows, key=lambda row: row["offences"])
    assert f"Most offences: {highest['small_area_name']} {highest['offences']};" in drawn.alt
    assert "Hot spots: none." in drawn.alt
    left = [row["offences"] for row in rows if row["verdict"] == "no boundary"]
    assert f"1 small area is not drawn, with {left[0]} offences" in drawn.alt


def test_map_without_boundaries_is_not_drawn(published) -> None:
    query = "select * replace (null as boundary) from reports.page_crime_map limit 3"
    places = mapped_places(records(published(query)))
    words = map_words(places, "map", "Crime map", "Total crime", "June 2018", [], False)
    assert crime_map(places, words) is None


def test_bands_differ_in_lightness() -> None:
    lightness = [
        sum(
            weight * int(colour[at : at + 2], 16)
            for weight, at in ((0.21, 1), (0.72, 3), (0.07, 5))
        )
        for colour in (shades()[band] for band in BANDS)
    ]
    assert lightness == sorted(lightness)
    assert min(np.diff(lightness)) > 25


# Boundaries as they are delivered

SQUARE = [[0.1, 52.5], [0.2, 52.5], [0.2, 52.6], [0.1, 52.6], [0.1, 52.5]]


def test_a_boundary_is_a_multipolygon_with_five_decimals() -> None:
    precise = [[x + 0.000000123, y, 7.0] for x, y in SQUARE]
    text = boundary_text({"type": "Polygon", "coordinates": [precise]})
    assert json.loads(text or "") == {"type": "MultiPolygon", "coordinates": [[SQUARE]]}


@pytest.mark.parametrize("geometry", [None, {"type": "MultiPolygon", "coordinates": []}])
def test_nothing_is_no_boundary(geometry: object) -> None:
    assert boundary_text(geometry) is None


@pytest.mark.parametrize(
    ("geometry", "why"),
    [
        ({"type": "Point", "coordinates": [0.1, 52.5]}, "is not a polygon"),
        ({"type": "Polygon", "coordinates": [[[541000.5, 297000.2]] * 4]}, "WGS 84"),
        ({"type": "Polygon", "coordinates": "everywhere"}, "is not a geometry"),
        ({"type": "Polygon", "coordinates": [[[0.1, 52.5], [0.2, 52.5]]]}, "is not a geometry"),
        ({"type": "Polygon", "coordinates": [[[0.1, 52.5]] * 4]}, "encloses no area"),
        ({"type": "Cube"}, "is not a geometry"),
        ("E01018058", "is not a geometry"),
        (7, "is not a geometry"),
        ([], "is not a geometry"),
    ],
)
def test_what_is_no_boundary_says_why(geometry: object, why: str) -> None:
    with pytest.raises(BoundaryError, match=why):
        boundary_text(geometry)


def test_a_boundary_that_cannot_be_used_is_a_warning_and_its_codes_are_read(ground: Ground) -> None:
    grid = {"type": "Polygon", "coordinates": [[[541000.5, 297000.2]] * 4]}
    good = {"type": "Polygon", "coordinates": [SQUARE]}
    features = [
        {
            "type": "Feature",
            "properties": {"LSOA21CD": f"E0100000{n}", "LADCD_ACTIVE": "E07000010"},
            "geometry": geometry,
        }
        for n, geometry in enumerate([good, grid, grid, None])
    ]
    content = json.dumps({"type": "FeatureCollection", "features": features})
    ground.put("area_lookups", "2018-04-01", {"areas.geojson": content})
    report = ground.load("area_lookups", as_at="2018-04-01")
    (warning,) = [str(one) for outcome in report.outcomes for one in outcome.warnings]
    assert "areas.geojson, line 2, column 'geometry': The geometry of 2 features" in warning
    assert "WGS 84" in warning
    loaded = ground.query("select area_code, boundary from raw.area_lookups order by 1")
    assert [code for code, _ in loaded] == [f"E0100000{n}" for n in range(4)]
    assert [boundary is None for _, boundary in loaded] == [False, True, True, True]
