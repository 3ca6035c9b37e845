-- Table 7: how safe people feel where they live, by town, in whole percentages of those who
-- answered with the previous wave's beside them.

{{ survey_table('feel_safe', ['Very Safe', 'Safe', 'Unsafe', 'Very Unsafe']) }}
