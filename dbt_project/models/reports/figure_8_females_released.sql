-- Figure 8: accommodation of women released from prison, by where they went, by period.

{{ released_by_area('Female') }}
