"""A small refresh that can be hurt, and the bench that hurts it.

``python -m tests.fault_bench FOLDER CAMPAIGN`` injects the faults of one campaign, each into a copy
of the same ground (one release published, a new quarter and a correction landed), and prints a
JSON line for each. After a fault the refresh is run again, unharmed, and must end as if nothing had
happened. Every run is a forked child, so that killing it costs no start-up; the load, the repair,
the release and the exports are the warehouse's own, only dbt's models are replaced by a few
statements of SQL.
"""

import hashlib
import importlib
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import duckdb

# Imported here once, so that no child has to: a run is then a fraction of a second.
import gptables  # noqa: F401
import pandas  # noqa: F401
import pyarrow.parquet  # noqa: F401

from orchestration.config.partnerships import load_partnerships
from orchestration.config.settings import Settings
from orchestration.errors import CspError
from orchestration.exports import export_release
from orchestration.ingest.checking.contract import load_contracts
from orchestration.ingest.loading.in_force import resolve_in_force
from orchestration.ingest.loading.load import load_source
from orchestration.ingest.loading.pseudonyms import pseudonyms_for
from orchestration.publish import build_release, published_tables
from orchestration.warehouse.backup import back_up, repair
from orchestration.warehouse.connection import connect, writer_lock
from tests.release_fixtures import CREDITS, manifest
from tests.support import street_file, street_row

OLD, NEW = date(2018, 1, 1), date(2018, 4, 1)
NOW = datetime(2018, 7, 16, 6, 0, tzinfo=UTC)
TABLES = ("dim_area", "dim_month", "crime_monthly")
NOBODY = 65534
DONE, TOLD, UNFORESEEN = 0, 1, 3


@dataclass(frozen=True)
class Ground:
    """A home and a landing zone."""

    folder: Path

    @property
    def settings(self) -> Settings:
        return Settings(home=self.folder / "home", raw=self.folder / "raw", threads=1)


# --- the refresh that is hurt ------------------------------------------------------------------

_MARTS = """
create schema if not exists marts;
create or replace table marts.dim_area as
    select 'E07000010' as area_code, 'Fenland' as area_name, 'district' as area_type,
        'E23000023' as force_code, 'fenland' as csp, 'Fenland CSP' as csp_name;
create or replace table marts.dim_month as
    select distinct period as month, strftime(period, '%B %Y') as month_label
    from control.in_force where source = 'police_uk_street';
create or replace table marts.crime_monthly as
    select crimes.month, 'E07000010' as area_code, 'district' as area_type, crimes.crime_type,
        count(*) as offences, 0::integer as change, any_value(in_force.delivery) as deliveries
    from raw.police_uk_street as crimes
    inner join control.in_force as in_force
        on in_force.source = 'police_uk_street' and in_force.period = crimes.month
        and in_force.delivered_series = crimes.reported_by
        and in_force.delivery_id = crimes._delivery_id
    group by all;
"""


def refresh(ground: Ground, quarter: date, now: datetime = NOW) -> None:
    """Refresh as the assets do: lock, repair, load, resolve, build, publish, export."""
    settings = ground.settings
    with writer_lock(settings.home, "A refresh", settings.lock_wait_seconds):
        repair(settings, print, now)
        contract = load_contracts()["police_uk_street"]
        with connect(settings) as connection:
            pseudonyms = pseudonyms_for(contract, settings, connection)
            moment = now.replace(tzinfo=None)
            load_source(connection, settings.raw, contract, quarter, moment, pseudonyms)
        with connect(settings) as connection:
            load_partnerships(connection, settings.partnerships)
            resolve_in_force(connection, quarter)
        with connect(settings) as connection:
            connection.execute(_MARTS)
        tables = [one for one in published_tables(manifest()) if one.name in TABLES]
        release = build_release(
            settings.warehouse, settings.published, quarter, tables, now,
            credits=CREDITS, sources={"police_uk_street"},
        )  # fmt: skip
        export_release(release.path, settings.exports, quarter)


# --- the ground --------------------------------------------------------------------------------


def make_ground(folder: Path) -> Ground:
    """Release the old quarter, back up, then let a correction and the new quarter land."""
    ground = Ground(folder)
    _put(ground, OLD, ("2018-01", "2018-02", "2018-03"), rows=40)
    refresh(ground, OLD, NOW - timedelta(days=90))
    back_up(ground.settings, None, NOW - timedelta(days=80))
    _put(ground, OLD, ("2018-01", "2018-02", "2018-03"), rows=41)
    _put(ground, NEW, ("2018-04", "2018-05", "2018-06"), rows=60)
    return ground


def _put(ground: Ground, quarter: date, months: tuple[str, ...], rows: int) -> None:
    folder = ground.settings.raw / "police_uk_street" / quarter.isoformat()
    folder.mkdir(parents=True, exist_ok=True)
    for month in months:
        text = street_file(street_row(month, number=number) for number in range(1, rows + 1))
        (folder / f"{month}-street.csv").write_text(text, newline="")


def state(ground: Ground, *, stamps: bool = True) -> str:
    """Digest all that a refresh leaves: every table, release and export; not what is set aside."""
    found = hashlib.sha256()
    settings = ground.settings
    for file in (settings.warehouse, *sorted(settings.published.rglob("csp.duckdb"))):
        with duckdb.connect(file, read_only=True) as connection:
            names = connection.execute(
                "select schema_name || '.' || table_name from duckdb_tables() order by all"
            ).fetchall()
            for (name,) in names:
                rows = _rows(connection, name, stamps)
                found.update(f"{file.parent.name} {name} {rows}".encode())
    for path in sorted(path for path in settings.exports.rglob("*") if path.is_file()):
        if stamps or path.name not in {"manifest.json", "SHA256SUMS", "workbook.xlsx"}:
            found.update(f"{path.relative_to(settings.exports)}".encode() + path.read_bytes())
    leftovers = [
        path for path in settings.home.rglob(".building-*")
        if not path.is_relative_to(settings.backups)
    ]  # fmt: skip
    found.update(str(leftovers).encode())
    return found.hexdigest()


def _rows(connection: duckdb.DuckDBPyConnection, name: str, stamps: bool) -> str:
    if name == "control.landing_index":
        # Times of the copied files.
        query = "select source, quarter, file_name, sha256 from control.landing_index order by all"
    else:
        left = "" if stamps else " exclude (loaded_at)" if name == "control.deliveries" else ""
        left = " exclude (seconds)" if name == "control.disclosure" else left
        if not stamps and name in {"main.release", "main.sources"}:
            return ""
        query = f"select *{left} from {name} order by all"
    return str(connection.execute(query).fetchall())


# --- children ----------------------------------------------------------------------------------


@dataclass
class Ended:
    """How a child ended: its code (negative: the signal), and what it printed."""

    code: int
    said: str


def child(work: Callable[[], object], during: Callable[[int], None] | None = None) -> Ended:
    """Run ``work`` in a forked child; ``during`` gets its process id and may hurt it."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reader)
        os.dup2(writer, 1)
        os.dup2(writer, 2)
        _work(work)
    os.close(writer)
    if during:
        during(pid)
    with os.fdopen(reader, "rb") as said:
        text = said.read().decode(errors="replace")
    _, status = os.waitpid(pid, 0)
    return Ended(os.waitstatus_to_exitcode(status), text)


def _work(work: Callable[[], object]) -> None:
    code = UNFORESEEN
    try:
        result = work()
        if isinstance(result, str):
            os.write(1, result.encode())
        code = DONE
    except CspError as error:
        os.write(1, f"Stopped. {error}".encode())
        code = TOLD
    except BaseException:  # noqa: BLE001 - whatever it is, the bench must hear of it
        os.write(1, traceback.format_exc().encode())
    finally:
        os._exit(code)


# --- boundaries --------------------------------------------------------------------------------

_WATCHED = {
    "execute", "executemany", "close", "connect", "rename", "replace", "unlink", "remove", "rmdir",
    "mkdir", "fsync", "chmod", "link", "open", "write", "flock", "ftruncate", "pwrite", "register",
    "fetchall",
}  # fmt: skip


class Boundaries:
    """Counts a run's calls into DuckDB and the operating system; at a chosen one it is killed.

    ``sign`` is the signal that it gets there: ``SIGSTOP`` holds it until it is continued.
    """

    def __init__(self, at: int | None = None, sign: signal.Signals = signal.SIGKILL) -> None:
        self.count = 0
        self.names: list[str] = []
        self._at = at
        self._sign = sign

    def __call__(self, frame: Any, event: str, called: Any) -> None:
        if event not in {"c_call", "c_return"} or getattr(called, "__name__", "") not in _WATCHED:
            return
        self.count += 1
        if self._at is None:
            self.names.append(f"{event} {called.__name__}")
        elif self.count == self._at:
            os.kill(os.getpid(), self._sign)


def _hurt_at(ground: Ground, at: int, sign: signal.Signals = signal.SIGKILL) -> None:
    sys.setprofile(Boundaries(at, sign))
    refresh(ground, NEW)


def count_boundaries(ground: Ground) -> int:
    """Return how many boundaries an unharmed refresh crosses."""

    def counted() -> str:
        boundaries = Boundaries()
        sys.setprofile(boundaries)
        refresh(ground, NEW)
        sys.setprofile(None)
        return str(boundaries.count)

    ended = child(counted)
    assert ended.code == DONE, ended.said
    return int(ended.said)


# --- the bench ---------------------------------------------------------------------------------


@dataclass
class Bench:
    """The ground that every fault starts from, and how an unharmed refresh of it ends."""

    folder: Path
    base: Ground
    wanted: str
    old_release: bytes
    new_release: bytes
    seconds: float
    results: list[dict[str, Any]] = field(default_factory=list)

    @classmethod
    def set_up(cls, folder: Path) -> "Bench":
        base = Ground(folder / "base")
        made = child(lambda: make_ground(base.folder) and " ".join(sys.modules))
        assert made.code == DONE, made.said
        # What a run imports on its way is imported here: a child without rights could not.
        for name in made.said.splitlines()[-1].split():
            with suppress(ImportError):
                importlib.import_module(name)
        unharmed = Ground(folder / "unharmed")
        shutil.copytree(base.folder, unharmed.folder)
        began = time.monotonic()
        ended = child(lambda: refresh(unharmed, NEW))
        seconds = time.monotonic() - began
        assert ended.code == DONE, ended.said
        wanted = child(lambda: state(unharmed))
        assert wanted.code == DONE, wanted.said
        return cls(
            folder, base, wanted.said,
            (base.settings.published / "csp.duckdb").read_bytes(),
            (unharmed.settings.published / "csp.duckdb").read_bytes(),
            seconds,
        )  # fmt: skip

    @contextmanager
    def ground(self) -> Iterator[Ground]:
        """A copy of the ground to hurt."""
        ground = Ground(self.folder / "hurt")
        shutil.rmtree(ground.folder, ignore_errors=True)
        shutil.copytree(self.base.folder, ground.folder)
        yield ground
        shutil.rmtree(ground.folder, ignore_errors=True)

    def judge(self, ground: Ground, fault: str, ended: Ended, *, stamps: bool = True) -> None:
        """Look at what a fault has left, refresh again, and print what is amiss, if anything."""
        amiss = self._releases(ground)
        if ended.code == UNFORESEEN:
            amiss.append(f"unforeseen: {ended.said[-1500:]}")
        elif ended.code == TOLD and not _says_what_to_do(ended.said):
            amiss.append(f"does not say what to do: {ended.said}")
        again = child(lambda: refresh(ground, NEW))
        runs = 1
        if again.code == TOLD and "Refresh again" in again.said:
            # Damage that only the second run met; the run after it repairs it.
            again, runs = child(lambda: refresh(ground, NEW)), 2
        if again.code != DONE:
            amiss.append(f"the next refresh: {again.said[-1500:]}")
        else:
            after = child(lambda: state(ground, stamps=stamps))
            if after.said != (self.wanted if stamps else self.wanted_without_stamps):
                amiss.append(f"another result: {after.said[-500:]}")
        told = ended.said.strip().splitlines()[-1][:300] if ended.said.strip() else ""
        print(json.dumps({"fault": fault, "code": ended.code, "said": told, "runs": runs,
                          "amiss": amiss}), flush=True)  # fmt: skip

    @property
    def wanted_without_stamps(self) -> str:
        return child(lambda: state(Ground(self.folder / "unharmed"), stamps=False)).said

    def _releases(self, ground: Ground) -> list[str]:
        """The old quarter's release is as it was; the current one is the old or the new, whole."""
        amiss = []
        published = ground.settings.published
        old = published / OLD.isoformat() / "csp.duckdb"
        if not old.exists() or old.read_bytes() != self.old_release:
            amiss.append("the old release has changed")
        current = published / "csp.duckdb"
        if not current.exists():
            amiss.append("there is no current release")
        elif current.read_bytes() != self.old_release:
            readable = child(lambda: _read_release(current))
            if readable.code != DONE:
                amiss.append(f"the current release cannot be read: {readable.said[-500:]}")
        return amiss


def _read_release(file: Path) -> str:
    with duckdb.connect(file, read_only=True) as connection:
        ((quarter,),) = connection.execute("select quarter from release").fetchall()
        rows = connection.execute("select sum(offences) from marts.crime_monthly").fetchall()
    assert quarter == NEW
    assert rows == [(303,)], rows
    return "read"


_ACTIONS = ("again", "Check", "Close", "Make room", "wait", "Run", "Move", "Land")


def _says_what_to_do(said: str) -> bool:
    return any(word in said for word in _ACTIONS)


# --- campaigns ---------------------------------------------------------------------------------


def kills_at_boundaries(bench: Bench) -> None:
    """Kill -9 before and after calls into DuckDB and the system, evenly over the whole run."""
    with bench.ground() as ground:
        boundaries = count_boundaries(ground)
    wanted = min(int(os.environ.get("FAULT_KILLS", "90")), boundaries)
    for place in range(wanted):
        at = 1 + place * boundaries // wanted
        with bench.ground() as ground:
            ended = child(partial(_hurt_at, ground, at))
            fault = f"kill at boundary {at} of {boundaries}"
            if ended.code not in {-signal.SIGKILL, DONE}:
                ended = Ended(UNFORESEEN, ended.said)
            bench.judge(ground, fault, ended)


def kills_at_random(bench: Bench) -> None:
    """Kill -9 at random moments."""
    moments = random.Random(7)
    for number in range(40):
        after = moments.uniform(0, bench.seconds)

        def kill(pid: int, after: float = after) -> None:
            time.sleep(after)
            os.kill(pid, signal.SIGKILL)

        with bench.ground() as ground:
            ended = child(partial(refresh, ground, NEW), kill)
            bench.judge(ground, f"kill {number} after {after:.3f} s", ended)


def full_disk(bench: Bench) -> None:
    """Let the disk run full: a small tmpfs where it can be mounted, else a limit on file size."""
    size = sum(path.stat().st_size for path in bench.base.folder.rglob("*") if path.is_file())
    mount = bench.folder / "disk"
    mount.mkdir()
    mounted = _mount(mount, size * 6)
    for step in range(1, 25):
        room = 4096 + step * 250_000
        if mounted:
            _full_tmpfs(bench, mount, room)
        else:
            _limited_files(bench, 100_000 + room)
    if mounted:
        subprocess.run(["umount", str(mount)], check=True)


def _mount(mount: Path, size: int) -> bool:
    if os.getuid() != 0 or shutil.which("mount") is None:
        return False
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(mount)],
        capture_output=True, check=False,
    )  # fmt: skip
    return done.returncode == 0


def _full_tmpfs(bench: Bench, mount: Path, room: int) -> None:
    ground = Ground(mount / "ground")
    shutil.rmtree(ground.folder, ignore_errors=True)
    shutil.copytree(bench.base.folder, ground.folder)
    free = shutil.disk_usage(mount).free
    filler = mount / "filler"
    with filler.open("wb") as handle:
        handle.write(bytes(max(0, free - room)))
    ended = child(lambda: refresh(ground, NEW))
    filler.unlink()
    bench.judge(ground, f"disk full with {room:,} bytes left", ended)


def _limited_files(bench: Bench, limit: int) -> None:
    def limited(ground: Ground) -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        refresh(ground, NEW)

    with bench.ground() as ground:
        ended = child(lambda: limited(ground))
        bench.judge(ground, f"files limited to {limit:,} bytes", ended)


def permissions(bench: Bench) -> None:
    """Take permissions away from an account that is not root's."""
    faults: dict[str, tuple[str, int]] = {
        "delivered file unreadable": ("raw/police_uk_street/2018-04-01/2018-05-street.csv", 0),
        "delivery's folder closed": ("raw/police_uk_street/2018-04-01", 0),
        "source's folder closed": ("raw/police_uk_street", 0),
        "landing zone closed": ("raw", 0),
        "home read-only": ("home", 0o555),
        "home closed": ("home", 0),
        "warehouse read-only": ("home/warehouse.duckdb", 0o444),
        "warehouse closed": ("home/warehouse.duckdb", 0),
        "lock closed": ("home/warehouse.lock", 0),
        "published folder read-only": ("home/published", 0o555),
        "published folder closed": ("home/published", 0),
        "exports read-only": ("home/exports", 0o555),
        "exports closed": ("home/exports", 0),
        "backups closed": ("home/backups", 0),
    }
    root = os.getuid() == 0
    for fault, (place, mode) in faults.items():
        with bench.ground() as ground:
            bench.folder.chmod(0o755)
            if root:
                for path in (ground.folder, *ground.folder.rglob("*")):
                    os.chown(path, NOBODY, NOBODY)
            path = ground.folder / place
            before = path.stat().st_mode & 0o777
            path.chmod(mode)

            def unprivileged(ground: Ground = ground) -> None:
                if root:
                    os.setgroups([])
                    os.setgid(NOBODY)
                    os.setuid(NOBODY)
                refresh(ground, NEW)

            ended = child(unprivileged)
            path.chmod(before)
            bench.judge(ground, fault, ended)


def damaged_warehouse(bench: Bench) -> None:
    """Spoil the warehouse file: its start, its end, its middle, all of it, its log."""
    content = bench.base.settings.warehouse.read_bytes()
    size = len(content)
    spoilt = {
        "garbage": b"this is not a database" * 1000,
        "empty": b"",
        "zeros": bytes(size),
        **{f"cut to {cut}": content[:cut] for cut in (100, 4096, 12_288, size // 2, size - 1)},
    }
    places = [0, 8, 4096, 8192, 12_288, *range(20_000, size, max(1, size // 16))]
    for place in places:
        changed = bytearray(content)
        changed[place : place + 64] = bytes(byte ^ 0xFF for byte in changed[place : place + 64])
        spoilt[f"64 bytes turned over at {place}"] = bytes(changed)
    for fault, data in spoilt.items():
        with bench.ground() as ground:
            ground.settings.warehouse.write_bytes(data)
            ended = child(partial(refresh, ground, NEW))
            bench.judge(ground, f"warehouse: {fault}", ended)
    with bench.ground() as ground:
        ground.settings.warehouse.with_name("warehouse.duckdb.wal").write_bytes(b"junk" * 500)
        ended = child(lambda: refresh(ground, NEW))
        bench.judge(ground, "warehouse: junk in its log", ended)


def two_at_once(bench: Bench) -> None:
    """Start a second refresh while one is held at a call, evenly over the whole run."""
    with bench.ground() as ground:
        boundaries = count_boundaries(ground)
    for number in range(1, 9):
        with bench.ground() as ground:
            others: list[Ended] = []

            def second(pid: int, ground: Ground = ground) -> None:
                _, status = os.waitpid(pid, os.WUNTRACED)
                assert os.WIFSTOPPED(status)
                others.append(child(lambda: refresh(ground, NEW)))  # noqa: B023
                os.kill(pid, signal.SIGCONT)

            at = number * boundaries // 9
            ended = child(partial(_hurt_at, ground, at, signal.SIGSTOP), second)
            told = others[0]
            if (ended.code, told.code) != (DONE, TOLD):
                told = Ended(UNFORESEEN, f"{ended} {others}")
            bench.judge(ground, f"second refresh at boundary {at} of {boundaries}", told)


def file_being_written(bench: Bench) -> None:
    """Let a delivered file grow for as long as the refresh runs, at every call that it makes."""
    for number in range(8):
        with bench.ground() as ground:
            file = ground.settings.raw / "police_uk_street/2018-04-01/2018-06-street.csv"
            whole = file.read_bytes()
            cut = whole.rfind(b"\n", 0, len(whole) * (number + 1) // 9) + 1
            file.write_bytes(whole[:cut])
            ended = child(partial(_growing, ground, file, whole[cut:]))
            file.write_bytes(whole)
            bench.judge(ground, f"file growing from {cut} bytes", ended)


def _growing(ground: Ground, file: Path, rest: bytes) -> None:
    with file.open("ab") as handle:

        def grow(frame: Any, event: str, called: Any) -> None:
            if event == "c_call" and getattr(called, "__name__", "") in _WATCHED:
                handle.write(rest[: max(1, len(rest) // 200)])
                handle.flush()

        sys.setprofile(grow)
        try:
            refresh(ground, NEW)
        finally:
            sys.setprofile(None)


def moved_clock(bench: Bench) -> None:
    """Refresh at quarter ends, at both changes of the clock, and with the clock set back."""
    moments = [
        datetime(2018, 6, 30, 22, 59, 59, tzinfo=UTC),
        datetime(2018, 6, 30, 23, 0, tzinfo=UTC),
        datetime(2018, 7, 1, 0, 0, tzinfo=UTC),
        datetime(2018, 3, 25, 0, 59, 59, tzinfo=UTC),
        datetime(2018, 3, 25, 1, 0, tzinfo=UTC),
        datetime(2018, 10, 28, 0, 30, tzinfo=UTC),
        datetime(2018, 10, 28, 1, 30, tzinfo=UTC),
        datetime(2018, 12, 31, 23, 59, 59, tzinfo=UTC),
        datetime(2016, 2, 29, 12, 0, tzinfo=UTC),
        datetime(1970, 1, 1, 0, 0, tzinfo=UTC),
    ]
    for moment in moments:
        with bench.ground() as ground:
            ended = child(partial(refresh, ground, NEW, moment))
            if ended.code != DONE:
                ended = Ended(UNFORESEEN, ended.said)
            bench.judge(ground, f"clock at {moment.isoformat()}", ended, stamps=False)


CAMPAIGNS: dict[str, Callable[[Bench], None]] = {
    "kills_at_boundaries": kills_at_boundaries,
    "kills_at_random": kills_at_random,
    "full_disk": full_disk,
    "permissions": permissions,
    "damaged_warehouse": damaged_warehouse,
    "two_at_once": two_at_once,
    "file_being_written": file_being_written,
    "moved_clock": moved_clock,
}


if __name__ == "__main__":
    for name in list(os.environ):
        if name.startswith("CSP_"):
            del os.environ[name]
    CAMPAIGNS[sys.argv[2]](Bench.set_up(Path(sys.argv[1])))
