"""What every route has in common: credentials, tenants, methods, kinds of answers, problems, the log line."""

import asyncio

import pytest

from contracts.call import Call
from gateway.http.app import API_ROUTES, OPERATIONS_ROUTES, build_operations
from gateway.http.exchange import Limits
from gateway.http.live import Generation, Live
from tests.unit.http.memory_adapter import MemoryAdapter
from tests.unit.http.serving import READ_KEY, Log, Served, listening, services, serving

RECORD = "/v1/demo/objects/Equipment/00001"


@pytest.mark.parametrize(
    ("headers", "key"),
    [
        ({}, ""),
        ({}, "wrong"),
        ({"Authorization": "Basic YTpi"}, ""),
        ({"Authorization": "Bearer"}, ""),
        ({"Authorization": "Bearer a.b.c"}, ""),
        ({"Authorization": "Bearer all-key"}, "all-key"),
        ({}, "é"),
        ({}, "x" * 9000),
    ],
)
async def test_without_a_credential_nothing_is_said(api: Served, headers: dict[str, str], key: str) -> None:
    for target in (RECORD, "/v1/none/objects/Equipment", "/v1/tenants", "/v1/demo/objects/.."):
        reply = await api.send("GET", target, headers, key=key)
        assert (reply.status, reply.code) == (401, "unauthenticated")
        assert reply.headers["www-authenticate"] == "Bearer"


async def test_a_key_is_taken_from_either_header(api: Served) -> None:
    assert (await api.get(RECORD, {"Authorization": "bearer all-key"}, key="")).status == 200
    assert (await api.get(RECORD, key="all-key")).status == 200


async def test_an_absent_tenant_and_a_hidden_one_look_alike(api: Served) -> None:
    absent, hidden = [await api.get(f"/v1/{name}/objects/Equipment") for name in ("absent", "hidden")]
    assert (absent.status, absent.code) == (404, "tenant_not_found")
    left, right = absent.json, hidden.json
    for document, name in ((left, "absent"), (right, "hidden")):
        document["instance"] = ""
        document["detail"] = str(document["detail"]).replace(name, "")
    assert left == right


async def test_the_tenant_comes_before_the_scope_and_the_scope_before_the_input(api: Served) -> None:
    async def code(target: str) -> object:
        return (await api.send("PUT", target, body=b"{", key=READ_KEY)).code

    assert await code("/v1/other/objects/Equipment/1") == "tenant_not_found"
    assert await code("/v1/demo/objects/Equipment/1") == "forbidden"
    assert await code("/v1/demo/objects/..") == "forbidden"


@pytest.mark.parametrize(
    ("headers", "band"), [({"Priority": "u=1"}, "interactive"), ({}, "normal"), ({"Priority": "u=7"}, "bulk")]
)
async def test_who_waited_for_a_slot_is_timed_by_urgency(
    api: Served, headers: dict[str, str], band: str
) -> None:
    def wait(call: Call) -> None:
        call.journal.waits, call.journal.queue_seconds = 2, 0.5

    series = f'ultimo_gateway_queue_seconds_sum{{band="{band}"}}'
    await api.get(RECORD, headers)
    api.adapter.before = wait
    await api.get(RECORD, headers)
    timed = dict(line.rsplit(" ", 1) for line in api.metrics.render().decode().splitlines() if line[0] != "#")
    assert float(timed[series]) == 0.5
    assert float(timed[series.replace("_sum", "_count")]) == 1


async def test_a_read_key_reads(api: Served) -> None:
    assert (await api.get(RECORD, key=READ_KEY)).status == 200
    assert (await api.get("/v1/tenants", key=READ_KEY)).json == {
        "items": [{"name": "demo", "environment": "plant"}]
    }


@pytest.mark.parametrize("method", ["POST", "TRACE", "PROPFIND"])
async def test_a_method_that_is_not_known_tells_which_are(api: Served, method: str) -> None:
    reply = await api.send(method, "/v1/demo/capabilities")
    assert (reply.status, reply.code) == (405, "method_not_allowed")
    assert reply.headers["allow"] == "GET, HEAD, OPTIONS"


async def test_options_needs_no_credential(api: Served) -> None:
    reply = await api.send("OPTIONS", RECORD, key="")
    assert (reply.status, reply.content) == (204, b"")
    assert reply.headers["allow"] == "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"


@pytest.mark.parametrize(
    "target", ["/nothing", "/v1/demo", "/v1/demo/objects2/x", "/v1/demo/actions", "/problems/none"]
)
async def test_a_path_of_no_route_is_a_problem_too(api: Served, target: str) -> None:
    reply = await api.get(target)
    assert (reply.status, reply.code) == (404, "route_not_found")
    (line,) = api.lines
    assert (line["status"], line["code"], line["request_id"]) == (
        404,
        "route_not_found",
        reply.headers["x-request-id"],
    )
    assert str(line["path"]).startswith(target[:15])


@pytest.mark.parametrize("target", ["/v1/demo/objets/Equipment/00001", "/v1/demo/objects/Equipment/..%00"])
async def test_a_path_that_leads_nowhere_is_logged_without_its_keys(api: Served, target: str) -> None:
    await api.get(target)
    assert api.lines[0]["path"] == "/".join([*target.split("/")[:4], "…"])


async def test_a_host_that_is_none_is_a_problem_too(api: Served) -> None:
    assert (await api.get(RECORD, {"Host": "a b"})).code == "invalid_request"


@pytest.mark.parametrize(
    ("accept", "status"),
    [
        ("text/html", 406),
        ("application/json;q=0", 406),
        ("text/html, */*;q=0.1", 200),
        ("application/*", 200),
        ("application/problem+json", 200),
        ("application/x-ndjson", 200),
    ],
)
async def test_an_answer_is_json_or_none(api: Served, accept: str, status: int) -> None:
    for target in (RECORD, "/v1/tenants", "/v1/demo/capabilities"):
        reply = await api.get(target, {"Accept": accept})
        assert reply.status == status
        if status == 406:
            assert reply.code == "not_acceptable"


async def test_an_unforeseen_failure_shows_nothing_to_the_caller_and_all_to_the_operator(api: Served) -> None:
    def fail(call: Call) -> None:
        raise ZeroDivisionError("a hint that is nobody's business")

    api.adapter.before = fail
    reply = await api.get(RECORD, {"X-Request-Id": "r-1"})
    assert (reply.status, reply.code) == (500, "internal_error")
    assert b"hint" not in reply.content
    assert b"Zero" not in reply.content
    trace, line = api.lines
    assert (trace["request_id"], trace["level"]) == ("r-1", "error")
    assert "ZeroDivisionError" in str(trace["exception"])
    assert (line["event"], line["status"], line["code"]) == ("call", 500, "internal_error")


async def test_a_call_leaves_one_line_and_one_count(api: Served) -> None:
    await api.get(RECORD)
    (line,) = api.lines
    told = {
        name: line[name] for name in ("event", "tenant", "client", "operation", "entity", "adapter", "units")
    }
    assert told == {
        "event": "call", "tenant": "demo", "client": "all", "operation": "get", "entity": "Equipment",
        "adapter": "memory", "units": 1,
    }  # fmt: skip
    assert line["sends"] == [{"method": "GET", "status": 200, "ms": 250.0, "outcome": "answered"}]
    text = (await api.get("/metrics")).content.decode()
    assert (
        'ultimo_gateway_calls_total{adapter="memory",code="none",operation="get",status="2xx",tenant="demo"} 1.0'
        in text
    )
    assert len(api.lines) == 1


async def test_calls_that_fail_early_are_counted_and_leave_no_callers_words_in_labels(api: Served) -> None:
    await api.get("/v1/injected/objects/Equipment")
    await api.get(RECORD, key="wrong")
    assert [line["code"] for line in api.lines] == ["tenant_not_found", "unauthenticated"]
    text = api.metrics.render().decode()
    assert "injected" not in text
    assert 'code="tenant_not_found"' in text


async def test_more_calls_than_can_be_carried_are_refused_and_health_is_not() -> None:
    async with serving(Limits(calls=1)) as api:
        entered, leave = asyncio.Event(), asyncio.Event()

        async def slow() -> int:
            reader, writer = await api.open("PUT", RECORD, {"Content-Length": "2"})
            entered.set()
            await leave.wait()
            writer.write(b"{}")
            status = int((await reader.readline()).split()[1])
            writer.close()
            return status

        held = asyncio.create_task(slow())
        await entered.wait()
        while (refused := await api.get(RECORD)).status == 200:
            pass
        assert (refused.status, refused.code) == (503, "overloaded")
        assert refused.headers["retry-after"] == "1"
        assert (await api.get("/livez")).status == 200
        leave.set()
        assert await held == 400
        assert (await api.get(RECORD)).status == 200


@pytest.mark.parametrize("given", ["a b", "x" * 129, "é", ""])
async def test_a_request_id_that_is_not_well_formed_is_replaced(api: Served, given: str) -> None:
    ids = {(await api.get(RECORD, {"X-Request-Id": given})).headers["x-request-id"] for _ in range(2)}
    assert len(ids) == 2
    assert given not in ids


async def test_health_and_metrics_need_no_credential_and_leave_no_line(api: Served) -> None:
    assert (await api.get("/livez", key="")).json == {"status": "live"}
    assert (await api.get("/readyz", key="")).json == {"status": "ready", "config": "0", "parts": {}}
    assert (await api.get("/metrics", key="")).content.startswith(b"# HELP")
    assert api.log.getvalue() == b""


async def test_the_operators_routes_can_have_a_port_of_their_own() -> None:
    log = Log()

    async def broken() -> str | None:
        return "no connection"

    built, metrics = services(MemoryAdapter(), log, Limits(), checks={"store": broken})
    async with listening(build_operations(Live(Generation(built)))) as port:
        api = Served(port, MemoryAdapter(), metrics, log)
        ready = await api.get("/readyz")
        assert (ready.status, ready.json) == (
            503,
            {"status": "not ready", "config": "0", "parts": {"store": "no connection"}},
        )
        for route in API_ROUTES:
            assert (await api.get(route.path.replace("{", "").replace("}", ""))).status == 404
        for route in OPERATIONS_ROUTES:
            assert (await api.get(route.path)).status in (200, 503)


async def test_capabilities_tell_who_serves_what(api: Served) -> None:
    api.adapter.serves.remove("delete")
    api.adapter.missing = {"delete": "a batch adapter would serve it"}
    items = (await api.get("/v1/demo/capabilities")).json["items"]
    assert isinstance(items, list)
    by_operation = {item["operation"]: item for item in items}
    assert by_operation["get"]["adapter"] == "memory"
    assert by_operation["delete"]["adapter"] is None
    assert by_operation["delete"]["reason"] == "memory: a batch adapter would serve it"
    assert (await api.get("/v1/demo/capabilities?x=1")).code == "invalid_request"


@pytest.mark.parametrize("target", ["/v1/demo/capabilities", "/v1/tenants"])
async def test_a_dry_run_of_what_sends_nothing_shows_that(api: Served, target: str) -> None:
    plan = (await api.get(f"{target}?dry_run=true")).json
    assert plan == {"adapter": None, "units": 0, "at_most": 0, "completed": [], "requests": []}


async def test_the_sizes_of_both_bodies_are_logged(api: Served) -> None:
    reply = await api.send("PUT", RECORD, body=b'{"Description":"x","Context":1,"Status":2}')
    await api.send("HEAD", RECORD)
    written, head = api.lines
    assert (written["request_bytes"], written["answer_bytes"]) == (42, len(reply.content))
    assert (head["request_bytes"], head["answer_bytes"]) == (0, 0)
