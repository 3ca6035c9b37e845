"""A text as blocks, which the page and the document each give a form.

Markdown is read as CommonMark with tables. HTML is shown as it is typed, and so is a link that does
not lead to http, https or mailto; comments are left out. References become figures after the
Markdown is read, so that no figure is read as Markdown.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

from orchestration.exports.texts.references import Placed, replaced
from orchestration.exports.texts.text_files import without_comments

_FIRST, _LAST = "\ue000", "\ue001"
"""Private characters around the number of a reference while the Markdown is read."""

_PLACE = re.compile(f"{_FIRST}(\\d+){_LAST}")
_LINKS = frozenset({"http", "https", "mailto"})
_DEEPEST = 4


@dataclass(frozen=True)
class Span:
    """A stretch of text of one form; ``link`` is its address, ``is_notice`` marks a fault."""

    text: str
    bold: bool = False
    italic: bool = False
    code: bool = False
    link: str = ""
    is_notice: bool = False
    is_break: bool = False


@dataclass(frozen=True)
class Paragraph:
    """A paragraph; ``is_quote`` where it is quoted, ``is_code`` where its lines are kept."""

    spans: tuple[Span, ...]
    is_quote: bool = False
    is_code: bool = False
    kind: str = field(default="paragraph", init=False)


@dataclass(frozen=True)
class Heading:
    """A heading; the first level of a text is 1."""

    spans: tuple[Span, ...]
    level: int
    kind: str = field(default="heading", init=False)


@dataclass(frozen=True)
class TextList:
    """A list; an ordered one begins with the number ``start``."""

    entries: tuple[tuple["Block", ...], ...]
    is_ordered: bool
    start: int = 1
    kind: str = field(default="list", init=False)


@dataclass(frozen=True)
class TextTable:
    """A table; the first of its rows is the header."""

    rows: tuple[tuple[tuple[Span, ...], ...], ...]
    kind: str = field(default="table", init=False)


Block = Paragraph | Heading | TextList | TextTable
Shown = Callable[[int], Span]
"""What is shown in the place of a reference, by its number in the text."""


def blocks(text: str, shown: Shown) -> tuple[Block, ...]:
    """Return the blocks of a Markdown text, with ``shown`` in the place of its references."""
    plain = without_comments(text)
    sources: list[str] = []

    def place(number: int, one: Placed) -> str:
        sources.append(plain[one.start : one.end])
        return f"{_FIRST}{number}{_LAST}"

    marked = replaced(plain, place)
    reader = _Markdown("commonmark", {"html": True}).enable("table")
    root = SyntaxTreeNode(reader.parse(marked))
    return _levelled(tuple(_Reading(shown, sources).blocks(root.children)))


class _Markdown(MarkdownIt):
    """CommonMark in which only the addresses of :func:`is_link` are links."""

    def validateLink(self, url: str) -> bool:
        """Say whether a link is kept; else it is text."""
        return is_link(url)


def is_link(address: str) -> bool:
    """Say whether a text may link to an address: of the web or of mail, and no other."""
    try:
        return urlsplit(address.strip()).scheme.lower() in _LINKS
    except ValueError:
        return False


@dataclass(frozen=True)
class _Reading:
    """Reads the tree of a text; ``sources`` are its references as they are written."""

    shown: Shown
    sources: Sequence[str]

    def blocks(self, nodes: Sequence[SyntaxTreeNode], depth: int = 0) -> Iterator[Block]:
        for node in nodes:
            if node.type == "heading":
                yield Heading(self._spans(node), int(node.tag[1:]))
            elif node.type in ("bullet_list", "ordered_list") and depth < _DEEPEST:
                yield self._list(node, depth)
            elif node.type == "table":
                yield TextTable(tuple(self._rows(node)))
            elif node.type == "blockquote" and depth < _DEEPEST:
                for one in self.blocks(node.children, depth + 1):
                    yield replace(one, is_quote=True) if isinstance(one, Paragraph) else one
            elif node.type in ("fence", "code_block", "html_block"):
                text = self._as_written(node.content.rstrip("\n"))
                yield Paragraph((Span(text, code=node.type != "html_block"),), is_code=True)
            elif node.type != "hr":
                yield from self._paragraph(node)

    def _paragraph(self, node: SyntaxTreeNode) -> Iterator[Block]:
        if spans := self._spans(node):
            yield Paragraph(spans)

    def _list(self, node: SyntaxTreeNode, depth: int) -> TextList:
        return TextList(
            tuple(tuple(self.blocks(entry.children, depth + 1)) for entry in node.children),
            node.type == "ordered_list",
            int(node.attrs.get("start", 1)),
        )

    def _rows(self, table: SyntaxTreeNode) -> Iterator[tuple[tuple[Span, ...], ...]]:
        for part in table.children:
            for row in part.children:
                yield tuple(self._spans(cell) for cell in row.children)

    def _spans(self, node: SyntaxTreeNode) -> tuple[Span, ...]:
        found = list(self._inline(node.children, Span("")))
        return tuple(one for one in found if one.text or one.is_break)

    def _inline(self, nodes: Sequence[SyntaxTreeNode], form: Span) -> Iterator[Span]:
        for node in nodes:
            if node.type == "text":
                yield from self._text(node.content, form)
            elif node.type in ("softbreak", "hardbreak"):
                is_break = node.type == "hardbreak"
                yield replace(form, text="" if is_break else " ", is_break=is_break)
            elif node.type in ("code_inline", "html_inline"):
                is_code = node.type == "code_inline"
                yield replace(form, text=self._as_written(node.content), code=is_code)
            elif node.type == "image":
                yield replace(form, text=f"[picture: {node.content or 'without a text'}]")
            else:
                yield from self._inline(node.children, _formed(node, form))

    def _text(self, content: str, form: Span) -> Iterator[Span]:
        before = 0
        for found in _PLACE.finditer(content):
            yield replace(form, text=content[before : found.start()])
            before = found.end()
            if int(found[1]) >= len(self.sources):
                continue  # An entity such as &#xE000; that imitates a reference.
            said = self.shown(int(found[1]))
            if content[: found.start()].rstrip().casefold().endswith("about"):
                said = replace(said, text=said.text.removeprefix("about "))
            yield replace(form, text=said.text, is_notice=said.is_notice)
        yield replace(form, text=content[before:])

    def _as_written(self, content: str) -> str:
        return _PLACE.sub(lambda found: "".join(self.sources[int(found[1]) :][:1]), content)


def _formed(node: SyntaxTreeNode, form: Span) -> Span:
    """Return the form of what is within an inline node."""
    if node.type == "strong":
        return replace(form, bold=True)
    if node.type == "em":
        return replace(form, italic=True)
    if node.type == "link" and _FIRST not in (address := str(node.attrs.get("href", ""))):
        return replace(form, link=address if "%EE%80%80" not in address else "")
    return form


def _levelled(found: tuple[Block, ...]) -> tuple[Block, ...]:
    """Return blocks with their headings from level 1, whatever level the analyst began with."""
    first = min((one.level for one in found if isinstance(one, Heading)), default=1)
    return tuple(
        replace(one, level=one.level - first + 1) if isinstance(one, Heading) else one
        for one in found
    )
