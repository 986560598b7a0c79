"""The doctor before a real look-alike: what it finds of each tenant, what it spends, and who is told of that."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE
from pathlib import Path

import msgspec
import pytest

from adapters.sandbox import Sandbox, SandboxOptions
from gateway.cli import main
from gateway.clock import SystemClock
from gateway.doctor import Report, Verdict, rendered
from gateway.quota.ledger import grouped
from gateway.stores.memory import MemoryStore
from gateway.stores.sqlite import SqliteStore
from tests.support.examined import configured, examined, found
from tests.support.servers import scripted_upstream

ROOT = Path(__file__).parents[2]
DEMO = ROOT / "gateway" / "demo" / "demo.yaml"
SECRETS = {
    "SANDBOX_KEY": "sandbox-demo",
    "SANDBOX_ONPREM_KEY": "sandbox-onprem",
    "SANDBOX_PASSWORD": "sandbox-password",
}
OK, WRONG, UNKNOWN = Verdict.OK, Verdict.WRONG, Verdict.UNKNOWN
EXPORTS = {"exports": {"Equipment": {"connector": "EXP_EQUIPMENT", "filters": ["Id"]}}}


def demo(folder: Path, upstream: str) -> str:
    """The path of the demo's configuration, for this upstream, with its secrets in files."""
    text = DEMO.read_text().replace("http://127.0.0.1:8081", upstream)
    for name, secret in SECRETS.items():
        (folder / name).write_text(secret)
        text = text.replace(f"env: {name}", f"file: {folder / name}")
    file = folder / "gateway.yaml"
    file.write_text(f"store: {{kind: sqlite, file: {folder / 'kept.db'}}}\n{text}")
    return str(file)


async def doctor(*arguments: str) -> int:
    """The exit code; the command has an event loop of its own."""
    return await asyncio.to_thread(main, ("doctor", "--config", *arguments))


async def test_of_four_tenants_each_spends_one_unit_and_the_account_has_them(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    file = demo(tmp_path, sandbox.url)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "gateway.cli", "doctor", "--config", file, stdout=PIPE, stderr=PIPE
    )
    async with asyncio.timeout(60):
        printed, complained = await process.communicate()
    out = printed.decode()
    assert (process.returncode, complained) == (0, b"")
    assert "WRONG" not in out
    assert out.count("1 request sent, 1 unit spent") == 4
    assert "4 of the quota's units spent; they stand in its account, of the client 'doctor'." in out
    assert sandbox.ledger.received == 4
    assert {call.effect for call in sandbox.ledger.since(0)} == {None, "Export EXP_EQUIPMENT 0 records"}
    for secret in SECRETS.values():
        assert secret not in out
    store = SqliteStore(tmp_path / "kept.db", SystemClock())
    entries = await store.ledger.usage("sandbox", "2000-01-01", "2999-12-31")
    await store.close()
    groups = {group.values: group.figures for group in grouped(entries, ("tenant", "client"))}
    assert {values: (it.calls, it.units) for values, it in groups.items()} == {
        (name, "doctor"): (1, 1) for name in ("demo", "demo-connector", "demo-onprem", "demo-soap")
    }


async def test_for_machines_it_is_one_document_and_without_spending_nothing_is_asked(
    sandbox: Sandbox, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = demo(tmp_path, sandbox.url)
    code = await doctor(file, "--no-spend", "--json", "--tenant", "demo")
    document = msgspec.json.decode(capsys.readouterr().out, type=dict[str, object])
    report = msgspec.convert(document, Report)
    assert (code, document["verdict"], document["units"], sandbox.ledger.received) == (0, "ok", 0, 0)
    assert [(it.tenant, it.requests, it.units) for it in report.tenants] == [("demo", 0, 0)]
    assert found(report)["connection"].facts["connection_ms"] is not None
    assert found(report)["request"].verdict is UNKNOWN
    assert not (tmp_path / "kept.db").exists(), "looking makes no file"


async def test_a_configuration_that_cannot_be_used_is_said_and_a_strange_tenant_is_wrong_usage(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = demo(tmp_path, "http://127.0.0.1:1")
    assert await doctor(file, "--tenant", "demi") == 2
    assert "there is no tenant 'demi'; there are: demo, demo-connector" in capsys.readouterr().err
    Path(file).write_text(Path(file).read_text().replace("environment: sandbox", "environment: sandbix", 1))
    assert await doctor(file) == 1
    out = capsys.readouterr().out
    assert "WRONG   tenants.demo.environment" in out
    assert "did you mean 'sandbox'?" in out


async def test_beside_a_gateway_on_the_same_file_it_counts_in_the_same_account(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    file = tmp_path / "kept.db"
    running = SqliteStore(file, SystemClock())
    try:
        await running.ping()
        quota = {"cold_start": "trust", "day": {"limit": 1}}
        settings = configured(
            sandbox.url + "/api/v1",
            environment={"quota": quota},
            store={"kind": "sqlite", "file": str(file)},
        )
        report = await examined(settings)
        assert report.units == 1
        assert {finding.about: finding.verdict for finding in report.store}["store"] is OK
        # The day of one unit is used up, for the gateway too.
        again = await examined(settings, kept=running)
        assert (again.units, sandbox.ledger.received) == (0, 1)
        await running.ping()
    finally:
        await running.close()


async def test_a_read_tells_of_reading_and_says_what_it_cannot_tell(sandbox: Sandbox) -> None:
    settings = configured(sandbox.url + "/api/v1", {"demo": {"adapters": ["rest", "batch"]}})
    report = await examined(settings)
    it = found(report)
    assert {about: finding.verdict for about, finding in it.items()} == {
        "connection": OK,
        "request": OK,
        "credential": OK,
        "clock": OK,
        "adapter rest": OK,
        "adapter batch": UNKNOWN,
        "writes": UNKNOWN,
        "edition": UNKNOWN,
    }
    assert it["request"].facts["status"] == 200
    assert "--adapter batch" in it["writes"].advice
    assert (report.units, sandbox.ledger.received) == (1, 1)


async def test_an_empty_batch_tells_the_cloud_from_the_customers_premises(sandbox: Sandbox) -> None:
    both = {"demo": {"adapters": ["rest", "batch"]}}
    cloud = found(await examined(configured(sandbox.url + "/api/v1", both), adapter="batch"))
    assert (cloud["adapter batch"].verdict, cloud["credential"].verdict) == (OK, OK)
    assert cloud["edition"].text == "it takes REST writes, so it is in the cloud"
    readonly = configured(sandbox.url + "/api/v1", both, secrets={"UPSTREAM_KEY": "sandbox-onprem"})
    it = found(await examined(readonly, adapter="batch"))
    assert (it["request"].facts["status"], it["credential"].verdict) == (403, UNKNOWN)
    assert it["adapter batch"].verdict is WRONG
    assert "on-premises takes no REST writes: take 'batch' out" in it["adapter batch"].advice
    assert [call.effect for call in sandbox.ledger.since(0)] == ["batch: 0 (0 written)", None]


async def test_a_key_that_is_not_known_is_named_by_its_setting(sandbox: Sandbox) -> None:
    for adapters, said in (
        ({"rest": None}, "401 InvalidApiKey: tenants.demo.credentials.api_key is not known"),
        ({"connector": EXPORTS}, "login failed (status 500): tenants.demo.credentials.username and"),
        ({"soap": EXPORTS}, "login failed (status 500): tenants.demo.credentials.username and"),
    ):
        settings = configured(
            sandbox.url + "/api/v1",
            {"demo": {"adapters": adapters}},
            secrets={"UPSTREAM_KEY": "sandbox-other", "UPSTREAM_PASSWORD": "not-this-one"},
        )
        report = await examined(settings)
        it = found(report)
        assert it["credential"].verdict is WRONG
        assert it["credential"].text.startswith(said)
        assert it[f"adapter {next(iter(adapters))}"].verdict is OK, "it is there, since it says so"
        assert report.units == 1


async def test_what_a_key_is_not_granted_and_a_connector_that_is_not_there_are_told_apart(
    sandbox: Sandbox,
) -> None:
    narrow = configured(sandbox.url + "/api/v1", secrets={"UPSTREAM_KEY": "sandbox-narrow"})
    it = found(await examined(narrow, entity="Vendor"))
    assert (it["request"].verdict, it["credential"].verdict) == (UNKNOWN, OK)
    assert "--entity NAME" in it["request"].advice
    absent = {"connector": {"exports": {"Equipment": {"connector": "EXP_NOBODY"}}}}
    it = found(await examined(configured(sandbox.url + "/api/v1", {"demo": {"adapters": absent}})))
    assert it["adapter connector"].verdict is WRONG
    assert "correct tenants.demo.adapters.connector" in it["adapter connector"].advice
    none = {"connector": {"imports": {"Equipment": {"connector": "IMP_EQUIPMENT"}}}}
    it = found(await examined(configured(sandbox.url + "/api/v1", {"demo": {"adapters": none}})))
    assert (it["request"].verdict, it["adapter connector"].verdict) == (OK, OK)
    assert it["credential"].verdict is UNKNOWN, "the look-alike's order of checks need not be the upstream's"
    assert all(call.effect is None for call in sandbox.ledger.since(0))


async def test_when_the_quota_is_used_up_nothing_is_sent(sandbox: Sandbox) -> None:
    clock = SystemClock()
    store = MemoryStore(clock)
    quota = {"cold_start": "trust", "day": {"limit": 1}}
    settings = configured(sandbox.url + "/api/v1", environment={"quota": quota})
    first = await examined(settings, kept=store)
    second = await examined(settings, kept=store)
    assert (first.units, second.units, sandbox.ledger.received) == (1, 0, 1)
    it = found(second)
    assert it["request"].verdict is WRONG
    assert (
        "nothing was sent over rest: the day of this environment (1 requests) is used up"
        in it["request"].text
    )
    assert "no request sent, no unit spent" in rendered(second)
    await store.close()


async def test_when_the_store_is_lost_nothing_is_sent(sandbox: Sandbox) -> None:
    store = {"kind": "valkey", "valkey": {"address": "127.0.0.1:1"}}
    report = await examined(configured(sandbox.url + "/api/v1", store=store))
    assert {finding.about: finding.verdict for finding in report.store} == {
        "store": WRONG,
        "store server": UNKNOWN,
    }
    assert found(report)["request"].verdict is WRONG
    assert (report.units, sandbox.ledger.received) == (0, 0)


async def test_an_upstream_that_refuses_for_its_own_quota_is_used_by_others() -> None:
    async with Sandbox(SandboxOptions(rate=1)) as sandbox:
        settings = configured(sandbox.url + "/api/v1", {"demo": {}, "other": {}})
        report = await examined(settings)
    refused = [it for it in report.tenants if any(f.facts.get("status") == 429 for f in it.findings)]
    assert len(refused) == 1
    (request, credential) = refused[0].findings[:2]
    assert (request.verdict, credential.verdict) == (WRONG, UNKNOWN)
    assert "others use this environment beside the gateway" in request.advice


@pytest.mark.parametrize(
    ("head", "body", "about", "words"),
    [
        (
            "200 OK\r\nContent-Type: text/html",
            "<html>Sign in</html>",
            "request",
            "what answers is a web page",
        ),
        (
            "404 Not Found\r\nContent-Type: text/html",
            "<html></html>",
            "request",
            "what answers is a web page",
        ),
        ("503 Gone\r\nContent-Type: text/plain", "no", "request", "the upstream itself fails"),
        (
            "200 OK\r\nDate: Sun, 22 Nov 2020 10:00:00 GMT",
            '{"items":[]}',
            "clock",
            "have this machine keep time",
        ),
    ],
    ids=["html", "404", "503", "clock"],
)
async def test_an_answer_that_is_wrong_says_what_to_do(head: str, body: str, about: str, words: str) -> None:
    async with scripted_upstream() as upstream:
        upstream.answer = f"HTTP/1.1 {head}\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()
        report = await examined(configured(upstream.url))
        assert len(upstream.requests) == report.units == 1
    finding = found(report)[about]
    assert finding.verdict is WRONG
    assert words in finding.advice
    assert "Sign in" not in rendered(report)


async def test_a_set_of_any_size_is_read_no_further_than_its_head() -> None:
    record = b'<Object Type="Equipment"><Property Name="Id" Value="00001"/></Object>'
    head = b'<?xml version="1.0" encoding="utf-16"?><Data>' + record * 2_000
    async with scripted_upstream() as upstream:
        # The rest of it never comes.
        upstream.answer = b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n" + head
        whole = {"connector": {"exports": {"Equipment": {"connector": "EXP_EQUIPMENT"}}}}
        report = await examined(configured(upstream.url, {"demo": {"adapters": whole}}))
        assert len(upstream.requests) == report.units == 1
    assert found(report)["request"].verdict is OK
    assert "of which only the head of the answer is read" in found(report)["request"].text


async def test_what_an_upstream_repeats_of_a_secret_is_not_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with scripted_upstream() as upstream:
        body = b'{"message": "The key sandbox-demo covers several companies.", "code": "CompanyRequired"}'
        upstream.answer = b"HTTP/1.1 400 Bad\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
        file = demo(tmp_path, upstream.url.removesuffix("/api/v1"))
        assert await doctor(file, "--tenant", "demo") == 1
    out = " ".join(capsys.readouterr().out.split())
    assert "The key *** covers several companies." in out
    assert "tenants.demo.company" in out
    assert "sandbox-demo" not in out
