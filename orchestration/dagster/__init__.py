"""Everything that only wires Dagster: assets, job, schedule, sensors, partitions, resources.

No rule of the domain belongs here. Each asset hands its work to a function of ``ingest``,
``transform``, ``disclosure``, ``publish`` or ``exports``.
"""
