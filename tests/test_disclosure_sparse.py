"""Disclosure control of sparse tables: small districts, blanks, empty tables, everything 0.

Tables are made of people drawn at random and have the declarations of the models themselves.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from orchestration.config.settings import PROJECT
from orchestration.disclosure.attack_verdict import Verdict, examine
from orchestration.disclosure.attacker_view import as_written, printed_counts
from orchestration.disclosure.declarations import Declaration, Row
from orchestration.disclosure.exact_suppression import Prober
from orchestration.disclosure.protection import protect
from orchestration.disclosure.table_assembly import (
    Wholes,
    assembled,
    ordinary_labels,
    protected_rows,
    with_earlier,
    with_wholes,
)
from orchestration.errors import DisclosureError

FORCES = Wholes({"D1": "F", "D2": "F"})
PLACES = ("D1", "D2", "F:outside")
PATHWAYS = ("Accommodation", "Drugs")
GROUPS = {"Total": (None, "Male", "Female"), "Men": ("Male",), "Women": ("Female",)}
TABLE_3, TABLE_6, APPENDIX = (
    "reports.table_3_oasys_pathways",
    "reports.table_6_acquisitive_pathways",
    "reports.appendix_c_pathways",
)


@dataclass(frozen=True)
class Person:
    """Somebody assessed, with an answer on each pathway; none where it was left blank."""

    area: str
    sex: str | None
    acquisitive: bool
    answers: tuple[bool | None, ...]


PEOPLE = st.lists(
    st.builds(
        Person,
        st.sampled_from(PLACES),
        st.sampled_from(("Male", "Female", None)),
        st.booleans(),
        st.tuples(*(st.sampled_from((True, False, None)) for _ in PATHWAYS)),
    ),
    max_size=40,
)
LONE = Person("D2", "Male", acquisitive=True, answers=(True, False))
MANY = [Person("D1", sex, True, (True, False)) for sex in ("Male", "Female") for _ in range(20)]


def declared_of(file: str) -> dict[str, Declaration]:
    """Return what the published models of a file of reports declare that hide, not round."""
    path = PROJECT / "dbt_project" / "models" / "reports" / file
    found = {}
    for model in yaml.safe_load(path.read_text(encoding="utf-8"))["models"]:
        csp = model["config"]["meta"]["csp"]
        if csp["publish"] and "method" not in csp.get("disclosure", {"method": None}):
            found[f"reports.{model['name']}"] = Declaration.model_validate(csp["disclosure"])
    return found


NEEDS = declared_of("_reports_needs.yml")


def rows_of(people: Sequence[Person], area: str, **extra: Any) -> Iterator[Row]:
    """Yield the row of completed assessments and one for each pathway."""
    common = {"cohort": "CRC", "period_end": "2019-02-28", "area_code": area, **extra}
    whole = {"row_order": 0, "pathway": "Total", "offenders": len(people), "base": None}
    yield with_wholes({**common, **whole, "percent": None, "status": "[z]"}, FORCES)
    for number, pathway in enumerate(PATHWAYS, start=1):
        answers = [one.answers[number - 1] for one in people if one.answers[number - 1] is not None]
        base, need = len(answers), sum(map(bool, answers))
        share = round(1000 * need / base) / 10 if base else None
        counts = {"row_order": number, "pathway": pathway, "offenders": need, "base": base}
        status = None if base else "[z]"
        yield with_wholes({**common, **counts, "percent": share, "status": status}, FORCES)


def tables_of(people: Sequence[Person]) -> dict[str, list[Row]]:
    """Return Table 3, Table 6 and Appendix C of the people."""
    by_area = {place: [one for one in people if one.area == place] for place in PLACES}
    table_3 = [row for area, here in by_area.items() for row in rows_of(here, area)]
    table_3 += rows_of(people, "F")
    thieves = [one for one in people if one.acquisitive]
    blank = [one for one in thieves if one.sex is None]
    table_6 = [
        row
        for group, sexes in GROUPS.items()
        for row in rows_of([one for one in thieves if one.sex in sexes], "F", offender_group=group)
    ]
    if blank:
        table_6 += rows_of(blank, "F", offender_group="Not recorded")
    whole = [row for row in rows_of(people, "F") if row["row_order"]]
    return {TABLE_3: table_3, TABLE_6: table_6, APPENDIX: whole}


def judged(contents: dict[str, list[Row]], before: dict[str, list[Row]] | None = None) -> Verdict:
    """Protect tables, beside those of an earlier release, and attack them as written."""
    labels = {name: ordinary_labels(rows, NEEDS[name]) for name, rows in contents.items()}
    made = assembled(contents, NEEDS)
    if before:
        known = {
            key: value
            for name, rows in before.items()
            for key, value in printed_counts(rows, NEEDS[name], labels.get(name, {})).items()
            if key in made.cells and not made.cells[key].sensitive
        }
        made = with_earlier(made, known)
    protection = protect(made)
    written = {
        name: protected_rows(name, rows, NEEDS[name], protection) for name, rows in contents.items()
    }
    return examine(protection, as_written(written, NEEDS, protection.tables, labels))


@pytest.mark.parametrize(
    "people",
    [
        pytest.param([], id="nobody"),
        pytest.param([LONE], id="one person"),
        pytest.param([*MANY, LONE], id="one person in a district"),
        pytest.param([*MANY, Person("D1", None, True, (True, None))], id="a blank sex"),
        pytest.param([Person("F:outside", None, False, (None, None))], id="no answer at all"),
    ],
)
def test_people_who_are_few_are_protected_without_a_fault(people: list[Person]) -> None:
    assert judged(tables_of(people)).safe


@pytest.mark.parametrize(("few", "elsewhere"), [(1, 30), (2, 30), (3, 60)])
def test_the_work_for_two_tiny_districts_is_bounded(
    few: int, elsewhere: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of the few is the only one in many counts, and knows that."""
    draws = random.Random(6)
    searches: list[int] = []
    whole = Prober.whole
    monkeypatch.setattr("tests.test_disclosure_sparse.PATHWAYS", tuple("ABCDEFGHIJKL"))

    def counted(prober: Prober, *arguments: Any) -> Any:
        searches.append(1)
        return whole(prober, *arguments)

    monkeypatch.setattr(Prober, "whole", counted)
    people = [
        Person(
            area,
            draws.choice(("Male", "Female", None)),
            draws.random() < 0.5,
            tuple(draws.random() < 0.5 for _ in range(12)),
        )
        for area, number in (("D1", few), ("D2", few), ("F:outside", elsewhere))
        for _ in range(number)
    ]
    assert judged(tables_of(people)).safe
    assert len(searches) <= 2_000


@given(PEOPLE, st.sets(st.sampled_from((TABLE_3, TABLE_6, APPENDIX))))
@example([*MANY, LONE], {TABLE_3})
@hypothesis_settings(max_examples=25, deadline=None)
def test_sparse_tables_are_protected_or_refused_in_words(
    people: list[Person], left_out: set[str]
) -> None:
    contents = {name: rows for name, rows in tables_of(people).items() if name not in left_out}
    try:
        verdict = judged(contents, before=tables_of(people[:-1]))
    except DisclosureError as error:
        assert "cannot be protected" in str(error)
    else:
        assert verdict.safe


def survey_row(answers: Sequence[int], before: Sequence[int], skipped: int, **extra: Any) -> Row:
    """A row of Table 7: how many gave each answer in a wave and in the one before."""
    names = ("very_safe", "safe", "unsafe", "very_unsafe")
    row: dict[str, Any] = {
        "period_start": "2018-04-01", "previous_period_start": "2018-01-01", "area_code": "D1",
        "base": sum(answers), "previous_base": sum(before), "responses": sum(answers) + skipped,
        "status": None, "previous_status": None,
    }  # fmt: skip
    for part, counts in (("", answers), ("_previous", before)):
        for name, count in zip(names, counts, strict=True):
            row[f"{name}{part}_answers"] = count
            row[f"{name}{part}"] = (200 * count + sum(counts)) // (2 * sum(counts))
    return with_wholes(row | extra, FORCES)


def test_answers_of_a_few_do_not_follow_from_percentages() -> None:
    declared = declared_of("_reports_survey.yml")
    name = "reports.table_7_feel_safe"
    contents = {name: [survey_row((15, 89, 19, 2), (6, 31, 13, 0), skipped=1)]}
    protection = protect(assembled(contents, declared))
    (shown,) = protected_rows(name, contents[name], declared[name], protection)
    # Two of 125 is 2%, and 2% of 125 is two or three.
    assert (shown["base"], shown["very_unsafe"], shown["very_unsafe_answers"]) == (125, None, None)
    # The others must not say what is left for it, nor how many skipped the question.
    assert [shown[one] for one in ("very_safe", "safe", "unsafe")].count(None) >= 1
    assert shown["responses"] is None
    assert "[c]" in shown["status"]
    # Nobody is few in the wave before.
    assert (shown["previous_base"], shown["very_unsafe_previous"]) == (50, 0)
    assert shown["previous_status"] is None
    published = as_written({name: [shown]}, declared, protection.tables, {})
    assert examine(protection, published).safe


def test_a_wave_hides_the_same_where_it_is_the_wave_before() -> None:
    declared = declared_of("_reports_survey.yml")
    name = "reports.table_7_feel_safe"
    earlier = {"period_start": "2018-01-01", "previous_period_start": "2017-10-01"}
    january = survey_row((12, 31, 2, 5), (6, 31, 13, 9), skipped=0, **earlier)
    contents = {name: [january, survey_row((15, 89, 19, 20), (12, 31, 2, 5), skipped=0)]}
    protection = protect(assembled(contents, declared))
    first, second = protected_rows(name, contents[name], declared[name], protection)
    assert first["unsafe"] is None
    for answer in ("very_safe", "safe", "unsafe", "very_unsafe"):
        assert first[answer] == second[f"{answer}_previous"]
    assert second["previous_status"] == "[c]"


def test_those_who_are_not_of_a_part_are_people_too() -> None:
    declared = Declaration.model_validate(
        {
            "counts": [
                {"column": "base", "cell": "asked {area_code}"},
                {"column": "need", "cell": "need {area_code}", "within": ["asked {area_code}"]},
            ]
        }
    )
    row = {"area_code": "D1", "base": 63, "need": 59, "status": None, "force_code": None}
    protection = protect(assembled({"reports.need": [row]}, {"reports.need": declared}))
    assert len(protection.hidden) == 1
    assert examine(protection).safe


def test_a_printed_number_without_a_cell_is_refused() -> None:
    contents = tables_of(MANY)
    protection = protect(assembled(contents, NEEDS))
    written = {name: [dict(row) for row in rows] for name, rows in contents.items()}
    written[TABLE_3][0]["base"] = 7
    with pytest.raises(DisclosureError, match="prints a count that its tables do not hold"):
        as_written(written, NEEDS, protection.tables, {})


@pytest.mark.parametrize(
    ("period_type", "stops"), [("calendar_year", False), ("financial_year", True)]
)
def test_a_supplier_may_count_fewer_in_the_force_than_in_its_districts(
    period_type: str, stops: bool
) -> None:
    """Counts that the force made by hand may disagree; ours, made from charges, may not."""
    declared = declared_of("_reports_offenders.yml")
    name = "reports.table_1_offender_rates"
    common = {"period_type": period_type, "period_start": "2018-01-01", "population": 1000}
    rows = [
        with_wholes(
            {
                **common,
                "area_code": area,
                "offenders": offenders,
                "rate_per_1000": float(offenders),
                "status": None,
            },
            FORCES,
        )
        for area, offenders in (("D1", 60), ("D2", 3), ("F", 50))
    ]
    if stops:
        with pytest.raises(DisclosureError, match="are more than"):
            assembled({name: rows}, declared)
        return
    protection = protect(assembled({name: rows}, declared))
    shown = protected_rows(name, rows, declared[name], protection)
    assert [row["offenders"] for row in shown] == [60, None, 50]
