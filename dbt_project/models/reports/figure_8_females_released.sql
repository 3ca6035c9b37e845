-- Figure 8: accommodation of women released from prison, to the force area and to everywhere.

{{ prison_releases('Female') }}
