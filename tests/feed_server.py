"""A local server that speaks as the publishers do, and as badly as a test asks.

A transport sends every request to it, whatever its host, so the addresses are the real ones.
"""

import hashlib
import io
import json
import threading
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx

from tests.support import month_file, street_file, street_row
from tests.workbooks import ods

ARCHIVES = "https://data.police.uk/data/archive/"
STORAGE = "https://policeuk-data.s3.amazonaws.com/archive/"
CONTENT = (
    "https://www.gov.uk/api/content/government/statistical-data-sets/"
    "live-tables-on-dwelling-stock-including-vacants"
)
TABLE = "https://assets.publishing.service.gov.uk/media/65f/Live_Table_100.ods"
SERVICE = (
    "https://services1.arcgis.com/ESMARspQHYMw9BZ9/arcgis/rest/services/"
    "LAD23_CSP23_PFA23_EW_LU/FeatureServer"
)
ITEM = "https://www.arcgis.com/sharing/rest/content/items/" + "ab" * 16
NOMIS = "https://www.nomisweb.co.uk/api/v01/dataset/NM_2002_1.data.csv"
FORCE = "cambridgeshire"


@dataclass(frozen=True)
class Asked:
    """A request as it came."""

    address: str
    query: Mapping[str, str]
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Reply:
    """An answer; ``stop_after`` bytes the connection ends, ``drip`` is a wait before each byte."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    length: int | None = None
    stop_after: int | None = None
    drip: float | None = None
    endless: bool = False


Answer = Reply | Callable[[Asked], Reply]


def served(body: bytes, etag: str | None = None, kind: str = "application/octet-stream") -> Answer:
    """Return a file as object storage serves it: with a tag, conditions and ranges."""
    tag = etag or f'"{hashlib.md5(body).hexdigest()}"'
    headers = {"ETag": tag, "Content-Type": kind, "Accept-Ranges": "bytes"}

    def answer(asked: Asked) -> Reply:
        if asked.headers.get("if-none-match") == tag:
            return Reply(304, headers=headers)
        span = asked.headers.get("range", "")
        if not span.startswith("bytes=") or asked.headers.get("if-range", tag) != tag:
            return Reply(200, body, headers)
        first, _, last = span.removeprefix("bytes=").partition("-")
        start = int(first) if first else max(0, len(body) - int(last))
        end = min(int(last), len(body) - 1) if last and first else len(body) - 1
        if start > end:
            return Reply(416, headers=headers)
        place = {"Content-Range": f"bytes {start}-{end}/{len(body)}"}
        return Reply(206, body[start : end + 1], {**headers, **place})

    return answer


def in_turn(*answers: Answer) -> Answer:
    """Answer in turn; the last answer is given for ever."""
    left = list(answers)

    def answer(asked: Asked) -> Reply:
        one = left.pop(0) if len(left) > 1 else left[0]
        return one(asked) if callable(one) else one

    return answer


def redirect(to: str, status: int = 302) -> Reply:
    return Reply(status, headers={"Location": to})


@dataclass
class FeedServer:
    """Answers by address. ``asked`` has every request, ``sent`` counts the bytes of the bodies."""

    answers: dict[str, Answer] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    sent: int = 0
    port: int = 0

    def reply(self, asked: Asked) -> Reply:
        self.asked.append(asked)
        answer = self.answers.get(asked.address, Reply(404, b"no such file"))
        return answer(asked) if callable(answer) else answer

    def paths(self) -> list[str]:
        return [urlsplit(one.address).path for one in self.asked]


class LocalTransport(httpx.BaseTransport):
    """Sends every request to the local server and keeps the address that was asked for."""

    def __init__(self, port: int) -> None:
        self.port, self.inner = port, httpx.HTTPTransport()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.headers["X-Address"] = str(request.url)
        local = request.url.copy_with(scheme="http", host="127.0.0.1", port=self.port)
        sent = httpx.Request(
            request.method, local, headers=request.headers, extensions=request.extensions
        )
        return self.inner.handle_request(sent)


class _Handler(BaseHTTPRequestHandler):
    """Sends the answer of the server that its subclass is made for."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    feeds: FeedServer

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def do_GET(self) -> None:
        address = self.headers["X-Address"]
        query = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        headers = {name.lower(): value for name, value in self.headers.items()}
        reply = self.feeds.reply(Asked(address.partition("?")[0], query, headers))
        with suppress(OSError):
            self._send(reply)

    def _send(self, reply: Reply) -> None:
        self.send_response(reply.status)
        length = len(reply.body) if reply.length is None else reply.length
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if reply.endless:
            self.send_header("Connection", "close")
        else:
            self.send_header("Content-Length", str(length))
        self.end_headers()
        if reply.status != 304:
            self._send_body(reply)
        if reply.stop_after is not None or reply.endless or length != len(reply.body):
            self.close_connection = True

    def _send_body(self, reply: Reply) -> None:
        body = reply.body[: reply.stop_after]
        if reply.drip is not None:
            for place in range(len(body)):
                self.wfile.write(body[place : place + 1])
                time.sleep(reply.drip)
            return
        self.feeds.sent += len(body)
        self.wfile.write(body)
        while reply.endless:
            self.wfile.write(body)


@contextmanager
def running(server: FeedServer) -> Iterator[LocalTransport]:
    """Run the server on a free port of this machine."""
    handler = type("Handler", (_Handler,), {"feeds": server})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as http:
        http.daemon_threads = True
        thread = threading.Thread(target=http.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield LocalTransport(http.server_address[1])
        finally:
            http.shutdown()


# --- what the publishers serve ---------------------------------------------------------------


def street_zip(months: Mapping[str, str], force: str = FORCE, others: Sequence[str] = ()) -> bytes:
    """Return an archive with the street files of a force by month, and files of other kinds."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for month, content in months.items():
            archive.writestr(f"{month}/{month}-{force}-outcomes.csv", "Crime ID,Outcome type\r\n")
            archive.writestr(f"{month}/{month}-{force}-street.csv", content)
            for other in others:
                archive.writestr(f"{month}/{month}-{other}-street.csv", month_file(month, 3))
    return made.getvalue()


def index_page(archives: Mapping[str, str], note: str = "") -> bytes:
    """Return the page that lists the archives, with the checksum that it states for each."""
    rows = "".join(
        f'<tr><td><a href="/data/archive/{month}.zip">{month}</a></td><td>1.7 GB</td>'
        f"<td>MD5: <code>{md5}</code></td></tr>\n"
        for month, md5 in archives.items()
    )
    page = f"<!DOCTYPE html>\n<html><body><h1>Archive</h1>{note}<table>{rows}</table></body></html>"
    return page.encode()


MONTHS = {month: month_file(month, 12) for month in ("2018-10", "2018-11", "2018-12")}


def police(server: FeedServer, archive: bytes | None = None, month: str = "2020-12") -> bytes:
    """Serve the index and one archive, which the site redirects to object storage."""
    archive = archive or street_zip(MONTHS)
    md5 = hashlib.md5(archive).hexdigest()
    server.answers[ARCHIVES] = served(index_page({month: md5}), kind="text/html")
    server.answers[f"{ARCHIVES}{month}.zip"] = redirect(f"{STORAGE}{month}.zip")
    server.answers[f"{STORAGE}{month}.zip"] = served(archive)
    return archive


def content_page(url: str = TABLE, size: int | None = None, **more: Any) -> bytes:
    """Return the content API's answer for the page of the live tables."""
    attachments = [
        {"title": "Table 104: by tenure, England", "url": TABLE.replace("100", "104")},
        {
            "title": "Table 100: number of dwellings by tenure and district, England",
            "url": url,
            "filename": url.rpartition("/")[2],
            "content_type": "application/vnd.oasis.opendocument.spreadsheet",
            **({"file_size": size} if size is not None else {}),
        },
        {"title": "Table 1000: additional affordable homes", "url": TABLE.replace("100", "1000")},
    ]
    return json.dumps({"base_path": "/x", "details": {"attachments": attachments, **more}}).encode()


def dwellings_table(total: int = 900) -> bytes:
    """Return a small Live Table 100."""
    header = [
        "Current ONS code", "LA code", "Local authority name", "Local Authority",
        "Private registered provider", "Other public sector", "Private sector", "Total",
    ]  # fmt: skip
    rows = [
        [f"E0700{n:04d}", f"{n:04d}", f"District {n}", 0, 100, 5, total - 105, total]
        for n in range(1, 6)
    ]
    return ods({"2018": [["Table 100"], header, *rows]})


def govuk(server: FeedServer, table: bytes) -> None:
    """Serve the page of the live tables, and Table 100."""
    server.answers[CONTENT] = served(content_page(size=len(table)), kind="application/json")
    server.answers[TABLE] = served(table)


@dataclass
class FeatureLayer:
    """A layer of a feature service, of which each page has ``page`` rows at most."""

    rows: list[dict[str, Any]]
    page: int = 4
    changed: int = 1_700_000_000_000
    key: str = "ObjectId"
    geometry: Any = None

    def serve(self, server: FeedServer, address: str = f"{SERVICE}/0") -> None:
        server.answers[address] = lambda asked: as_json(self.described())
        server.answers[f"{address}/query"] = self.query

    def described(self) -> dict[str, Any]:
        fields = [{"name": self.key, "type": "esriFieldTypeOID"}]
        fields += [{"name": name, "type": "esriFieldTypeString"} for name in self.rows[0]]
        return {
            "fields": fields,
            "objectIdField": self.key,
            "maxRecordCount": self.page,
            "editingInfo": {"lastEditDate": self.changed},
        }

    def query(self, asked: Asked) -> Reply:
        if asked.query.get("returnCountOnly") == "true":
            return as_json({"count": len(self.rows)})
        start = int(asked.query["resultOffset"])
        return as_json(self.page_from(start, asked.query["f"]))

    def page_from(self, start: int, form: str = "json") -> dict[str, Any]:
        end = start + self.page
        numbered = [{self.key: n, **row} for n, row in enumerate(self.rows, 1)][start:end]
        more = end < len(self.rows)
        if form == "geojson":
            found = [
                {"type": "Feature", "id": one[self.key], "properties": one,
                 "geometry": self.geometry}
                for one in numbered
            ]  # fmt: skip
            beside = {"properties": {"exceededTransferLimit": True}} if more else {}
            return {"type": "FeatureCollection", "features": found, **beside}
        page: dict[str, Any] = {"features": [{"attributes": one} for one in numbered]}
        return page | ({"exceededTransferLimit": True} if more else {})


@dataclass
class DataSet:
    """A data set of Nomis: rows of code, name, year and value, and most rows of an answer."""

    rows: list[tuple[str, str, str, str]]
    most: int = 4

    def serve(self, server: FeedServer) -> None:
        server.answers[NOMIS] = lambda asked: Reply(
            200, self.page(int(asked.query["recordoffset"]))
        )

    def page(self, start: int, count: object = None) -> bytes:
        stated = len(self.rows) if count is None else count
        lines = ['"GEOGRAPHY_CODE","GEOGRAPHY_NAME","DATE_NAME","OBS_VALUE","RECORD_COUNT"']
        lines += [
            f'"{code}","{name}","{year}",{value},{stated}'
            for code, name, year, value in self.rows[start : start + self.most]
        ]
        return "\r\n".join([*lines, ""]).encode()


def estimates(
    areas: int = 5, years: Sequence[int] = (2017, 2018)
) -> list[tuple[str, str, str, str]]:
    """Return mid-year estimates of some districts."""
    return [
        (f"E0700{n:04d}", f"District {n}", str(year), str(100_000 + n + year))
        for year in years
        for n in range(1, areas + 1)
    ]


def as_json(content: Any) -> Reply:
    return Reply(200, json.dumps(content).encode(), {"Content-Type": "application/json"})


def forces_lookup(count: int = 10) -> list[dict[str, Any]]:
    """Return rows of the lookup of districts, partnerships and forces."""
    return [
        {
            "LAD23CD": f"E0700{n:04d}", "LAD23NM": f"District {n}",
            "CSP23CD": f"E2200{n:04d}", "CSP23NM": f"Partnership {n}",
            "PFA23CD": "E23000001", "PFA23NM": "Force",
        }
        for n in range(1, count + 1)
    ]  # fmt: skip


def changed_month(month: str, rows: int, changed: int) -> str:
    """Return a month of which the outcome of some rows has changed, in another order."""
    outcomes = ["Offender fined" if n < changed else "Under investigation" for n in range(rows)]
    lines = [street_row(month, number=n + 1, outcome=one) for n, one in enumerate(outcomes)]
    return street_file(reversed(lines))


def cut(answer: Answer, after: int) -> Answer:
    """Return an answer whose connection ends after some bytes."""

    def short(asked: Asked) -> Reply:
        reply = answer(asked) if callable(answer) else answer
        return replace(reply, stop_after=after, length=len(reply.body))

    return short
