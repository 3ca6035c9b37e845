"""CSP Warehouse: quarterly refreshes of a Community Safety Partnership's evidence.

The packages, each importing only those below it:

- ``cli``: the ``csp`` command, one module a command;
- ``definitions``: assembles Dagster's definitions;
- ``dagster``: assets, job, schedule, sensors, and everything else that only wires Dagster;
- ``exports``: tables, charts, workbook and pack, from the published file;
- ``publish``: a release, built as a new file;
- ``disclosure``: what must be hidden, and the attack on it;
- ``releases``: the releases on disk, and which is current;
- ``transform``: runs the dbt project, which holds every domain rule;
- ``ingest``: from the landing zone to raw tables;
- ``warehouse``: the restricted database file;
- ``config``: settings, quarters, and the files that a person edits.
"""

__version__ = "0.1.0"
