"""The functions of :mod:`orchestration.transform.seasonal_adjustment`, for use in dbt's SQL.

Each takes the counts of one series as a list and returns a struct with the fields of the function's
result. A null list gives null.
"""

import duckdb
from duckdb import DuckDBPyConnection
from duckdb.sqltypes import BIGINT, DOUBLE, DuckDBPyType

from orchestration.transform import seasonal_adjustment

COUNTS = duckdb.list_type(DOUBLE)

Struct = dict[str, float | int | list[float]]


def register(connection: DuckDBPyConnection) -> None:
    """Make the functions known to a connection and to its cursors."""
    connection.create_function(
        "seasonal_adjustment",
        _adjust,
        [COUNTS, BIGINT],
        _struct(adjusted=COUNTS, trend=COUNTS, factor=COUNTS, seasonality_p=DOUBLE),
    )
    connection.create_function(
        "seasonal_outlook",
        _forecast,
        [COUNTS, BIGINT, DOUBLE],
        _struct(
            forecast=COUNTS,
            lower=COUNTS,
            upper=COUNTS,
            total=DOUBLE,
            total_lower=DOUBLE,
            total_upper=DOUBLE,
        ),
    )
    connection.create_function(
        "seasonal_back_test",
        _back_test,
        [COUNTS, BIGINT, DOUBLE, BIGINT, BIGINT],
        _struct(origins=BIGINT, error=DOUBLE, naive_error=DOUBLE, coverage=DOUBLE, p=DOUBLE),
    )


def _struct(**fields: DuckDBPyType) -> DuckDBPyType:
    return duckdb.struct_type(fields)


def _adjust(counts: list[float], window: int) -> Struct:
    return seasonal_adjustment.adjust(counts, window)._asdict()


def _forecast(counts: list[float], window: int, interval: float) -> Struct:
    return seasonal_adjustment.forecast(counts, window, interval)._asdict()


def _back_test(
    counts: list[float], window: int, interval: float, training: int, step: int
) -> Struct:
    return seasonal_adjustment.back_test(counts, window, interval, training, step)._asdict()
