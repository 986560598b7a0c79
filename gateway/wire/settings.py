"""How a tenant's upstream is reached."""

from __future__ import annotations

import ssl
from typing import Literal, NoReturn

import msgspec

MIB = 1024 * 1024


class UnusableFile(ValueError):
    """A file does not hold what it should; ``setting`` names the field that names the file."""

    def __init__(self, setting: Literal["ca_file", "client_cert"], message: str) -> None:
        super().__init__(message)
        self.setting = setting


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

    @property
    def encrypts(self) -> bool:
        """Whether anybody shows a certificate on the way: the upstream, or a proxy."""
        return any(address.lower().startswith("https:") for address in (self.base_url, self.proxy or ""))

    def tls(self) -> ssl.SSLContext:
        """The TLS settings. Raises :class:`UnusableFile`, and :class:`OSError` for a file that is absent."""
        context = self._trusting()
        if self.client_cert is not None:
            try:
                context.load_cert_chain(self.client_cert, self.client_key, password=_encrypted)
            except ssl.SSLError as error:
                reason = "expected a certificate and the private key that belongs to it, in PEM form"
                raise UnusableFile("client_cert", reason) from error
        return context

    def _trusting(self) -> ssl.SSLContext:
        if self.ca_file is None and not self.encrypts:
            # Trusts nobody, and costs nothing: the system's authorities take 20 ms to read.
            return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        try:
            return ssl.create_default_context(cafile=self.ca_file)
        except ssl.SSLError as error:
            raise UnusableFile("ca_file", "holds no certificate in PEM form") from error


def _encrypted() -> NoReturn:
    """Asked for the password of a private key; without this OpenSSL would ask on the terminal."""
    raise UnusableFile(
        "client_cert",
        "the private key is encrypted; store it without a password in a file that only the gateway can read",
    )
