"""From the landing zone to raw tables: deliveries are found, checked, loaded and put in force.

The rooms: ``landing`` (what suppliers handed over, and when it is expected), ``reading`` (CSV,
workbooks, archives), ``checking`` (contracts, rules, faults, coverage, anomalies), ``loading`` (raw
tables, versions, what is in force), and ``sources``, one folder a source. Nothing outside
``sources`` knows any source by name.
"""
