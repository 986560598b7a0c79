"""Writes with an idempotency key: what is replayed, what is refused, and what is not kept."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import cast

import msgspec
import pytest

from contracts.call import Call
from contracts.errors import (
    GatewayError,
    Outcome,
    OutcomeUnknown,
    QuotaExceeded,
    UpstreamAuthFailed,
    UpstreamRejected,
    UpstreamUnavailable,
)
from gateway.clock import SystemClock
from gateway.http.app import build_http
from gateway.http.exchange import Limits
from gateway.http.idempotency import IdempotencyKeys
from gateway.http.live import Generation, Live
from gateway.settings import IdempotencySettings, LogSettings
from gateway.stores.memory import MemoryStore
from gateway.stores.ports import Begun, Done, Doubtful, IdempotencyStore, Mismatch, Running, StoreLost
from gateway.telemetry.events import Events
from gateway.telemetry.log import build_logger
from tests.unit.http.memory_adapter import MemoryAdapter
from tests.unit.http.serving import KEY, Log, Reply, Served, listening, services, serving

RECORD = "/v1/demo/objects/Equipment/00001"
JOBS = "/v1/demo/objects/Job"
ACTION = "/v1/demo/actions/REST_ReportJob"
BODY = {"Description": "Pump", "Context": 1, "Status": 2}
BATCH = {
    "operations": [{"id": str(n), "method": "PUT", "path": f"Equipment/{n}", "body": BODY} for n in range(5)]
}
READING = {"equipment": "1", "point": "RUNHOURS", "at": "2022-06-15T12:00:00Z", "value": 1}
IMPORT = {"objects": [{"type": "Vendor", "action": "Update", "properties": {"Id": "1"}}]}
KEYED = {"Idempotency-Key": "k"}
OWN = ("x-request-id", "quota-cost", "server-timing", "date", "idempotency-replayed", "transfer-encoding")
"""What a replay has of its own; of a stream the length is known then too."""


def told(reply: Reply) -> tuple[int, Mapping[str, str], bytes]:
    headers = {name: value for name, value in reply.headers.items() if name not in OWN}
    headers.pop("content-length", None)
    return reply.status, headers, reply.content


async def twice(
    api: Served, method: str, target: str, body: object = None, headers: Mapping[str, str] | None = None
) -> tuple[Reply, Reply]:
    sent = {**KEYED, **(headers or {})}
    return await api.send(method, target, sent, body), await api.send(method, target, sent, body)


@pytest.mark.parametrize(
    ("method", "target", "body", "headers"),
    [
        ("POST", JOBS, BODY, {}),
        ("POST", JOBS, BODY, {"Prefer": "return=minimal"}),
        ("PUT", RECORD, BODY, {"Accept-Language": "nl"}),
        ("PATCH", RECORD, {"Description": "New"}, {}),
        ("DELETE", RECORD, None, {}),
        ("POST", "/v1/demo/batch", BATCH, {}),
        ("POST", "/v1/demo/batch", BATCH, {"Accept": "application/x-ndjson"}),
        ("POST", ACTION, {"a": 1}, {}),
        ("POST", "/v1/demo/measurements", {"measurements": [READING]}, {}),
        ("POST", "/v1/demo/imports/IMP_VENDOR", IMPORT, {}),
    ],
)
async def test_a_write_that_is_repeated_runs_once(
    api: Served, method: str, target: str, body: object, headers: Mapping[str, str]
) -> None:
    first, second = await twice(api, method, target, body, headers)
    assert first.status < 300, first.content
    assert told(second) == told(first)
    assert "idempotency-replayed" not in first.headers
    assert (second.headers["idempotency-replayed"], second.headers["quota-cost"]) == ("true", "0")
    assert first.headers["x-request-id"] != second.headers["x-request-id"]
    packs = 3 if "batch" in target else 1
    assert len(api.adapter.calls) == packs
    begun, replayed = api.lines
    assert (begun["idempotency"], begun["units"]) == ("begun", packs)
    assert (replayed["idempotency"], replayed["units"], replayed["saved"]) == ("replayed", 0, packs)
    assert begun["operation"] == replayed["operation"]


@pytest.mark.parametrize(
    ("method", "target", "headers", "body"),
    [
        ("PUT", RECORD, {}, {**BODY, "Status": 1}),
        ("PATCH", RECORD, {}, BODY),
        ("PUT", RECORD + "?", {}, None),
        ("PUT", "/v1/demo/objects/Equipment/00002", {}, BODY),
        ("PUT", RECORD, {"Accept-Language": "nl"}, BODY),
        ("PUT", RECORD, {"Content-Language": "nl"}, BODY),
        ("PATCH", RECORD + "?upsert=true", {}, BODY),
        ("DELETE", RECORD, {}, None),
    ],
)
async def test_the_key_of_another_request_is_refused(
    api: Served, method: str, target: str, headers: Mapping[str, str], body: object
) -> None:
    await api.send("PUT", RECORD, KEYED, BODY)
    reply = await api.send(method, target, {**KEYED, **headers}, body)
    assert (reply.status, reply.code, reply.json["outcome"]) == (422, "idempotency_mismatch", "not_sent")
    assert len(api.adapter.calls) == 1
    assert api.lines[1]["idempotency"] == "mismatch"


async def test_a_key_is_the_same_quoted_and_bare_and_another_in_another_tenant(api: Served) -> None:
    await api.send("PUT", RECORD, {"Idempotency-Key": '"k"'}, BODY)
    assert "idempotency-replayed" in (await api.send("PUT", RECORD, KEYED, BODY)).headers
    assert (
        "idempotency-replayed" not in (await api.send("PUT", RECORD, {"Idempotency-Key": "K"}, BODY)).headers
    )
    other = await api.send("PUT", RECORD.replace("demo", "other"), KEYED, BODY)
    assert (other.status, "idempotency-replayed" in other.headers) == (200, False)


async def test_reads_and_dry_runs_have_no_key(api: Served) -> None:
    for method, target in (
        ("GET", RECORD),
        ("POST", "/v1/demo/exports/EXP_EQUIPMENT"),
        ("PUT", f"{RECORD}?dry_run=true"),
        ("PUT", f"{RECORD}?dry%5Frun=TRUE"),
    ):
        body = BODY if method == "PUT" else None
        for reply in await twice(api, method, target, body):
            assert (reply.status, "idempotency-replayed" in reply.headers) == (200, False)
    assert [line["idempotency"] for line in api.lines] == [None] * 8
    assert (await api.send("PUT", RECORD, KEYED, BODY)).status == 200


async def test_a_key_makes_nothing_else_of_a_query_that_is_wrong(api: Served) -> None:
    for query in ("?x=%ff", "?x=%C3%A9", "?%ff=true", "?dry_run=maybe", "?dry_run=true&dry_run=false"):
        replies = [await api.send("PUT", RECORD + query, headers, BODY) for headers in ({}, KEYED)]
        assert [(reply.status, reply.code) for reply in replies] == [(400, "invalid_request")] * 2, query
    assert api.adapter.calls == []


def failing(api: Served, *failures: GatewayError | None) -> None:
    """The next calls end in these, after they have been sent."""
    rest = list(failures)

    def fail(call: Call) -> None:
        failure = rest.pop(0) if rest else None
        if failure is not None:
            raise failure

    api.adapter.before = fail


async def test_a_refusal_is_an_answer_like_any_other(api: Served) -> None:
    failing(api, UpstreamRejected("no"))
    first, second = await twice(api, "PUT", RECORD, BODY)
    assert (first.status, told(second)) == (422, told(first))
    assert second.headers["content-type"] == "application/problem+json"
    assert len(api.adapter.calls) == 1


@pytest.mark.parametrize(
    "failure",
    [
        UpstreamUnavailable("could not connect"),
        QuotaExceeded("429"),
        QuotaExceeded("full", outcome=Outcome.NOT_SENT),
        UpstreamUnavailable("503", outcome=Outcome.REFUSED),
        UpstreamAuthFailed("401"),
    ],
)
async def test_what_was_not_done_is_not_kept(api: Served, failure: GatewayError) -> None:
    failing(api, failure)
    first, second = await twice(api, "POST", JOBS, BODY)
    assert (first.status >= 429, second.status, "idempotency-replayed" in second.headers) == (
        True,
        201,
        False,
    )


async def test_what_was_wrong_with_the_request_is_not_kept(api: Served) -> None:
    first, second = await twice(api, "POST", JOBS, {"Description": 1})
    assert (first.code, second.code, "idempotency-replayed" in second.headers) == ("invalid_body",) * 2 + (
        False,
    )
    assert (await api.send("POST", JOBS, KEYED, BODY)).status == 201
    assert (await api.send("PUT", "/v1/demo/objects/..", KEYED, b"x")).code == "idempotency_mismatch"


@pytest.mark.parametrize(
    ("method", "target", "body"),
    [("POST", JOBS, BODY), ("POST", ACTION, {}), ("POST", "/v1/demo/imports/IMP_VENDOR", IMPORT)],
)
async def test_what_may_have_been_done_is_not_done_again(
    api: Served, method: str, target: str, body: object
) -> None:
    failing(api, OutcomeUnknown("lost"))
    first, second = await twice(api, method, target, body)
    third = await api.send(method, target, KEYED, body)
    assert first.json["code"] == "outcome_unknown"
    for reply in (second, third):
        assert (reply.status, reply.json["code"], reply.json["outcome"]) == (
            502,
            "outcome_unknown",
            "unknown",
        )
    assert told(third) == told(second)
    if target != JOBS:
        assert told(second) == told(first)
        assert second.headers["idempotency-replayed"] == "true"
    assert len(api.adapter.calls) == 1
    assert [line["idempotency"] for line in api.lines] == ["begun", "unknown", "unknown"]
    assert api.lines[1]["code"] == "outcome_unknown"


@pytest.mark.parametrize(
    ("one", "again"), [("PUT", True), ("PATCH", True), ("POST", False), ("DELETE", False)]
)
async def test_a_batch_is_done_again_if_that_leaves_the_same(api: Served, one: str, again: bool) -> None:
    last: dict[str, object] = {
        "id": "z",
        "method": one,
        "path": "Job" if one == "POST" else "Equipment/00001",
    }
    if one != "DELETE":
        last["body"] = {"Description": "New"} if one == "PATCH" else BODY
    operations = [*BATCH["operations"], last]

    def die(call: Call) -> None:
        if len(api.adapter.calls) == 2:
            raise RuntimeError("in the middle")

    api.adapter.before = die
    first, second = await twice(api, "POST", "/v1/demo/batch", {"operations": operations})
    third = await api.send("POST", "/v1/demo/batch", KEYED, {"operations": operations})
    assert (first.status, len(api.adapter.calls)) == (500, 5 if again else 2)
    assert told(third) == told(second)
    assert third.headers["idempotency-replayed"] == "true"
    assert (second.status, "idempotency-replayed" in second.headers) == (
        (200, False) if again else (500, True)
    )


async def test_what_can_be_done_twice_is_settled_by_doing_it_again(api: Served) -> None:
    failing(api, OutcomeUnknown("lost"), QuotaExceeded("full", outcome=Outcome.NOT_SENT))
    replies = [await api.send("PUT", RECORD, KEYED, BODY) for _ in range(4)]
    assert [reply.status for reply in replies] == [502, 429, 200, 200]
    assert ["idempotency-replayed" in reply.headers for reply in replies] == [False, False, False, True]
    assert len(api.adapter.calls) == 3


async def test_a_condition_that_fails_after_doubt_says_nothing_of_the_write(api: Served) -> None:
    tag = {"If-Match": (await api.get(RECORD)).headers["etag"]}

    def lose(call: Call) -> None:
        if not call.operation.safe:
            api.adapter.records["Equipment/00001"] = {"Id": "00001", **BODY}
            raise OutcomeUnknown("lost")

    api.adapter.before = lose
    first, second = await twice(api, "PUT", RECORD, BODY, tag)
    assert told(second) == told(first)
    assert second.json["code"] == "outcome_unknown"


def part(name: str, content: bytes, boundary: str) -> bytes:
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"; filename="x"\r\n\r\n'
    return head.encode() + content + b"\r\n"


async def test_a_form_is_told_by_what_it_holds(api: Served) -> None:
    def sending(boundary: str, *contents: bytes) -> tuple[str, str, dict[str, str], bytes]:
        headers = {**KEYED, "Content-Type": f"multipart/form-data; boundary={boundary}"}
        parts = b"".join(part("f", content, boundary) for content in contents)
        return "POST", ACTION, headers, parts + f"--{boundary}--\r\n".encode()

    first = await api.send(*sending("a", b"1" * 200_000, b"2"))
    assert first.status == 200
    second = await api.send(*sending("b", b"1" * 200_000, b"2"))
    assert (told(second), second.headers["idempotency-replayed"]) == (told(first), "true")
    for others in ((b"1" * 200_000, b"3"), (b"1" * 200_000,), (b"1" * 200_000, b"2", b"")):
        assert (await api.send(*sending("b", *others))).code == "idempotency_mismatch"
    assert (await api.send("POST", ACTION, KEYED, {})).code == "idempotency_mismatch"
    assert len(api.adapter.calls) == 1


class Failing:
    """A store of which single steps get no answer; the first step of each name, or every one."""

    def __init__(self, *steps: str, once: bool = False) -> None:
        self._store = MemoryStore(SystemClock()).idempotency
        self._failing = set(steps)
        self._once = once
        self.failed = 0

    def _try(self, step: str) -> None:
        if step in self._failing:
            self.failed += 1
            if self._once:
                self._failing.discard(step)
            raise StoreLost("no answer")

    async def begin(
        self, key: str, fingerprint: bytes, lease: int, keep: int
    ) -> Begun | Running | Mismatch | Doubtful | Done:
        self._try("begin")
        return await self._store.begin(key, fingerprint, lease, keep)

    async def renew(self, key: str, fence: int, lease: int) -> bool:
        self._try("renew")
        return await self._store.renew(key, fence, lease)

    async def depart(self, key: str, fence: int) -> bool:
        self._try("depart")
        return await self._store.depart(key, fence)

    async def finish(self, key: str, fence: int, answer: bytes, *, settled: bool) -> bool:
        self._try("finish")
        return await self._store.finish(key, fence, answer, settled=settled)

    async def forget(self, key: str, fence: int) -> None:
        self._try("forget")
        await self._store.forget(key, fence)


@pytest.mark.parametrize("step", ["begin", "depart"])
async def test_a_promise_that_cannot_be_kept_is_not_given(step: str) -> None:
    async with serving(store=cast(IdempotencyStore, Failing(step))) as api:
        reply = await api.send("PUT", RECORD, KEYED, BODY)
        assert (reply.status, reply.code, reply.json["outcome"]) == (503, "store_unavailable", "not_sent")
        assert reply.headers["retry-after"] == "2"
        assert api.lines[-1]["units"] == 0
        assert (await api.send("PUT", RECORD, body=BODY)).status == 200


async def test_an_answer_that_cannot_be_kept_at_once_is_given_and_kept_a_little_later() -> None:
    store = Failing("finish", once=True)
    async with serving(store=cast(IdempotencyStore, store)) as api:
        first = await api.send("POST", JOBS, KEYED, BODY)
        second = await api.send("POST", JOBS, KEYED, BODY)
        while second.status == 409:
            second = await api.send("POST", JOBS, KEYED, BODY)
        assert (first.status, told(second)) == (201, told(first))
        assert len(api.adapter.calls) == 1
        assert [line["step"] for line in api.lines if line["event"] == "store error"] == [
            "idempotency settled"
        ]
    assert store.failed == 1


class Slow(Failing):
    """A store whose named step takes for ever."""

    async def begin(
        self, key: str, fingerprint: bytes, lease: int, keep: int
    ) -> Begun | Running | Mismatch | Doubtful | Done:
        await self._wait("begin")
        return await super().begin(key, fingerprint, lease, keep)

    async def depart(self, key: str, fence: int) -> bool:
        await self._wait("depart")
        return await super().depart(key, fence)

    async def finish(self, key: str, fence: int, answer: bytes, *, settled: bool) -> bool:
        await self._wait("finish")
        return await super().finish(key, fence, answer, settled=settled)

    async def _wait(self, step: str) -> None:
        if step in self._failing:
            await asyncio.Event().wait()

    def _try(self, step: str) -> None:
        pass


@pytest.mark.parametrize(("step", "status"), [("begin", 504), ("depart", 504), ("finish", 200)])
async def test_a_store_that_takes_its_time_takes_none_of_the_callers(step: str, status: int) -> None:
    async with serving(store=cast(IdempotencyStore, Slow(step))) as api:
        began = time.monotonic()
        reply = await api.send("PUT", RECORD, {**KEYED, "Request-Timeout": "0.2"}, BODY)
        assert time.monotonic() - began < 2
        assert reply.status == status
        if status == 504:
            assert (reply.code, reply.json["outcome"]) == ("deadline_exceeded", "not_sent")


class Broken(Failing):
    """A store that cannot keep an answer, for a reason that nobody has foreseen."""

    async def finish(self, key: str, fence: int, answer: bytes, *, settled: bool) -> bool:
        raise RuntimeError("a mistake")


async def test_a_key_of_which_nothing_could_be_noted_is_not_held_for_ever() -> None:
    adapter, log = MemoryAdapter(), Log()
    built, metrics = services(adapter, log, Limits())
    events = Events(build_logger(LogSettings(format="json"), log), metrics)
    store = cast(IdempotencyStore, Broken())
    keys = IdempotencyKeys(store, IdempotencySettings(lease=0.2), SystemClock(), events)
    async with listening(build_http(Live(Generation(msgspec.structs.replace(built, keys=keys))))) as port:
        api = Served(port, adapter, metrics, log)
        assert (await api.send("POST", ACTION, KEYED, {})).status == 200
        async with asyncio.timeout(5):
            while (again := await api.send("POST", ACTION, KEYED, {})).status == 409:
                pass
        assert (again.status, again.code) == (502, "outcome_unknown")
    await keys.aclose()
    assert len(adapter.calls) == 1


class Claimed(Failing):
    """A store in which another call has just claimed every key."""

    async def begin(
        self, key: str, fingerprint: bytes, lease: int, keep: int
    ) -> Begun | Running | Mismatch | Doubtful | Done:
        await super().begin(key, fingerprint, 4500, keep)
        assert KEY not in key
        return await super().begin(key, fingerprint, lease, keep)


async def test_a_call_under_way_is_not_run_a_second_time() -> None:
    async with serving(store=cast(IdempotencyStore, Claimed())) as api:
        reply = await api.send("PUT", RECORD, KEYED, BODY)
        assert (reply.status, reply.code, reply.headers["retry-after"]) == (409, "idempotency_in_flight", "5")
        assert reply.json["retryable"] is True
        assert api.adapter.calls == []
        assert api.lines[0]["idempotency"] == "in_flight"
