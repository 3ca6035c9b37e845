"""``python -m orchestration.exports RELEASE FOLDER TEXTS CSP...`` exports partnerships.

TEXTS is the folder of the analysts' texts, or empty. A worker of ``parallel``. Its results are in
the folders. If it stops, it writes the message to standard error and ends with code 1.
"""

import sys
from pathlib import Path

from orchestration.errors import CspError
from orchestration.exports import export_partnership


def main(published: str, folder: str, texts: str, *names: str) -> int:
    """Export each named partnership of a release to its folder; return the code to end with."""
    try:
        for name in names:
            export_partnership(
                Path(published),
                Path(folder) / name,
                name,
                force=True,
                texts=Path(texts) if texts else None,
            )
    except CspError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
