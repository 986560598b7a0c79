"""Connects to an upstream as the wire would, and sends no request: names, sockets and TLS cost no unit."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from enum import StrEnum
from typing import TypeVar
from urllib.parse import SplitResult, urlsplit

import msgspec

from gateway.clock import Clock
from gateway.wire.certificates import Certificate, of_peer
from gateway.wire.settings import WireSettings
from gateway.wire.troubles import DISTRUST, ProxyRefused, Trouble, trouble

T = TypeVar("T")

_Place = tuple[socket.AddressFamily, tuple[str, int] | tuple[str, int, int, int] | tuple[int, bytes]]
"""What the look-up of a name gives: a family, and an address as sockets of that family take it."""

LISTENED = 0.1
"""Seconds, beside two round trips, for a server that asks for a certificate to say so: it may do that
only after the handshake (RFC 8446 §4.4.2)."""

_PIECE = 64 * 1024


class Step(StrEnum):
    """What is done one after the other."""

    NAME = "name"
    CONNECTION = "connection"
    PROXY = "proxy"
    TLS = "tls"


class Probe(msgspec.Struct, frozen=True, kw_only=True):
    """How far it came, with the seconds that each step took; ``step`` is the last, ``trouble`` what ended it.

    ``peer`` is who was connected to, as ``host:port``: the upstream, or the proxy in front of it, and ``host`` is
    the upstream. ``certificate`` is the one that the upstream has shown, whether it is trusted or not. ``said`` is
    what the other side, or TLS, said of the trouble.
    """

    host: str
    peer: str
    proxied: bool
    step: Step
    trouble: Trouble | None = None
    said: str = ""
    seconds: dict[Step, float] = {}
    tls: str | None = None
    certificate: Certificate | None = None


async def probe(settings: WireSettings, clock: Clock, patience: float) -> Probe:
    """Connect within ``patience`` seconds, and let go. Raises :class:`~gateway.wire.settings.UnusableFile`."""
    trying = _Trying(settings, clock, settings.tls())
    found = await trying.run(patience)
    if found.trouble in DISTRUST:
        # Nothing is said over a connection that is not trusted; what it shows tells why it is not.
        looking = _Trying(settings, clock, _trusting())
        shown = (await looking.run(patience)).certificate
        return msgspec.structs.replace(found, certificate=shown)
    return found


class _Trying:
    """One connection, from the look-up of the name to where it ends."""

    def __init__(self, settings: WireSettings, clock: Clock, context: ssl.SSLContext) -> None:
        self._target = urlsplit(settings.base_url)
        self._proxy = urlsplit(settings.proxy) if settings.proxy else None
        self._certified = settings.client_cert is not None
        self._context = context
        self._clock = clock
        self._step = Step.NAME
        self._seconds: dict[Step, float] = {}
        self._tls: str | None = None
        self._certificate: Certificate | None = None

    async def run(self, patience: float) -> Probe:
        found, said = None, ""
        try:
            async with asyncio.timeout(patience):
                await self._connect(patience)
        except (OSError, EOFError) as error:
            found, said = trouble(error, with_certificate=self._certified), _words(error)
        return Probe(
            host=self._target.hostname or "",
            peer="{}:{}".format(*_address(self._proxy or self._target)),
            proxied=self._proxy is not None,
            step=self._step,
            trouble=found,
            said=said,
            seconds=self._seconds,
            tls=self._tls,
            certificate=self._certificate,
        )

    async def _connect(self, patience: float) -> None:
        addresses = await self._timed(Step.NAME, _resolved(self._proxy or self._target))
        with await self._timed(Step.CONNECTION, _opened(addresses, patience)) as opened:
            if self._target.scheme == "https":
                if self._proxy is not None:
                    await self._timed(Step.PROXY, _tunnel(opened, self._target))
                await self._secure(opened)

    async def _timed(self, step: Step, doing: Awaitable[T]) -> T:
        self._step, began = step, self._clock.monotonic()
        result = await doing
        self._seconds[step] = self._clock.monotonic() - began
        return result

    async def _secure(self, opened: socket.socket) -> None:
        secured = _Secured(opened, self._context, self._target.hostname or "")
        await self._timed(Step.TLS, secured.until(secured.tls.do_handshake))
        self._tls = secured.tls.version()
        shown = secured.tls.getpeercert(binary_form=True)
        if shown:
            # What TLS takes for a certificate need not be one by the letter of RFC 5280.
            with suppress(ValueError):
                self._certificate = of_peer(shown)
        # Silence is right before a request.
        with suppress(TimeoutError):
            async with asyncio.timeout(LISTENED + 2 * self._seconds[Step.TLS]):
                await secured.until(lambda: secured.tls.read(1))
                raise EOFError


class _Secured:
    """TLS over a socket, step by step, so that nothing that the other side says of it is lost."""

    def __init__(self, opened: socket.socket, context: ssl.SSLContext, host: str) -> None:
        self._opened = opened
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=host)

    async def until(self, step: Callable[[], object]) -> None:
        """Take a step as often as it needs more from the other side."""
        loop = asyncio.get_running_loop()
        while True:
            try:
                step()
                wants = False
            except ssl.SSLWantReadError:
                wants = True
            if self._outgoing.pending:
                await loop.sock_sendall(self._opened, self._outgoing.read())
            if not wants:
                return
            piece = await loop.sock_recv(self._opened, _PIECE)
            if piece:
                self._incoming.write(piece)
            else:
                self._incoming.write_eof()


async def _resolved(place: SplitResult) -> Sequence[_Place]:
    host, port = _address(place)
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [(family, address) for family, _, _, _, address in found]


async def _opened(addresses: Sequence[_Place], patience: float) -> socket.socket:
    """A connection to the first address that takes one, each in its share of the time; raises what the last did."""
    failed: OSError = OSError("the name has no address")
    for family, address in addresses:
        opened = socket.socket(family, socket.SOCK_STREAM)
        opened.setblocking(False)
        try:
            async with asyncio.timeout(patience / len(addresses)):
                await asyncio.get_running_loop().sock_connect(opened, address)
        except OSError as error:
            opened.close()
            failed = error
        except BaseException:
            opened.close()
            raise
        else:
            return opened
    raise failed


async def _tunnel(opened: socket.socket, target: SplitResult) -> None:
    """Have the proxy connect to the upstream (RFC 9110 §9.3.6). Raises :class:`ProxyRefused`."""
    place = "{}:{}".format(*_address(target))
    loop, answer = asyncio.get_running_loop(), b""
    await loop.sock_sendall(opened, f"CONNECT {place} HTTP/1.1\r\nHost: {place}\r\n\r\n".encode())
    while b"\r\n\r\n" not in answer and len(answer) < _PIECE:
        piece = await loop.sock_recv(opened, 4096)
        if not piece:
            raise ProxyRefused("it closed the connection")
        answer += piece
    status = answer.partition(b"\r\n")[0].decode("latin-1").split(" ", 1)
    if len(status) < 2 or not status[1].startswith("2"):
        raise ProxyRefused(" ".join(status[1:])[:80] or "it does not speak HTTP")


def _address(place: SplitResult) -> tuple[str, int]:
    return place.hostname or "", place.port or (443 if place.scheme == "https" else 80)


def _trusting() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _words(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return str(error.verify_message)
    if isinstance(error, ssl.SSLError):
        return (error.reason or "").replace("_", " ").lower()
    return str(error) if isinstance(error, ProxyRefused) else (getattr(error, "strerror", None) or "")
