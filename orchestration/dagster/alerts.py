"""Alerts: the messages about failed runs and late deliveries, and how they are sent.

A message names runs, quarters, sources, steps and checks. It never carries a value, a reason or an
error's text, since those may quote a delivered row. Nothing is sent unless a webhook or a mail
server is configured. Certificates are verified, and an address that redirects is not followed: the
alert would go to a place that nobody configured.
"""

import json
import smtplib
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from email.message import EmailMessage

from orchestration.config.quarters import quarter_label
from orchestration.config.settings import SMTPS_PORT, Settings
from orchestration.dagster.jobs import FETCH_JOB
from orchestration.errors import AlertError, foreseen_errors
from orchestration.feeds.errors import FeedError, TemporaryError
from orchestration.ingest.landing.arrival_calendar import Expectation

_TIMEOUT_SECONDS = 10
_ATTEMPTS = 3

_FAULTS = {
    "RefusedDeliveryError": "a delivery was refused; `csp status` names it",
    "DagsterAssetCheckFailedError": "a blocking check did not pass; the run names it",
    "WarehouseBusyError": "somebody else was writing the warehouse, or held it open",
    "WarehouseUnreadableError": "the warehouse file is damaged or missing",
    "WarehouseDamagedError": "the warehouse file is damaged; the next refresh repairs it",
    "LandingError": "a file of the landing zone could not be read, or was still being written",
    "EmptyQuarterError": "nothing has landed for the quarter; `csp status` says what is awaited",
    "BackfillError": "a quarter of the range could not be completed; the run says which and why",
    "TransformError": "dbt could not build a model, or one of its tests failed",
    "SettingsError": "a setting cannot be used",
    "PublishError": "the release could not be built or did not pass its own checks",
}

_FETCH_LEFT = (
    "Nothing new of these sources was landed: the last release is unchanged. The schedule fetches "
    "again the next day."
)


@dataclass(frozen=True)
class Alert:
    """A message: one line, and the text below it."""

    subject: str
    body: str


def run_failure(
    job: str,
    run_id: str,
    quarters: Sequence[date],
    faults: Iterable[tuple[str, str]],
    *,
    released: bool,
) -> Alert:
    """Return the alert of a failed run: of one quarter, or of a range from first to last.

    ``faults`` are steps with the class name of their error; ``released`` says that the run had
    published before it failed.
    """
    about = " to ".join(quarter_label(quarter) for quarter in quarters) or "no quarter"
    lines = [f"- {step}: {_fault(kind)}" for step, kind in faults]
    body = [
        f"Run {run_id[:8]} of {job} for {about} has failed.",
        *(lines or ["- the run ended before its first step"]),
        _FETCH_LEFT if job == FETCH_JOB else _left(quarters, released),
        "What to do: look at the run in the Dagster UI, or run `csp status`.",
    ]
    what = "fetch for" if job == FETCH_JOB else "refresh of"
    return Alert(f"CSP warehouse: {what} {about} failed", "\n".join(body))


def _fault(kind: str) -> str:
    """Return what the name of an error's class means."""
    if kind in _FAULTS:
        return _FAULTS[kind]
    error = foreseen_errors().get(kind)
    if error and issubclass(error, TemporaryError):
        return "the publisher's server did not answer as it should"
    if error and issubclass(error, FeedError):
        return "what the publisher sent cannot be used; the run says what came and what to do"
    return "see the run"


def _left(quarters: Sequence[date], released: bool) -> str:
    if len(quarters) > 1:
        return "Quarters that it completed are published; the releases of the others are unchanged."
    if released:
        return "Its release is published; later steps, such as the exports, are not updated."
    return "Nothing was published: the previous release is unchanged."


def late_deliveries(late: Iterable[Expectation], today: date) -> Alert:
    """Return the alert of deliveries that are late on ``today``."""
    lines = [
        f"- {one.source} for {quarter_label(one.quarter)}: due {one.due}, "
        f"{(today - one.due).days} days late"
        for one in late
        if one.due
    ]
    body = [
        "Late deliveries:",
        *lines,
        "What to do: ask the supplier. The quarter can be published without it; what is missing "
        "is marked [x].",
    ]
    return Alert(f"CSP warehouse: {len(lines)} deliveries are late", "\n".join(body))


def send(
    settings: Settings, alert: Alert, pause: Callable[[float], None] = time.sleep
) -> list[str]:
    """Send the alert by every configured way; return the names of those that took it.

    Each is tried three times. Raises :class:`AlertError` that names the ways that failed, without
    their addresses or passwords, once all have been tried.
    """
    ways: list[tuple[str, Callable[[Settings, Alert], None]]] = []
    if settings.alert_webhook:
        ways.append(("webhook", _post))
    if settings.alerts_by_mail:
        ways.append(("mail", _mail))
    failed = [
        f"{name} ({why})" for name, way in ways if (why := _tried(way, settings, alert, pause))
    ]
    if failed:
        raise AlertError(f"The alert '{alert.subject}' could not be sent by {', '.join(failed)}.")
    return [name for name, _ in ways]


def _tried(
    way: Callable[[Settings, Alert], None],
    settings: Settings,
    alert: Alert,
    pause: Callable[[float], None],
) -> str | None:
    """Return why the alert could not be sent this way, or none where it was."""
    why = None
    for attempt in range(_ATTEMPTS):
        if attempt:
            pause(2.0**attempt)
        try:
            way(settings, alert)
        except urllib.error.HTTPError as error:
            why = f"answered {error.code}"
        except (OSError, smtplib.SMTPException) as error:
            # The message of such an error may quote an address; its kind says enough.
            why = type(error).__name__
        else:
            return None
    return why


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Leaves an answer that redirects as it is, so that it is an error."""

    def redirect_request(self, *_: object, **__: object) -> None:
        """Return no request to follow."""


def _post(settings: Settings, alert: Alert) -> None:
    """Post as JSON: ``text`` is what Slack, Teams and Mattermost show."""
    assert settings.alert_webhook
    content = {"text": f"{alert.subject}\n{alert.body}", "subject": alert.subject}
    request = urllib.request.Request(
        settings.alert_webhook.get_secret_value(),
        data=json.dumps(content).encode(),
        headers={"Content-Type": "application/json", "User-Agent": "csp-warehouse"},
        method="POST",
    )
    verified = urllib.request.HTTPSHandler(context=ssl.create_default_context())
    opener = urllib.request.build_opener(_NoRedirect, verified)
    with opener.open(request, timeout=_TIMEOUT_SECONDS) as answer:
        answer.read(1)


def _mail(settings: Settings, alert: Alert) -> None:
    message = EmailMessage()
    message["Subject"] = alert.subject
    message["From"] = settings.smtp_from
    message["To"] = settings.smtp_to
    message.set_content(alert.body)
    with _mail_server(settings) as server:
        if settings.smtp_user and settings.smtp_password:
            server.login(settings.smtp_user, settings.smtp_password.get_secret_value())
        server.send_message(message)


def _mail_server(settings: Settings) -> smtplib.SMTP:
    """Connect to the mail server: encrypted from the start on port 465, or by STARTTLS if set."""
    assert settings.smtp_host
    verified = ssl.create_default_context()
    host, port = settings.smtp_host, settings.smtp_port
    if port == SMTPS_PORT:
        return smtplib.SMTP_SSL(host, port, timeout=_TIMEOUT_SECONDS, context=verified)
    server = smtplib.SMTP(host, port, timeout=_TIMEOUT_SECONDS)
    if settings.smtp_starttls:
        try:
            server.starttls(context=verified)
        except (OSError, smtplib.SMTPException):
            server.close()
            raise
    return server
