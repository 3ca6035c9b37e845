"""The whole ``csp refresh`` killed: Dagster's job, dbt in its process, release and exports.

``python -m tests.kill_bench FOLDER`` kills refreshes with SIGKILL and prints a JSON line
for each row of kills: a refresh is killed, the one after it is killed at a later moment,
and so on, and the last of a row is let be. It must end as if nothing had happened. Like
``tests.fault_bench``, but nothing of the refresh is replaced except its clock. Street-level crime
and the public extracts are delivered for one partnership, and dbt's project is cut to what is made
from them. Every run is forked from a parent that has imported, parsed and defined everything.
"""

import importlib
import json
import logging
import os
import random
import shutil
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, tzinfo
from functools import partial
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any
from unittest import mock

import dagster as dg
import duckdb

from orchestration.cli.console import new_console
from orchestration.cli.prepare import prepare
from orchestration.cli.refresh import run_refresh
from orchestration.config.settings import CONFIG, PROJECT, load_settings
from orchestration.dagster.run_launcher import CUT_SHORT
from orchestration.transform.dbt_runner import manifest_path, stamp_prepared
from tests.fault_bench import DONE, NEW, NOW, OLD, Ended, Ground, _work, state
from tests.support import month_file

PUBLISHED = {
    "dim_area", "dim_month", "crime_monthly", "shoplifting_trends", "figure_10_shoplifting",
}  # fmt: skip
TESTED = PUBLISHED | {"int_crime__counted", "refresh", "in_force"}
CLOCKS = ("orchestration.dagster.assets.ingest", "orchestration.dagster.assets.publish",
          "orchestration.dagster.assets.transform")  # fmt: skip

WITHIN_DBT = (
    [
        ("NodeFinished", "int_crime__counted"),
        ("NodeFinished", "crime_types"),
        ("NodeStart", "stg_police_uk_street__crimes"),
        ("NodeStart", "int_crime__counted"),
        ("NodeFinished", "crime_monthly"),
    ],
    [
        ("NodeFinished", "shoplifting_trends"),
        ("NodeFinished", "stg_police_uk_street__crimes"),
        ("NodeStart", "crime_monthly"),
        ("NodeFinished", "figure_10_shoplifting"),
        ("NodeFinished", "assert_quarters_add_up"),
    ],
)
"""Seeds, staging, the incremental model, marts, reports, tests. The first kill of a row is in a
build of what is new only; after it everything is built, seeds too."""

Moment = tuple[str, str]
"""A kind of event, and the step or node of which it tells."""


# --- what is refreshed -------------------------------------------------------------------------


def cut(manifest: Any) -> None:
    """Leave of dbt's parsed project the models behind ``PUBLISHED`` and the tests on them."""
    nodes = manifest.nodes
    kept: set[str] = set()
    waiting = [name for name, node in nodes.items() if node.name in PUBLISHED]
    while waiting:
        name = waiting.pop()
        if name in nodes and name not in kept:
            kept.add(name)
            waiting += getattr(nodes[name].depends_on, "nodes", [])
    for name, node in nodes.items():
        on = node.depends_on.nodes if node.resource_type == "test" else []
        sources = {source.unique_id for source in manifest.sources.values()}
        if on and set(on) <= kept | sources and {one.split(".")[-1] for one in on} <= TESTED:
            kept.add(name)
    manifest.nodes = {name: node for name, node in nodes.items() if name in kept}
    for node in manifest.nodes.values():
        if node.name not in PUBLISHED:
            node.config.meta.get("csp", {}).pop("publish", None)
    manifest.exposures.clear()
    manifest.unit_tests.clear()
    manifest.build_parent_and_child_maps()


class _Clock(datetime):
    """The clock on the wall of a refresh."""

    at = NOW

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
        return cls.at


def _warm(ground: Ground) -> None:
    """Parse the project and define the job here, once, for every run to be forked from."""
    from dbt.cli import main as dbt
    from dbt.contracts.graph.manifest import Manifest

    from orchestration import definitions

    prepare(ground.settings)
    parsed = manifest_path(ground.settings).with_name("partial_parse.msgpack")
    manifest = Manifest.from_msgpack(parsed.read_bytes())
    parsed.unlink()
    cut(manifest)
    written = manifest.writable_manifest().to_dict(omit_none=False)
    manifest_path(ground.settings).write_text(json.dumps(written))
    stamp_prepared(ground.settings)
    warehouse = definitions.warehouse()
    warehouse.resolve_job_def("quarterly_refresh")
    definitions.warehouse = lambda: warehouse
    runner = dbt.dbtRunner

    def heard(callbacks: list[Any], **_: Any) -> Any:
        return runner(manifest, [*callbacks, _heard_from_dbt])

    mock.patch.object(dbt, "dbtRunner", heard).start()
    for name in CLOCKS:
        importlib.import_module(name).datetime = _Clock  # type: ignore[attr-defined]


# --- the refresh that is killed ----------------------------------------------------------------

_watchers: list[Callable[[Moment], None]] = []


def _told(moment: Moment) -> None:
    for watcher in _watchers:
        watcher(moment)


def _heard_from_dbt(event: Any) -> None:
    if event.info.name in {"NodeStart", "NodeFinished"}:
        _told((event.info.name, event.data.node_info.node_name))


class _Steps(logging.Handler):
    """Hears of Dagster's steps where ``csp refresh`` shows its progress."""

    def emit(self, record: logging.LogRecord) -> None:
        event = getattr(record, "dagster_event", None)
        if event is not None and event.event_type_value in {"STEP_START", "STEP_SUCCESS"}:
            _told((event.event_type_value, event.step_key))


def _refresh(quarter: date, watcher: Callable[[Moment], None] | None = None) -> None:
    """Run ``csp refresh`` as its command does."""
    if watcher:
        logging.getLogger("csp.progress").addHandler(_Steps())
        _watchers.append(watcher)
    # The progress display's thread would be the only other one.
    code = run_refresh(load_settings(), quarter, new_console(width=250))
    assert code == 0, code


def child(work: Callable[[], object]) -> Ended:
    """Run ``work`` in a forked child, as the other bench does.

    What it says goes to a file: Dagster's helpers would hold a pipe open after its death.
    """
    with TemporaryFile() as said:
        if (pid := os.fork()) == 0:
            os.dup2(said.fileno(), 1)
            os.dup2(said.fileno(), 2)
            _work(work)
        _, status = os.waitpid(pid, 0)
        said.seek(0)
        text = said.read().decode(errors="replace")
    return Ended(os.waitstatus_to_exitcode(status), text)


def _kill_at(wanted: Moment, wait: float) -> Callable[[Moment], None]:
    """Kill this process at a moment, or so many seconds after it."""

    def kill() -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def watcher(moment: Moment) -> None:
        if moment == wanted and wait:
            threading.Timer(wait, kill).start()
        elif moment == wanted:
            kill()

    return watcher


# --- the bench ---------------------------------------------------------------------------------


@dataclass
class Bench:
    """The ground that every row starts from, and what an undisturbed refresh of it leaves."""

    base: Ground
    hurt: Ground
    old_release: bytes
    wanted: str = ""
    moments: list[Moment] = field(default_factory=list)

    @classmethod
    def set_up(cls, folder: Path) -> "Bench":
        base, hurt = Ground(folder / "base"), Ground(folder / "hurt")
        partnerships = folder / "partnerships.toml"
        hurt.folder.mkdir(parents=True)
        os.environ |= {
            "CSP_HOME": str(hurt.settings.home), "CSP_RAW": str(hurt.settings.raw),
            "CSP_PARTNERSHIPS": str(partnerships), "CSP_THREADS": "1",
        }  # fmt: skip
        listed = (CONFIG / "partnerships.toml").read_text().split("[[force_areas.partnerships]]")
        chosen = [part for part in listed[1:] if "fenland" in part]
        others = [part.partition("district_code")[2] for part in listed[1:] if part not in chosen]
        partnerships.write_text(
            listed[0] + "".join(f"[[force_areas.partnerships]]{part}" for part in chosen)
            + "".join(f"[[force_areas.other_districts]]\ndistrict_code{part}" for part in others)
        )  # fmt: skip
        for name in ("area_lookups", "population_estimates"):
            landed = hurt.settings.raw / name / OLD.isoformat()
            shutil.copytree(PROJECT / "raw" / name / "2018-04-01", landed)
        _put(hurt, OLD, ("2018-01", "2018-02", "2018-03"), rows=40)
        _warm(hurt)
        _Clock.at = NOW - timedelta(days=90)
        made = child(_refreshed_old)
        assert made.code == DONE, made.said
        for name in made.said.splitlines()[-1].split():
            with suppress(ImportError):
                importlib.import_module(name)
        assert threading.active_count() == 1, threading.enumerate()
        _Clock.at = NOW
        _put(hurt, OLD, ("2018-01", "2018-02", "2018-03"), rows=41)
        _put(hurt, NEW, ("2018-04", "2018-05", "2018-06"), rows=60)
        hurt.folder.rename(base.folder)
        bench = cls(base, hurt, (base.settings.published / "csp.duckdb").read_bytes())
        bench._undisturbed(folder / "moments.json")
        return bench

    def _undisturbed(self, heard: Path) -> None:
        def work() -> None:
            moments: list[Moment] = []
            _refresh(NEW, moments.append)
            heard.write_text(json.dumps(moments))

        self._start_over()
        ended = child(work)
        assert ended.code == DONE, ended.said
        self.moments = [(kind, name) for kind, name in json.loads(heard.read_text())]
        self.wanted = self._state()

    def _start_over(self) -> None:
        shutil.rmtree(self.hurt.folder, ignore_errors=True)
        shutil.copytree(self.base.folder, self.hurt.folder)

    def _state(self) -> str:
        found = child(lambda: state(self.hurt))
        assert found.code == DONE, found.said
        return found.said

    def row(self, kills: Sequence[tuple[str, Callable[[], Ended]]]) -> None:
        """Kill one refresh after the other, then let one be; print what is amiss, if anything."""
        self._start_over()
        amiss = []
        died, said = 0, ""
        for fault, kill in kills:
            ended = kill()
            said += ended.said
            died += ended.code == -signal.SIGKILL
            if ended.code not in {-signal.SIGKILL, DONE}:
                amiss.append(f"{fault}: {ended.said[-1500:]}")
            amiss += [f"{fault}: {one}" for one in self._releases()]
        again = child(lambda: _refresh(NEW))
        said += again.said
        if again.code != DONE:
            amiss.append(f"the next refresh: {again.said[-1500:]}")
        elif self._state() != self.wanted:
            amiss.append("another result than an undisturbed run's")
        amiss += self._runs(said)
        killed = [fault for fault, _ in kills]
        print(json.dumps({"kills": killed, "died": died, "amiss": amiss}), flush=True)

    def _releases(self) -> Iterator[str]:
        """The old quarter's release is as it was; the current one is that or the new, whole."""
        published = self.hurt.settings.published
        for file in (published / OLD.isoformat() / "csp.duckdb", published / "csp.duckdb"):
            new = file.parent == published and file.read_bytes() != self.old_release
            if new and (found := child(partial(_read_release, file))).code != DONE:
                yield f"the current release cannot be read: {found.said[-500:]}"
            elif not new and file.read_bytes() != self.old_release:
                yield "the old release has changed"

    def _runs(self, said: str) -> Iterator[str]:
        """Every run that died is reported once, and shown as failed; nothing is left running."""
        ended = child(lambda: json.dumps(_runs_of(self.hurt)))
        latest, *earlier = json.loads(ended.said)
        dead = [(run, words) for run, status, words in earlier if status == "FAILURE"]
        left = [status for _, status, _ in earlier if status not in {"FAILURE", "SUCCESS"}]
        if latest[1] != "SUCCESS" or left:
            yield f"in the Dagster UI: {latest[1]} after {left}"
        for run, words in dead:
            if words != CUT_SHORT or said.count(f"Cut short: run {run[:8]}.") != 1:
                yield f"run {run[:8]} is reported as: {words}"
        marks = self.hurt.settings.dagster_home / "running"
        if leftovers := [path.name for path in marks.iterdir() if path.name[0] != "."]:
            yield f"marks left over: {leftovers}"


def _put(ground: Ground, quarter: date, months: tuple[str, ...], rows: int) -> None:
    folder = ground.settings.raw / "police_uk_street" / quarter.isoformat()
    folder.mkdir(parents=True, exist_ok=True)
    for month in months:
        (folder / f"{month}-street.csv").write_text(month_file(month, rows), newline="")


def _read_release(file: Path) -> None:
    with duckdb.connect(file, read_only=True) as connection:
        assert connection.execute("select quarter from release").fetchall() == [(NEW,)]
        rows = connection.execute("select sum(offences) from marts.crime_monthly").fetchall()
    assert rows == [(303,)], rows


def _runs_of(ground: Ground) -> list[tuple[str, str, str]]:
    """Return id, status and last words of each run that Dagster knows, the latest first."""
    os.environ["DAGSTER_HOME"] = str(ground.settings.dagster_home)
    with dg.DagsterInstance.get() as instance:
        return [
            (run.run_id, run.status.value, _last_words(instance, run.run_id))
            for run in instance.get_runs()
        ]


def _last_words(instance: dg.DagsterInstance, run_id: str) -> str:
    events = [one.dagster_event for one in instance.all_logs(run_id) if one.dagster_event]
    return str(events[-1].message) if events else ""


# --- campaigns ---------------------------------------------------------------------------------


def _rows(bench: Bench, moments: Sequence[Moment], length: int) -> None:
    for at in range(0, len(moments), length):
        kills = [(" ".join(moment), _at(moment)) for moment in moments[at : at + length]]
        bench.row(kills)


def kills_of_the_whole_run(bench: Bench) -> None:
    """Kill -9 where each step begins and ends, within dbt's build, and at random moments."""
    steps = [moment for moment in bench.moments if moment[0].startswith("STEP_")]
    loads = [moment for moment in steps if moment[1].startswith("raw__")]
    later = [moment for moment in steps if moment not in loads]
    for row in (loads[:13], loads[13:], later[:5], later[5:], *WITHIN_DBT):
        bench.row([(" ".join(moment), _at(moment)) for moment in row])
    chance = random.Random(7)
    before = [moment for moment in steps if moment[1] != "exports__partnerships"]
    moments = [(chance.choice(before), chance.uniform(0, 1)) for _ in range(6)]
    bench.row([(f"{wait:.2f} s after {' '.join(one)}", _at(one, wait)) for one, wait in moments])


def _refreshed_old() -> str:
    """Refresh the old quarter; return the modules that it imported."""
    _refresh(OLD)
    return "\n" + " ".join(sys.modules)


def _at(moment: Moment, wait: float = 0) -> Callable[[], Ended]:
    return lambda: child(lambda: _refresh(NEW, _kill_at(moment, wait)))


if __name__ == "__main__":
    for name in list(os.environ):
        if name.startswith(("CSP_", "DAGSTER_")):
            del os.environ[name]
    kills_of_the_whole_run(Bench.set_up(Path(sys.argv[1])))
