"""How a tenant's upstream is reached."""

from __future__ import annotations

import ssl

import msgspec

MIB = 1024 * 1024


class WireSettings(msgspec.Struct, frozen=True, kw_only=True):
    """One upstream address and the limits that hold on the way there.

    ``base_url`` is scheme, host, port and path prefix; every target is appended to it. Timeouts are
    in seconds: to wait for a free connection, to make one (name, TCP, proxy and TLS together), to
    get rid of one piece of a body, between two arrivals of bytes. ``max_response`` is in bytes and
    holds on the wire and after inflation. ``proxy`` may carry its credential
    (``http://name:secret@host:port``). ``ca_file``, ``client_cert`` and ``client_key`` are PEM
    files; certificates are always verified.
    """

    base_url: str
    connect_timeout: float = 5.0
    read_timeout: float = 30.0
    write_timeout: float = 30.0
    pool_timeout: float = 5.0
    max_connections: int = 100
    max_response: int = 64 * MIB
    proxy: str | None = None
    ca_file: str | None = None
    client_cert: str | None = None
    client_key: str | None = None

    def __repr__(self) -> str:
        return f"WireSettings(base_url={self.base_url!r})"

    def tls(self) -> ssl.SSLContext:
        """The TLS settings. Raises :class:`OSError` for a file that is absent or is no PEM."""
        context = ssl.create_default_context(cafile=self.ca_file)
        if self.client_cert is not None:
            context.load_cert_chain(self.client_cert, self.client_key)
        return context
