"""One measured process: the archive from the landing zone to the marts, as a refresh does it.

``all`` makes every model, ``crime`` the monthly crime marts that the peers make, with all that they
need and their checks, ``release`` what is published as well. Settings come from the environment.
Prints one JSON object: seconds of the whole process; seconds from the first step's start to the
last one's end, which is ingest to marts without the start of Python and Dagster; peak memory in
MiB; and the seconds of each step.
"""

import json
import resource
import time
from typing import Any

CRIME_MARTS = ("crime_monthly", "crime_trends", "shoplifting_trends", "burglary_trends")


def run(quarter: str, what: str) -> dict[str, Any]:
    """Run the refresh's steps up to the marts, by Dagster; return what was measured.

    Raises :class:`RuntimeError` where the refresh did not end well.
    """
    started = time.perf_counter()
    import dagster as dg

    from orchestration.cli.prepare import prepare
    from orchestration.config.settings import load_settings
    from orchestration.dagster.jobs import PROGRESS_LOGGER, REFRESH_JOB
    from orchestration.definitions import warehouse

    prepare(load_settings())
    definitions = warehouse()
    job = definitions.resolve_job_def(REFRESH_JOB)
    with dg.DagsterInstance.get() as instance:
        result = job.execute_in_process(
            partition_key=quarter,
            instance=instance,
            asset_selection=_selected(definitions, what),
            run_config={"loggers": {PROGRESS_LOGGER: {}}},
        )
        if not result.success:
            raise RuntimeError("The refresh did not end well.")
        steps = {
            one.step_key: (one.start_time or 0, one.end_time or 0)
            for one in instance.get_run_step_stats(result.run_id)
        }
    starts, ends = zip(*steps.values(), strict=True)
    return {
        "seconds": time.perf_counter() - started,
        "ingest_to_marts": max(ends) - min(starts),
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "steps": {name: end - start for name, (start, end) in steps.items()},
    }


def _selected(definitions: Any, what: str) -> list[Any]:
    import dagster as dg

    graph = definitions.resolve_asset_graph()
    if what == "crime":
        keys = [dg.AssetKey(["marts", name]) for name in CRIME_MARTS]
        wanted = dg.AssetSelection.assets(*keys).upstream().resolve(graph)
        return sorted(wanted | {dg.AssetKey(["control", "in_force"])})
    left_out = {dg.AssetKey(["exports", "partnerships"])}
    if what == "all":
        left_out.add(dg.AssetKey(["published", "csp"]))
    return sorted(graph.materializable_asset_keys - left_out)


if __name__ == "__main__":
    import sys

    print(json.dumps(run(sys.argv[1], sys.argv[2])))
