"""The ``csp`` command: the same refresh that Dagster runs, for people at a terminal."""

from orchestration.cli.app import main

__all__ = ["main"]
