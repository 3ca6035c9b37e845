"""``csp --version``: the versions of the package and of what it runs on."""

import platform
from importlib.metadata import version

_PACKAGES = {"csp": "csp-warehouse", "dagster": "dagster", "dbt": "dbt-core", "duckdb": "duckdb"}
"""Packages by the name that is printed. None of them is imported: that takes seconds."""


def versions() -> dict[str, str]:
    """Return the installed versions by name, Python's last."""
    found = {name: version(package) for name, package in _PACKAGES.items()}
    return found | {"python": platform.python_version()}
