"""Feeds in the Dagster UI: one asset for each source that can be fetched from its publisher.

An asset fetches only if its source is in ``CSP_FEEDS``, and only for the quarter that has closed
last: an older quarter stays as it was delivered. The refresh does not fetch; the landing-zone
sensor refreshes the quarter when something has landed.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import dagster as dg

from orchestration.config.quarters import last_closed_quarter, quarter_label
from orchestration.config.settings import Settings, load_settings
from orchestration.dagster.markdown import markdown_list
from orchestration.dagster.owners import ENGINEERS
from orchestration.dagster.partitions import quarters_of
from orchestration.feeds.feed_file import fed_sources
from orchestration.feeds.fetching import Fetch, FetchOutcome, since_text, switched_on

GROUP = "feeds"
_SHOWN = 20
_LONDON = ZoneInfo("Europe/London")


def feed_key(source: str) -> dg.AssetKey:
    """Return the key of a source's feed."""
    return dg.AssetKey(["feeds", source])


def feed_keys(source: str) -> list[dg.AssetKey]:
    """Return the key of a source's feed, if it has one."""
    return [feed_key(source)] if source in fed_sources() else []


def feed_assets(
    manifest: Mapping[str, Any], partitions: dg.PartitionsDefinition[Any]
) -> list[dg.AssetsDefinition]:
    """Return the asset of each source that has a feed."""
    known = {
        node["name"]: node
        for node in manifest["sources"].values()
        if node["source_name"] == "in_force"
    }
    return [_feed_asset(known[name], partitions) for name in fed_sources() if name in known]


def _feed_asset(
    node: Mapping[str, Any], partitions: dg.PartitionsDefinition[Any]
) -> dg.AssetsDefinition:
    name, about = node["name"], node["meta"]["csp"]

    @dg.asset(
        key=feed_key(name),
        group_name=GROUP,
        owners=[ENGINEERS],
        partitions_def=partitions,
        backfill_policy=dg.BackfillPolicy.single_run(),
        kinds={"file"},
        description=f"{about['title']}, fetched from {about['supplier']} and landed. Does nothing "
        "unless the source is in `CSP_FEEDS`.",
        tags={"cadence": about["cadence"], "counts": about["counts"]},
        metadata={"supplier": about["supplier"], "licence": about["licence"]},
        pool="feeds",
    )
    def fetch(context: dg.AssetExecutionContext) -> dg.MaterializeResult[Any]:
        today = datetime.now(_LONDON).date()
        outcome = fetch_if_on(load_settings(), name, quarters_of(context), today)
        for note in () if isinstance(outcome, str) else outcome.notes:
            context.log.warning(f"{name}: {note}")
        return dg.MaterializeResult(metadata=fetch_metadata(outcome))

    return fetch


def fetch_if_on(
    settings: Settings, source: str, quarters: Collection[date], today: date
) -> FetchOutcome | str:
    """Fetch a source that is switched on, if the last closed quarter is asked for.

    Otherwise returns why nothing was fetched. Raises :class:`FeedError` where it cannot be fetched.
    """
    if source not in switched_on(settings, fed_sources()):
        return "Not switched on: CSP_FEEDS does not name the source."
    closed = last_closed_quarter(today)
    if closed not in quarters:
        return (
            f"Not fetched: only the quarter that has closed last ({quarter_label(closed)}) is "
            "fetched here. `csp fetch` fetches an older one."
        )
    return Fetch(settings, source).for_quarter(closed)


def fetch_metadata(outcome: FetchOutcome | str) -> dict[str, Any]:
    """Return what the UI shows of a fetch."""
    if isinstance(outcome, str):
        return {"outcome": outcome}
    said = [f"{one}." for one in outcome.files] or [since_text(outcome)]
    return {
        "outcome": "landed" if outcome.landed else "nothing new",
        "requests": outcome.requests,
        "bytes": outcome.received,
        **_listed("files", said),
        **_listed("notes", outcome.notes),
    }


def _listed(name: str, texts: Sequence[str]) -> dict[str, dg.MarkdownMetadataValue]:
    return {name: dg.MarkdownMetadataValue(markdown_list(texts, _SHOWN))} if texts else {}
