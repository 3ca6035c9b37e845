"""What a fetch says of a publisher that misbehaves; nothing lands, and nothing known is lost."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from orchestration.config.settings import PROJECT, Settings
from orchestration.feeds.feed_file import Feed, feed_of
from orchestration.feeds.fetching import Fetch
from orchestration.feeds.pacing import Pace
from tests.feed_cases import CASES, HOUSING, LOOKUPS, PEOPLE, STREET, Case
from tests.feed_server import (
    SERVICE,
    DataSet,
    FeatureLayer,
    FeedServer,
    LocalTransport,
    dwellings_table,
    estimates,
    forces_lookup,
    govuk,
    police,
    running,
)

QUARTER = date(2018, 10, 1)
QUICK: dict[str, Any] = {"tries": 3, "first_wait": 0.001, "sleep": lambda seconds: None}
ONE_LAYER = {"layers": [{"service": SERVICE, "file": "lookup.csv", "must_have": ["LAD[0-9]{2}CD"]}]}
SECRETS = ("s3cret", "QQ123456C", "key=")


def feed(source: str, **changes: Any) -> Feed:
    """Return the feed of a source, as fast as the test likes and with one layer."""
    own = ONE_LAYER if source == LOOKUPS else {}
    made = feed_of(source).model_dump() | own | {"requests_per_second": 15, "source": source}
    return Feed(**(made | changes)).model_copy(update={"requests_per_second": 1e9})


@dataclass
class Before:
    """An installation that has fetched every source, and the server that it fetched from."""

    settings: Settings
    server: FeedServer
    transport: LocalTransport

    def fetch(self, source: str, **changes: Any) -> Fetch:
        pace = Pace(**(QUICK | changes.pop("pace", {})))
        return Fetch(self.settings, source, self.transport, pace, feed(source, **changes))

    def landed(self) -> dict[str, bytes]:
        """Return all that has landed, and what is noted of it."""
        raw = [path for path in self.settings.raw.rglob("*") if path.is_file()]
        notes = (self.settings.home / "feeds").glob("*/state.json")
        return {str(path): path.read_bytes() for path in (*raw, *notes) if path.name != ".lock"}


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[FeedServer, LocalTransport]]:
    server = FeedServer()
    with running(server) as transport:
        yield server, transport


@pytest.fixture(scope="module")
def fetched(
    served: tuple[FeedServer, LocalTransport], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A folder with all sources fetched once; tests work on copies of it."""
    server, transport = served
    folder = tmp_path_factory.mktemp("fetched")
    police(server)
    govuk(server, dwellings_table())
    FeatureLayer(forces_lookup()).serve(server)
    DataSet(estimates()).serve(server)
    before = Before(Settings(home=folder / "var", raw=folder / "raw"), server, transport)
    for source in (STREET, HOUSING, LOOKUPS, PEOPLE):
        assert before.fetch(source).for_quarter(QUARTER).landed
    return folder


@pytest.fixture
def before(served: tuple[FeedServer, LocalTransport], fetched: Path, tmp_path: Path) -> Before:
    server, transport = served
    shutil.copytree(fetched, tmp_path, dirs_exist_ok=True)
    server.asked.clear()
    return Before(Settings(home=tmp_path / "var", raw=tmp_path / "raw"), server, transport)


def test_at_least_forty_kinds_of_misbehaviour_are_tried() -> None:
    names = [case.name for case in CASES]
    assert len(set(names)) == len(names) >= 40


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_what_is_said_and_that_nothing_is_lost(before: Before, case: Case) -> None:
    case.prepare(before.server)
    if case.unreachable:
        before.transport = LocalTransport(1)
    known = before.landed()
    with pytest.raises(case.error) as raised:
        before.fetch(case.source, pace=case.pace, **case.feed).for_quarter(QUARTER)
    said = str(raised.value)
    for part in (*case.says, "Nothing was landed.", "https://"):
        assert part in said
    assert not [secret for secret in SECRETS if secret in said]
    assert before.landed() == known


def test_the_sources_of_the_project_are_the_ones_tried() -> None:
    folders = (PROJECT / "orchestration/ingest/sources").glob("*/feed.toml")
    assert {path.parent.name for path in folders} == {case.source for case in CASES}
