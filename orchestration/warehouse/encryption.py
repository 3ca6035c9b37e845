"""Encryption of the restricted database at rest: DuckDB's own, switched on by CSP_WAREHOUSE_KEY.

The key is in no text that leaves this module. DuckDB takes it only within a statement, so a failing
statement is reported with a message of ours. Writing an encrypted file needs DuckDB's ``httpfs``
extension, which comes as a Python package and is loaded from it; reading does not.
"""

from pathlib import Path

import duckdb

from orchestration.errors import EncryptionError
from orchestration.warehouse.extensions import packaged_extension
from orchestration.warehouse.sql_quoting import literal


def crypto_extension() -> Path:
    """Return the file of the extension that writes encrypted databases, for the DuckDB in use.

    Raises :class:`EncryptionError` where no installed package has it.
    """
    if path := packaged_extension("httpfs"):
        return path
    raise EncryptionError(
        f"CSP_WAREHOUSE_KEY is set, and DuckDB v{duckdb.__version__} cannot write encrypted files "
        "without its httpfs extension of the same version. Install it (pip install "
        f"duckdb-extension-httpfs=={duckdb.__version__}); it is not packaged yet for DuckDB 2.0. "
        "Without encryption: unset CSP_WAREHOUSE_KEY."
    )


def attach_encrypted(
    connection: duckdb.DuckDBPyConnection,
    path: Path,
    alias: str,
    key: str,
    *,
    written_as: str | None = None,
) -> None:
    """Attach the encrypted database at ``path`` for reading, or to be ``written_as`` is said.

    ``written_as`` are options of ``attach``; with them, the database is made where it is missing.
    Data that DuckDB writes to disk when memory is short are encrypted from here on too. Raises
    :class:`EncryptionError` for a wrong key and for a database that is not encrypted, and
    DuckDB's own error, without the key, for anything else.
    """
    try:
        _load_crypto(connection, needed=written_as is not None)
        connection.execute("set temp_file_encryption = true")
        connection.execute(
            f"attach {literal(str(path))} as {alias} (encryption_key {literal(key)}, "
            f"{written_as or 'read_only'})"
        )
    except duckdb.Error as error:
        raise _without_key(error, path, key) from None


def _load_crypto(connection: duckdb.DuckDBPyConnection, *, needed: bool) -> None:
    """Load what encrypts. A reader needs it where an answer does not fit into memory only.

    Raises :class:`EncryptionError` where it is ``needed`` and not there.
    """
    try:
        connection.execute(f"load {literal(str(crypto_extension()))}")
    except EncryptionError:
        if needed:
            raise


def _without_key(error: duckdb.Error, path: Path, key: str) -> Exception:
    said = str(error).splitlines()[0]
    if "Wrong encryption key" in said:
        return EncryptionError(f"CSP_WAREHOUSE_KEY is not the key that {path} was encrypted with.")
    if "is not encrypted" in said:
        return EncryptionError(
            f"CSP_WAREHOUSE_KEY is set, and {path} is not encrypted. Move it away and run `csp "
            "refresh`: it is made again, encrypted, from the landing zone. Or unset the key."
        )
    return type(error)(said.replace(key, "..."))


def refuse_without_key(error: duckdb.Error, path: Path) -> None:
    """Raise :class:`EncryptionError` where ``error`` is that an encrypted file was given no key."""
    if "Cannot open encrypted database" in str(error):
        raise EncryptionError(
            f"{path} is encrypted. Set CSP_WAREHOUSE_KEY to the key that it was made with."
        ) from error
