"""``csp land``: adds a supplier's files to the landing zone and lists the delivery's files."""

import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb
from rich.console import Console

from orchestration.cli.check import print_other_source, print_outcome, write_faults
from orchestration.cli.console import styled
from orchestration.config.quarter_texts import period_of_text
from orchestration.config.quarters import quarter_label
from orchestration.config.settings import Settings
from orchestration.errors import CspError, LandingError, QuarterError
from orchestration.ingest.checking.configured_words import vocabulary_of_file
from orchestration.ingest.checking.contract import Contract, contract_of
from orchestration.ingest.checking.delivery_check import check_landed, configured_contract
from orchestration.ingest.checking.shown_texts import ShownTexts, refuse_identifying
from orchestration.ingest.checking.supplier_report import remove_report
from orchestration.ingest.landing.handover import Landed, ReplacementError, land, said_rows
from orchestration.ingest.landing.receipt import Covers, Receipt
from orchestration.ingest.reading.files_by_source import files_by_source

LANDED_REPORT = "landed"
"""Name of the report that ``csp land`` writes beside those of the loads (``v1``, ``v2``)."""


def parse_covers(first: str, last: str) -> Covers:
    """Return the days from the start of ``first`` to the end of ``last``.

    Each is a day (2018-10-15), a month (2018-10) or a quarter by name (Q3 2018/19), as
    :func:`period_of_text` reads them. Raises :class:`LandingError` for anything else, and where
    the end comes before the start.
    """
    try:
        start, end = period_of_text(first)[0], period_of_text(last)[1]
    except QuarterError as error:
        raise LandingError(
            f"--covers takes a day (2018-10-15), a month (2018-10) or a quarter ('Q3 2018/19'). "
            f"{error}"
        ) from error
    if end < start:
        raise LandingError(f"--covers {first} {last}: the second comes before the first.")
    return Covers(first=start, last=end)


def land_download(
    settings: Settings,
    source: str,
    paths: Sequence[Path],
    receipt: Receipt,
    console: Console,
    *,
    replace: bool,
    whole: bool,
    check: bool = True,
) -> None:
    """Land files as :func:`land_files` does, each for the source that reads it.

    A month of data.police.uk has street-level crime and outcomes in one download. Raises
    :class:`LandingError` that says what had landed before.
    """
    done: list[str] = []
    for name, own in files_by_source(contract_of(source), paths).items():
        if name != source:
            files = "1 file is" if len(own) == 1 else f"{len(own):,} files are"
            console.print(styled("{} of {}:", files, name))
        try:
            land_files(
                settings, name, own, receipt.model_copy(update={"source": name}), console,
                replace=replace, whole=whole, check=check,
            )  # fmt: skip
        except LandingError as error:
            if not done:
                raise
            raise LandingError(f"{' and '.join(done)} landed, {name} did not. {error}") from error
        done.append(name)


def land_files(
    settings: Settings,
    source: str,
    paths: Sequence[Path],
    receipt: Receipt,
    console: Console,
    *,
    replace: bool,
    whole: bool,
    check: bool = True,
) -> None:
    """Land files, asking at a terminal before any takes another's place; print what came of it.

    With ``check`` the delivery, as it is then, is checked as by ``csp check``, and its report
    written to the folder of suppliers' reports. A delivery that would be refused is landed too.

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
    _show(landed, receipt, names, console, checked=check)
    refused = check and _is_refused(settings, contract, landed, console)
    if landed.unchanged:
        console.print("The delivery holds the same bytes as before: nothing has changed.")
    elif not refused:
        console.print(f"`csp refresh {receipt.quarter}` loads it.")


def _is_refused(settings: Settings, contract: Contract, landed: Landed, console: Console) -> bool:
    """Check a delivery that has landed, print the outcome, and say whether it would be refused.

    That it cannot be checked now does not undo the landing.
    """
    delivery = landed.delivery
    folder = settings.supplier_reports / delivery.source / delivery.quarter.isoformat()
    try:
        contract = configured_contract(settings, contract)
        outcome = check_landed(settings, contract, delivery)
        written = write_faults(contract, outcome, folder, LANDED_REPORT)
        if not written:
            remove_report(folder, LANDED_REPORT)
    except (CspError, OSError, MemoryError, duckdb.Error) as error:
        said = str(error) if isinstance(error, CspError) else f"{type(error).__name__}."
        console.print(
            styled(
                "[yellow]Landed, but it could not be checked:[/] {} The refresh checks it.", said
            )
        )
        return False
    console.print("Checked with the rules of the load:")
    print_outcome(contract, outcome, written, console)
    print_other_source(contract, outcome, (file.path for file in delivery.files), console)
    if outcome.state == "refused":
        console.print(
            "The files have landed, and a refresh would refuse them; the previous version, if any, "
            "stays in force. Send the report to the supplier, and land the corrected files with "
            "--replace."
        )
    elif outcome.rows_refused:
        console.print("Send the report to the supplier if the rows are to be corrected.")
    return outcome.state == "refused"


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
        texts = ShownTexts(contract, vocabulary_of_file(settings.partnerships), quarter, names)
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


def _show(
    landed: Landed, receipt: Receipt, names: _Names, console: Console, *, checked: bool
) -> None:
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
    _show_files(landed, day, names, console, checked=checked)


def _show_files(
    landed: Landed, day: date, names: _Names, console: Console, *, checked: bool
) -> None:
    """Print each file; what is wrong with one, where the check does not say it."""
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
        if content and content.refused and not checked:
            console.print(
                styled("    [yellow]A refresh would refuse this file:[/] {}", content.refused)
            )
    if covers := delivery.receipt.covers if delivery.receipt else None:
        console.print(f"It claims to cover {covers}.")
