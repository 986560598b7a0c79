"""What the gateway answers is what its description says: status, media type, headers and the shape of the body.

The script of the four tenants is played and the answers of the other routes are looked at, each held against
the operation in ``/openapi.json`` that it belongs to.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Mapping
from functools import cache
from typing import Any

import httpx2
import pytest
import pytest_asyncio
from openapi_schema_validator import OAS31Validator

from adapters.sandbox import Fault, Sandbox, SandboxOptions
from gateway.bootstrap import build
from gateway.demo.run import demo_settings
from gateway.http.openapi import document
from tests.support.four_tenants import CONNECTORS, READING, SCRIPT, TENANTS, Step, playing, send
from tests.support.quota import plain
from tests.support.servers import serving

DRY = {"dry_run": "true"}
LINES = {"Accept": "application/x-ndjson"}
KEYS = {"Prefer": "return=minimal"}
OPERATIONS = [
    {"id": "1", "method": "PATCH", "path": "Vendor/2513", "body": {"City": "Bonn"}},
    {"id": "2", "method": "PATCH", "path": "Vendor/nope", "body": {"City": "Bonn"}},
    {"id": "3", "method": "PATCH", "path": "$2", "dependsOn": ["2"], "body": {"City": "Bonn"}},
]
VENDOR = {"type": "Vendor", "action": "InsertOrUpdate", "properties": {"Id": "2513", "City": "Bonn"}}
REFUSED = {"type": "Vendor", "action": "Update", "properties": {"Id": "nope"}}
Json = dict[str, Any]
STATED = {"date", "server", "content-type", "content-length", "transfer-encoding", "vary", "cache-control"}
"""Headers of HTTP itself, which a description of operations leaves to HTTP."""

FURTHER = (
    Step("dry list", "GET", "Equipment", {**DRY, "filter": "Id eq '1'"}),
    Step("dry get", "GET", "Equipment/00001", DRY),
    Step("dry change", "PATCH", "Equipment/00001", DRY, {"Model": "M"}, {"If-Match": '"x"'}),
    Step("batch", "POST", "/batch", {}, {"operations": OPERATIONS}),
    Step("batch, lines", "POST", "/batch", {}, {"operations": OPERATIONS}, LINES),
    Step("batch, keys", "POST", "/batch", {}, {"operations": OPERATIONS}, KEYS),
    Step("batch, dry", "POST", "/batch", DRY, {"operations": OPERATIONS}),
    Step("batch, wrong", "POST", "/batch", {}, {"operations": [{}]}),
    Step(
        "measurements, difference", "POST", "/measurements", {}, {"measurements": [{**READING, "delta": 1}]}
    ),
    Step("measurements, dry", "POST", "/measurements", DRY, {"measurements": [READING]}),
    Step("exports", "POST", "/exports/EXP_VENDOR", {}, {"filter": {"Id": "2513"}}),
    Step("exports, lines", "POST", "/exports/EXP_VENDOR_CSV", headers=LINES),
    Step("exports, dry", "POST", "/exports/EXP_VENDOR", DRY),
    Step("exports, absent", "POST", "/exports/EXP_NOPE"),
    Step("imports", "POST", "/imports/IMP_VENDOR", {}, {"objects": [VENDOR, REFUSED]}),
    Step("imports, dry", "POST", "/imports/IMP_VENDOR", DRY, {"objects": [VENDOR]}),
    Step("imports, type", "POST", "/imports/IMP_VENDOR", headers={"Content-Type": "text/xml"}),
    Step("capabilities", "GET", "/capabilities"),
    Step("quota", "GET", "/quota"),
    Step("quota, dry", "GET", "/quota", DRY),
    Step("usage", "GET", "/usage", {"by": "client,operation,adapter,day"}),
    Step("usage, dry", "GET", "/usage", DRY),
    Step("usage, wrong", "GET", "/usage", {"by": "weekday"}),
    Step("absent action", "POST", "/actions/REST_Nope", body={}),
    Step("key", "GET", "Equipment/00001", headers={"X-API-Key": "wrong"}),
)

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox(SandboxOptions(limits="off", zone="Europe/Amsterdam")) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def demo(sandbox: Sandbox) -> AsyncIterator[httpx2.AsyncClient]:
    async with playing(sandbox) as client:
        yield client


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def uncounted(sandbox: Sandbox) -> AsyncIterator[httpx2.AsyncClient]:
    """The demo over an upstream whose quota is none: after a refusal for it nobody has to wait."""
    settings = plain(demo_settings(sandbox.url + "/api/v1", sandbox.url), counted=False)
    async with (
        serving(build(settings).app) as url,
        httpx2.AsyncClient(base_url=url, headers={"X-API-Key": "demo-key"}, timeout=30) as client,
    ):
        yield client


@pytest.mark.parametrize("tenant", TENANTS)
async def test_every_answer_is_as_described(demo: httpx2.AsyncClient, tenant: str) -> None:
    for step in SCRIPT + FURTHER:
        answer = await send(demo, tenant, step)
        assert faults(answer) == [], (tenant, step.title, answer.text[:500])


@pytest.mark.parametrize("tenant", CONNECTORS)
@pytest.mark.parametrize("headers", [{}, LINES])
async def test_answers_about_an_upstream_that_fails_are_as_described(
    uncounted: httpx2.AsyncClient, sandbox: Sandbox, tenant: str, headers: Mapping[str, str]
) -> None:
    for fault in (
        Fault(action="answer", status=503, body="busy"),
        Fault(action="too_many", retry_after=7),
        Fault(action="truncate"),
        Fault(action="answer", body="<html>", media="text/html"),
    ):
        for step in (
            Step("list", "GET", "Equipment", headers=headers),
            Step("batch", "POST", "/batch", {}, {"operations": OPERATIONS}, headers),
            Step("measurements", "POST", "/measurements", {}, {"measurements": [READING]}),
            Step("exports", "POST", "/exports/EXP_VENDOR", headers=headers),
            Step("imports", "POST", "/imports/IMP_VENDOR", {}, {"objects": [VENDOR]}),
        ):
            sandbox.faults.add(fault)
            answer = await send(uncounted, tenant, step)
            sandbox.faults.clear()
            assert faults(answer) == [], (fault, step.title, answer.text[:500])


async def test_what_is_not_described_is_found(demo: httpx2.AsyncClient) -> None:
    """The measure itself: wrong answers of a right operation."""
    right = await demo.get("/v1/demo/capabilities")
    assert faults(right) == []
    for changed in (
        httpx2.Response(418, request=right.request),
        httpx2.Response(200, request=right.request, json={"items": [{"operation": 1, "adapter": None}]}),
        httpx2.Response(200, request=right.request, text="x", headers={"Content-Type": "text/plain"}),
        httpx2.Response(200, request=right.request, json={"items": []}, headers={"X-Other": "1"}),
    ):
        assert len(faults(changed)) == 1


def faults(answer: httpx2.Response) -> list[str]:
    """What of an answer its operation does not describe."""
    described = _operation(answer.request.method, answer.request.url.path)["responses"].get(
        str(answer.status_code)
    )
    if described is None:
        return [f"the status {answer.status_code}"]
    known = STATED | {name.lower() for name in described["headers"]}
    undescribed = [f"the header {name}" for name in answer.headers if name not in known]
    if not answer.content:
        return undescribed
    media = answer.headers["content-type"].partition(";")[0]
    if media not in described["content"]:
        return [*undescribed, f"the type {media}"]
    name = described["content"][media]["schema"]["$ref"].rpartition("/")[2]
    bodies = answer.text.splitlines() if media.endswith("ndjson") else [answer.text]
    read = [json.loads(body) for body in bodies]
    undescribed += [
        f"the code {body['code']}"
        for body in read
        if name == "Problem" and f"`{body['code']}`" not in described["description"]
    ]
    return undescribed + [fault for body in read for fault in _mistakes(name, body)]


def _mistakes(name: str, body: dict[str, object]) -> list[str]:
    # A page and a plan are records too, as far as a schema that lets every property through can tell.
    if "items" in body and name == "ListOrRecord":
        name = "Page"
    if "requests" in body:
        name = "PlanDocument"
    return [f"{error.json_path}: {error.message}"[:300] for error in _validator(name).iter_errors(body)]


def _operation(method: str, path: str) -> Json:
    for template, operations in _document()["paths"].items():
        expression = re.sub(r"\{\w+\}", "[^/]+", template.replace("{path}", ".+"))
        if re.fullmatch(expression, path):
            return _json(operations[method.lower()])
    raise AssertionError(f"{method} {path} is not described")


@cache
def _document() -> Json:
    return _json(document())


@cache
def _validator(name: str) -> OAS31Validator:
    schema = {"$ref": f"#/components/schemas/{name}", "components": _document()["components"]}
    return OAS31Validator(schema)


def _json(value: object) -> Json:
    assert isinstance(value, dict)
    return value
