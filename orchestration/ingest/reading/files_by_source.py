"""The sources that read the files of one download: street-level crime, and what comes beside it.

An archive that holds files of several sources is of each of them: each reads its own.
"""

import zipfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

from orchestration.ingest.checking.contract import Contract
from orchestration.ingest.landing.landing_zone import is_archive, landed_file
from orchestration.ingest.reading.delivery_archives import beside_of


def files_by_source(contract: Contract, paths: Sequence[Path]) -> Mapping[str, list[Path]]:
    """Return the files for each source that reads some of them, the contract's own first.

    A file that no other source reads is the contract's own, so that its faults are reported there.
    """
    if not any(beside.source for beside in contract.beside):
        return {contract.source: list(paths)}
    found: dict[str, list[Path]] = defaultdict(list)
    for path in paths:
        for source in _sources_of(contract, path):
            found[source].append(path)
    return dict(sorted(found.items(), key=lambda one: (one[0] != contract.source, one[0])))


def _sources_of(contract: Contract, path: Path) -> set[str]:
    if not path.is_file():
        return {contract.source}
    if is_archive(path.name):
        return _sources_within(contract, path)
    beside = beside_of(contract, landed_file(path.absolute(), path.name, {}))
    return {beside.source if beside and beside.source else contract.source}


def _sources_within(contract: Contract, archive: Path) -> set[str]:
    """Return the sources of the files in an archive, by their names."""
    try:
        with zipfile.ZipFile(archive) as packed:
            names = [PurePosixPath(name).name for name in packed.namelist()]
    except (OSError, zipfile.BadZipFile, NotImplementedError, RuntimeError, UnicodeError):
        return {contract.source}  # where reading it says what is wrong
    data = [name for name in names if name.lower().endswith(".csv")]
    of_others = {
        name: beside.source for name in data for beside in contract.beside if beside.fits(name)
    }
    others = {source for source in of_others.values() if source}
    return others | ({contract.source} if len(of_others) < len(data) or not others else set())
