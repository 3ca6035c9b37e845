"""The sample of the landing zone: every source's own sample, written into one folder.

A source brings its sample in `sample.py` of its folder, as a function `deliveries()`. Nothing here
knows a source by name. The output is the same to the byte on every machine.
"""

import argparse
import importlib
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from orchestration.ingest.landing.receipt import SampleDelivery

SOURCES = Path(__file__).parent


def sample_deliveries() -> Iterator[SampleDelivery]:
    """Yield the sample deliveries of every source that has a `sample.py`, by source name."""
    for module_file in sorted(SOURCES.glob("*/sample.py")):
        name = f"orchestration.ingest.sources.{module_file.parent.name}.sample"
        yield from importlib.import_module(name).deliveries()


def write_sample(target: Path) -> None:
    """Write every sample delivery, with its receipt, under the landing zone `target`.

    Raises FileExistsError where a delivery folder already holds files of another delivery.
    """
    for delivery in sample_deliveries():
        delivery.write(target)


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the sample into the folder named on the command line and return the exit code."""
    parser = argparse.ArgumentParser(description="Write the sample of the landing zone.")
    parser.add_argument("target", type=Path, help="landing zone to write to, such as raw")
    target: Path = parser.parse_args(arguments).target
    try:
        write_sample(target)
    except OSError as error:
        sys.stderr.write(f"The sample could not be written: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
