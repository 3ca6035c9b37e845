"""The lake: a warehouse whose catalogue is in PostgreSQL and whose rows are in Parquet files.

DuckDB's ``ducklake`` extension reads and writes it. Here are its address, the state of its
catalogue, and how it is attached. No password or key is in any text that leaves this module: DuckDB
gets them as secrets, which it shows to nobody.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import duckdb
from pydantic import SecretStr

from orchestration.config.settings import POSTGRES, S3, Settings
from orchestration.errors import (
    EncryptionError,
    LakeError,
    StorageError,
    WarehouseDamagedError,
    WarehouseUnreadableError,
)
from orchestration.warehouse.extensions import packaged_extension
from orchestration.warehouse.sql_quoting import literal

if TYPE_CHECKING:
    import psycopg

_RETRIES = 100
"""How often DuckLake tries a commit again that met another one. With its own 10, a few of a hundred
concurrent commits fail."""

_CONNECT_SECONDS = 10
_WORDS = ("C", "POSIX", "en")
"""Starts of the ``lc_messages`` that DuckLake understands: it reads PostgreSQL's messages."""

_PACKAGES = (
    "Install what a lake needs into the environment of csp: pip install 'csp-warehouse[lake]'."
)
_UNAFFECTED = "The published releases are not affected."


@dataclass(frozen=True)
class LakeState:
    """What the catalogue says of the lake: where its data are, whether they are encrypted, and the
    number of its newest snapshot."""

    data: str
    encrypted: bool
    snapshot: int


def lake_name(settings: Settings) -> str:
    """Return how messages name the lake: database and server, without user or password."""
    parts = _address_parts(settings)
    place = parts.get("host") or parts.get("hostaddr") or "this machine"
    port = f":{parts['port']}" if parts.get("port") else ""
    return f"the lake {parts.get('dbname', '')} at {place}{port}"


def lake_state(settings: Settings) -> LakeState | None:
    """Return the state of the lake, or none where its catalogue is still empty.

    Raises :class:`LakeError` where PostgreSQL cannot be used.
    """
    with catalogue(settings) as connection:
        _refuse_other_language(settings, connection)
        if connection.execute("select to_regclass('ducklake_metadata')").fetchall() == [(None,)]:
            return None
        rows: list[tuple[str, str]] = connection.execute(
            "select key, value from ducklake_metadata where scope is null"
        ).fetchall()
        newest = connection.execute("select max(snapshot_id) from ducklake_snapshot").fetchall()
    known = dict(rows)
    return LakeState(known["data_path"], known.get("encrypted") == "true", int(newest[0][0]))


@contextmanager
def catalogue(settings: Settings, shown_as: str = "csp") -> Iterator["psycopg.Connection"]:
    """Connect to the lake's PostgreSQL database, each statement a transaction of its own.

    ``shown_as`` names the connection in PostgreSQL's own list of them. Raises :class:`LakeError`
    where the driver is missing or PostgreSQL refuses, without the password.
    """
    import psycopg

    wanted = {
        "connect_timeout": str(_CONNECT_SECONDS),
        **_address_parts(settings),
        "application_name": shown_as,
    }
    try:
        connection = psycopg.connect(_conninfo(wanted), autocommit=True)
    except psycopg.OperationalError as error:
        raise _refused(settings, str(error)) from None
    try:
        yield connection
    except psycopg.Error as error:
        raise LakeError(
            f"The catalogue of {lake_name(settings)} cannot be read: "
            f"{str(error).splitlines()[0]}. {_UNAFFECTED} Look at PostgreSQL's own log, and try "
            "again."
        ) from None
    finally:
        connection.close()


def _refused(settings: Settings, said: str) -> LakeError:
    """Return the error of a connection that PostgreSQL refused, or that found no PostgreSQL."""
    name = lake_name(settings)
    if "password" in said:
        return LakeError(
            f"PostgreSQL refuses the password for {name}. {_UNAFFECTED} Correct it in "
            "CSP_LAKE_CATALOGUE, or in the password file that PGPASSFILE names."
        )
    reason = said.strip().splitlines()[-1].strip().rstrip(".?")
    if "does not exist" in said:
        return LakeError(
            f"{_capital(name)} cannot be opened: {reason}. {_UNAFFECTED} Create the user and the "
            "database (createuser, createdb), or correct CSP_LAKE_CATALOGUE."
        )
    return LakeError(
        f"PostgreSQL does not answer for {name}: {reason}. {_UNAFFECTED} Start it, or correct "
        "CSP_LAKE_CATALOGUE, and try again."
    )


def _capital(name: str) -> str:
    return f"{name[0].upper()}{name[1:]}"


def _refuse_other_language(settings: Settings, connection: "psycopg.Connection") -> None:
    ((language,),) = connection.execute("show lc_messages").fetchall()
    if language and not language.startswith(_WORDS):
        raise LakeError(
            f"PostgreSQL gives its messages for {lake_name(settings)} in another language "
            f"(lc_messages is {language}), and DuckLake reads them in English. Run as its "
            "administrator: alter system set lc_messages = 'C'; select pg_reload_conf();"
        )


def _address_parts(settings: Settings) -> dict[str, str]:
    """Return the parts of the catalogue's address by libpq's names.

    Raises :class:`LakeError` where it is missing or cannot be read; it is not quoted.
    """
    try:
        import psycopg
        from psycopg.conninfo import conninfo_to_dict
    except ImportError as error:
        raise LakeError(
            f"CSP_STORE=lake needs the PostgreSQL driver psycopg. {_PACKAGES}"
        ) from error
    if settings.lake_catalogue is None or settings.lake_data is None:
        raise LakeError("No lake is named. Set CSP_LAKE_CATALOGUE and CSP_LAKE_DATA.")
    address = settings.lake_catalogue.get_secret_value().removeprefix(POSTGRES)
    try:
        return {name: str(value) for name, value in conninfo_to_dict(address).items()}
    except psycopg.ProgrammingError:
        raise LakeError(
            "CSP_LAKE_CATALOGUE cannot be read. Write it as postgres:dbname=lake host=db user=csp "
            "(a value with a space or a quotation mark between single quotation marks)."
        ) from None


def lake_environment(settings: Settings) -> dict[str, str]:
    """Return the environment variables that name the lake, keys included, for a process or dbt."""
    values = {
        "CSP_STORE": settings.store,
        "CSP_LAKE_CATALOGUE": settings.lake_catalogue,
        "CSP_LAKE_DATA": settings.lake_data,
        "CSP_LAKE_S3_ENDPOINT": settings.lake_s3_endpoint,
        "CSP_LAKE_S3_REGION": settings.lake_s3_region,
        "CSP_LAKE_S3_KEY_ID": settings.lake_s3_key_id,
        "CSP_LAKE_S3_SECRET": settings.lake_s3_secret,
    }
    return {
        name: value.get_secret_value() if isinstance(value, SecretStr) else value
        for name, value in values.items()
        if value is not None
    }


# --- attaching ---------------------------------------------------------------------------------


def attach_lake(
    connection: duckdb.DuckDBPyConnection, settings: Settings, alias: str, *, read_only: bool
) -> None:
    """Attach the lake as ``alias``, made where it is missing and may be written.

    Raises :class:`LakeError` where an extension, PostgreSQL or the data cannot be used,
    :class:`EncryptionError` where the lake was made with a key and none is set, or the other way
    round, and :class:`WarehouseUnreadableError` where it is missing (read-only).
    """
    state = lake_state(settings)
    if state is None and read_only:
        raise WarehouseUnreadableError(
            f"There is no warehouse in {lake_name(settings)} yet. Run `csp refresh` first."
        )
    if state:
        _refuse_other_data(settings, state)
        _refuse_other_encryption(settings, state)
    data = data_path(settings)
    if not read_only:
        _refuse_unwritable(settings)
    _load_extensions(connection)
    for secret in _secrets(settings):
        connection.execute(secret)
    connection.execute(f"set ducklake_max_retry_count = {_RETRIES}")
    options = [f"data_path {literal(data)}", "data_inlining_row_limit 0"]
    options += ["read_only"] if read_only else []
    options += ["encrypted"] if settings.warehouse_key and not state else []
    parts = _address_parts(settings)
    if parts.pop("password", None):
        options.append(f"meta_secret {literal(_CATALOGUE_SECRET)}")
    address = f"ducklake:{POSTGRES}{_conninfo(parts)}"
    try:
        if settings.warehouse_key:
            connection.execute("set temp_file_encryption = true")
        connection.execute(f"attach {literal(address)} as {alias} ({', '.join(options)})")
    except duckdb.Error as error:
        raise _not_attached(settings, str(error)) from None


_CATALOGUE_SECRET = "csp_catalogue"
_EXTENSIONS = {
    "httpfs": "duckdb-extension-httpfs",
    "postgres_scanner": "duckdb-extension-postgres-scanner",
    "ducklake": "duckdb-extension-ducklake",
}


def _load_extensions(connection: duckdb.DuckDBPyConnection) -> None:
    for name, package in _EXTENSIONS.items():
        path = packaged_extension(name)
        if path is None:
            raise LakeError(
                f"CSP_STORE=lake needs DuckDB's extension {name}, and no installed package has it "
                f"for DuckDB {duckdb.__version__} (package {package}). {_PACKAGES}"
            )
        connection.execute(f"load {literal(str(path))}")


def _secrets(settings: Settings) -> Iterator[str]:
    """Yield the statements that give DuckDB the catalogue's password and the object store's key.

    Raises :class:`LakeError` where the object store's key is missing.
    """
    if password := _address_parts(settings).get("password"):
        yield (
            f"create or replace secret {_CATALOGUE_SECRET} "
            f"(type postgres, password {literal(password)})"
        )
    if data_path(settings).startswith(S3):
        if not (settings.lake_s3_key_id and settings.lake_s3_secret):
            raise LakeError(
                "CSP_LAKE_DATA is in an object store. Set CSP_LAKE_S3_KEY_ID and "
                "CSP_LAKE_S3_SECRET to an access key that may read, write, list and delete there."
            )
        values = {
            "key_id": settings.lake_s3_key_id,
            "secret": settings.lake_s3_secret.get_secret_value(),
            "region": settings.lake_s3_region,
        }
        if settings.lake_s3_endpoint:
            parts = urlsplit(settings.lake_s3_endpoint)
            values |= {
                "endpoint": parts.netloc,
                "url_style": "path",
                "use_ssl": "true" if parts.scheme == "https" else "false",
            }
        given = ", ".join(f"{name} {literal(value)}" for name, value in values.items())
        yield f"create or replace secret csp_object_store (type s3, {given})"


def _conninfo(parts: Mapping[str, str]) -> str:
    from psycopg.conninfo import make_conninfo

    return make_conninfo(**parts)


def _not_attached(settings: Settings, said: str) -> LakeError:
    """Return the error of a lake that DuckDB does not attach, with nothing of its address."""
    reason = said.splitlines()[0]
    for name, value in _address_parts(settings).items():
        # DuckDB was not given the password in the address; whatever it quotes, this stays out.
        reason = reason.replace(value, "...") if "password" in name else reason
    return LakeError(
        f"{_capital(lake_name(settings))} cannot be attached: {reason}. {_UNAFFECTED} Check "
        "CSP_LAKE_CATALOGUE and CSP_LAKE_DATA, and try again."
    )


# --- the data ----------------------------------------------------------------------------------


def data_path(settings: Settings) -> str:
    """Return the place of the Parquet files as the catalogue has it: with a slash at its end."""
    return f"{(settings.lake_data or '').rstrip('/')}/"


def _refuse_other_data(settings: Settings, state: LakeState) -> None:
    if state.data.rstrip("/") != data_path(settings).rstrip("/"):
        raise LakeError(
            f"CSP_LAKE_DATA is {settings.lake_data}, and the data of {lake_name(settings)} are at "
            f"{state.data.rstrip('/')}. Set CSP_LAKE_DATA to that, or name another catalogue."
        )


def _refuse_other_encryption(settings: Settings, state: LakeState) -> None:
    name = lake_name(settings)
    if state.encrypted and settings.warehouse_key is None:
        raise EncryptionError(
            f"The data of {name} are encrypted. Set CSP_WAREHOUSE_KEY, so that what DuckDB writes "
            "to this disk when memory is short is encrypted too."
        )
    if settings.warehouse_key and not state.encrypted:
        raise EncryptionError(
            f"CSP_WAREHOUSE_KEY is set, and {name} was made without encryption, which cannot be "
            "changed. Make another lake in an empty database and folder. Or unset the key."
        )


def _refuse_unwritable(settings: Settings) -> None:
    """Refuse a folder that cannot be written; an object store says so by itself."""
    if data_path(settings).startswith(S3):
        return
    folder = Path(data_path(settings))
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not os.access(folder, os.W_OK | os.X_OK):
            raise PermissionError(13, "Permission denied")
    except OSError as error:
        raise StorageError(
            f"{folder} (CSP_LAKE_DATA) cannot be written ({error.strerror}). {_UNAFFECTED} Make "
            "room there, give the permission, or name another folder before the lake is made."
        ) from error


_LOST = (
    "server closed the connection",
    "connection to server",
    "terminating connection",
    "no connection to the server",
    "Connection refused",
    'Failed to execute query "ROLLBACK"',
)
_QUERY = "Failed to execute query"
_MISSING = ("No such file or directory", "404", "does not exist in the object store", "NoSuchKey")
_SPOILT = ("Invalid Input Error: No magic bytes", "too small to be a Parquet file",
           "Invalid footer", "Failed to decrypt", "Computed AES tag differs")  # fmt: skip


def lake_fault(settings: Settings, said: str) -> LakeError | WarehouseDamagedError | None:
    """Return the error behind DuckDB's message about a lake, where it is one of those known.

    Raise it without the cause: DuckLake's messages quote what it writes to the catalogue.
    """
    reason = said.splitlines()[0]
    if any(words in said for words in _LOST):
        return LakeError(
            f"The connection to the catalogue of {lake_name(settings)} was lost. {_UNAFFECTED} "
            "Start PostgreSQL where it has stopped, and refresh again: there is nothing to clean "
            "up."
        )
    if _QUERY in said:
        # What follows are statements on the catalogue, with the values of people in them.
        reason = reason.partition(_QUERY)[0].rstrip(" :")
        return LakeError(
            f"{_capital(lake_name(settings))} did not take a change ({reason}). {_UNAFFECTED} "
            "Refresh again: there is nothing to clean up. If it happens again, see PostgreSQL's "
            "log."
        )
    of_data = data_path(settings) in said or ".parquet" in said
    if of_data and any(words in said for words in (*_MISSING, *_SPOILT)):
        return WarehouseDamagedError(
            f"A data file of {lake_name(settings)} is missing or damaged ({reason}). {_UNAFFECTED} "
            "Put the file back from the copy of CSP_LAKE_DATA, or restore catalogue and data "
            "together (docs/scale.md)."
        )
    return None
