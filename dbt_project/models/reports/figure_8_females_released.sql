-- Figure 8: accommodation of women released from prison, by where they went, in each period returned.

{{ released_by_area('Female') }}
