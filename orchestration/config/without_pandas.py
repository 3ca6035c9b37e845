"""Keeping libraries from importing pandas where nothing needs it: it takes half a second."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.abc import MetaPathFinder


class _WithoutPandas(MetaPathFinder):
    def find_spec(self, fullname: str, path: object = None, target: object = None) -> None:
        """Say that there is no pandas; raises ModuleNotFoundError."""
        if fullname == "pandas":
            raise ModuleNotFoundError(name=fullname)


@contextmanager
def without_pandas() -> Iterator[None]:
    """Have imports of pandas fail in the block, as if it were not installed.

    Arrow imports it with its first list, DuckDB with its first parameter; both do without.
    """
    finder = _WithoutPandas()
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
