"""Groups and dependencies at random: what is answered and what is stored follow the page's rules."""

import json
from collections.abc import Mapping
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.sandbox.batches import NEW, send, write
from tests.unit.sandbox.client import Client

_STEPS = st.lists(
    st.tuples(
        st.sampled_from(["good", "bad", "delete"]), st.booleans(), st.sets(st.integers(0, 11), max_size=2)
    ),
    max_size=12,
)


def _drawn(steps: list[tuple[str, bool, set[int]]]) -> list[dict[str, Any]]:
    """Requests that keep all rules: a step opens a new group, or stays in that of the one before."""
    made: list[dict[str, Any]] = []
    for number, (kind, fresh, wanted) in enumerate(steps):
        before = made[-1].get("atomicityGroup") if made else None
        group = (f"g{number}" if number % 3 else None) if fresh else before
        rest: dict[str, Any] = {} if group is None else {"atomicityGroup": group}
        allowed = [str(n) for n in sorted(wanted) if n < number and made[n].get("atomicityGroup") == group]
        if allowed:
            rest["dependsOn"] = allowed
        key = f"Object/CostCenter('N{number}')"
        body: Mapping[str, object] | None = NEW if kind == "good" else {"Nope": 1}
        method = "DELETE" if kind == "delete" else "PUT"
        made.append(write(str(number), method, key, None if kind == "delete" else body, **rest))
    return made


def _expected(requests: list[dict[str, Any]]) -> dict[str, int]:
    """The page's rules, told another way: what fails by itself, then what that drags along."""
    own = {
        item["id"]: 404 if item["method"] == "DELETE" else 201 if item["body"] == NEW else 400
        for item in requests
    }
    result: dict[str, int] = {}
    for item in requests:
        group = item.get("atomicityGroup")
        if group is not None:
            peers = [peer["id"] for peer in requests if peer.get("atomicityGroup") == group]
            first = next((name for name in peers if own[name] != 201), item["id"])
            result[item["id"]] = own[item["id"]] if item["id"] == first else 424
        else:
            failed = any(result[name] != 201 for name in item.get("dependsOn", ()))
            result[item["id"]] = 424 if failed else own[item["id"]]
    return result


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(_STEPS)
async def test_random_groups_and_dependencies(
    client: Client, steps: list[tuple[str, bool, set[int]]]
) -> None:
    client.sandbox.store.clear()
    requests = _drawn(steps)
    reply = await send(client, *requests)
    assert reply.status == 200, json.dumps(requests)
    answered = {item["id"]: item["status"] for item in reply.json["responses"]}
    assert list(answered) == [item["id"] for item in requests]
    assert answered == _expected(requests)
    stored = {"".join(key) for key in client.sandbox.store.table("CostCenter").order}
    assert stored == {f"N{name}" for name, status in answered.items() if status == 201}
