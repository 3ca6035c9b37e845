"""The ratios that were measured before, and whether a new measurement is worse.

They lie in ``recorded.json`` beside this file: ``ratios`` by name, and the ``machine``. Ratios, not
seconds, so that another machine may be compared.
"""

import json
import os
import platform
from collections.abc import Mapping
from pathlib import Path

import duckdb

RECORDED = Path(__file__).with_name("recorded.json")
WORSE_BY = 1.2
"""A ratio that grew by more than this factor is a regression."""


def machine() -> str:
    """Return the text on the machine of the measurement."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{os.cpu_count()} cores, {memory:.0f} GiB of memory, Python {platform.python_version()}, "
        f"DuckDB {duckdb.__version__}"
    )


def read_recorded(path: Path = RECORDED) -> dict[str, float]:
    """Return the recorded ratios by name; empty where nothing is recorded."""
    try:
        ratios: dict[str, float] = json.loads(path.read_text(encoding="utf-8"))["ratios"]
    except FileNotFoundError:
        return {}
    return ratios


def record(ratios: Mapping[str, float], path: Path = RECORDED) -> None:
    """Record these ratios; those of other names stay."""
    kept = read_recorded(path) | {name: round(value, 2) for name, value in ratios.items()}
    content = {"machine": machine(), "ratios": dict(sorted(kept.items()))}
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def regressions(ratios: Mapping[str, float], recorded: Mapping[str, float]) -> list[str]:
    """Return the text on ratios that are more than a fifth worse than recorded."""
    return [
        f"{name}: {value:.2f}, recorded {recorded[name]:.2f}"
        for name, value in ratios.items()
        if name in recorded and value > recorded[name] * WORSE_BY
    ]
