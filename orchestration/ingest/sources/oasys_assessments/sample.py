"""Synthetic sample of offender assessments, as a workbook of the kind that OASys extracts come in.

The people and their answers are made in the sample of `probation_caseload`, because the same people
are in both extracts. The workbook is written as plain Office Open XML parts, stored without
compression, so that its bytes depend on no library's version.
"""

import io
import zipfile
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from xml.sax.saxutils import escape

from orchestration.ingest.landing.receipt import SampleDelivery
from orchestration.ingest.sources.probation_caseload.sample_later_people import (
    crc_august_2018,
    crc_november_2018,
    nps_august_2018,
    nps_november_2018,
)
from orchestration.ingest.sources.probation_caseload.sample_people import (
    FORCE,
    PATHWAYS,
    Person,
    crc_february_2017,
    nps_february_2017,
)

Cell = str | date
Row = Sequence[Cell]

SHEET = "OASys extract"
SECTIONS = (
    "3 Accommodation",
    "4 Education, training and employability",
    "5 Financial management and income",
    "6 Relationships",
    "7 Lifestyle and associates",
    "8 Drug misuse",
    "9 Alcohol misuse",
    "10 Emotional well-being",
    "11 Thinking and behaviour",
    "12 Attitudes",
)
HEADER = (
    "CRN", "PNC ID", "District of residence", "Sex", "Main offence", "Assessment completed",
    *SECTIONS,
)  # fmt: skip
XML_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
OFFICE = "http://schemas.openxmlformats.org"
MAIN = f"{OFFICE}/spreadsheetml/2006/main"
RELATIONS = f"{OFFICE}/officeDocument/2006/relationships"
PACKAGE = f"{OFFICE}/package/2006"
SHEET_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
# Day zero of a workbook's dates.
EPOCH = date(1899, 12, 30)


def deliveries() -> Iterator[SampleDelivery]:
    """Yield both providers' snapshots of February 2017 and of August and November 2018."""
    yield _delivery(
        date(2017, 1, 1),
        datetime(2017, 4, 5, 9),
        "Synthetic: no row is a real person. Needs add up to Tables 3, 4 and 6 and to the "
        "pathways of Figure 5. Not from the assessment, and made up: Finance among acquisitive "
        "offenders, because Table 6 repeats another row there; how many offenders of the "
        "Community Rehabilitation Company had no assessment outside Fenland; three unanswered "
        "questions; and how many of the National Probation Service's were assessed, but for "
        "Fenland (69), East Cambridgeshire (27) and South Cambridgeshire (54), which the "
        "percentages give away. Peterborough's 64 of 331 is the one number with which the "
        "printed total for drugs (56%) can be had at all, and is unlikely to be what it was. "
        "The text's 21% without geography and 24% without an assessment are not aimed at.",
        (crc_february_2017(), nps_february_2017()),
    )
    later = "Synthetic: no row is a real person. All numbers are made up."
    yield _delivery(
        date(2018, 7, 1),
        datetime(2018, 10, 4, 9),
        later,
        (crc_august_2018(), nps_august_2018()),
    )
    yield _delivery(
        date(2018, 10, 1),
        datetime(2019, 1, 7, 9),
        later,
        (crc_november_2018(), nps_november_2018()),
    )


def _delivery(
    quarter: date, received_at: datetime, note: str, snapshots: Sequence[Sequence[Person]]
) -> SampleDelivery:
    return SampleDelivery(
        source="oasys_assessments",
        quarter=quarter,
        received_at=received_at,
        nature="synthetic",
        note=note,
        files={
            f"oasys_{people[0].provider.lower()}_{people[0].snapshot}.xlsx": workbook(
                [("About this extract", about()), (SHEET, sheet(people))]
            )
            for people in snapshots
        },
    )


def about() -> list[Row]:
    """Return the rows of the sheet that says what the extract is."""
    return [
        ("Offending-related needs: extract of completed assessments",),
        ("One row a person on the caseload; answers are blank where none was completed.",),
        ("Synthetic: no row is a real person.",),
    ]


def sheet(people: Sequence[Person]) -> list[Row]:
    """Return the extract's rows of cells: what it is of, then a header, then one row a person."""
    return [
        ("Provider", people[0].provider),
        ("Snapshot date", people[0].snapshot),
        ("Police force area", FORCE),
        (),
        HEADER,
        *[_row(person) for person in sorted(people, key=lambda one: one.crn)],
    ]


def _row(person: Person) -> Row:
    answers = person.needs or ("",) * len(PATHWAYS)
    return (
        person.crn, person.pnc_id, person.residence, person.sex, person.main_offence,
        person.assessed or "", *answers,
    )  # fmt: skip


def workbook(sheets: Sequence[tuple[str, Sequence[Row]]]) -> bytes:
    """Return an XLSX workbook of the given sheets, always the same bytes.

    Source of the format: ECMA-376, Office Open XML File Formats, part 1.
    """
    texts: dict[str, int] = {}
    bodies = [_worksheet(rows, texts) for _, rows in sheets]
    numbers = range(1, len(sheets) + 1)
    parts = {
        "[Content_Types].xml": _content_types(len(sheets)),
        "_rels/.rels": _relationships([("officeDocument", "xl/workbook.xml")]),
        "xl/workbook.xml": _book([name for name, _ in sheets]),
        "xl/_rels/workbook.xml.rels": _relationships(
            [
                *[("worksheet", f"worksheets/sheet{number}.xml") for number in numbers],
                ("styles", "styles.xml"),
                ("sharedStrings", "sharedStrings.xml"),
            ]
        ),
        "xl/styles.xml": _styles(),
        "xl/sharedStrings.xml": _shared_strings(texts),
        **{f"xl/worksheets/sheet{number}.xml": bodies[number - 1] for number in numbers},
    }
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        for name, text in parts.items():
            entry = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            entry.create_system = 3  # the same on every platform
            archive.writestr(entry, text.encode())
    return stream.getvalue()


def _worksheet(rows: Sequence[Row], texts: dict[str, int]) -> str:
    lines = "".join(
        f'<row r="{number}">{"".join(_cells(number, row, texts))}</row>\n'
        for number, row in enumerate(rows, start=1)
    )
    return f'{XML_HEAD}<worksheet xmlns="{MAIN}"><sheetData>\n{lines}</sheetData></worksheet>'


def _cells(number: int, row: Row, texts: dict[str, int]) -> Iterator[str]:
    """Yield the cells that hold something; a text is stored once in the workbook, numbered."""
    for place, value in enumerate(row):
        reference = f"{chr(ord('A') + place)}{number}"
        if isinstance(value, date):
            yield f'<c r="{reference}" s="1"><v>{(value - EPOCH).days}</v></c>'
        elif value:
            text = texts.setdefault(value, len(texts))
            yield f'<c r="{reference}" t="s"><v>{text}</v></c>'


def _shared_strings(texts: dict[str, int]) -> str:
    items = "".join(f"<si><t>{escape(text)}</t></si>\n" for text in texts)
    return f'{XML_HEAD}<sst xmlns="{MAIN}" uniqueCount="{len(texts)}">\n{items}</sst>'


def _styles() -> str:
    """Return two cell styles: plain, and the date format of the reader's own country."""
    return (
        f'{XML_HEAD}<styleSheet xmlns="{MAIN}">'
        '<fonts count="1"><font><sz val="11"/><name val="Arial"/></font></fonts>'
        '<fills count="2"><fill><patternFill patternType="none"/></fill>'
        '<fill><patternFill patternType="gray125"/></fill></fills>'
        '<borders count="1"><border/></borders>'
        '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/>'
        "</cellStyleXfs>"
        '<cellXfs count="2"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>'
        '<xf numFmtId="14" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
        "</cellXfs></styleSheet>"
    )


def _book(names: Sequence[str]) -> str:
    entries = "".join(
        f'<sheet name="{escape(name)}" sheetId="{number}" r:id="rId{number}"/>'
        for number, name in enumerate(names, start=1)
    )
    return (
        f'{XML_HEAD}<workbook xmlns="{MAIN}" xmlns:r="{RELATIONS}">'
        f"<sheets>{entries}</sheets></workbook>"
    )


def _relationships(targets: Sequence[tuple[str, str]]) -> str:
    entries = "".join(
        f'<Relationship Id="rId{number}" Type="{RELATIONS}/{kind}" Target="{target}"/>'
        for number, (kind, target) in enumerate(targets, start=1)
    )
    return f'{XML_HEAD}<Relationships xmlns="{PACKAGE}/relationships">{entries}</Relationships>'


def _content_types(sheets: int) -> str:
    parts = {
        "/xl/workbook.xml": "sheet.main",
        "/xl/styles.xml": "styles",
        "/xl/sharedStrings.xml": "sharedStrings",
        **{f"/xl/worksheets/sheet{number}.xml": "worksheet" for number in range(1, sheets + 1)},
    }
    entries = "".join(
        f'<Override PartName="{name}" ContentType="{SHEET_TYPE}.{kind}+xml"/>'
        for name, kind in parts.items()
    )
    return (
        f'{XML_HEAD}<Types xmlns="{PACKAGE}/content-types">'
        '<Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Default Extension="xml" ContentType="application/xml"/>{entries}</Types>'
    )
