"""Read an exported Parquet file: pandas|polars FILE; the answer to the readers' question."""

import json
import sys

import pandas as pd
import polars as pl

library, file = sys.argv[1:]
if library == "pandas":
    table = pd.read_parquet(file).query("area_name == 'Fenland'")
    rows = table.sort_values("month").tail(12)[["month", "offences"]].itertuples(index=False)
    answer = [[str(pd.Timestamp(month).date()), int(offences)] for month, offences in rows]
else:
    frame = pl.read_parquet(file).filter(area_name="Fenland").sort("month").tail(12)
    answer = [
        [str(month), offences] for month, offences in frame.select("month", "offences").rows()
    ]
json.dump(answer, sys.stdout)
