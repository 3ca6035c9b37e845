"""Feeds in the Dagster UI: one asset for each source that can be fetched from its publisher.

An asset fetches only if its source is in ``CSP_FEEDS``, and only for the quarter that has closed
last and the months of the year before it that were missing: what has landed for an older quarter
stays as it was delivered. The refresh does not fetch; the landing-zone sensor refreshes the quarter
when something has landed.
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
        outcomes = fetch_if_on(load_settings(), name, quarters_of(context), today)
        for one in () if isinstance(outcomes, str) else outcomes:
            for note in one.notes:
                context.log.warning(f"{name}: {note}")
        return dg.MaterializeResult(metadata=fetch_metadata(outcomes))

    return fetch


def fetch_if_on(
    settings: Settings, source: str, quarters: Collection[date], today: date
) -> list[FetchOutcome] | str:
    """Fetch a source that is switched on, if the last closed quarter is asked for.

    Then fetches what was missing of the quarters before it. Otherwise returns why nothing was
    fetched. Raises :class:`FeedError` where it cannot be fetched.
    """
    if source not in switched_on(settings, fed_sources()):
        return "Not switched on: CSP_FEEDS does not name the source."
    closed = last_closed_quarter(today)
    if closed not in quarters:
        return (
            f"Not fetched: only the quarter that has closed last ({quarter_label(closed)}) is "
            "fetched here. `csp fetch` fetches an older one."
        )
    fetch = Fetch(settings, source)
    outcomes = [fetch.for_quarter(closed)]
    for quarter in fetch.quarters_to_complete(closed):
        outcomes.append(fetch.for_quarter(quarter, only_missing=True))
    return outcomes


def fetch_metadata(outcomes: Sequence[FetchOutcome] | str) -> dict[str, Any]:
    """Return what the UI shows of a fetch: of the last closed quarter, then of earlier ones."""
    if isinstance(outcomes, str):
        return {"outcome": outcomes}
    files = [f"{file}." for one in outcomes for file in one.files]
    return {
        "outcome": "landed" if any(one.landed for one in outcomes) else "nothing new",
        "requests": sum(one.requests for one in outcomes),
        "bytes": sum(one.received for one in outcomes),
        **_listed("files", files or [since_text(outcomes[0])]),
        **_listed("notes", [note for one in outcomes for note in one.notes]),
    }


def _listed(name: str, texts: Sequence[str]) -> dict[str, dg.MarkdownMetadataValue]:
    return {name: dg.MarkdownMetadataValue(markdown_list(texts, _SHOWN))} if texts else {}
