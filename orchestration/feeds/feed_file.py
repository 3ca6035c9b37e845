"""The feed of a source, declared in ``feed.toml`` in the source's folder.

It says who publishes the source, where the publisher lists its releases, under which licence, how
often a new one is expected, and how much a fetch may ask for.
"""

import re
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from orchestration.config.toml_files import TomlFileError, place_of, read_toml
from orchestration.errors import did_you_mean, readable
from orchestration.feeds.errors import FeedFileError, NoFeedError
from orchestration.ingest.checking.contract import SOURCES, require_source

FEED_FILE = "feed.toml"
_FILE_NAME = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,120}$"


def _web_address(address: str) -> str:
    parts = urlsplit(address)
    if parts.scheme != "https" or not parts.hostname:
        raise ValueError("is no address that begins with https://")
    if parts.username or parts.password or parts.fragment:
        raise ValueError("holds a user name, a password or a fragment")
    return address


Address = Annotated[str, AfterValidator(_web_address)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Layer(_Part):
    """A layer of a feature service: an item of the portal, and the file that is made of it."""

    item: str | None = Field(default=None, pattern="^[0-9a-f]{32}$")
    """Identifier of the item. Names and addresses of services change, the identifier does not."""
    service: Address | None = None
    """Address of the feature service, where the identifier of its item is not known."""
    layer: int = Field(default=0, ge=0)
    file: str = Field(pattern=_FILE_NAME)
    """Name of the file that lands: a lookup is written as CSV, boundaries as GeoJSON."""
    must_have: tuple[str, ...] = ()
    """Patterns of fields without which the reader would take nothing, such as ``LAD[0-9]{2}CD``."""

    @model_validator(mode="after")
    def _one_address(self) -> Self:
        if (self.item is None) == (self.service is None):
            raise ValueError("needs item or service, and not both")
        if not self.file.endswith((".csv", ".geojson")):
            raise ValueError("has a file that ends neither with .csv nor with .geojson")
        for pattern in self.must_have:
            re.compile(pattern)
        return self

    @property
    def is_boundaries(self) -> bool:
        """Whether the geometry is fetched as well."""
        return self.file.endswith(".geojson")


class Feed(_Part):
    """How a source is fetched."""

    source: str
    publisher: Literal["police_archive", "govuk", "arcgis", "nomis"]
    """Kind of publisher: the module of ``feeds.publishers`` that reads it."""
    name: str = Field(min_length=3)
    """The publisher as messages name it."""
    address: Address
    """Address of the publisher's list of releases."""
    licence: str = Field(min_length=3)
    cadence: Literal["monthly", "quarterly", "annual", "irregular"]
    """How often a new release is expected."""
    requests_per_second: float = Field(gt=0, le=15)
    largest_bytes: int = Field(gt=0)
    """Most bytes that one fetch may receive."""
    longest_seconds: float = Field(gt=0)
    """Longest time that one fetch may take."""
    attachment: str | None = None
    """Beginning of the title of the attachment, of a page of gov.uk."""
    attachment_file: str | None = None
    """Pattern (with * and ?) of the file's name, where the title does not tell the latest one."""
    layers: tuple[Layer, ...] = ()
    kind: Literal["street", "outcomes", "stop-and-search"] | None = None
    """Kind of file of an archive of data.police.uk."""
    revised: str | None = None
    """Column that the publisher revises for years: rows that differ in it alone are counted."""
    page_rows: int = Field(default=2000, gt=0, le=25_000)
    """Rows that are asked for at a time, where a publisher gives them by pages."""
    query: dict[str, str] = {}
    """Query of a data set of Nomis."""
    split_by: tuple[str, ...] = ()
    """Columns of a data set of Nomis by which each area's figures are split, such as sex."""

    @model_validator(mode="after")
    def _fits_the_publisher(self) -> Self:
        if self.publisher == "govuk" and not (self.attachment or self.attachment_file):
            raise ValueError("publisher 'govuk' needs attachment, the beginning of its title")
        if self.publisher == "police_archive" and not self.kind:
            raise ValueError("publisher 'police_archive' needs kind, such as 'street'")
        if self.publisher == "arcgis" and not self.layers:
            raise ValueError("publisher 'arcgis' needs at least one [[layers]]")
        if self.publisher == "nomis" and not self.query:
            raise ValueError("publisher 'nomis' needs [query], what is asked of the data set")
        if self.split_by and self.publisher != "nomis":
            raise ValueError(f"publisher '{self.publisher}' has no split_by")
        names = [layer.file for layer in self.layers]
        if len(set(names)) < len(names):
            raise ValueError("two layers have the same file")
        return self


def fed_sources(sources: Path = SOURCES) -> list[str]:
    """Return the names of the sources that have a feed."""
    return sorted(path.parent.name for path in sources.glob(f"*/{FEED_FILE}"))


def feed_of(source: str, sources: Path = SOURCES) -> Feed:
    """Return the feed of a source.

    Raises :class:`LandingError` for a source that there is not, :class:`NoFeedError` for one that
    has no feed, and :class:`FeedFileError` that names the file and every fault in it.
    """
    path = sources / source / FEED_FILE
    if source not in (known := fed_sources(sources)):
        require_source(source)
        raise NoFeedError(
            f"{source} has no feed: its supplier hands it over, and `csp land` lands it. Sources "
            f"that can be fetched: {', '.join(known)}."
        )
    try:
        return Feed(**(read_toml(path) | {"source": source}))
    except TomlFileError as error:
        raise FeedFileError(f"{path} is not a usable feed. {error}") from error
    except ValidationError as error:
        faults = " ".join(_said(one["loc"], one["type"], one["msg"]) for one in error.errors())
        raise FeedFileError(f"{path} is not a usable feed. {faults}") from error


def _said(location: tuple[int | str, ...], kind: str, message: str) -> str:
    place = place_of(location) or "The file"
    if kind == "missing":
        return f"{place} is missing."
    if kind == "extra_forbidden":
        return f"{place} is no key of a feed.{did_you_mean(place, list(Feed.model_fields))}"
    return f"{place}: {readable(message.removeprefix('Value error, '))}."
