"""The analyst's text in the Word document: headings, paragraphs, lists, tables and links."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from docx.enum.text import WD_BREAK, WD_COLOR_INDEX
from docx.opc.constants import RELATIONSHIP_TYPE
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm, Pt, RGBColor

from orchestration.exports.texts.pack_texts import ShownText
from orchestration.exports.texts.text_blocks import (
    Block,
    Heading,
    Paragraph,
    Span,
    TextList,
    TextTable,
)

if TYPE_CHECKING:
    from docx.document import Document as DocumentType
    from docx.text.paragraph import Paragraph as WordParagraph

_LINK = RGBColor(0x12, 0x43, 0x6D)
_DEEPEST_LIST = 3
_LOWEST_HEADING = 4

AddTable = Callable[[Sequence[Sequence[str]]], None]


def add_text(document: "DocumentType", text: ShownText, add_table: AddTable) -> None:
    """Add a part's text under its heading; ``add_table`` adds a table in the style of the pack."""
    if text.written_for:
        written = document.add_paragraph(
            f"Written for {text.written_for}. Its figures are those of this release."
        )
        written.runs[0].font.size = Pt(8.5)
    for notice in text.notices:
        document.add_paragraph(notice, style="Intense Quote")
    for block in text.blocks:
        _add_block(document, block, add_table, 0)


def _add_block(document: "DocumentType", block: Block, add_table: AddTable, depth: int) -> None:
    if isinstance(block, Heading):
        level = min(1 + block.level, _LOWEST_HEADING)
        _add_spans(document.add_paragraph(style=f"Heading {level}"), block.spans)
    elif isinstance(block, TextList):
        _add_list(document, block, add_table, depth + 1)
    elif isinstance(block, TextTable):
        add_table([["".join(span.text for span in cell) for cell in row] for row in block.rows])
        document.add_paragraph()
    else:
        _add_paragraph(document, block, depth)


def _add_paragraph(document: "DocumentType", block: Paragraph, depth: int) -> None:
    paragraph = document.add_paragraph(style="Quote" if block.is_quote else None)
    if depth:
        paragraph.paragraph_format.left_indent = Mm(6 * depth)
    _add_spans(paragraph, block.spans)


def _add_list(document: "DocumentType", block: TextList, add_table: AddTable, depth: int) -> None:
    level = min(depth, _DEEPEST_LIST)
    name = f"List {'Number' if block.is_ordered else 'Bullet'}{f' {level}' if level > 1 else ''}"
    numbering = _numbering(document, name, block.start) if block.is_ordered else None
    for entry in block.entries:
        first, *rest = entry or (Paragraph(()),)
        paragraph = document.add_paragraph(style=name)
        if numbering is not None:
            properties = paragraph._p.get_or_add_pPr().get_or_add_numPr()
            properties.get_or_add_ilvl().val = 0
            properties.get_or_add_numId().val = numbering
        if isinstance(first, Paragraph):
            _add_spans(paragraph, first.spans)
        else:
            rest = [first, *rest]
        for one in rest:
            _add_block(document, one, add_table, depth)


def _numbering(document: "DocumentType", style: str, start: int) -> int:
    """Return the id of a new numbering like that of a style, which begins with ``start``.

    Without it, every numbered list of a document would continue the one before.
    """
    numbering: Any = document.part.numbering_part.element
    own: Any = document.styles[style].element
    number = own.pPr.numPr.numId.val
    abstract = next(one for one in numbering.num_lst if one.numId == number).abstractNumId.val
    new = numbering.add_num(abstract)
    new.add_lvlOverride(ilvl=0).add_startOverride(start)
    return int(new.numId)


def _add_spans(paragraph: "WordParagraph", spans: Sequence[Span]) -> None:
    for span in spans:
        if span.is_break:
            paragraph.add_run().add_break(WD_BREAK.LINE)
            continue
        run = paragraph.add_run(span.text)
        run.bold, run.italic = span.bold or None, span.italic or None
        if span.code:
            run.font.name = "Courier New"
        if span.is_notice:
            run.font.highlight_color = WD_COLOR_INDEX.YELLOW
        if span.link:
            run.font.color.rgb, run.font.underline = _LINK, True
            _link(paragraph, run, span.link)


def _link(paragraph: "WordParagraph", run: Any, address: str) -> None:
    """Put a run into a link to an address."""
    part: Any = paragraph.part
    link = OxmlElement("w:hyperlink")
    link.set(qn("r:id"), part.relate_to(address, RELATIONSHIP_TYPE.HYPERLINK, is_external=True))
    link.append(run._r)
    paragraph._p.append(link)
