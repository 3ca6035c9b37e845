"""A BI reader that asks again and again until it is stopped: FILE STOP_FILE; what it met on output.

Each question is a new connection in this process's turn, as a dashboard's refresh is. An answer is
consistent where the release's own digest and the figures come from one and the same release.
"""

import json
import sys
import time
from pathlib import Path

import duckdb

file, stop = sys.argv[1:]
QUESTION = """
select any_value(release.content_digest), sum(stock.dwellings)::bigint, count(*)
from marts.social_housing_stock as stock cross join main.release as release
"""
answers: set[tuple[object, ...]] = set()
errors: list[str] = []
seconds: list[float] = []
while not Path(stop).exists():
    began = time.perf_counter()
    try:
        with duckdb.connect(file, read_only=True) as connection:
            answers.update(connection.execute(QUESTION).fetchall())
    except duckdb.Error as error:
        errors.append(str(error))
    seconds.append(time.perf_counter() - began)
    # A dashboard asks again after a moment; eight that never rest would only measure two cores.
    time.sleep(0.2)
json.dump({"answers": sorted(answers), "errors": errors, "seconds": seconds}, sys.stdout)
