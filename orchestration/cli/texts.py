"""``csp texts``: the analyst's own text in the pack: its check, new files, and its figures."""

from collections import Counter
from datetime import date

from rich.console import Console

from orchestration.cli.console import styled
from orchestration.cli.exit_codes import ExitCode
from orchestration.cli.export import chosen_partnerships, chosen_release
from orchestration.cli.tables import ShownTable, print_table
from orchestration.config.quarters import quarter_label
from orchestration.config.settings import Settings
from orchestration.exports.texts.pack_texts import PackTexts
from orchestration.exports.texts.release_texts import check_release, release_figures
from orchestration.exports.texts.text_files import has_texts, write_new
from orchestration.releases.published_file import PUBLISHED_FILE
from orchestration.releases.release_registry import read_release


def check_texts(
    settings: Settings, csp: str | None, quarter: date | None, console: Console
) -> ExitCode:
    """Check the texts of a partnership, or of all, with the figures of a release.

    Prints file, line, value, rule and what to do. Returns the code of a failed check where a text
    has an error; warnings leave it 0.
    """
    root, release = settings.texts_folder, chosen_release(settings, quarter)
    label = quarter_label(read_release(release).quarter)
    known = chosen_partnerships(release, [csp] if csp else [])
    named = [name for name in known if has_texts(root, name)]
    if not named:
        console.print(f"There are no texts in {root}. `csp texts new` writes the files.")
        return ExitCode.DONE
    failed = False
    for name in named:
        texts = check_release(release, root, name)
        _print_faults(texts, console)
        console.print(f"{name}, {label}: {_summary(texts)}")
        failed = failed or any(fault.is_error for fault in texts.faults)
    return ExitCode.FAILED_CHECK if failed else ExitCode.DONE


def new_texts(settings: Settings, csp: str, quarter: date, console: Console) -> None:
    """Write a file with instructions for each part of a partnership's pack; replace none."""
    release = settings.published / PUBLISHED_FILE
    if release.exists():
        chosen_partnerships(release, [csp])
    written, kept = write_new(settings.texts_folder, csp, quarter)
    for path in written:
        console.print(styled("[bold green]New:[/] {}", path), soft_wrap=True)
    if kept:
        console.print(f"Left as they are: {', '.join(path.name for path in kept)}.")
    if written:
        console.print(
            "Write below the comments, then run `csp texts check` and `csp refresh`. While a file "
            "has no text, the pack shows that of the latest quarter before."
        )


def show_figures(settings: Settings, csp: str, quarter: date | None, console: Console) -> None:
    """Print the figures that a partnership's texts may insert, with their present values."""
    release = chosen_release(settings, quarter)
    (name,) = chosen_partnerships(release, [csp])
    figures = release_figures(release, name)
    for title, found in (
        ("Short names", figures.short_figures()),
        ("Columns of the report tables", figures.table_figures()),
    ):
        table = ShownTable(("Name", "Shown", "Period", "Figure"), title)
        for one in found:
            table.add(one.name, one.shown, one.period, one.label)
        print_table(table, console)
    table = ShownTable(("Table", "Figures", "Chosen by"), "Tables with several rows")
    for report, columns, choices in figures.tables_of_rows():
        table.add(report, ", ".join(columns), ", ".join(choices))
    print_table(table, console)
    console.print(
        'Insert one as {{ figure "NAME" }}. One of several rows: {{ figure "TABLE.FIGURE", '
        'COLUMN = "VALUE" }}; period_label or month chooses an earlier period.'
    )


def _print_faults(texts: PackTexts, console: Console) -> None:
    if not texts.faults:
        return
    table = ShownTable(("Outcome", "File", "Line", "Value", "Rule", "What is wrong", "What to do"))
    for fault in texts.faults:
        table.add(
            "error" if fault.is_error else "warning",
            fault.file,
            fault.line or None,
            fault.value,
            fault.rule,
            fault.message,
            fault.remedy,
        )
    print_table(table, console)


def _summary(texts: PackTexts) -> str:
    earlier = [f"{one.part} ({one.written_for})" for one in texts.shown if one.written_for]
    counted = Counter("errors" if fault.is_error else "warnings" for fault in texts.faults)
    said = f"parts {len(texts.shown)}, errors {counted['errors']}, warnings {counted['warnings']}."
    return f"{said} Of an earlier quarter: {', '.join(earlier)}." if earlier else said
