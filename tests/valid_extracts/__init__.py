"""Valid landing zones, drawn by Hypothesis from the contracts, and a second computation of marts.

Nothing here uses the project's readers, its SQL or its statistics: what both sides get wrong in the
same way, no comparison finds.
"""
