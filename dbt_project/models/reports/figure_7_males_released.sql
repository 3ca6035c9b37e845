-- Figure 7: accommodation of men released from prison, by where they went, by period.

{{ prison_releases_by_area('Male') }}
