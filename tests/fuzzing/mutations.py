"""Mutations of a file's bytes, of its cells, and of the XML and records within it.

Each takes a source of chance (of Hypothesis, so that a failure is shrunk) and returns new bytes.
"""

import io
import json
import re
import struct
import zipfile
import zlib
from collections.abc import Callable
from random import Random

NASTY = (
    "",
    " ",
    "7\u00b2",
    "\u0663",
    "\u2167",
    "9" * 6000,
    "-" + "9" * 400,
    "0." + "0" * 400 + "1",
    "1e99999",
    "-1e-99999",
    "1e308",
    "NaN",
    "-Infinity",
    "-0",
    "0x10",
    "1_000",
    "2147483648",
    "9223372036854775808",
    "1.7976931348623157e309",
    "0000-00-00",
    "0000-01-01",
    "10000-01-01",
    "99999-12-31",
    "-0001-06-30",
    "1900-02-29",
    "2018-13-45",
    "2018-04-01T24:00:00",
    "\u0662\u0660\u0661\u0668-04-01",
    "true",
    "null",
    "None",
    "#N/A",
    "=1+1",
    "@SUM(A1)",
    "'; drop table raw.x; --",
    "%s%n{0}{}",
    "../../etc/passwd",
    "XFD1048576",
    "ZZZZZZZ1",
    "A0",
    "1048577",
    "16385",
    "\x00",
    "\x1f",
    "\x7f",
    "\x85",
    "\u2028",
    "\u202e",
    "\ufeff",
    "\ufffe",
    "\U0001f600",
    "e\u0301" * 50,
    "\r",
    "\n",
    "\r\n\r\n",
    '"',
    '""',
    '"\n',
    ",",
    "," * 5000,
    ";",
    "\t",
    "<",
    "&",
    "&#0;",
    "&#xD800;",
    "&unknown;",
    "]]>",
    "<!--",
    "<![CDATA[",
    "A" * 70_000,
)
"""Texts that break what reads numbers, days, names, delimiters and markup."""

RAW_BYTES = (
    b"\xed\xa0\x80",
    b"\xff\xfe",
    b"\xff",
    b"\xc0\x80",
    b"\xf4\x90\x80\x80",
    b"\x00" * 9,
    b"\x1a",
    b"PK\x03\x04",
    b"PK\x05\x06" + b"\xff" * 18,
)
"""Bytes that are not text, or another kind of file."""

Mutation = Callable[[bytes, Random], bytes]


def mutated(content: bytes, kind: str, random: Random) -> bytes:
    """Return a file with one to three mutations that suit its kind, or any file."""
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        content = random.choice((*BY_KIND.get(kind, ()), *ANY))(content, random)
    return content


# --- of any bytes ----------------------------------------------------------------------------


def flipped(content: bytes, random: Random) -> bytes:
    out = bytearray(content)
    for _ in range(random.choice((1, 1, 2, 8, 40))):
        if out:
            out[random.randrange(len(out))] = random.randrange(256)
    return bytes(out)


def spliced(content: bytes, random: Random) -> bytes:
    """Delete, double or move a part."""
    first, last = sorted(random.randrange(len(content) + 1) for _ in range(2))
    place = random.randrange(len(content) + 1)
    part = content[first:last]
    return random.choice(
        (
            content[:first],
            content[:first] + content[last:],
            content[:place] + part + content[place:],
            part,
        )
    )


def inserted(content: bytes, random: Random) -> bytes:
    place = random.randrange(len(content) + 1)
    return content[:place] + nasty_bytes(random) + content[place:]


def recoded(content: bytes, random: Random) -> bytes:
    """Write a text in another encoding, as far as it is a text."""
    code = random.choice(("utf-16", "utf-16-le", "utf-32", "utf-7", "cp1252", "cp037", "utf-8-sig"))
    return content.decode("utf-8", "replace").encode(code, "replace")


def nasty_bytes(random: Random) -> bytes:
    if random.random() < 0.2:
        return random.choice(RAW_BYTES)
    return random.choice(NASTY).encode("utf-8", "surrogatepass")


# --- of delimited text -----------------------------------------------------------------------


def other_cell(content: bytes, random: Random) -> bytes:
    lines = content.split(b"\n")
    line = random.randrange(len(lines))
    cells = lines[line].split(b",")
    cells[random.randrange(len(cells))] = nasty_bytes(random)
    lines[line] = b",".join(cells)
    return b"\n".join(lines)


def other_lines(content: bytes, random: Random) -> bytes:
    lines = content.split(b"\n")
    line = random.randrange(len(lines))
    return b"\n".join(
        random.choice(
            (
                lines[:line] + lines[line + 1 :],
                lines[:line] + lines[line:] * 3,
                random.sample(lines, len(lines)),
                [lines[line]] * 300,
                [lines[0], *lines[:line]],
            )
        )
    )


# --- of zipped XML ---------------------------------------------------------------------------


def other_part(content: bytes, random: Random) -> bytes:
    """Mutate one part of a zip archive, which stays a good archive."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = {name: archive.read(name) for name in archive.namelist()}
    except (zipfile.BadZipFile, zlib.error, RuntimeError, EOFError, ValueError, OSError):
        return flipped(content, random)
    if not parts:
        return content
    name = random.choice(sorted(parts))
    if random.random() < 0.1:
        del parts[name]
    else:
        parts[name] = random.choice((*XML, *XML, *XML, *ANY))(parts[name], random)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for part, text in parts.items():
            archive.writestr(part, text)
    return out.getvalue()


def other_match(pattern: bytes) -> Mutation:
    """Return a mutation that replaces one match's first group by a nasty text."""
    compiled = re.compile(pattern)

    def mutation(content: bytes, random: Random) -> bytes:
        found = list(compiled.finditer(content))
        if not found:
            return content
        first, last = random.choice(found).span(1)
        return content[:first] + nasty_bytes(random) + content[last:]

    return mutation


def nested(content: bytes, random: Random) -> bytes:
    """Put an element many times into itself."""
    found = list(re.finditer(rb"<([\w:]+)[^<>]*>", content))
    if not found:
        return content
    element = random.choice(found)
    times = random.choice((3, 300, 20_000))
    return content[: element.start()] + element.group() * times + content[element.end() :]


def doubled(content: bytes, random: Random) -> bytes:
    """Repeat an element's start and all up to another's."""
    places = [found.start() for found in re.finditer(rb"<", content)]
    if len(places) < 2:
        return content
    first, last = sorted(random.sample(places, 2))
    return content[:first] + content[first:last] * random.choice((2, 50)) + content[last:]


ENTITIES = b'<!DOCTYPE x [<!ENTITY a "%s">%s]>' % (
    b"a" * 100,
    b"".join(b'<!ENTITY %c "%s">' % (98 + one, b"&%c;" % (97 + one) * 30) for one in range(8)),
)


def with_entities(content: bytes, random: Random) -> bytes:
    """Declare entities that hold each other, and name the largest."""
    place = random.choice([found.end() for found in re.finditer(rb">", content)] or [0])
    return ENTITIES + content[:place] + b"&i;" + content[place:]


# --- of the records of an XLS ----------------------------------------------------------------


def other_record(content: bytes, random: Random) -> bytes:
    """Change a number in a record of the workbook's stream, or the record's kind or length."""
    start = content.find(b"\x09\x08\x10\x00\x00\x06")
    places = []
    while 0 <= start < len(content) - 4:
        _, length = struct.unpack_from("<HH", content, start)
        places.append((start, length))
        start += 4 + length
    if not places:
        return flipped(content, random)
    start, length = random.choice(places)
    out = bytearray(content)
    form = random.choice(("<H", "<I"))
    value = random.choice((0, 1, 255, 256, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF))
    place = start + random.choice((0, 2, 4 + random.randrange(max(length, 1))))
    place = min(place, len(out) - 4)
    struct.pack_into(form, out, place, value & (0xFFFF if form == "<H" else 0xFFFFFFFF))
    return bytes(out)


# --- of JSON ---------------------------------------------------------------------------------


def other_value(content: bytes, random: Random) -> bytes:
    """Replace a value, or a name, of a JSON text by a nasty one."""
    text = content.decode("utf-8", "replace")
    values = list(re.finditer(r'"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?|\{[^{}]*\}|\[[^\[\]]*\]', text))
    if not values:
        return content
    found = random.choice(values)
    new = random.choice(
        (
            json.dumps(random.choice(NASTY)),
            '"\\ud800"',
            '"\\u0000"',
            "9" * 6000,
            "1e999999",
            "NaN",
            "null",
            "true",
            "[" * random.choice((3, 100_000)),
            '{"a":' * 5000,
            "[]",
            "{}",
        )
    )
    return (text[: found.start()] + new + text[found.end() :]).encode("utf-8", "replace")


ANY: tuple[Mutation, ...] = (flipped, spliced, inserted, recoded)
XML: tuple[Mutation, ...] = (
    other_match(rb'="([^"]*)"'),
    other_match(rb">([^<>]+)<"),
    other_match(rb"<([\w:]+)"),
    nested,
    doubled,
    with_entities,
)
BY_KIND: dict[str, tuple[Mutation, ...]] = {
    "csv": (other_cell, other_cell, other_cell, other_lines),
    "xlsx": (other_part,) * 12,
    "ods": (other_part,) * 12,
    "xls": (other_record,) * 12,
    "geojson": (other_value,) * 8,
    "zip": (other_part, flipped, flipped),
    "gz": (flipped,),
}
