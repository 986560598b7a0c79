"""The catalogue against the wire: each fault's code and outcome, no leak, and the units that arrived."""

from __future__ import annotations

import asyncio
import ssl
import traceback
from datetime import UTC, datetime

import pytest
import trustme

from contracts.errors import GatewayError, Outcome
from contracts.wire import WireRequest
from gateway.wire import SendReport, WireSettings
from tests.faults.catalogue import FAULTS, End, Fault
from tests.faults.server import Connection, FaultServer, black_hole, closed_port
from tests.faults.wires import READ, SECRET, WRITE, a_call, a_wire

MIB = 1024 * 1024
CODES = {
    (End.LOST, True): ("upstream_unavailable", Outcome.UNKNOWN),
    (End.LOST, False): ("outcome_unknown", Outcome.UNKNOWN),
    (End.NONSENSE, True): ("upstream_invalid_response", Outcome.UNKNOWN),
    (End.NONSENSE, False): ("upstream_invalid_response", Outcome.UNKNOWN),
}


def settings(url: str, **more: object) -> WireSettings:
    return WireSettings(
        base_url=url + "/api/v1",
        connect_timeout=0.3,
        read_timeout=0.3,
        write_timeout=0.3,
        max_response=2 * MIB,
        **more,  # type: ignore[arg-type]
    )


async def failing(
    where: WireSettings, request: WireRequest, reports: list[SendReport], *, seconds: float = 10
) -> GatewayError:
    """The error that a send ends in, from which nothing about the way there can be read."""
    async with a_wire(where, reports) as wire:
        with pytest.raises(GatewayError) as caught:
            await wire.bound(a_call(seconds=seconds)).send(request)
    error = caught.value
    told = f"{error.detail}{error!r}{''.join(traceback.format_exception(error))}"
    for leak in ("127.0.0.1", "localhost", "upstream.example", "/api/v1", SECRET, "Pump"):
        assert leak not in told
    return error


def metered(reports: list[SendReport], units: int, outcome: Outcome) -> None:
    (report,) = reports
    assert report.units == report.call.journal.units == units
    assert report.call.journal.sends == [report.send]
    assert report.send.outcome == outcome


@pytest.mark.parametrize("request_", [READ, WRITE], ids=["read", "write"])
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
async def test_a_fault_comes_to_its_end(fault: Fault, request_: WireRequest) -> None:
    reports: list[SendReport] = []
    async with FaultServer(fault.script) as server:
        where = settings(server.url)
        if fault.end is End.ANSWER:
            async with a_wire(where) as wire:
                answer = await wire.bound(a_call()).send(request_)
            assert (answer.status, answer.content) == (200, b'{"Id": "1"}')
        else:
            error = await failing(where, request_, reports)
            assert (error.code, error.outcome) == CODES[fault.end, request_.repeatable]
            metered(reports, 1, Outcome.UNKNOWN)
        assert server.arrivals == 1


async def unreached(where: WireSettings, word: str) -> None:
    for request in (READ, WRITE):
        reports: list[SendReport] = []
        error = await failing(where, request, reports)
        assert (error.code, error.outcome) == ("upstream_unavailable", Outcome.NOT_SENT)
        assert error.retryable
        assert word in error.detail
        metered(reports, 0, Outcome.NOT_SENT)


async def test_nobody_listens() -> None:
    await unreached(settings(f"http://127.0.0.1:{closed_port()}"), "refused")


async def test_no_such_name() -> None:
    await unreached(settings("http://nowhere.invalid"), "name not found")


async def test_a_handshake_that_never_ends() -> None:
    with black_hole() as hole:
        await unreached(settings(f"https://127.0.0.1:{hole.getsockname()[1]}"), "in time")


async def test_a_proxy_that_refuses() -> None:
    async def refuse(connection: Connection) -> None:
        await connection.head()
        await connection.send(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")

    async with FaultServer(refuse) as proxy:
        await unreached(settings("https://upstream.example", proxy=proxy.url), "proxy")


@pytest.mark.parametrize("said", [b"", b"SSH-2.0-OpenSSH_9.6\r\n\r\n"], ids=["nothing", "garbage"])
async def test_a_proxy_that_breaks_off(said: bytes) -> None:
    async def break_off(connection: Connection) -> None:
        await connection.head()
        await connection.send(said)

    async with FaultServer(break_off) as proxy:
        await unreached(settings("https://upstream.example", proxy=proxy.url), "proxy")


async def test_no_proxy_there() -> None:
    proxy = f"http://127.0.0.1:{closed_port()}"
    await unreached(settings("https://upstream.example", proxy=proxy), "proxy")


async def _answer(connection: Connection) -> None:
    await connection.request()
    await connection.send(b"HTTP/1.1 204 No Content\r\n\r\n")


def serving(certificate: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def ca_file(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("tls") / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return str(path)


async def test_tls_that_is_right(authority: trustme.CA, ca_file: str) -> None:
    async with FaultServer(_answer, tls=serving(authority.issue_cert("127.0.0.1"))) as server:
        async with a_wire(settings(server.url, ca_file=ca_file)) as wire:
            answer = await wire.bound(a_call()).send(READ)
        assert answer.status == 204


async def test_a_certificate_of_an_unknown_authority(ca_file: str) -> None:
    async with FaultServer(_answer, tls=serving(trustme.CA().issue_cert("127.0.0.1"))) as server:
        await unreached(settings(server.url, ca_file=ca_file), "unknown authority")
        assert server.arrivals == 0


@pytest.mark.parametrize(
    ("name", "word"), [("other.example", "another"), ("127.0.0.2", "another")], ids=["name", "address"]
)
async def test_a_certificate_of_another_name(
    authority: trustme.CA, ca_file: str, name: str, word: str
) -> None:
    async with FaultServer(_answer, tls=serving(authority.issue_cert(name))) as server:
        await unreached(settings(server.url, ca_file=ca_file), word)


async def test_a_certificate_that_expired(authority: trustme.CA, ca_file: str) -> None:
    expired = authority.issue_cert("127.0.0.1", not_after=datetime(2020, 1, 1, tzinfo=UTC))
    async with FaultServer(_answer, tls=serving(expired)) as server:
        await unreached(settings(server.url, ca_file=ca_file), "expired")


async def test_plain_http_where_tls_is_expected() -> None:
    async def banner(connection: Connection) -> None:
        await connection.send(b"220 smtp ready\r\n")

    async with FaultServer(banner) as server:
        await unreached(settings(server.url.replace("http", "https")), "TLS")


async def test_a_client_certificate_that_is_asked_for(authority: trustme.CA, ca_file: str) -> None:
    context = serving(authority.issue_cert("127.0.0.1"))
    authority.configure_trust(context)
    context.verify_mode = ssl.CERT_REQUIRED
    async with FaultServer(_answer, tls=context) as server:
        error = await failing(settings(server.url, ca_file=ca_file), READ, [])
        assert error.code == "upstream_unavailable"
        assert server.arrivals == 0

        pem = ca_file.replace("ca.pem", "client.pem")
        authority.issue_cert("client.example").private_key_and_cert_chain_pem.write_to_path(pem)
        async with a_wire(settings(server.url, ca_file=ca_file, client_cert=pem)) as wire:
            assert (await wire.bound(a_call()).send(READ)).status == 204


async def test_a_redirect_is_an_answer_and_is_not_followed() -> None:
    async with FaultServer(_answer) as elsewhere:

        async def redirect(connection: Connection) -> None:
            await connection.request()
            place = f"Location: {elsewhere.url}/x"
            await connection.send(f"HTTP/1.1 302 Found\r\n{place}\r\nContent-Length: 0\r\n\r\n".encode())

        async with FaultServer(redirect) as server, a_wire(settings(server.url)) as wire:
            answer = await wire.bound(a_call()).send(READ)
            assert (answer.status, answer.headers["location"]) == (302, elsewhere.url + "/x")
        assert elsewhere.connections == 0


@pytest.mark.parametrize("request_", [READ, WRITE], ids=["read", "write"])
async def test_a_kept_connection_that_breaks_is_not_tried_again(request_: WireRequest) -> None:
    """aiohttp would repeat a GET or PUT here; the third arrival would be one that nobody counted."""

    async def once(connection: Connection) -> None:
        await connection.request()
        await connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
        await connection.request()

    async with FaultServer(once) as server, a_wire(settings(server.url)) as wire:
        call = a_call()
        await wire.bound(call).send(request_)
        with pytest.raises(GatewayError) as caught:
            await wire.bound(call).send(request_)
        assert caught.value.code == CODES[End.LOST, request_.repeatable][0]
        assert server.connections == 1
        assert server.arrivals == call.journal.units == 2


async def test_an_answer_that_trickles_forever_ends_with_the_deadline() -> None:
    async def trickle(connection: Connection) -> None:
        await connection.request()
        await connection.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            await connection.send(b"1\r\nx\r\n")
            await asyncio.sleep(0)

    reports: list[SendReport] = []
    async with FaultServer(trickle) as server:
        where = WireSettings(base_url=server.url + "/api/v1")
        error = await failing(where, READ, reports, seconds=0.2)
    assert (error.code, error.outcome) == ("deadline_exceeded", Outcome.UNKNOWN)
    metered(reports, 1, Outcome.UNKNOWN)


async def test_a_deadline_that_passes_while_connecting_has_sent_nothing() -> None:
    reports: list[SendReport] = []
    with black_hole() as hole:
        where = WireSettings(base_url=f"https://127.0.0.1:{hole.getsockname()[1]}/api/v1")
        error = await failing(where, WRITE, reports, seconds=0.1)
    assert (error.code, error.outcome) == ("deadline_exceeded", Outcome.NOT_SENT)
    metered(reports, 0, Outcome.NOT_SENT)
