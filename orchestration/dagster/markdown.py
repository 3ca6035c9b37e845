"""Texts as Markdown for the Dagster UI, which shows them as they are."""

import re
from collections.abc import Iterable

_MARKUP = re.compile(r"([\\`*_{}\[\]<>|#~!&])")


def markdown_text(text: str) -> str:
    """Return a text that Markdown shows as it is, on one line."""
    return _MARKUP.sub(r"\\\1", " ".join(text.split()))


def markdown_list(texts: Iterable[str], most: int) -> str:
    """Return the first ``most`` texts as a list, and how many follow."""
    texts = list(texts)
    lines = [f"- {markdown_text(text)}" for text in texts[:most]]
    more = len(texts) - most
    return "\n".join([*lines, *([f"- {more:,} more"] if more > 0 else [])])
