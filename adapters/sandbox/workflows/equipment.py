"""The workflow that moves equipment. Source: vendor page "API key templates", Track & Trace."""

from adapters.sandbox.errors import business_rule
from adapters.sandbox.workflows.run import Outcome, Run, Workflow


def workflows() -> list[Workflow]:
    return [
        Workflow(
            "REST_Equipment_UpdateTrackAndTraceLocation",
            "32909ddd-068d-4a76-9f31-ba69bf7cf3ec",
            update_location,
        )
    ]


def update_location(run: Run) -> Outcome:
    """Note where equipment, named by its id or by an external id, is now."""
    location = run.text("DynamicLocation")
    space = run.reference("SpaceId", "Space")
    key = run.optional("EquipmentId")
    external = run.optional("ExternalId")
    if key is None and external is not None:
        found = run.store.table("Equipment").by_external(str(external), run.caller.key.provider)
        key = found[0] if found is not None else None
    if key is None or run.record("Equipment", str(key)) is None:
        raise business_rule("3399", "The location cannot be updated.", "The equipment is not known.")
    values: dict[str, object] = {"TrackAndTraceLocation": location}
    if space is not None:
        values["Space"] = space
    run.change("Equipment", (str(key),), values)
    return Outcome({"EquipmentId": key}, f"Update Equipment {key}")
