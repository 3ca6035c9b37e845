"""DuckDB's extensions, which come as Python packages and are loaded from them, never downloaded."""

import importlib.util
from pathlib import Path

import duckdb


def packaged_extension(name: str) -> Path | None:
    """Return the file of an extension for the DuckDB in use; none where no package has it."""
    spec = importlib.util.find_spec(f"duckdb_extension_{name}")
    for folder in spec.submodule_search_locations or [] if spec else []:
        path = Path(folder) / "extensions" / f"v{duckdb.__version__}" / f"{name}.duckdb_extension"
        if path.is_file():
            return path
    return None
