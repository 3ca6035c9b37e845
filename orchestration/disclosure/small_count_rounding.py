"""Controlled small-count rounding: inner counts of 1 to 4 become 0 or 5, totals add up from them.

The method is that of Langsrud and Heldal (*An algorithm for small count rounding of tabular data*,
Privacy in Statistical Databases 2018): only the inner counts of a cube are rounded, everything else
is their sum, so that totals say no more than the inner counts do. A count with a *step*, such as a
population that several tables divide, is rounded to a multiple of it whatever its size.

**Control.** Counts of one group (an area's, say) and of one step are rounded together: how many go
up is the sum of what is left over, divided by the step and rounded by a secret draw. The total of a
group is therefore less than the step off. Which counts go up depends on a secret draw of each and
on how near it is to the next multiple. Choosing the very best rounding would give counts away.

**Seeds.** The draw of a count follows from a secret key and its seed, and from nothing else. With
the pseudonyms of the people counted as seed, the same people have the same draw in every quarter,
build and table, so that nobody learns more by averaging over releases.

Pure functions: nothing here reads or writes anything.
"""

import hashlib
import hmac
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


@dataclass(frozen=True)
class InnerCount:
    """A count to be rounded.

    ``seed`` is of the people counted; ``group`` names the counts that are rounded together; with a
    ``step``, it is rounded to a multiple of it whatever its size. It is rounded up where it would
    otherwise be below ``at_least`` (a part that it holds), and down where it would be above
    ``at_most`` (its whole).
    """

    key: str
    value: int
    seed: str
    group: str = ""
    step: int | None = None
    at_least: int = 0
    at_most: int | None = None


def round_counts(counts: Iterable[InnerCount], secret: bytes, threshold: int = 5) -> dict[str, int]:
    """Return the rounded value of each count by its key.

    Counts from the threshold on stay as they are, unless they have a step. Zero stays zero. Every
    other count is rounded to the multiple of ``threshold``, or of its step, below or above it.
    """
    rounded: dict[str, int] = {}
    groups: dict[tuple[str, int], list[InnerCount]] = defaultdict(list)
    for count in counts:
        step = count.step or threshold
        if count.value % step and (count.step or count.value < threshold):
            groups[count.group, step].append(count)
        else:
            rounded[count.key] = count.value
    for (group, step), members in groups.items():
        up = _chosen_up(group, members, secret, step)
        for count in members:
            below = count.value - count.value % step
            rounded[count.key] = below + step if count.key in up else below
    return rounded


def _chosen_up(
    group: str, members: Sequence[InnerCount], secret: bytes, step: int
) -> Collection[str]:
    """Return the keys of the counts of a group that are rounded up."""
    left = sum(count.value % step for count in members)
    wanted = int(left / step + draw(secret, f"group {without_dates(group)}"))

    def eagerness(count: InnerCount) -> tuple[float, str]:
        share = (count.value % step) / step
        return share - draw(secret, f"count {count.seed} {count.value}"), count.key

    forced, free = set(), []
    for count in members:
        below = count.value - count.value % step
        if count.at_most is not None and below + step > count.at_most:
            continue
        if count.at_least > below:
            forced.add(count.key)
        else:
            free.append(count)
    free.sort(key=eagerness, reverse=True)
    return forced | {count.key for count in free[: max(0, wanted - len(forced))]}


def draw(secret: bytes, seed: str) -> float:
    """Return a number from 0 to below 1 that only the holder of the secret can repeat."""
    digest = hmac.new(secret, seed.encode(), hashlib.sha256).digest()
    return (int.from_bytes(digest[:8], "big") >> 11) / (1 << 53)


def without_dates(name: str) -> str:
    """Return a name without the dates in it: what is drawn by it is drawn alike in every period."""
    return _DATE.sub("", name)


def possible_values(shown: int, step: int | None, threshold: int = 5) -> tuple[int, int]:
    """Return the least and the greatest true count that a rounded count leaves open."""
    if step:
        return max(0, shown - step + 1), shown + step - 1
    if shown == 0:
        return 0, threshold - 1
    return (1, threshold) if shown == threshold else (shown, shown)
