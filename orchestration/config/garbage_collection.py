"""How often Python collects garbage in a process that refreshes."""

import gc

_OBJECTS_BETWEEN = (50_000, 20, 50)


def collect_seldom() -> None:
    """Let Python search for unreachable cycles seldom, for the rest of this process.

    Imports, definitions and dbt's project are many small objects that stay. At Python's own setting
    (700 new objects) they are searched over and over; what is let go and is no part of a cycle is
    freed at once all the same.
    """
    gc.set_threshold(*_OBJECTS_BETWEEN)
