-- Figure 7: accommodation of men released from prison, by where they went, in each period returned.

{{ released_by_area('Male') }}
