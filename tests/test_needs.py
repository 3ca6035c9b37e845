"""Needs and probation caseloads: the assessment's printed numbers, and bad deliveries of them.

Printed values stand in ``golden/``. Where one cannot be right, both it and the truth are asserted.
"""

import csv
import io
import zipfile
from collections.abc import Callable
from datetime import date
from typing import Any

import duckdb
import pytest

from orchestration.ingest.sources.oasys_assessments import sample as oasys_sample
from orchestration.ingest.sources.probation_caseload import sample as caseload_sample
from tests.support import GOLDEN, Ground, csv_rows, messages

FORCE = "E23000023"
FENLAND = "E07000010"
# What the print calls a column or row, and what it is here.
CODES = {"Out of county": f"{FORCE}:outside", "No geographic data": f"{FORCE}:unlocated"}
DIMENSIONS = {
    "Number of Offenders Per District": "Number of offenders",
    "OGSR 3": "OGRS 3",
    "Mental Health": "Mental health",
}
CATEGORIES = {
    "Number of Offenders": "Number of offenders",
    "ETE": "Education Training and Employment",
}


def area_code(row: dict[str, str]) -> str:
    return row["gss_code"] or CODES[row["area_name"]]


# --- Tables 3, 4 and 6, Appendix C -----------------------------------------------------------


def test_every_cell_of_table_3_is_regenerated(sample: Ground) -> None:
    printed = {
        (row["pathway"], area_code(row)): int(row["assessed_offenders"])
        for row in csv_rows(GOLDEN / "table3_oasys_pathways.csv")
    }
    ours = {
        (pathway, area): offenders
        for pathway, area, offenders in sample.query(
            "select pathway, area_code, offenders from reports.table_3_oasys_pathways"
        )
    }
    assert len(printed) == 77
    assert {key: ours[key] for key in printed} == printed
    assert ours["Total OASys assessments completed", FORCE] == 1582
    assert ours["Total OASys assessments completed", f"{FORCE}:outside"] == 0


def test_table_3_has_its_printed_order(sample: Ground) -> None:
    printed = list(
        dict.fromkeys(r["pathway"] for r in csv_rows(GOLDEN / "table3_oasys_pathways.csv"))
    )
    ours = sample.query(
        "select pathway from reports.table_3_oasys_pathways where column_order = 1 "
        "order by row_order"
    )
    assert [pathway for (pathway,) in ours] == printed


def test_table_4_tells_no_need_from_not_assessed(sample: Ground) -> None:
    printed = {
        row["assessed_needs"]: int(row["offenders"])
        for row in csv_rows(GOLDEN / "table4_need_complexity.csv")
    }
    ours = dict(
        sample.query(
            "select assessed_needs, offenders from reports.table_4_need_complexity "
            "where csp = 'fenland' order by row_order"
        )
    )
    assert {key: ours[key] for key in printed if key != "0"} == {
        key: offenders for key, offenders in printed.items() if key != "0"
    }
    assert (printed["0"], ours["0"], ours["Not assessed"]) == (92, 5, 87)
    assert ours["0"] + ours["Not assessed"] == printed["0"]
    assert ours["All offenders"] == sum(printed.values()) == 275
    assert ours["10"] == 0


def test_needs_of_table_4_are_those_of_table_3(sample: Ground) -> None:
    ours = sample.value(
        "select sum(needs * offenders) from marts.need_complexity "
        f"where cohort = 'CRC' and area_code = '{FENLAND}'"
    )
    printed = sum(
        int(row["assessed_offenders"])
        for row in csv_rows(GOLDEN / "table3_oasys_pathways.csv")
        if row["gss_code"] == FENLAND and not row["pathway"].startswith("Total")
    )
    assert ours == printed == 666


def test_table_6_is_regenerated_but_for_the_row_pasted_twice(sample: Ground) -> None:
    printed = {
        (row["pathway"], row["group"]): (int(row["offenders"]), row["pct_printed"])
        for row in csv_rows(GOLDEN / "table6_acquisitive_pathways.csv")
    }
    ours = {
        (pathway, group): (offenders, "" if percent is None else str(percent))
        for pathway, group, offenders, percent in sample.query(
            "select pathway, offender_group, offenders, percent "
            "from reports.table_6_acquisitive_pathways"
        )
    }
    assert ours.keys() == printed.keys()
    differing = {key for key in printed if printed[key] != ours[key]}
    assert differing == {("Finance", group) for group in ("Total", "Men", "Women")}
    for group in ("Total", "Men", "Women"):
        assert printed["Finance", group] == printed["Relationships", group]
    assert ours["Finance", "Total"][0] == ours["Finance", "Men"][0] + ours["Finance", "Women"][0]


def test_appendix_c_is_regenerated_with_the_pathway_left_out(sample: Ground) -> None:
    words = {
        "Attitudes": "Attitudes to offending", "Lifestyle and Associates": "Lifestyles",
        "Alcohol Misuse": "Alcohol", "Emotional Wellbeing": "Emotional",
        "Financial Management and Income": "Finance", "Drug Misuse": "Drugs",
        "Education, Training and Employability": "Education Training and Employment",
    }  # fmt: skip
    printed = {
        words.get(row["pathway"], row["pathway"]): int(row["pct_printed"])
        for row in csv_rows(GOLDEN / "appendix_c_pathway_percentages.csv")
    }
    ours = dict(sample.query("select pathway, percent from reports.appendix_c_pathways"))
    assert ours == printed | {"Thinking and Behaviour": 89}
    assert sample.query("select distinct base from reports.appendix_c_pathways") == [(1582,)]


# --- Figure 5 --------------------------------------------------------------------------------

# Printed and ours, where the printed value is impossible: no number of people gives it, or the
# categories leave people out or hold too many. Keyed by our dimension, category and area.
IMPOSSIBLE = {
    ("Ethnicity", "White British", "E07000008"): (77, 78),
    ("OGRS 3", "Blank", "E07000009"): (13, 0),
    ("OGRS 3", "Blank", FENLAND): (0, 7),
    ("OGRS 3", "Blank", "E07000011"): (0, 1),
    ("OGRS 3", "Blank", "E06000031"): (0, 3),
    ("OGRS 3", "Blank", f"{FORCE}:unlocated"): (0, 10),
    ("Age group", "Not known", FORCE): (0, 1),
    ("Ethnicity", "Other, Gypsy or Irish traveller", FORCE): (2, 3),
    ("Ethnicity", "Refusal and Unknown", FORCE): (0, 1),
    ("OGRS 3", "Low <25", FORCE): (27, 37),
    ("OGRS 3", "Medium 25-40", FORCE): (11, 13),
    ("OGRS 3", "High 41-79", FORCE): (32, 34),
    ("OGRS 3", "Blank", FORCE): (18, 6),
    ("Offence category", "Sexual", FORCE): (30, 31),
}


def figure_5(sample: Ground) -> dict[tuple[str, str, str], int]:
    return {
        (dimension, category, area): people if percent is None else percent
        for dimension, category, area, people, percent in sample.query(
            "select dimension, category, area_code, people, percent "
            "from reports.figure_5_nps_profile"
        )
    }


def printed_figure_5() -> dict[tuple[str, str, str], int]:
    return {
        (
            DIMENSIONS.get(row["dimension"], _sentence_case(row["dimension"])),
            CATEGORIES.get(row["category"], row["category"]),
            area_code(row),
        ): int(row["value"])
        for row in csv_rows(GOLDEN / "figure5_nps_profile.csv")
    }


def _sentence_case(text: str) -> str:
    return {"Age Group": "Age group", "Order Category": "Order category"}.get(text, text)


def test_every_possible_cell_of_figure_5_is_regenerated(sample: Ground) -> None:
    printed, ours = printed_figure_5(), figure_5(sample)
    assert len(printed) == 450
    assert printed.keys() <= ours.keys()
    differing = {key: (printed[key], ours[key]) for key in printed if printed[key] != ours[key]}
    assert differing == IMPOSSIBLE


def test_figure_5_says_nothing_that_was_not_printed_but_about_no_address(sample: Ground) -> None:
    rest = {area for _, _, area in figure_5(sample).keys() - printed_figure_5().keys()}
    assert rest == {f"{FORCE}:unstated"}


def test_the_forty_eight_in_no_column_are_a_row(sample: Ground) -> None:
    ours = figure_5(sample)
    offenders = "Number of offenders"
    assert ours[offenders, offenders, f"{FORCE}:unstated"] == 48
    columns = [
        count for (name, _, area), count in ours.items() if name == offenders and area != FORCE
    ]
    assert ours[offenders, offenders, FORCE] == 1448 == sum(columns)


def test_fenland_ages_of_figure_5_are_whole_people(sample: Ground) -> None:
    ages = sample.query(
        "select people from reports.figure_5_nps_profile where dimension = 'Age group' "
        f"and area_code = '{FENLAND}' order by row_order"
    )
    assert [people for (people,) in ages] == [1, 16, 15, 14, 7, 14, 18, 5, 0]


# --- accommodation, and what the text says ---------------------------------------------------


@pytest.mark.parametrize(
    ("cohort", "area", "need", "assessed", "caseload", "percent"),
    [
        ("CRC", FENLAND, 25, 188, 275, 13),
        ("NPS", FENLAND, 12, 69, 90, 17),
        ("CRC and NPS", FENLAND, 37, 257, 365, 14),
        ("CRC", "E06000031", 92, 503, None, 18),
        ("NPS", FORCE, None, None, 1448, 38),
    ],
)  # fmt: skip
def test_accommodation_need_is_as_printed(
    sample: Ground,
    cohort: str,
    area: str,
    need: int | None,
    assessed: int | None,
    caseload: int | None,
    percent: int,
) -> None:
    ((*ours, share),) = sample.query(
        "select offenders_with_need, assessed, caseload, percent "
        f"from reports.figure_6_accommodation_need where cohort = '{cohort}' "
        f"and area_code = '{area}'"
    )
    wanted = (need, assessed, caseload)
    assert [mine for mine, one in zip(ours, wanted, strict=True) if one is not None] == [
        one for one in wanted if one is not None
    ]
    assert int(share + 0.5) == percent


@pytest.mark.parametrize(
    ("cohort", "area", "oracle"),
    [
        ("CRC", FENLAND, "prop_crc_accom_fenland"),
        ("NPS", FENLAND, "prop_nps_accom_fenland"),
        ("CRC", "E06000031", "prop_crc_accom_peterborough"),
    ],
)
def test_accommodation_need_has_the_worked_limits(
    sample: Ground, cohort: str, area: str, oracle: str
) -> None:
    (ours,) = sample.query(
        "select 100 * proportion, 100 * proportion_lower, 100 * proportion_upper "
        f"from marts.accommodation_need where cohort = '{cohort}' and area_code = '{area}'"
    )
    (worked,) = (
        r["expected"] for r in csv_rows(GOLDEN / "oracles.csv") if r["oracle_id"] == oracle
    )
    assert ours == pytest.approx([float(part) for part in worked.split(";")], rel=1e-9)


def test_fenlands_rank_in_accommodation_need_is_as_the_text_says(sample: Ground) -> None:
    for cohort, place in (("CRC", 2), ("NPS", 1)):
        districts = sample.query(
            "select csp from marts.accommodation_need "
            f"where cohort = '{cohort}' and area_type = 'district' order by proportion"
        )
        assert [csp for (csp,) in districts].index("fenland") == place - 1


def test_fenlands_mean_needs_are_mid_table(sample: Ground) -> None:
    ours = sample.query(
        "select csp, round(sum(needs * offenders) / any_value(base) filter (where needs = 0), 2) "
        "from marts.need_complexity where cohort = 'CRC' and area_type = 'district' "
        "group by csp order by 2"
    )
    assert ours == [
        ("huntingdonshire", 3.42), ("east-cambridgeshire", 3.46), ("fenland", 3.54),
        ("south-cambridgeshire", 3.57), ("peterborough", 3.86), ("cambridge", 3.88),
    ]  # fmt: skip


CRC_MAY_2018 = {
    ("Gender", "Female"): (46, 17, None),
    ("Gender", "Male"): (226, 83, None),
    ("Accommodation status", "Transient or temporary"): (27, 9.9, 10.1),
    ("Accommodation status", "Homeless"): (4, None, None),
    ("Accommodation status", "No fixed abode"): (1, None, None),
    ("Disability", "Yes"): (89, 33, None),
    ("Suicide or self-harm", "Yes"): (12, 4.4, 4.5),
    ("Age under 21", "Yes"): (20, 7.4, 7.5),
    ("Age group", "31-35"): (56, None, None),
    ("Area classification", "Rural Tenants"): (51, 19, None),
    ("Ethnicity", "White British"): (182, 67, None),
    ("Ethnicity", "White: Other inc Irish"): (65, 24, None),
    ("Offence category", "Violence"): (90, 33, None),
    ("Offence category", "Acquisitive"): (63, 23, None),
    ("Offence category", "Motoring"): (63, 23, None),
}


def crc_may_2018(sample: Ground) -> dict[tuple[str, str], tuple[int, float, float | None]]:
    return {
        (dimension, category): (people, share, of_known)
        for dimension, category, people, share, of_known in sample.query(
            "select dimension, category, people, 100 * proportion, 100 * proportion_of_known "
            "from marts.probation_profile where cohort = 'CRC' and period_label = 'May 2018' "
            f"and area_code = '{FENLAND}'"
        )
    }


def test_crc_service_users_of_may_2018_are_as_the_text_says(sample: Ground) -> None:
    """One decimal: the print divides by those with something recorded, and not by the 272."""
    ours = crc_may_2018(sample)
    for key, (people, percent, of_known) in CRC_MAY_2018.items():
        mine, share, share_of_known = ours[key]
        assert mine == people, key
        if percent is not None:
            assert round(share, 1 if of_known else 0) == percent, key
        if of_known is not None:
            assert share_of_known is not None and round(share_of_known, 1) == of_known, key
            assert percent != of_known
    assert ours["Accommodation status", "Not known"][0] == 4
    for dimension, largest in (("Age group", "31-35"), ("Area classification", "Rural Tenants")):
        others = {
            category: people for (name, category), (people, *_) in ours.items() if name == dimension
        }
        assert max(others, key=lambda category: others[category]) == largest


@pytest.mark.parametrize(
    ("cohort", "month", "people"),
    [("CRC", "February 2017", 275), ("NPS", "February 2017", 90), ("CRC", "May 2017", 278),
     ("CRC", "May 2018", 272)],
)  # fmt: skip
def test_fenland_caseloads_are_as_printed(
    sample: Ground, cohort: str, month: str, people: int
) -> None:
    found = sample.query(
        "select distinct caseload from marts.probation_profile where cohort = "
        f"'{cohort}' and period_label = '{month}' and area_code = '{FENLAND}'"
    )
    assert found == [(people,)]


# --- the shape of the marts ------------------------------------------------------------------


def test_all_six_districts_are_served(sample: Ground) -> None:
    for table in ("need_pathways", "need_complexity", "accommodation_need", "probation_profile"):
        found = sample.value(
            f"select count(distinct csp) from marts.{table} where area_type = 'district'"
        )
        assert found == 6, table


def test_an_unanswered_pathway_is_not_no_need(sample: Ground) -> None:
    ((assessed, unanswered, answered),) = sample.query(
        "select assessed, unanswered, answered from marts.need_pathways where cohort = 'NPS' "
        f"and area_code = '{FORCE}:outside' and pathway = 'Alcohol' and sex = 'All' "
        "and offence_group = 'All'"
    )
    assert (unanswered, answered) == (3, assessed - 3)


def test_fenland_does_not_differ_from_itself(sample: Ground) -> None:
    """The comparison is with the rest of the cohort, so the two add up to the force."""
    rows = sample.query(
        "select here.identified, here.answered, here.rest_proportion, force.identified, "
        "force.answered from marts.need_pathways as here "
        "inner join marts.need_pathways as force using (cohort, period_end, sex, offence_group, "
        f"pathway) where here.area_code = '{FENLAND}' and force.area_code = '{FORCE}' "
        "and here.sex = 'All' and here.offence_group = 'All'"
    )
    assert len(rows) == 20
    for identified, answered, rest, force_identified, force_answered in rows:
        expected = (force_identified - identified) / (force_answered - answered)
        assert rest == pytest.approx(expected, rel=1e-12)


ROUNDED = {
    "marts.need_pathways": "identified",
    "marts.need_complexity": "offenders",
    "marts.accommodation_need": "offenders_with_need",
    "marts.probation_profile": "people",
    "reports.table_4_need_complexity": "offenders",
    "reports.figure_5_nps_profile": "people",
    "reports.figure_6_accommodation_need": "offenders_with_need",
}
PROTECTED = {"table_3_oasys_pathways", "table_6_acquisitive_pathways", "appendix_c_pathways"}


def test_people_are_published_only_as_protected_and_nobody_is_named(sample: Ground) -> None:
    columns = {
        (schema, column)
        for schema, column in sample.query(
            "select table_schema, column_name from information_schema.columns "
            "where table_schema in ('marts', 'reports')"
        )
    }
    personal = {"crn", "pnc_id", "person_ref", "date_of_birth", "first_release_date"}
    assert not {pair for pair in columns if pair[1] in personal}
    current = sample.settings.home / "published" / "csp.duckdb"
    with duckdb.connect(current, read_only=True) as reader:
        names = reader.execute("select table_name from duckdb_tables()").fetchall()
        small = [
            reader.execute(
                f"select count(*) from reports.{table} where offenders between 1 and 4"
            ).fetchall()
            for table in sorted(PROTECTED)
        ]
        rounded = [
            reader.execute(
                f"select count(*) from {table} where {column} between 1 and 4"
            ).fetchall()
            for table, column in ROUNDED.items()
        ]
    published = {name for (name,) in names}
    assert "table_5_social_dwellings" in published
    assert published >= PROTECTED
    assert small == [[(0,)]] * len(PROTECTED)
    assert rounded == [[(0,)]] * len(ROUNDED)


# --- the sample ------------------------------------------------------------------------------


def files_of(deliveries: Callable[[], Any]) -> dict[str, bytes]:
    return {name: data for delivery in deliveries() for name, data in delivery.files.items()}


def test_receipts_say_synthetic_and_what_is_not_from_the_report() -> None:
    for module in (oasys_sample, caseload_sample):
        for delivery in module.deliveries():
            assert delivery.nature == "synthetic"
            assert delivery.note.startswith("Synthetic: no row is a real person.")
    assessments = min(oasys_sample.deliveries(), key=lambda delivery: delivery.quarter)
    assert "made up: Finance among acquisitive" in assessments.note


def test_both_extracts_name_the_same_people(sample: Ground) -> None:
    rows = sample.query(
        "select count(*), count(o.crn), count(c.crn) from raw.oasys_assessments as o "
        "full join (select * from raw.probation_caseload where snapshot_date = date '2017-02-28') "
        "as c using (provider, crn)"
    )
    assert rows == [(3638, 3638, 3638)]


def test_people_are_met_again_on_later_caseloads(sample: Ground) -> None:
    changed = sample.value(
        "select count(*) from (select crn from raw.probation_caseload group by crn "
        "having count(distinct pnc_id) > 1 or max(age_at_snapshot - year(snapshot_date)) "
        "- min(age_at_snapshot - year(snapshot_date)) > 1)"
    )
    again = sample.value(
        "select count(*) from (select crn from raw.probation_caseload group by crn "
        "having count(*) > 1)"
    )
    assert changed == 0
    assert again > 1500


def test_police_identifiers_have_their_check_letter() -> None:
    for name, data in files_of(caseload_sample.deliveries).items():
        for row in csv.DictReader(io.StringIO(data.decode())):
            year, serial = row["PNC ID"].split("/")
            number = int(year[2:]) * 10_000_000 + int(serial[:7])
            assert row["PNC ID"][-1] == "ZABCDEFGHJKLMNPQRTUVWXY"[number % 23], name


def test_the_workbook_has_the_parts_of_the_format_and_no_clock() -> None:
    for data in files_of(oasys_sample.deliveries).values():
        with zipfile.ZipFile(io.BytesIO(data)) as book:
            assert book.testzip() is None
            assert {info.date_time for info in book.infolist()} == {(1980, 1, 1, 0, 0, 0)}
            assert "xl/workbook.xml" in book.namelist()


# --- bad deliveries --------------------------------------------------------------------------

CASELOAD_NAME = "crc_caseload_2018-05-31.csv"
PERSON = {
    "CRN": "X123456", "PNC ID": "2015/0123456T", "Provider": "CRC", "Snapshot date": "31/05/2018",
    "Police force area": "Cambridgeshire Constabulary", "District of residence": FENLAND,
    "Date of birth": "01/02/1985", "Sex": "Male", "Ethnicity": "W1",
    "Order type": "Community order", "Main offence": "Theft", "OGRS3 score": "40",
    "Accommodation status": "Settled", "Disability": "No", "Mental health": "No",
    "Suicide or self-harm": "No", "Area classification": "Rural Tenants", "First release date": "",
}  # fmt: skip


def caseload(rows: int = 5, header: str | None = None, **changed: str) -> str:
    """A caseload file; ``changed`` alters its last row."""
    lines = [header or ",".join(PERSON)]
    for number in range(rows):
        person = PERSON | {"CRN": f"X{123456 + number}"}
        if number == rows - 1:
            person |= {name.replace("_", " "): text for name, text in changed.items()}
        lines.append(",".join(person.values()))
    return "".join(f"{line}\r\n" for line in lines)


BAD_CASELOADS = {
    "renamed column": (
        caseload(header=",".join(PERSON).replace("Ethnicity", "Ethnic code")),
        ["line 1", "column 'Ethnicity'", "has every column", "'Ethnic code'"],
    ),
    "value outside the domain": (
        caseload(Ethnicity="W7"),
        ["line 6", "column 'Ethnicity'", "'W7'", "is a known value"],
    ),
    "score above a hundred": (
        caseload(OGRS3_score="140"),
        ["line 6", "column 'OGRS3 score'", "'140'", "is at most 100"],
    ),
    "date of another form": (
        caseload(Snapshot_date="05/31/2018"),
        ["line 6", "column 'Snapshot date'", "is a date like"],
    ),
    "person twice": (caseload(CRN="X123456", Sex="Female"), ["line 6", "key is unique"]),
    "value with a comma": (
        caseload(Main_offence="Theft, other"),
        ["line 6", "more than the 18 columns", "is a row of the table"],
    ),
    "provider not known": (caseload(Provider="YOS"), ["line 6", "'YOS'", "is a known value"]),
    "no rows": (",".join(PERSON) + "\r\n", ["nothing below", "has rows"]),
}


@pytest.mark.parametrize("case", BAD_CASELOADS)
def test_bad_caseload_is_refused_and_says_why(ground: Ground, case: str) -> None:
    content, words = BAD_CASELOADS[case]
    ground.put("probation_caseload", "2018-04-01", {CASELOAD_NAME: content})
    report = ground.load("probation_caseload")
    (outcome,) = report.outcomes
    assert outcome.state == "refused" and outcome.rows_loaded == 0
    said = " ".join(messages(report))
    for word in [CASELOAD_NAME, *words]:
        assert word in said


def test_good_caseload_is_loaded_and_faults_of_personal_columns_show_no_value(
    ground: Ground,
) -> None:
    ground.put("probation_caseload", "2018-04-01", {CASELOAD_NAME: caseload()})
    (good,) = ground.load("probation_caseload").outcomes
    assert (good.state, good.rows_loaded) == ("loaded", 5)
    ground.put("probation_caseload", "2018-04-01", {CASELOAD_NAME: caseload(CRN="secret-name")})
    said = " ".join(messages(ground.load("probation_caseload")))
    assert "column 'CRN'" in said and "has the right form" in said
    assert "secret-name" not in said


OASYS_NAME = "oasys_crc_2017-02-28.xlsx"
ASSESSED = (
    "X123456", "2015/0123456T", FENLAND, "Male", "Theft", date(2016, 12, 1), *["Identified"] * 10,
)  # fmt: skip


def assessments(
    *rows: tuple[Any, ...],
    header: tuple[str, ...] = oasys_sample.HEADER,
    sheet: str = oasys_sample.SHEET,
    above: tuple[tuple[Any, ...], ...] = (
        ("Provider", "CRC"),
        ("Snapshot date", date(2017, 2, 28)),
        ("Police force area", "Cambridgeshire Constabulary"),
    ),
) -> bytes:
    return oasys_sample.workbook([(sheet, [*above, (), header, *(rows or (ASSESSED,))])])


def other(place: int, value: Any, crn: str = "X123457") -> tuple[Any, ...]:
    changed = (crn, *ASSESSED[1:])
    return (*changed[:place], value, *changed[place + 1 :])


BAD_ASSESSMENTS = {
    "wrong sheet": (
        assessments(sheet="Sheet1"),
        ["sheet 'OASys extract'", "'Sheet1'", "has the sheet"],
    ),
    "renamed column": (
        assessments(header=tuple(h.replace("Drug misuse", "Drugs") for h in oasys_sample.HEADER)),
        ["line 5", "column '8 Drug misuse'", "has every column"],
    ),
    "no header": (
        assessments(header=("a", "b", "c")),
        ["sheet 'OASys extract'", "line 1", "has a header"],
    ),
    "does not say of when": (
        assessments(above=(("Provider", "CRC"), ("Police force area", "Anywhere"))),
        ["column 'Snapshot date'", "says what it is of"],
    ),
    "answer outside the domain": (
        assessments(ASSESSED, other(8, "Perhaps")),
        ["line 7", "column '5 Financial management and income'", "is a known value"],
    ),
    "date as text": (
        assessments(ASSESSED, other(5, "1 December")),
        ["line 7", "column 'Assessment completed'", "is a date like"],
    ),
    "person twice": (
        assessments(ASSESSED, other(3, "Female", "X123456")),
        ["line 7", "key is unique"],
    ),
    "a CSV by another name": (b"CRN,PNC ID\r\n", ["not a workbook", "can be opened"]),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD_ASSESSMENTS)
def test_bad_assessments_are_refused_and_say_why(ground: Ground, case: str) -> None:
    content, words = BAD_ASSESSMENTS[case]
    ground.put("oasys_assessments", "2017-01-01", {OASYS_NAME: content})
    report = ground.load("oasys_assessments", as_at="2017-01-01")
    (outcome,) = report.outcomes
    assert outcome.state == "refused" and outcome.rows_loaded == 0
    said = " ".join(messages(report))
    for word in [OASYS_NAME, *words]:
        assert word in said


def test_several_faults_in_one_row_are_one_refused_row(ground: Ground) -> None:
    rows = [other(3, "Male", f"X{number}") for number in range(200000, 200400)]
    rows[7] = (*rows[7][:3], "Man", "Mischief", *rows[7][5:])
    ground.put("oasys_assessments", "2017-01-01", {OASYS_NAME: assessments(*rows)})
    report = ground.load("oasys_assessments", as_at="2017-01-01")
    (outcome,) = report.outcomes
    assert (outcome.state, outcome.rows_loaded, outcome.rows_refused) == ("loaded", 399, 1)
    assert len(outcome.faults) == 2


def test_a_snapshot_in_two_files_is_refused(ground: Ground) -> None:
    files: dict[str, str | bytes] = {
        "a.xlsx": assessments(),
        "b.xlsx": assessments(other(3, "Female")),
    }
    ground.put("oasys_assessments", "2017-01-01", files)
    report = ground.load("oasys_assessments", as_at="2017-01-01")
    (outcome,) = report.outcomes
    assert outcome.state == "refused"
    assert " 2017-02 " in " ".join(messages(report))
