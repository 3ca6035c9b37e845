"""``python -m tests.compare_releases BEFORE AFTER``: what two homes published and exported.

Each is a ``CSP_HOME`` in which the same quarters were refreshed, by two versions of the product.
Prints every published table whose columns or rows differ, and every exported file whose bytes do;
ends with 1 where any does. What says when and by what a release was built is left out: the tables
``main.release`` and ``main.method_digests``, and the files with the time of the release.
"""

import difflib
import re
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import duckdb

OF_THE_BUILD = {"main.release", "main.method_digests"}
BUILT_AT = re.compile(rb"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?(Z|\+00:00| UTC)?")
CHECKSUMS = {"SHA256SUMS", "manifest.json"}


def differing_tables(before: Path, after: Path) -> Iterator[str]:
    """Yield what differs between two published files, table by table."""
    with duckdb.connect() as connection:
        connection.execute(f"attach '{before}' as one (read_only)")
        connection.execute(f"attach '{after}' as other (read_only)")
        tables = {name: _tables(connection, name) for name in ("one", "other")}
        for table in sorted(tables["one"].keys() | tables["other"].keys()):
            columns, new_columns = tables["one"].get(table), tables["other"].get(table)
            if columns != new_columns:
                yield f"{table}: columns {columns} are now {new_columns}"
            elif table not in OF_THE_BUILD:
                gone, new = (_rows_only_in(connection, table, *pair) for pair in _PAIRS)
                if gone or new:
                    yield f"{table}: {gone} rows are gone, {new} are new"


_PAIRS = (("one", "other"), ("other", "one"))


def _tables(connection: duckdb.DuckDBPyConnection, name: str) -> dict[str, list[str]]:
    rows = connection.execute(
        "select schema_name || '.' || table_name, list(column_name || ' ' || data_type "
        "order by column_index) from duckdb_columns() where database_name = ? group by all",
        [name],
    ).fetchall()
    return dict(rows)


def _rows_only_in(connection: duckdb.DuckDBPyConnection, table: str, one: str, other: str) -> int:
    ((rows,),) = connection.execute(
        f"select count(*) from (from {one}.{table} except all from {other}.{table})"
    ).fetchall()
    return int(rows)


def differing_files(before: Path, after: Path) -> Iterator[str]:
    """Yield what differs between two folders of exports, file by file."""
    names = {
        path.relative_to(folder)
        for folder in (before, after)
        for path in folder.rglob("*")
        if path.is_file() and path.name not in CHECKSUMS
    }
    for name in sorted(names):
        one, other = before / name, after / name
        if not (one.is_file() and other.is_file()):
            yield f"{name}: only {'before' if one.is_file() else 'after'}"
        elif (lines := _changed_lines(one, other)) is not None:
            yield f"{name}: {lines} lines differ"


def _changed_lines(one: Path, other: Path) -> int | None:
    """Return how many lines differ; none where all that differs is when it was built."""
    texts = [_texts(path) for path in (one, other)]
    if texts[0] == texts[1]:
        return None
    before, after = (text.decode("utf-8", "replace").split("\n") for text in texts)
    changed = difflib.unified_diff(before, after)
    return sum(line.startswith(("+", "-")) and line[:3] not in ("+++", "---") for line in changed)


def _texts(path: Path) -> bytes:
    """Return a file's content without the time of the release; of an office file, its members."""
    if path.suffix in (".xlsx", ".docx"):
        with zipfile.ZipFile(path) as archive:
            content = b"\n".join(
                name.encode() + b"\n" + archive.read(name).replace(b"><", b">\n<")
                for name in sorted(archive.namelist())
            )
    else:
        content = path.read_bytes()
    return BUILT_AT.sub(b"", content)


def main(before: str, after: str) -> int:
    """Compare every quarter that either home has published; return the code to end with."""
    homes = Path(before), Path(after)
    quarters = sorted({path.parent.name for home in homes for path in _released(home)})
    found = False
    for quarter in quarters:
        files = [home / "published" / quarter / "csp.duckdb" for home in homes]
        exports = [home / "exports" / quarter for home in homes]
        for line in (*differing_tables(*files), *differing_files(*exports)):
            found = True
            print(f"{quarter} {line}")
    print(f"Compared {len(quarters)} quarters: {'there are differences' if found else 'the same'}.")
    return int(found)


def _released(home: Path) -> list[Path]:
    return list((home / "published").glob("*-*-*/csp.duckdb"))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
