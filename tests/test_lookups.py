"""Area lookups of any edition are read, beside each other, and unknown ones are refused."""

import json

import pytest

from tests.support import Ground, messages

SMALL = ("E01018058", "Fenland 008A", "E07000010", "Fenland")


def load(
    ground: Ground, content: str | bytes, name: str = "lookup.csv", quarter: str = "2018-04-01"
):
    ground.put("area_lookups", quarter, {name: content})
    return ground.load("area_lookups", as_at=quarter)


def rows(ground: Ground) -> list[tuple[object, ...]]:
    return ground.query(
        "select kind, year(vintage), year(district_vintage), area_code, area_name, part_code, "
        "district_code, district_name, force_code from raw.area_lookups order by all"
    )


@pytest.mark.parametrize(
    ("header", "line", "expected"),
    [
        pytest.param(
            "LSOA11CD,LSOA11NM,WD17CD,WD17NM,WD17NMW,LAD17CD,LAD17NM,FID",
            "E01018058,Fenland 008A,E05005300,Medworth,,E07000010,Fenland,1",
            ("lsoa_2011", 2011, 2017, SMALL[0], SMALL[1], None, SMALL[2], SMALL[3], None),
            id="LSOA 2011 to ward and district of 2017",
        ),
        pytest.param(
            "LSOA11CD,LSOA11NM,WD20CD,WD20NM,LAD20CD,LAD20NM",
            "E01018058,Fenland 008A,E05005300,Medworth,E07000010,Fenland",
            ("lsoa_2011", 2011, 2020, SMALL[0], SMALL[1], None, SMALL[2], SMALL[3], None),
            id="LSOA 2011 to ward and district of 2020",
        ),
        pytest.param(
            "LSOA21CD,LSOA21NM,LAD23CD,LAD23NM,ObjectId",
            "E01018058,Fenland 008A,E07000010,Fenland,1",
            ("lsoa_2021", 2021, 2023, SMALL[0], SMALL[1], None, SMALL[2], SMALL[3], None),
            id="LSOA 2021 to district of 2023",
        ),
        pytest.param(
            "LSOA21CD,LSOA21NM,LSOA21NMW,LTLA24CD,LTLA24NM",
            "E01018058,Fenland 008A,,E07000010,Fenland",
            ("lsoa_2021", 2021, 2024, SMALL[0], SMALL[1], None, SMALL[2], SMALL[3], None),
            id="lower tier local authorities",
        ),
        pytest.param(
            "lsoa21cd,lsoa21nm,lad22cd,lad22nm",
            "E01018058,Fenland 008A,E07000010,Fenland",
            ("lsoa_2021", 2021, 2022, SMALL[0], SMALL[1], None, SMALL[2], SMALL[3], None),
            id="headings in small letters",
        ),
        pytest.param(
            "LSOA21CD,LAD22CD",
            "E01018058,E07000010",
            ("lsoa_2021", 2021, 2022, SMALL[0], None, None, SMALL[2], None, None),
            id="codes without names",
        ),
        pytest.param(
            "LSOA11CD,LSOA11NM,LSOA21CD,LSOA21NM,CHGIND,LAD22CD,LAD22NM,LAD22NMW,ObjectId",
            "E01018058,Fenland 008A,E01035536,Fenland 011F,S,E07000010,Fenland,,1",
            ("lsoa_2011", 2011, 2022, SMALL[0], SMALL[1], "E01035536", SMALL[2], SMALL[3], None),
            id="LSOA 2011 to LSOA 2021 to district",
        ),
        pytest.param(
            "OA21CD,LSOA21CD,LSOA21NM,MSOA21CD,MSOA21NM,LAD22CD,LAD22NM,ObjectId",
            "E00090000,E01018058,Fenland 008A,E02003732,Fenland 008,E07000010,Fenland,1",
            ("lsoa_2021", 2021, 2022, SMALL[0], SMALL[1], "E00090000", SMALL[2], SMALL[3], None),
            id="output areas",
        ),
        pytest.param(
            "LAD19CD,LAD19NM,FID",
            "E07000010,Fenland,1",
            ("district", 2019, 2019, SMALL[2], SMALL[3], None, SMALL[2], SMALL[3], None),
            id="district names",
        ),
        pytest.param(
            "LAD22CD,LAD22NM,RGN22CD,RGN22NM",
            "E07000010,Fenland,E12000006,East of England",
            ("district", 2022, 2022, SMALL[2], SMALL[3], None, SMALL[2], SMALL[3], None),
            id="district to region",
        ),
        pytest.param(
            "LAD22CD,LAD22NM,CSP22CD,CSP22NM,PFA22CD,PFA22NM,ObjectId",
            "E07000010,Fenland,E22000044,Fenland,E23000023,Cambridgeshire,1",
            ("district_force", 2022, 2022, SMALL[2], SMALL[3], None, SMALL[2], SMALL[3],
             "E23000023"),
            id="district to police force area",
        ),
    ],
)  # fmt: skip
def test_a_lookup_is_known_by_its_headings(
    ground: Ground, header: str, line: str, expected: tuple[object, ...]
) -> None:
    report = load(ground, f"{header}\n{line}\n", name="downloaded (3).csv")
    assert messages(report) == []
    assert rows(ground) == [expected]


@pytest.mark.parametrize(
    ("district", "edition"), [("LADCD_ACTIVE", 2021), ("LAD22CD", 2022), ("lad23cd", 2023)]
)
def test_boundaries_are_known_by_their_properties(
    ground: Ground, district: str, edition: int
) -> None:
    area = {"FID": 1, "LSOA21CD": "E01018058", "LSOA21NM": "Fenland 008A", district: "E07000010"}
    features = [{"type": "Feature", "properties": area, "geometry": None}]
    content = json.dumps({"type": "FeatureCollection", "features": features})
    assert messages(load(ground, content, name="any.geojson")) == []
    assert rows(ground) == [("lsoa_2021", 2021, edition, *SMALL[:2], None, SMALL[2], None, None)]


@pytest.mark.parametrize(
    ("header", "line", "why", "rule"),
    [
        ("WD22CD,WD22NM,LAD22CD,LAD22NM", "E05005300,Medworth,E07000010,Fenland",
         "codes of WD and none of small areas", "has every column"),
        ("LSOA01CD,LSOA01NM,LAD11CD,LAD11NM", "E01018058,Fenland 008A,E07000010,Fenland",
         "LSOA01CD is not a small area of 2011 or 2021", "is a known lookup"),
        ("LSOA11CD,LSOA21CD,CHGIND", "E01018058,E01018058,U", "district codes (LADyyCD)",
         "has a header"),
        ("LAD22CD,RGN22CD", "E07000010,E12000006", "without the districts' names",
         "is a known lookup"),
        ("postcode,latitude", "PE13 1AA,52.6", "district codes (LADyyCD)", "has a header"),
    ],
)  # fmt: skip
def test_an_unknown_layout_is_refused_with_those_that_are_known(
    ground: Ground, header: str, line: str, why: str, rule: str
) -> None:
    report = load(ground, f"{header}\n{line}\n")
    (said,) = messages(report)
    assert why in said and "LSOA 2011 to LSOA 2021 to district (all three)" in said
    assert f"[rule: {rule}]" in said


def test_a_split_area_remains_on_several_rows(ground: Ground) -> None:
    header = "LSOA11CD,LSOA11NM,LSOA21CD,LSOA21NM,CHGIND,LAD22CD,LAD22NM,LAD22NMW,ObjectId"
    first = "E01018058,Fenland 008A,E01035536,Fenland 011F,S,E07000010,Fenland,,1"
    second = "E01018058,Fenland 008A,E01035537,Fenland 011G,S,E07000010,Fenland,,2"
    assert messages(load(ground, "\n".join([header, first, second, ""]))) == []
    assert len(rows(ground)) == 2
    other = second.replace("E07000010,Fenland", "E07000011,Huntingdonshire")
    twice = load(ground, "\n".join([header, first, second, other, ""]), quarter="2018-07-01")
    assert any("are in an earlier row" in said for said in messages(twice))


def test_every_lookup_that_was_landed_is_in_force(ground: Ground) -> None:
    header = "LSOA21CD,LSOA21NM,LAD23CD,LAD23NM"
    load(ground, f"{header}\nE01018058,Fenland 008A,E07000010,Fenland\n")
    load(ground, f"{header}\nE01029000,Mendip 001A,E06000066,Somerset\n", quarter="2018-07-01")
    ground.resolve("2018-07-01")
    assert ground.query(
        "select series, quarter::varchar from control.in_force order by quarter"
    ) == [("lsoa_2021", "2018-04-01"), ("lsoa_2021", "2018-07-01")]
