"""Ask a published database through the ``duckdb`` package: FILE QUERY; rows on standard output."""

import json
import sys

import duckdb

file, query = sys.argv[1:]
with duckdb.connect(file, read_only=True) as connection:
    rows = connection.execute(query).fetchall()
json.dump([[*row] for row in rows], sys.stdout, default=str)
