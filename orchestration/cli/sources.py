"""``csp sources`` and ``csp describe``: which sources there are, and what a file of one looks like.

Both print what the contracts say, and what the landing zone holds.
"""

from collections.abc import Sequence
from datetime import date
from pathlib import PurePosixPath

from rich.console import Console

from orchestration.cli.console import styled
from orchestration.cli.tables import ShownTable, print_facts, print_table
from orchestration.config.quarters import quarter_label
from orchestration.config.settings import Settings
from orchestration.feeds.feed_file import fed_sources, feed_of
from orchestration.ingest.checking.contract import Column, Contract, contract_of, load_contracts
from orchestration.ingest.checking.remedies import date_form
from orchestration.ingest.landing.arrival_calendar import landed_quarters

_TYPES = {
    "VARCHAR": "text",
    "DATE": "date",
    "DOUBLE": "number",
    "BIGINT": "whole number",
    "INTEGER": "whole number",
}
_SHOWN_VALUES = 40
"""Most allowed values that are printed one by one."""


def show_sources(settings: Settings, console: Console) -> None:
    """Print every source: what it is, who supplies it, how often, and what has landed of it."""
    contracts = load_contracts()
    landed = landed_quarters(settings.raw, contracts)
    table = ShownTable(
        ("Source", "What it is", "Supplier", "Cadence", "Format", "Deliveries", "Latest quarter")
    )
    for name, contract in contracts.items():
        quarters = landed[name]
        table.add(
            name,
            contract.title,
            contract.supplier,
            contract.cadence,
            file_format(contract),
            len(quarters),
            quarter_label(max(quarters)) if quarters else "nothing",
        )
    print_table(table, console)
    console.print("`csp describe SOURCE` shows what a file must hold.")


def file_format(contract: Contract) -> str:
    """Return the kinds of file that a source is delivered in, such as ``CSV``."""
    kinds = [PurePosixPath(one).suffix.removeprefix(".").upper() for one in contract.file_pattern]
    return ", ".join(dict.fromkeys(kind or "any" for kind in kinds))


def show_description(settings: Settings, source: str, console: Console) -> None:
    """Print what a file of a source looks like, where it goes, and what is checked in it.

    Raises :class:`LandingError` for an unknown source, and :class:`SettingsError` where the
    partnerships file, which lists values of some columns, cannot be read.
    """
    # The checks take seconds to import; the list of sources does without them.
    from orchestration.ingest.checking.delivery_check import configured_contract

    contract = configured_contract(settings, contract_of(source))
    landed = landed_quarters(settings.raw, {source: contract})[source]
    console.print(styled("[bold]{}[/]: {}", source, contract.title))
    print_facts(
        [
            ("What it is", contract.meaning),
            ("A row is", contract.grain),
            ("Supplier", contract.supplier),
            ("Licence", contract.licence),
            ("Cadence", f"{contract.cadence}, {_arrival(contract)}"),
            ("Format", f"{file_format(contract)}; names {', '.join(contract.file_pattern)}"),
            ("Landed", _landed(landed)),
        ],
        console,
        indent=2,
    )
    _print_columns(contract, console)
    console.print(styled("[bold]What is checked[/]"))
    print_facts(_rules(contract), console, indent=2)
    console.print(styled("[bold]What to do[/]"))
    print_facts(
        [
            ("Check a file", f"csp check {source} FILES"),
            *_fetch(source),
            ("Land it", f"csp land {source} QUARTER FILES, such as {source} 2018-04-01 FILES"),
            ("It is kept in", settings.raw / source / "QUARTER"),
        ],
        console,
        indent=2,
    )


def _fetch(source: str) -> list[tuple[str, str]]:
    """Return the command that fetches a source, if it is public."""
    if source not in fed_sources():
        return []
    return [("Fetch it", f"csp fetch {source}, from {feed_of(source).name}")]


def _arrival(contract: Contract) -> str:
    if contract.cadence == "one-off":
        return "expected once"
    return f"expected within {contract.arrival_days} days after the end of the quarter"


def _landed(quarters: Sequence[date]) -> str:
    if not quarters:
        return "nothing"
    deliveries = "delivery" if len(quarters) == 1 else "deliveries"
    return f"{len(quarters):,} {deliveries}, the latest for {quarter_label(max(quarters))}"


def _print_columns(contract: Contract, console: Console) -> None:
    """Print each column of the file; what a reader derives is listed apart, by name."""
    in_file = [one for one in contract.columns if one.header]
    if in_file:
        table = ShownTable(("Column", "Type", "Required", "What it may hold", "Meaning"), "Columns")
        for one in in_file:
            table.add(one.title, _TYPES[one.type], one.required, _may_hold(one), _meaning(one))
        print_table(table, console)
    derived = [one for one in contract.columns if not one.header]
    if derived:
        console.print(styled("[bold]Read from titles, sheets and other columns[/]"))
        facts = [(one.name, _meaning(one)) for one in derived]
        print_facts(facts, console, indent=2)
    if contract.layout != "reader":
        header = ",".join(_quoted(one.title) for one in in_file)
        console.print(styled("[bold]Header line[/]"))
        console.print(header, soft_wrap=True)


def _may_hold(column: Column) -> str:
    """Return the values, form or range of a column, as a supplier would write them."""
    said = []
    if column.allowed:
        shown = list(column.allowed[:_SHOWN_VALUES])
        if len(column.allowed) > _SHOWN_VALUES:
            shown.append(f"and {len(column.allowed) - _SHOWN_VALUES:,} more")
        said.append("; ".join(shown))
    if column.type == "DATE":
        said.append(date_form(column))
    if column.form:
        said.append(column.form)
    if column.length:
        said.append(f"{column.length} characters")
    if column.minimum is not None:
        said.append(f"at least {column.minimum:g}")
    if column.maximum is not None:
        said.append(f"at most {column.maximum:g}")
    return ", ".join(said)


def _meaning(column: Column) -> str:
    said = column.meaning
    if column.unit:
        said += f" Unit: {column.unit}."
    if column.identifier:
        said += " Kept as a pseudonym."
    elif not column.stored:
        said += " Not kept."
    return said


def _rules(contract: Contract) -> list[tuple[str, str]]:
    """Return what a delivery is checked for beside the values of its columns."""
    wrong = f"more than {contract.refused_share_limit:.1%} of its rows are wrong"
    if contract.refused_rows_allowed:
        wrong += f" (of few rows, {contract.refused_rows_allowed} may be)"
    titles = {one.name: one.title for one in contract.columns}
    rules = [
        ("Refused whole", f"if {wrong}, or a column is missing"),
        ("A row is refused", "if a required value is missing, or a value is not as above"),
        ("Key", ", ".join(titles[one] for one in contract.key) or "none: rows may repeat"),
        ("Period", titles[contract.period]),
        ("Area", titles[contract.area]),
    ]
    if contract.ignored or contract.ignored_sheets:
        left_out = [*contract.ignored, *(f"sheet {one}" for one in contract.ignored_sheets)]
        rules.append(("Left out", ", ".join(left_out)))
    if contract.retention_quarters:
        rules.append(("Retention", f"{contract.retention_quarters} quarters"))
    return rules


def _quoted(heading: str) -> str:
    return f'"{heading}"' if "," in heading else heading
