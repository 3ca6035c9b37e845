"""``csp migrate``: moves the restricted warehouse between its file and a lake."""

from rich.console import Console

from orchestration.config.settings import Settings
from orchestration.warehouse.migration import Store, migrate


def run_migration(settings: Settings, to: Store, console: Console) -> None:
    """Copy the warehouse to the store ``to``, verified, and say what is to be done next.

    Raises what :func:`~orchestration.warehouse.migration.migrate` does.
    """
    done = migrate(settings, to)
    console.print(
        f"Copied and verified: {done.tables:,} tables, {done.rows:,} rows, from {done.source} to "
        f"{done.target}. Set CSP_STORE={to} for every process, then run `csp refresh --full`: it "
        "makes the views and builds every model.",
        soft_wrap=True,
    )
    console.print(
        f"{done.source[0].upper()}{done.source[1:]} is unchanged, and holds people's data: delete "
        "it when the new warehouse has been used for a while. A purge does not reach it.",
        soft_wrap=True,
    )
