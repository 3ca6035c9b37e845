"""``csp land``: adds a supplier's files to the landing zone and lists the delivery's files."""

import calendar
import re
import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from rich.console import Console

from orchestration.cli.console import styled
from orchestration.config.quarters import parse_quarter, quarter_end, quarter_label
from orchestration.config.settings import Settings
from orchestration.errors import LandingError, QuarterError
from orchestration.ingest.checking.contract import Contract, contract_of
from orchestration.ingest.checking.shown_texts import ShownTexts, Vocabulary, refuse_identifying
from orchestration.ingest.landing.handover import Landed, ReplacementError, land, said_rows
from orchestration.ingest.landing.receipt import Covers, Receipt

_MONTH = re.compile(r"^(\d{4})-(0[1-9]|1[0-2])$")


def parse_covers(first: str, last: str) -> Covers:
    """Return the days from the start of ``first`` to the end of ``last``.

    Each is a day (2018-10-15), a month (2018-10) or a quarter by name (Q3 2018/19). Raises
    :class:`LandingError` for anything else, and where the end comes before the start.
    """
    start, end = _days(first)[0], _days(last)[1]
    if end < start:
        raise LandingError(f"--covers {first} {last}: the second comes before the first.")
    return Covers(first=start, last=end)


def _days(text: str) -> tuple[date, date]:
    """Return the first and the last day of a day, a month or a quarter."""
    if month := _MONTH.match(text.strip()):
        year, number = int(month[1]), int(month[2])
        return date(year, number, 1), date(year, number, calendar.monthrange(year, number)[1])
    try:
        day = date.fromisoformat(text.strip())
    except ValueError:
        try:
            quarter = parse_quarter(text)
        except QuarterError as error:
            raise LandingError(
                f"--covers: '{text}' is not a day (2018-10-15), month (2018-10) or quarter "
                "('Q3 2018/19')."
            ) from error
        return quarter, quarter_end(quarter)
    return day, day


def land_files(
    settings: Settings,
    source: str,
    paths: Sequence[Path],
    receipt: Receipt,
    console: Console,
    *,
    replace: bool,
    whole: bool,
) -> None:
    """Land files, asking at a terminal before any takes another's place; print what came of it.

    Raises :class:`LandingError` where nothing was landed.
    """
    contract = contract_of(source)
    refuse_identifying("--note", receipt.note, receipt.quarter)
    names = _Names.of(settings, contract, receipt.quarter, paths)
    try:
        try:
            landed = _land(settings, contract, paths, receipt, replace=replace, whole=whole)
        except ReplacementError as error:
            if not _confirmed(error, names, console):
                raise
            named = {one.old for one in error.replacements}
            landed = _land(settings, contract, paths, receipt, replace=named, whole=whole)
    except LandingError as error:
        raise LandingError(names.hidden(str(error))) from None
    _show(landed, receipt, names, console)


@dataclass(frozen=True)
class _Names:
    """The names of files that are not shown, each with what is shown in its place."""

    shown: Mapping[str, str]

    @classmethod
    def of(
        cls, settings: Settings, contract: Contract, quarter: date, paths: Sequence[Path]
    ) -> "_Names":
        """Return them for the files given and those of the delivery as it is."""
        folder = settings.raw / contract.source / quarter.isoformat()
        landed = [path.name for path in sorted(folder.rglob("*"))]
        names = list(dict.fromkeys([*landed, *(path.name for path in paths)]))
        texts = ShownTexts(contract, Vocabulary.with_names(), quarter, names)
        return cls({name: texts.file(name) for name in names if texts.file(name) != name})

    def hidden(self, text: str) -> str:
        """Return a text without these names."""
        for name in sorted(self.shown, key=len, reverse=True):
            text = text.replace(name, self.shown[name])
        return text


def _land(
    settings: Settings,
    contract: Contract,
    paths: Sequence[Path],
    receipt: Receipt,
    *,
    replace: bool | Collection[str],
    whole: bool,
) -> Landed:
    return land(
        settings.raw,
        contract,
        receipt.quarter,
        paths,
        receipt,
        replace=replace,
        whole=whole,
        settings=settings,
    )


def _confirmed(error: ReplacementError, names: _Names, console: Console) -> bool:
    """Ask whether the files named may be replaced; without a terminal nobody can be asked."""
    if not (sys.stdin.isatty() and console.is_terminal):
        return False
    for one in error.replacements:
        console.print(names.hidden(f"{one}."))
    return input("Continue? [y/N] ").strip().lower() in ("y", "yes")


def _show(landed: Landed, receipt: Receipt, names: _Names, console: Console) -> None:
    day = receipt.quarter
    for one in landed.replaced:
        console.print(styled("[bold]Replaced:[/] {}.", names.hidden(str(one))))
    for name, rows in landed.dropped:
        console.print(styled("[bold]Dropped:[/] {}, {}.", names.hidden(name), said_rows(rows)))
    for name, equal in landed.same:
        under = "" if name == equal else names.hidden(f", as {equal}")
        console.print(
            styled(
                "[bold]Unchanged:[/] {}: its bytes had landed before{}.", names.hidden(name), under
            )
        )
    for note in landed.notes:
        console.print(styled("[yellow]Note:[/] {}", names.hidden(note)))
    _show_files(landed, day, names, console)
    if landed.unchanged:
        console.print("The delivery holds the same bytes as before: nothing has changed.")
    else:
        console.print(f"`csp refresh {day}` loads it.")


def _show_files(landed: Landed, day: date, names: _Names, console: Console) -> None:
    delivery = landed.delivery
    console.print(
        f"{delivery.source} for {quarter_label(day)} ({day}) in {delivery.folder}:", soft_wrap=True
    )
    added = set(landed.added)
    for file in delivery.files:
        content = landed.contents.get(file.sha256)
        rows = said_rows(content.rows if content else None)
        state = "added" if file.name in added else "kept"
        console.print(
            f"  {names.hidden(file.name)}  {rows}, {state}  {file.bytes:,} bytes  "
            f"sha256 {file.sha256}",
            soft_wrap=True,
        )
        if content and content.refused:
            console.print(
                styled("    [yellow]A refresh would refuse this file:[/] {}", content.refused)
            )
    if covers := delivery.receipt.covers if delivery.receipt else None:
        console.print(f"It claims to cover {covers}.")
