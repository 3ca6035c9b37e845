"""Disclosure control: hides counts so that no hidden count can be worked out.

What belongs here: the table model (``table_model``); the protection that hides or merges at least
cost (``protection``, which solves one group of linked cells at a time by ``exact_suppression``, or
by ``heuristic_suppression`` where it is too large); the attack that reads only what would be
published (``attack``); and the verdict on what it found (``attack_verdict``). Protection and attack
share the table model and nothing else, so that a fault of one is caught by the other. None of these
knows dbt or a database: what models declare of their counts (``declarations``) is put together by
``table_assembly`` and read back as a reader would by ``attacker_view``. ``release_protection`` runs
all of it in the warehouse.

Cubes of people are rounded: ``small_count_rounding`` rounds, ``rounding_cube`` knows what adds up
to what (from ``rounding_declarations``), ``rounding_attack`` attacks the result beside the
protected tables, ``rounded_rows`` makes the rows to be shown, and ``release_rounding`` is the step.
"""

PROTECTED = "protected"
"""Schema of the restricted warehouse with the tables of people as they may be shown."""

ROUNDED = "rounded"
"""Value of ``method`` in a model's ``disclosure``; without one, it is protected by suppression."""
