"""Plain English: words that the project does not use, with the word to use instead.

The list is short on purpose: words of our own that readers stumbled over. A failure names file,
line, word and what to write. Code in backticks, code blocks and names are not read.
"""

import ast
import io
import re
import tokenize
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TypeGuard

import pytest

from orchestration.config.settings import PROJECT

INSTEAD = {
    r"told|tells? (?:of|that|how|what|which|when|so)": "reported; says, reports",
    r"nobody to tell": "no alert channel is configured",
    r"mend(?:s|ed|ing)?": "fix, correct, repair",
    r"noughts?": "zero",
    r"(?:database |DuckDB )?(?<!-)engine(?:'s)?": "DuckDB (or: suppression, solver, renderer)",
    r"screen(?:'s)?(?! reader)": "UI, terminal",
    r"stands? (?:still|there|in (?:the|its) place|as|at the)|it stands|stands(?= |[.,;])": "is, is "
    "unchanged, is listed, is in force",
    r"stood there": "was there",
    r"held against": "compared with",
    r"(?:takes?|took) its place": "replaces it",
    r"fared": "the outcome",
    r"sp(?:eaks?|oke) for": "is in force for",
    r"hangs? together": "is linked",
    r"(?:is|are|was|were) laid (?:down|out)": "is written, is arranged",
    r"foresaw|foresee": "expected; 'Unexpected error. See the run log at …'",
    r"needs no hand": "is repaired automatically",
    r"lone contributors?": "singleton",
    r"looked over|looks? over": "checked, inspected",
    r"(?<!there )(?:is|are|was) no (?:date|number|amount|source|quarter|month|table|column|file)\b"
    r"(?! (?:of|for|in|that))": "is not a …",
    r"out of the ordinary": "unusual",
    r"ask(?:s|ed)? nobody": "ran no survey",
    r"at whose|whereof|thereof|thereby|wherein|forthwith": "a plain sentence",
    r"put(?:s|ting)? (?:it |them )?right": "correct",
    r"said to(?= |[.,;])": "reported to",
    r"in words": "with a clear message",
    r"(?:is|are|was|were) there twice": "occurs twice",
    r"(?:is|are) of no use": "cannot be used",
    r"taken for": "treated as",
    r"goes on": "continues",
}
BANNED = [(re.compile(rf"\b(?:{pattern})(?!\w)", re.I), word) for pattern, word in INSTEAD.items()]
PROSE = (
    "README.md",
    "CONTRIBUTING.md",
    "bi/README.md",
    "raw/README.md",
    "deploy/README.md",
    "docs/**/*.md",
)
"""Pages that people read. CHANGELOG.md is the record of what was written at the time."""

SQL = re.compile(r"\s*(?:with|select|insert|update|delete|create|case|coalesce)\b")
Line = tuple[int, str]
Reader = Callable[[str], Iterator[Line]]


def files(*patterns: str) -> list[Path]:
    return sorted({path for pattern in patterns for path in PROJECT.glob(pattern)})


def prose(text: str) -> Iterator[Line]:
    """Lines of a Markdown page without code."""
    fenced = False
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith("```"):
            fenced = not fenced
        elif not fenced:
            yield number, re.sub(r"`[^`]*`|\]\([^)]*\)", "", line)


def declared(text: str) -> Iterator[Line]:
    """Lines of YAML or TOML: values and comments; names in them have underscores."""
    return prose(text)


def python_texts(text: str) -> Iterator[Line]:
    """Comments, docstrings and other strings of more than one word, but SQL."""
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string
    for node in strings(ast.parse(text)):
        parts = node.values if isinstance(node, ast.JoinedStr) else [node]
        said = "".join(str(getattr(part, "value", "")) for part in parts if is_text(part))
        if " " in said and not SQL.match(said):
            for offset, line in enumerate(re.sub(r"``?[^`]*``?", "", said).split("\n")):
                yield node.lineno + offset, line


def strings(node: ast.AST) -> Iterator[ast.Constant | ast.JoinedStr]:
    """Yield every string of a module; an f-string is one."""
    if isinstance(node, ast.JoinedStr) or is_text(node):
        yield node
    else:
        for child in ast.iter_child_nodes(node):
            yield from strings(child)


def is_text(node: ast.AST) -> TypeGuard[ast.Constant]:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def faults(path: Path, lines: Iterable[Line]) -> list[str]:
    return [
        f"{path.relative_to(PROJECT)}:{number}: '{found.group()}': write {word}"
        for number, line in lines
        for pattern, word in BANNED
        for found in pattern.finditer(line)
    ]


@pytest.mark.parametrize("path", files(*PROSE), ids=lambda path: str(path.relative_to(PROJECT)))
def test_pages_are_in_plain_english(path: Path) -> None:
    assert not (found := faults(path, prose(path.read_text()))), "\n".join(found)


@pytest.mark.parametrize(
    "text, read, lines",
    [
        ("The engine stood there.\n`engine`\n```\nmend\n```\nMended.", prose, [1, 1, 6]),
        ("told: 1\nstands_for: x  # as told", declared, [1, 2]),
        ('"""Is told."""\nx = "told"\ny = f"who {x} is told"  # mend', python_texts, [1, 3, 3]),
    ],
)
def test_words_are_found_where_people_read_them(text: str, read: Reader, lines: list[int]) -> None:
    found = faults(PROJECT / "page", read(text))
    assert sorted(int(fault.split(":")[1]) for fault in found) == lines
    assert all("write" in fault for fault in found)


DECLARED = files(
    "dbt_project/**/*.yml", "dbt_project/docs/*.md", "dbt_project/**/*.sql",
    *(f"orchestration/**/*.{ending}" for ending in ("yml", "yaml", "toml", "sql", "j2")),
    "deploy/*.*",
)  # fmt: skip


def test_descriptions_are_in_plain_english() -> None:
    found = [fault for path in DECLARED for fault in faults(path, declared(path.read_text()))]
    assert len(DECLARED) > 100
    assert not found, "\n".join(found)


CODE = [
    path
    for path in files("orchestration/**/*.py", "bi/*.py", "tests/**/*.py", "docs/_site/*.py")
    if "sample" not in path.name and path != Path(__file__) and "node_modules" not in path.parts
]
"""Samples are left out: their strings are data."""


def test_messages_and_comments_are_in_plain_english() -> None:
    found = [fault for path in CODE for fault in faults(path, python_texts(path.read_text()))]
    assert not found, "\n".join(found)
