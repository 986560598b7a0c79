"""Traces as those who run the gateway see them: caller, policies, each upstream request, and nothing private."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path

import httpx2
import pytest
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from adapters.sandbox import Fault, Sandbox, SandboxOptions
from gateway.clock import SystemClock
from gateway.telemetry.otlp import OtelTracer
from tests.support.collector import Kept, collector, keeping
from tests.support.servers import KEY, UPSTREAM_KEY, Served, eventually, gateway

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
RECORDED = {"traceparent": f"00-{TRACE}-{PARENT}-01"}
UNRECORDED = {"traceparent": f"00-{TRACE}-{PARENT}-00"}
SMALL = Path(__file__).parents[1] / "support" / "small.yaml"
OBJECTS = "/v1/demo/objects"
RETRIED = {"adapters": ["rest", "batch"], "retry": {"attempts": 3, "base": 0.001}}

BATCH_TREE = """\
POST /v1/{tenant}/batch status=200
  pack
    change ×100
    deadline
      cache
        retry
          breaker attempt=1
            adapter batch
              POST /batch status=200 links=100
  pack
    change ×30
    deadline
      cache
        retry
          breaker attempt=1 error=upstream_unavailable
            adapter batch error=upstream_unavailable
              POST /batch error=upstream_unavailable links=30
          breaker attempt=2
            adapter batch
              POST /batch status=200 links=30
"""


def caller(served: Served) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(base_url=served.url, headers={"X-API-Key": KEY}, timeout=20)


async def test_a_batch_of_which_a_part_was_repeated_shows_every_attempt() -> None:
    """The Shows of the issue, over the real exporter: caller → policies → each upstream attempt."""
    changes = [
        {"id": f"n{index}", "method": "PATCH", "path": "Equipment/00001", "body": {"Model": f"M{index}"}}
        for index in range(130)
    ]
    async with collector() as traces, Sandbox(SandboxOptions(limits="off")) as sandbox:
        sandbox.faults.add(Fault(action="reset", path="/batch", skip=1))
        tracing = {"tracing": {"endpoint": traces.url, "ratio": 0}}
        async with (
            gateway(sandbox.url + "/api/v1", {"demo": RETRIED}, server=tracing) as served,
            caller(served) as client,
        ):
            answer = await client.post("/v1/demo/batch", json={"operations": changes}, headers=RECORDED)
            retried, called = served.lines("retry"), served.lines()
        sent = [call.headers["traceparent"] for call in sandbox.ledger.calls]
    assert {result["status"] for result in answer.json()["results"]} == {200}
    assert "\n".join(traces.tree()) + "\n" == BATCH_TREE
    server, requests = traces.named("POST /v1/{tenant}/batch")[0], traces.named("POST /batch")
    assert (server.kind, server.trace, server.parent) == ("server", TRACE, PARENT)
    assert answer.headers["traceparent"] == f"00-{TRACE}-{server.id}-01"
    assert sent == [f"00-{TRACE}-{request.id}-01" for request in requests]
    assert [request.attributes.get("http.request.resend_count") for request in requests] == [None, None, 1]
    members = [span.id for span in traces.named("change")]
    assert [list(request.links) for request in requests] == [members[:100], members[100:], members[100:]]
    assert [span.attributes["ultimo_gateway.id"] for span in traces.named("change")][:2] == ["n0", "n1"]
    assert (called[0]["trace_id"], called[0]["span_id"]) == (TRACE, server.id)
    assert [line["trace_id"] for line in retried] == [TRACE]
    assert traces.resource["service.name"] == "ultimo-gateway"


async def test_a_trace_begins_here_where_the_caller_brings_none(sandbox: Sandbox) -> None:
    tracer, kept = keeping()
    async with gateway(sandbox.url + "/api/v1", tracer=tracer) as served, caller(served) as client:
        answer = await client.get(f"{OBJECTS}/Equipment/00001")
        await client.get("/livez")
        await client.get("/docs")
        line = served.lines()[0]
    server = kept.traces().spans()[0]
    assert kept.traces().tree() == [
        "GET /v1/{tenant}/objects/{path} status=200",
        "  deadline",
        "    cache",
        "      retry",
        "        breaker attempt=1",
        "          adapter rest",
        "            GET /object/{path} status=200",
    ]
    assert (line["trace_id"], line["span_id"], server.parent) == (server.trace, server.id, "")
    assert answer.headers["traceparent"] == f"00-{server.trace}-{server.id}-03"
    said = {name.removeprefix("ultimo_gateway."): value for name, value in server.attributes.items()}
    assert (
        said.items()
        >= {
            "tenant": "demo",
            "client": "tests",
            "operation": "get",
            "entity": "Equipment",
            "adapter": "rest",
            "units": 1,
            "attempts": 1,
            "request_id": answer.headers["x-request-id"],
            "http.route": "/v1/{tenant}/objects/{path}",
            "http.request.method": "GET",
        }.items()
    )
    request = kept.traces().spans()[-1]
    assert (request.kind, request.attributes["server.address"]) == ("client", "127.0.0.1")
    assert request.attributes["ultimo_gateway.units"] == 1
    assert server.began <= request.began <= request.ended <= server.ended


@pytest.mark.parametrize(
    ("ratio", "headers", "spans"), [(0.0, RECORDED, 7), (1.0, UNRECORDED, 0), (0.0, {}, 0)]
)
async def test_who_is_traced_is_what_the_caller_says_and_else_the_ratio(
    sandbox: Sandbox, ratio: float, headers: Mapping[str, str], spans: int
) -> None:
    tracer, kept = keeping(ratio)
    async with gateway(sandbox.url + "/api/v1", tracer=tracer) as served, caller(served) as client:
        answer = await client.get(f"{OBJECTS}/Equipment/00001", headers=headers)
        (line,) = served.lines()
    (call,) = sandbox.ledger.calls
    trace, flags = answer.headers["traceparent"].split("-")[1::2]
    assert len(kept.traces().spans()) == spans
    assert (trace == TRACE, flags[-1] == "1") == (bool(headers), spans > 0)
    # Recorded or not, log, answer and upstream speak of one trace.
    assert line["trace_id"] == call.headers["traceparent"].split("-")[1] == trace


async def test_strangers_decide_of_no_trace(sandbox: Sandbox) -> None:
    tracer, kept = keeping()
    async with gateway(sandbox.url + "/api/v1", tracer=tracer) as served, caller(served) as client:
        for method, key in (("GET", "not-a-key"), ("OPTIONS", "not-a-key"), ("GET", KEY)):
            await client.request(method, f"{OBJECTS}/Job/nope", headers={**RECORDED, "X-API-Key": key})
        lines = served.lines()
    assert [(line["status"], line["span_id"] is not None) for line in lines] == [
        (401, False), (204, False), (404, True),
    ]  # fmt: skip
    assert [line["trace_id"] for line in lines] == [TRACE] * 3, "the log says what they said"
    assert [span.attributes["http.response.status_code"] for span in kept.traces().named(_SERVER)] == [404]


MARK = "K3Y4711"
READING = {"at": "2022-04-15T06:00:00Z", "value": 1}
PRIVATE: tuple[tuple[str, str, object], ...] = (
    ("GET", f"objects/Equipment/{MARK}", None),
    ("GET", f"objects/Equipment?filter=Description%20eq%20'{MARK}'&orderby=Id", None),
    ("GET", f"objects/Equipment?filter=Description%20eqq%20'{MARK}'", None),
    ("GET", f"objects/Equipment?cursor={MARK}", None),
    ("GET", f"objects/{MARK}/1", None),
    ("GET", f"objects/Department/{MARK}/Jobs", None),
    ("GET", f"objects/Equipment/ExternalId={MARK}", None),
    ("PATCH", f"objects/Equipment/{MARK}?upsert=true", {"Context": 1, "Status": 2, "Description": MARK}),
    ("PUT", f"objects/Equipment/{MARK}", {"Context": 1, "Status": 2, "Description": MARK}),
    ("DELETE", f"objects/Equipment/{MARK}", None),
    ("POST", "objects/Equipment", {"Context": 1, "Status": 2, "Vendor": MARK}),
    ("POST", "objects/Equipment", {"Context": 1, MARK: 2}),
    ("POST", "actions/REST_ReportJob", {"Description": MARK, "EquipmentId": MARK, "Context": 1}),
    ("POST", f"actions/{MARK}", {}),
    ("POST", f"exports/{MARK}", {"filter": {"Id": MARK}}),
    ("POST", f"imports/{MARK}", {"objects": [{"type": "Equipment", "action": "Insert", "properties": {"Id": MARK}}]}),
    ("POST", "batch", {"operations": [{"id": "1", "method": "DELETE", "path": f"Equipment/{MARK}"}]}),
    ("POST", "measurements", {"measurements": [{**READING, "equipment": MARK, "point": MARK}]}),
)  # fmt: skip


async def test_no_key_no_filter_no_body_and_no_secret_is_in_any_span(sandbox: Sandbox) -> None:
    tracer, kept = keeping()
    exports = {"Equipment": {"connector": "EXP_EQ", "filters": ["Id"]}}
    imports = {"Equipment": {"connector": "IMP_EQ"}}
    tenants: dict[str, Mapping[str, object]] = {
        "demo": {"adapters": ["rest", "batch"]},
        "site": {"adapters": {"connector": {"exports": exports, "imports": imports}}},
        "soap": {"adapters": {"soap": {"exports": exports, "imports": imports}}},
    }
    async with (
        gateway(sandbox.url + "/api/v1", tenants, tracer=tracer) as served,
        caller(served) as client,
    ):
        for tenant in tenants:
            for method, path, body in PRIVATE:
                headers = {**RECORDED, "tracestate": f"vendor={MARK}", "If-Match": f'"{MARK}"'}
                if method in ("GET", "POST"):
                    del headers["If-Match"]
                await client.request(method, f"/v1/{tenant}/{path}", json=body, headers=headers)
        codes = {line["code"] for line in served.lines()}
    exported = b"".join(kept.traces().sent)
    assert {
        None,
        "record_not_found",
        "invalid_filter",
        "upstream_rejected",
        "operation_not_supported",
    } <= codes
    assert len(kept.traces().named("POST /WebServices/SoapConnector.svc")) > 3
    assert {
        secret for secret in (MARK, KEY, UPSTREAM_KEY, "sandbox-password") if secret.encode() in exported
    } == set()


@pytest.mark.parametrize(
    ("status", "code", "server_failed"),
    [(503, "upstream_unavailable", True), (404, "record_not_found", False)],
)
async def test_errors_have_their_code_and_a_caller_s_mistake_is_no_failure_of_ours(
    sandbox: Sandbox, status: int, code: str, server_failed: bool
) -> None:
    tracer, kept = keeping()
    if status == 503:
        sandbox.faults.add(Fault(action="answer", status=503))
    async with gateway(sandbox.url + "/api/v1", tracer=tracer) as served, caller(served) as client:
        await client.get(f"{OBJECTS}/Equipment/nope")
    server, *_, adapter, request = kept.traces().spans()
    assert (server.attributes["error.type"], server.failed) == (code, server_failed)
    assert (adapter.name, adapter.attributes["error.type"], adapter.failed) == ("adapter rest", code, True)
    assert (request.attributes["error.type"], request.failed) == (str(status), True)
    assert request.attributes["http.response.status_code"] == status


async def test_a_wait_at_the_gate_is_a_span_of_its_own(sandbox: Sandbox) -> None:
    tracer, kept = keeping()
    sandbox.faults.add(Fault(action="delay", seconds=0.05))
    narrow = {"bulkhead": {"concurrent": 1}}
    async with (
        gateway(sandbox.url + "/api/v1", environment=narrow, tracer=tracer) as served,
        caller(served) as client,
    ):
        await asyncio.gather(*(client.get(f"{OBJECTS}/Equipment/0000{index}") for index in (1, 2)))
        waits = sorted(int(str(line["waits"])) for line in served.lines())
    (wait,) = kept.traces().named("quota wait")
    before, after = kept.traces().named("GET /object/{path}")
    assert waits == [0, 1]
    assert (wait.parent, wait.failed) == (after.parent, False)
    # It began while the other request was under way, and ended when that was over.
    assert before.began < wait.began < before.ended <= wait.ended <= after.began


async def test_the_span_of_a_stream_ends_with_it() -> None:
    tracer, kept = keeping()
    ndjson = {"Accept": "application/x-ndjson"}
    async with (
        Sandbox(SandboxOptions(limits="off", page_size=2)) as sandbox,
        gateway(sandbox.url + "/api/v1", tracer=tracer) as served,
        caller(served) as client,
    ):
        whole = await client.get(f"{OBJECTS}/Vendor", headers=ndjson)
        # Of the second page nothing comes: the caller has enough of the first.
        sandbox.faults.add(Fault(action="delay", path="/object/Job", skip=1, seconds=60))
        async with client.stream("GET", f"{OBJECTS}/Job", headers=ndjson) as answer:
            await anext(aiter(answer.aiter_lines()))
            assert len(_servers(kept)) == 1
        await eventually(lambda: len(_servers(kept)) == 2)
        await eventually(lambda: len(served.lines()) == 2)
    assert whole.status_code == 200
    statuses = [span.attributes["http.response.status_code"] for span in kept.traces().named(_SERVER)]
    assert statuses == [200, 499]
    # What was under way for it was broken off, and says so.
    broken = kept.traces().named("GET /object/{path}")[-1]
    assert (broken.attributes["error.type"], broken.failed) == ("cancelled", True)


async def test_a_collector_that_does_not_answer_holds_nobody_up(sandbox: Sandbox) -> None:
    asked: list[asyncio.StreamWriter] = []

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(writer)
        await reader.read()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    endpoint = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1/traces"
    exporter = OTLPSpanExporter(endpoint=endpoint, timeout=60)
    tracer = OtelTracer(1, exporter, BatchSpanProcessor(exporter), SystemClock().now, farewell=0.3)
    async with gateway(sandbox.url + "/api/v1", tracer=tracer) as served, caller(served) as client:
        answers = [await client.get(f"{OBJECTS}/Equipment/0000{index}") for index in (1, 2)]
        ending = SystemClock().monotonic()
    assert [answer.status_code for answer in answers] == [200, 200]
    # The end waited for the farewell, and not for the collector.
    assert SystemClock().monotonic() - ending < 20
    await eventually(lambda: asked)
    server.close()
    for writer in asked:
        writer.close()
    await eventually(lambda: all(thread.name != "traces" for thread in threading.enumerate()))


UNTRACED = r"""
import sys

sys.modules["opentelemetry"] = None  # as where the extra is not installed

from pathlib import Path
from gateway.bootstrap import mistakes
from gateway.settings import parse

file, key = Path(sys.argv[1]).read_text(), {"SANDBOX_KEY": "k"}
settings = parse(file, key, Path())
print(list(mistakes(settings)), "gateway.telemetry.otlp" in sys.modules)
tracing = "server:\n  tracing: {endpoint: 'https://collector.example/v1/traces'}\n"
traced = parse(file.replace("server:\n", tracing), key, Path())
print(*(f"{problem.path}: {problem.message}" for problem in mistakes(traced)))
"""


def test_opentelemetry_is_missed_only_where_it_is_asked_for() -> None:
    done = subprocess.run(
        [sys.executable, "-c", UNTRACED, str(SMALL)], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines() == [
        "[] False",
        "server.tracing: needs OpenTelemetry, which is not installed: pip install 'ultimo-gateway[tracing]'",
    ]


_SERVER = "GET /v1/{tenant}/objects/{path}"


def _servers(kept: Kept) -> list[object]:
    return [span for span in kept.get_finished_spans() if span.name == _SERVER]
