"""Publishers that misbehave: what they do, what a fetch says of it, and with which limits."""

import io
import json
import struct
import warnings
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

from orchestration.feeds import errors
from tests.feed_server import (
    ARCHIVES,
    CONTENT,
    FORCE,
    ITEM,
    MONTHS,
    NOMIS,
    SERVICE,
    STORAGE,
    TABLE,
    Asked,
    DataSet,
    FeatureLayer,
    FeedServer,
    Reply,
    as_json,
    changed_month,
    content_page,
    cut,
    estimates,
    forces_lookup,
    in_turn,
    index_page,
    police,
    redirect,
    served,
    street_zip,
)

STREET, HOUSING, LOOKUPS = "police_uk_street", "dwelling_stock", "area_lookups"
PEOPLE = "population_estimates"
RECORDED_CRIME = "police-recorded-crime-and-outcomes-open-data-tables"
MONTH = "2021-01"
"""Month of an archive that is newer than the one that was fetched before."""

PAGE = b"<!DOCTYPE html><html><body>Sorry, the service is unavailable</body></html>"
NEW = {**MONTHS, "2018-11": changed_month("2018-11", 12, 5)}
LAYER = f"{SERVICE}/0"
Prepare = Callable[[FeedServer], None]


@dataclass(frozen=True)
class Case:
    """What a publisher does (``prepare``), and the error and the parts of the message it leads to.

    ``feed`` and ``pace`` are limits of the case; ``refused`` says that no server listens.
    """

    name: str
    source: str
    prepare: Prepare
    error: type[errors.FeedError]
    says: tuple[str, ...]
    feed: Mapping[str, Any] = field(default_factory=dict)
    pace: Mapping[str, Any] = field(default_factory=dict)
    unreachable: bool = False


# --- police archive --------------------------------------------------------------------------


def index(reply: Any) -> Prepare:
    def prepare(server: FeedServer) -> None:
        police(server, street_zip(NEW), MONTH)
        server.answers[ARCHIVES] = reply

    return prepare


def archive(reply: Any) -> Prepare:
    def prepare(server: FeedServer) -> None:
        police(server, street_zip(NEW), MONTH)
        server.answers[f"{STORAGE}{MONTH}.zip"] = reply

    return prepare


def archived(body: bytes) -> Prepare:
    return lambda server: void(police(server, body, MONTH))


def void(_: object) -> None:
    """Take a result that is not needed."""


def big(body: bytes) -> bytes:
    """Return an archive that is longer than the part that is read first."""
    made = io.BytesIO(body)
    with zipfile.ZipFile(made, "a") as opened:
        opened.writestr("filler.bin", bytes(range(256)) * 2000)
    return made.getvalue()


def _searches() -> bytes:
    """Return an archive with stop and search files of other columns."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for month in NEW:
            archive.writestr(f"{month}/{month}-{FORCE}-stop-and-search.csv", "Type,When\r\nA,B\r\n")
    return made.getvalue()


SEARCHES = _searches()
BIG = big(street_zip(NEW))


def member(name: str = "2018-11", content: str | bytes = "", **changes: Any) -> bytes:
    """Return an archive of which one street file holds other content."""
    made = io.BytesIO(street_zip({month: text for month, text in NEW.items() if month != name}))
    with zipfile.ZipFile(made, "a", zipfile.ZIP_DEFLATED) as opened:
        opened.writestr(f"{name}/{name}-cambridgeshire-street.csv", content, **changes)
    return made.getvalue()


def damaged() -> bytes:
    """Return an archive of which a stored file has another byte than its checksum says."""
    body = member(content=NEW["2018-11"], compress_type=zipfile.ZIP_STORED)
    place = body.index(b"Falls within") if body.count(b"Falls within") == 1 else None
    place = place or body.rindex(b"On or near Synthetic")
    return body[:place] + b"X" + body[place + 1 :]


def listed(change: Callable[[bytearray, int, int], None]) -> bytes:
    """Return an archive whose list or header of the November file is changed."""
    body = bytearray(street_zip(NEW))
    name = b"2018-11/2018-11-cambridgeshire-street.csv"
    header = body.index(name) - 30
    entry = body.rindex(name) - 46
    change(body, header, entry)
    return bytes(body)


def stating(size: int) -> bytes:
    def change(body: bytearray, header: int, entry: int) -> None:
        body[entry + 24 : entry + 28] = struct.pack("<I", size)

    return listed(change)


def encrypted() -> bytes:
    def change(body: bytearray, header: int, entry: int) -> None:
        body[header + 6] |= 1
        body[entry + 8] |= 1

    return listed(change)


def packed_otherwise() -> bytes:
    def change(body: bytearray, header: int, entry: int) -> None:
        body[header + 8] = body[entry + 10] = 97

    return listed(change)


def named_otherwise() -> bytes:
    def change(body: bytearray, header: int, entry: int) -> None:
        body[header + 30] = ord("3")

    return listed(change)


def lying_bomb() -> bytes:
    """Return an archive of which a file inflates to far more than it states."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    bomb = packer.compress(b"0" * 50_000_000) + packer.flush()
    made = bytearray(member(content=NEW["2018-11"]))
    name = b"2018-11/2018-11-cambridgeshire-street.csv"
    header, entry = made.index(name) - 30, made.rindex(name) - 46
    (packed,) = struct.unpack("<I", made[entry + 20 : entry + 24])
    start = header + 30 + len(name)
    grown = len(bomb) - packed
    made[entry + 20 : entry + 24] = struct.pack("<I", len(bomb))
    made[header + 18 : header + 22] = struct.pack("<I", len(bomb))
    (place,) = struct.unpack("<I", made[-6:-2])
    made[-6:-2] = struct.pack("<I", place + grown)
    made[start : start + packed] = bomb
    return bytes(made)


def twice() -> bytes:
    made = io.BytesIO(street_zip(NEW))
    with warnings.catch_warnings(), zipfile.ZipFile(made, "a") as opened:
        warnings.simplefilter("ignore")
        opened.writestr("2018-11/2018-11-cambridgeshire-street.csv", NEW["2018-10"])
    return made.getvalue()


def changing() -> Any:
    """Return a server that has another version of the archive at each request."""
    count = iter(range(1000))
    return lambda asked: served(BIG, f'"version-{next(count)}"')(asked)  # type: ignore[operator]


def long_list() -> bytes:
    """Return an archive whose list is longer than the part that is read first."""
    made = io.BytesIO(street_zip(NEW))
    with zipfile.ZipFile(made, "a") as opened:
        for number in range(1500):
            opened.writestr(f"2018-10/2018-10-force-{number}-outcomes.csv", "")
    return made.getvalue()


LONG = long_list()


def changing_list(asked: Asked) -> Reply:
    """Serve the end of one version of an archive, and the list of another."""
    first = asked.headers["range"].startswith("bytes=-")
    return served(LONG, '"one"' if first else '"two"')(asked)  # type: ignore[operator]


def elsewhere(asked: Asked) -> Reply:
    """Send another part than was asked for."""
    reply = served(BIG, '"one"')(asked)  # type: ignore[operator]
    if asked.headers["range"].startswith("bytes=-"):
        return reply
    return Reply(206, b"x" * 100, {**reply.headers, "Content-Range": f"bytes 0-99/{len(BIG)}"})


def no_ranges(asked: Asked) -> Reply:
    return Reply(200, BIG, {"ETag": '"one"'})


def later(**more: float) -> str:
    return format_datetime(datetime.now(UTC) + timedelta(**more), usegmt=True)


def again(status: int, **headers: str) -> Reply:
    return Reply(status, b"", {name.replace("_", "-"): text for name, text in headers.items()})


POLICE = [
    Case("list not found", STREET, index(Reply(404)), errors.RefusedRequestError,
         ("answered 404 (not found)", "browser")),
    Case("list forbidden", STREET, index(Reply(403)), errors.RefusedRequestError,
         ("answered 403 (forbidden)",)),
    Case("list of another layout", STREET, index(Reply(200, PAGE)), errors.LayoutError,
         ("lists no archive",)),
    Case("list empty", STREET, index(Reply(200, b" ")), errors.WrongKindError, ("an empty page",)),
    Case("list in another charset", STREET,
         index(Reply(200, index_page({MONTH: "é"}).decode().encode("utf-16"))), errors.LayoutError,
         ("is not UTF-8",)),
    Case("redirect without end", STREET, index(redirect(ARCHIVES)), errors.RedirectError,
         ("redirects more than 5 times",)),
    Case("redirect to a file", STREET, index(redirect("file:///etc/passwd")), errors.RedirectError,
         ("what is not a web address",)),
    Case("redirect to ftp", STREET, index(redirect("ftp://data.police.uk/x")),
         errors.RedirectError, ("what is not a web address",)),
    Case("redirect without an address", STREET, index(Reply(302)), errors.RedirectError,
         ("what is not a web address",)),
    Case("redirect to a broken address", STREET, index(redirect("https://[::bad/x")),
         errors.RedirectError, ("what is not a web address",)),
    Case("redirect to an unencrypted address", STREET,
         index(redirect("http://data.police.uk/data/archive/?key=s3cret")), errors.RedirectError,
         ("an unencrypted address (http://data.police.uk/data/archive/)",)),
    Case("redirect with a password", STREET, index(redirect("https://user:s3cret@data.police.uk/")),
         errors.RedirectError, ("an address with a password (https://data.police.uk/)",)),
    Case("too many requests, a day", STREET, index(again(429, Retry_After="86400")),
         errors.BusyError, ("asks to wait 24 hours", "again in 24 hours")),
    Case("too many requests, until a date", STREET,
         index(lambda asked: again(429, Retry_After=later(minutes=20))), errors.BusyError,
         ("asks to wait 20 minutes",)),
    Case("too many requests for ever", STREET, index(again(429, Retry_After="soon")),
         errors.TooManyRequestsError, ("answered 429", "Asked 3 times")),
    Case("maintenance for hours", STREET, index(again(503, Retry_After="9999")),
         errors.BusyError, ("answered 503", "3 hours")),
    Case("fault of the server for ever", STREET, index(Reply(500)), errors.ServerFaultError,
         ("answered 500, a fault of its own", "Asked 3 times", "later")),
    Case("list cut short for ever", STREET, index(cut(Reply(200, PAGE), 20)),
         errors.TruncatedError, ("ended the connection before the file was whole",)),
    Case("slow drip", STREET, index(Reply(200, PAGE * 99, drip=0.005)), errors.TooSlowError,
         ("longer than 0 seconds", "continued"), feed={"longest_seconds": 0.2}),
    Case("silence", STREET, index(Reply(200, PAGE, drip=0.4)), errors.ConnectionFailedError,
         ("does not answer in time", "Asked 3 times"), pace={"silence_seconds": 0.05}),
    Case("endless body", STREET, index(Reply(200, b"x" * 65536, endless=True)),
         errors.TooLargeError, ("more than 1,000,000 bytes came", "largest_bytes"),
         feed={"largest_bytes": 1_000_000}),
    Case("compressed unasked", STREET, index(Reply(200, zlib.compress(PAGE),
         {"Content-Encoding": "gzip"})), errors.WrongKindError, ("the body is compressed",)),
    Case("nobody listens", STREET, index(Reply(200)), errors.ConnectionFailedError,
         ("cannot be reached (ConnectError)", "CSP_FEED_MIRROR"), unreachable=True),
    Case("archive not found", STREET, archive(Reply(404)), errors.RefusedRequestError,
         ("answered 404",)),
    Case("web page for an archive", STREET, archive(Reply(200, PAGE)), errors.WrongKindError,
         ("a zip archive was expected and a web page came",)),
    Case("long web page for an archive", STREET, archive(Reply(200, PAGE * 2000)),
         errors.WrongKindError, ("a zip archive was expected and a web page came",)),
    Case("empty archive", STREET, archive(Reply(200)), errors.WrongKindError,
         ("a zip archive was expected",)),
    Case("ranges ignored", STREET, archive(no_ranges), errors.RangesIgnoredError,
         ("whole archive where a part was asked for", "CSP_FEED_MIRROR")),
    Case("part without its place", STREET, archive(Reply(206, BIG[-65536:])), errors.ArchiveError,
         ("does not say which part it sends",)),
    Case("another part", STREET, archive(elsewhere), errors.FeedError, ("part of the file",)),
    Case("archive that keeps changing", STREET, archive(changing()),
         errors.ChangedMeanwhileError, ("changed while it was read",)),
    Case("list of an archive that keeps changing", STREET, archive(changing_list),
         errors.ChangedMeanwhileError, ("the archive changed while it was read",)),
    Case("checksum of another archive", STREET, archive(served(street_zip(MONTHS))),
         errors.ChecksumError, ("server's MD5 is", "the page states")),
    Case("archive cut short", STREET, archived(BIG[:-400]), errors.WrongKindError,
         ("something else or a damaged archive",)),
    Case("damaged file in the archive", STREET, archived(damaged()), errors.ArchiveError,
         ("2018-11-cambridgeshire-street.csv", "damaged (BadZipFile)")),
    Case("bomb that says so", STREET, archived(stating(3_000_000_000)), errors.ArchiveError,
         ("states 3,000,000,000 bytes", "may be a trap")),
    Case("bomb that lies", STREET, archived(lying_bomb()), errors.ArchiveError,
         ("damaged (BadZipFile)",)),
    Case("file shorter than stated", STREET, archived(stating(1_000_000)), errors.ArchiveError,
         ("damaged",)),
    Case("encrypted file", STREET, archived(encrypted()), errors.ArchiveError,
         ("damaged (RuntimeError)",)),
    Case("unknown packing", STREET, archived(packed_otherwise()), errors.ArchiveError,
         ("damaged (NotImplementedError)",)),
    Case("header of another file", STREET, archived(named_otherwise()), errors.ArchiveError,
         ("damaged (BadZipFile)",)),
    Case("file twice", STREET, archived(twice()), errors.ArchiveError, ("twice",)),
    Case("other columns", STREET, archived(member(content="Crime,Where\r\n1,2\r\n")),
         errors.LayoutError, ("has changed the form", "csp check police_uk_street")),
    Case("header without rows", STREET, archived(member(content=NEW["2018-11"].split("\n")[0])),
         errors.LayoutError, ("a refresh would refuse it",)),
    Case("web page in the archive", STREET, archived(member(content=PAGE)), errors.LayoutError,
         ("has changed the form",)),
    Case("file in another charset", STREET,
         archived(member(content=NEW["2018-11"].encode("utf-16"))), errors.LayoutError,
         ("has changed the form",)),
]  # fmt: skip


# --- gov.uk ----------------------------------------------------------------------------------


def content(reply: Any) -> Prepare:
    def prepare(server: FeedServer) -> None:
        server.answers[CONTENT] = reply

    return prepare


def table(reply: Any, size: int | None = None, url: str = f"{TABLE}x.ods") -> Prepare:
    def prepare(server: FeedServer) -> None:
        server.answers[CONTENT] = Reply(200, content_page(url, size))
        server.answers[url] = reply

    return prepare


def titled(*titles: str) -> Reply:
    listed = [{"title": title, "url": TABLE} for title in titles]
    return as_json({"details": {"attachments": listed}})


def recorded_crime(reply: Reply) -> Prepare:
    """Serve the page of the Home Office's open data tables."""

    def prepare(server: FeedServer) -> None:
        server.answers[f"{CONTENT.rpartition('/')[0]}/{RECORDED_CRIME}"] = reply

    return prepare


GOVUK = [
    Case("no table of the file's name", "recorded_crime_by_csp",
         recorded_crime(titled("Police recorded crime")), errors.LayoutError,
         ("no attachment has a file named 'prc-csp-mar",)),
    Case("outcomes in other columns", "police_uk_outcomes", archived(street_zip(NEW)),
         errors.LayoutError, ("has changed the form", "csp check police_uk_outcomes")),
    Case("searches in other columns", "police_uk_stop_and_search", archived(SEARCHES),
         errors.LayoutError, ("has changed the form", "csp check police_uk_stop_and_search")),
    Case("JSON cut short", HOUSING, content(Reply(200, content_page()[:80])),
         errors.WrongKindError, ("damaged or cut short",)),
    Case("JSON of another shape", HOUSING, content(as_json([1, 2])), errors.LayoutError,
         ("has no details.attachments",)),
    Case("JSON nested without end", HOUSING, content(Reply(200, b"[" * 200_000)),
         errors.WrongKindError, ("damaged or cut short",)),
    Case("JSON in another charset", HOUSING, content(Reply(200, b'{"title": "\xe9"}')),
         errors.WrongKindError, ("is not UTF-8",)),
    Case("web page for JSON", HOUSING, content(Reply(200, PAGE)), errors.WrongKindError,
         ("JSON was expected and a web page came",)),
    Case("empty JSON", HOUSING, content(Reply(200)), errors.WrongKindError, ("an empty answer",)),
    Case("no such attachment", HOUSING, content(titled("Table 101: vacant", "Table 1000: other")),
         errors.LayoutError, ("no attachment has a title that begins with 'Table 100'",
                              "Titles: Table 101: vacant")),
    Case("attachment twice", HOUSING, content(titled("Table 100: a", "Live Table 100: b")),
         errors.LayoutError, ("2 attachments have a title",)),
    Case("attachment without an address", HOUSING,
         content(as_json({"details": {"attachments": [{"title": "Table 100: a"}]}})),
         errors.LayoutError, ("has no address",)),
    Case("attachment with a path", HOUSING, table(Reply(200), url=f"{TABLE}/..%2F..%2Fx.ods"),
         errors.LayoutError, ("does not end with a file name",)),
    Case("attachment on a disk", HOUSING, table(Reply(200), url="file:///etc/x.ods"),
         errors.LayoutError, ("does not end with a file name",)),
    Case("attachment gone", HOUSING, table(Reply(410)), errors.RefusedRequestError,
         ("410 (gone)",)),
    Case("attachment of a kind that no reader takes", HOUSING,
         table(Reply(200, b"a,b\r\n"), url=f"{TABLE}.csv"), errors.LayoutError,
         ("not of a kind that dwelling_stock takes",)),
    Case("web page for a workbook", HOUSING, table(Reply(200, PAGE)), errors.WrongKindError,
         ("a web page came where",)),
    Case("empty workbook", HOUSING, table(Reply(200)), errors.WrongKindError,
         ("an empty file came",)),
    Case("workbook of another size", HOUSING, table(Reply(200, b"PK" + b"0" * 98), 531_320),
         errors.ChecksumError, ("has 100 bytes", "states 531,320")),
    Case("text for a workbook", HOUSING, table(Reply(200, b"no workbook at all")),
         errors.ArchiveError, ("not the workbook that its name says",)),
    Case("damaged workbook", HOUSING, table(Reply(200, b"PK\x03\x04" + b"0" * 500)),
         errors.LayoutError, ("has changed the form", "csp check dwelling_stock")),
    Case("workbook cut short for ever", HOUSING, table(cut(Reply(200, b"PK" * 500), 300)),
         errors.TruncatedError, ("before the file was whole", "Asked 3 times")),
]  # fmt: skip


# --- feature service -------------------------------------------------------------------------


def layer(**changes: Any) -> FeatureLayer:
    return FeatureLayer(forces_lookup(11), changed=1_800_000_000_000, **changes)


def service(change: Callable[[FeatureLayer], None]) -> Prepare:
    def prepare(server: FeedServer) -> None:
        made = layer()
        change(made)
        made.serve(server)

    return prepare


def paged(page: Callable[[FeatureLayer, int], dict[str, Any]]) -> Prepare:
    """Serve pages that are changed: ``page`` gives what comes after so many rows."""

    def prepare(server: FeedServer) -> None:
        made = layer()
        made.serve(server)

        def answer(asked: Asked) -> Reply:
            if "returnCountOnly" in asked.query:
                return made.query(asked)
            return as_json(page(made, int(asked.query["resultOffset"])))

        server.answers[f"{LAYER}/query"] = answer

    return prepare


def counted(count: Any) -> Prepare:
    def prepare(server: FeedServer) -> None:
        made = layer()
        made.serve(server)
        server.answers[f"{LAYER}/query"] = lambda asked: (
            as_json(count) if "returnCountOnly" in asked.query else made.query(asked)
        )

    return prepare


def item(reply: Reply) -> Prepare:
    return lambda server: server.answers.update({ITEM: reply})


def doubled(made: FeatureLayer, start: int) -> dict[str, Any]:
    page = made.page_from(start)
    return {**page, "features": [*page["features"][:3], page["features"][0]]}


def without_number(made: FeatureLayer, start: int) -> dict[str, Any]:
    page = made.page_from(start)
    for one in page["features"]:
        del one["attributes"]["ObjectId"]
    return page


def renamed(made: FeatureLayer) -> None:
    made.rows = [{"AREA": one["LAD23CD"]} for one in made.rows]


def moving(server: FeedServer) -> None:
    made = layer()
    made.serve(server)
    described = made.described()
    newer = {**described, "editingInfo": {"lastEditDate": 1_900_000_000_000}}
    server.answers[LAYER] = in_turn(as_json(described), as_json(newer))


def short_page(server: FeedServer) -> None:
    layer().serve(server)
    page = Reply(200, json.dumps(FAULT).encode()[:30])
    server.answers[f"{LAYER}/query"] = in_turn(as_json({"count": 11}), page)


OF_ITEM = {"layers": [{"item": "ab" * 16, "file": "lookup.csv"}]}
WRONG_URL = "http://services1.arcgis.com/x/FeatureServer"
FAULT = {"error": {"code": 400, "message": "Invalid query for NINO QQ123456C"}}
ARCGIS = [
    Case("error in JSON with status 200", LOOKUPS,
         lambda server: server.answers.update({LAYER: as_json(FAULT)}), errors.LayoutError,
         ("an error 400 in JSON",)),
    Case("item without a service", LOOKUPS, item(as_json({"title": "x", "url": None})),
         errors.LayoutError, ("no address of a feature service",), feed=OF_ITEM),
    Case("item of another kind", LOOKUPS, item(as_json({"url": WRONG_URL})), errors.LayoutError,
         ("no address of a feature service",), feed=OF_ITEM),
    Case("layer without its fields", LOOKUPS,
         lambda server: server.answers.update({LAYER: as_json({"name": "x"})}),
         errors.LayoutError, ("does not describe a layer",)),
    Case("layer with other fields", LOOKUPS, service(renamed), errors.LayoutError,
         ("no field like LAD[0-9]{2}CD", "ObjectId, AREA")),
    Case("no count of rows", LOOKUPS, counted({"total": 3}), errors.LayoutError,
         ("does not say how many rows",)),
    Case("count without measure", LOOKUPS, counted({"count": 10**12}), errors.LayoutError,
         ("does not say how many rows",)),
    Case("fewer rows than stated", LOOKUPS, counted({"count": 12}), errors.LayoutError,
         ("11 rows came, and the server states 12",)),
    Case("more rows than stated", LOOKUPS, counted({"count": 6}), errors.LayoutError,
         ("more rows came than the 6",)),
    Case("paging that never ends", LOOKUPS,
         paged(lambda made, start: {**made.page_from(start), "exceededTransferLimit": True}),
         errors.LayoutError, ("a page is empty, though more rows are to come",)),
    Case("page that is repeated", LOOKUPS,
         paged(lambda made, start: {**made.page_from(0), "exceededTransferLimit": True}),
         errors.LayoutError, ("a row came twice",)),
    Case("row that is repeated", LOOKUPS, paged(doubled), errors.LayoutError,
         ("a row came twice",)),
    Case("rows without a number", LOOKUPS, paged(without_number), errors.LayoutError,
         ("no number of its own",)),
    Case("page without features", LOOKUPS, paged(lambda made, start: {"rows": []}),
         errors.LayoutError, ("the answer has no features",)),
    Case("features that are none", LOOKUPS, paged(lambda made, start: {"features": [1]}),
         errors.LayoutError, ("a feature is not an object",)),
    Case("layer that changes", LOOKUPS, moving, errors.ChangedMeanwhileError,
         ("the layer changed while it was read",)),
    Case("page cut short", LOOKUPS, short_page, errors.WrongKindError, ("damaged or cut short",)),
]  # fmt: skip


# --- Nomis -----------------------------------------------------------------------------------

DATA = DataSet(estimates(6))


def pages(page: Callable[[int], bytes]) -> Prepare:
    """Serve pages of a data set: ``page`` gives what comes after so many rows."""

    def prepare(server: FeedServer) -> None:
        server.answers[NOMIS] = lambda asked: Reply(200, page(int(asked.query["recordoffset"])))

    return prepare


NOMIS_CASES = [
    Case("web page for CSV", PEOPLE, pages(lambda start: PAGE), errors.WrongKindError,
         ("CSV was expected and a web page came",)),
    Case("empty CSV", PEOPLE, pages(lambda start: b""), errors.WrongKindError,
         ("an empty answer",)),
    Case("CSV with other columns", PEOPLE, pages(lambda start: b"A,B\r\n1,2\r\n"),
         errors.LayoutError, ("does not have the columns GEOGRAPHY_CODE",)),
    Case("CSV without sex and age", "population_by_age", pages(DATA.page), errors.LayoutError,
         ("does not have the columns GEOGRAPHY_CODE", "C_AGE_NAME")),
    Case("CSV cut short in a line", PEOPLE, pages(lambda start: DATA.page(start)[:-5]),
         errors.LayoutError, ("does not have the columns",)),
    Case("CSV cut short in a quote", PEOPLE, pages(lambda start: DATA.page(start)[:100]),
         errors.LayoutError, ("is not CSV, or is cut short",)),
    Case("CSV in another charset", PEOPLE,
         pages(lambda start: DATA.page(start).decode().encode("utf-16")), errors.LayoutError,
         ("is not UTF-8",)),
    Case("header alone", PEOPLE, pages(lambda start: DATA.page(99)), errors.LayoutError,
         ("it has no rows",)),
    Case("CSV page that is repeated", PEOPLE, pages(lambda start: DATA.page(0)),
         errors.LayoutError, ("an area and year came twice",)),
    Case("CSV paging that never ends", PEOPLE, pages(lambda start: DATA.page(start, 100)),
         errors.LayoutError, ("a page is empty after 12 of 100 rows",)),
    Case("more CSV rows than stated", PEOPLE, pages(lambda start: DATA.page(start, 6)),
         errors.LayoutError, ("8 rows came, and it states 6",)),
    Case("no count of CSV rows", PEOPLE, pages(lambda start: DATA.page(start, "many")),
         errors.LayoutError, ("does not say how many rows",)),
    Case("data set that changes", PEOPLE,
         pages(lambda start: DATA.page(start, 12 if start else 11)),
         errors.ChangedMeanwhileError, ("the data set changed while it was read",)),
    Case("estimates that are none", PEOPLE,
         pages(lambda start: DATA.page(start).replace(b",10", b",about 10")), errors.LayoutError,
         ("has changed the form", "csp check population_estimates")),
]  # fmt: skip

CASES = [*POLICE, *GOVUK, *ARCGIS, *NOMIS_CASES]
