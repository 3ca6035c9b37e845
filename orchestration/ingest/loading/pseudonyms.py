"""Pseudonyms, which replace a person's identifiers in the warehouse.

A pseudonym is HMAC-SHA-256 of the kind of identifier and the identifier in its one normal form, so
that the same PNC identifier gives the same pseudonym in every source, and the same digits of
another kind give another one. Without the key nobody can make or test a pseudonym. With another key
a person would get another pseudonym, so the warehouse keeps a fingerprint of its key and accepts no
other. Method and reasons: docs/privacy.md.
"""

import hmac
import os
import re
import secrets
import stat
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from orchestration.config.key_strength import weakness
from orchestration.config.settings import Settings
from orchestration.errors import PseudonymKeyError
from orchestration.ingest.checking.contract import Contract
from orchestration.warehouse.control_schema import ensure_control

_DIGEST = "sha256"
_LONGEST_KEY = 4096
_PNC = re.compile(r"(\d{4}|\d{2})/(\d{1,7})([A-Z])")
_PNC_UNBROKEN = re.compile(r"(\d{4})(\d{7})([A-Z])")
_FIRST_YEAR_OF_LAST_CENTURY = 50
"""Two digits of a PNC year from this on are of the 1900s. Fixed: a pseudonym must never change."""

_REBUILD = (
    "With another key nobody would be met again, so nothing is loaded. Put the key back that the "
    "warehouse was loaded with; where it is lost, move the warehouse away and run `csp refresh`: "
    "everything is loaded again from the landing zone, with the new key (docs/privacy.md)."
)


def normalised(kind: str, identifier: str) -> str:
    """Return the one form of an identifier, however a supplier wrote it.

    Capitals, without spaces and separators; of a PNC identifier (``kind`` ``pnc``) the year has
    four digits and the number seven, so that ``17/123A`` is ``2017/0000123A``.
    """
    plain = "".join(unicodedata.normalize("NFKC", identifier).upper().split())
    if kind == "pnc":
        unhyphened = plain.replace("-", "")
        found = _PNC.fullmatch(unhyphened) or _PNC_UNBROKEN.fullmatch(unhyphened)
        if found:
            year, number, letter = found.groups()
            return f"{_full_year(year)}/{number:0>7}{letter}"
    return "".join(sign for sign in plain if sign.isalnum()) or plain


def _full_year(year: str) -> str:
    if len(year) == 4:
        return year
    return ("19" if int(year) >= _FIRST_YEAR_OF_LAST_CENTURY else "20") + year


@dataclass(frozen=True)
class Pseudonyms:
    """Makes pseudonyms with one key; the key shows in no text form of it."""

    key: bytes = field(repr=False)

    @property
    def fingerprint(self) -> str:
        """Sixteen hexadecimal digits that tell keys apart and nothing about them."""
        return hmac.digest(self.key, b"CSP Warehouse: fingerprint of the key", _DIGEST).hex()[:16]

    def of(self, kind: str, identifiers: Iterable[str | None]) -> list[str | None]:
        """Return the pseudonyms of identifiers of one kind: 64 hexadecimal digits; None of None."""
        made: dict[str | None, str | None] = {None: None}
        return [
            made[one] if one in made else made.setdefault(one, self._made(kind, one or ""))
            for one in identifiers
        ]

    def _made(self, kind: str, identifier: str) -> str:
        message = f"{kind}\0{normalised(kind, identifier)}".encode()
        return hmac.digest(self.key, message, _DIGEST).hex()


def throwaway_pseudonyms() -> Pseudonyms:
    """Return pseudonyms of a key that nobody keeps, for checks whose database is thrown away."""
    return Pseudonyms(secrets.token_bytes(32))


def pseudonyms_for(
    contract: Contract, settings: Settings, connection: duckdb.DuckDBPyConnection
) -> Pseudonyms:
    """Return the pseudonyms of this warehouse, and keep the fingerprint of its key in it.

    A source without identifiers needs no key, and gets none of the warehouse's.

    The key is ``CSP_PSEUDONYM_KEY``, or else that of the owner's file ``pseudonym.key`` under
    ``CSP_HOME``, which is made with a random key where the warehouse has none yet. Raises
    :class:`PseudonymKeyError` where the key is missing, open to others, or another one than the
    warehouse was loaded with.
    """
    if not contract.identifiers:
        return throwaway_pseudonyms()
    return warehouse_pseudonyms(settings, connection)


def rounding_secret(settings: Settings, connection: duckdb.DuckDBPyConnection) -> bytes:
    """Return the secret from which the draws of rounded counts follow, made of the same key.

    Raises :class:`PseudonymKeyError` as :func:`pseudonyms_for` does.
    """
    key = warehouse_pseudonyms(settings, connection).key
    return hmac.digest(key, b"CSP Warehouse: rounding of small counts", _DIGEST)


def warehouse_pseudonyms(settings: Settings, connection: duckdb.DuckDBPyConnection) -> Pseudonyms:
    """Return the pseudonyms of this warehouse, and keep the fingerprint of its key in it."""
    ensure_control(connection)
    known = _known_fingerprint(connection)
    pseudonyms = Pseudonyms(_key(settings, known))
    if known is None:
        connection.execute("insert into control.pseudonym_key values (?)", [pseudonyms.fingerprint])
    else:
        _refuse_other(settings, known, pseudonyms)
    return pseudonyms


def _refuse_other(settings: Settings, known: str, pseudonyms: Pseudonyms) -> None:
    if known != pseudonyms.fingerprint:
        where = "CSP_PSEUDONYM_KEY" if settings.pseudonym_key else str(settings.pseudonym_key_file)
        raise PseudonymKeyError(
            f"The key in {where} (fingerprint {pseudonyms.fingerprint}) is not the one that the "
            f"warehouse was loaded with (fingerprint {known}). {_REBUILD}"
        )


def key_fault(settings: Settings, connection: duckdb.DuckDBPyConnection) -> str | None:
    """Say what is wrong with the key of the pseudonyms, or None; no key is made.

    A warehouse that nothing about people was loaded into has none yet.
    """
    try:
        known = _known_fingerprint(connection)
    except duckdb.CatalogException:
        known = None
    if known is None:
        return None
    try:
        _refuse_other(settings, known, Pseudonyms(_key(settings, known)))
    except PseudonymKeyError as error:
        return str(error)
    return None


def _known_fingerprint(connection: duckdb.DuckDBPyConnection) -> str | None:
    rows = connection.execute("select fingerprint from control.pseudonym_key").fetchall()
    return str(rows[0][0]) if rows else None


def _key(settings: Settings, known: str | None) -> bytes:
    if settings.pseudonym_key:
        return settings.pseudonym_key.get_secret_value().encode()
    path = settings.pseudonym_key_file
    if not os.path.lexists(path):
        if known:
            raise PseudonymKeyError(
                f"The key of the pseudonyms (fingerprint {known}) is missing: CSP_PSEUDONYM_KEY is "
                f"not set and there is no {path}. {_REBUILD}"
            )
        _make_key(path)
    key = _read_key(path)
    if not key:
        raise PseudonymKeyError(f"{path} is empty. {_REBUILD}")
    if why := weakness(key):
        raise PseudonymKeyError(
            f"The key in {path} is weak: {why}, so it can be guessed and the pseudonyms undone. "
            f"{_REBUILD}"
        )
    return key.encode()


def _read_key(path: Path) -> str:
    """Read a key from the owner's own file.

    Raises :class:`PseudonymKeyError` for a link, for what is not a file, and for a file that is
    open to others or another user's.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise PseudonymKeyError(
            f"{path} cannot be read ({error.strerror}). It must be a file of its own, not a link."
        ) from error
    state = os.fstat(handle)
    if not stat.S_ISREG(state.st_mode):
        # A folder cannot even be opened as a file.
        os.close(handle)
        raise PseudonymKeyError(f"{path} is not a file. Put the key back as a file.")
    with os.fdopen(handle, "rb") as file:
        if state.st_uid != os.geteuid() or state.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise PseudonymKeyError(
                f"{path} belongs to another user, or can be opened by others than its owner. "
                "Whoever read it can undo the pseudonyms. Close it (chown and chmod 600 "
                f"{path}) and, if it may have been read, make a new key (docs/privacy.md)."
            )
        return file.read(_LONGEST_KEY).decode("ascii", "replace").strip()


def _make_key(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o711)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(f"{secrets.token_hex(32)}\n")
        file.flush()
        os.fsync(file.fileno())
