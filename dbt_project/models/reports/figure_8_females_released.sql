-- Figure 8: accommodation of women released from prison, by where they went, by period.

{{ prison_releases_by_area('Female') }}
