"""Large things pass through in little memory: a list of 100,000 records, a file of 500 MB."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest

from tests.support.processes import UPLOAD, Running, gateway_process, sandbox_process
from tests.support.servers import KEY

MIB = 1024 * 1024
RECORDS = 100_000
FILE = 500 * 1000 * 1000


def _client(gateway: Running) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(base_url=gateway.url, headers={"X-API-Key": KEY}, timeout=120, verify=False)


async def _streamed(client: httpx2.AsyncClient, tenant: str, most: int) -> list[str]:
    ids: list[str] = []
    headers = {"Accept": "application/x-ndjson"}
    async with client.stream("GET", f"/v1/{tenant}/objects/Equipment", headers=headers) as answer:
        async for line in answer.aiter_lines():
            ids.append(json.loads(line)["Id"])
            if len(ids) == most:
                break
    return ids


@pytest.mark.parametrize("tenant", ["demo", "connector", "soap"])
async def test_a_hundred_thousand_records_in_constant_memory(tenant: str, tmp_path: Path) -> None:
    with sandbox_process("--records", str(RECORDS)) as sandbox, gateway_process(sandbox, tmp_path) as gateway:
        async with _client(gateway) as client:
            await _streamed(client, tenant, 3_000)
            before = gateway.memory()
            ids = await _streamed(client, tenant, RECORDS + 1)
            grown = gateway.peak() - before
    assert len(ids) == len(set(ids)) == RECORDS
    assert grown < 20 * MIB


@pytest.mark.timeout(240)
async def test_a_file_of_500_mb_in_constant_memory(tmp_path: Path) -> None:
    async def content(size: int) -> AsyncIterator[bytes]:
        yield b'--b\r\nContent-Disposition: form-data; name="File"; filename="big.bin"\r\n\r\n'
        for _ in range(size // 65_536):
            yield bytes(65_536)
        yield bytes(size % 65_536)
        yield b"\r\n--b--\r\n"

    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    with sandbox_process() as sandbox, gateway_process(sandbox, tmp_path) as gateway:
        async with _client(gateway) as client:
            target = f"/v1/demo/actions/{UPLOAD}"
            small = await client.post(target, content=content(MIB), headers=headers)
            assert small.status_code == 200, small.text
            before = gateway.memory()
            answer = await client.post(target, content=content(FILE), headers=headers)
            grown = gateway.peak() - before
    assert answer.status_code == 200, answer.text
    assert str(FILE) in answer.text
    assert grown < 32 * MIB
