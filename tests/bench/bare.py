"""One measured process: the same monthly marts from the same files, by DuckDB alone.

``keep`` loads every row and column into a table first, as the warehouse has to; ``pass`` computes
from the files and keeps no row, which is the floor. Prints one JSON object.
"""

import json
import resource
import time
from pathlib import Path

_CRIMES = """
select
    strptime("Month", '%Y-%m')::date as month,
    "Reported by" as force,
    "LSOA code" as lsoa_code,
    "Crime type" as crime_type
from {files}
"""

_LOAD = """
create table crimes as
select
    "Crime ID" as crime_id,
    strptime("Month", '%Y-%m')::date as month,
    "Reported by" as force,
    "Falls within" as falls_within,
    "Longitude"::double as longitude,
    "Latitude"::double as latitude,
    "Location" as location,
    "LSOA code" as lsoa_code,
    "LSOA name" as lsoa_name,
    "Crime type" as crime_type,
    "Last outcome category" as last_outcome_category,
    "Context" as context
from {files}
"""

_MARTS = """
create table lookup as
select "LSOA11CD" as lsoa_code, "LAD17CD" as district from read_csv('{lookup}');

create table crime_monthly as
select month, district as area_code, crime_type, count(*) as offences
from ({crimes}) inner join lookup using (lsoa_code)
group by all;

create table trends as
select
    *,
    sum(offences) over (
        partition by area_code, crime_type order by month
        range between interval 11 month preceding and current row
    ) as rolling_12m,
    lag(offences, 12) over (partition by area_code, crime_type order by month) as year_before
from crime_monthly
where crime_type in ('Shoplifting', 'Burglary');
"""


def run(
    raw: Path, database: Path, *, keep: bool, memory_limit: str, threads: int
) -> dict[str, float]:
    """Compute the marts into ``database``; return seconds and peak MiB."""
    started = time.perf_counter()
    import duckdb

    paths = [str(path) for path in sorted((raw / "police_uk_street").glob("*/*.csv"))]
    files = f"read_csv({paths!r}, all_varchar = true, header = true)"
    lookup = next((raw / "area_lookups").glob("*/*.csv"))
    kept = "select month, lsoa_code, crime_type from crimes"
    crimes = kept if keep else _CRIMES.format(files=files)
    with duckdb.connect(database) as connection:
        connection.execute(f"set memory_limit = '{memory_limit}'; set threads = {threads}")
        if keep:
            connection.execute(_LOAD.format(files=files))
        loaded = time.perf_counter() - started
        connection.execute(_MARTS.format(lookup=lookup, crimes=crimes))
        connection.execute("checkpoint")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"seconds": time.perf_counter() - started, "load": loaded, "peak_mib": peak}


if __name__ == "__main__":
    import sys

    kind, raw, database, memory_limit, threads = sys.argv[1:]
    measured = run(
        Path(raw), Path(database), keep=kind == "keep", memory_limit=memory_limit,
        threads=int(threads),
    )  # fmt: skip
    print(json.dumps(measured))
