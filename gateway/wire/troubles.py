"""What can keep a connection from coming about, told apart as far as one can do something about it."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class Trouble(StrEnum):
    """What stood in the way of a connection."""

    NO_NAME = "no_name"
    REFUSED = "refused"
    NO_ROUTE = "no_route"
    TIMED_OUT = "timed_out"
    PROXY_REFUSED = "proxy_refused"
    NOT_TLS = "not_tls"
    OTHER_VERSION = "other_version"
    EXPIRED = "expired"
    NOT_YET_VALID = "not_yet_valid"
    SELF_SIGNED = "self_signed"
    UNKNOWN_AUTHORITY = "unknown_authority"
    OTHER_NAME = "other_name"
    NOT_VALID = "not_valid"
    CLIENT_CERTIFICATE_WANTED = "client_certificate_wanted"
    CLIENT_CERTIFICATE_REFUSED = "client_certificate_refused"
    CLOSED = "closed"
    OTHER = "other"


DISTRUST = frozenset(
    {
        Trouble.EXPIRED,
        Trouble.NOT_YET_VALID,
        Trouble.SELF_SIGNED,
        Trouble.UNKNOWN_AUTHORITY,
        Trouble.OTHER_NAME,
        Trouble.NOT_VALID,
    }
)
"""Those for which the other side's certificate is to blame."""


class ProxyRefused(ConnectionError):
    """The proxy makes no connection; the message is the line that it answered with."""


def trouble(error: Exception, *, with_certificate: bool) -> Trouble:
    """What an exception of the socket or of TLS means; ``with_certificate`` where we have shown one of ours."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return _UNTRUSTED.get(error.verify_code, Trouble.NOT_VALID)
    if isinstance(error, ssl.SSLZeroReturnError):
        return Trouble.CLOSED
    if isinstance(error, ssl.SSLError):
        found = _ALERTS.get(error.reason or "", Trouble.OTHER)
        if found is Trouble.CLIENT_CERTIFICATE_WANTED and with_certificate:
            return Trouble.CLIENT_CERTIFICATE_REFUSED
        return found
    return next((found for kind, found in _SOCKET if isinstance(error, kind)), Trouble.NO_ROUTE)


_SOCKET: tuple[tuple[type[Exception], Trouble], ...] = (
    (TimeoutError, Trouble.TIMED_OUT),
    (socket.gaierror, Trouble.NO_NAME),
    (ProxyRefused, Trouble.PROXY_REFUSED),
    (ConnectionRefusedError, Trouble.REFUSED),
    (ConnectionError, Trouble.CLOSED),
    (EOFError, Trouble.CLOSED),
)

_UNTRUSTED: Mapping[int, Trouble] = MappingProxyType(
    {
        9: Trouble.NOT_YET_VALID,
        10: Trouble.EXPIRED,
        18: Trouble.SELF_SIGNED,
        19: Trouble.SELF_SIGNED,
        20: Trouble.UNKNOWN_AUTHORITY,
        21: Trouble.UNKNOWN_AUTHORITY,
        62: Trouble.OTHER_NAME,
        64: Trouble.OTHER_NAME,
    }
)
"""By the verification codes of OpenSSL (``x509_vfy.h``)."""

_ALERTS: Mapping[str, Trouble] = MappingProxyType(
    {
        "WRONG_VERSION_NUMBER": Trouble.NOT_TLS,
        "HTTP_REQUEST": Trouble.NOT_TLS,
        "RECORD_LAYER_FAILURE": Trouble.NOT_TLS,
        "UNSUPPORTED_PROTOCOL": Trouble.OTHER_VERSION,
        "TLSV1_ALERT_PROTOCOL_VERSION": Trouble.OTHER_VERSION,
        "TLSV1_UNRECOGNIZED_NAME": Trouble.OTHER_NAME,
        "TLSV13_ALERT_CERTIFICATE_REQUIRED": Trouble.CLIENT_CERTIFICATE_WANTED,
        "SSLV3_ALERT_HANDSHAKE_FAILURE": Trouble.CLIENT_CERTIFICATE_WANTED,
        "SSLV3_ALERT_BAD_CERTIFICATE": Trouble.CLIENT_CERTIFICATE_REFUSED,
        "SSLV3_ALERT_CERTIFICATE_EXPIRED": Trouble.CLIENT_CERTIFICATE_REFUSED,
        "SSLV3_ALERT_CERTIFICATE_REVOKED": Trouble.CLIENT_CERTIFICATE_REFUSED,
        "SSLV3_ALERT_CERTIFICATE_UNKNOWN": Trouble.CLIENT_CERTIFICATE_REFUSED,
        "TLSV1_ALERT_UNKNOWN_CA": Trouble.CLIENT_CERTIFICATE_REFUSED,
        "TLSV1_ALERT_ACCESS_DENIED": Trouble.CLIENT_CERTIFICATE_REFUSED,
        "UNEXPECTED_EOF_WHILE_READING": Trouble.CLOSED,
    }
)
"""By the reasons of OpenSSL: what the handshake ran into, or the alert that the other side sent (RFC 8446 §6)."""
