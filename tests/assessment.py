"""The printed assessment's tables of people as the protection and the attack take them.

Counts that the report hid are those that the attack recovers (`test_disclosure_assessment`); counts
that it printed as percentages only are the whole numbers nearest to them.
"""

from collections.abc import Iterable, Iterator

from orchestration.disclosure.table_model import (
    OPEN,
    Cell,
    Merge,
    MergedCell,
    MergeOption,
    Ratio,
    Relation,
    Tables,
    multiple,
    tables,
    total,
)
from tests.support import GOLDEN, csv_rows

OFFENDERS = 878
OFFENCES = 1352
SMALL_AREAS = ("Cambridge", "East Cambridgeshire", "Fenland", "South Cambridgeshire")
"""Areas of Figure 5 with a caseload below 100."""


def table_2_rows() -> list[dict[str, str]]:
    return csv_rows(GOLDEN / "table2_offences_per_offender.csv")


def hidden_in_table_2() -> list[int]:
    return [
        int(row["offences_per_offender"])
        for row in table_2_rows()
        if row["offenders_printed_symbol"]
    ]


def figure_2() -> dict[str, list[tuple[str, int]]]:
    found: dict[str, list[tuple[str, int]]] = {}
    for row in csv_rows(GOLDEN / "figure2_offender_profile.csv"):
        if row["dimension"] != "All":
            counts = found.setdefault(row["dimension"], [])
            counts.append((row["category"], int(row["offenders"])))
    for counts in found.values():
        if missing := OFFENDERS - sum(count for _, count in counts):
            counts.append(("Not known", missing))
    return found


def figure_5() -> dict[str, dict[str, dict[str, int]]]:
    """Percentages by area, dimension and category; the caseload under its own dimension."""
    found: dict[str, dict[str, dict[str, int]]] = {}
    for row in csv_rows(GOLDEN / "figure5_nps_profile.csv"):
        if row["value"]:
            area = found.setdefault(row["area_name"], {})
            area.setdefault(row["dimension"], {})[row["category"]] = int(row["value"])
    return found


def caseload(area: str) -> int:
    ((_, count),) = figure_5()[area]["Number of Offenders Per District"].items()
    return count


def needs_by_number() -> dict[int, int]:
    return {
        int(row["assessed_needs"]): int(row["offenders"])
        for row in csv_rows(GOLDEN / "table4_need_complexity.csv")
    }


def tail_merges(name: str, places: list[int], *measures: tuple[str, str]) -> Merge:
    """Every way of putting the last rows together, "8 or more"; measures are (prefix, suffix)."""
    options = []
    for start in range(1, len(places) - 1):
        cells = tuple(
            MergedCell(
                f"{prefix}{places[start]} or more{suffix}",
                tuple(f"{prefix}{place}{suffix}" for place in places[start:]),
            )
            for prefix, suffix in measures
        )
        options.append(MergeOption(f"{places[start]} or more", cells))
    return Merge(name, tuple(options))


class Report:
    """Collects the tables of the report as one linked release."""

    def __init__(self) -> None:
        self.cells: dict[str, Cell] = {}
        self.relations: list[Relation] = []
        self.ratios: list[Ratio] = []
        self.merges: list[Merge] = []

    def people(self, counts: Iterable[tuple[str, int]]) -> None:
        self.cells.update({key: Cell(key, count) for key, count in counts})

    def add_table_2(self, hidden: dict[int, int]) -> None:
        rows = {
            int(row["offences_per_offender"]): int(row["offenders"] or 0) for row in table_2_rows()
        } | hidden
        self.people([("offenders", OFFENDERS)])
        self.cells["offences"] = Cell("offences", OFFENCES, OPEN)
        for number, count in rows.items():
            self.people([(f"table 2/{number}", count)])
            key = f"table 2/{number}/offences"
            self.cells[key] = Cell(key, number * count, OPEN)
            self.relations.append(multiple(key, f"table 2/{number}", number))
            self.ratios.append(Ratio(f"table 2/{number}", "offenders"))
            self.ratios.append(Ratio(key, "offences"))
        self.relations.append(total("offenders", [f"table 2/{n}" for n in rows]))
        self.relations.append(total("offences", [f"table 2/{n}/offences" for n in rows]))
        self.merges.append(
            tail_merges("table 2", sorted(rows), ("table 2/", ""), ("table 2/", "/offences"))
        )

    def add_figure_2(self) -> None:
        for dimension, counts in figure_2().items():
            self.people([("offenders", OFFENDERS)])
            self.people((f"{dimension}/{category}", count) for category, count in counts)
            self.relations.append(total("offenders", [f"{dimension}/{c}" for c, _ in counts]))
            self.ratios += [Ratio(f"{dimension}/{c}", "offenders") for c, _ in counts]

    def add_tables_3_and_4(self) -> None:
        fenland: list[str] = []
        for row in csv_rows(GOLDEN / "table3_oasys_pathways.csv"):
            key = f"table 3/{row['area_name']}/{row['pathway']}"
            self.people([(key, int(row["assessed_offenders"]))])
            if row["area_name"] == "Fenland" and not row["pathway"].startswith("Total"):
                fenland.append(key)
        complexity = needs_by_number()
        self.people((f"table 4/{needs}", count) for needs, count in complexity.items())
        self.people([("table 4/all", sum(complexity.values()))])
        self.relations.append(total("table 4/all", [f"table 4/{needs}" for needs in complexity]))
        # Each need identified is one of somebody's number of needs.
        weighted = [(f"table 4/{needs}", -needs) for needs in complexity if needs]
        self.relations.append(Relation((*((key, 1) for key in fenland), *weighted)))
        self.merges.append(tail_merges("table 4", sorted(complexity), ("table 4/", "")))

    def add_table_6(self) -> None:
        for row in csv_rows(GOLDEN / "table6_acquisitive_pathways.csv"):
            key = f"table 6/{row['pathway']}/{row['group']}"
            self.people([(key, int(row["offenders"]))])
            if row["group"] == "Total":
                name = f"table 6/{row['pathway']}"
                self.relations.append(total(key, [f"{name}/Men", f"{name}/Women"]))

    def add_figure_3(self) -> None:
        for row in csv_rows(GOLDEN / "figure3_juvenile_offenders.csv"):
            key = f"figure 3/{row['area_name']}"
            self.people([(key, int(row["juvenile_offenders"]))])

    def add_figure_5(self) -> None:
        for area in SMALL_AREAS:
            everyone = f"figure 5/{area}"
            self.people([(everyone, caseload(area))])
            for dimension, percentages in profile_of(area):
                counts = {c: round(p * caseload(area) / 100) for c, p in percentages.items()}
                missing = caseload(area) - sum(counts.values())
                if missing < 0:
                    continue
                if missing:
                    counts["Not printed"] = missing
                keys = {c: f"{everyone}/{dimension}/{c}" for c in counts}
                self.people((keys[c], count) for c, count in counts.items())
                self.relations.append(total(everyone, keys.values()))
                self.ratios += [Ratio(key, everyone) for key in keys.values()]

    def tables(self) -> Tables:
        return tables(self.cells.values(), self.relations, self.ratios, self.merges)


def profile_of(area: str) -> Iterator[tuple[str, dict[str, int]]]:
    """The dimensions of Figure 5 that are shares of the caseload."""
    for dimension, percentages in figure_5()[area].items():
        if dimension != "Pathways" and not dimension.startswith("Number"):
            yield dimension, percentages
