"""``csp sql``: one read-only question."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import duckdb
from rich.console import Console

from orchestration.cli.tables import ShownTable, print_table
from orchestration.config.settings import Settings
from orchestration.errors import CspError, WarehouseUnreadableError
from orchestration.warehouse.connection import connect, deny_other_files
from orchestration.warehouse.progress_bar import without_progress_bar
from orchestration.warehouse.scratch import engine_config

_SHOWN_ROWS = 50


class QueryError(CspError):
    """The query is not one that can be answered."""


def ask(settings: Settings, query: str, *, published: bool, as_csv: bool, console: Console) -> None:
    """Run ``query`` on the warehouse (or the published database) and print the answer.

    Raises :class:`QueryError` with DuckDB's message if the query fails or would write.
    """
    with _opened(settings, published) as connection:
        deny_other_files(connection, settings)
        try:
            answer = connection.sql(query)
            if answer is None:
                console.print("Done; there is nothing to show.")
            elif as_csv:
                answer.df().to_csv(sys.stdout, index=False)
            else:
                _show(answer, console)
        except duckdb.CatalogException as error:
            asked = (
                "This queried the published database. Leave out --published to query the warehouse."
                if published
                else "This queried the warehouse. Add --published to query the published database."
            )
            raise QueryError(f"The query cannot be answered: {error}\n{asked}") from error
        except duckdb.Error as error:
            if "read-only mode" in str(error):
                raise QueryError(
                    "The query cannot be answered: it would change the database, and `csp sql` "
                    "only reads."
                ) from error
            raise QueryError(f"The query cannot be answered: {error}") from error


@contextmanager
def _opened(settings: Settings, published: bool) -> Iterator[duckdb.DuckDBPyConnection]:
    if not published:
        with connect(settings, read_only=True) as connection:
            yield connection
        return
    current = settings.published / "csp.duckdb"
    if not current.exists():
        raise WarehouseUnreadableError(f"Nothing is published at {current} yet. Run `csp refresh`.")
    config = engine_config(settings, settings.home / "published.tmp")
    try:
        connection = without_progress_bar(duckdb.connect(current, read_only=True, config=config))
    except duckdb.Error as error:
        raise WarehouseUnreadableError(
            f"{current} cannot be read: {str(error).splitlines()[0]} Refresh its quarter: the "
            "file is made again."
        ) from error
    with connection:
        yield connection


def _show(answer: duckdb.DuckDBPyRelation, console: Console) -> None:
    rows = answer.limit(_SHOWN_ROWS + 1).fetchall()
    table = ShownTable(answer.columns)
    for row in rows[:_SHOWN_ROWS]:
        table.add(*row)
    print_table(table, console)
    if not rows:
        console.print("No rows.")
    if len(rows) > _SHOWN_ROWS:
        console.print(f"The first {_SHOWN_ROWS} rows; --csv prints all of them.")
