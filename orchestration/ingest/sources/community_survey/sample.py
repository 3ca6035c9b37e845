"""Sample of the community survey: synthetic responses of waves, two calibrated to the assessment.

`sample_margins.csv` holds how many gave each answer in each town and wave: whole numbers that round
to every percentage that the assessment prints, with the few skipped answers that this takes. The
split of the first wave's 237 responses by town is not printed; it is one of those that fit.
Huntingdonshire's survey and the wave of October to December 2018 are made up. Fenland ran no
survey from July to September 2018, so that its series has a gap.
The rows, and what each respondent answered together, are drawn at random within these margins.

The workbook is written as plain Office Open XML parts, stored without compression, so that its
bytes depend on no library's version.
"""

import csv
import io
import random
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

from orchestration.config.quarters import quarter_end
from orchestration.ingest.landing.receipt import SampleDelivery

Cell = str | int | date | None
Margins = Mapping[tuple[str, str], Sequence[tuple[str, int]]]

HEADER = (
    "Response ID",
    "Response date",
    "Which town do you live in or nearest to?",
    "Age",
    "Sex",
    "Postcode (first part)",
    "How safe do you feel where you live?",
    "Is there a problem with Crime & ASB where you live?",
    "Which issues have directly affected you in the past three months?",
    "What should the CSP focus on?",
    "Any other comments",
)
AGES = {
    "Under 18": 2,
    "18-25": 6,
    "26-35": 13,
    "36-45": 20,
    "46-55": 23,
    "56-65": 19,
    "66 and over": 14,
    "Prefer not to say": 2,
    None: 1,
}
SEXES = {"Female": 56, "Male": 41, "Prefer not to say": 2, None: 1}
POSTCODES = {
    "Chatteris": ("PE16",),
    "March": ("PE15",),
    "Whittlesey": ("PE7",),
    "Wisbech": ("PE13", "PE13", "PE14"),
    "Huntingdon": ("PE29",),
    "Ramsey": ("PE26",),
    "St Ives": ("PE27",),
    "St Neots": ("PE19",),
}
SURVEYS = {
    "Fenland": ("Chatteris", "March", "Whittlesey", "Wisbech"),
    "Huntingdonshire": ("Huntingdon", "Ramsey", "St Ives", "St Neots"),
}
COMMENTS = (
    "Synthetic comment: more patrols in the evening please.",
    "Synthetic comment: cars race past the school.",
    "Synthetic comment: the street lights were mended quickly, thank you.",
    "Synthetic comment: I do not go into town after dark.",
)
NOTE = (
    "Synthetic: drawn by a seeded generator in the survey's layout, so that the counts by town "
    "round to the percentages of the published assessment. No row describes a person."
)
LATER_NOTE = (
    "Synthetic: drawn by a seeded generator in the survey's layout. All numbers are made up, and "
    "no row describes a person."
)
CALIBRATED_UNTIL = date(2018, 4, 1)
# Waves, with when their workbooks came and whose they are.
WAVES = {
    date(2018, 1, 1): (datetime(2018, 4, 12, 9), ("Fenland",)),
    date(2018, 4, 1): (datetime(2018, 7, 11, 9), ("Fenland",)),
    date(2018, 7, 1): (datetime(2018, 10, 15, 9), ("Huntingdonshire",)),
    date(2018, 10, 1): (datetime(2019, 1, 16, 9), ("Fenland", "Huntingdonshire")),
}
FIRST_RESPONSE_ID = {
    ("Fenland", date(2018, 1, 1)): 61_200_000,
    ("Fenland", date(2018, 4, 1)): 64_700_000,
    ("Huntingdonshire", date(2018, 7, 1)): 67_100_000,
    ("Fenland", date(2018, 10, 1)): 71_400_000,
    ("Huntingdonshire", date(2018, 10, 1)): 72_900_000,
}
MEDIA_TYPES = "application/vnd.openxmlformats-officedocument.spreadsheetml"
SPACES = "http://schemas.openxmlformats.org"
XML_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'


def deliveries() -> Iterator[SampleDelivery]:
    """Yield a delivery for each wave of 2018, a workbook for each partnership that asked."""
    for wave, (received_at, surveys) in WAVES.items():
        yield SampleDelivery(
            source="community_survey",
            quarter=wave,
            received_at=received_at,
            nature="synthetic",
            note=_note(wave),
            files={
                _file_name(survey, wave): workbook(
                    {"Responses": _response_sheet(survey, wave), "About": _about_sheet(wave)}
                )
                for survey in surveys
            },
        )


def _note(wave: date) -> str:
    return NOTE if wave <= CALIBRATED_UNTIL else LATER_NOTE


def _file_name(survey: str, wave: date) -> str:
    # There was one survey only to begin with.
    whose = "" if wave <= CALIBRATED_UNTIL else f"{survey.lower()}-"
    return f"community-survey-{whose}{wave:%Y-%m}-to-{quarter_end(wave):%Y-%m}.xlsx"


def _response_sheet(survey: str, wave: date) -> list[Sequence[Cell]]:
    return [
        (f"{survey} Community Safety survey",),
        ("Survey period", wave, quarter_end(wave)),
        ("Synthetic responses: no row describes a person.",),
        (),
        HEADER,
        *responses(survey, wave),
    ]


def _about_sheet(wave: date) -> list[Sequence[Cell]]:
    return [
        ("A blank answer was skipped by the respondent.",),
        ("Issues are those ticked, joined by semicolons.",),
        (_note(wave),),
    ]


def responses(survey: str, wave: date) -> list[Sequence[Cell]]:
    """Return one row of cells for each response of a wave, in the order in which they came."""
    whose = "" if wave <= CALIBRATED_UNTIL else f"{survey} "
    draw = random.Random(f"community survey {whose}{wave.isoformat()}")
    margins = _margins(wave)
    towns = [
        town for town, question in margins if question == "responses" and town in SURVEYS[survey]
    ]
    answers = [
        (town, *row)
        for town in towns
        for row in zip(*_town_answers(draw, margins, town), strict=True)
    ]
    draw.shuffle(answers)
    length = (quarter_end(wave) - wave).days + 1
    days = sorted(wave + timedelta(days=draw.randrange(length)) for _ in answers)
    number = FIRST_RESPONSE_ID[survey, wave]
    rows: list[Sequence[Cell]] = []
    for day, (town, feel_safe, problem, issues, focus) in zip(days, answers, strict=True):
        number += draw.randrange(3, 900)
        about = (_weighted(draw, AGES), _weighted(draw, SEXES), draw.choice(POSTCODES[town]))
        comment = draw.choice(COMMENTS) if draw.random() < 0.12 else None
        rows.append((number, day, town, *about, feel_safe, problem, issues, focus, comment))
    return rows


def _margins(wave: date) -> Margins:
    """Return the answers of a wave with their counts, by town and question."""
    found: dict[tuple[str, str], list[tuple[str, int]]] = {}
    with (Path(__file__).parent / "sample_margins.csv").open(
        encoding="utf-8", newline=""
    ) as stream:
        for row in csv.DictReader(stream):
            if row["wave_start"] == wave.isoformat():
                key = (row["town"], row["question"])
                found.setdefault(key, []).append((row["answer"], int(row["responses"])))
    return found


def _town_answers(draw: random.Random, margins: Margins, town: str) -> list[list[str | None]]:
    """Return a town's answers to the four questions, each a list over its respondents."""
    ((_, size),) = margins[town, "responses"]
    columns = [
        _dealt(draw, margins[town, question], size)
        for question in ("feel_safe", "crime_asb_problem", "csp_focus")
    ]
    columns.insert(2, _dealt_several(draw, margins[town, "issues_experienced"], size))
    return columns


def _dealt(draw: random.Random, counts: Sequence[tuple[str, int]], size: int) -> list[str | None]:
    """Deal one answer each; whoever is left without one has skipped the question."""
    dealt: list[str | None] = [answer for answer, count in counts for _ in range(count)]
    dealt += [None] * (size - len(dealt))
    draw.shuffle(dealt)
    return dealt


def _dealt_several(
    draw: random.Random, counts: Sequence[tuple[str, int]], size: int
) -> list[str | None]:
    """Deal several issues each, to everybody but those with none and those who skipped ('').

    Going round the table gives each at least one issue and none the same issue twice, as long as
    the issues together are at least as many as the people, and none has more takers than people.
    """
    takers_of = dict(counts)
    unaffected, skipped = takers_of.pop("No issues"), takers_of.pop("")
    affected = size - unaffected - skipped
    hands: list[list[str]] = [[] for _ in range(affected)]
    place = 0
    for issue, takers in takers_of.items():
        for _ in range(takers):
            hands[place % affected].append(issue)
            place += 1
    dealt: list[str | None] = ["; ".join(hand) for hand in hands]
    dealt += ["No issues"] * unaffected + [None] * skipped
    draw.shuffle(dealt)
    return dealt


def _weighted(draw: random.Random, weights: Mapping[str | None, int]) -> str | None:
    return draw.choices(list(weights), list(weights.values()))[0]


def workbook(sheets: Mapping[str, Sequence[Sequence[Cell]]]) -> bytes:
    """Return an Office Open XML workbook of the given sheets, always the same bytes.

    Source of the format: ECMA-376, part 1 (SpreadsheetML) and part 2 (packaging).
    """
    texts: dict[str, int] = {}
    for rows in sheets.values():
        for cell in (cell for row in rows for cell in row if isinstance(cell, str)):
            texts.setdefault(cell, len(texts))
    parts = {
        "[Content_Types].xml": _content_types(len(sheets)),
        "_rels/.rels": _relations([("officeDocument", "xl/workbook.xml")]),
        "xl/workbook.xml": _workbook_part(list(sheets)),
        "xl/_rels/workbook.xml.rels": _relations(
            [("worksheet", f"worksheets/sheet{place}.xml") for place in range(1, len(sheets) + 1)]
            + [("styles", "styles.xml"), ("sharedStrings", "sharedStrings.xml")]
        ),
        "xl/styles.xml": _styles(),
        "xl/sharedStrings.xml": _shared_strings(texts),
    }
    for place, rows in enumerate(sheets.values(), start=1):
        parts[f"xl/worksheets/sheet{place}.xml"] = _sheet_part(rows, texts)
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        for name, text in parts.items():
            entry = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            entry.create_system = 3  # the same on every platform
            archive.writestr(entry, (XML_HEAD + text).encode())
    return stream.getvalue()


def _content_types(sheets: int) -> str:
    kinds = {
        "xl/workbook.xml": "sheet.main",
        "xl/styles.xml": "styles",
        "xl/sharedStrings.xml": "sharedStrings",
    } | {f"xl/worksheets/sheet{place}.xml": "worksheet" for place in range(1, sheets + 1)}
    overrides = "".join(
        f'<Override PartName="/{part}" ContentType="{MEDIA_TYPES}.{kind}+xml"/>'
        for part, kind in kinds.items()
    )
    relations = "application/vnd.openxmlformats-package.relationships+xml"
    return (
        f'<Types xmlns="{SPACES}/package/2006/content-types">'
        f'<Default Extension="rels" ContentType="{relations}"/>{overrides}</Types>'
    )


def _relations(targets: Sequence[tuple[str, str]]) -> str:
    kind = f"{SPACES}/officeDocument/2006/relationships"
    lines = "".join(
        f'<Relationship Id="rId{place}" Type="{kind}/{name}" Target="{target}"/>'
        for place, (name, target) in enumerate(targets, start=1)
    )
    return f'<Relationships xmlns="{SPACES}/package/2006/relationships">{lines}</Relationships>'


def _workbook_part(names: Sequence[str]) -> str:
    lines = "".join(
        f'<sheet name={quoteattr(name)} sheetId="{place}" r:id="rId{place}"/>'
        for place, name in enumerate(names, start=1)
    )
    return (
        f'<workbook xmlns="{SPACES}/spreadsheetml/2006/main" '
        f'xmlns:r="{SPACES}/officeDocument/2006/relationships"><sheets>{lines}</sheets></workbook>'
    )


def _styles() -> str:
    """Return two cell styles: general, and a date (built-in number format 14)."""
    return (
        f'<styleSheet xmlns="{SPACES}/spreadsheetml/2006/main">'
        '<fonts count="1"><font><sz val="11"/><name val="Calibri"/></font></fonts>'
        '<fills count="1"><fill><patternFill patternType="none"/></fill></fills>'
        '<borders count="1"><border/></borders>'
        '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/>'
        '</cellStyleXfs><cellXfs count="2"><xf numFmtId="0" xfId="0"/>'
        '<xf numFmtId="14" xfId="0" applyNumberFormat="1"/></cellXfs></styleSheet>'
    )


def _shared_strings(texts: Mapping[str, int]) -> str:
    items = "".join(f"<si><t>{escape(text)}</t></si>" for text in texts)
    return f'<sst xmlns="{SPACES}/spreadsheetml/2006/main">{items}</sst>'


def _sheet_part(rows: Sequence[Sequence[Cell]], texts: Mapping[str, int]) -> str:
    lines = "".join(
        f'<row r="{line}">'
        + "".join(
            _cell(f"{chr(ord('A') + place)}{line}", cell, texts) for place, cell in enumerate(row)
        )
        + "</row>\n"
        for line, row in enumerate(rows, start=1)
    )
    return (
        f'<worksheet xmlns="{SPACES}/spreadsheetml/2006/main">'
        f"<sheetData>{lines}</sheetData></worksheet>"
    )


def _cell(place: str, value: Cell, texts: Mapping[str, int]) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return f'<c r="{place}" t="s"><v>{texts[value]}</v></c>'
    if isinstance(value, date):
        # A workbook counts days from 30 December 1899.
        return f'<c r="{place}" s="1"><v>{(value - date(1899, 12, 30)).days}</v></c>'
    return f'<c r="{place}"><v>{value}</v></c>'
