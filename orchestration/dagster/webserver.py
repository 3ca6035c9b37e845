"""Dagster's webserver behind our guard: ``python -m orchestration.dagster.webserver``.

Takes the arguments of ``dagster-webserver``.
"""

from orchestration.config.settings import load_settings
from orchestration.dagster.private_interfaces import run_webserver
from orchestration.dagster.ui_guard import UiGuard


def main() -> None:
    """Serve the Dagster UI to its own pages and to programs, and to no page of another origin."""
    names = load_settings().ui_names
    run_webserver(lambda app: UiGuard(app, names))


if __name__ == "__main__":
    main()
