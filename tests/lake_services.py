"""PostgreSQL and an object store on loopback, for the tests of the lake and for ``make lake``.

PostgreSQL comes from the system's packages, and runs as another user where this process is root,
since it refuses root. The object store is a stand-in from a Python package. Both are processes of
their own, and are stopped in any case.
"""

import importlib.util
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

USER, PASSWORD = "lake", "no-secret-of-anybody"
_PLACES = ("/usr/lib/postgresql", "/opt/homebrew/opt", "/usr/local/opt")
_ACCOUNT = "postgres"
_READY_SECONDS = 60


class ServiceError(Exception):
    """A program that the lake needs is not there, or did not start."""


def postgres_programs() -> Path | None:
    """Return the folder with PostgreSQL's programs, the newest where there are several."""
    programs = [one for place in _PLACES for one in Path(place).glob("*/bin/initdb")]
    if not programs and (found := shutil.which("initdb")):
        programs = [Path(found).resolve()]
    folders = [one.parent for one in programs if one.with_name("pg_dump").exists()]
    return max(folders, default=None, key=lambda one: one.parent.name)


def missing(*, store: bool = False) -> str | None:
    """Return why the lake's services cannot be started here, or none where they can."""
    needed = ["psycopg", "duckdb_extension_ducklake", "duckdb_extension_postgres_scanner"]
    needed += ["moto", "flask", "boto3"] if store else []
    if absent := [name for name in needed if importlib.util.find_spec(name) is None]:
        return f"not installed: {', '.join(absent)} (extra lake of the project)"
    if postgres_programs() is None:
        return "PostgreSQL is not installed (Debian's package postgresql)"
    return None


def free_port() -> int:
    """Return a port of loopback that nobody listens on now."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])


@dataclass(frozen=True)
class Postgres:
    """A PostgreSQL that runs: its port and its data."""

    folder: Path
    port: int

    def address(self, database: str, password: str = PASSWORD) -> str:
        """Return the address of a database as ``CSP_LAKE_CATALOGUE`` has it."""
        return (
            f"postgres:dbname={database} host=127.0.0.1 port={self.port} user={USER} "
            f"password={password}"
        )

    def create(self, database: str) -> str:
        """Create a database; return its address."""
        _run("createdb", "-h", "127.0.0.1", "-p", str(self.port), "-U", USER, database)
        return self.address(database)

    def stop(self, how: str = "fast") -> None:
        """Stop it; ``immediate`` is as a crash."""
        _run("pg_ctl", "-D", str(self.folder / "data"), "-m", how, "-w", "stop", account=True)

    def start(self) -> None:
        """Start it on its port, and wait until it answers."""
        options = (
            f"-p {self.port} -k {self.folder} -c listen_addresses=127.0.0.1 -c fsync=off "
            "-c lc_messages=C"
        )
        _run(
            "pg_ctl", "-D", str(self.folder / "data"), "-l", str(self.folder / "log"),
            "-o", options, "-w", "start", account=True,
        )  # fmt: skip


@contextmanager
def postgres() -> Iterator[Postgres]:
    """Run a new PostgreSQL in a temporary folder of its own; stop it, and remove it, in any case.

    Raises :class:`ServiceError` where it does not start.
    """
    with tempfile.TemporaryDirectory(prefix="csp-postgres-") as name:
        folder = Path(name)
        password = folder / "password"
        password.write_text(PASSWORD)
        if os.geteuid() == 0:
            for path in (folder, password):
                shutil.chown(path, _ACCOUNT)
        _run(
            "initdb", "-D", str(folder / "data"), "-U", USER, "--locale=C.UTF-8", "--no-sync",
            "-A", "scram-sha-256", f"--pwfile={password}", account=True,
        )  # fmt: skip
        running = Postgres(folder, free_port())
        running.start()
        try:
            yield running
        finally:
            with suppress(ServiceError):
                running.stop("immediate")


def _run(program: str, *arguments: str, account: bool = False) -> None:
    folder = postgres_programs()
    if folder is None:
        raise ServiceError("PostgreSQL is not installed.")
    command = [str(folder / program), *arguments]
    if account and os.geteuid() == 0:
        command = [
            "setpriv", f"--reuid={_ACCOUNT}", f"--regid={_ACCOUNT}", "--init-groups", *command,
        ]  # fmt: skip
    done = subprocess.run(
        command,
        cwd="/",
        env={**os.environ, "PGPASSWORD": PASSWORD},
        stdin=subprocess.DEVNULL,
        # A server that is started keeps what it is given: a pipe would never end.
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL if program == "pg_ctl" else subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode:
        raise ServiceError(f"{program} failed: {done.stderr or 'see its log'}")


@contextmanager
def object_store(bucket: str) -> Iterator[dict[str, str]]:
    """Run the stand-in of an object store with a bucket; stop it whatever happens.

    Yields the settings that name it. What it keeps is in its memory, and gone with it. Raises
    :class:`ServiceError` where it does not start.
    """
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    settings = {
        "CSP_LAKE_S3_ENDPOINT": f"http://127.0.0.1:{port}",
        "CSP_LAKE_S3_REGION": "eu-west-2",
        "CSP_LAKE_S3_KEY_ID": "stand-in",
        "CSP_LAKE_S3_SECRET": PASSWORD,
    }
    try:
        _await_port(process, port)
        _client(settings).create_bucket(
            Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-2"}
        )
        yield settings
    finally:
        process.terminate()
        process.wait(timeout=_READY_SECONDS)


def stored_objects(settings: dict[str, str], bucket: str) -> dict[str, bytes]:
    """Return what the object store's stand-in keeps in a bucket, by name."""
    client = _client(settings)
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket)
    names = [one["Key"] for page in pages for one in page.get("Contents", ())]
    return {name: client.get_object(Bucket=bucket, Key=name)["Body"].read() for name in names}


def _client(settings: dict[str, str]) -> Any:
    import boto3

    return boto3.client(
        "s3",
        endpoint_url=settings["CSP_LAKE_S3_ENDPOINT"],
        region_name=settings["CSP_LAKE_S3_REGION"],
        aws_access_key_id=settings["CSP_LAKE_S3_KEY_ID"],
        aws_secret_access_key=settings["CSP_LAKE_S3_SECRET"],
    )


def _await_port(process: subprocess.Popen[bytes], port: int) -> None:
    until = time.monotonic() + _READY_SECONDS
    while time.monotonic() < until and process.poll() is None:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.1)
    raise ServiceError("The stand-in of the object store did not start.")
