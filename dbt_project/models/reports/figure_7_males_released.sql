-- Figure 7: accommodation of men released from prison, to the force area and to everywhere.

{{ prison_releases('Male') }}
