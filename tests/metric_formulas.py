"""Every metric a second time, in SQL of its own over the published file.

Each query returns a figure as it is published and as it is computed here, from other tables where
there are some: from crime by month, from small areas, from the tables as they are printed.
"""

_AREAS_OF_CRIME = """
    select area_code, area_code as of_area from marts.dim_area
    union select area_code, force_code from marts.dim_area where is_part_of_force
    union select area_code, partnership_code from marts.dim_area
    where area_type = 'district' and partnership_code is not null
"""
_TYPES_OF_CRIME = """
    select crime_type, crime_type as of_type from marts.dim_crime_type
    union select crime_type, 'Total crime' from marts.dim_crime_type where is_in_total_crime
"""
_PERIODS_OF_CRIME = """
    select month, 'month' as period_type, month as period_start, 1 as months from marts.dim_month
    union all select month, 'quarter', quarter, 3 from marts.dim_month
"""
# One row for each area, type and period, where every part has a count.
_CRIME = f"""
    select areas.of_area as area_code, types.of_type as crime_type, periods.period_type,
        periods.period_start, sum(crime.offences) as offences
    from marts.crime_monthly as crime
    inner join ({_AREAS_OF_CRIME}) as areas using (area_code)
    inner join ({_TYPES_OF_CRIME}) as types using (crime_type)
    inner join ({_PERIODS_OF_CRIME}) as periods using (month)
    group by all
    having count(*) = count(crime.offences) and count(distinct month) = any_value(periods.months)
"""
_TWELVE_MONTHS = f"""
    select scanning.area_code, scanning.crime_type,
        sum(crime.offences) filter (crime.period_start > scanning.period_end - interval 12 month)
            as offences,
        sum(crime.offences) filter (crime.period_start <= scanning.period_end - interval 12 month)
            as offences_before
    from marts.crime_scanning as scanning
    inner join ({_CRIME}) as crime using (area_code, crime_type)
    where crime.period_type = 'month'
        and crime.period_start > scanning.period_end - interval 24 month
        and crime.period_start <= scanning.period_end
    group by all
"""
_REST = """
    select own.area_code, own.crime_type, force.offences - own.offences as offences
    from marts.crime_scanning as own
    inner join marts.dim_area as areas using (area_code)
    inner join (
        select force_code, crime_type, sum(offences) as offences,
            count(offences) = count(*) as whole
        from marts.crime_scanning inner join marts.dim_area using (area_code)
        where marts.dim_area.area_type = 'district' group by all
    ) as force using (force_code, crime_type)
    where force.whole and areas.area_type <> 'force'
"""
_REST_PEOPLE = """
    select own.area_code, own.crime_type, force.population - own.population as population
    from marts.crime_scanning as own
    inner join marts.dim_area as areas using (area_code)
    inner join marts.crime_scanning as force
        on areas.force_code = force.area_code and own.crime_type = force.crime_type
    where areas.area_type <> 'force'
"""
_PLACES = f"""
    select areas.of_area as area_code, places.crime_type, places.offences, places.verdict,
        row_number() over (partition by areas.of_area, places.crime_type
            order by places.offences desc) as place
    from marts.crime_hot_spots as places
    inner join ({_AREAS_OF_CRIME}) as areas using (area_code)
"""


_DEPRIVED_PLACES = f"""
    select areas.of_area as area_code, spots.crime_type, kinds.group_type,
        ceil(places.deprivation_decile * kinds.groups / 10) as deprivation_group,
        spots.small_area_code, spots.offences, places.population
    from marts.crime_hot_spots as spots
    inner join ({_AREAS_OF_CRIME}) as areas using (area_code)
    inner join marts.small_areas as places using (small_area_code)
    cross join (values ('decile', 10), ('quintile', 5)) as kinds (group_type, groups)
    where places.deprivation_decile is not null
"""


def _by_deprivation(column: str, computed: str) -> str:
    """Compare a column with what hot spots and small areas give, where a group has places."""
    return f"""
        select groups.{column}, {computed}
        from marts.crime_by_deprivation as groups
        inner join ({_DEPRIVED_PLACES}) as places
            using (area_code, crime_type, group_type, deprivation_group)
        group by area_code, crime_type, group_type, deprivation_group, 1
        having groups.{column} is not null
    """


def _all_of_deprivation(column: str, figure: str) -> str:
    return f"""
        select groups.{column}, sum(parts.{figure}) from marts.crime_by_deprivation as groups
        inner join marts.crime_by_deprivation as parts using (area_code, crime_type, group_type)
        group by area_code, crime_type, group_type, groups.deprivation_group, 1
    """


def _population(table: str) -> str:
    return (
        f"select rates.population, estimates.population from marts.{table} as rates "
        "left join marts.populations as estimates "
        "using (area_code, population_mid_year, population_estimator)"
    )


def _quotient(table: str, column: str, formula: str) -> str:
    return f"select {column}, {formula} from marts.{table}"


RECOMPUTED = {
    "offences": f"""
        select trends.offences, crime.offences from marts.crime_trends as trends
        left join ({_CRIME}) as crime using (area_code, crime_type, period_type, period_start)
    """,
    "offence_rate": """
        select trends.rate_per_1000, trends.offences / (estimates.population / 1000)
        from marts.crime_trends as trends inner join marts.populations as estimates
            using (area_code, population_mid_year, population_estimator)
    """,
    "offences_12m": f"""
        select trends.rolling_12m_offences, sum(crime.offences)
        from marts.crime_trends as trends
        left join ({_CRIME}) as crime
            on trends.area_code = crime.area_code and trends.crime_type = crime.crime_type
            and crime.period_type = 'month' and crime.period_start
                between trends.period_start - interval 11 month and trends.period_start
        where trends.rolling_12m_offences is not null
        group by trends.area_code, trends.crime_type, trends.period_start, 1
    """,
    "offence_rate_12m": _quotient(
        "crime_trends", "rolling_12m_rate_per_1000", "rolling_12m_offences / (population / 1000)"
    ),
    "offences_year_before": f"""
        select trends.offences_year_before, crime.offences from marts.crime_trends as trends
        left join ({_CRIME}) as crime
            on trends.area_code = crime.area_code and trends.crime_type = crime.crime_type
            and trends.period_type = crime.period_type
            and trends.period_start = crime.period_start + interval 1 year
        where trends.offences_year_before is not null
    """,
    "offences_change": """
        select now.change_on_year_percent, (now.offences / before.offences - 1) * 100
        from marts.crime_trends as now inner join marts.crime_trends as before
            on now.area_code = before.area_code and now.crime_type = before.crime_type
            and now.period_type = before.period_type
            and now.period_start = before.period_start + interval 1 year
        where now.change_on_year_percent is not null
    """,
    "crime_population": _population("crime_trends"),
    "year_offences": f"""
        select scanning.offences, crime.offences from marts.crime_scanning as scanning
        left join ({_TWELVE_MONTHS}) as crime using (area_code, crime_type)
        where scanning.offences is not null
    """,
    "year_offences_before": f"""
        select scanning.offences_year_before, crime.offences_before
        from marts.crime_scanning as scanning
        left join ({_TWELVE_MONTHS}) as crime using (area_code, crime_type)
        where scanning.offences_year_before is not null
    """,
    "year_offence_rate": _quotient(
        "crime_scanning", "rate_per_1000", "offences / (population / 1000)"
    ),
    "year_offences_change": _quotient(
        "crime_scanning", "change_percent", "(offences / offences_year_before - 1) * 100"
    ),
    "year_population": """
        select own.population, trends.population from marts.crime_scanning as own
        inner join marts.crime_trends as trends
            on own.area_code = trends.area_code and own.crime_type = trends.crime_type
            and own.period_end = trends.period_end and trends.period_type = 'month'
    """,
    "rest_offences": f"""
        select own.rest_offences, rest.offences from marts.crime_scanning as own
        left join ({_REST}) as rest using (area_code, crime_type)
        where own.rest_offences is not null
    """,
    "rest_population": f"""
        select own.rest_population, rest.population from marts.crime_scanning as own
        left join ({_REST_PEOPLE}) as rest using (area_code, crime_type)
        where own.rest_population is not null
    """,
    "rest_offence_rate": _quotient(
        "crime_scanning", "rest_rate_per_1000", "rest_offences / (rest_population / 1000)"
    ),
    "rate_ratio": """
        select rate_ratio, rate_per_1000 / rest_rate_per_1000 from marts.crime_scanning
        where rate_ratio is not null
    """,
    "offences_with_outcome": """
        select whole.offences_with_outcome, sum(parts.offences_with_outcome)
        from marts.crime_outcomes as whole
        inner join marts.crime_outcomes as parts using (area_code, crime_type, outcome_group)
        where whole.period_type = 'twelve_months' and parts.period_type = 'quarter'
            and parts.period_start between whole.period_start and whole.period_end
        group by area_code, crime_type, outcome_group, whole.period_start, 1
    """,
    "outcome_offences": f"""
        select outcomes.offences, crime.offences from marts.crime_outcomes as outcomes
        left join ({_CRIME}) as crime using (area_code, crime_type, period_type, period_start)
        where outcomes.period_type = 'quarter'
    """,
    "outcome_percent": _quotient(
        "crime_outcomes", "percent_of_offences", "offences_with_outcome / (offences / 100)"
    )
    + " where offences > 0",
    **{
        count: f"""
        select whole.{count}, sum(parts.{count}) from marts.stop_and_search as whole
        inner join marts.stop_and_search as parts using (area_code, period_type, period_start)
        where whole.is_sum and whole.dimension = 'all' and not parts.is_sum
            and parts.dimension = 'age range'
        group by area_code, period_type, period_start, 1
        """
        for count in (
            "searches",
            "vehicle_searches",
            "searches_with_arrest",
            "searches_with_other_action",
            "searches_with_no_further_action",
            "searches_with_outcome_unknown",
            "searches_with_link_stated",
            "searches_linked",
        )
    },
    "search_population": """
        select searches.population, populations.population from marts.stop_and_search as searches
        inner join marts.crime_trends as populations
            on searches.area_code = populations.area_code
            and searches.period_end = populations.period_end
        where searches.dimension = 'all' and populations.period_type = 'month'
            and populations.crime_type = 'Total crime'
    """,
    "search_rate": _quotient("stop_and_search", "rate_per_1000", "searches / (population / 1000)")
    + " where dimension = 'all'",
    "search_action_percent": _quotient(
        "stop_and_search",
        "percent_with_action",
        "(searches_with_arrest + searches_with_other_action)"
        " / ((searches - searches_with_outcome_unknown) / 100)",
    )
    + " where searches > searches_with_outcome_unknown",
    "search_linked_percent": _quotient(
        "stop_and_search", "percent_linked", "searches_linked / (searches_with_link_stated / 100)"
    )
    + " where searches_with_link_stated > 0",
    "recorded_offences": """
        select whole.offences, sum(parts.offences) from marts.recorded_crime_by_csp as whole
        inner join marts.recorded_crime_by_csp as parts
            using (recorded_offence_group, period_key)
        where whole.place_level = 'all' and parts.place_level = 'partnership'
        group by recorded_offence_group, period_key, 1
    """,
    "recorded_population": """
        select whole.population, sum(parts.population) from marts.recorded_crime_by_csp as whole
        inner join marts.recorded_crime_by_csp as parts
            using (police_force, recorded_offence_group, period_key)
        where whole.place_level = 'force' and parts.place_level = 'partnership'
        group by police_force, recorded_offence_group, period_key, 1
    """,
    "recorded_offence_rate": _quotient(
        "recorded_crime_by_csp", "rate_per_1000", "offences / (population / 1000)"
    ),
    "harm_score": f"""
        select harm.harm_score, sum(parts.offences * parts.mean_weight)
        from marts.crime_harm as harm
        inner join ({_TYPES_OF_CRIME}) as types on harm.crime_type = types.of_type
        inner join marts.crime_harm as parts
            on types.crime_type = parts.crime_type and harm.area_code = parts.area_code
        group by harm.area_code, harm.crime_type, 1
        having harm.harm_score is not null
    """,
    "harm_rate": _quotient("crime_harm", "harm_per_1000", "harm_score / (population / 1000)"),
    "harm_population": _population("crime_harm").replace(
        "population_mid_year, population_estimator", "population"
    ),
    "adjusted_offences": _quotient(
        "crime_seasonal", "seasonally_adjusted", "offences / seasonal_factor"
    ),
    "small_area_offences": f"""
        select places.offences, sum(crime.offences) from marts.crime_hot_spots as places
        inner join ({_TYPES_OF_CRIME}) as types on places.crime_type = types.of_type
        left join marts.crime_by_small_area as crime
            on places.small_area_code = crime.small_area_code
            and types.crime_type = crime.crime_type
            and crime.month between places.period_end - interval 12 month and places.period_end
        where places.offences > 0
        group by places.small_area_code, places.crime_type, 1
    """,
    "hot_spots": f"""
        select concentration.hot_spots, count(*) filter (places.verdict = 'hot spot')
        from marts.crime_concentration as concentration
        inner join ({_PLACES}) as places using (area_code, crime_type)
        where concentration.hot_spots is not null
        group by area_code, crime_type, 1
    """,
    "placed_offences": f"""
        select concentration.offences, sum(places.offences)
        from marts.crime_concentration as concentration
        inner join ({_PLACES}) as places using (area_code, crime_type)
        group by area_code, crime_type, 1
    """,
    "offences_in_highest": f"""
        select concentration.offences_in_highest,
            sum(places.offences) filter (places.place <= ceil(concentration.places * 0.05))
        from marts.crime_concentration as concentration
        inner join ({_PLACES}) as places using (area_code, crime_type)
        group by area_code, crime_type, 1
    """,
    "share_of_highest": f"""
        select concentration.share_of_highest,
            sum(places.offences) filter (places.place <= concentration.highest_places)
                / sum(places.offences)
        from marts.crime_concentration as concentration
        inner join ({_PLACES}) as places using (area_code, crime_type)
        where concentration.share_of_highest is not null
        group by area_code, crime_type, 1
    """,
    "deprivation_small_areas": _by_deprivation(
        "small_areas", "count(distinct places.small_area_code)"
    ),
    "deprivation_small_areas_all": _quotient(
        "crime_by_deprivation", "small_areas_of_area", "small_areas / share_of_small_areas"
    )
    + " where small_areas > 0",
    "share_of_small_areas": _by_deprivation(
        "share_of_small_areas", "count(*) / any_value(groups.small_areas_of_area)"
    ),
    "deprivation_population": _by_deprivation("population", "sum(places.population)"),
    "deprivation_population_all": _all_of_deprivation("population_of_area", "population"),
    "share_of_population": _by_deprivation(
        "share_of_population", "sum(places.population) / any_value(groups.population_of_area)"
    ),
    "deprivation_offences": _by_deprivation("offences", "sum(places.offences)"),
    "deprivation_offences_all": _all_of_deprivation("offences_of_area", "offences"),
    "share_of_offences": _by_deprivation(
        "share_of_offences", "sum(places.offences) / any_value(groups.offences_of_area)"
    ),
    "deprivation_rate": _by_deprivation(
        "rate_per_1000", "1000 * sum(places.offences) / sum(places.population)"
    ),
    "offence_ratio": _by_deprivation(
        "offence_ratio",
        "(sum(places.offences) / sum(places.population)) "
        "/ (any_value(groups.offences_of_area) / any_value(groups.population_of_area))",
    ),
    "offenders": """
        select rates.offenders, printed.offenders from marts.offender_rates as rates
        inner join reports.table_1_offender_rates as printed
            using (area_code, period_type, period_start)
    """,
    "offender_rate": _quotient(
        "offender_rates", "rate_per_1000", "offenders / (population / 1000)"
    ),
    "offender_population": _population("offender_rates"),
    "group_offenders": """
        select profile.offenders, printed.offenders from marts.offender_profile as profile
        inner join reports.figure_2_offender_profile as printed
            on profile.area_code = printed.area_code
            and profile.period_start = printed.period_start
            and profile.category = printed.category
            and profile.dimension = case printed.dimension
                when 'Gender' then 'sex' else lower(printed.dimension) end
    """,
    "group_offenders_all": """
        select profile.all_offenders, rates.offenders from marts.offender_profile as profile
        inner join marts.offender_rates as rates using (area_code, period_key)
    """,
    "group_offenders_known": """
        select profile.known_offenders, sum(groups.offenders)
        from marts.offender_profile as profile
        inner join marts.offender_profile as groups using (area_code, period_key, dimension)
        where groups.is_known and profile.known_offenders is not null
        group by area_code, period_key, dimension, profile.category, 1
        having count(*) = count(groups.offenders)
    """,
    "group_percent": _quotient(
        "offender_profile", "percent_of_all", "offenders / (all_offenders / 100)"
    ),
    "group_percent_of_known": _quotient(
        "offender_profile", "percent_of_known", "offenders / (known_offenders / 100)"
    )
    + " where is_known",
    "frequency_offenders": """
        select frequency.offenders, printed.offenders from marts.offending_frequency as frequency
        inner join reports.table_2_offending_frequency as printed
            on frequency.area_code = printed.area_code
            and frequency.period_key = printed.period_key
            and frequency.offences_band = printed.number_of_offences
    """,
    "frequency_offenders_all": """
        select frequency.all_offenders, printed.offenders
        from marts.offending_frequency as frequency
        inner join reports.table_2_offending_frequency as printed using (area_code, period_key)
        where printed.number_of_offences = 'All'
    """,
    "frequency_percent": _quotient(
        "offending_frequency", "percent_of_offenders", "offenders / (all_offenders / 100)"
    ),
    "frequency_offences": """
        select frequency.offences, printed.offences from marts.offending_frequency as frequency
        inner join reports.table_2_offending_frequency as printed
            on frequency.area_code = printed.area_code
            and frequency.period_key = printed.period_key
            and frequency.offences_band = printed.number_of_offences
    """,
    "frequency_offences_all": """
        select frequency.all_offences, printed.offences from marts.offending_frequency as frequency
        inner join reports.table_2_offending_frequency as printed using (area_code, period_key)
        where printed.number_of_offences = 'All'
    """,
    "frequency_offences_percent": _quotient(
        "offending_frequency", "percent_of_offences", "offences / (all_offences / 100)"
    ),
    "age_and_sex_offenders": """
        select cells.offenders, case cells.sex when 'Male' then printed.men
            when 'Female' then printed.women else printed.offenders end
        from marts.offender_age_and_sex as cells
        inner join reports.page_age_and_sex as printed using (area_code, period_key, age_group)
        where cells.sex in ('Male', 'Female', 'All')
    """,
    "age_and_sex_offenders_all": """
        select cells.all_offenders, everyone.offenders from marts.offender_age_and_sex as cells
        inner join marts.offender_age_and_sex as everyone using (area_code, period_key)
        where everyone.sex = 'All' and everyone.age_group = 'All'
    """,
    "age_and_sex_percent": _quotient(
        "offender_age_and_sex", "percent_of_all", "offenders / (all_offenders / 100)"
    ),
    "age_and_sex_population": """
        select cells.population, sum(of_age.population) from marts.offender_age_and_sex as cells
        inner join marts.populations_by_age as of_age
            on
                cells.area_code = of_age.area_code
                and year(cells.population_mid_year) = year(of_age.period_start)
                and cells.sex in ('All', of_age.sex)
                and of_age.age
                    >= case cells.age_group when 'All' then 10 when '61+' then 61 else 18 end
                and of_age.age <= case cells.age_group when '18-21' then 21 else 90 end
        where cells.age_group in ('All', '61+', '18-21')
        group by cells.area_code, cells.period_key, cells.age_group, cells.sex, 1
    """,
    "age_and_sex_rate": _quotient(
        "offender_age_and_sex", "rate_per_1000", "offenders / (population / 1000)"
    ),
    "young_people": """
        select youth.young_people, printed.juvenile_offenders from marts.youth_offenders as youth
        inner join reports.figure_3_juvenile_offenders as printed
            using (area_code, period_type, period_start)
        where youth.cohort = 'registered' and youth.dimension = 'all'
        union all
        select youth.young_people, printed.first_time_entrants from marts.youth_offenders as youth
        inner join reports.figure_4_first_time_entrants as printed
            using (area_code, period_type, period_start)
        where youth.cohort = 'first-time entrants' and youth.dimension = 'all'
    """,
    "young_people_all": """
        select youth.young_people_all, everyone.young_people from marts.youth_offenders as youth
        inner join marts.youth_offenders as everyone using (area_code, period_key, cohort)
        where everyone.dimension = 'all'
    """,
    "young_people_share": _quotient(
        "youth_offenders", "proportion", "young_people / young_people_all"
    ),
    "youth_population": """
        select youth.population_aged_10_to_17, sum(of_age.population)
        from marts.youth_offenders as youth
        inner join marts.populations_by_age as of_age
            on
                youth.area_code = of_age.area_code
                and year(youth.population_mid_year) = year(of_age.period_start)
                and youth.category in ('All', of_age.sex)
                and of_age.age between 10 and 17
        group by
            youth.area_code, youth.period_type, youth.period_key, youth.cohort, youth.category, 1
    """,
    "youth_rate": _quotient(
        "youth_offenders", "rate_per_1000", "young_people / (population_aged_10_to_17 / 1000)"
    ),
    "managed_people": """
        select parts.people, everyone.people_all from marts.iom_cohort as parts
        inner join marts.iom_cohort as everyone using (area_code, period_key)
        where parts.dimension = 'all' and everyone.dimension = 'sex'
    """,
    "managed_people_all": """
        select parts.people_all, everyone.people from marts.iom_cohort as parts
        inner join marts.iom_cohort as everyone using (area_code, period_key)
        where everyone.dimension = 'all'
    """,
    "managed_share": _quotient("iom_cohort", "proportion", "people / people_all"),
    "supervised_people": """
        select profile.people, printed.people from marts.probation_profile as profile
        inner join reports.figure_5_nps_profile as printed
            using (area_code, cohort, period_end, dimension, category)
    """,
    "caseload": """
        select profile.caseload, printed.base from marts.probation_profile as profile
        inner join reports.figure_5_nps_profile as printed
            using (area_code, cohort, period_end, dimension, category)
    """,
    "caseload_known": """
        select profile.known, sum(groups.people) from marts.probation_profile as profile
        inner join marts.probation_profile as groups
            using (area_code, cohort, period_key, dimension)
        where profile.known is not null and groups.known is not null
        group by area_code, cohort, period_key, dimension, profile.category, 1
        having count(*) = count(groups.people)
    """,
    "supervised_share": _quotient("probation_profile", "proportion", "people / caseload"),
    "supervised_share_of_known": _quotient(
        "probation_profile", "proportion_of_known", "people / known"
    ),
    "offenders_with_need": """
        select needs.identified, printed.offenders from marts.need_pathways as needs
        inner join reports.table_3_oasys_pathways as printed
            using (area_code, cohort, period_end, pathway)
        where needs.sex = 'All' and needs.offence_group = 'All'
    """,
    "offenders_answered": """
        select needs.answered, printed.base from marts.need_pathways as needs
        inner join reports.table_3_oasys_pathways as printed
            using (area_code, cohort, period_end, pathway)
        where needs.sex = 'All' and needs.offence_group = 'All'
    """,
    "offenders_assessed": """
        select needs.assessed, accommodation.assessed from marts.need_pathways as needs
        inner join marts.accommodation_need as accommodation using (area_code, cohort, period_key)
        where needs.sex = 'All' and needs.offence_group = 'All'
    """,
    "need_share": _quotient("need_pathways", "proportion", "identified / answered"),
    "offenders_by_needs": """
        select needs.offenders, printed.offenders from marts.need_complexity as needs
        inner join reports.table_4_need_complexity as printed
            on needs.area_code = printed.area_code and needs.cohort = printed.cohort
            and needs.period_end = printed.period_end
            and needs.complexity = printed.assessed_needs::varchar
    """,
    "offenders_by_needs_base": """
        select needs.base, case needs.complexity when 'Not assessed' then accommodation.caseload
            else accommodation.assessed end
        from marts.need_complexity as needs
        inner join marts.accommodation_need as accommodation using (area_code, cohort, period_key)
    """,
    "needs_share": _quotient("need_complexity", "proportion", "offenders / base"),
    "offenders_with_housing_need": """
        select needs.offenders_with_need, pathways.identified from marts.accommodation_need as needs
        inner join marts.need_pathways as pathways using (area_code, cohort, period_key)
        where pathways.pathway = 'Accommodation' and sex = 'All' and offence_group = 'All'
    """,
    "offenders_with_housing_answer": """
        select needs.answered, pathways.answered from marts.accommodation_need as needs
        inner join marts.need_pathways as pathways using (area_code, cohort, period_key)
        where pathways.pathway = 'Accommodation' and sex = 'All' and offence_group = 'All'
    """,
    "housing_need_share": _quotient(
        "accommodation_need", "proportion", "offenders_with_need / answered"
    ),
    "prisoners_with_housing_need": """
        select needs.with_need, printed.with_need from marts.prison_accommodation_need as needs
        inner join reports.figure_6_prison_and_youth_need as printed
            on needs.area_code = printed.area_code and needs.period_start = printed.period_start
            and printed.cohort = needs.prison
        where needs.sex = 'All'
    """,
    "prisoners_assessed": """
        select needs.assessed, printed.assessed from marts.prison_accommodation_need as needs
        inner join reports.figure_6_prison_and_youth_need as printed
            on needs.area_code = printed.area_code and needs.period_start = printed.period_start
            and printed.cohort = needs.prison
        where needs.sex = 'All'
    """,
    "prisoners_housing_need_share": _quotient(
        "prison_accommodation_need", "proportion", "with_need / assessed"
    ),
    "released_without_home": """
        select releases.no_accommodation, printed.no_accommodation
        from marts.prison_release_accommodation as releases
        inner join reports.page_prison_releases as printed using (prison, area_code, period_key)
    """,
    "released": """
        select releases.released, printed.released
        from marts.prison_release_accommodation as releases
        inner join reports.page_prison_releases as printed using (prison, area_code, period_key)
    """,
    "released_without_home_share": _quotient(
        "prison_release_accommodation", "proportion", "no_accommodation / released"
    ),
    "dwellings": """
        select total.dwellings, sum(parts.dwellings) from marts.social_housing_stock as total
        inner join marts.social_housing_stock as parts using (area_code, stock_date)
        where total.tenure = 'all social' and parts.tenure
            in ('local authority', 'private registered provider', 'other public sector')
            and total.dwellings is not null
        group by area_code, stock_date, 1
        having count(*) = count(parts.dwellings)
    """,
    "dwelling_rate": _quotient(
        "social_housing_stock", "rate_per_1000", "dwellings / (population / 1000)"
    ),
    "housing_population": _population("social_housing_stock"),
    "supported_places": """
        select total.places, sum(parts.places) from marts.supported_accommodation as total
        inner join marts.supported_accommodation as parts using (area_code, period_key, kind)
        where total.scheme = 'All schemes' and total.town = 'All towns'
            and parts.scheme <> 'All schemes' and parts.town <> 'All towns'
            and total.places is not null
        group by area_code, period_key, kind, 1
    """,
    "answers": """
        select answers.answer_count, next.previous_answer_count
        from marts.survey_perceptions as answers
        inner join marts.survey_perceptions as next
            on answers.area_code = next.area_code and answers.question = next.question
            and answers.answer = next.answer and answers.period_start = next.previous_period_start
    """,
    "answers_all": """
        select answers.base, next.previous_base from marts.survey_perceptions as answers
        inner join marts.survey_perceptions as next
            on answers.area_code = next.area_code and answers.question = next.question
            and answers.answer = next.answer and answers.period_start = next.previous_period_start
    """,
    "answer_percent": _quotient("survey_perceptions", "percentage", "answer_count / (base / 100)"),
    "responses": """
        select responses.responses, next.previous_responses
        from marts.survey_responses as responses
        inner join marts.survey_responses as next
            on responses.area_code = next.area_code
            and responses.period_start = next.previous_period_start
    """,
    "population_of_age": """
        select everyone.population, sum(of_age.population) from marts.populations as everyone
        inner join marts.populations_by_age as of_age using (area_code, period_start)
        where everyone.population_estimator = 'ons_mid_year'
        group by area_code, period_start, 1
    """,
    "population": """
        select force.population, sum(districts.population) from marts.populations as force
        inner join marts.dim_area as areas on force.area_code = areas.force_code
            and areas.area_type = 'district'
        inner join marts.populations as districts
            on areas.area_code = districts.area_code
            and force.population_mid_year = districts.population_mid_year
            and force.population_estimator = districts.population_estimator
        where force.area_type = 'force' and force.population is not null
        group by force.area_code, force.population_mid_year, force.population_estimator, 1
    """,
}
"""A query for each metric, of pairs: as published, and as computed here; null where not known."""
