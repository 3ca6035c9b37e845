"""A digest of the rows of a table: equal where two tables hold the same rows, in whatever order."""

from collections.abc import Sequence

import duckdb


def rows_digest(
    connection: duckdb.DuckDBPyConnection, path: str, values: Sequence[str]
) -> tuple[int, int | None]:
    """Return the number of rows of the table at ``path``, and the sum of their own digests.

    ``values`` are the SQL of the values of a row, such as its columns. Of a table without rows the
    sum is none. Memory stays small, and rows that come twice count twice.
    """
    texts = ", ".join(f"coalesce(({value})::varchar, chr(30))" for value in values)
    ((count, total),) = connection.execute(
        f"select count(*), sum(md5_number_lower(concat_ws(chr(31), {texts}))::hugeint) from {path}"
    ).fetchall()
    return int(count), total
