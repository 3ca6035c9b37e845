"""Feeds that work: what lands, what is new, how an interrupted fetch continues, what is said."""

import hashlib
import json
import random
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from orchestration.cli.app import app
from orchestration.config.settings import PROJECT, Settings
from orchestration.errors import LandingError, SettingsError
from orchestration.feeds import errors
from orchestration.feeds.client import Client, identification
from orchestration.feeds.download import download
from orchestration.feeds.fetch_state import FetchState
from orchestration.feeds.fetching import Fetch, FetchOutcome, since_text, switched_on
from orchestration.feeds.pacing import Pace, RateLimit, seconds_to_wait
from orchestration.feeds.publishers import police_archive
from orchestration.feeds.visit import Visit
from orchestration.ingest.checking.contract import load_contracts
from orchestration.ingest.landing.handover import land
from orchestration.ingest.landing.receipt import Receipt
from tests.feed_server import (
    ARCHIVES,
    CONTENT,
    FORCE,
    MONTHS,
    NOMIS,
    SERVICE,
    STORAGE,
    TABLE,
    Answer,
    Asked,
    DataSet,
    FeatureLayer,
    FeedServer,
    LocalTransport,
    Reply,
    as_json,
    changed_month,
    content_page,
    cut,
    dwellings_table,
    estimates,
    forces_lookup,
    govuk,
    in_turn,
    index_page,
    police,
    redirect,
    running,
    served,
    street_zip,
)
from tests.support import Ground, month_file, research_group_file, street_file, street_row
from tests.test_feeds_hostile import QUICK, feed

STREET, HOUSING, LOOKUPS = "police_uk_street", "dwelling_stock", "area_lookups"
PEOPLE = "population_estimates"
QUARTER = date(2018, 10, 1)
NAMES = [f"{month}-{FORCE}-street.csv" for month in MONTHS]
Run = Callable[..., FetchOutcome]


@pytest.fixture
def server() -> FeedServer:
    return FeedServer()


@pytest.fixture
def transport(server: FeedServer) -> Iterator[LocalTransport]:
    with running(server) as made:
        yield made


@pytest.fixture
def run(ground: Ground, transport: LocalTransport) -> Run:
    """Fetch a source for a quarter from the local server."""

    def fetch(source: str, quarter: date = QUARTER, **changes: Any) -> FetchOutcome:
        pace = Pace(**(QUICK | changes.pop("pace", {})))
        replace = changes.pop("replace", False)
        made = Fetch(ground.settings, source, transport, pace, feed(source, **changes))
        return made.for_quarter(quarter, replace=replace)

    return fetch


def files(settings: Settings, source: str, quarter: date = QUARTER) -> dict[str, bytes]:
    folder = settings.raw / source / quarter.isoformat()
    return {path.name: path.read_bytes() for path in folder.glob("[!d]*")}


def receipt_of(settings: Settings, source: str, quarter: date = QUARTER) -> Receipt:
    found = Receipt.read(settings.raw / source / quarter.isoformat())
    assert found
    return found


# --- street-level crime ----------------------------------------------------------------------


def test_a_quarter_is_read_out_of_the_archive(server: FeedServer, run: Run, ground: Ground) -> None:
    archive = police(server)
    outcome = run(STREET)
    expected = {f"{month}-{FORCE}-street.csv": text.encode() for month, text in MONTHS.items()}
    assert files(ground.settings, STREET) == expected
    assert outcome.landed and [one.rows for one in outcome.files] == [12, 12, 12]
    receipt = receipt_of(ground.settings, STREET)
    assert (receipt.nature, receipt.note) == ("real", "Fetched from data.police.uk")
    assert [one.name for one in receipt.fetched] == NAMES
    one = receipt.fetched[0]
    assert one.url == f"{ARCHIVES}2020-12.zip"
    assert one.member == f"2018-10/{NAMES[0]}"
    assert one.etag == f'"{hashlib.md5(archive).hexdigest()}"'
    assert one.sha256 == hashlib.sha256(expected[NAMES[0]]).hexdigest()
    assert (one.licence, one.fetched_at.tzinfo) == ("Open Government Licence v3.0", UTC)
    assert one.publisher_checksum and one.publisher_checksum.startswith("crc32:")
    assert not list((ground.settings.home / "feeds" / STREET).glob("*.csv*"))


def test_only_what_is_needed_of_a_long_archive_is_read(
    server: FeedServer, run: Run, tmp_path: Path
) -> None:
    noise = random.Random(1)
    others = [f"force-{number}" for number in range(40)]
    months = {f"{year}-{number:02d}": month_file(f"{year}-{number:02d}", 30)
              for year in (2018, 2019, 2020) for number in range(1, 13)}  # fmt: skip
    body = street_zip(months, others=others)
    body = noise.randbytes(3_000_000) + body
    police(server, body)
    outcome = run(STREET)
    assert len(outcome.files) == 3
    assert outcome.received < len(body) / 8
    assert outcome.requests <= 8


def test_the_list_of_an_archive_is_read_once_for_a_range_of_quarters(
    server: FeedServer, transport: LocalTransport, ground: Ground
) -> None:
    months = {f"{year}-{number:02d}": month_file(f"{year}-{number:02d}", 5)
              for year in (2018, 2019) for number in range(1, 13)}  # fmt: skip
    police(server, street_zip(months), "2019-12")
    fetch = Fetch(ground.settings, STREET, transport, Pace(**QUICK), feed(STREET))
    first = fetch.for_quarter(date(2018, 1, 1))
    second = fetch.for_quarter(date(2018, 4, 1))
    assert len(first.files) == len(second.files) == 3
    assert second.received < first.received / 3
    # One that has changed meanwhile is opened anew.
    months["2018-08"] = changed_month("2018-08", 5, 2)
    police(server, street_zip(months), "2019-12")
    third = fetch.for_quarter(date(2018, 7, 1))
    assert (
        files(ground.settings, STREET, date(2018, 7, 1))[f"2018-08-{FORCE}-street.csv"]
        == months["2018-08"].encode()
    )
    assert third.received > second.received


def test_nothing_new_costs_three_requests_and_no_bytes(server: FeedServer, run: Run) -> None:
    police(server)
    run(STREET)
    again = run(STREET)
    assert (again.requests, again.received, again.landed) == (3, 0, False)
    assert "police_uk_street for Q3 2018/19: nothing new since 20" in since_text(again)


def test_a_month_that_is_published_again_lands_where_its_rows_differ(
    server: FeedServer, run: Run, ground: Ground
) -> None:
    police(server)
    run(STREET)
    before = files(ground.settings, STREET)
    months = {
        **MONTHS,
        "2018-11": changed_month("2018-11", 12, 5),
        "2018-12": changed_month("2018-12", 12, 0),
    }
    police(server, street_zip(months), "2021-01")
    outcome = run(STREET)
    assert [str(one) for one in outcome.files] == [
        f"{NAMES[1]}: 5 of 12 rows differ, 5 in their outcome alone",
        f"{NAMES[2]}: published again with the same 12 rows, not landed",
    ]
    after = files(ground.settings, STREET)
    assert {name for name in NAMES if before[name] != after[name]} == {NAMES[1]}
    urls = {one.name: one.url[-11:] for one in receipt_of(ground.settings, STREET).fetched}
    assert urls == dict(zip(NAMES, ["2020-12.zip", "2021-01.zip", "2020-12.zip"], strict=True))
    assert list((ground.settings.raw / STREET / ".superseded").iterdir())
    again = run(STREET)
    assert (again.requests, again.received) == (3, 0)


def test_rows_are_compared_as_often_as_they_occur(server: FeedServer, run: Run) -> None:
    row = street_row("2018-10", "Anti-social behaviour")
    other = street_row("2018-10", "Anti-social behaviour", location="On or near Elsewhere")
    police(server, street_zip({"2018-10": street_file([row, row, row, other])}))
    run(STREET)
    police(server, street_zip({"2018-10": street_file([row, row, other, other])}), "2021-01")
    assert [(one.rows_differ, one.rows_revised) for one in run(STREET).files] == [(1, 0)]


def test_a_row_that_moved_and_was_revised_is_no_revision_of_the_outcome_alone(
    server: FeedServer, run: Run
) -> None:
    rows = [street_row("2018-10", number=n) for n in range(1, 7)]
    police(server, street_zip({"2018-10": street_file(rows)}))
    run(STREET)
    rows[0] = street_row("2018-10", number=1, outcome="Offender fined")
    rows[1] = street_row("2018-10", number=2, outcome="Offender fined", longitude="0.152")
    rows[2] = street_row("2018-10", number=3, location="On or near Elsewhere")
    police(server, street_zip({"2018-10": street_file(rows)}), "2021-01")
    assert [(one.rows_differ, one.rows_revised) for one in run(STREET).files] == [(3, 1)]


def test_what_was_fetched_loads_and_a_revision_is_the_next_version(
    server: FeedServer, run: Run, ground: Ground
) -> None:
    police(server)
    run(STREET)
    assert ground.load(STREET, "2018-10-01").total("rows_loaded") == 36
    months = {**MONTHS, "2018-11": changed_month("2018-11", 12, 5)}
    police(server, street_zip(months), "2021-01")
    run(STREET)
    (second,) = ground.load(STREET, "2018-10-01").outcomes
    assert (second.version, second.state, second.rows_loaded) == (2, "loaded", 36)


@pytest.mark.real
def test_real_months_and_the_real_table_land_byte_for_byte(
    server: FeedServer, run: Run, ground: Ground, real_data: Path
) -> None:
    months = {
        month: (real_data / f"police_uk/{month}-{FORCE}-street.csv").read_bytes().decode()
        for month in MONTHS
    }
    police(server, street_zip(months))
    assert [one.rows for one in run(STREET).files] == [6930, 6520, 6123]
    table = (real_data / "housing/Live_Table_100.ods").read_bytes()
    govuk(server, table)
    assert run(HOUSING).files[0].rows == 29_925
    assert files(ground.settings, HOUSING) == {"Live_Table_100.ods": table}
    assert {name: text.decode() for name, text in files(ground.settings, STREET).items()} == {
        f"{month}-{FORCE}-street.csv": text for month, text in months.items()
    }


def test_files_that_were_not_fetched_are_not_replaced(
    server: FeedServer, run: Run, ground: Ground, tmp_path: Path
) -> None:
    own = tmp_path / "own.csv"
    own.write_text(month_file("2018-11", 20))
    receipt = Receipt(
        source=STREET, quarter=QUARTER, received_at=datetime(2019, 1, 1), nature="real", note=""
    )
    land(ground.settings.raw, load_contracts()[STREET], QUARTER, [own], receipt)
    police(server)
    with pytest.raises(LandingError, match=r"replaces own\.csv.*landed by hand.*--replace"):
        run(STREET)
    assert files(ground.settings, STREET).keys() == {"own.csv"}
    assert run(STREET, replace=True).landed
    assert files(ground.settings, STREET).keys() == set(NAMES)


def test_a_file_that_was_removed_is_fetched_again(
    server: FeedServer, run: Run, ground: Ground
) -> None:
    police(server)
    run(STREET)
    shutil.rmtree(ground.settings.raw / STREET)
    assert run(STREET).landed
    assert set(files(ground.settings, STREET)) == set(NAMES)


def test_a_state_that_cannot_be_read_counts_as_none(
    server: FeedServer, run: Run, ground: Ground
) -> None:
    police(server)
    run(STREET)
    (ground.settings.home / "feeds" / STREET / "state.json").write_text("{")
    outcome = run(STREET)
    assert not outcome.landed
    assert all("the same 12 rows" in str(one) for one in outcome.files)


def test_an_archive_that_changes_once_is_read_again_from_the_beginning(
    server: FeedServer, run: Run, ground: Ground
) -> None:
    old = street_zip(MONTHS)
    months = {month: changed_month(month, 12, 3) for month in MONTHS}
    police(server, old)
    new = street_zip(months)
    storage = f"{STORAGE}2020-12.zip"
    server.answers[ARCHIVES] = served(index_page({"2020-12": "-"}), '"page"')
    server.answers[storage] = in_turn(served(old), served(old), served(new))
    run(STREET)
    assert files(ground.settings, STREET) == {name: months[name[:7]].encode() for name in NAMES}


def test_a_checksum_of_parts_is_not_compared(server: FeedServer, run: Run) -> None:
    police(server)
    server.answers[ARCHIVES] = served(index_page({"2020-12": f"{'0' * 32}-12"}))
    assert run(STREET).landed


def test_other_members_of_an_archive_are_never_written(
    server: FeedServer, run: Run, ground: Ground
) -> None:
    body = street_zip(MONTHS, others=["../../../../evil"])
    police(server, body)
    run(STREET)
    assert set(files(ground.settings, STREET)) == set(NAMES)
    assert not list(ground.settings.home.parent.rglob("*evil*"))


def test_months_that_are_missing_are_reported_with_the_reason_that_is_known(
    server: FeedServer, run: Run, ground: Ground
) -> None:
    partnerships = ground.settings.home.parent / "partnerships.toml"
    text = (PROJECT / "orchestration/config/partnerships.toml").read_text(encoding="utf-8")
    partnerships.write_text(
        text.replace("Cambridgeshire Constabulary", "Greater Manchester Police")
    )
    object.__setattr__(ground.settings, "partnerships", partnerships)
    police(server, street_zip({"2019-10": month_file("2019-10")}), "2020-12")
    outcome = run(STREET, date(2019, 10, 1))
    assert not outcome.landed and outcome.notes == (
        "Months without data, known: Greater Manchester Police, from July 2019: the force has "
        "supplied no data since it changed its computer system.",
    )
    later = run(STREET, date(2020, 10, 1))
    assert "Not published yet" not in later.notes[0]
    unpublished = run(STREET, date(2021, 1, 1))
    assert unpublished.notes == (
        "Not published yet: January 2021, February 2021, March 2021. The newest archive ends with "
        "December 2020.",
    )


def test_a_missing_month_without_a_known_reason_is_not_zero(server: FeedServer, run: Run) -> None:
    police(server, street_zip({month: MONTHS[month] for month in ("2018-10", "2018-11")}))
    (note,) = run(STREET).notes
    assert "no street file of Cambridgeshire Constabulary (cambridgeshire) for December" in note
    assert "[x], and not 0" in note


def test_a_month_that_cannot_be_used_holds_up_no_other(
    server: FeedServer, run: Run, ground: Ground
) -> None:
    wrong = MONTHS["2018-11"].replace("Crime type", "Kind of crime")
    police(server, street_zip(MONTHS | {"2018-11": wrong}))
    outcome = run(STREET)
    assert sorted(files(ground.settings, STREET)) == [NAMES[0], NAMES[2]]
    (note,) = outcome.notes
    assert note.startswith("Not landed: ") and NAMES[1] in note and "csp check" in note
    aside = ground.settings.home / "feeds" / STREET / "refused" / NAMES[1]
    assert aside.read_bytes() == wrong.encode()
    # It is tried again, and lands once the publisher has corrected it.
    police(server, street_zip(MONTHS))
    assert [one.name for one in run(STREET).files if one.landed] == [NAMES[1]]


# --- faults that pass ------------------------------------------------------------------------


def later(seconds: float) -> str:
    return format_datetime(datetime.now(UTC) + timedelta(seconds=seconds), usegmt=True)


PASSING: Mapping[str, tuple[Answer, list[float]]] = {
    "too many requests, in seconds": (Reply(429, headers={"Retry-After": "7"}), [7]),
    "too many requests, until a date": (
        lambda asked: Reply(429, headers={"Retry-After": later(900)}),  # as seen when it is asked
        [900],
    ),
    "too many requests, without a time": (Reply(429), [0.001]),
    "maintenance": (Reply(503, headers={"Retry-After": "3"}), [3]),
    "fault of the server": (Reply(502), [0.001]),
    "body cut short": (cut(Reply(200, b"x" * 5000), 100), [0.001]),
    "connection closed at once": (Reply(200, b"", length=9), [0.001]),
}


@pytest.mark.parametrize("fault", PASSING)
def test_a_fault_that_passes_is_waited_for(
    server: FeedServer, transport: LocalTransport, ground: Ground, fault: str
) -> None:
    reply, waits = PASSING[fault]
    police(server)
    good = server.answers[ARCHIVES]
    server.answers[ARCHIVES] = in_turn(reply, good)
    slept: list[float] = []
    pace = Pace(**(QUICK | {"sleep": slept.append, "longest_retry_after": 1000}))
    outcome = Fetch(ground.settings, STREET, transport, pace, feed(STREET)).for_quarter(QUARTER)
    assert outcome.landed
    waited = [one for one in slept if one > 1e-6]
    assert waited == pytest.approx(waits, abs=60 if "date" in fault else 0)


@pytest.mark.parametrize("stated", [4, 6])
def test_a_body_of_another_length_than_stated_is_not_taken(stated: int) -> None:
    """A mirror or a proxy may say another length than it sends; HTTP itself may not notice."""

    def answer(request: httpx.Request) -> httpx.Response:
        headers = {"Content-Length": str(stated)}
        return httpx.Response(200, headers=headers, stream=httpx.ByteStream(b"12345"))

    with (
        Client(feed(HOUSING), Pace(**QUICK), httpx.MockTransport(answer)) as client,
        pytest.raises(errors.TruncatedError, match=f"5 of {stated} bytes came"),
    ):
        client.read(CONTENT)


def test_waits_grow_up_to_the_longest(server: FeedServer, transport: LocalTransport) -> None:
    server.answers[CONTENT] = Reply(500)
    slept: list[float] = []
    pace = Pace(tries=7, first_wait=1, longest_wait=8, sleep=slept.append)
    with (
        Client(feed(HOUSING), pace, transport) as client,
        pytest.raises(errors.ServerFaultError, match="Asked 7 times"),
    ):
        client.read(CONTENT)
    assert [one for one in slept if one > 1e-6] == [1, 2, 4, 8, 8, 8]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("0", 0), ("120", 120), ("Mon, 02 Jan 2040 00:01:00 GMT", 60),
     ("Mon, 02 Jan 2039 00:00:00 GMT", 0), ("soon", None), ("", None), (None, None),
     ("-5", None), ("9" * 400, None), ("٣", None)],
)  # fmt: skip
def test_retry_after_is_seconds_or_a_date(text: str | None, seconds: float | None) -> None:
    assert seconds_to_wait(text, datetime(2040, 1, 2, tzinfo=UTC)) == seconds


def test_a_host_is_asked_no_faster_than_allowed() -> None:
    now, slept = [100.0], list[float]()

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        now[0] += seconds

    limit = RateLimit(4, Pace(sleep=sleep, clock=lambda: now[0]))
    for host in ("a", "a", "b", "a"):
        limit.wait(host)
    assert slept == [0.25, 0.25]


def test_a_proxy_of_the_environment_is_used(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    with socket.create_server(("127.0.0.1", 0)) as proxy:

        def answer() -> None:
            for _ in range(3):
                with proxy.accept()[0] as connection:
                    asked.append(connection.recv(1000).split(b"\r\n")[0])
                    connection.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")

        threading.Thread(target=answer, daemon=True).start()
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        address = f"http://user:s3cret@127.0.0.1:{proxy.getsockname()[1]}"
        for name in ("HTTPS_PROXY", "https_proxy"):
            monkeypatch.setenv(name, address)
        fetch = Fetch(ground.settings, STREET, None, Pace(**QUICK), feed(STREET))
        with pytest.raises(errors.ConnectionFailedError) as raised:
            fetch.for_quarter(QUARTER)
    assert asked == [b"CONNECT data.police.uk:443 HTTP/1.1"] * 3
    assert "the proxy" in str(raised.value) and "s3cret" not in str(raised.value)


def test_every_request_says_who_asks(server: FeedServer, run: Run) -> None:
    police(server)
    run(STREET)
    assert {one.headers["user-agent"] for one in server.asked} == {identification()}
    assert identification().startswith("csp-warehouse/")
    assert {one.headers["accept-encoding"] for one in server.asked} == {"identity"}
    assert not any("cookie" in one.headers for one in server.asked)


# --- interrupted -----------------------------------------------------------------------------


class Interrupted(httpx.BaseTransport):
    """Raises as Ctrl-C does once so many bytes of all bodies have come."""

    def __init__(self, inner: httpx.BaseTransport, after: int) -> None:
        self.inner, self.left = inner, after

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = self.inner.handle_request(request)
        stream = response.stream
        assert isinstance(stream, httpx.SyncByteStream)
        response.stream = _Counted(stream, self)
        return response


class _Counted(httpx.SyncByteStream):
    def __init__(self, inner: httpx.SyncByteStream, count: Interrupted) -> None:
        self.inner, self.count = inner, count

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self.inner:
            if len(chunk) > self.count.left:
                yield chunk[: self.count.left]
                raise KeyboardInterrupt
            self.count.left -= len(chunk)
            yield chunk

    def close(self) -> None:
        self.inner.close()


def noisy_months() -> dict[str, str]:
    noise = random.Random(7)
    return {
        month: street_file(
            street_row(month, number=noise.getrandbits(255), location=noise.randbytes(40).hex())
            for _ in range(300)
        )
        for month in MONTHS
    }


def test_a_fetch_that_is_killed_at_any_byte_continues_to_the_same_bytes(
    server: FeedServer, transport: LocalTransport, tmp_path: Path
) -> None:
    months = noisy_months()
    police(server, street_zip(months))
    expected = {f"{month}-{FORCE}-street.csv": text.encode() for month, text in months.items()}
    whole, found = visit(transport, tmp_path / "whole")
    assert found == expected
    dice = random.Random(2018)
    spared = 0
    for number, stop in enumerate(dice.sample(range(whole), 50)):
        with pytest.raises(KeyboardInterrupt):
            visit(Interrupted(transport, stop), tmp_path / str(number))
        received, found = visit(transport, tmp_path / str(number))
        assert found == expected, stop
        spared += whole - received
    assert spared > 0


def visit(transport: httpx.BaseTransport, folder: Path) -> tuple[int, dict[str, bytes]]:
    """Visit the archive without a landing; return the bytes received, and what was found."""
    with Client(feed(STREET), Pace(**QUICK), transport) as client:
        asked = Visit(
            client, feed(STREET), folder, FetchState(), QUARTER, lambda *_: False,
            forces=["Cambridgeshire Constabulary"],
        )  # fmt: skip
        found = police_archive.find(asked)
    return client.received, {one.name: one.path.read_bytes() for one in found.files}


@pytest.mark.parametrize("share", [0.1, 0.9, 0.99])
def test_a_killed_fetch_lands_the_same_the_next_time(
    server: FeedServer, transport: LocalTransport, ground: Ground, run: Run, share: float
) -> None:
    months = noisy_months()
    body = police(server, street_zip(months))
    killed = Fetch(
        ground.settings, STREET, Interrupted(transport, int(len(body) * share)), Pace(**QUICK),
        feed(STREET),
    )  # fmt: skip
    with pytest.raises(KeyboardInterrupt):
        killed.for_quarter(QUARTER)
    assert not list(ground.settings.raw.rglob("*.csv"))
    assert run(STREET).landed
    assert files(ground.settings, STREET) == {
        f"{month}-{FORCE}-street.csv": text.encode() for month, text in months.items()
    }


def test_a_whole_file_continues_at_the_byte_where_it_stopped(
    server: FeedServer, transport: LocalTransport, tmp_path: Path
) -> None:
    body = random.Random(3).randbytes(300_000)
    server.answers[TABLE] = served(body)
    dice = random.Random(4)
    for number, stop in enumerate(dice.sample(range(1, len(body)), 50)):
        path = tmp_path / f"{number}.ods"
        with (
            Client(feed(HOUSING), Pace(**QUICK), Interrupted(transport, stop)) as client,
            pytest.raises(KeyboardInterrupt),
        ):
            download(client, TABLE, path)
        with Client(feed(HOUSING), Pace(**QUICK), transport) as client:
            download(client, TABLE, path, size=len(body), md5=hashlib.md5(body).hexdigest())
            assert client.received == len(body) - stop
        assert path.read_bytes() == body
        assert server.asked[-1].headers["range"] == f"bytes={stop}-"
    assert not list(tmp_path.glob("*.part*"))


CHANGED = {
    "the file has changed": lambda body: served(body, '"new"'),
    "the server ignores ranges": lambda body: Reply(200, body, {"ETag": '"old"'}),
    "the file has become shorter": lambda body: served(body[:50], '"new"'),
}


@pytest.mark.parametrize("change", CHANGED)
def test_a_part_of_another_version_is_not_continued(
    server: FeedServer, transport: LocalTransport, tmp_path: Path, change: str
) -> None:
    old, new = b"a" * 1000, b"b" * 1000
    server.answers[TABLE] = served(old, '"old"')
    path = tmp_path / "table.ods"
    with (
        Client(feed(HOUSING), Pace(**QUICK), Interrupted(transport, 400)) as client,
        pytest.raises(KeyboardInterrupt),
    ):
        download(client, TABLE, path)
    server.answers[TABLE] = CHANGED[change](new)
    with Client(feed(HOUSING), Pace(**QUICK), transport) as client:
        download(client, TABLE, path)
    assert server.asked[-1].headers["if-range"] == '"old"'
    assert path.read_bytes() == (new[:50] if "shorter" in change else new)


def test_a_wrong_checksum_leaves_no_part_behind(
    server: FeedServer, transport: LocalTransport, tmp_path: Path
) -> None:
    server.answers[TABLE] = served(b"a" * 1000)
    with (
        Client(feed(HOUSING), Pace(**QUICK), transport) as client,
        pytest.raises(errors.ChecksumError, match=r"MD5 is cabe.*states 0000"),
    ):
        download(client, TABLE, tmp_path / "table.ods", md5="0" * 32)
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_a_process_that_is_killed_leaves_nothing_half_landed(
    server: FeedServer, transport: LocalTransport, tmp_path: Path
) -> None:
    months = noisy_months()
    body = street_zip(months)
    police(server, body)
    slow = served(body)
    first = [True]

    def answer(asked: Asked) -> Reply:
        reply = slow(asked) if callable(slow) else slow
        if asked.headers["range"].startswith("bytes=-") or not first[0]:
            return reply
        return Reply(reply.status, reply.body, reply.headers, drip=0.001)

    server.answers[f"{STORAGE}2020-12.zip"] = answer
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(tmp_path), str(transport.port)], cwd=PROJECT
    )
    part = tmp_path / f"var/feeds/{STREET}/{NAMES[0]}.span.part"
    for _ in range(600):
        if part.exists() and part.stat().st_size > 100:
            break
        time.sleep(0.05)
    child.send_signal(signal.SIGKILL)
    child.wait()
    assert part.stat().st_size > 100
    assert not list((tmp_path / "raw").rglob("*.csv"))
    first[0] = False
    settings = Settings(home=tmp_path / "var", raw=tmp_path / "raw")
    Fetch(settings, STREET, transport, Pace(**QUICK), feed(STREET)).for_quarter(QUARTER)
    assert files(settings, STREET) == {
        f"{month}-{FORCE}-street.csv": text.encode() for month, text in months.items()
    }


CHILD = """
import sys
from datetime import date
from pathlib import Path
from orchestration.config.settings import Settings
from orchestration.feeds.fetching import Fetch
from tests.feed_server import LocalTransport
from tests.test_feeds_hostile import feed
folder = Path(sys.argv[1])
settings = Settings(home=folder / "var", raw=folder / "raw")
source = "police_uk_street"
Fetch(settings, source, LocalTransport(int(sys.argv[2])), feed=feed(source)).for_quarter(
    date(2018, 10, 1)
)
"""


# --- housing and lookups ---------------------------------------------------------------------


def test_a_release_of_a_year_lands_once(server: FeedServer, run: Run, ground: Ground) -> None:
    govuk(server, dwellings_table())
    assert run(HOUSING).landed
    assert not run(HOUSING, date(2019, 1, 1)).landed
    # Another address and other bytes, the same figures: no new version.
    moved = TABLE.replace("Live_Table_100", "LT_100_revised")
    body = dwellings_table() + b"\0"
    server.answers[CONTENT] = served(content_page(moved, len(body)))
    server.answers[moved] = redirect("https://other.example.org/table.ods")
    server.answers["https://other.example.org/table.ods"] = served(body)
    same = run(HOUSING, date(2019, 1, 1))
    assert [one.landed for one in same.files] == [False]
    assert not (ground.settings.raw / HOUSING / "2019-01-01").exists()
    govuk(server, dwellings_table(901))
    changed = run(HOUSING, date(2019, 1, 1))
    assert [(one.rows_differ, one.landed) for one in changed.files] == [(10, True)]
    assert set(files(ground.settings, HOUSING, date(2019, 1, 1))) == {"Live_Table_100.ods"}


def test_a_lookup_lands_as_the_portal_writes_it(
    server: FeedServer, run: Run, ground: Ground
) -> None:
    rows = forces_lookup(10)
    rows[3]["CSP23NM"] = 'Safer, "Best" Partnership'
    FeatureLayer(rows).serve(server)
    outcome = run(LOOKUPS)
    (landed,) = files(ground.settings, LOOKUPS).values()
    lines = landed.decode().splitlines()
    assert lines[0] == "ObjectId,LAD23CD,LAD23NM,CSP23CD,CSP23NM,PFA23CD,PFA23NM"
    assert lines[4].endswith('"Safer, ""Best"" Partnership",E23000001,Force')
    assert len(lines) == 11 and outcome.files[0].rows == 10
    offsets = [one.query.get("resultOffset") for one in server.asked]
    assert [one for one in offsets if one] == ["0", "4", "8"]
    again = run(LOOKUPS)
    assert not again.landed and again.unchanged and again.requests == 2


def test_estimates_are_read_page_by_page(server: FeedServer, run: Run, ground: Ground) -> None:
    rows = estimates(5)
    data = DataSet([*rows, ("E07009999", "Abolished", "2018", "")])
    data.serve(server)
    outcome = run(PEOPLE)
    assert [one.rows for one in outcome.files] == [10]
    assert "1 areas and years have no estimate" in outcome.notes[0]
    asked = [one.query for one in server.asked]
    assert [one["recordoffset"] for one in asked] == ["0", "4", "8"]
    assert {(one["geography"], one["c_age"], one["recordlimit"]) for one in asked} == {
        ("TYPE424", "200", "25000")
    }
    again = run(PEOPLE)
    assert not again.landed and len(again.unchanged) == 1
    assert ground.load(PEOPLE, "2018-10-01").total("rows_loaded") == 10
    assert ground.query(
        "select distinct estimator, mid_year::varchar from raw.population_estimates order by all"
    ) == [("ons_mid_year", "2017-06-30"), ("ons_mid_year", "2018-06-30")]


def test_estimates_by_sex_and_age_are_read_page_by_page(
    server: FeedServer, run: Run, ground: Ground
) -> None:
    rows = [
        f'"E07000010","Fenland","2017","{sex}","{age}",{people},6'
        for sex, people in (("Male", 600), ("Female", 610))
        for age in ("Age 0", "Age 17", "Aged 90+")
    ]
    header = '"GEOGRAPHY_CODE","GEOGRAPHY_NAME","DATE_NAME","GENDER_NAME","C_AGE_NAME","OBS_VALUE"'

    def page(asked: Asked) -> Reply:
        start = int(asked.query["recordoffset"])
        lines = [f'{header},"RECORD_COUNT"', *rows[start : start + 4], ""]
        return Reply(200, "\r\n".join(lines).encode())

    server.answers[NOMIS] = page
    (landed,) = run("population_by_age").files
    assert landed.rows == 6
    assert {one.query["c_age"] for one in server.asked} == {"101...191"}
    assert server.asked[0].query["select"].split(",")[3:5] == ["gender_name", "c_age_name"]
    assert ground.load("population_by_age", "2018-10-01").total("rows_loaded") == 6
    assert ground.query("select sex, age, population from raw.population_by_age order by all") == [
        ("Female", 0, 610), ("Female", 17, 610), ("Female", 90, 610),
        ("Male", 0, 600), ("Male", 17, 600), ("Male", 90, 600),
    ]  # fmt: skip
    rows[3] = rows[0]
    with pytest.raises(errors.LayoutError, match="came twice"):
        run("population_by_age")


def test_a_release_beside_a_file_of_something_else_is_new(
    server: FeedServer, run: Run, ground: Ground
) -> None:
    ground.put(PEOPLE, "2018-07-01", {"research.csv": research_group_file()})
    DataSet(estimates(5)).serve(server)
    assert [str(one)[-12:] for one in run(PEOPLE).files] == ["10 rows, new"]


def test_pages_that_have_come_are_not_asked_for_again(
    server: FeedServer, transport: LocalTransport, ground: Ground, run: Run
) -> None:
    layer = FeatureLayer(forces_lookup(10))
    layer.serve(server)
    address = f"{SERVICE}/0/query"
    server.answers[address] = lambda asked: (
        Reply(500) if asked.query.get("resultOffset") == "8" else layer.query(asked)
    )
    with pytest.raises(errors.ServerFaultError):
        run(LOOKUPS)
    server.answers[address] = layer.query
    server.asked.clear()
    assert run(LOOKUPS).landed
    offsets = [one.query.get("resultOffset") for one in server.asked]
    assert [one for one in offsets if one] == ["8"]


def test_boundaries_land_as_geojson(server: FeedServer, run: Run, ground: Ground) -> None:
    square = {"type": "Polygon", "coordinates": [[[0, 52], [0, 53], [1, 53], [0, 52]]]}
    rows = [
        {"LSOA21CD": f"E0101{n:04d}", "LSOA21NM": f"Place {n}", "LAD22CD": "E07000001"}
        for n in range(1, 7)
    ]
    FeatureLayer(rows, geometry=square).serve(server)
    layers = [{"service": SERVICE, "file": "lsoa21.geojson", "must_have": ["LAD[0-9]{2}CD"]}]
    assert run(LOOKUPS, layers=layers).files[0].rows == 6
    (landed,) = files(ground.settings, LOOKUPS).values()
    found = json.loads(landed)
    assert [one["properties"]["LSOA21CD"] for one in found["features"]] == [
        one["LSOA21CD"] for one in rows
    ]
    assert found["features"][0]["geometry"] == square
    asked = [one.query for one in server.asked if "resultOffset" in one.query]
    assert {one["outSR"] for one in asked} == {"4326"} and len(asked) == 2


# --- mirror, settings, command ---------------------------------------------------------------


def write_mirror(root: Path) -> None:
    """Write a mirror with the archive, the table and a lookup."""
    archive = street_zip(MONTHS)
    folder = root / "data.police.uk/data/archive"
    folder.mkdir(parents=True)
    (folder / "2020-12.zip").write_bytes(archive)
    (folder / "index.html").write_bytes(index_page({"2020-12": hashlib.md5(archive).hexdigest()}))


@pytest.fixture
def mirrored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    mirror = tmp_path / "mirror"
    write_mirror(mirror)
    monkeypatch.setenv("CSP_HOME", str(tmp_path / "var"))
    monkeypatch.setenv("CSP_RAW", str(tmp_path / "raw"))
    monkeypatch.setenv("CSP_FEED_MIRROR", str(mirror))
    return mirror


def csp(*arguments: str) -> Any:
    return CliRunner().invoke(app, arguments)


def test_the_command_reads_the_mirror(mirrored: Path) -> None:
    done = csp("fetch", STREET, "--quarter", "2018-10-01")
    assert done.exit_code == 0, done.output
    assert f"{NAMES[0]}: 12 rows, new." in done.output
    assert "`csp refresh 2018-10-01` loads it." in done.output
    again = csp("fetch", STREET, "--from", "2018-10-01", "--to", "2019-01-01")
    assert "nothing new since" in again.output
    assert "no street file" in again.output and again.exit_code == 0
    assert set(files(Settings(raw=mirrored.parent / "raw"), STREET)) == set(NAMES)


def test_a_range_that_stops_says_what_is_done(mirrored: Path) -> None:
    folder = mirrored / "data.police.uk/data/archive"
    (folder / "index.html").write_bytes(index_page({"2020-12": "-", "2022-06": "-"}))
    done = csp("fetch", STREET, "--from", "2018-10-01", "--to", "2022-04-01")
    assert isinstance(done.exception, errors.MirrorError)
    assert "Stopped at Q2 2019/20; the quarters before it are done." in done.output
    assert files(Settings(raw=mirrored.parent / "raw"), STREET).keys() == set(NAMES)


def test_the_description_of_a_source_says_that_it_can_be_fetched(mirrored: Path) -> None:
    assert "csp fetch police_uk_street, from data.police.uk" in csp("describe", STREET).output
    assert "csp fetch" not in csp("describe", "police_charges").output


def test_the_command_prints_json(mirrored: Path) -> None:
    from tests.test_json_output import output

    done = csp("fetch", STREET, "--quarter", "2018-10-01", "--json")
    (quarter,) = output(done, "FetchOutput")["quarters"]
    assert quarter["landed"] and [one["rows"] for one in quarter["files"]] == [12, 12, 12]


def test_a_file_that_is_missing_in_the_mirror_is_named_with_its_path(mirrored: Path) -> None:
    (mirrored / "data.police.uk/data/archive/2020-12.zip").unlink()
    settings = Settings(home=mirrored.parent / "var", raw=mirrored.parent / "raw",
                        feed_mirror=mirrored)  # fmt: skip
    with pytest.raises(errors.MirrorError) as raised:
        Fetch(settings, STREET).for_quarter(QUARTER)
    assert f"Put the file that the publisher serves there as {mirrored}/data.police.uk/" in str(
        raised.value
    )
    with pytest.raises(errors.MirrorError, match="is not a folder"):
        Fetch(settings.model_copy(update={"feed_mirror": mirrored / "no"}), STREET).for_quarter(
            QUARTER
        )


def test_a_mirror_gives_a_lookup_page_by_page(mirrored: Path, server: FeedServer) -> None:
    layer = FeatureLayer(forces_lookup(10))
    folder = mirrored / "services1.arcgis.com" / SERVICE.partition("arcgis.com/")[2] / "0"
    folder.mkdir(parents=True)
    (folder / "index.json").write_text(json.dumps(layer.described()))
    (folder / "query.count").write_text(json.dumps({"count": 10}))
    for start in (0, 4, 8):
        name = f"query.{start}" if start else "query"
        (folder / name).write_text(json.dumps(layer.page_from(start)))
    settings = Settings(home=mirrored.parent / "var", raw=mirrored.parent / "raw",
                        feed_mirror=mirrored)  # fmt: skip
    outcome = Fetch(settings, LOOKUPS, feed=feed(LOOKUPS)).for_quarter(QUARTER)
    assert [one.rows for one in outcome.files] == [10]


def test_arguments_that_contradict_are_refused(mirrored: Path) -> None:
    for arguments in (["--to", "2018-10-01"], ["--quarter", "2018-10-01", "--to", "2019-01-01"]):
        done = csp("fetch", STREET, *arguments)
        assert done.exit_code == 2 and "--quarter, or --from" in done.output
    assert isinstance(csp("fetch", "police_charges").exception, errors.NoFeedError)
    wrong = csp("fetch", "police_uk_stret").exception
    assert isinstance(wrong, LandingError) and "police_uk_street" in str(wrong)


def test_nothing_is_fetched_unless_switched_on() -> None:
    known = [HOUSING, STREET]
    assert switched_on(Settings(), known) == []
    assert switched_on(Settings(feeds=f" {STREET}, {HOUSING},{STREET},"), known) == [
        STREET, HOUSING
    ]  # fmt: skip
    with pytest.raises(SettingsError, match="CSP_FEEDS names iom_cohort, which cannot be fetched"):
        switched_on(Settings(feeds="iom_cohort"), known)


def test_one_fetch_of_a_source_runs_at_a_time(
    server: FeedServer, run: Run, ground: Ground, transport: LocalTransport
) -> None:
    police(server)
    good = server.answers[ARCHIVES]
    said = []

    def answer(asked: Asked) -> Reply:
        with pytest.raises(LandingError) as raised:
            run(STREET)
        said.append(str(raised.value))
        return good(asked) if callable(good) else good

    server.answers[ARCHIVES] = answer
    assert run(STREET).landed
    assert "being fetched by another process" in said[0]


def test_the_query_of_an_address_is_not_shown() -> None:
    shown = errors.shown_address("https://user:pw@host.example:8443/a/b?key=s3cret#part")
    assert shown == "https://host.example:8443/a/b"
    assert errors.shown_address("https://[broken") == "an address that cannot be read"
    assert as_json({}).status == 200
