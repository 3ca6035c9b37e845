"""Who may ask the Dagster UI: pages of its own origin, and programs; no page of another origin.

The UI has no login. A page that a user opens elsewhere could otherwise start runs through the
user's browser: by a query in an address, by a form, by a WebSocket, or under a name of its own that
leads to this machine. So each request names a known host, and whatever can change something is a
POST of JSON from the UI's own origin, which a browser sends for no other page without asking.
"""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, parse_qs, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_PORTS: Mapping[str, int] = {"http": 80, "https": 443}
_READS = frozenset({"GET", "HEAD"})
_POLICY_VIOLATION = 1008


class UiGuard:
    """ASGI middleware that refuses requests of other origins and for unknown hosts."""

    def __init__(self, app: "ASGIApp", names: Iterable[str]) -> None:
        """Guard ``app``, which is served under ``names``: host names in lower case."""
        self._app = app
        self._names = frozenset(names)

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Pass on what may pass; answer the rest with 403, or close its WebSocket."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        why = refusal(scope, Headers(scope=scope), self._names)
        if why is None:
            await self._app(scope, receive, _unframed(send))
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": _POLICY_VIOLATION, "reason": why})
        else:
            await PlainTextResponse(f"{why}\n", status_code=403)(scope, receive, send)


def refusal(scope: "Scope", headers: Headers, names: frozenset[str]) -> str | None:
    """Return why a request is refused, or none where it may pass.

    ``scope`` is an ASGI scope of an HTTP request or a WebSocket, ``names`` the known host names.
    """
    host = _parts(f"//{headers.get('host', '')}")
    if len(headers.getlist("host")) != 1 or host is None or host.hostname not in names:
        return (
            "The Dagster UI is not served under this name. Open it as http://localhost, or add "
            "the name to CSP_UI_HOSTS."
        )
    if scope["type"] == "http" and scope["method"] in _READS:
        return _refused_query(scope, headers)
    if not _same_origin(headers, host):
        return "Pages of another origin may not use the Dagster UI."
    if scope["type"] == "http" and _media_type(headers) != "application/json":
        return "Only JSON is accepted: send it with Content-Type: application/json."
    return None


def _refused_query(scope: "Scope", headers: Headers) -> str | None:
    """Refuse a GraphQL query in an address: it would run, whatever it changes."""
    if not scope["path"].rstrip("/").endswith("/graphql"):
        return None
    asks = "query" in parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True)
    shows_the_editor = "text/html" in headers.get("accept", "")
    return "Send GraphQL queries by POST, as JSON." if asks and not shows_the_editor else None


def _same_origin(headers: Headers, host: SplitResult) -> bool:
    origins = headers.getlist("origin")
    if not origins:
        # A browser names the origin of every POST and WebSocket; programs name none.
        return headers.get("sec-fetch-site", "none") in ("same-origin", "none")
    origin = _parts(origins[0])
    if len(origins) > 1 or origin is None or origin.scheme not in _PORTS:
        return False
    usual = _PORTS[origin.scheme]
    return (origin.hostname, origin.port or usual) == (host.hostname, host.port or usual)


def _parts(address: str) -> SplitResult | None:
    try:
        parts = urlsplit(address)
        _ = parts.port
    except ValueError:
        return None
    return parts if parts.hostname and parts.username is None else None


def _media_type(headers: Headers) -> str:
    return headers.get("content-type", "").partition(";")[0].strip().lower()


def _unframed(send: "Send") -> "Send":
    """Keep other sites from showing the UI in a frame, or its answers as their own resources."""

    async def with_headers(message: "Message") -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers["X-Frame-Options"] = "DENY"
            headers["Cross-Origin-Resource-Policy"] = "same-origin"
        await send(message)

    return with_headers
