-- Table 8: whether crime and anti-social behaviour are a problem where people live, by town, in
-- whole percentages of those who answered with the previous wave's beside them.

{{ survey_table(
    'crime_asb_problem', ['Not at all', 'Not much', 'Quite a problem', 'Big problem']
) }}
