"""The owners that the Dagster UI shows."""

ENGINEERS = "team:data-engineering"
"""The load, the schedule and the sensors."""

ANALYSTS = "team:analysis"
"""The models, from staging to reports."""

PUBLISHERS = "team:publication"
"""What leaves the restricted side."""
