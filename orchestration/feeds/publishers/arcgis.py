"""Open Geography and other ArcGIS portals: the layer of a feature service, page by page.

The item of the portal says where its service is now. A lookup is written as the CSV that the portal
offers, boundaries as GeoJSON in degrees. Pages that have come are kept until the file is whole.
"""

import csv
import json
import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from orchestration.errors import readable
from orchestration.feeds.errors import ChangedMeanwhileError, LayoutError, shown_address
from orchestration.feeds.feed_file import Layer
from orchestration.feeds.fetch_state import SeenFile
from orchestration.feeds.visit import Found, FoundFile, Visit, json_of
from orchestration.warehouse.checksum import sha256_of

_LOOK = "Open the address in a browser. If the item has moved, correct feed.toml of the source."
_LATER = "Run the command again later."
_MOST_ROWS = 5_000_000


def find(visit: Visit) -> Found:
    """Fetch each layer of the feed that has changed."""
    for layer in visit.feed.layers:
        _fetch(visit, layer)
    return visit.found


@dataclass(frozen=True)
class _Service:
    """A layer as the server describes it: its address, fields, and the time of its last change."""

    address: str
    object_id: str
    fields: tuple[str, ...]
    page_rows: int
    changed: int | None
    rows: int

    @property
    def mark(self) -> str:
        return f"{self.changed}-{self.rows}"


def _fetch(visit: Visit, layer: Layer) -> None:
    service = _described(visit, layer, _address(visit, layer))
    if service.changed is not None and visit.seen_before(layer.file, service.mark):
        return
    pages = visit.folder / f"{layer.file}.pages"
    _keep_of_version(pages, f"{service.address} {service.mark}")
    path = visit.folder / layer.file
    reading = _Reading(visit, layer, service, pages)
    if layer.is_boundaries:
        _write_geojson(path, reading.features())
    else:
        _write_csv(path, service.fields, reading.features())
    again = _described(visit, layer, service.address)
    if (again.changed, again.rows) != (service.changed, service.rows):
        path.unlink()
        raise ChangedMeanwhileError(
            shown_address(service.address), "the layer changed while it was read.", _LATER
        )
    seen = SeenFile(
        url=f"{service.address}/query", mark=service.mark, sha256=sha256_of(path),
        last_modified=None if service.changed is None else str(service.changed),
        fetched_at=visit.now(),
    )  # fmt: skip
    visit.found.files.append(FoundFile(layer.file, path, seen))
    shutil.rmtree(pages, ignore_errors=True)


def _keep_of_version(pages: Path, version: str) -> None:
    """Keep the pages that have come, where they are of the same version of the layer."""
    note = pages / "version"
    if not note.is_file() or note.read_text(encoding="utf-8") != version:
        shutil.rmtree(pages, ignore_errors=True)
        pages.mkdir(parents=True, mode=0o700)
        note.write_text(version, encoding="utf-8")


# --- what the server says of the layer -------------------------------------------------------


def _address(visit: Visit, layer: Layer) -> str:
    """Return the address of the layer: that which the portal gives for its item now."""
    if layer.service:
        return f"{layer.service}/{layer.layer}"
    address = f"{visit.feed.address}/{layer.item}?f=json"
    item = json_of(address, visit.client.read(address).body)
    url = item.get("url") if isinstance(item, dict) else None
    if not isinstance(url, str) or not re.fullmatch(r"https://[^?#\s]+/FeatureServer/?", url):
        raise LayoutError(
            shown_address(address), "the item has no address of a feature service.", _LOOK
        )
    return f"{url.rstrip('/')}/{layer.layer}"


def _described(visit: Visit, layer: Layer, address: str) -> _Service:
    about = json_of(address, visit.client.read(f"{address}?f=json").body)
    asked = shown_address(address)
    try:
        fields = tuple(str(one["name"]) for one in about["fields"])
        object_id = str(about.get("objectIdField") or _object_id(about["fields"]))
        most = int(about.get("maxRecordCount") or visit.feed.page_rows)
        changed = (about.get("editingInfo") or {}).get("lastEditDate")
    except (KeyError, TypeError, ValueError, AttributeError, StopIteration) as error:
        raise LayoutError(asked, "the answer does not describe a layer.", _LOOK) from error
    for pattern in layer.must_have:
        if not any(re.fullmatch(pattern, name, re.IGNORECASE) for name in fields):
            named = readable(", ".join(fields))
            raise LayoutError(
                asked, f"the layer has no field like {pattern}. Its fields: {named}.", _LOOK
            )
    rows = _count(visit, address)
    page = max(1, min(most, visit.feed.page_rows))
    changed = changed if isinstance(changed, int) else None
    return _Service(address, object_id, fields, page, changed, rows)


def _object_id(fields: list[Mapping[str, Any]]) -> str:
    return str(next(one["name"] for one in fields if one.get("type") == "esriFieldTypeOID"))


def _count(visit: Visit, address: str) -> int:
    query = f"{address}/query?{urlencode({'where': '1=1', 'returnCountOnly': 'true', 'f': 'json'})}"
    answer = json_of(query, visit.client.read(query).body)
    count = answer.get("count") if isinstance(answer, dict) else None
    if not isinstance(count, int) or isinstance(count, bool) or not 0 < count <= _MOST_ROWS:
        raise LayoutError(
            shown_address(query), "the server does not say how many rows the layer has.", _LOOK
        )
    return count


# --- the pages -------------------------------------------------------------------------------


@dataclass
class _Reading:
    """Reads the pages of a layer, and checks that they are all of it, each row once."""

    visit: Visit
    layer: Layer
    service: _Service
    pages: Path
    seen: set[object] = field(default_factory=set)

    def features(self) -> Iterator[dict[str, Any]]:
        """Yield each feature. Raises :class:`LayoutError` where pages repeat, or are too many."""
        offset, more = 0, True
        while more:
            features, more = self._page(offset)
            for one in features:
                self._note(one)
                yield one
            offset += len(features)
            if more and not features:
                raise self._wrong("a page is empty, though more rows are to come.")
        if offset != self.service.rows:
            raise self._wrong(f"{offset:,} rows came, and the server states {self.service.rows:,}.")

    def _note(self, feature: dict[str, Any]) -> None:
        key = self._key(feature)
        if key in self.seen:
            raise self._wrong("a row came twice: the server repeats a page or a feature.")
        self.seen.add(key)
        if len(self.seen) > self.service.rows:
            raise self._wrong(f"more rows came than the {self.service.rows:,} that it states.")

    def _key(self, feature: dict[str, Any]) -> object:
        name = "properties" if self.layer.is_boundaries else "attributes"
        values = feature.get(name)
        key = values.get(self.service.object_id) if isinstance(values, dict) else None
        if key is None and isinstance(values, dict):
            key = feature.get("id")
        if not isinstance(key, int | str):
            raise self._wrong("a row has no number of its own, so a repeated page is not seen.")
        return key

    def _page(self, offset: int) -> tuple[list[dict[str, Any]], bool]:
        kept = self.pages / f"{offset}.json"
        address = self._query(offset)
        body = kept.read_bytes() if kept.is_file() else self.visit.client.read(address).body
        page = json_of(address, body)
        if not isinstance(page, dict) or not isinstance(page.get("features"), list):
            raise self._wrong("the answer has no features.")
        features = page["features"]
        if not all(isinstance(one, dict) for one in features):
            raise self._wrong("a feature is not an object.")
        if not kept.is_file():
            scratch = kept.with_suffix(".part")
            scratch.write_bytes(body)
            scratch.replace(kept)
        beside = page.get("properties")
        limits = (page, beside if isinstance(beside, dict) else {})
        return features, any(one.get("exceededTransferLimit") is True for one in limits)

    def _query(self, offset: int) -> str:
        asked = {
            "where": "1=1",
            "outFields": "*",
            "returnGeometry": str(self.layer.is_boundaries).lower(),
            "orderByFields": self.service.object_id,
            "resultOffset": str(offset),
            "resultRecordCount": str(self.service.page_rows),
            "outSR": "4326",
            "f": "geojson" if self.layer.is_boundaries else "json",
        }
        return f"{self.service.address}/query?{urlencode(asked)}"

    def _wrong(self, came: str) -> LayoutError:
        # Pages of which one is wrong are not kept: the next fetch asks for all of them.
        shutil.rmtree(self.pages, ignore_errors=True)
        return LayoutError(shown_address(f"{self.service.address}/query"), came, _LATER)


def _write_csv(path: Path, fields: tuple[str, ...], features: Iterator[dict[str, Any]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(fields)
        for one in features:
            values = one["attributes"]
            writer.writerow(["" if values.get(name) is None else values[name] for name in fields])


def _write_geojson(path: Path, features: Iterator[dict[str, Any]]) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.write('{"type": "FeatureCollection", "features": [')
        for number, one in enumerate(features):
            file.write(",\n" if number else "\n")
            json.dump(one, file, ensure_ascii=False)
        file.write("\n]}\n")
