"""A warehouse that nobody watches: a clock of the test's own ticks its schedules and sensors.

Every run that they ask for is executed in process.
"""

import json
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

import dagster as dg

from orchestration.cli.prepare import prepare
from orchestration.config.settings import Settings
from orchestration.dagster.schedules import REFRESH_SCHEDULE
from orchestration.dagster.sensors import look
from orchestration.transform.dbt_runner import manifest_path, stamp_prepared


class Unattended:
    """A warehouse that publishes some models, and what its schedules and sensors asked for."""

    def __init__(self, settings: Settings, models: Collection[str], up_to: Sequence[str]) -> None:
        """Prepare a warehouse that publishes ``models`` and runs the assets up to one."""
        self.settings = settings
        self.cursor: str | None = None
        self.ran: list[str] = []
        self.asked: set[str] = set()
        self.skipped: list[str] = []
        prepare(settings)
        self._publish_only(models)
        from orchestration.definitions import warehouse

        definitions = warehouse()
        assert isinstance(definitions, dg.Definitions)
        self.definitions = definitions
        self.repository = definitions.get_repository_def()
        self.schedule = definitions.resolve_schedule_def(REFRESH_SCHEDULE)
        self.job = definitions.resolve_job_def("quarterly_refresh")
        graph = definitions.resolve_asset_graph()
        last = dg.AssetSelection.keys(list(up_to))
        # As the job has it: a refresh fetches nothing.
        behind = last.upstream() - dg.AssetSelection.groups("feeds")
        needed = behind.required_multi_asset_neighbors().resolve(graph)
        self.selection = [key for key in needed if key in graph.materializable_asset_keys]

    def _publish_only(self, models: Collection[str]) -> None:
        """The other sources' models would only make each of the runs longer."""
        path = manifest_path(self.settings)
        manifest = json.loads(path.read_text())
        for node in manifest["nodes"].values():
            about = node["config"].get("meta", {}).get("csp", {})
            if about.get("publish"):
                about["publish"] = node["name"] in models
        path.write_text(json.dumps(manifest))
        stamp_prepared(self.settings)

    def sensor(self, moment: datetime, instance: dg.DagsterInstance) -> None:
        """Tick twice, so far apart that what has landed has kept still."""
        for after in (0, 300):
            tick = look(self.settings, self.cursor, moment.timestamp() + after)
            self.cursor = tick.cursor
            for request in tick.run_requests or []:
                self.run(request, instance)

    def tick(self, moment: datetime, instance: dg.DagsterInstance) -> None:
        """Evaluate the refresh schedule's tick of a moment."""
        context = dg.build_schedule_context(
            instance=instance, repository_def=self.repository, scheduled_execution_time=moment
        )
        ticked = self.schedule.evaluate_tick(context)
        if ticked.skip_message:
            self.skipped.append(ticked.skip_message)
        for request in ticked.run_requests or []:
            self.run(request, instance)

    def run(self, request: Any, instance: dg.DagsterInstance) -> None:
        """Execute a run of the refresh that was asked for."""
        assert request.run_key not in self.asked or request.partition_key == request.run_key
        self.asked.add(request.run_key)
        result = self.job.execute_in_process(
            partition_key=request.partition_key,
            instance=instance,
            asset_selection=self.selection,
            tags=request.tags,
            raise_on_error=False,
        )
        assert result.success, [event.message for event in result.all_events if event.is_failure]
        self.ran.append(request.partition_key)
