"""Disclosure control: what must be hidden so that no hidden count can be worked out.

What belongs here: the table model (``model``), the engine that hides or merges at least cost
(``engine``, which solves one linked group of cells at a time by ``suppression``), the attack that
reads only what would be published (``attack``), and the judgement of what the attack found
(``verdict``). Engine and attack share the table model and nothing else, so that a fault of one is
caught by the other. None of these knows of Dagster, dbt or a database: what models declare of their
counts (``declared``) is put together by ``assembly`` and read back as a reader would by
``written``; ``step`` does it in the warehouse, ``assets`` in Dagster.
"""

PROTECTED = "protected"
"""Schema of the restricted warehouse with the tables of people as they may be shown."""
