"""Spans around policies, packs and what is sent: where they begin and end, and that they watch and no more."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import msgspec
import pytest

from contracts.call import Call
from contracts.errors import RecordNotFound
from contracts.operations import Member, WriteBatch
from contracts.results import BatchDone, Deleted, MemberDone, Result, Scan
from contracts.schema import Record
from gateway.clock import SystemClock
from gateway.http import context
from gateway.pipeline import compose
from gateway.policies.spans import MOST_MEMBERS, InSpan, PackSpans, traced
from gateway.settings import TracingSettings
from gateway.telemetry.otlp import otlp_tracer
from gateway.telemetry.tracing import Tracer, recorded
from tests.faults.wires import a_call
from tests.support.collector import keeping
from tests.unit.gateway.policy_rig import CREATE, DELETE, LIST, Upstream

PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
CALL = a_call(traceparent=PARENT)


async def pieces(*numbers: int) -> AsyncGenerator[list[Record], None]:
    for number in numbers:
        if number < 0:
            raise RecordNotFound("gone")
        yield [{"Id": str(number)}]


async def scanned(tracer: Tracer, *numbers: int) -> Scan:
    handler = compose([InSpan(tracer, "retry")], Upstream(Scan(pieces=pieces(*numbers))))
    result = await handler(msgspec.structs.replace(CALL, operation=LIST))
    assert isinstance(result, Scan)
    return result


async def test_what_is_beneath_happens_under_the_span() -> None:
    tracer, kept = keeping()
    upstream = Upstream(Deleted())
    await compose([InSpan(tracer, "a"), InSpan(tracer, "b")], upstream)(CALL)
    outer, inner = kept.traces().spans()
    assert (outer.name, outer.parent, inner.name, inner.parent) == ("a", PARENT[36:52], "b", outer.id)
    (call,) = upstream.calls
    assert call == msgspec.structs.replace(CALL, traceparent=call.traceparent)
    assert call.traceparent == f"{PARENT[:36]}{inner.id}-01"


@pytest.mark.parametrize("traceparent", [None, PARENT[:-1] + "0", PARENT[:-1] + "2"])
async def test_a_call_that_is_not_recorded_passes_as_it_is(traceparent: str | None) -> None:
    tracer, kept = keeping()
    upstream = Upstream(Deleted())
    call = a_call(traceparent=traceparent)
    await compose([PackSpans(tracer), InSpan(tracer, "a")], upstream)(call)
    assert not recorded(traceparent)
    assert upstream.calls[0] is call
    assert kept.traces().spans() == []


def test_without_a_tracer_nothing_stands_between_policies() -> None:
    tracer, _ = keeping()
    policy = PackSpans(tracer)
    assert traced(None, [policy], "adapter rest") == (policy,)
    assert len(traced(tracer, [policy], "adapter rest")) == 3


async def test_nothing_is_traced_where_the_environment_switches_the_sdk_off() -> None:
    settings = TracingSettings(endpoint="http://127.0.0.1:9/v1/traces")
    assert otlp_tracer(settings, SystemClock().now, {"OTEL_SDK_DISABLED": "TRUE"}) is None
    tracer = otlp_tracer(settings, SystemClock().now, {})
    assert tracer is not None
    await tracer.aclose()


async def test_the_span_of_a_scan_ends_when_it_has_been_read() -> None:
    tracer, kept = keeping()
    scan = await scanned(tracer, 1, 2)
    assert await anext(scan.pieces) == [{"Id": "1"}]
    assert kept.traces().spans() == []
    assert [piece async for piece in scan.pieces] == [[{"Id": "2"}]]
    assert [span.failed for span in kept.traces().spans()] == [False]


async def test_a_scan_of_which_somebody_has_enough_has_not_failed() -> None:
    tracer, kept = keeping()
    scan = await scanned(tracer, 1, 2)
    await anext(scan.pieces)
    await scan.pieces.aclose()
    assert [span.failed for span in kept.traces().spans()] == [False]


async def test_a_scan_that_breaks_off_has() -> None:
    tracer, kept = keeping()
    scan = await scanned(tracer, 1, -1)
    with pytest.raises(RecordNotFound):
        [piece async for piece in scan.pieces]
    (span,) = kept.traces().spans()
    assert (span.failed, span.attributes["error.type"]) == (True, "record_not_found")


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (RecordNotFound("Equipment '00042' is not there"), "record_not_found"),
        (asyncio.CancelledError(), "cancelled"),
        (ZeroDivisionError("00042"), "ZeroDivisionError"),
    ],
)
async def test_an_error_is_told_by_its_kind_and_never_by_its_text(error: BaseException, kind: str) -> None:
    tracer, kept = keeping()
    with pytest.raises(type(error)):
        await compose([PackSpans(tracer), InSpan(tracer, "a")], Upstream(error))(
            msgspec.structs.replace(CALL, operation=DELETE)
        )
    spans = kept.traces().spans()
    assert [span.name for span in spans] == ["pack", "delete", "a"]
    assert {(span.failed, span.attributes["error.type"]) for span in spans} == {(True, kind)}
    assert b"00042" not in kept.traces().sent[0]


async def test_each_write_of_a_pack_has_a_span_with_what_became_of_it() -> None:
    tracer, kept = keeping()
    members = tuple(Member(id=f"m{index}", write=DELETE if index else CREATE) for index in range(3))
    refused = MemberDone("m0", RecordNotFound("no"))
    done = BatchDone(results=(refused, MemberDone("m1", Deleted()), MemberDone("m2", Deleted())))
    upstream = Upstream(done)
    batch = msgspec.structs.replace(CALL, operation=WriteBatch(members=members))
    assert await compose([PackSpans(tracer)], upstream)(batch) is done
    pack, *written = kept.traces().spans()
    assert pack.attributes == {"ultimo_gateway.members": 3}
    assert [(span.name, span.parent, span.failed) for span in written] == [
        ("create", pack.id, True),
        ("delete", pack.id, False),
        ("delete", pack.id, False),
    ]
    assert written[0].attributes["error.type"] == "record_not_found"
    assert written[1].attributes == {
        "ultimo_gateway.id": "m1",
        "ultimo_gateway.operation": "delete",
        "ultimo_gateway.entity": "Equipment",
        "ultimo_gateway.result": "deleted",
    }
    assert [link[36:52] for link in upstream.calls[0].links] == [span.id for span in written]


async def test_a_large_pack_has_no_more_spans_than_one_may_link_to() -> None:
    tracer, kept = keeping()
    members = tuple(Member(id=f"m{index}", write=DELETE) for index in range(MOST_MEMBERS + 5))

    async def linking(call: Call) -> Result:
        tracer.start("POST", parent=call.traceparent, links=call.links).end()
        return BatchDone(results=tuple(MemberDone(member.id, Deleted()) for member in members))

    batch = msgspec.structs.replace(CALL, operation=WriteBatch(members=members))
    await compose([PackSpans(tracer)], linking)(batch)
    assert len(kept.traces().named("delete")) == MOST_MEMBERS
    assert len(kept.traces().named("POST")[0].links) == MOST_MEMBERS


@pytest.mark.parametrize(
    ("given", "passed_on"),
    [
        (b"congo=t61rcWkgMzE,rojo=00f067aa0ba902b7", "congo=t61rcWkgMzE,rojo=00f067aa0ba902b7"),
        (b"a=" + b"x" * 510, "a=" + "x" * 510),
        (b"a=" + b"x" * 511, None),
        (b"a=\r\nb", None),
        ("a=é".encode(), None),
        (b"", None),
    ],
)
def test_what_other_tracing_systems_say_is_passed_on_as_it_is(given: bytes, passed_on: str | None) -> None:
    assert context.tracestate({b"tracestate": given}) == passed_on
