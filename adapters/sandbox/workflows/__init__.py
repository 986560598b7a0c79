"""The workflows that the look-alike knows, by lower-case name."""

from adapters.sandbox.workflows import articles, custom, equipment, jobs, measurements, reservations
from adapters.sandbox.workflows.run import Outcome, ReceivedFile, Run, Workflow

__all__ = ["Outcome", "ReceivedFile", "Run", "Workflow", "all_workflows"]


def all_workflows() -> dict[str, Workflow]:
    """Every workflow, by its name in lower case."""
    rooms = (jobs, reservations, measurements, equipment, articles, custom)
    return {workflow.name.lower(): workflow for room in rooms for workflow in room.workflows()}
