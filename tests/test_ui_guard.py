"""The guard before the Dagster UI: what a page of another origin can try, and what must work."""

import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket, WebSocketDisconnect

from orchestration.config.settings import LOOPBACK_NAMES, PROJECT
from orchestration.dagster.ui_guard import UiGuard

BROWSER = Path(__file__).parent / "browser"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
NAMES = LOOPBACK_NAMES | {"warehouse.example.org"}
JSON = {"Content-Type": "application/json"}
HERE = "http://localhost:3000"
THERE = "https://elsewhere.example"


@pytest.fixture
def reached() -> list[str]:
    """The requests that came through the guard."""
    return []


@pytest.fixture
def client(reached: list[str]) -> TestClient:
    async def answer(request: Request) -> JSONResponse:
        reached.append(f"{request.method} {request.url.path}")
        return JSONResponse({})

    async def listen(socket: WebSocket) -> None:
        reached.append("WEBSOCKET")
        await socket.accept()
        await socket.close()

    app = Starlette(
        routes=[
            WebSocketRoute("/graphql", listen),
            Route("/{path:path}", answer, methods=["GET", "POST", "PUT", "DELETE"]),
        ]
    )
    return TestClient(UiGuard(app, NAMES), base_url=HERE)


@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        ("GET", "/", {}),
        ("GET", "/", {"Host": "127.0.0.1:3000"}),
        ("GET", "/", {"Host": "[::1]:3000"}),
        ("GET", "/", {"Host": "Warehouse.example.org"}),
        ("GET", "/runs?q=query", {"Origin": THERE}),
        ("GET", "/graphql", {"Accept": "text/html"}),
        ("GET", "/graphql?query=mutation{x}", {"Accept": "text/html"}),
        ("POST", "/graphql", JSON),
        ("POST", "/graphql", JSON | {"Origin": HERE, "Sec-Fetch-Site": "same-origin"}),
        ("POST", "/graphql", {"Content-Type": "application/json; charset=utf-8", "Origin": HERE}),
        (
            "POST",
            "/graphql",
            JSON | {"Host": "warehouse.example.org", "Origin": "https://warehouse.example.org"},
        ),
        ("POST", "/graphql", JSON | {"Host": "localhost", "Origin": "http://localhost:80"}),
    ],
)
def test_the_uis_own_pages_and_programs_pass(
    client: TestClient, reached: list[str], method: str, path: str, headers: dict[str, str]
) -> None:
    answer = client.request(method, path, headers=headers)
    assert answer.status_code == 200
    assert len(reached) == 1
    assert answer.headers["X-Frame-Options"] == "DENY"


@pytest.mark.parametrize("prefix", ["", "/warehouse"])
@pytest.mark.parametrize(
    "query", ["query=mutation{x}", "a=1&query=", "%71uery=mutation{x}", "query=%7Bversion%7D"]
)
@pytest.mark.parametrize("path", ["/graphql", "/graphql/", "/%67raphql"])
def test_no_query_runs_from_an_address(
    client: TestClient, reached: list[str], prefix: str, path: str, query: str
) -> None:
    for method in ("GET", "HEAD"):
        assert client.request(method, f"{prefix}{path}?{query}").status_code == 403
    assert reached == []


@pytest.mark.parametrize("path", ["/graphql", "/report_asset_materialization/raw", "/any"])
@pytest.mark.parametrize(
    "headers",
    [
        JSON | {"Origin": THERE},
        JSON | {"Origin": "null"},
        JSON | {"Origin": "http://localhost:3001"},
        JSON | {"Origin": "http://localhost.elsewhere.example:3000"},
        JSON | {"Origin": "http://localhost:3000@elsewhere.example"},
        JSON | {"Origin": "http://localhost:notaport"},
        JSON | {"Origin": "file://localhost:3000"},
        JSON | {"Sec-Fetch-Site": "cross-site"},
        JSON | {"Sec-Fetch-Site": "same-site"},
        {"Origin": HERE},
        {"Origin": HERE, "Content-Type": "text/plain"},
        {"Origin": HERE, "Content-Type": "text/plain; application/json"},
        {"Origin": HERE, "Content-Type": "application/x-www-form-urlencoded"},
        {"Origin": HERE, "Content-Type": "application/graphql"},
        {"Content-Type": "multipart/form-data; boundary=application/json"},
    ],
)
def test_nothing_is_changed_by_another_origin_or_another_kind_of_body(
    client: TestClient, reached: list[str], path: str, headers: dict[str, str]
) -> None:
    for method in ("POST", "PUT", "DELETE"):
        answer = client.request(method, path, headers=headers, content=b'{"query": "x"}')
        assert answer.status_code == 403
    assert reached == []


@pytest.mark.parametrize(
    "host",
    ["elsewhere.example", "localhost.elsewhere.example", "localhost@elsewhere.example", "", ":3000",
     "0.0.0.0:3000", "192.168.1.5:3000", "localhost:port"],
)  # fmt: skip
def test_no_other_host_name_is_served(client: TestClient, reached: list[str], host: str) -> None:
    for method in ("GET", "POST"):
        answer = client.request(method, "/", headers=JSON | {"Host": host})
        assert answer.status_code == 403
        assert "CSP_UI_HOSTS" in answer.text
    assert reached == []


def test_two_host_headers_are_refused(client: TestClient, reached: list[str]) -> None:
    answer = client.get("/", headers=[("Host", "localhost:3000"), ("Host", "elsewhere.example")])
    assert answer.status_code == 403
    assert reached == []


def test_websocket_is_open_to_the_uis_own_pages_only(
    client: TestClient, reached: list[str]
) -> None:
    known = {"Host": "localhost:3000"}
    with client.websocket_connect("/graphql", headers=known | {"Origin": HERE}):
        pass
    assert reached == ["WEBSOCKET"]
    for headers in (known | {"Origin": THERE}, {"Origin": HERE, "Host": "elsewhere.example"}):
        with (
            pytest.raises(WebSocketDisconnect),
            client.websocket_connect("/graphql", headers=headers),
        ):
            pass
    assert reached == ["WEBSOCKET"]


# --- the real server, and a browser -----------------------------------------------------------

SENSOR = "mutation { setNuxSeen }"
SEEN = "{ shouldShowNux }"
DEFINITIONS = "import dagster as dg\n\n\n@dg.asset\ndef one() -> None: ...\n"


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
        return port


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Dagster's real webserver behind the guard, over one asset."""
    base = tmp_path_factory.mktemp("ui")
    (base / "one.py").write_text(DEFINITIONS)
    (base / "dagster.yaml").write_text("telemetry:\n  enabled: false\nnux:\n  enabled: true\n")
    port = _free_port()
    running = subprocess.Popen(
        [sys.executable, "-m", "orchestration.dagster.webserver", "-f", str(base / "one.py"),
         "--port", str(port)],
        env=os.environ | {"DAGSTER_HOME": str(base), "PYTHONWARNINGS": "ignore"}, cwd=PROJECT,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    address = f"http://localhost:{port}"
    for _ in range(240):
        try:
            urllib.request.urlopen(f"{address}/server_info", timeout=5).close()
        except (urllib.error.URLError, OSError):
            assert running.poll() is None
            time.sleep(0.25)
        else:
            break
    yield address
    running.terminate()
    running.wait(30)


def _asked(address: str, query: str) -> str:
    request = urllib.request.Request(
        f"{address}/graphql", json.dumps({"query": query}).encode(), JSON
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return str(answer.read().decode())


@pytest.mark.slow
@pytest.mark.skipif(
    not (CHROMIUM and shutil.which("node") and (BROWSER / "node_modules").is_dir()),
    reason="needs chromium, node, and `npm ci` in tests/browser",
)
def test_a_page_of_another_origin_changes_nothing(server: str, tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text("<!doctype html><title>Another origin</title>")
    handler = partial(SimpleHTTPRequestHandler, directory=str(tmp_path))
    other = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=other.serve_forever, daemon=True).start()
    try:
        assert '"shouldShowNux":true' in _asked(server, SEEN).replace(" ", "")
        done = subprocess.run(
            ["node", str(BROWSER / "attack.cjs"), str(CHROMIUM), server,
             f"http://127.0.0.1:{other.server_port}/page.html", SENSOR],
            capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        found = json.loads(done.stdout)
        assert found["tried"] == ["image", "form", "fetch", "beacon", "socket", "frame"]
        assert '"shouldShowNux":true' in _asked(server, SEEN).replace(" ", "")
        # The UI's own pages still work: they load, ask the server, and listen to it.
        assert found["own"] == {"title": True, "asked": 200, "listened": True, "refused": []}
        # And the same change from the UI's own page is made: the attack could have succeeded.
        _asked(server, SENSOR)
        assert '"shouldShowNux":false' in _asked(server, SEEN).replace(" ", "")
        assert not found["socket_opened"]
        assert not found["framed"]
    finally:
        other.shutdown()
        other.server_close()
