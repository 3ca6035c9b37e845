"""``csp docs``: the dbt project's documentation as one page that needs no server."""

import shutil
from pathlib import Path

from orchestration.config.settings import Settings
from orchestration.transform.dbt_runner import run_dbt


def build_docs(settings: Settings) -> Path:
    """Write every model's columns, tests, SQL and lineage into one HTML file; return its path.

    Reads the warehouse's catalogue only: no row gets into the page. Raises
    :class:`TransformError` where dbt cannot build it.
    """
    run_dbt(settings, ["docs", "generate", "--static", "--no-compile"])
    page = settings.home / "docs" / "dbt.html"
    page.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(settings.dbt_state / "target" / "static_index.html", page)
    return page
