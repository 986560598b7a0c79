"""Connectors that answer badly, over Connector.ashx and SOAP: the right code, the right outcome, nothing leaked.

Every row is sent in answer to every kind of call. A read that fails has done nothing; of a write whose
answer says nothing nobody knows what became, and only one that can be made twice may be made again.
"""

from __future__ import annotations

import io
import json
from collections.abc import AsyncIterator, Mapping

import httpx2
import msgspec
import pytest
import pytest_asyncio

from adapters.sandbox import Fault, Sandbox, SandboxOptions
from gateway.bootstrap import build
from gateway.demo.run import demo_settings
from tests.support.bad_answers import (
    BROKEN,
    BYTES,
    DECLARED,
    DOCUMENTS,
    ENVELOPES,
    EXCEPTIONS,
    KINDS,
    LEAKS,
    STATUSES,
    UNREADABLE,
    End,
    Kind,
    enveloped,
    fault_of,
)
from tests.support.four_tenants import CONNECTORS
from tests.support.problems import checked
from tests.support.quota import plain
from tests.support.servers import serving

pytestmark = pytest.mark.asyncio(loop_scope="module")


class Rig:
    """A caller, the demo's gateway, its log and the sandbox that is told what to answer."""

    def __init__(self, client: httpx2.AsyncClient, sandbox: Sandbox, log: io.BytesIO) -> None:
        self.client = client
        self.sandbox = sandbox
        self._log = log

    async def call(
        self, tenant: str, kind: Kind, fault: Fault, headers: Mapping[str, str] | None = None
    ) -> httpx2.Response:
        """One call that the fault strikes. Neither its answer nor its log line has anything of the upstream's."""
        self.sandbox.faults.clear()
        self.sandbox.faults.add(msgspec.structs.replace(fault, path="/WebServices/", count=None))
        self._log.seek(0)
        self._log.truncate()
        answer = await self.client.request(
            kind.method,
            f"/v1/{tenant}/{kind.path}",
            json=kind.body,
            headers={**kind.headers, **(headers or {})},
        )
        told = answer.text + self._log.getvalue().decode()
        assert '"event":"call"' in told
        assert "internal error" not in told
        assert [leak for leak in LEAKS if leak in told] == []
        return answer

    async def ends(self, tenant: str, kind: Kind, body: str | bytes, end: End, status: int = 200) -> None:
        """The call ends in this when it is answered so."""
        content = body.encode() if isinstance(body, str) else body
        fault = Fault(
            action="answer",
            status=status,
            body=content.decode("latin-1"),
            encoding="latin-1",
            media="text/xml; charset=utf-8",
            headers={"Retry-After": "7"} if status == 429 else {},
        )
        answer = await self.call(tenant, kind, fault)
        for problem in problems(answer):
            assert (problem["code"], problem["outcome"], problem["retryable"]) == end.of(kind), kind.name
        if status == 429:
            assert answer.headers["retry-after"] == "7"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def rig() -> AsyncIterator[Rig]:
    log = io.BytesIO()
    async with Sandbox(SandboxOptions(limits="off", zone="Europe/Amsterdam")) as sandbox:
        gateway = build(plain(demo_settings(sandbox.url + "/api/v1", sandbox.url), counted=False), log=log)
        async with (
            serving(gateway.app) as url,
            httpx2.AsyncClient(base_url=url, headers={"X-API-Key": "demo-key"}, timeout=30) as client,
        ):
            yield Rig(client, sandbox, log)


def problems(answer: httpx2.Response) -> list[dict[str, object]]:
    """Why a call failed: as a whole, at the end of its stream, or each of its parts."""
    kind = answer.headers["content-type"]
    if kind == "application/problem+json":
        problem = answer.json()
        return [checked(answer, problem["status"], problem["code"])]
    if kind == "application/x-ndjson":
        return [json.loads(answer.text.splitlines()[-1])["error"]]
    return [result["error"] for result in answer.json()["results"]]


def operation(kind: Kind) -> str:
    return "ExportData" if kind.read else "ImportData"


@pytest.mark.parametrize("name", DOCUMENTS)
@pytest.mark.parametrize("tenant", CONNECTORS)
async def test_a_result_that_is_none(rig: Rig, tenant: str, name: str) -> None:
    for kind in KINDS:
        text = DOCUMENTS[name]
        await rig.ends(
            tenant, kind, text if tenant == "demo-connector" else enveloped(text, operation(kind)), UNREADABLE
        )


@pytest.mark.parametrize("name", BYTES)
@pytest.mark.parametrize("tenant", CONNECTORS)
async def test_bytes_that_are_no_text(rig: Rig, tenant: str, name: str) -> None:
    for kind in KINDS:
        await rig.ends(tenant, kind, BYTES[name], UNREADABLE)


@pytest.mark.parametrize("name", ENVELOPES)
async def test_an_envelope_that_is_none(rig: Rig, name: str) -> None:
    body, end = ENVELOPES[name]
    for kind in KINDS:
        await rig.ends("demo-soap", kind, body.replace("ExportData", operation(kind)), end)


@pytest.mark.parametrize(("status", "body", "end"), STATUSES)
@pytest.mark.parametrize("tenant", CONNECTORS)
async def test_a_status_of_failure(rig: Rig, tenant: str, status: int, body: str, end: End) -> None:
    for kind in KINDS:
        await rig.ends(tenant, kind, body, end, status)


@pytest.mark.parametrize("text", EXCEPTIONS)
@pytest.mark.parametrize("tenant", CONNECTORS)
async def test_an_exception(rig: Rig, tenant: str, text: str) -> None:
    body = text if tenant == "demo-connector" else fault_of("s:ImportData", "no", text)
    for kind in KINDS:
        await rig.ends(tenant, kind, body, EXCEPTIONS[text], 500)


@pytest.mark.parametrize("declared", ["utf-16", "utf-8", "windows-1252", "ebcdic", "utf-7"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be"])
@pytest.mark.parametrize("tenant", CONNECTORS)
async def test_a_wrong_declaration_corrupts_nothing(
    rig: Rig, tenant: str, encoding: str, declared: str
) -> None:
    held = '<Object Type="Equipment"><Property Name="Id" Value="é€𝄞"/></Object>'
    text = f"{DECLARED.format(declared)}<Data>{held}</Data>"
    if tenant == "demo-soap":
        text = DECLARED.format(declared) + enveloped(text, "ExportData")
    fault = Fault(
        action="answer", status=200, body=text, encoding=encoding, media="text/xml; charset=iso-8859-1"
    )
    answer = await rig.call(tenant, KINDS[0], fault)
    assert answer.json() == {"items": [{"Id": "é€𝄞"}], "next": None}


@pytest.mark.parametrize("tenant", CONNECTORS)
async def test_an_answer_of_no_objects_is_an_empty_list_and_no_success_of_a_write(
    rig: Rig, tenant: str
) -> None:
    for kind in KINDS:
        text = "<Data/>" if tenant == "demo-connector" else enveloped("<Data/>", operation(kind))
        fault = Fault(action="answer", status=200, body=text, media="text/xml")
        answer = await rig.call(tenant, kind, fault)
        if not kind.read:
            told = [(it["code"], it["outcome"], it["retryable"]) for it in problems(answer)]
            assert set(told) == {("outcome_unknown", "unknown", kind.again)}
        elif kind.name == "get":
            checked(answer, 404, "record_not_found")
        else:
            assert answer.status_code == 200


@pytest.mark.parametrize(("fault", "code", "doubt"), BROKEN, ids=lambda it: getattr(it, "action", None))
@pytest.mark.parametrize("tenant", CONNECTORS)
async def test_an_answer_that_does_not_arrive(
    rig: Rig, tenant: str, fault: Fault, code: str, doubt: str | None
) -> None:
    """What came whole before the break stands; of the rest nobody knows, and it is not ``not_sent``."""
    hurry = {"Request-Timeout": "0.5"} if code == "deadline_exceeded" else {}
    for kind in KINDS:
        sent = len(rig.sandbox.ledger.calls)
        answer = await rig.call(tenant, kind, fault, hurry)
        assert len(rig.sandbox.ledger.calls) > sent or hurry
        if doubt is None and answer.status_code < 300 and not kind.read:
            continue
        for problem in problems(answer):
            assert problem["outcome"] == "unknown", kind.name
            assert problem["code"] in (code, doubt, "outcome_unknown"), kind.name
            if kind.again and code == "upstream_unavailable":
                assert (problem["code"], problem["retryable"]) == (code, True)
            if not kind.again:
                assert problem["retryable"] is False
