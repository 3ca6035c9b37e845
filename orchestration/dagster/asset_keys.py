"""The asset key of a dbt model, seed or source, and that of the deliveries in force."""

from collections.abc import Mapping
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator

IN_FORCE = dg.AssetKey(["control", "in_force"])


def asset_key_of(node: Mapping[str, Any]) -> dg.AssetKey:
    """Return the key of a node of the manifest, such as ``marts/crime_monthly``."""
    return DagsterDbtTranslator().get_asset_key(node)
