"""What was fetched last of a source, in ``CSP_HOME/feeds/<source>/state.json``.

It is written only after a landing, so a fetch that fails loses nothing. A state that cannot be read
counts as none: everything is then fetched and compared again.
"""

import hashlib
import json
import os
from contextlib import suppress
from datetime import date, datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

STATE_FILE = "state.json"


class SeenFile(BaseModel):
    """A file that was fetched: where from, which version, and when it was found unchanged last."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str
    member: str | None = None
    etag: str | None = None
    last_modified: str | None = None
    mark: str
    """What changes at the publisher where the file changes."""
    sha256: str
    fetched_at: datetime


class SeenList(BaseModel):
    """A publisher's list of releases: its version, and the file with its text."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    validator: str
    is_tag: bool
    file: str


class FetchState(BaseModel):
    """All that was fetched of one source, by quarter and file name; and the lists by address."""

    model_config = ConfigDict(extra="forbid")

    files: dict[str, SeenFile] = {}
    absent: dict[str, tuple[str, str | None]] = {}
    """Files that a publisher's archive did not have: its address and tag, by quarter and name."""

    lists: dict[str, SeenList] = {}

    @classmethod
    def read(cls, folder: Path) -> "FetchState":
        """Return the state in ``folder``, an empty one where there is none that can be read."""
        try:
            return cls.model_validate_json((folder / STATE_FILE).read_bytes())
        except (OSError, ValidationError):
            return cls()

    def write(self, folder: Path) -> None:
        """Write the state into ``folder`` in one step."""
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        scratch = folder / f"{STATE_FILE}.new"
        text = json.dumps(self.model_dump(mode="json"), indent=1, sort_keys=True)
        with scratch.open("w", encoding="utf-8") as file:
            file.write(text + "\n")
            file.flush()
            os.fsync(file.fileno())
        scratch.replace(folder / STATE_FILE)

    def file(self, quarter: date, name: str) -> SeenFile | None:
        """Return what was fetched under this name for a quarter."""
        return self.files.get(f"{quarter.isoformat()}/{name}")

    def quarters(self, name: str, last: date) -> list[date]:
        """Return the quarters up to ``last`` for which a file was fetched, the latest first."""
        places = (key.split("/", 1) for key in self.files)
        found = [date.fromisoformat(quarter) for quarter, file in places if file == name]
        return sorted((one for one in found if one <= last), reverse=True)

    def note(self, quarter: date, name: str, seen: SeenFile) -> None:
        """Note a file that was fetched for a quarter."""
        self.files[f"{quarter.isoformat()}/{name}"] = seen
        self.absent.pop(f"{quarter.isoformat()}/{name}", None)

    def absent_from(self, quarter: date, name: str) -> tuple[str, str | None] | None:
        """Return address and tag of the archive that was found not to have a file."""
        return self.absent.get(f"{quarter.isoformat()}/{name}")

    def note_absent(self, quarter: date, name: str, address: str, etag: str | None) -> None:
        """Note that a version of an archive does not have a file."""
        self.absent[f"{quarter.isoformat()}/{name}"] = (address, etag)

    def first_quarter(self) -> date | None:
        """Return the first quarter for which anything was fetched."""
        return min((date.fromisoformat(key.split("/", 1)[0]) for key in self.files), default=None)

    def list_text(self, folder: Path, address: str) -> bytes | None:
        """Return the text of a list as it was seen last, if it is still there."""
        seen = self.lists.get(address)
        with suppress(OSError):
            return (folder / seen.file).read_bytes() if seen else None
        return None

    def note_list(
        self, folder: Path, address: str, text: bytes, etag: str | None, modified: str | None
    ) -> None:
        """Keep the text of a list that names its version."""
        validator = etag or modified
        if validator is None:
            self.lists.pop(address, None)
            return
        name = f"list-{hashlib.sha256(address.encode()).hexdigest()[:12]}"
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        (folder / name).write_bytes(text)
        self.lists[address] = SeenList(validator=validator, is_tag=bool(etag), file=name)
