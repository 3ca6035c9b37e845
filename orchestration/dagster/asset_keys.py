"""The asset key of a dbt model, seed or source."""

from collections.abc import Mapping
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator


def asset_key_of(node: Mapping[str, Any]) -> dg.AssetKey:
    """Return the key of a node of the manifest, such as ``marts/crime_monthly``."""
    return DagsterDbtTranslator().get_asset_key(node)
