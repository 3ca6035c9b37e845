"""Disclosure control: what must be hidden so that no hidden count can be worked out.

What belongs here: the table model (``model``), the engine that hides or merges at least cost
(``engine``, which solves one linked group of cells at a time by ``suppression``), the attack that
reads only what would be published (``attack``), and the judgement of what the attack found
(``verdict``). Engine and attack share the table model and nothing else, so that a fault of one is
caught by the other. Nothing here knows of Dagster, dbt or a database.
"""
