"""The words of the partnerships file, which are no secret in a message."""

from pathlib import Path

import duckdb

from orchestration.config.partnerships import load_partnerships
from orchestration.errors import SettingsError
from orchestration.ingest.checking.shown_texts import Vocabulary
from orchestration.warehouse.control_schema import ensure_control


def vocabulary_of(connection: duckdb.DuckDBPyConnection) -> Vocabulary:
    """Return the words that are harmless here: the project's and the partnerships file's.

    Towns are left out: many are surnames as well.
    """
    names = connection.execute(
        "select unnest([csp_name, district_name, force_name, force_area_name]) "
        "from control.partnership_areas "
        "union all select youth_offending_service from control.partnership_youth_services "
        "union all select unnest([prison, prison_group]) from control.partnership_prisons"
    ).fetchall()
    return Vocabulary.with_names(str(name) for (name,) in names)


def vocabulary_of_file(partnerships: Path) -> Vocabulary:
    """Return them where no warehouse is open; the project's alone if the file has a fault."""
    with duckdb.connect(":memory:", config={"temp_directory": ""}) as connection:
        ensure_control(connection)
        try:
            load_partnerships(connection, partnerships)
        except SettingsError:
            return Vocabulary.with_names()
        return vocabulary_of(connection)
