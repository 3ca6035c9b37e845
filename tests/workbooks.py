"""Workbooks written element by element, for what no writer of workbooks would write.

A cell is given as text, a number, a date, or :class:`Raw` for the element itself.
"""

import io
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from xml.sax.saxutils import escape

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
STRICT = "http://purl.oclc.org/ooxml/spreadsheetml/main"
STRICT_RELATIONS = "http://purl.oclc.org/ooxml/officeDocument/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
_OASIS = "urn:oasis:names:tc:opendocument:xmlns"
_CALC = "urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0"


@dataclass(frozen=True)
class Raw:
    """A cell's element; ``{r}`` is its name (A1) and ``{p}`` the prefix of its namespace."""

    element: str


Sheets = Mapping[str, Sequence[Any]]


def letters(place: int) -> str:
    return (letters(place // 26 - 1) if place >= 26 else "") + chr(ord("A") + place % 26)


def xlsx(
    sheets: Sheets,
    *,
    prefix: str = "",
    strict: bool = False,
    hidden_rows: Sequence[int] = (),
    hidden_columns: Sequence[int] = (),
) -> bytes:
    """Return an XLSX; hidden rows and columns of every sheet are counted from 0."""
    p = f"{prefix}:" if prefix else ""
    space = STRICT if strict else MAIN
    relations = STRICT_RELATIONS if strict else RELATIONS
    of = f'xmlns{":" + prefix if prefix else ""}="{space}"'
    listed = "".join(
        f'<{p}sheet name="{escape(name)}" sheetId="{number}" rel:id="rId{number}"/>'
        for number, name in enumerate(sheets, start=1)
    )
    parts = {
        "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}"><Relationship Id="rId1" '
        f'Type="{relations}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<{p}workbook {of} xmlns:rel="{relations}">'
        f"<{p}sheets>{listed}</{p}sheets></{p}workbook>",
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}">'
        + "".join(
            f'<Relationship Id="rId{number}" Type="{relations}/worksheet" '
            f'Target="worksheets/sheet{number}.xml"/>'
            for number in range(1, len(sheets) + 1)
        )
        + f'<Relationship Id="rId99" Type="{relations}/styles" Target="styles.xml"/>'
        "</Relationships>",
        "xl/styles.xml": f'<styleSheet xmlns="{space}"><cellXfs><xf numFmtId="0"/>'
        '<xf numFmtId="14"/><xf numFmtId="22"/></cellXfs></styleSheet>',
        "[Content_Types].xml": "<Types "
        'xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>',
    }
    columns = "".join(
        f'<{p}col min="{one + 1}" max="{one + 1}" hidden="1"/>' for one in hidden_columns
    )
    for number, grid in enumerate(sheets.values(), start=1):
        rows = "".join(
            f'<{p}row r="{row + 1}" hidden="{int(row in hidden_rows)}">'
            + "".join(
                _xlsx_cell(cell, f"{letters(place)}{row + 1}", p) for place, cell in enumerate(line)
            )
            + f"</{p}row>"
            for row, line in enumerate(grid)
        )
        parts[f"xl/worksheets/sheet{number}.xml"] = (
            f"<{p}worksheet {of}>{f'<{p}cols>{columns}</{p}cols>' if columns else ''}"
            f"<{p}sheetData>{rows}</{p}sheetData></{p}worksheet>"
        )
    return _zipped(parts)


def _xlsx_cell(cell: Any, name: str, p: str) -> str:
    if isinstance(cell, Raw):
        return cell.element.format(r=name, p=p)
    if cell is None or cell == "":
        return ""
    if isinstance(cell, date):
        moment = cell if isinstance(cell, datetime) else datetime(cell.year, cell.month, cell.day)
        serial = (moment - datetime(1899, 12, 30)).total_seconds() / 86_400
        return (
            f'<{p}c r="{name}" s="{1 if serial.is_integer() else 2}"><{p}v>{serial}</{p}v></{p}c>'
        )
    if isinstance(cell, int | float):
        return f'<{p}c r="{name}"><{p}v>{cell}</{p}v></{p}c>'
    text = f'<{p}t xml:space="preserve">{escape(str(cell))}</{p}t>'
    return f'<{p}c r="{name}" t="inlineStr"><{p}is>{text}</{p}is></{p}c>'


_seen = {True: "filter", False: "visible"}


def ods(sheets: Sheets, *, hidden_rows: Sequence[int] = ()) -> bytes:
    """Return an ODS; hidden rows of every sheet are counted from 0."""
    tables = "".join(
        f'<table:table table:name="{escape(name)}">'
        + "".join(
            f'<table:table-row table:visibility="{_seen[row in hidden_rows]}">'
            + "".join(_ods_cell(cell) for cell in line)
            + "</table:table-row>"
            for row, line in enumerate(grid)
        )
        + "</table:table>"
        for name, grid in sheets.items()
    )
    content = (
        f'<office:document-content xmlns:office="{_OASIS}:office:1.0" '
        f'xmlns:table="{_OASIS}:table:1.0" xmlns:text="{_OASIS}:text:1.0" '
        f'xmlns:calcext="{_CALC}" office:version="1.2"><office:body><office:spreadsheet>'
        f"{tables}</office:spreadsheet></office:body></office:document-content>"
    )
    return _zipped(
        {
            "mimetype": "application/vnd.oasis.opendocument.spreadsheet",
            "content.xml": content,
            "META-INF/manifest.xml": f'<manifest xmlns="{_OASIS}:manifest:1.0"/>',
        }
    )


def _ods_cell(cell: Any) -> str:
    if isinstance(cell, Raw):
        return cell.element
    if cell is None or cell == "":
        return "<table:table-cell/>"
    if isinstance(cell, date):
        return (
            f'<table:table-cell office:value-type="date" office:date-value="{cell.isoformat()}">'
            f"<text:p>{cell:%d/%m/%Y}</text:p></table:table-cell>"
        )
    if isinstance(cell, int | float):
        return (
            f'<table:table-cell office:value-type="float" office:value="{cell}">'
            f"<text:p>{cell}</text:p></table:table-cell>"
        )
    paragraphs = "".join(f"<text:p>{escape(part)}</text:p>" for part in str(cell).split("\n"))
    return f'<table:table-cell office:value-type="string">{paragraphs}</table:table-cell>'


def xls(sheets: Sheets) -> bytes:
    """Return an XLS; ``Raw("#N/A")`` is a cell of that error."""
    import xlwt

    book = xlwt.Workbook()
    days = xlwt.easyxf(num_format_str="DD/MM/YYYY")
    for name, grid in sheets.items():
        sheet = book.add_sheet(name)
        for row, line in enumerate(grid):
            for column, cell in enumerate(line):
                if isinstance(cell, Raw):
                    sheet.row(row).set_cell_error(
                        column, {"#N/A": "#N/A!"}.get(cell.element, cell.element)
                    )
                elif isinstance(cell, date):
                    sheet.write(row, column, cell, days)
                elif cell not in (None, ""):
                    sheet.write(row, column, cell)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def _zipped(parts: Mapping[str, str]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return stream.getvalue()


WRITERS: dict[str, Callable[..., bytes]] = {"xlsx": xlsx, "ods": ods, "xls": xls}
