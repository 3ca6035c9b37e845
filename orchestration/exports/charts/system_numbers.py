"""The numbers of Figure 1: how many people each part of the criminal justice system knows.

Pure functions of the report tables' rows. Each number is the latest of its table; one that is
hidden or missing is its marker with the meaning, never zero.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from orchestration.exports.charts.chart_text import SHORTHAND, ChartWords, count_text, explained
from orchestration.exports.report_definition.row_selection import Place, Row
from orchestration.exports.report_definition.table_layout import is_about

DIAGRAM = "figure_1"
"""The slug of the diagram among the exhibits; no table of a release has this name."""


@dataclass(frozen=True)
class Known:
    """A number: of whom it is, its text, its period, and the table or figure that it is from."""

    whom: str
    text: str
    period: str
    label: str


@dataclass(frozen=True)
class Stage:
    """A part of the system with the numbers that it knows."""

    title: str
    known: tuple[Known, ...]


@dataclass(frozen=True)
class _Number:
    table: str
    label: str
    column: str
    whom: Callable[[Row], str]
    chosen: Callable[[Row], bool] = lambda _: True


_STAGES: tuple[tuple[str, tuple[_Number, ...]], ...] = (
    (
        "Police",
        (
            _Number("table_1_offender_rates", "Table 1", "offenders", lambda _: "known offenders"),
            _Number(
                "figure_3_juvenile_offenders", "Figure 3", "juvenile_offenders",
                lambda _: "juvenile offenders",
            ),
        ),
    ),
    (
        "Youth offending service",
        (
            _Number(
                "figure_4_first_time_entrants", "Figure 4", "first_time_entrants",
                lambda _: "first-time entrants",
            ),
        ),
    ),
    (
        "Probation",
        (
            _Number(
                "table_4_need_complexity", "Table 4", "offenders",
                lambda row: f"{row['cohort']} offenders",
                lambda row: row["assessed_needs"] == "All offenders",
            ),
            _Number(
                "figure_5_nps_profile", "Figure 5", "people",
                lambda row: f"{row['cohort']} offenders",
                lambda row: row["category"] == "Number of offenders",
            ),
        ),
    ),
    (
        "Prison",
        (
            _Number(
                "page_prison_releases", "Releases from prison", "released",
                lambda row: f"people released from {row['prison']}",
            ),
        ),
    ),
)  # fmt: skip


def system_tables() -> tuple[str, ...]:
    """Return the report tables that the numbers are from."""
    return tuple(number.table for _, numbers in _STAGES for number in numbers)


def diagram_words(
    stages: Sequence[Stage], place: Place, slug: str, footnotes: Sequence[str], synthetic: bool
) -> ChartWords:
    """Return the words for the diagram, with every number in the text in its place."""
    title = f"Numbers known to the criminal justice system, {place.name}"
    listed = "; ".join(
        f"{stage.title}: "
        + (
            ", ".join(f"{one.text} {one.whom} ({one.period}, {one.label})" for one in stage.known)
            or "no figures"
        )
        for stage in stages
    )
    alt = [f"Diagram. {title}.", f"{listed}."]
    if synthetic:
        alt.append("The data are synthetic.")
    return ChartWords(
        slug,
        "Figure 1",
        title,
        "The latest number of each table. One person may be counted in several places.",
        tuple(footnotes),
        " ".join(alt),
    )


def numbers_known(
    rows: Mapping[str, Sequence[Row]], place: Place, rounded_to: Mapping[str, int]
) -> tuple[Stage, ...]:
    """Return the parts of the system with what each knows of a place; none where no number is.

    ``rounded_to`` has the multiple of each table whose inner counts are rounded.
    """
    stages = tuple(
        Stage(title, tuple(one for number in numbers for one in _known(number, rows, place,
                                                                       rounded_to)))
        for title, numbers in _STAGES
    )  # fmt: skip
    texts = [known.text for stage in stages for known in stage.known]
    return stages if any(text[-1].isdigit() for text in texts) else ()


def _known(
    number: _Number, rows: Mapping[str, Sequence[Row]], place: Place, rounded_to: Mapping[str, int]
) -> list[Known]:
    own = [row for row in place.own(rows.get(number.table, ())) if number.chosen(row)]
    last = max((str(row["period_end"]) for row in own), default="")
    return [
        Known(
            number.whom(row),
            _text(row, number.column, rounded_to.get(number.table)),
            str(row["period_label"]),
            number.label,
        )
        for row in own
        if str(row["period_end"]) == last
    ]


def _text(row: Row, column: str, multiple: int | None) -> str:
    value = row[column]
    if value is not None:
        count = float(str(value))
        return f"{'about ' if is_about(count, multiple) else ''}{count_text(count)}"
    status = str(row.get(f"{column}_status") or row.get("status") or "")
    return explained(next((marker for marker in SHORTHAND if marker in status), "[x]"))
