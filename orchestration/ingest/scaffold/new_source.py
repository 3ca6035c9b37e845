"""A new source: its folder under ``ingest/sources``, whole enough to load, model and test at once.

What is written is a start: the contract names columns of a made-up extract, and the comments of the
command say what to change. The source's sample is written into the landing zone of the project.
"""

import importlib
import re
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Literal

from jinja2 import DictLoader, Environment, StrictUndefined

from orchestration.errors import CspError
from orchestration.ingest.checking.contract import SOURCES, load_contracts
from orchestration.ingest.checking.dbt_source import write_sources

_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_LONGEST_NAME = 40


class NewSourceError(CspError):
    """A source cannot be made under that name."""


@dataclass(frozen=True)
class NewSource:
    """What is asked for: ``counts`` as in a contract; ``reader`` where files are not plain CSV."""

    name: str
    counts: Literal["people", "offences", "places"]
    reader: bool

    @property
    def files(self) -> dict[str, str]:
        """The template of each file, by the file's name."""
        staging = f"stg_{self.name}"
        wanted = {
            "contract.toml": "contract.toml.j2",
            "sample.py": "sample.py.j2",
            f"{staging}__records.sql": "staging.sql.j2",
            f"{staging}.yml": "staging.yml.j2",
        }
        return wanted | ({"reader.py": "reader.py.j2"} if self.reader else {})


def create_source(new: NewSource, raw: Path) -> list[Path]:
    """Write a source's folder, its dbt source, and its sample under ``raw``; return the files.

    Raises :class:`NewSourceError` where the name cannot be used or is taken.
    """
    folder = SOURCES / new.name
    _refuse_name(new.name, folder)
    folder.mkdir()
    written = []
    for name, content in _rendered(new).items():
        (folder / name).write_text(content, encoding="utf-8")
        written.append(folder / name)
    write_sources(load_contracts())
    written.append(folder / "_source.yml")
    importlib.invalidate_caches()
    sample = importlib.import_module(f"orchestration.ingest.sources.{new.name}.sample")
    for delivery in sample.deliveries():
        delivery.write(raw)
        written += sorted((raw / new.name).rglob("*.*"))
    return written


def _refuse_name(name: str, folder: Path) -> None:
    if not _NAME.fullmatch(name) or len(name) > _LONGEST_NAME:
        raise NewSourceError(
            f"'{name}' cannot be the name of a source. Use at most {_LONGEST_NAME} small letters, "
            "digits and single underscores, a letter first, such as ambulance_incidents."
        )
    if folder.exists():
        raise NewSourceError(f"{folder} exists already. Choose another name, or edit that source.")


def _rendered(new: NewSource) -> dict[str, str]:
    environment = Environment(
        loader=DictLoader(
            {
                template: files("orchestration.ingest.scaffold")
                .joinpath("templates", template)
                .read_text("utf-8")
                for template in new.files.values()
            }
        ),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        autoescape=False,
    )
    words = new.name.replace("_", " ")
    stem = f"{new.name.replace('_', '-')}-2018-10-to-2018-12"
    values = {
        "source": new.name,
        "model": f"stg_{new.name}__records",
        "title": words.capitalize(),
        "record": f"record of {words}",
        "supplier": "Name the supplier",
        "counts": new.counts,
        "people": new.counts == "people",
        "reader": new.reader,
        "file_name": f"{stem}.xlsx" if new.reader else f"{stem}.csv",
    }
    return {
        name: environment.get_template(template).render(values)
        for name, template in new.files.items()
    }
