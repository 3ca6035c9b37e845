"""The printed assessment under attack, and the same tables after they were protected.

What the attack must recover is what `inconsistencies.csv` calls disclosive, with the worked values
of `golden/oracles.csv`: the proof that the attack has teeth.
"""

import pytest

from orchestration.disclosure.attack import Interval, attack
from orchestration.disclosure.attack_verdict import examine
from orchestration.disclosure.protection import protect
from orchestration.disclosure.table_model import (
    MANY,
    PrintedRatio,
    Protection,
    Publication,
    Ratio,
    Relation,
    Tables,
    multiple,
    publication,
    tables,
    total,
)
from tests.assessment import (
    OFFENCES,
    OFFENDERS,
    SMALL_AREAS,
    Report,
    caseload,
    figure_2,
    figure_5,
    hidden_in_table_2,
    needs_by_number,
    profile_of,
    table_2_rows,
)
from tests.support import GOLDEN, csv_rows

ORACLES = {row["oracle_id"]: row for row in csv_rows(GOLDEN / "oracles.csv")}


def expected(oracle: str) -> list[int]:
    return [int(value) for value in ORACLES[oracle]["expected"].split(" (")[0].split(";")]


def printed_table_2(offences_printed: bool) -> Publication:
    """Table 2 with its markers "<5": 1 to 4; and its totals as the text gives them."""
    bounds = {"offenders": (OFFENDERS, OFFENDERS), "offences": (OFFENCES, OFFENCES)}
    relations: list[Relation] = []
    for row in table_2_rows():
        number = row["offences_per_offender"]
        offences = int(row["total_offences"])
        hidden = bool(row["offenders_printed_symbol"])
        bounds[number] = (1, 4) if hidden else (int(row["offenders"]),) * 2
        known = offences_printed or not hidden
        bounds[f"{number} offences"] = (offences, offences) if known else (0, MANY)
        relations.append(multiple(f"{number} offences", number, int(number)))
    numbers = [row["offences_per_offender"] for row in table_2_rows()]
    if not offences_printed:
        relations.append(total("offenders", numbers))
        relations.append(total("offences", [f"{number} offences" for number in numbers]))
    asked = tuple(str(number) for number in hidden_in_table_2())
    return Publication(bounds, tuple(relations), (), asked)


@pytest.mark.parametrize(
    ("offences_printed", "oracle"), [(True, "attack_table2_rows"), (False, "attack_table2_margins")]
)
def test_the_attack_recovers_what_table_2_hid(offences_printed: bool, oracle: str) -> None:
    values = (
        expected(oracle)
        if offences_printed
        else [
            int(v) for v in ORACLES[oracle]["expected"].removeprefix("unique solution ").split(";")
        ]
    )
    found = attack(printed_table_2(offences_printed))
    assert [found[str(n)] for n in hidden_in_table_2()] == [Interval(v, v) for v in values]


def test_the_attack_gives_geurts_intervals() -> None:
    published = Publication(
        {
            **{name: (count, count) for name, count in zip("abcd", (7, 3, 6, 4), strict=True)},
            **{f"x{row}{column}": (0, MANY) for row in "12" for column in "12"},
        },
        (
            total("a", ["x11", "x12"]),
            total("b", ["x21", "x22"]),
            total("c", ["x11", "x21"]),
            total("d", ["x12", "x22"]),
        ),
        (),
        ("x11", "x12", "x21", "x22"),
    )
    intervals = ORACLES["lp_geurts"]["expected"].split(";")
    assert [
        f"[{found.least},{found.greatest}]" for found in attack(published).values()
    ] == intervals


def hidden_alone(everything: Tables, key: str) -> Interval:
    """What the attack finds of a count where only that one is hidden."""
    return attack(publication(Protection(everything, frozenset({key}))))[key]


def test_hiding_one_row_of_figure_2_is_undone_by_its_total() -> None:
    small = [
        (dimension, category, count)
        for dimension, counts in figure_2().items()
        for category, count in counts
        if 0 < count < 5
    ]
    report = Report()
    report.add_figure_2()
    assert len(small) == 1
    for dimension, category, count in small:
        found = hidden_alone(report.tables(), f"{dimension}/{category}")
        assert found == Interval(count, count)


@pytest.mark.parametrize("told", ["by the total", "by the needs of Table 3"])
def test_hiding_one_row_of_table_4_is_undone(told: str) -> None:
    report = Report()
    report.add_tables_3_and_4()
    by_total = told == "by the total"
    relations = [r for r in report.relations if (r.terms[0][0] == "table 4/all") == by_total]
    everything = tables(report.cells.values(), relations)
    (needs,) = [needs for needs, count in needs_by_number().items() if count < 5]
    count = needs_by_number()[needs]
    assert hidden_alone(everything, f"table 4/{needs}") == Interval(count, count)


def percentages_of(area: str, dimension: str, base: tuple[int, int]) -> Publication:
    """A column of Figure 5 as printed: percentages of a base, and no count."""
    percentages = figure_5()[area][dimension]
    return Publication(
        {"base": base, **{category: (0, MANY) for category in percentages}},
        (),
        tuple(PrintedRatio(Ratio(c, "base"), p) for c, p in percentages.items()),
        ("base", *percentages),
    )


@pytest.mark.parametrize("area", SMALL_AREAS)
def test_percentages_beside_a_small_base_give_every_count(area: str) -> None:
    """155 of 155 cells: shares of the caseload, and 2 that no whole number of people gives."""
    people = caseload(area)
    for dimension, percentages in profile_of(area):
        possible = {
            c
            for c, p in percentages.items()
            if any((200 * x + people) // (2 * people) == p for x in range(people + 1))
        }
        printed = percentages_of(area, dimension, (people, people))
        ratios = tuple(r for r in printed.ratios if r.ratio.numerator in possible)
        found = attack(Publication(printed.bounds, (), ratios, tuple(possible)))
        assert {interval.width for interval in found.values()} <= {0}


def test_percentages_of_ages_give_the_counts() -> None:
    found = attack(percentages_of("Fenland", "Age Group", (90, 90)))
    counts = [found[category].least for category in figure_5()["Fenland"]["Age Group"]]
    assert counts == expected("attack_fig5_fenland_age")


def test_ten_percentages_leak_the_base_that_was_not_printed() -> None:
    areas = ("Fenland", "East Cambridgeshire", "South Cambridgeshire")
    bases = expected("attack_fig5_pathway_base")
    for area, base in zip(areas, bases, strict=True):
        found = attack(percentages_of(area, "Pathways", (1, caseload(area))), ["base"])
        assert found["base"] == Interval(base, base)


def protected_report() -> tuple[Tables, Protection]:
    hidden = attack(printed_table_2(True))
    report = Report()
    report.add_table_2({number: hidden[str(number)].least for number in hidden_in_table_2()})
    report.add_figure_2()
    report.add_figure_3()
    report.add_tables_3_and_4()
    report.add_table_6()
    report.add_figure_5()
    everything = report.tables()
    return everything, protect(everything)


@pytest.fixture(scope="module")
def assessment() -> tuple[Tables, Protection]:
    return protected_report()


def test_the_assessment_can_be_published_with_no_recoverable_cell(
    assessment: tuple[Tables, Protection],
) -> None:
    everything, protection = assessment
    verdict = examine(protection)
    assert verdict.findings == ()
    assert protection.gap == 0
    sensitive = [key for key, cell in everything.cells.items() if cell.sensitive]
    printed = protection.tables.cells
    assert len(sensitive) > 20
    assert all(key in protection.hidden or not printed[key].printed for key in sensitive)
    assert verdict.narrowest is not None and verdict.narrowest >= 1


def test_rows_that_their_totals_give_away_are_merged(
    assessment: tuple[Tables, Protection],
) -> None:
    _, protection = assessment
    assert protection.merged["table 2"].label == "8 or more"
    merged = protection.tables.cells["table 2/8 or more"]
    assert (merged.value, protection.tables.cells["table 2/8 or more/offences"].value) == (10, 92)
    assert "table 4" in protection.merged


def test_without_merging_more_would_be_lost(assessment: tuple[Tables, Protection]) -> None:
    everything, protection = assessment
    unmerged = protect(Tables(everything.cells, everything.relations, everything.ratios))
    assert unmerged.cost > protection.cost


@pytest.mark.slow
def test_the_same_tables_give_the_same_protection(
    assessment: tuple[Tables, Protection],
) -> None:
    everything, protection = assessment
    again = protect(
        Tables(
            dict(reversed(list(everything.cells.items()))),
            tuple(reversed(everything.relations)),
            everything.ratios,
            everything.merges,
        )
    )
    assert again.hidden == protection.hidden
    assert {n: o.label for n, o in again.merged.items()} == {
        n: o.label for n, o in protection.merged.items()
    }


def test_a_report_as_printed_is_refused() -> None:
    """The four markers of Table 2 beside the numbers that give them away."""
    hidden = attack(printed_table_2(True))
    report = Report()
    report.add_table_2({number: hidden[str(number)].least for number in hidden_in_table_2()})
    marked = frozenset(f"table 2/{number}" for number in hidden_in_table_2())
    verdict = examine(Protection(report.tables(), marked))
    assert {finding.key for finding in verdict.findings} == marked
