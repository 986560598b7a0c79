"""The one table from what a transport raises to the error a call ends in, most specific first.

It tells four stages apart, because they differ in what the upstream may have done: a place in our own
pool not come free, no connection yet, the request under way, an answer that is none. What is said to
people comes from here alone; the words of the transport stay out, since they name hosts, addresses and headers.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from enum import Enum, auto
from typing import NamedTuple

import httpx2

from contracts.errors import (
    GatewayError,
    Outcome,
    OutcomeUnknown,
    Overloaded,
    UpstreamInvalidResponse,
    UpstreamUnavailable,
)
from gateway.wire.transport import BrokenOff


class Stage(Enum):
    """How far a request had come when it failed."""

    WAITING = auto()
    CONNECTING = auto()
    UNDER_WAY = auto()
    ANSWERED = auto()


class Rule(NamedTuple):
    """``cause`` is what the transport raised, ``text`` what the caller is told."""

    cause: type[Exception]
    stage: Stage
    text: str


RULES = (
    Rule(httpx2.PoolTimeout, Stage.WAITING, "every connection to the upstream was in use"),
    Rule(httpx2.ConnectTimeout, Stage.CONNECTING, "no connection to the upstream came about in time"),
    Rule(httpx2.ProxyError, Stage.CONNECTING, "the proxy did not connect to the upstream"),
    Rule(httpx2.ConnectError, Stage.CONNECTING, "no connection to the upstream could be made"),
    Rule(httpx2.UnsupportedProtocol, Stage.CONNECTING, "the upstream's address cannot be used"),
    Rule(httpx2.LocalProtocolError, Stage.CONNECTING, "the request cannot be sent as it is"),
    Rule(httpx2.RemoteProtocolError, Stage.ANSWERED, "the upstream's answer is not valid HTTP"),
    Rule(httpx2.DecodingError, Stage.ANSWERED, "the upstream's answer cannot be decoded"),
    Rule(httpx2.ReadTimeout, Stage.UNDER_WAY, "the upstream did not answer in time"),
    Rule(httpx2.WriteTimeout, Stage.UNDER_WAY, "the upstream did not take the request in time"),
    Rule(BrokenOff, Stage.UNDER_WAY, "the upstream's answer broke off"),
    Rule(httpx2.NetworkError, Stage.UNDER_WAY, "the connection to the upstream broke"),
    Rule(httpx2.HTTPError, Stage.UNDER_WAY, "the way to the upstream failed"),
)

_REASONS: tuple[tuple[type[BaseException], str], ...] = (
    (ConnectionRefusedError, "connection refused"),
    (socket.gaierror, "name not found"),
    (ssl.SSLError, "TLS: no secure connection came about"),
)

_CERTIFICATE_REASONS = {
    9: "TLS: certificate not valid yet",
    10: "TLS: certificate expired",
    18: "TLS: certificate of an unknown authority",
    19: "TLS: certificate of an unknown authority",
    20: "TLS: certificate of an unknown authority",
    21: "TLS: certificate of an unknown authority",
    23: "TLS: certificate revoked",
    62: "TLS: certificate of another name",
    64: "TLS: certificate of another address",
}
"""By the verification codes of OpenSSL (``x509_vfy.h``)."""


def failure(error: httpx2.HTTPError, *, repeatable: bool, sent: bool) -> GatewayError:
    """The error that ``error`` means for a call.

    ``repeatable`` says that sending it again can double nothing; ``sent`` that its first byte is known to have left.
    """
    rule = next(rule for rule in RULES if isinstance(error, rule.cause))
    detail = ": ".join(filter(None, (rule.text, _reason(error))))
    if rule.stage is Stage.ANSWERED:
        return UpstreamInvalidResponse(detail)
    if rule.stage is Stage.WAITING and not sent:
        return Overloaded(detail, retry_after=1)
    if rule.stage is Stage.CONNECTING and not sent:
        return UpstreamUnavailable(detail, outcome=Outcome.NOT_SENT)
    if repeatable:
        return UpstreamUnavailable(detail, outcome=Outcome.UNKNOWN)
    return OutcomeUnknown(detail)


def _reason(error: BaseException) -> str | None:
    """What lies behind it, in words that name no host: of all causes the first that is known."""
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return _CERTIFICATE_REASONS.get(cause.verify_code, "TLS: certificate not valid")
        for kind, reason in _REASONS:
            if isinstance(cause, kind):
                return reason
    return None


def _causes(error: BaseException) -> Iterator[BaseException]:
    cause = error.__cause__
    while cause is not None:
        yield cause
        cause = cause.__cause__
