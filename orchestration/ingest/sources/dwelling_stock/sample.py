"""Sample of Live Table 100: real figures for the force area in the publisher's ODS layout.

The figures of the 2009 to 2017 sheets (edition of 21 May 2026) are in `sample_live_table_100.csv`
beside this module. The spreadsheet is written as plain OpenDocument parts, stored without
compression, so that its bytes depend on no library's version.
"""

import csv
import io
import zipfile
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

from orchestration.ingest.landing.receipt import SampleDelivery

Cell = str | Decimal
Row = Sequence[Cell]

YEARS = range(2009, 2018)
MEDIA_TYPE = "application/vnd.oasis.opendocument.spreadsheet"
NAMESPACE = "urn:oasis:names:tc:opendocument:xmlns"
XML_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'


def deliveries() -> Iterator[SampleDelivery]:
    """Yield the one delivery of Live Table 100."""
    yield SampleDelivery(
        source="dwelling_stock",
        quarter=date(2018, 4, 1),
        received_at=datetime(2018, 7, 14, 9),
        nature="real",
        note=(
            "Excerpt: real figures of Live Table 100 (edition of 21 May 2026), sheets 2009 to "
            "2017, for England, Cambridgeshire and the six districts, and for sixteen others in "
            "2016 and 2017, in the publisher's layout; titles and notes are worded anew. "
            "Source: Ministry of Housing, Communities and Local Government, "
            "Open Government Licence v3.0."
        ),
        files={"Live_Table_100.ods": open_document(sheets())},
    )


def sheets() -> dict[str, list[Row]]:
    """Return the sheets, in the publisher's order, as rows of text and number cells."""
    with (Path(__file__).parent / "sample_live_table_100.csv").open(
        encoding="utf-8", newline=""
    ) as stream:
        facts = list(csv.DictReader(stream))
    by_year = {year: [row for row in facts if row["year"] == str(year)] for year in YEARS}
    return {
        "Contents": _contents_sheet(),
        "Cover": _cover_sheet(),
        "Notes": _notes_sheet(),
        **{str(year): _year_sheet(year, rows) for year, rows in by_year.items()},
    }


def _contents_sheet() -> list[Row]:
    listed = [(Decimal(year), f"Dwellings by tenure on 31 March {year}") for year in YEARS]
    return [
        ("Dwelling stock, Table 100: excerpt for one force area",),
        ("One table is on this sheet.",),
        ("Worksheet name", "Worksheet contents"),
        ("Cover sheet", "Where the figures are from"),
        ("Notes", "What the note references mean"),
        *listed,
    ]


def _cover_sheet() -> list[Row]:
    return [
        ("Cover sheet",),
        ("Dwelling stock by tenure and district: excerpt of Live Table 100",),
        ("Back to contents",),
        ("Figures: edition of 21 May 2026\nOpen Government Licence v3.0",),
        ("Background",),
        ("Only England, Cambridgeshire and some districts are here; figures are unchanged.",),
    ]


def _notes_sheet() -> list[Row]:
    return [
        ("Notes",),
        ("One table is on this sheet.",),
        ("Back to contents",),
        ("Note", "Note explanation", "Note location"),
        ("[x]", "Not available.", Decimal(2009)),
        ("[note 2]", "Registered providers only.", "2009, 2010, 2011"),
        ("[note 5]", "Returns of some authorities are known to be incomplete.", "2010 onwards"),
    ]


def _year_sheet(year: int, facts: Sequence[dict[str, str]]) -> list[Row]:
    references = " [note 2]" if year <= 2011 else ""
    return [
        (f"Table 100: dwellings by tenure and district, excerpt, {year}{references}",),
        ("One table is on this sheet; note references are explained on the Notes sheet.",),
        ("Back to contents",),
        _header(year),
        *[_body_row(year, row) for row in facts],
    ]


def _header(year: int) -> Row:
    """Return the column headings, which the publisher changed in 2010 and 2012."""
    provider = "Housing association" if year <= 2011 else "Private Registered Provider"
    other = "Other public sector" if year == 2009 else "Other public sector [note 5]"
    tenures = ("Local Authority", provider, other, "Private sector", "Total")
    if year == 2009:
        return ("Old ONS code", "LA Code", "Local Authority Name", "Region", *tenures)
    if year <= 2011:
        return ("ONS code", "LA code", "Local Authority Name", "Region", *tenures)
    return ("DCLG code", "Current\nONS code", "Area", *tenures)


def _body_row(year: int, row: dict[str, str]) -> Row:
    measures = ("local_authority", "registered_provider", "other_public_sector")
    values = [_value(row[name]) for name in (*measures, "private_sector", "total")]
    if year == 2009:
        return (row["old_ons_code"], row["la_code"], row["area"], row["region"], *values)
    if year <= 2011:
        return (row["ons_code"], row["la_code"], row["area"], row["region"], *values)
    return (row["la_code"], row["ons_code"], row["area"], *values)


def _value(text: str) -> Cell:
    """Keep a marker such as `[x]` as text; a figure keeps every digit as published."""
    return text if text.startswith("[") else Decimal(text)


def open_document(content: dict[str, list[Row]]) -> bytes:
    """Return an OpenDocument spreadsheet of the given sheets, always the same bytes.

    Source of the format: OASIS Open Document Format for Office Applications 1.2, parts 1 and 3.
    """
    tables = "".join(_table(name, rows) for name, rows in content.items())
    body = f"<office:body><office:spreadsheet>{tables}</office:spreadsheet></office:body>"
    parts = {
        "mimetype": MEDIA_TYPE,
        "content.xml": _part("document-content", body),
        "styles.xml": _part("document-styles", "<office:styles/>"),
        "meta.xml": _part("document-meta", "<office:meta/>"),
        "META-INF/manifest.xml": _manifest(),
    }
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        for name, text in parts.items():
            entry = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            entry.create_system = 3  # the same on every platform
            archive.writestr(entry, text.encode())
    return stream.getvalue()


def _part(root: str, body: str) -> str:
    spaces = "".join(
        f' xmlns:{prefix}="{NAMESPACE}:{prefix}:1.0"' for prefix in ("office", "table", "text")
    )
    tag = f"office:{root}"
    return f'{XML_HEAD}<{tag}{spaces} office:version="1.2">{body}</{tag}>\n'


def _manifest() -> str:
    entries = [("/", MEDIA_TYPE)]
    entries += [(name, "text/xml") for name in ("content.xml", "styles.xml", "meta.xml")]
    lines = "".join(
        f'<manifest:file-entry manifest:full-path="{path}" manifest:media-type="{media_type}"/>'
        for path, media_type in entries
    )
    space = f'xmlns:manifest="{NAMESPACE}:manifest:1.0"'
    tag = "manifest:manifest"
    return f'{XML_HEAD}<{tag} {space} manifest:version="1.2">{lines}</{tag}>\n'


def _table(name: str, rows: Sequence[Row]) -> str:
    width = max(len(row) for row in rows)
    lines = "".join(
        f"<table:table-row>{''.join(_cell(cell) for cell in row)}</table:table-row>\n"
        for row in rows
    )
    return (
        f"<table:table table:name={quoteattr(name)}>"
        f'<table:table-column table:number-columns-repeated="{width}"/>\n{lines}</table:table>\n'
    )


def _cell(value: Cell) -> str:
    if value == "":
        return "<table:table-cell/>"
    if isinstance(value, Decimal):
        return (
            f'<table:table-cell office:value-type="float" office:value="{value}">'
            f"<text:p>{value:,.0f}</text:p></table:table-cell>"
        )
    paragraphs = "".join(f"<text:p>{escape(line)}</text:p>" for line in value.split("\n"))
    return f'<table:table-cell office:value-type="string">{paragraphs}</table:table-cell>'
