"""Replaces an exported folder as a whole: builds it beside the old one, then swaps them."""

import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from orchestration.warehouse.exchange import exchange


@contextmanager
def swapped_in(target: Path) -> Iterator[Path]:
    """Yield a new folder beside ``target`` that replaces it when the block succeeds.

    A reader meets the old folder or the new one, never a mixture, and never none where the file
    system can exchange two folders. Where the block fails the old folder stays and the new one is
    removed; so are leftovers of runs that were killed.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    recover(target)
    new = target.with_name(f".building-{target.name}.{secrets.token_hex(4)}")
    new.mkdir()
    try:
        yield new
        _swap(new, target)
    finally:
        shutil.rmtree(new, ignore_errors=True)


def recover(target: Path) -> None:
    """Undo what a run that was killed left beside ``target``."""
    for half in target.parent.glob(f".building-{target.name}.*"):
        shutil.rmtree(half, ignore_errors=True)
    for old in target.parent.glob(f".old-{target.name}.*"):
        # Killed between the two renames: the old folder is the only one there is.
        if target.exists():
            shutil.rmtree(old, ignore_errors=True)
        else:
            old.rename(target)


def _swap(new: Path, target: Path) -> None:
    """Put ``new`` in the place of ``target``; the old folder is removed by the caller, or here."""
    if not target.exists():
        new.rename(target)
        return
    if exchange(new, target):
        return
    old = target.with_name(f".old-{target.name}.{secrets.token_hex(4)}")
    target.rename(old)
    try:
        new.rename(target)
    except OSError:
        old.rename(target)
        raise
    shutil.rmtree(old, ignore_errors=True)
