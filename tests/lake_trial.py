"""``make lake``: refreshes the sample into a lake, with services that it starts and stops.

The lake is gone afterwards; the release that was built from it, and the exports, stay in the home.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from orchestration.cli.console import new_console
from orchestration.config.settings import PROJECT
from tests.lake_services import missing, object_store, postgres, stored_objects

_BUCKET = "lake"


def main(home: Path, quarter: str | None) -> int:
    """Refresh into a new lake, with ``home`` as its home, which is emptied first; return the exit
    code: 1 where the services cannot be started."""
    console = new_console()
    if reason := missing(store=True):
        console.print(f"There can be no lake here: {reason}.")
        return 1
    shutil.rmtree(home, ignore_errors=True)
    with postgres() as server, object_store(_BUCKET) as store:
        console.print(
            f"PostgreSQL answers on 127.0.0.1:{server.port}, the object store's stand-in on "
            f"{store['CSP_LAKE_S3_ENDPOINT']}."
        )
        environment = {
            **os.environ,
            **store,
            "CSP_HOME": str(home),
            "CSP_STORE": "lake",
            "CSP_LAKE_CATALOGUE": server.create("lake"),
            "CSP_LAKE_DATA": f"s3://{_BUCKET}/csp",
        }
        code = 0
        for command in (["refresh", *([quarter] if quarter else [])], ["doctor"]):
            code = (
                code
                or subprocess.run(
                    [sys.executable, "-m", "orchestration.cli", *command],
                    cwd=PROJECT,
                    env=environment,
                    check=False,
                ).returncode
            )
        held = stored_objects(store, _BUCKET)
        console.print(
            f"The lake has {len(held):,} Parquet files of {sum(map(len, held.values())):,} bytes. "
            "PostgreSQL and the object store are stopped now, and what they held is removed."
        )
    return code


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]).absolute(), next(iter(sys.argv[2:]), None)))
