"""The examples of the documentation, made as they stand there against the demo: every one succeeds."""

from __future__ import annotations

import shlex
from collections.abc import AsyncIterator

import httpx2
import pytest
import pytest_asyncio

from adapters.sandbox import Sandbox, SandboxOptions
from gateway.http.description import OPERATIONS
from gateway.http.openapi import document
from tests.support.four_tenants import playing

EXAMPLES = [example for operation in OPERATIONS for example in operation.curl]
BODIES = {
    "RecordBody": ("POST", "/v1/demo/objects/Job"),
    "Batch": ("POST", "/v1/demo/batch"),
    "Measurements": ("POST", "/v1/demo/measurements"),
    "Export": ("POST", "/v1/demo-soap/exports/EXP_EQUIPMENT"),
    "Import": ("POST", "/v1/demo-soap/imports/IMP_VENDOR"),
}

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def demo() -> AsyncIterator[httpx2.AsyncClient]:
    options = SandboxOptions(limits="off", zone="Europe/Amsterdam")
    async with Sandbox(options) as sandbox, playing(sandbox) as client:
        yield client


@pytest.mark.parametrize("example", EXAMPLES)
async def test_an_example_can_be_made_as_it_stands(demo: httpx2.AsyncClient, example: str) -> None:
    answer = await demo.send(as_request(demo, shlex.split(example)))
    assert answer.status_code < 300, answer.text


@pytest.mark.parametrize(("name", "call"), BODIES.items())
async def test_the_example_of_a_body_is_accepted(
    demo: httpx2.AsyncClient, name: str, call: tuple[str, str]
) -> None:
    schemas = document()["components"]["schemas"]  # type: ignore[index]
    for example in schemas[name]["examples"]:
        answer = await demo.request(*call, json=example)
        assert answer.status_code < 300, answer.text
        assert '"error"' not in answer.text


def as_request(client: httpx2.AsyncClient, words: list[str]) -> httpx2.Request:
    """What curl would send."""
    path = next(word for word in words if word.startswith("/"))

    def given(*options: str) -> list[str]:
        return [words[at + 1] for at, word in enumerate(words) if word in options]

    headers = dict(header.split(": ", 1) for header in given("-H"))
    query = dict(pair.split("=", 1) for pair in given("--data-urlencode", "-d"))
    form = dict(pair.split("=", 1) for pair in given("-F"))
    files = {name: (value[1:], b"\xff\xd8") for name, value in form.items() if value.startswith("@")}
    fields = {name: value for name, value in form.items() if name not in files}
    body = next(iter(given("--json")), None)
    return client.build_request(
        next(iter(given("-X")), "GET"),
        path,
        headers=headers,
        params=query or None,
        content=body,
        data=fields or None,
        files=files or None,
    )
