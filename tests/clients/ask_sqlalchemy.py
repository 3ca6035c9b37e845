"""Ask through SQLAlchemy and duckdb-engine, as Superset does: FILE QUERY; rows on output."""

import json
import sys

from sqlalchemy import create_engine, inspect, text

file, query = sys.argv[1:]
engine = create_engine(f"duckdb:///{file}?access_mode=read_only")
seen = inspect(engine)
# What Superset asks for when a dataset is made.
assert "shoplifting_trends" in seen.get_table_names(schema="marts")
assert {column["name"] for column in seen.get_columns("shoplifting_trends", schema="marts")} >= {
    "area_name",
    "offences",
}
with engine.connect() as connection:
    rows = connection.execute(text(query)).fetchall()
json.dump([[*row] for row in rows], sys.stdout, default=str)
