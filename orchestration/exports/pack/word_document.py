"""The pack to edit: a Word document with real headings, captions, header rows and alt text."""

import io
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from docx import Document
from docx.enum.section import WD_ORIENT, WD_SECTION
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm, Pt, RGBColor

from orchestration.exports.charts.chart_text import SYNTHETIC_MARK
from orchestration.exports.deterministic_zip import LANGUAGE, repacked
from orchestration.exports.pack.pack_content import Pack, Shown, general_reference
from orchestration.exports.pack.word_text import add_text
from orchestration.exports.report_definition.table_layout import Grid, is_blocks
from orchestration.exports.texts.pack_texts import ShownText

if TYPE_CHECKING:
    from docx.document import Document as DocumentType
    from docx.section import Section
    from docx.table import Table

    from orchestration.exports.charts.line_charts import Chart

_INK = RGBColor(0x12, 0x43, 0x6D)
_MARGIN = Mm(18)
_PORTRAIT = (Mm(210), Mm(297))
_TEXT_WIDTH = _PORTRAIT[0] - 2 * _MARGIN
_WIDE_TEXT_WIDTH = _PORTRAIT[1] - 2 * _MARGIN
_TALLEST = Mm(200)

_BLOCK_SIZE = 0.6
"""Size of the block of a month, in letters."""

_LETTER_SIZES = (8.5, 8.0, 7.5, 7.0)
"""Sizes of letters of a table in points, from which the largest is taken with which it fits."""

_SHORT_TABLE = 32
"""Rows up to which a table is kept on one page."""

_RULE = "B1B4B6"
_NOTICE_BAR = "B35900"
_NOTICE_GROUND = "FFF4D1"
_AFTER_BORDERS = (
    "w:shd", "w:tabs", "w:suppressAutoHyphens", "w:spacing", "w:ind", "w:contextualSpacing",
    "w:jc", "w:outlineLvl",
)  # fmt: skip
"""What follows the border in the properties of a paragraph, in the order that Word needs."""

_FONT_SIZES = (
    ("Normal", 10.5),
    ("Title", 22),
    ("Heading 1", 16),
    ("Heading 2", 12.5),
    ("Heading 3", 11.5),
    ("Heading 4", 10.5),
    ("Caption", 9.5),
    ("List Bullet", 10.5),
    ("List Number", 10.5),
    ("Quote", 10.5),
    ("Intense Quote", 10.5),
)


def pack_docx(pack: Pack, made: datetime) -> bytes:
    """Return the document of a pack; ``made`` is the date that it carries."""
    document = Document()
    _set_up(document, pack, made)
    document.add_paragraph(pack.title, style="Title")
    if pack.restricted_notice:
        document.add_paragraph(pack.restricted_notice, style="Intense Quote")
    document.add_paragraph(
        f"Tables and figures of the strategic assessment, as at the end of {pack.quarter} "
        f"({pack.as_at})."
    )
    document.add_paragraph(pack.up_to, style="Intense Quote" if pack.outdated else None)
    if pack.synthetic_notice:
        document.add_paragraph(pack.synthetic_notice, style="Intense Quote")
    for text in pack.opening:
        document.add_heading(text.title, level=1)
        _add_text(document, text)
    _add_findings(document, pack)
    for chapter in pack.chapters:
        opens_wide = _opens_wide(chapter.exhibits[0])
        if opens_wide:
            _turn(document, wide=True)
        document.add_heading(chapter.title, level=1)
        if chapter.text:
            _add_text(document, chapter.text)
        for place, shown in enumerate(chapter.exhibits):
            _add_exhibit(document, shown, turned=opens_wide and place == 0)
    document.add_heading("Annex", level=1)
    _add_general_notes(document, pack)
    _add_shorthand(document, pack)
    _add_sources(document, pack)
    content = io.BytesIO()
    document.save(content)
    return repacked(content.getvalue())


def _set_up(document: "DocumentType", pack: Pack, made: datetime) -> None:
    """Set page, styles, language, properties, header and footer."""
    section = document.sections[0]
    section.page_width, section.page_height = _PORTRAIT
    for side in ("left_margin", "right_margin", "top_margin", "bottom_margin"):
        setattr(section, side, _MARGIN)
    _style(document)
    core = document.core_properties
    core.title, core.author, core.language = pack.title, pack.product, LANGUAGE
    core.subject = f"Community safety, {pack.quarter}"
    # A property holds 255 characters at most; the notice itself opens the document.
    mark = f"{SYNTHETIC_MARK}. " if pack.synthetic_notice else ""
    core.comments = " ".join(filter(None, (pack.restricted_notice, mark.strip())))
    core.keywords, core.last_modified_by = "", pack.product
    core.created = core.modified = made
    core.revision = 1
    header = section.header.paragraphs[0]
    header.text = f"{mark}{pack.partnership}, {pack.quarter}"
    header.runs[0].font.size = Pt(8.5)
    if pack.restricted_notice:
        _mark_pages(section, pack.restricted_notice)
    _add_page_number(section)


def _mark_pages(section: "Section", notice: str) -> None:
    """Put the notice of a restricted edition on top of every page; later sections take it over."""
    section.header_distance = Mm(7)
    first = section.header.paragraphs[0]
    marked = first.insert_paragraph_before()
    marked.add_run(notice).bold = True
    for paragraph in (marked, first):
        paragraph.paragraph_format.space_after = Pt(0)
        for run in paragraph.runs:
            run.font.size = Pt(9)


def _style(document: "DocumentType") -> None:
    for name, size in _FONT_SIZES:
        style = document.styles[name]
        style.font.name, style.font.size = "Arial", Pt(size)
        fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
        for kind in ("w:ascii", "w:hAnsi", "w:cs", "w:eastAsia"):
            fonts.set(qn(kind), "Arial")
        for kind in ("w:asciiTheme", "w:hAnsiTheme", "w:cstheme", "w:eastAsiaTheme"):
            fonts.attrib.pop(qn(kind), None)
        if name != "Normal":
            style.font.color.rgb = _INK
    language = OxmlElement("w:lang")
    language.set(qn("w:val"), LANGUAGE)
    properties = document.styles["Normal"].element.get_or_add_rPr()
    properties.append(language)
    for name in ("List Bullet", "List Number", "Quote"):
        document.styles[name].font.color.rgb = None
    _style_notice(document)
    for name in ("Heading 1", "Heading 2", "Caption"):
        paragraphs = document.styles[name].paragraph_format
        paragraphs.keep_with_next = paragraphs.keep_together = True
    document.styles["Caption"].paragraph_format.space_before = Pt(6)
    document.styles["List Bullet"].paragraph_format.keep_together = True
    defaults = document.styles.element.find(qn("w:docDefaults"))
    for found in defaults.iter(qn("w:lang")):
        found.set(qn("w:val"), LANGUAGE)


def _style_notice(document: "DocumentType") -> None:
    """Make the style of notices upright black text on a pale ground, with a bar on its left."""
    style = document.styles["Intense Quote"]
    style.font.italic = style.font.bold = False
    style.font.color.rgb = None
    style.paragraph_format.left_indent = style.paragraph_format.right_indent = Mm(3)
    properties = style.element.get_or_add_pPr()
    for old in properties.findall(qn("w:pBdr")):
        properties.remove(old)
    borders = OxmlElement("w:pBdr")
    borders.append(_line("w:left", _NOTICE_BAR, "36"))
    ground = OxmlElement("w:shd")
    for name, value in (("val", "clear"), ("color", "auto"), ("fill", _NOTICE_GROUND)):
        ground.set(qn(f"w:{name}"), value)
    properties.insert_element_before(borders, *_AFTER_BORDERS)
    properties.insert_element_before(ground, *_AFTER_BORDERS[1:])


def _line(side: str, colour: str, eighths: str) -> Any:
    """Return a line of a border; its width is in eighths of a point."""
    line = OxmlElement(side)
    for name, value in (("val", "single"), ("sz", eighths), ("space", "4"), ("color", colour)):
        line.set(qn(f"w:{name}"), value)
    return line


def _add_page_number(section: "Section") -> None:
    paragraph = section.footer.paragraphs[0]
    paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT
    paragraph.add_run("Page ")
    _add_field(paragraph, " PAGE ", "1")


def _add_field(paragraph: Any, instruction: str, shown: str) -> None:
    """Add a field that Word computes, such as a page number; ``shown`` is its text until then."""
    field = OxmlElement("w:fldSimple")
    field.set(qn("w:instr"), instruction)
    run, text = OxmlElement("w:r"), OxmlElement("w:t")
    text.text = shown
    run.append(text)
    field.append(run)
    paragraph._p.append(field)


def _add_findings(document: "DocumentType", pack: Pack) -> None:
    document.add_heading("Key findings", level=1)
    for group in pack.findings.groups:
        document.add_heading(group.title, level=2)
        for finding in group.findings:
            rounded = ", rounded counts" if finding.rounded else ""
            document.add_paragraph(
                f"{finding.text} ({finding.label}{rounded})", style="List Bullet"
            )
    if not pack.findings.groups:
        document.add_paragraph("This release holds no figures from which findings could be worded.")
    _add_notes(document, pack.findings.notes)


def _add_text(document: "DocumentType", text: ShownText) -> None:
    def add_table(texts: Sequence[Sequence[str]]) -> None:
        _add_table(document, texts, (False,) * len(texts[0]), _TEXT_WIDTH, 8.5)

    add_text(document, text, add_table)


def _opens_wide(shown: Shown) -> bool:
    """Say whether an exhibit is nothing but a wide table, whose headings go with it."""
    return shown.wide and shown.grid is not None and not shown.charts


def _add_exhibit(document: "DocumentType", shown: Shown, *, turned: bool) -> None:
    """Add an exhibit; ``turned`` says that the page is on its side for it already."""
    if _opens_wide(shown) and not turned:
        _turn(document, wide=True)
    document.add_heading(f"{shown.label}: {shown.title}", level=2)
    if shown.reason:
        document.add_paragraph(f"{shown.label}: {shown.reason}.")
        return
    # A chart says itself what it spans, which may be more than the table.
    if shown.scope and not shown.charts:
        document.add_paragraph(shown.scope).paragraph_format.keep_with_next = True
    for chart in shown.charts:
        _add_picture(document, chart)
    if shown.grid:
        _add_grid(document, shown, shown.grid)
    notes = [f"{marker} {meaning}." for marker, meaning in shown.shorthand]
    notes += [*shown.notes, *([shown.more] if shown.more else [])]
    if shown.general:
        notes.append(f"See also {general_reference(shown)} in the annex.")
    source = f"Source: {'; '.join(shown.sources) or 'not named'}."
    _add_notes(document, (*notes, source))
    if shown.wide:
        _turn(document, wide=False)


def _add_notes(document: "DocumentType", notes: Sequence[str]) -> None:
    """Add notes in small print."""
    for number, note in enumerate(notes):
        paragraph = document.add_paragraph(note)
        paragraph.paragraph_format.space_before = Pt(0 if number else 5)
        paragraph.paragraph_format.space_after = Pt(2)
        paragraph.runs[0].font.size = Pt(8.5)


def _add_grid(document: "DocumentType", shown: Shown, grid: Grid) -> None:
    """Add an exhibit's table under its caption, a wide one on a page on its side."""
    if shown.wide and not _opens_wide(shown):
        _turn(document, wide=True)
    scope = f" ({shown.scope})" if shown.scope else ""
    caption = document.add_paragraph(f"{shown.label}: {shown.title}{scope}", style="Caption")
    caption.paragraph_format.keep_with_next = True
    texts = [list(grid.headings)]
    for row in grid.rows:
        heading = f"{row.group}: {row.heading}" if row.group else row.heading
        texts.append(
            [
                heading,
                *(
                    text.replace(" ", "\N{NO-BREAK SPACE}") if figures else text
                    for text, figures in zip(row.cells, grid.numeric, strict=True)
                ),
            ]
        )
    width = _WIDE_TEXT_WIDTH if shown.wide else _TEXT_WIDTH
    size = _LETTER_SIZES[-1] if shown.wide else letter_size(texts, width)
    _add_table(document, texts, (False, *grid.numeric), width, size)


def _turn(document: "DocumentType", *, wide: bool) -> None:
    """Begin a page on its side, or upright again; one that has just begun is turned itself."""
    last = document.sections[-1]
    section = last if _is_empty(document) else document.add_section(WD_SECTION.NEW_PAGE)
    width, height = _PORTRAIT
    section.orientation = WD_ORIENT.LANDSCAPE if wide else WD_ORIENT.PORTRAIT
    section.page_width, section.page_height = (height, width) if wide else (width, height)


def _is_empty(document: "DocumentType") -> bool:
    """Say whether the last section has nothing on it: what it follows is the end of another."""
    *before, _ = document.element.body
    return bool(before) and bool(before[-1].xpath("./w:pPr/w:sectPr"))


def _add_picture(document: "DocumentType", chart: "Chart") -> None:
    picture = document.add_picture(io.BytesIO(chart.png), width=_TEXT_WIDTH)
    if picture.height > _TALLEST:
        picture.width = int(picture.width * _TALLEST / picture.height)
        picture.height = _TALLEST
    properties = picture._inline.docPr
    properties.set("descr", chart.alt)
    properties.set("name", chart.slug)


def _add_table(
    document: "DocumentType",
    texts: Sequence[Sequence[str]],
    numeric: Sequence[bool],
    width: int,
    size: float,
) -> None:
    """Add a table whose first row is its header, repeated on every page."""
    table = document.add_table(rows=len(texts), cols=len(texts[0]))
    table.autofit = False
    _rule(table)
    _narrow_margins(table)
    widths = column_widths(texts, width, size)
    for column, own in zip(table.columns, widths, strict=True):
        column.width = own
    # All cells at once: asking each row for its own takes ten times as long.
    every = iter(table._cells)
    for number, (row, cells) in enumerate(zip(table.rows, texts, strict=True)):
        _keep_row(row, header=number == 0)
        for text, figures, own in zip(cells, numeric, widths, strict=True):
            cell = next(every)
            cell.width = own
            paragraph = cell.paragraphs[0]
            paragraph.paragraph_format.space_after = Pt(0)
            # A short table is on one page; of a long one, its first and its last rows are.
            if number < len(texts) - 1 and (len(texts) <= _SHORT_TABLE or number < 2):
                paragraph.paragraph_format.keep_with_next = True
            if figures:
                paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT
            run = paragraph.add_run(text)
            run.font.size = Pt(size * _BLOCK_SIZE if is_blocks(text) else size)
            run.bold = number == 0 or None


def _rule(table: "Table") -> None:
    """Give a table level rules only, as the page to read has."""
    borders = OxmlElement("w:tblBorders")
    for side in ("top", "bottom", "insideH"):
        borders.append(_line(f"w:{side}", _RULE, "4"))
    table._tbl.tblPr.append(borders)


def _narrow_margins(table: "Table") -> None:
    margins = OxmlElement("w:tblCellMar")
    for side in ("left", "right"):
        margin = OxmlElement(f"w:{side}")
        margin.set(qn("w:w"), "60")
        margin.set(qn("w:type"), "dxa")
        margins.append(margin)
    table._tbl.tblPr.append(margins)


def letter_size(texts: Sequence[Sequence[str]], width: int) -> float:
    """Return the largest size of letters in points with which no word of a table is cut."""
    columns = list(zip(*texts, strict=True))
    fitting = (size for size in _LETTER_SIZES if sum(_least_widths(columns, size)) <= width)
    return next(fitting, _LETTER_SIZES[-1])


def _least_widths(columns: Iterable[Sequence[str]], size: float) -> list[int]:
    """Return the width of each column's longest word."""
    return [
        Pt(max(len(word) for text in column for word in text.split(" ")) * size * 0.62 + 9)
        for column in columns
    ]


def column_widths(texts: Sequence[Sequence[str]], width: int, size: float) -> list[int]:
    """Give each column its longest word, and what is left to those whose texts are longer.

    ``size`` is that of the letters in points; ``width`` and the result are in units of Word.
    """
    columns = list(zip(*texts, strict=True))
    least = _least_widths(columns, size)
    wanted = [
        max(small, Pt(min(max(map(len, column)), 40) * size * 0.55 + 9))
        for small, column in zip(least, columns, strict=True)
    ]
    room = min(width, sum(wanted)) - sum(least)
    if room < 0:
        return [int(small * width / sum(least)) for small in least]
    longing = (sum(wanted) - sum(least)) or 1
    return [
        int(small + (great - small) * room / longing)
        for small, great in zip(least, wanted, strict=True)
    ]


def _keep_row(row: Any, *, header: bool) -> None:
    properties = row._tr.get_or_add_trPr()
    properties.append(OxmlElement("w:cantSplit"))
    if header:
        properties.append(OxmlElement("w:tblHeader"))


def _add_general_notes(document: "DocumentType", pack: Pack) -> None:
    if pack.general_notes:
        document.add_heading("General notes", level=2)
    for note in pack.general_notes:
        document.add_paragraph(f"{note.number}. {', '.join(note.labels)}: {note.text}")


def _add_shorthand(document: "DocumentType", pack: Pack) -> None:
    document.add_heading("Shorthand", level=2)
    document.add_paragraph(
        "A cell without a value holds a marker that says why. Nothing missing is shown as 0."
    )
    for marker, meaning in pack.shorthand:
        document.add_paragraph(f"{marker} {meaning}", style="List Bullet")


def _add_sources(document: "DocumentType", pack: Pack) -> None:
    document.add_heading("Sources", level=2)
    headings = ("Source", "Supplier", "Licence", "Data", "Deliveries")
    document.add_paragraph("Deliveries that the figures were made from", style="Caption")
    _add_table(document, [headings, *pack.sources], (False,) * 5, _TEXT_WIDTH, 8)
    document.add_paragraph()
    document.add_paragraph(f"{pack.product}, release of {pack.quarter}.")
