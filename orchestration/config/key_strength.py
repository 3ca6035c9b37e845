"""Whether a secret key is one that nobody guesses."""

import itertools

LEAST_CHARACTERS = 16
_LEAST_DIFFERENT = 8
_MOST_IN_SEQUENCE = 0.5


def weakness(key: str) -> str | None:
    """Return why a key is weak, or None. The words hold nothing of the key."""
    if len(key) < LEAST_CHARACTERS:
        return f"it has fewer than {LEAST_CHARACTERS} characters"
    if len(set(key)) < _LEAST_DIFFERENT:
        return f"it has fewer than {_LEAST_DIFFERENT} different characters"
    if key in (key + key)[1:-1]:
        return "it repeats a shorter text"
    steps = [abs(ord(after) - ord(one)) for one, after in itertools.pairwise(key)]
    if sum(step <= 1 for step in steps) > _MOST_IN_SEQUENCE * len(steps):
        return "most of it is a sequence, such as 1234"
    return None
