"""``csp accept``: record that an anomaly was looked into and is in order."""

from datetime import UTC, date, datetime

from rich.console import Console

from orchestration.cli.account import account_name
from orchestration.config.settings import Settings
from orchestration.errors import did_you_mean
from orchestration.ingest.checking.anomalies import RULES, AcceptanceError, accept_anomaly
from orchestration.ingest.checking.contract import require_source
from orchestration.ingest.checking.shown_texts import refuse_identifying
from orchestration.warehouse.connection import connect, warehouse_lock
from orchestration.warehouse.control_schema import ensure_control


def accept_anomalies(
    settings: Settings,
    source: str,
    quarter: date,
    rule: str,
    period: date | None,
    reason: str,
    console: Console,
) -> None:
    """Record that an anomaly is in order, by whom, when and why.

    Raises :class:`AcceptanceError` where there is no such anomaly, and :class:`WarehouseBusyError`
    while a refresh is writing.
    """
    require_source(source)
    if rule not in RULES:
        meant = did_you_mean(rule, list(RULES))
        raise AcceptanceError(f"There is no rule '{rule}'.{meant} The rules: {', '.join(RULES)}.")
    refuse_identifying("--reason", reason, quarter)
    now = datetime.now(UTC).replace(tzinfo=None, microsecond=0)
    with (
        warehouse_lock(settings, "csp accept", settings.lock_wait_seconds),
        connect(settings) as connection,
    ):
        ensure_control(connection)
        settled = accept_anomaly(
            connection, source, quarter, rule, period, reason, account_name(), now
        )
    for one in settled:
        console.print(f"Accepted: {one}")
    console.print("It is not warned about again while this version is in force.")
