"""The assessment: its sections, tables and figures in the order of print, and how each is shown.

One catalogue for the workbook, the pack, the charts and the choice of areas. The release itself has
the title and notes of a table. The catalogue has only what the release cannot know: order, layout,
and the text for a table that it does not hold.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

Form = Literal["text", "count", "percent", "rate", "limit", "share", "year", "month"]
"""How a value is written: a share is from 0 to 1 and is written as a percentage."""

Scope = Literal["own", "compare"]
"""Which areas a table is for: the partnership's own and its force, or every area of the force."""

ChartKind = Literal["control", "bars", "panels", "pairs", "intervals"]


@dataclass(frozen=True)
class Field:
    """A column as it is shown.

    ``status`` names the column with the shorthand that explains an empty cell; ``marked`` shows
    the shorthand that qualifies a full one, too. ``beside`` names a column that is
    shown in brackets behind the value in the pack. ``note`` is the key of a note on the column.
    """

    heading: str
    column: str
    form: Form = "text"
    status: str = "status"
    marked: bool = False
    beside: str = ""
    note: str = ""


@dataclass(frozen=True)
class Across:
    """A table as printed: one row a ``row`` value, one column a ``by`` value.

    ``row_order`` and ``by_order`` name the columns that give the order, where there are any;
    ``group`` heads rows; ``shown`` names the columns of a cell, the second in brackets.
    """

    row: str
    by: str
    shown: tuple[str, ...]
    row_heading: str
    row_order: str = ""
    by_order: str = ""
    group: str = ""


@dataclass(frozen=True)
class Exhibit:
    """A table or figure of the assessment.

    ``table`` is its table in the release, none where it never is one (``reason`` then says why);
    ``subject`` names it while the release does not hold it. ``fields`` are the columns of the
    workbook and, without ``across``, of the pack. The pack shows rows with the greatest
    ``latest`` among those in which ``needs`` has a value, the last ``last`` of them in the
    order of the columns ``order``, and of the own areas only where ``own_rows``. ``wide`` asks for
    a page on its side.
    """

    label: str
    table: str
    subject: str
    fields: tuple[Field, ...] = ()
    scope: Scope = "own"
    across: Across | None = None
    latest: str = ""
    needs: str = ""
    last: int = 0
    order: tuple[str, ...] = ()
    own_rows: bool = False
    wide: bool = False
    chart: ChartKind | None = None
    reason: str = "not in the release"

    @property
    def slug(self) -> str:
        """Name for files and links, such as ``table_1_offender_rates``."""
        return self.table or self.label.lower().replace(" ", "_")


@dataclass(frozen=True)
class Section:
    """A chapter of the assessment with its exhibits."""

    title: str
    exhibits: tuple[Exhibit, ...]


_RESTRICTED = (
    "not in the release: it counts people, and no way to show it without giving small counts away "
    "is in use"
)
"""Why a table of people is kept in the restricted warehouse."""

_AREA = Field("Area", "area_name")
_CODE = Field("Area code", "area_code")
_PERIOD = Field("Period", "period_label")
_SNAPSHOT = Field("Snapshot", "period_label")
_MARKER = Field("Marker", "status")
_COHORT = Field("Cohort", "cohort")


def _month_figure(label: str, table: str, subject: str) -> Exhibit:
    return Exhibit(
        label,
        table,
        subject,
        (
            _CODE,
            _AREA,
            Field("Month", "month", "month"),
            Field("Offences", "offences", "count", marked=True),
            Field("Offences in 12 months", "rolling_12m_offences", "count", note="rolling"),
            Field("Limits since", "xmr_since", "month", note="limits"),
            Field("Average", "xmr_centre", "limit", note="limits"),
            Field("Lower limit", "xmr_lower", "limit", note="limits"),
            Field("Upper limit", "xmr_upper", "limit", note="limits"),
            Field("Signal", "xmr_signal", note="limits"),
            _MARKER,
        ),
        last=13,
        own_rows=True,
        chart="control",
    )


def _released(label: str, table: str, subject: str) -> Exhibit:
    return Exhibit(
        label,
        table,
        subject,
        (
            Field("Prison", "prison"),
            _PERIOD,
            _CODE,
            Field("Area of release", "area_name"),
            Field("With accommodation", "with_accommodation", "count"),
            Field("No address arranged", "no_address_arranged", "count"),
            Field("No fixed abode", "no_fixed_abode", "count"),
            Field("Not recorded", "not_recorded", "count"),
            Field("All released", "released", "count"),
            Field("No fixed abode, share of released", "proportion", "share", marked=True),
            _MARKER,
        ),
        scope="compare",
        latest="period_start",
        chart="bars",
    )


def _answers(*answers: tuple[str, str]) -> tuple[Field, ...]:
    fields = []
    for heading, column in answers:
        fields.append(Field(heading, column, "percent", beside=f"{column}_previous"))
        fields.append(
            Field(f"{heading}, survey before", f"{column}_previous", "percent", "previous_status")
        )
    return (
        Field("Survey", "period_label"),
        Field("Area", "area_name"),
        *fields,
        Field("Answers", "base", "count", marked=True, beside="previous_base"),
        Field("Answers, survey before", "previous_base", "count", "previous_status", marked=True),
        _MARKER,
        Field("Marker, survey before", "previous_status"),
    )


def _pathways(cohort: str) -> tuple[Field, ...]:
    return (
        _COHORT,
        _SNAPSHOT,
        _CODE,
        _AREA,
        Field("Pathway", "pathway"),
        Field(f"{cohort} offenders", "offenders", "count"),
        Field("Of those assessed", "base", "count"),
        Field("Per cent of those assessed", "percent", "percent"),
        _MARKER,
    )


ASSESSMENT: tuple[Section, ...] = (
    Section(
        "Numbers in contact with the criminal justice system",
        (
            Exhibit(
                "Figure 1",
                "",
                "Numbers known to the criminal justice system",
                reason="a diagram that is not drawn from data; its numbers are in Tables 1, 2 and "
                "4 and in Figures 3 and 5",
            ),
            Exhibit(
                "Table 1",
                "table_1_offender_rates",
                "Rates of known offenders",
                (
                    _PERIOD,
                    _CODE,
                    _AREA,
                    Field("Known offenders", "offenders", "count"),
                    Field("Population", "population", "count"),
                    Field("Offenders per 1,000 people", "rate_per_1000", "rate", marked=True),
                    Field("Break in series", "break_reason"),
                    _MARKER,
                ),
                scope="compare",
                across=Across(
                    "period_label",
                    "area_name",
                    ("rate_per_1000",),
                    "Year",
                    "period_order",
                    "area_order",
                ),
            ),
        ),
    ),
    Section(
        "Offenders known to the police",
        (
            Exhibit(
                "Table 2",
                "table_2_offending_frequency",
                "Offenders by number of offences",
                (
                    _PERIOD,
                    _CODE,
                    _AREA,
                    Field("Offences each", "number_of_offences"),
                    Field("Offenders", "offenders", "count"),
                    Field("Offences", "offences", "count"),
                    Field("Per cent of offences", "percent_of_offences", "percent"),
                    Field("Per cent of offenders", "percent_of_offenders", "percent"),
                    _MARKER,
                ),
                latest="period_start",
                own_rows=True,
            ),
            Exhibit(
                "Figure 2",
                "figure_2_offender_profile",
                "Profile of known offenders",
                (
                    _PERIOD,
                    _CODE,
                    _AREA,
                    Field("Heading", "dimension"),
                    Field("Category", "category"),
                    Field("Offenders", "offenders", "count"),
                    Field("Per cent of all", "percent_of_all", "percent"),
                    Field("Per cent of those known", "percent_of_known", "percent"),
                    _MARKER,
                ),
                across=Across(
                    "category",
                    "area_name",
                    ("offenders", "percent_of_all"),
                    "Offenders",
                    "row_order",
                    group="dimension",
                ),
                latest="period_start",
                chart="panels",
            ),
        ),
    ),
    Section(
        "Youth offenders",
        (
            Exhibit(
                "Figure 3",
                "figure_3_juvenile_offenders",
                "Juvenile offenders by district",
                (
                    _PERIOD,
                    _CODE,
                    _AREA,
                    Field("Service", "youth_offending_service"),
                    Field("Juvenile offenders", "juvenile_offenders", "count", marked=True),
                    Field("Rank in service", "rank_in_service", "count"),
                    _MARKER,
                ),
                scope="compare",
                across=Across(
                    "area_name",
                    "period_label",
                    ("juvenile_offenders",),
                    "Area",
                    by_order="period_start",
                ),
                chart="bars",
            ),
            Exhibit(
                "Figure 4",
                "figure_4_first_time_entrants",
                "First-time entrants",
                (
                    _PERIOD,
                    _CODE,
                    _AREA,
                    Field("First-time entrants", "first_time_entrants", "count", marked=True),
                    Field("Change on the year", "change_on_year", "count"),
                    Field("Commonest first offence", "commonest_first_offence"),
                    Field("Entrants with it", "commonest_first_offence_entrants", "count"),
                    Field("Second first offence", "second_first_offence"),
                    Field("Entrants with the second", "second_first_offence_entrants", "count"),
                    _MARKER,
                ),
                own_rows=True,
                chart="bars",
                reason=_RESTRICTED,
            ),
        ),
    ),
    Section(
        "National Probation Service cohort",
        (
            Exhibit(
                "Figure 5",
                "figure_5_nps_profile",
                "Profile of the National Probation Service cohort",
                (
                    _SNAPSHOT,
                    _CODE,
                    _AREA,
                    Field("Heading", "dimension"),
                    Field("Category", "category"),
                    Field("People", "people", "count"),
                    Field("Of", "base", "count"),
                    Field("Per cent", "percent", "percent"),
                    _MARKER,
                ),
                scope="compare",
                across=Across(
                    "category",
                    "area_name",
                    ("people", "percent"),
                    "People supervised",
                    "row_order",
                    "column_order",
                    "dimension",
                ),
                latest="period_end",
                wide=True,
                chart="pairs",
                reason=_RESTRICTED,
            ),
        ),
    ),
    Section(
        "Offender needs",
        (
            Exhibit(
                "Table 3",
                "table_3_oasys_pathways",
                "Needs of assessed offenders by district",
                _pathways("Assessed"),
                scope="compare",
                across=Across(
                    "pathway",
                    "area_name",
                    ("offenders", "percent"),
                    "Need",
                    "row_order",
                    "column_order",
                ),
                latest="period_end",
                wide=True,
                chart="pairs",
            ),
            Exhibit(
                "Table 4",
                "table_4_need_complexity",
                "Offenders by number of needs",
                (
                    _COHORT,
                    _SNAPSHOT,
                    _CODE,
                    _AREA,
                    Field("Number of needs", "assessed_needs"),
                    Field("Offenders", "offenders", "count"),
                    _MARKER,
                ),
                across=Across(
                    "assessed_needs", "area_name", ("offenders",), "Number of needs", "row_order"
                ),
                latest="period_end",
                reason=_RESTRICTED,
            ),
        ),
    ),
    Section(
        "Accommodation as an offender need",
        (
            Exhibit(
                "Figure 6",
                "figure_6_accommodation_need",
                "Accommodation need by cohort",
                (
                    _COHORT,
                    _SNAPSHOT,
                    _CODE,
                    _AREA,
                    Field("Caseload", "caseload", "count"),
                    Field("Not assessed", "not_assessed", "count"),
                    Field("Assessed", "assessed", "count"),
                    Field("With the need", "offenders_with_need", "count"),
                    Field("Per cent of those assessed", "percent", "percent", marked=True),
                    Field("Lower limit", "percent_lower", "percent", note="proportion"),
                    Field("Upper limit", "percent_upper", "percent", note="proportion"),
                    Field("Against the rest of the force", "compared_with_rest"),
                    _MARKER,
                ),
                order=("cohort_order", "row_order"),
                chart="intervals",
                reason=_RESTRICTED,
            ),
            Exhibit(
                "Figure 6 (others)",
                "figure_6_prison_and_youth_need",
                "Accommodation need in prisons and youth offending services",
                (
                    _COHORT,
                    _PERIOD,
                    _CODE,
                    _AREA,
                    Field("Assessed", "assessed", "count"),
                    Field("With the need", "with_need", "count"),
                    Field("Share of those assessed", "proportion", "share", marked=True),
                    Field("Lower limit", "proportion_lower", "share", note="proportion"),
                    Field("Upper limit", "proportion_upper", "share", note="proportion"),
                    _MARKER,
                ),
                chart="intervals",
                reason=_RESTRICTED,
            ),
            _released("Figure 7", "figure_7_males_released", "Men released from prison"),
            _released("Figure 8", "figure_8_females_released", "Women released from prison"),
        ),
    ),
    Section(
        "Addressing accommodation need",
        (
            Exhibit(
                "Figure 9",
                "",
                "The cycle of offending where accommodation is a need",
                reason="a diagram without figures",
            ),
            Exhibit(
                "Table 5",
                "table_5_social_dwellings",
                "Social dwellings by district",
                (
                    Field("Year (31 March)", "stock_year", "year"),
                    _CODE,
                    _AREA,
                    Field("Local authority dwellings", "local_authority", "count"),
                    Field(
                        "Private registered provider dwellings",
                        "private_registered_provider",
                        "count",
                    ),
                    Field("Other public sector dwellings", "other_public_sector", "count"),
                    Field("Total social dwellings", "total", "count"),
                    Field("Population", "population", "count"),
                    Field("Social dwellings per 1,000 people", "rate_per_1000", "rate"),
                    _MARKER,
                ),
                scope="compare",
                latest="stock_year",
                needs="rate_per_1000",
                order=("row_order",),
                chart="bars",
            ),
        ),
    ),
    Section(
        "Shoplifting",
        (
            _month_figure("Figure 10", "figure_10_shoplifting", "Shoplifting"),
            Exhibit(
                "Table 6",
                "table_6_acquisitive_pathways",
                "Needs of offenders committing acquisitive offences",
                (
                    *_pathways("Acquisitive")[:4],
                    Field("Group", "offender_group"),
                    *_pathways("Acquisitive")[4:],
                ),
                across=Across(
                    "pathway",
                    "offender_group",
                    ("offenders", "percent"),
                    "Need",
                    "row_order",
                    "column_order",
                ),
                latest="period_end",
            ),
        ),
    ),
    Section(
        "Burglary",
        (_month_figure("Figure 11", "figure_11_burglary", "Burglary"),),
    ),
    Section(
        "Community survey",
        (
            Exhibit(
                "Table 7",
                "table_7_feel_safe",
                "How safe people feel where they live",
                _answers(
                    ("Very safe", "very_safe"),
                    ("Safe", "safe"),
                    ("Unsafe", "unsafe"),
                    ("Very unsafe", "very_unsafe"),
                ),
                latest="period_start",
            ),
            Exhibit(
                "Table 8",
                "table_8_crime_asb_problem",
                "Problems with crime and anti-social behaviour where people live",
                _answers(
                    ("Not at all", "not_at_all"),
                    ("Not much", "not_much"),
                    ("Quite a problem", "quite_a_problem"),
                    ("Big problem", "big_problem"),
                ),
                latest="period_start",
            ),
        ),
    ),
    Section(
        "Appendix C: offender pathways",
        (
            Exhibit(
                "Appendix C",
                "appendix_c_pathways",
                "Share of assessed offenders with each need",
                (
                    _COHORT,
                    _SNAPSHOT,
                    _CODE,
                    _AREA,
                    Field("Pathway", "pathway"),
                    Field("Offenders", "offenders", "count"),
                    Field("Of those assessed", "base", "count"),
                    Field("Per cent of those assessed", "percent", "percent"),
                    _MARKER,
                ),
            ),
        ),
    ),
)
"""The assessment in the order of print."""


@dataclass(frozen=True)
class ColumnNote:
    """A note on columns: its own words, then what the release says of the columns it names."""

    text: str
    described: tuple[str, ...] = ()

    def words(self, meanings: Mapping[str, str]) -> str:
        """Return the note for a table whose columns mean ``meanings``."""
        said = (meanings[name] for name in self.described if name in meanings)
        return " ".join([self.text, *said])


COLUMN_NOTES: Mapping[str, ColumnNote] = MappingProxyType(
    {
        "rolling": ColumnNote(
            "The month and the eleven before it. Not available while any of the twelve is missing, "
            "or where the series breaks within them."
        ),
        "limits": ColumnNote(
            "Average and limits of usual variation: an individuals control chart (XmR). A lower "
            "limit below zero is given as computed; a count cannot pass it.",
            ("xmr_lower", "xmr_upper", "xmr_signal", "xmr_is_restart"),
        ),
        "proportion": ColumnNote("95% confidence limits of the proportion, by Wilson's method."),
    }
)
"""Notes that columns refer to, by key. Parameters of a method are in the release's own words."""


def exhibits() -> tuple[Exhibit, ...]:
    """Return every table and figure in the order of print."""
    return tuple(exhibit for section in ASSESSMENT for exhibit in section.exhibits)


def compared_tables() -> frozenset[str]:
    """Return the tables that are printed to compare the areas of a force."""
    return frozenset(exhibit.table for exhibit in exhibits() if exhibit.scope == "compare")
