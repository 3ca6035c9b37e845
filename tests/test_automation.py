"""The schedule, the sensors and the alerts, ticked as Dagster's daemon ticks them."""

import json
import socket
import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import dagster as dg
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from orchestration.config.settings import PROJECT, Settings, load_settings
from orchestration.dagster.alerts import Alert, late_deliveries, run_failure, send
from orchestration.dagster.partitions import quarterly
from orchestration.dagster.schedules import refresh_schedule
from orchestration.dagster.sensors import failure_sensor, landing_sensor, look, tell_late
from orchestration.errors import AlertError, SettingsError
from orchestration.ingest.checking.contract import load_contracts
from orchestration.ingest.landing.arrival_calendar import Expectation
from tests.support import Ground, month_file

LONDON = ZoneInfo("Europe/London")
Q1 = date(2018, 4, 1)


@dg.op
def nothing() -> None:
    """Do nothing."""


@dg.job(partitions_def=quarterly(Settings()))
def stand_in() -> None:
    nothing()


def _time(*parts: int) -> float:
    return datetime(*parts, tzinfo=LONDON).timestamp()  # type: ignore[arg-type,misc]


# --- the schedule ----------------------------------------------------------------------------


def _tick(settings: Settings, moment: datetime, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("CSP_HOME", str(settings.home))
    monkeypatch.setenv("CSP_RAW", str(settings.raw))
    schedule = refresh_schedule(settings, stand_in)
    with dg.DagsterInstance.ephemeral() as instance:
        context = dg.build_schedule_context(
            instance=instance,
            repository_def=dg.Definitions(jobs=[stand_in]).get_repository_def(),
            scheduled_execution_time=moment,
        )
        return schedule.evaluate_tick(context)


@pytest.mark.parametrize(
    ("moment", "quarter"),
    [
        (datetime(2018, 7, 16, 6, tzinfo=LONDON), "2018-04-01"),
        (datetime(2018, 10, 16, 6, tzinfo=LONDON), "2018-07-01"),
        (datetime(2019, 1, 16, 6, tzinfo=LONDON), "2018-10-01"),
        (datetime(2019, 4, 16, 6, tzinfo=LONDON), "2019-01-01"),
    ],
)
def test_schedule_asks_for_the_quarter_that_has_closed(
    ground: Ground, monkeypatch: pytest.MonkeyPatch, moment: datetime, quarter: str
) -> None:
    ground.put("police_uk_street", quarter, {"a.csv": month_file(quarter[:7])})
    (request,) = _tick(ground.settings, moment, monkeypatch).run_requests
    assert request.partition_key == quarter
    assert request.tags["dagster/max_retries"] == "2"


def test_schedule_skips_where_nothing_expected_has_landed(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    ground.put("police_uk_street", "2018-01-01", {"a.csv": month_file("2018-01")})
    (ground.settings.raw / "youth_offending" / "2018-04-01").mkdir(parents=True)
    tick = _tick(ground.settings, datetime(2018, 7, 16, 6, tzinfo=LONDON), monkeypatch)
    assert not tick.run_requests
    assert "Q1 2018/19" in tick.skip_message
    assert "police_uk_street (due 2018-08-31)" in tick.skip_message
    ground.put("area_lookups", "2018-04-01", {"a.csv": "x"})
    again = _tick(ground.settings, datetime(2018, 7, 16, 6, tzinfo=LONDON), monkeypatch)
    assert not again.run_requests


def test_schedule_ticks_at_six_in_london_on_both_sides_of_the_clock_change(
    ground: Ground,
) -> None:
    schedule = refresh_schedule(ground.settings, stand_in)
    assert (schedule.cron_schedule, schedule.execution_timezone) == (
        "0 6 16 1,4,7,10 *",
        "Europe/London",
    )
    # 31 March 2018 23:30 UTC is 1 April in London: the quarter that ends then has closed.
    from orchestration.config.quarters import last_closed_quarter
    from orchestration.dagster.sensors import today_in_london

    moment = datetime(2018, 3, 31, 23, 30, tzinfo=ZoneInfo("UTC")).timestamp()
    assert last_closed_quarter(today_in_london(moment)) == date(2018, 1, 1)


# --- the landing zone ------------------------------------------------------------------------


def _sensor(ground: Ground, cursor: str | None, now: float) -> dg.SensorResult:
    return look(ground.settings, cursor, now)


def test_landing_sensor_asks_once_for_a_burst_and_reports_what_landed(ground: Ground) -> None:
    for month in ("04", "05", "06"):
        ground.put(
            "police_uk_street", "2018-04-01", {f"2018-{month}.csv": month_file(f"2018-{month}")}
        )
    ground.put("population_estimates", "2018-04-01", {"x.csv": "x"})
    first = _sensor(ground, None, _time(2018, 7, 20, 9))
    assert not first.run_requests
    assert first.skip_reason is not None
    assert "still arriving" in str(first.skip_reason.skip_message)
    second = _sensor(ground, first.cursor, _time(2018, 7, 20, 9, 3))
    assert second.run_requests is not None
    assert [one.partition_key for one in second.run_requests] == ["2018-04-01"]
    assert {"/".join(one.asset_key.path) for one in second.asset_events} == {
        "landing/police_uk_street",
        "landing/population_estimates",
    }
    # The daemon died before it saved the cursor: the same key again, so no second run.
    repeated = _sensor(ground, first.cursor, _time(2018, 7, 20, 9, 4))
    assert [one.run_key for one in repeated.run_requests or []] == [
        one.run_key for one in second.run_requests
    ]
    third = _sensor(ground, second.cursor, _time(2018, 7, 20, 9, 10))
    assert not third.run_requests
    assert third.skip_reason is not None
    assert third.skip_reason.skip_message == "Nothing new has landed."


def test_correction_asks_for_its_quarter_and_the_later_releases(ground: Ground) -> None:
    for quarter in ("2018-01-01", "2018-04-01"):
        ground.put("police_uk_street", quarter, {"a.csv": month_file(quarter[:7])})
        released = ground.settings.published / quarter / "csp.duckdb"
        released.parent.mkdir(parents=True)
        released.touch()
    cursor = _sensor(ground, None, _time(2018, 8, 1)).cursor
    cursor = _sensor(ground, cursor, _time(2018, 8, 2)).cursor
    ground.put("police_uk_street", "2018-01-01", {"a.csv": month_file("2018-01", rows=11)})
    cursor = _sensor(ground, cursor, _time(2018, 8, 3)).cursor
    asked = _sensor(ground, cursor, _time(2018, 8, 4)).run_requests or []
    assert [one.partition_key for one in asked] == ["2018-01-01", "2018-04-01"]


def test_wrongly_named_folder_is_reported_and_forgets_nothing(ground: Ground) -> None:
    ground.put("police_uk_street", "april", {"a.csv": month_file()})
    tick = _sensor(ground, '{"folders": {}}', _time(2018, 8, 1))
    assert tick.cursor == '{"folders": {}}'
    assert "police_uk_street" in str(tick.skip_reason) and "april" in str(tick.skip_reason)


# --- alerts ----------------------------------------------------------------------------------


@pytest.fixture
def webhook() -> Iterator[tuple[str, list[dict[str, str]]]]:
    received: list[dict[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            received.append(json.loads(body))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *arguments: object) -> None:
            """Keep quiet."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/hook?token=hush", received
    server.shutdown()
    server.server_close()


@pytest.fixture
def mailbox() -> Iterator[tuple[int, list[Any]]]:
    received: list[Any] = []

    class Box(Message):
        def handle_message(self, message: Any) -> None:
            received.append(message)

    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    controller = Controller(Box(), hostname="127.0.0.1", port=port)
    controller.start()
    yield port, received
    controller.stop()


def _alerting(ground: Ground, webhook: str | None = None, port: int | None = None) -> Settings:
    changed: dict[str, Any] = {"home": ground.settings.home, "raw": ground.settings.raw}
    if webhook:
        changed["alert_webhook"] = webhook
    if port:
        changed |= {
            "smtp_host": "127.0.0.1",
            "smtp_port": port,
            "smtp_from": "warehouse@example.org",
            "smtp_to": "engineer@example.org, analyst@example.org",
        }
    return Settings(**changed)


@pytest.mark.parametrize(
    ("made", "left"),
    [("raw/iom_cohort", "Nothing was published"), ("published/csp", "Its release is published")],
)
def test_failed_run_is_sent_by_webhook_and_mail_without_a_value_of_the_delivery(
    made: str,
    left: str,
    ground: Ground,
    webhook: tuple[str, list[dict[str, str]]],
    mailbox: tuple[int, list[Any]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    address, posted = webhook
    port, mailed = mailbox
    secret = "Jane Bloggs, born 1990-01-01"

    from orchestration.errors import LandingError

    @dg.op
    def fails(context: dg.OpExecutionContext) -> None:
        context.log_event(dg.AssetMaterialization(made.split("/")))
        raise LandingError(f"line 3 holds {secret}")

    @dg.job
    def refresh() -> None:
        fails()

    settings = _alerting(ground, address, port)
    for name, value in {
        "CSP_ALERT_WEBHOOK": address,
        "CSP_SMTP_HOST": "127.0.0.1",
        "CSP_SMTP_PORT": str(port),
        "CSP_SMTP_FROM": "warehouse@example.org",
        "CSP_SMTP_TO": "engineer@example.org",
    }.items():
        monkeypatch.setenv(name, value)
    sensor = failure_sensor(settings)
    assert sensor.default_status is dg.DefaultSensorStatus.RUNNING
    with dg.DagsterInstance.ephemeral() as instance:
        result = refresh.execute_in_process(
            instance=instance, raise_on_error=False, tags={"dagster/partition": "2018-04-01"}
        )
        context = dg.build_run_status_sensor_context(
            sensor_name="failed_runs",
            dagster_event=next(one for one in result.all_events if one.is_job_failure),
            dagster_instance=instance,
            dagster_run=result.dagster_run,
        ).for_run_failure()
        sensor(context)
    (hook,) = posted
    (mail,) = mailed
    for text in (hook["text"], mail["Subject"] + mail.get_payload()):
        assert "Q1 2018/19" in text
        assert left in text
        assert "fails: a file of the landing zone could not be read" in text
        assert "csp status" in text
        assert "Jane" not in text
        assert "1990" not in text


def test_nothing_is_sent_unless_configured(ground: Ground) -> None:
    assert not ground.settings.alerts
    assert send(ground.settings, Alert("x", "y")) == []
    assert failure_sensor(ground.settings).default_status is dg.DefaultSensorStatus.STOPPED
    ground.put("police_uk_street", "2018-01-01", {"a.csv": month_file("2018-01")})
    tick = tell_late(ground.settings, None, _time(2018, 9, 3))
    assert "CSP_ALERT_WEBHOOK" in str(tick.skip_reason)
    assert tick.cursor is None


def test_late_delivery_is_reported_once(
    ground: Ground, webhook: tuple[str, list[dict[str, str]]]
) -> None:
    settings = _alerting(ground, webhook[0])
    cadences = {name: contract.cadence for name, contract in load_contracts().items()}
    quarterly = [
        name
        for name, cadence in cadences.items()
        if cadence == "quarterly" and name != "police_uk_street"
    ]
    for quarter in ("2018-01-01", "2018-04-01"):
        for source in quarterly:
            ground.put(source, quarter, {"a.csv": "x"})
    for source in (name for name, cadence in cadences.items() if cadence == "annual"):
        ground.put(source, "2018-04-01", {"a.csv": "x"})
        ground.put(source, "2017-04-01", {"a.csv": "x"})
    ground.put("police_uk_street", "2018-01-01", {"a.csv": month_file("2018-01")})
    on_time = tell_late(settings, None, _time(2018, 8, 31, 23))
    assert "Nothing is late" in str(on_time.skip_reason)
    late = tell_late(settings, on_time.cursor, _time(2018, 9, 1, 0, 30))
    assert "police_uk_street/2018-04-01" in str(late.skip_reason)
    again = tell_late(settings, late.cursor, _time(2018, 9, 2))
    assert "police_uk_street" not in str(again.skip_reason)
    (message,) = webhook[1]
    assert "police_uk_street for Q1 2018/19: due 2018-08-31, 1 days late" in message["text"]


def test_unreachable_ways_are_named_without_their_secrets(ground: Ground) -> None:
    settings = _alerting(ground, "http://127.0.0.1:9/hook?token=hush", port=9)
    pauses: list[float] = []
    with pytest.raises(AlertError) as told:
        send(settings, Alert("Something", "x"), pauses.append)
    assert "webhook" in str(told.value)
    assert "mail" in str(told.value)
    assert "hush" not in str(told.value)
    assert len(pauses) == 4


def test_a_webhook_that_redirects_is_not_followed(
    ground: Ground, webhook: tuple[str, list[dict[str, str]]]
) -> None:
    target, received = webhook

    class Redirects(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(int(self.path.removeprefix("/")))
            self.send_header("Location", target)
            self.end_headers()

        def log_message(self, *arguments: object) -> None:
            """Keep quiet."""

        do_GET = do_POST

    server = HTTPServer(("127.0.0.1", 0), Redirects)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        for code in (301, 302, 303, 307, 308):
            settings = _alerting(ground, f"http://127.0.0.1:{server.server_port}/{code}")
            with pytest.raises(AlertError) as raised:
                send(settings, Alert("Something", "x"), lambda _: None)
            assert str(code) in str(raised.value)
    finally:
        server.shutdown()
        server.server_close()
    assert received == []


@pytest.fixture
def unverified(tmp_path: Path) -> ssl.SSLContext:
    """The certificate of a server that nobody vouches for."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(tz=UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = tmp_path / "server.pem"
    pem.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(pem)
    return context


def test_a_webhook_whose_certificate_is_not_verified_gets_nothing(
    ground: Ground, unverified: ssl.SSLContext, webhook: tuple[str, list[dict[str, str]]]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        received: list[bytes] = []

        def serve() -> None:
            for _ in range(3):
                try:
                    with unverified.wrap_socket(listening.accept()[0], server_side=True) as one:
                        received.append(one.recv(10_000))
                except OSError:
                    continue

        threading.Thread(target=serve, daemon=True).start()
        with pytest.raises(AlertError):
            send(
                _alerting(ground, f"https://localhost:{port}/hook"),
                Alert("Something", "x"),
                lambda _: None,
            )
    assert received == []


def test_no_mail_goes_to_a_server_whose_certificate_is_not_verified_or_that_does_not_encrypt(
    ground: Ground, unverified: ssl.SSLContext, mailbox: tuple[int, list[Any]]
) -> None:
    class Box(Message):
        def handle_message(self, message: Any) -> None:
            received.append(message)

    received: list[Any] = []
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    controller = Controller(Box(), hostname="127.0.0.1", port=port, tls_context=unverified)
    controller.start()
    try:
        # The second server offers no encryption at all: as where somebody strips the offer.
        for server in (port, mailbox[0]):
            changed = _alerting(ground, port=server).model_dump() | {
                "smtp_starttls": True, "smtp_user": "csp", "smtp_password": "hush",
            }  # fmt: skip
            with pytest.raises(AlertError) as raised:
                send(Settings(**changed), Alert("Something", "x"), lambda _: None)
            assert "hush" not in str(raised.value)
    finally:
        controller.stop()
    assert received == mailbox[1] == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("alert_webhook", "http://hooks.example.org/csp"),
        ("alert_webhook", "http://127.0.0.1.example.org/csp"),
        ("alert_webhook", "https://user:hush@hooks.example.org/csp"),
        ("alert_webhook", "https:///csp"),
        ("alert_webhook", "https://hooks.example.org:port/"),
        ("alert_webhook", "https://hooks.example.org/a\r\nX: y"),
        ("alert_webhook", "ftp://hooks.example.org/csp"),
        ("alert_webhook", "file:///etc/passwd"),
        ("smtp_password", "hush"),
        ("smtp_to", "engineer@example.org\nBcc: other@example.org"),
        ("smtp_host", "mail.example.org\r\nQUIT"),
    ],
)
def test_an_unsafe_way_of_alerting_is_refused_without_quoting_it(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"CSP_{name.upper()}", value)
    with pytest.raises(SettingsError) as raised:
        load_settings()
    assert f"CSP_{name.upper()}" in str(raised.value)
    assert "hush" not in str(raised.value)


@pytest.mark.parametrize("port", ["465", "587"])
def test_a_password_may_be_sent_encrypted(port: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CSP_SMTP_PASSWORD", "hush")
    monkeypatch.setenv("CSP_SMTP_PORT", port)
    monkeypatch.setenv("CSP_SMTP_STARTTLS", str(port == "587"))
    assert load_settings().mail_is_encrypted


def test_messages_say_what_to_do() -> None:
    failed = run_failure("quarterly_refresh", "0123456789", [], [], released=False)
    assert "before its first step" in failed.body
    assert "Nothing was published" in failed.body
    faults = [("feeds__a", "ServerFaultError"), ("feeds__b", "WrongKindError"), ("feeds__c", "X")]
    fetch = run_failure("fetch_feeds", "0123456789", [Q1], faults, released=False)
    assert fetch.subject == "CSP warehouse: fetch for Q1 2018/19 failed"
    assert "- feeds__a: the publisher's server did not answer as it should" in fetch.body
    assert "- feeds__b: what the publisher sent cannot be used" in fetch.body
    assert "- feeds__c: see the run" in fetch.body
    assert "the last release is unchanged. The schedule fetches again the next day." in fetch.body
    exports = run_failure("quarterly_refresh", "0123456789", [Q1], [], released=True)
    assert "Its release is published" in exports.body
    assert "Nothing was published" not in exports.body
    quarters = [date(2018, 1, 1), Q1]
    over = run_failure("quarterly_refresh", "0123456789", quarters, [], released=True)
    assert "Q4 2017/18 to Q1 2018/19" in over.subject
    assert "Quarters that it completed are published" in over.body
    assert "Nothing was published" not in over.body
    late = late_deliveries([Expectation("a", Q1, date(2018, 7, 1), False)], date(2018, 7, 3))
    assert "2 days late" in late.body
    assert "ask the supplier" in late.body


# --- profiles --------------------------------------------------------------------------------


def test_production_refuses_to_fall_back_to_default_places(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CSP_PROFILE", "production")
    with pytest.raises(SettingsError, match=r"CSP_HOME.*CSP_RAW"):
        load_settings()
    monkeypatch.setenv("CSP_HOME", str(tmp_path / "home"))
    with pytest.raises(SettingsError, match="CSP_RAW"):
        load_settings()
    monkeypatch.setenv("CSP_RAW", str(PROJECT / "raw"))
    with pytest.raises(SettingsError, match="CSP_RAW"):
        load_settings()
    monkeypatch.setenv("CSP_RAW", str(tmp_path / "raw"))
    assert load_settings().in_production


def test_profile_decides_what_runs_by_itself(tmp_path: Path) -> None:
    dev = Settings()
    live = Settings(profile="production", home=tmp_path / "home", raw=tmp_path / "raw")
    for settings, status in ((dev, "STOPPED"), (live, "RUNNING")):
        assert refresh_schedule(settings, stand_in).default_status.value == status
        assert landing_sensor(settings, stand_in).default_status.value == status


def test_the_engine_leaves_a_quarter_of_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CSP_MEMORY_LIMIT", "1GiB")
    assert load_settings().engine_memory == "768MiB"


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("CSP_ALERT_WEBHOOK", "file:///etc/passwd", "does not start with https"),
        ("CSP_SMTP_HOST", "mail.example.org", "needs CSP_SMTP_FROM and CSP_SMTP_TO"),
        ("CSP_PROFILE", "live", "CSP_PROFILE"),
        ("CSP_MEMORY_LIMIT", "lots", "'lots'"),
        ("CSP_MEMORY_LIMIT", "100MB", "'100MB' is too little"),
    ],
)
def test_wrong_settings_are_reported(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, words: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=words):
        load_settings()
