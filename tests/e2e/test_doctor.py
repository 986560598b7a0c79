"""The doctor before a real look-alike: what it finds of each tenant, and what it says and does not say of it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec
import pytest

from adapters.sandbox import Sandbox
from gateway.cli import main
from gateway.doctor import Report, Verdict, rendered
from tests.support.examined import configured, demo, examined, found
from tests.support.servers import scripted_upstream

OK, WRONG, UNKNOWN = Verdict.OK, Verdict.WRONG, Verdict.UNKNOWN
EXPORTS = {"exports": {"Equipment": {"connector": "EXP_EQUIPMENT", "filters": ["Id"]}}}


async def doctor(*arguments: str) -> int:
    """The exit code; the command has an event loop of its own."""
    return await asyncio.to_thread(main, ("doctor", "--config", *arguments))


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
    for seconds in ("0", "301", "soon"):
        with pytest.raises(SystemExit, match="2"):
            main(("doctor", "--config", file, "--timeout", seconds))
    Path(file).write_text(Path(file).read_text().replace("environment: sandbox", "environment: sandbix", 1))
    assert await doctor(file) == 1
    out = capsys.readouterr().out
    assert "WRONG   tenants.demo.environment" in out
    assert "did you mean 'sandbox'?" in out


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
        (
            "403 Forbidden\r\nContent-Type: text/html",
            "<html>Blocked</html>",
            "request",
            "a list of addresses stands before it",
        ),
        ("503 Gone\r\nContent-Type: text/plain", "no", "request", "the upstream itself fails"),
        (
            "200 OK\r\nDate: Sun, 22 Nov 2020 10:00:00 GMT",
            '{"items":[]}',
            "clock",
            "have this machine keep time",
        ),
    ],
    ids=["html", "404", "403", "503", "clock"],
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
    if about == "request":
        assert found(report)["credential"].verdict is UNKNOWN, "whatever answers, it has not looked at it"


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
    """Also one that JSON writes in another way, and beside one that is a word of the report itself."""
    key = 'sand"box\\demo'
    async with scripted_upstream() as upstream:
        said = {"message": f"The key {key} covers several companies.", "code": "CompanyRequired"}
        body = msgspec.json.encode(said)
        upstream.answer = b"HTTP/1.1 400 Bad\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
        file = demo(tmp_path, upstream.url.removesuffix("/api/v1"))
        (tmp_path / "SANDBOX_KEY").write_text(key)
        (tmp_path / "SANDBOX_PASSWORD").write_text("unknown")
        assert await doctor(file, "--tenant", "demo") == 1
    out = " ".join(capsys.readouterr().out.split())
    assert "The key *** covers several companies." in out
    assert "tenants.demo.company" in out
    assert key not in out


async def test_an_address_that_is_not_the_interfaces_is_not_taken_for_a_missing_grant(
    sandbox: Sandbox,
) -> None:
    it = found(await examined(configured(sandbox.url)))
    assert (it["request"].facts["status"], it["request"].verdict) == (404, WRONG)
    assert "check environments.plant.rest (of REST it ends in /api/v1" in it["request"].advice
    assert (it["credential"].verdict, it["adapter rest"].verdict) == (UNKNOWN, UNKNOWN)
