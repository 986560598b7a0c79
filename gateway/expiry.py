"""When certificates end: those that upstreams have shown, and those in files that the configuration names."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from gateway.clock import Clock
from gateway.settings import Settings
from gateway.telemetry.standing import CertificateNow, Kind
from gateway.wire import certificates

REREAD = 60.0
"""Seconds for which it is believed what a file held: they are rotated under a running process."""


class Shown:
    """What upstreams have shown at their last handshake, by environment and interface; for one process.

    A handshake takes place once per connection, so nothing is asked of a request.
    """

    def __init__(self) -> None:
        self._ends: dict[tuple[str, str], float] = {}

    def noting(self, environment: str, interface: str) -> Callable[[bytes], None]:
        """Takes in a certificate (DER) of that interface; one that cannot be read tells nothing."""

        def note(certificate: bytes) -> None:
            try:
                self._ends[environment, interface] = certificates.expiry_of_peer(certificate)
            except ValueError:
                self._ends.pop((environment, interface), None)

        return note

    def known(self, settings: Settings) -> Iterator[CertificateNow]:
        """Those of environments that are configured."""
        for (environment, interface), ends in tuple(self._ends.items()):
            known = settings.environments.get(environment)
            if known is not None and known.address(interface) is not None:
                yield CertificateNow(environment=environment, kind="upstream", name=interface, ends=ends)


class _File(msgspec.Struct, frozen=True):
    environment: str
    kind: Kind
    name: str
    path: Path


class Expiry:
    """The ends of all certificates of one configuration."""

    def __init__(self, settings: Settings, shown: Shown, clock: Clock) -> None:
        self._settings = settings
        self._shown = shown
        self._clock = clock
        self._files = tuple(_files(settings))
        self._read: tuple[CertificateNow, ...] = ()
        self._read_at: float | None = None

    def now(self) -> Iterator[CertificateNow]:
        """As they are known; may read files, so it is for a thread. One that cannot be read is left out."""
        now = self._clock.monotonic()
        if self._read_at is None or now - self._read_at >= REREAD:
            self._read, self._read_at = tuple(_ends(self._files)), now
        yield from self._shown.known(self._settings)
        yield from self._read


def _files(settings: Settings) -> Iterator[_File]:
    for name, environment in settings.environments.items():
        if environment.ca_file is not None:
            yield _File(name, "ca", "ca_file", environment.ca_file)
    for name, tenant in settings.tenants.items():
        if tenant.client_certificate is not None:
            yield _File(tenant.environment, "client", name, tenant.client_certificate.cert_file)


def _ends(files: tuple[_File, ...]) -> Iterator[CertificateNow]:
    for file in files:
        try:
            found = [certificate.not_after for certificate in certificates.of_file(file.path)]
        except (OSError, ValueError):
            continue
        # A chain holds until its first ends; of authorities one ends while its successor stands beside it.
        ends = max(found) if file.kind == "ca" else min(found)
        yield CertificateNow(environment=file.environment, kind=file.kind, name=file.name, ends=ends)
