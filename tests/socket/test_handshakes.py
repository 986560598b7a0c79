"""Whom a connection leads to is told once for each connection, and never for a request."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest
import trustme

from contracts.errors import UpstreamUnavailable
from gateway.wire import AiohttpTransport, WireSettings
from gateway.wire.handshakes import Contexts
from tests.faults.server import Connection, FaultServer
from tests.faults.wires import READ, a_call, a_wire

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


async def twice(connection: Connection) -> None:
    """Answers two requests and hangs up."""
    for _ in range(2):
        await connection.request()
        await connection.send(OK)


def serving(certificate: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context


async def test_it_is_told_once_for_each_connection(tmp_path: Path) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    certificate = authority.issue_cert("127.0.0.1")
    met: list[bytes] = []
    async with FaultServer(twice, tls=serving(certificate)) as server:
        settings = WireSettings(base_url=server.url, ca_file=str(tmp_path / "ca.pem"))
        tls = Contexts().leading_to("plant", settings, met.append)
        async with a_wire(settings, transport=AiohttpTransport(settings, tls)) as wire:
            for _ in range(4):
                await wire.bound(a_call()).send(READ)
        assert (server.connections, server.arrivals, len(met)) == (2, 4, 2)
    expected = ssl.PEM_cert_to_DER_cert(certificate.cert_chain_pems[0].bytes().decode())
    assert set(met) == {expected}


async def test_who_is_not_trusted_was_not_met(tmp_path: Path) -> None:
    trustme.CA().cert_pem.write_to_path(tmp_path / "ca.pem")
    met: list[bytes] = []
    async with FaultServer(twice, tls=serving(trustme.CA().issue_cert("127.0.0.1"))) as server:
        settings = WireSettings(base_url=server.url, ca_file=str(tmp_path / "ca.pem"))
        tls = Contexts().leading_to("plant", settings, met.append)
        async with a_wire(settings, transport=AiohttpTransport(settings, tls)) as wire:
            with pytest.raises(UpstreamUnavailable):
                await wire.bound(a_call()).send(READ)
    assert met == []


def test_what_tells_of_the_same_and_shows_the_same_is_made_once(tmp_path: Path) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    authority.issue_cert("gateway").private_key_and_cert_chain_pem.write_to_path(tmp_path / "own.pem")
    contexts, certificate = Contexts(), str(tmp_path / "own.pem")

    def made(whom: str = "plant", **files: str) -> ssl.SSLContext:
        settings = WireSettings(**{"base_url": "https://plant.example", **files})  # type: ignore[arg-type]
        return contexts.leading_to(whom, settings, lambda certificate: None)

    assert made() is made()
    different = [
        made(),
        made("another"),
        made(ca_file=str(tmp_path / "ca.pem")),
        made(client_cert=certificate),
        made(client_cert=certificate, client_key=certificate),
        made(base_url="http://plant.example"),
    ]
    assert len(set(map(id, different))) == len(different)


@pytest.mark.parametrize(
    ("address", "proxy", "trusts"),
    [
        ("https://plant.example", None, True),
        ("HTTPS://plant.example", None, True),
        ("http://plant.example", "https://proxy.example", True),
        ("http://plant.example", "http://proxy.example", False),
        ("http://plant.example", None, False),
    ],
)
def test_authorities_are_read_where_somebody_shows_a_certificate(
    address: str, proxy: str | None, trusts: bool
) -> None:
    context = WireSettings(base_url=address, proxy=proxy).tls()
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
    known = ssl.create_default_context() if trusts else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    assert context.cert_store_stats() == known.cert_store_stats()
