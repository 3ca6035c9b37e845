"""``csp new-source``: the folder of a new source, whole enough to load, model and test at once."""

from rich.console import Console

from orchestration.config.settings import PROJECT
from orchestration.ingest.scaffold.new_source import NewSource, create_source


def make_source(new: NewSource, console: Console) -> None:
    """Write the folder and the sample of a source, and say what to do next.

    Raises :class:`NewSourceError` where the name cannot be used or is taken.
    """
    for path in create_source(new, PROJECT / "raw"):
        console.print(f"Written: {path.relative_to(PROJECT)}", soft_wrap=True)
    folder = f"orchestration/ingest/sources/{new.name}"
    console.print(
        f"\nNext:\n"
        f"1. Edit {folder}/contract.toml: the columns, rules, key and period of the extract.\n"
        f"2. Run `csp contracts`, and `csp check {new.name} FILES` on a delivery.\n"
        f"3. Edit the staging model and its YAML, and sample.py; run `make sample`.\n"
        f"4. Run `make check`, `make refresh` and `make test`.\n"
        f"CONTRIBUTING.md explains each file, and how to add a mart and a report table.",
        soft_wrap=True,
    )
