"""The doctor on ways that lead nowhere, and on certificates that are not as they should be."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme

from gateway.doctor import Finding, Verdict
from tests.support.examined import configured, examined, found
from tests.support.listening import Authority, listening, strict, upstream

OK, WRONG = Verdict.OK, Verdict.WRONG
PAST, SOON = datetime(2020, 1, 1, tzinfo=UTC), datetime.now(UTC) + timedelta(days=3)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    ca, file = trustme.CA(organization_name="Plant CA"), tmp_path_factory.mktemp("ca") / "ca.pem"
    ca.cert_pem.write_to_path(str(file))
    return Authority(ca, file)


async def look(
    port: int, *, scheme: str = "https", host: str = "127.0.0.1", **given: object
) -> dict[str, Finding]:
    """What is found of a tenant at this address; ``given`` are settings of its environment and of the tenant."""
    tenant = {name: given.pop(name) for name in ("client_certificate",) if name in given}
    patience = given.pop("patience", 5.0)
    settings = configured(f"{scheme}://{host}:{port}/api/v1", {"demo": tenant}, environment=given)
    return found(await examined(settings, patience=patience))


async def test_a_way_that_is_fine_is_timed_and_its_certificate_told(authority: Authority) -> None:
    async with upstream(authority.serving()) as running:
        it = await look(running.port, ca_file=str(authority.file))
        assert running.asked == 1
    assert {
        name: it[name].verdict for name in ("connection", "TLS", "certificate", "CA file", "request")
    } == (dict.fromkeys(("connection", "TLS", "certificate", "CA file", "request"), OK))
    assert it["certificate"].facts["subject"] == "plant-a"
    assert it["certificate"].text.startswith("'plant-a' (127.0.0.1), made by '")
    assert "O=Plant CA" in it["certificate"].text
    assert {"name_ms", "connection_ms", "tls_ms"} <= it["connection"].facts.keys()


@pytest.mark.parametrize(
    ("leaf", "trusted", "text", "advice"),
    [
        (
            lambda ca: ca.issue_cert("127.0.0.1", not_after=PAST),
            True,
            "has expired on 2020-01-01",
            "whoever runs the upstream renews it",
        ),
        (
            lambda ca: ca.issue_cert("other.example"),
            True,
            "certificate is not for 127.0.0.1 but for other.example",
            "write the name that it is for into environments.plant.rest",
        ),
        (
            lambda ca: ca.issue_cert("127.0.0.1"),
            False,
            "Plant CA",
            "set environments.plant.ca_file to the PEM of",
        ),
    ],
    ids=["expired", "other name", "unknown authority"],
)
async def test_a_certificate_that_is_not_trusted_says_why_and_gets_no_request(
    leaf: Callable[[trustme.CA], trustme.LeafCert],
    trusted: bool,
    text: str,
    advice: str,
    authority: Authority,
) -> None:
    async with upstream(authority.serving(leaf(authority.ca))) as running:
        it = await look(running.port, **({"ca_file": str(authority.file)} if trusted else {}))
        assert running.asked == 0
    assert (it["connection"].verdict, it["TLS"].verdict) == (OK, WRONG)
    assert text in it["TLS"].text
    assert advice in it["TLS"].advice
    assert "nothing was sent, and no unit spent" in it["request"].text


async def test_one_that_ends_soon_is_wrong_and_the_question_is_asked_all_the_same(
    authority: Authority,
) -> None:
    leaf = authority.ca.issue_cert("127.0.0.1", not_after=SOON)
    async with upstream(authority.serving(leaf)) as running:
        it = await look(running.port, ca_file=str(authority.file))
        assert running.asked == 1
    assert it["certificate"].verdict is WRONG
    assert it["certificate"].facts["days_left"] == 2


def certified(leaf: trustme.LeafCert, folder: Path) -> dict[str, str]:
    """The files of a client certificate."""
    files = {"cert_file": str(folder / "own.pem"), "key_file": str(folder / "own.key")}
    leaf.cert_chain_pems[0].write_to_path(files["cert_file"])
    leaf.private_key_pem.write_to_path(files["key_file"])
    return files


async def test_a_client_certificate_is_asked_for_taken_and_told_before_it_ends(
    authority: Authority, tmp_path: Path
) -> None:
    own = certified(authority.ca.issue_cert("gateway.example", not_after=SOON), tmp_path)
    with strict(authority) as (port, asked):
        without = await look(port, ca_file=str(authority.file))
        assert asked == []
        having = await look(port, client_certificate=own, ca_file=str(authority.file))
        assert len(asked) == 1
    assert without["TLS"].verdict is WRONG
    assert "set tenants.demo.client_certificate" in without["TLS"].advice
    assert (having["TLS"].verdict, having["client certificate"].verdict) == (OK, WRONG)
    assert having["client certificate"].facts["days_left"] == 2


async def test_a_client_certificate_of_another_authority_is_refused(
    authority: Authority, tmp_path: Path
) -> None:
    own = certified(trustme.CA().issue_cert("gateway.example"), tmp_path)
    with strict(authority) as (port, asked):
        it = await look(port, client_certificate=own, ca_file=str(authority.file))
        assert asked == []
    assert "the upstream does not take the client certificate" in it["TLS"].text
    assert "its thumbprint is registered" in it["TLS"].advice


async def test_where_nobody_listens_or_answers_the_way_is_what_is_wrong() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = int(listener.getsockname()[1])
    refused = await look(port, scheme="http")
    assert "refuses the connection" in refused["connection"].text
    assert "environments.plant.rest" in refused["connection"].advice
    unnamed = await look(443, host="plant-a.invalid")
    assert unnamed["connection"].text == "the name plant-a.invalid does not resolve"
    assert "port 53" in unnamed["connection"].advice


async def test_who_accepts_and_says_nothing_is_told_by_where_it_stops() -> None:
    async with upstream(answer=b"") as running:
        silent = await look(running.port, scheme="http", patience=0.3)
        assert silent["connection"].verdict is OK
        assert (silent["request"].verdict, silent["credential"].verdict) == (WRONG, Verdict.UNKNOWN)
        assert "no answer came" in silent["request"].text
        assert silent["request"].facts["code"] == "upstream_unavailable", "the wire gives up, not the call"
        handshake = await look(running.port, patience=0.3)
    assert "TLS gets no answer in time" in handshake["TLS"].text


async def test_an_upstream_without_tls_is_known_for_one() -> None:
    async with listening(_blunt) as port:
        it = await look(port)
    assert it["TLS"].text == "what answers there does not speak TLS"
    assert "environments.plant.rest" in it["TLS"].advice


async def _blunt(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(1)
    writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    await writer.drain()
    writer.close()


async def test_through_a_proxy_its_own_answers_are_told_from_the_upstreams(authority: Authority) -> None:
    async with upstream(authority.serving()) as running:
        for status, verdict in ((b"200 Connected", OK), (b"407 Who are you", WRONG)):
            proxy = _Proxy(status, running.port)
            async with listening(proxy.handle) as port:
                address = f"http://127.0.0.1:{port}"
                it = await look(443, proxy=address, ca_file=str(authority.file))
            assert it["connection"].verdict is verdict
            assert proxy.asked == {b"CONNECT 127.0.0.1:443 HTTP/1.1"}
        assert running.asked == 1
    assert "makes no connection: 407 Who are you" in it["connection"].text
    assert "environments.plant.proxy" in it["connection"].advice


class _Proxy:
    """Answers with ``status``, and connects whoever may to one port, whatever was asked for."""

    def __init__(self, status: bytes, port: int) -> None:
        self.asked: set[bytes] = set()
        self._status = status
        self._port = port

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.asked.add((await reader.readuntil(b"\r\n\r\n")).partition(b"\r\n")[0])
        writer.write(b"HTTP/1.1 " + self._status + b"\r\n\r\n")
        if not self._status.startswith(b"2"):
            writer.close()
            return
        there, away = await asyncio.open_connection("127.0.0.1", self._port)
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(_passed(reader, away))
                both.create_task(_passed(there, writer))
        finally:
            for end in (away, writer):
                end.close()


async def _passed(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    writer.transport.abort()


async def test_who_hangs_up_after_the_handshake_is_found_before_a_request(authority: Authority) -> None:
    """So do upstreams of TLS 1.3 that miss a client certificate, where something before them says nothing of it."""

    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async with listening(hang_up, authority.serving()) as port:
        it = await look(port, ca_file=str(authority.file))
    assert it["TLS"].text == "the connection is closed during the TLS handshake, or right after it"
    assert "tenants.demo.client_certificate" in it["TLS"].advice
    assert "no unit spent" in it["request"].text
