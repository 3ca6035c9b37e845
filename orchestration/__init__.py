"""CSP Warehouse: quarterly refreshes of a Community Safety Partnership's evidence.

The folders are the steps of the flow, in order: ``ingest``, ``transform`` (dbt), ``publish``,
``exports``. Dagster definitions stand beside the step that they wire (``assets.py``), and
``definitions.py`` assembles them.
"""

__version__ = "0.1.0"
