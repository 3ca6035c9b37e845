"""One pass over a delimited text file's bytes: is it whole, is it text, does it have its header?

DuckDB reads the rows. This module looks for faults that DuckDB would not report (an unterminated
quote, a file cut short, a lost header), at the speed of reading the disk.
"""

import codecs
import csv
import difflib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from orchestration.errors import readable
from orchestration.ingest.checking.faults import Fault, SubmissionError, given
from orchestration.ingest.checking.headings import known_headings
from orchestration.ingest.landing.landing_zone import LandedFile

_CHUNK = 1 << 20
_LONGEST_LINE = 4 << 20
_LONGEST_HEADER = 100_000
_MOST_HEADER_LINES = 20
_NEWLINE, _QUOTE, _FIRST_BEYOND_ASCII = ord("\n"), ord('"'), 128
_BINARY_KINDS = {
    b"PK\x03\x04": "a zip archive or an Excel workbook",
    b"\xd0\xcf\x11\xe0": "an Excel workbook (or a password-protected one)",
    b"%PDF": "a PDF",
    b"\x1f\x8b": "a gzip archive",
}


@dataclass(frozen=True)
class ScannedFile:
    """A delimited text file that may be read: its header and how many rows it must yield.

    Headings are as the contract spells them, or as in the file where it has none such.
    """

    file: LandedFile
    header: tuple[str, ...]
    rows: int
    header_lines: int = 1


def line_that_ends_otherwise(path: Path) -> int | None:
    """Return the first line whose line break is not as the first one; none if all are alike."""
    with path.open("rb") as file:
        first = file.readline().endswith(b"\r\n")
        for number, line in enumerate(file, start=2):
            if line.endswith(b"\n") and line.endswith(b"\r\n") != first:
                return number
    return None


@dataclass
class _Tally:
    newlines: int = 0
    quotes: int = 0
    ends_open: bool = False


def scan_csv(
    file: LandedFile, headings: Collection[str], *, may_be_empty: bool = False
) -> ScannedFile:
    """Check one CSV file that must have the columns ``headings``.

    Returns its header (as in the file) and the number of its lines below it, blank ones too
    (:func:`blank_lines` counts those, where it matters). Raises
    :class:`SubmissionError` for a file that is empty, not UTF-8 text, without its header, without a
    required column, with an unclosed quote, or cut short in its last line.
    """
    refuse_binary(file)
    tally = _tally(file)
    found, header_lines = _first_record(file)
    header = tuple(title or "" for title in known_headings(found, headings))
    _check_header(file, header, headings)
    if tally.quotes % 2:
        raise SubmissionError(_unclosed_quote(file))
    rows = tally.newlines - header_lines + (1 if tally.ends_open else 0)
    if rows < 1 and not may_be_empty:
        raise SubmissionError(no_rows(file))
    if tally.ends_open:
        _refuse_cut_short(file, tally, header)
    return ScannedFile(file, header, rows, header_lines)


def refuse_binary(file: LandedFile) -> None:
    """Raise :class:`SubmissionError` for a file that is empty or no text, whatever its name."""
    if file.bytes == 0:
        raise SubmissionError(
            Fault("not empty", "The file is empty (0 bytes). Send it again.", file=file.name)
        )
    with file.path.open("rb") as handle:
        start = handle.read(4)
    for magic, kind in _BINARY_KINDS.items():
        if start.startswith(magic):
            raise SubmissionError(
                Fault(
                    "is a CSV",
                    f"The file is {kind}, not a CSV. Save it as CSV (UTF-8).",
                    file=file.name,
                )
            )
    if start[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        raise SubmissionError(
            Fault("is UTF-8", "The file is UTF-16 text. Save it as CSV (UTF-8).", file=file.name)
        )


def _tally(file: LandedFile) -> _Tally:
    tally = _Tally()
    decoder = codecs.getincrementaldecoder("utf-8")()
    with file.path.open("rb") as handle:
        while chunk := handle.read(_CHUNK):
            signs = np.frombuffer(chunk, np.uint8)
            if decoder.getstate()[0] or not _is_plain(signs):
                _check_text(file, decoder, chunk, tally)
            tally.newlines += int(np.count_nonzero(signs == _NEWLINE))
            tally.quotes += int(np.count_nonzero(signs == _QUOTE))
            tally.ends_open = not chunk.endswith(b"\n")
        _check_text(file, decoder, b"", tally, final=True)
    return tally


def _is_plain(signs: NDArray[np.uint8]) -> bool:
    """Say whether all bytes are ASCII, and none a zero."""
    return bool(signs.max() < _FIRST_BEYOND_ASCII and signs.min() > 0)


def _check_text(
    file: LandedFile,
    decoder: codecs.IncrementalDecoder,
    chunk: bytes,
    tally: _Tally,
    *,
    final: bool = False,
) -> None:
    pending = decoder.getstate()[0]
    try:
        decoder.decode(chunk, final)
    except UnicodeDecodeError as error:
        line = tally.newlines + 1 + chunk[: max(error.start - len(pending), 0)].count(b"\n")
        raise SubmissionError(
            Fault(
                "is UTF-8",
                f"A character is not UTF-8 (byte 0x{error.object[error.start]:02x}). "
                "Save the file as CSV (UTF-8).",
                file=file.name,
                line=line,
            )
        ) from error
    if b"\x00" in chunk:
        line = tally.newlines + 1 + chunk[: chunk.index(b"\x00")].count(b"\n")
        raise SubmissionError(
            Fault(
                "is UTF-8",
                "The file holds binary zeros, as a damaged transfer leaves. Send it again.",
                file=file.name,
                line=line,
            )
        )


def read_header(file: LandedFile) -> tuple[str, ...]:
    """Return the headings. Raises :class:`SubmissionError` for Mac line ends."""
    return _first_record(file)[0]


def _first_record(file: LandedFile) -> tuple[tuple[str, ...], int]:
    """Return the headings and the number of lines that they are on: one may be quoted over two."""
    with file.path.open("rb") as handle:
        lines = [handle.readline(_LONGEST_HEADER)]
        while lines[-1] and len(lines) < _MOST_HEADER_LINES and b"".join(lines).count(b'"') % 2:
            lines.append(handle.readline(_LONGEST_HEADER))
    first = lines[0].decode("utf-8-sig", "replace")
    if "\r" in first.rstrip("\r\n"):
        raise SubmissionError(
            Fault(
                "has line ends",
                "Lines end in a lone carriage return. Save the file with "
                "Windows or Unix line ends.",
                file=file.name,
                line=1,
            )
        )
    text = b"".join(lines).decode("utf-8-sig", "replace")
    whole = text if text.count('"') % 2 == 0 else first
    try:
        fields = next(csv.reader(whole.splitlines(keepends=True)), [])
    except csv.Error:  # a heading far too long, which is none that is wanted
        fields = []
    kept = len(lines) if whole is text else 1
    return tuple(" ".join(field.split()) for field in fields), kept


def _check_header(file: LandedFile, header: tuple[str, ...], expected: Collection[str]) -> None:
    if not set(header) & set(expected):
        if sign := _other_separator(file, expected):
            raise SubmissionError(
                Fault(
                    "has commas between values",
                    f"The values are separated by {sign}. Save the file as CSV with commas.",
                    file=file.name,
                    line=1,
                )
            )
        raise SubmissionError(
            Fault(
                "has a header",
                "The first line is not the header. It must name the columns: "
                f"{', '.join(expected)}.",
                file=file.name,
                line=1,
            )
        )
    if twice := sorted({name for name in header if name and header.count(name) > 1}):
        raise SubmissionError(
            Fault(
                "columns are named once",
                "A column occurs twice. Remove one of them.",
                file=file.name,
                line=1,
                column=twice[0],
            )
        )
    unknown = [name for name in header if name and name not in expected]
    if missing := [name for name in expected if name not in header]:
        raise SubmissionError([_missing(file, name, unknown) for name in missing])


def _other_separator(file: LandedFile, expected: Collection[str]) -> str | None:
    """Return the name of the separator between headings, if it is not a comma."""
    with file.path.open("rb") as handle:
        line = handle.readline(_LONGEST_HEADER).decode("utf-8-sig", "replace")
    for sign, said in {";": "semicolons", "\t": "tabs", "|": "vertical lines"}.items():
        found = known_headings([part.strip(' "\r\n') for part in line.split(sign)], expected)
        if len(set(found) & set(expected)) > 1:
            return said
    return None


def _missing(file: LandedFile, name: str, unknown: list[str]) -> Fault:
    near = difflib.get_close_matches(name, unknown, n=1, cutoff=0.5)
    hint = (
        f" There is a column '{given(readable(near[0]))}'; if that is it, name it '{name}'."
        if near
        else ""
    )
    return Fault(
        "has every column",
        f"The column '{name}' is missing.{hint}",
        file=file.name,
        line=1,
        column=name,
    )


def no_rows(file: LandedFile) -> Fault:
    """Return the fault of a file that holds its header and nothing else."""
    return Fault(
        "has rows",
        "The file has a header and nothing below it. Send it with its rows. Where there was "
        "nothing to report of registrations or charges, name the file after who reports and the "
        "quarter (northshire-2018-07-to-2018-09.csv).",
        file=file.name,
    )


def blank_lines(file: LandedFile) -> int:
    """Count the lines that hold nothing; DuckDB skips them."""
    return sum(1 for piece, _, starts in _pieces(file) if starts and not piece.strip(b"\r\n"))


def first_odd_quote(file: LandedFile) -> int | None:
    """Return the first line that holds an odd number of quotation marks, or None."""
    quotes, held = 0, 1
    for piece, number, starts in _pieces(file):
        if starts:
            if quotes % 2:
                return held
            quotes, held = 0, number
        quotes += piece.count(b'"')
    return held if quotes % 2 else None


def _pieces(file: LandedFile) -> Iterator[tuple[bytes, int, bool]]:
    """Yield the lines of a file with their number, a very long line in pieces.

    The last value says whether the piece starts its line.
    """
    number, starts = 1, True
    with file.path.open("rb") as handle:
        while piece := handle.readline(_CHUNK):
            yield piece, number, starts
            starts = piece.endswith(b"\n")
            number += starts


def _unclosed_quote(file: LandedFile) -> Fault:
    return Fault(
        "quotes are closed",
        'A quotation mark (") is opened and not closed, which would swallow the rows below. '
        "Close it, or double it if it belongs to the text.",
        file=file.name,
        line=first_odd_quote(file),
    )


def _last_line(file: LandedFile) -> str:
    with file.path.open("rb") as handle:
        handle.seek(max(0, file.bytes - _LONGEST_LINE))
        return handle.read().rsplit(b"\n", 1)[-1].decode("utf-8", "replace")


def _refuse_cut_short(file: LandedFile, tally: _Tally, header: tuple[str, ...]) -> None:
    try:
        fields = next(csv.reader([_last_line(file)]), [])
    except csv.Error:  # a value of great length, which the reading of rows will tell
        return
    if len(fields) < len(header):
        number = tally.newlines + 1
        raise SubmissionError(
            Fault(
                "is whole",
                f"The file stops in the middle of its last line ({len(fields)} of "
                f"{len(header)} columns): it was cut short. Send it again.",
                file=file.name,
                line=number,
                column=header[len(fields)],
            )
        )
