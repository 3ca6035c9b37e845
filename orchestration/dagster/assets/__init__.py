"""The steps of a refresh as Dagster assets, one module a step."""
