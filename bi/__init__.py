"""The dashboard: datasets, metrics and one board for Apache Superset, made from a release.

What belongs here: what the board shows (``board``), how Superset's import files are made of it
(``bundle``), Superset's settings (``superset_config``) and how it is started (``serve``).
``connections`` has files by which other BI tools connect. Only ``serve`` and ``superset_config``
run in Superset's environment; the rest runs in the project's.
"""
