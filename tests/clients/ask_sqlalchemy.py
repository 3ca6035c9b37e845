"""Ask through SQLAlchemy and duckdb-engine, as Superset does: FILE QUERY; rows on output."""

import json
import sys

from sqlalchemy import MetaData, Table, create_engine, inspect, text

file, query = sys.argv[1:]
engine = create_engine(f"duckdb:///{file}?access_mode=read_only")
seen = inspect(engine)
# What Superset asks for when a dataset is made.
assert "shoplifting_trends" in seen.get_table_names(schema="marts")
assert {column["name"] for column in seen.get_columns("shoplifting_trends", schema="marts")} >= {
    "area_name",
    "offences",
}
# No key is declared in the file, and saying so is no failure.
assert seen.get_pk_constraint("dim_area", schema="marts")["constrained_columns"] == []
assert seen.get_foreign_keys("crime_monthly", schema="marts") == []
table = Table("dim_area", MetaData(), schema="marts", autoload_with=engine)
assert "area_code" in table.columns
with engine.connect() as connection:
    rows = connection.execute(text(query)).fetchall()
json.dump([[*row] for row in rows], sys.stdout, default=str)
