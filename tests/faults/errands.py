"""One call of each kind, with a mark of its own in everything it writes, and how to see what became of it upstream."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import msgspec

from adapters.sandbox import Sandbox
from tests.faults.checkers import Answer
from tests.faults.fleet import TENANTS

_NEW: Mapping[str, object] = {"Context": 1, "Status": 1}
_OLD = "as it was"
_MEMBERS = 5

Done = Callable[[Sandbox], list[int]]
"""How often each effect that a call asks for has taken place."""


@dataclass(frozen=True, kw_only=True)
class Errand:
    """``most`` is how often a call may send the same request upstream; ``repeatable`` says that doing it twice is fine.

    ``shows`` is what an answer that is fine has to hold.
    """

    tenant: str
    name: str
    method: str
    path: str
    done: Done
    body: object = None
    keyed: bool = False
    most: int = 1
    repeatable: bool = False
    shows: str = ""

    @property
    def mark(self) -> str:
        return f"{self.tenant}-{self.name}"

    @property
    def settles(self) -> bool:
        """Whether it can be found out what became of it, or done again."""
        return self.repeatable or self.name == "named"

    def told(self, answer: Answer) -> list[tuple[int, str | None]]:
        """The status, and of a problem the outcome, of each effect that the call asks for."""
        if answer.fine and self.name == "batch":
            results = msgspec.json.decode(answer.body)["results"]
            return [(item["status"], item.get("error", {}).get("outcome")) for item in results]
        outcome = None if answer.fine else msgspec.json.decode(answer.body)["outcome"]
        return [(answer.status, outcome)] * (_MEMBERS if self.name == "batch" else 1)


def errands() -> Iterator[Errand]:
    """Every kind of call, for each tenant."""
    for tenant in TENANTS:
        yield from _reads(tenant)
        yield from _changes(tenant)
        yield from _creates(tenant)


def seeded(errand: Errand) -> dict[str, object] | None:
    """The Equipment that is there before the call; None when none is."""
    if errand.name not in ("get", "list", "replace", "delete"):
        return None
    return {**_NEW, "Description": errand.mark if errand.name in ("get", "list") else _OLD}


def _reads(tenant: str) -> Iterator[Errand]:
    for name, path in (
        ("get", f"Equipment/{tenant}-get"),
        ("list", f"Equipment?filter=Description eq '{tenant}-list'"),
    ):
        yield Errand(
            tenant=tenant,
            name=name,
            method="GET",
            path=f"objects/{path}",
            done=lambda _: [],
            most=3,
            repeatable=True,
            shows=f'"Description":"{tenant}-{name}"',
        )


def _changes(tenant: str) -> Iterator[Errand]:
    for name, method, query in (
        ("replace", "PUT", ""),
        ("upsert", "PATCH", "?upsert=true"),
        ("delete", "DELETE", ""),
    ):
        mark = f"{tenant}-{name}"
        yield Errand(
            tenant=tenant,
            name=name,
            method=method,
            path=f"objects/Equipment/{mark}{query}",
            body=None if method == "DELETE" else {**_NEW, "Description": mark},
            done=_absent(mark) if method == "DELETE" else _described("Equipment", mark),
            most=3,
            repeatable=True,
            shows="" if method == "DELETE" else f'"Description":"{mark}"',
        )  # fmt: skip


def _creates(tenant: str) -> Iterator[Errand]:
    for name, keyed, named, most in (
        ("named", True, True, 2),
        ("keyed", True, False, 1),
        ("plain", False, False, 1),
    ):
        mark = f"{tenant}-{name}"
        external = {"ExternalId": mark} if named else {}
        yield Errand(
            tenant=tenant,
            name=name,
            method="POST",
            path="objects/Job",
            body={**_NEW, "Description": mark, **external},
            done=_described("Job", mark),
            keyed=keyed,
            most=most,
            shows=f'"Description":"{mark}"',
        )
    marks = [f"{tenant}-batch-{number}" for number in range(_MEMBERS)]
    yield Errand(
        tenant=tenant,
        name="batch",
        method="POST",
        path="batch",
        body={
            "operations": [
                {"id": mark, "method": "POST", "path": "Job", "body": {**_NEW, "Description": mark}}
                for mark in marks
            ]
        },
        done=_described("Job", *marks),
        keyed=True,
        shows=f'"id":"{marks[0]}"',
    )
    yield Errand(
        tenant=tenant,
        name="action",
        method="POST",
        path="actions/REST_ReportJob",
        body={"Description": f"{tenant}-action", "ReportText": "It leaks"},
        done=_described("Job", f"{tenant}-action"),
        keyed=True,
        shows="JobId",
    )


def _described(entity: str, *marks: str) -> Done:
    """How many records have each of these descriptions."""

    def done(sandbox: Sandbox) -> list[int]:
        texts = [record.get("Description") for record in sandbox.store.table(entity).rows.values()]
        return [texts.count(mark) for mark in marks]

    return done


def _absent(key: str) -> Done:
    return lambda sandbox: [int((key,) not in sandbox.store.table("Equipment").rows)]
