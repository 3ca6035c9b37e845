"""One measured process: the archive from the landing zone to the marts, as a refresh does it.

Settings come from the environment. Prints one JSON object: seconds and peak memory.
"""

import json
import resource
import time


def run(quarter: str) -> dict[str, float]:
    """Run the refresh's steps up to the marts, by Dagster; return seconds and peak MiB."""
    started = time.perf_counter()
    import dagster as dg

    from orchestration.cli.preparing import prepare
    from orchestration.definitions import warehouse
    from orchestration.jobs import PROGRESS_LOGGER, REFRESH_JOB
    from orchestration.settings import load_settings

    prepare(load_settings())
    definitions = warehouse()
    job = definitions.resolve_job_def(REFRESH_JOB)
    graph = definitions.resolve_asset_graph()
    published = {dg.AssetKey(["published", "csp"]), dg.AssetKey(["exports", "partnerships"])}
    with dg.DagsterInstance.get() as instance:
        result = job.execute_in_process(
            partition_key=quarter,
            instance=instance,
            asset_selection=list(graph.materializable_asset_keys - published),
            run_config={"loggers": {PROGRESS_LOGGER: {}}},
        )
        steps = {
            one.step_key: (one.end_time or 0) - (one.start_time or 0)
            for one in instance.get_run_step_stats(result.run_id)
        }
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"seconds": time.perf_counter() - started, "peak_mib": peak, **steps}


if __name__ == "__main__":
    import sys

    print(json.dumps(run(sys.argv[1])))  # noqa: T201
