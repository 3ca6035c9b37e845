"""The delivered rows behind a figure about people, if its row's columns alone cannot tell.

Who was charged with three offences, or is in a category of ages, follows from several rows or from
a rule of the models. Each query here finds the people that the figure counts, in the models'
own tables, and the rows of the source that they came in. No query returns who they are.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import duckdb

_OFFENDERS = """
select charges.file_id, null::varchar, charges.line, null::varchar
from staging.stg_police_charges__charges as charges
inner join intermediate.int_charge_years__complete as years
    on
        charges.force_name = years.force_name
        and charges.charge_month between years.period_start and years.period_end
inner join intermediate.int_areas__listed as areas on years.force_code = areas.force_code
inner join (
    select offenders.*
    from intermediate.int_offenders__by_area as offenders
    left join reference.offender_profile_categories as ages
        on
            ages.dimension = 'age group'
            and offenders.age_years between ages.age_from and ages.age_to
    left join reference.ethnicity_headings as ethnicities using (ethnicity_code)
    where {condition}
) as counted
    on
        charges.person_ref = counted.person_ref
        and years.period_start = counted.period_start
        and areas.area_code = counted.area_code
where years.period_start = $period_start and areas.area_code = $area_code
"""

_PROFILE = """
case $dimension
    when 'sex'
        then case sex when 'M' then 'Male' when 'F' then 'Female' else 'Not known' end = $category
    when 'age group' then coalesce(ages.category, 'Not known') = $category
    when 'ethnicity' then coalesce(ethnicities.heading, 'Refusal and Unknown') = $category
    when 'first offence category' then first_offence_group = $category
    else true
end
"""

_BAND = """
case
    when regexp_full_match($number_of_offences, '[0-9]+') then offences = $number_of_offences::int
    else offences >= coalesce(try_cast(regexp_extract($number_of_offences, '[0-9]+') as int), 0)
end
"""

_IN_AREA = """$area_code in (
        people.area_code,
        people.force_code,
        (
            select listed.partnership_code
            from intermediate.int_areas__listed as listed
            where listed.area_code = people.area_code
        )
    )"""
"""Whether a person is counted in the figure's area: a district, its partnership or its force."""

_MANAGED = f"""
select delivered._file_id, delivered._sheet, delivered._line, delivered._column
from raw.iom_cohort as delivered
inner join intermediate.int_iom_cohort__placed as people
    on delivered.pnc_id = people.person_ref and delivered.snapshot_date = people.snapshot_date
inner join intermediate.int_areas__listed as forces
    on
        delivered.reported_by = forces.force_name
        and forces.area_type = 'force'
        and people.force_code = forces.force_code
where
    people.snapshot_date = $period_start
    and {_IN_AREA}
    and case $dimension
        when 'all' then true
        when 'sex' then people.sex = $category
        when 'age group' then people.age_group = $category
        when 'lead agency' then people.lead_agency = $category
        when 'location' then people.location = $category
        when 'accommodation' then people.accommodation = $category
        when 'index offence group' then people.offence_group = $category
        when 'index offence' then people.acquisitive_group = $category
    end
"""

_YOUNG_PEOPLE = """
select delivered._file_id, delivered._sheet, delivered._line, delivered._column
from raw.youth_offending as delivered
inner join control.in_force as in_force
    on
        in_force.source = 'youth_offending'
        and delivered._delivery_id = in_force.delivery_id
        and delivered.youth_offending_service = in_force.series
        and delivered.return_quarter = in_force.period
inner join intermediate.int_youth_periods__covered as periods
    on
        delivered.youth_offending_service = periods.youth_offending_service
        and delivered.return_quarter between periods.period_start and periods.period_end
inner join intermediate.int_youth_offenders__yearly as people
    on
        delivered.yos_reference = people.person_ref
        and delivered.youth_offending_service = people.youth_offending_service
        and periods.period_type = people.period_type
        and periods.period_start = people.period_start
where
    people.period_type = $period_type
    and people.period_start = $period_start
    and {in_area}
    and {condition}
-- The registration by which a young person is counted, as in the model.
qualify row_number() over (
    partition by people.youth_offending_service, people.person_ref
    order by
        (delivered.first_time_entrant = 'Y') desc,
        delivered.offence_date,
        delivered.registered_on,
        delivered.return_quarter
) = 1
"""

_YOUNG_CATEGORY = """
($cohort <> 'first-time entrants' or people.is_first_time_entrant)
and case $dimension
    when 'all' then true
    when 'sex' then people.sex = $category
    when 'age group' then people.age_group = $category
    when 'first offence' then people.first_offence = $category
    when 'accommodation need' then people.accommodation_need = $category
end
"""

_BY_NEEDS = """
select delivered._file_id, delivered._sheet, delivered._line, delivered._column
from raw.oasys_assessments as delivered
inner join (
    select
        people.person_ref,
        people.cohort,
        people.snapshot_date,
        people.delivery,
        case
            when people.is_assessed then count_if(answers.answer = 'identified')::varchar
            else 'Not assessed'
        end as complexity
    from staging.stg_oasys_assessments__people as people
    inner join staging.stg_oasys_assessments__answers as answers
        using (cohort, snapshot_date, person_ref)
    where people.cohort = $cohort and people.snapshot_date = $period_end
    group by
        people.person_ref,
        people.cohort,
        people.snapshot_date,
        people.delivery,
        people.is_assessed
) as counted
    on
        delivered.crn = counted.person_ref
        and delivered.provider = counted.cohort
        and delivered.snapshot_date = counted.snapshot_date
where list_contains($area_names, delivered.residence) and counted.complexity = {complexity}
"""

_SUPPLIED = """
select delivered._file_id, delivered._sheet, delivered._line, delivered._column
from raw.probation_caseload as delivered
left join reference.probation_values as listed
    on
        listed.dimension = $dimension
        and listed.supplied_value = case $dimension
            when 'Gender' then delivered.sex
            when 'Ethnicity' then delivered.ethnicity
            when 'Order category' then delivered.order_type
            when 'Offence category' then delivered.main_offence
            when 'Disability' then delivered.disability
            when 'Mental health' then delivered.mental_health
            when 'Accommodation status' then delivered.accommodation_status
            when 'Suicide or self-harm' then delivered.self_harm
            when 'Area classification' then delivered.area_classification
        end
where
    delivered.provider = $cohort
    and delivered.snapshot_date = $period_end
    and list_contains($area_names, delivered.residence)
    and case $dimension
        when 'Age group' then case
            when delivered.age_at_snapshot <= 21 then '21 and under'
            when delivered.age_at_snapshot <= 25 then '22-25'
            when delivered.age_at_snapshot <= 30 then '26-30'
            when delivered.age_at_snapshot <= 35 then '31-35'
            when delivered.age_at_snapshot <= 40 then '36-40'
            when delivered.age_at_snapshot <= 50 then '41-50'
            when delivered.age_at_snapshot <= 60 then '51-60'
            when delivered.age_at_snapshot > 60 then '61 or older'
            else 'Not known'
        end
        when 'Age under 21' then case
            when delivered.age_at_snapshot < 21 then 'Yes'
            when delivered.age_at_snapshot >= 21 then 'No'
            else 'Not known'
        end
        when 'OGRS 3' then case
            when delivered.ogrs3_score < 25 then 'Low <25'
            when delivered.ogrs3_score <= 40 then 'Medium 25-40'
            when delivered.ogrs3_score < 80 then 'High 41-79'
            when delivered.ogrs3_score >= 80 then 'Very High 80+'
            else 'Blank'
        end
        else coalesce(listed.category, (
            select any_value(category) from reference.probation_categories
            where dimension = $dimension and not is_known
        ))
    end = $category
"""


@dataclass(frozen=True)
class Counted:
    """How the rows behind a table's figures are found in one source, and by what."""

    source: str
    query: str
    narrowed_by: tuple[str, ...]

    @property
    def needs(self) -> frozenset[str]:
        """Names of the values that the query takes from the figure's row."""
        return frozenset(re.findall(r"\$(\w+)", self.query))


def _offenders(condition: str, *narrowed_by: str) -> Counted:
    query = _OFFENDERS.format(condition=condition)
    return Counted("police_charges", query, ("period", "area", *narrowed_by))


def _young(condition: str, *narrowed_by: str) -> Counted:
    query = _YOUNG_PEOPLE.format(in_area=_IN_AREA, condition=condition)
    return Counted("youth_offending", query, ("period", "area", *narrowed_by))


_BY = ("period", "area", "cohort")
COUNTED: Mapping[str, Counted] = {
    "offender_rates": _offenders("true"),
    "table_1_offender_rates": _offenders("true"),
    "offending_frequency": _offenders(
        _BAND.replace("$number_of_offences", "$offences_band"), "offences a person"
    ),
    "table_2_offending_frequency": _offenders(_BAND, "offences a person"),
    "offender_profile": _offenders(_PROFILE, "category"),
    "figure_2_offender_profile": _offenders(_PROFILE, "category"),
    "iom_cohort": Counted("iom_cohort", _MANAGED, ("period", "area", "category")),
    "youth_offenders": _young(_YOUNG_CATEGORY, "cohort", "category"),
    "figure_3_juvenile_offenders": _young("true"),
    "figure_4_first_time_entrants": _young("people.is_first_time_entrant", "cohort"),
    "need_complexity": Counted(
        "oasys_assessments", _BY_NEEDS.format(complexity="$complexity"), (*_BY, "needs")
    ),
    "probation_profile": Counted("probation_caseload", _SUPPLIED, (*_BY, "category")),
    "figure_5_nps_profile": Counted("probation_caseload", _SUPPLIED, (*_BY, "category")),
}
"""By table. A calendar year of the offender tables is not here: the force counted it."""


def counted_rows(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    source: str,
    delivery_id: int,
    row: Mapping[str, Any],
) -> tuple[tuple[str, ...], list[tuple[Any, ...]]] | None:
    """Return by what and to which rows of a delivery (file, sheet, line, column) a figure leads.

    None where the columns of the row say it alone, or the row does not name what it takes.
    """
    counted = COUNTED.get(table)
    if counted is None or counted.source != source or ":" in str(row.get("area_code")):
        return None
    if any(row.get(name) is None for name in counted.needs):
        return None
    rows = connection.execute(
        "select files.file_name, found.* exclude (file_id) "
        f"from ({counted.query}) as found (file_id, sheet, line, of_column) "
        "inner join control.files as files using (file_id) "
        "where files.delivery_id = $delivery_id order by files.file_name, found.line",
        {"delivery_id": delivery_id, **{name: row[name] for name in counted.needs}},
    ).fetchall()
    return counted.narrowed_by, rows
