"""Words and numbers of a finding's sentence."""

from collections.abc import Mapping, Sequence

from orchestration.exports.charts.chart_text import count_text

_ORDINALS = ("", "second ", "third ", "fourth ", "fifth ", "sixth ", "seventh ", "eighth ")


def number(row: Mapping[str, object], column: str) -> float:
    """Return the figure of a column that is not empty."""
    return float(row[column])  # type: ignore[arg-type]


def count(row: Mapping[str, object], column: str) -> str:
    """Return the count of a column with thousands separated."""
    return count_text(number(row, column))


def lowered(sentence: str) -> str:
    """Return a sentence that continues another one."""
    return sentence[0].lower() + sentence[1:]


def listed(names: Sequence[str]) -> str:
    """Return names as a text: a, b and c."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def pair_texts(value: float, other: float, digits: int, unit: str = "") -> tuple[str, str]:
    """Write two figures with as many digits as they need to differ, three at most."""
    for places in range(digits, 4):
        texts = f"{value:,.{places}f}{unit}", f"{other:,.{places}f}{unit}"
        if texts[0] != texts[1]:
            return texts
    return f"{value:,.{digits}f}{unit}", f"{other:,.{digits}f}{unit}"


def rank_phrase(value: float, others: Sequence[float], among: str) -> str:
    """Return the rank of a rate among those of ``others``, such as the joint second highest.

    It is counted from the nearer end. ``among`` names all of them, such as districts.
    """
    higher, lower = (
        sum(other > value for other in others),
        sum(other < value for other in others),
    )
    equal = len(others) - higher - lower
    if not others or equal == len(others):
        return ""
    rank, end = (higher, "highest") if higher <= lower else (lower, "lowest")
    place = _ORDINALS[rank] if rank < len(_ORDINALS) else f"{rank + 1}th "
    return f"the {'joint ' if equal else ''}{place}{end} of {len(others) + 1} {among}"
