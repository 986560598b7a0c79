"""What the connectors' failures mean: the one place where exception texts and refused objects become errors.

A call that fails as a whole answers a .NET exception in plain text (or, over SOAP, in a fault); one record
that is refused comes as ``Action="Error"`` in an answer of success. Of either nothing leaves but the
sentence, cleaned; stack traces and hosts never do. A sentence can be megabytes long and repeat what a caller
sent, so that no expression here may look twice at what it has read.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from adapters._answers import clean
from contracts.errors import (
    ConnectorNotFound,
    GatewayError,
    OperationNotSupported,
    Outcome,
    PayloadTooLarge,
    QuotaExceeded,
    UpstreamAnswer,
    UpstreamAuthFailed,
    UpstreamInvalidResponse,
    UpstreamRejected,
    UpstreamUnavailable,
)
from contracts.operations import Operation, RunExport, RunImport
from contracts.retry_after import retry_after
from contracts.wire import WireResponse

_EXCEPTION = re.compile(
    r"\s*+(?P<type>(?:\w++\.)*+\w*Exception)\b(?:\s*+\(0x[0-9A-Fa-f]+\))?:\s*+(?P<message>.*)", re.DOTALL
)
_INNER = re.compile(r"--->|\n[ \t]*+(?:--- |at |bij |bei )")
_LOGIN = re.compile(
    r"login failed|user\s?name or password|not authori[sz]ed|access (?:is )?denied", re.IGNORECASE
)
_CONNECTOR = re.compile(r"\b(?:connector|export\s?name|import\s?name)\b", re.IGNORECASE)
_ABSENT = re.compile(
    r"\bunknown\b|\binactive\b|\bnot (?:active|activated|found|exist|known|available)\b|\bno (?:\w+ ){0,2}connector\b|"
    r"\b(?:could|can) ?not be found\b|\bdisabled\b",
    re.IGNORECASE,
)
_RULE = re.compile(
    r".*?\bMessage:\s++(?:(?P<code>[0-9]{3,6}|(?=\w{1,98}_)\w{3,99}+)\s++)?(?P<text>\S.*)", re.DOTALL
)
"""How a rule's refusal is told (vendor page "IoT"): ``… Message: <code or name of the rule> <sentence>``."""

_FOR_PEOPLE = ("generalexception", "businessexception", "validationexception", "userexception")


def failure(adapter: str, operation: Operation, answer: WireResponse, text: str) -> GatewayError:
    """The error that an answer of 300 or above means; ``text`` is its body as far as it was read.

    Only an exception is the connector's own word. Any other text of a 500 may be that of a proxy, and
    says nothing of what was done.
    """
    status = answer.status
    if status == 500 and _EXCEPTION.match(text):
        return exception(adapter, operation, status, text)
    said = UpstreamAnswer(adapter, status)
    if status in (401, 403):
        return UpstreamAuthFailed(
            "the upstream does not accept this tenant's user, or not from here: check user name and password, "
            "the connector's rights and its address list",
            upstream=said,
        )
    if status == 404:
        return UpstreamInvalidResponse(
            "there is no connector interface at this address: check the environment's site",
            upstream=said,
            outcome=Outcome.REFUSED,
        )
    if status == 413:
        detail = "the upstream finds the body too large"
        return PayloadTooLarge(detail, outcome=Outcome.REFUSED, upstream=said)
    if status == 429:
        detail = "the upstream's request limit is reached; it is shared by every caller of the environment"
        return QuotaExceeded(detail, upstream=said, retry_after=retry_after(answer.headers))
    if status < 500:
        return UpstreamInvalidResponse(
            f"the upstream answered with the status {status}, which means nothing here",
            upstream=said,
            outcome=Outcome.REFUSED,
        )
    return _failed(operation, said, retry_after(answer.headers))


def exception(adapter: str, operation: Operation, status: int, text: str) -> GatewayError:
    """The error that an exception of the upstream means: the text of a 500, or the message of a fault.

    What the machinery below the upstream throws (a database that does not let it log in, a file that is not
    there) is a failure, whatever its words are.
    """
    kind = _exception(text)[0].lower()
    for_people = not kind or kind.rpartition(".")[2] in _FOR_PEOPLE
    if not for_people and not kind.startswith("ultimo."):
        return _failed(operation, UpstreamAnswer(adapter, status), None)
    code, message = _told(text)
    said = UpstreamAnswer(adapter, status, code, message or None)
    if _LOGIN.search(message):
        # Its sentence is left out: it may name the user.
        return UpstreamAuthFailed(
            "the upstream does not accept this tenant's user name and password",
            upstream=UpstreamAnswer(adapter, status),
        )
    if _CONNECTOR.search(message) and _ABSENT.search(message):
        return _no_connector(operation, said)
    if message and for_people:
        return UpstreamRejected(message, upstream=said)
    return _failed(operation, UpstreamAnswer(adapter, status), None)


def _no_connector(operation: Operation, said: UpstreamAnswer) -> GatewayError:
    """A caller who named the connector is told that it is not there; else the configuration names it in vain."""
    if isinstance(operation, RunExport | RunImport):
        return ConnectorNotFound(
            "the upstream has no such connector, or it is not active", upstream=said, outcome=Outcome.REFUSED
        )
    return OperationNotSupported(
        "the upstream does not have the connector that this tenant's configuration names for this, or it is "
        f"not active: {said.message}",
        upstream=said,
        outcome=Outcome.REFUSED,
    )


def refused_object(adapter: str, properties: Mapping[str, str | None]) -> UpstreamRejected:
    """The error that an object with ``Action="Error"`` is.

    The longer message repeats the values that were sent, so the shorter one is told where there is one.
    """
    given = {name.lower(): value for name, value in properties.items()}
    code, message = _told(given.get("shorterrormessage") or given.get("errormessage") or "")
    said = UpstreamAnswer(adapter, 200, code, message or None)
    return UpstreamRejected(message or "the upstream refused this without a reason", upstream=said)


def _failed(operation: Operation, said: UpstreamAnswer, wait: float | None) -> UpstreamUnavailable:
    return UpstreamUnavailable(
        f"the upstream failed with the status {said.status}",
        upstream=said,
        outcome=Outcome.REFUSED if operation.safe else Outcome.UNKNOWN,
        retryable=operation.idempotent,
        retry_after=wait,
    )


def _exception(text: str) -> tuple[str, str]:
    """The .NET type of an exception text (empty where it has none), and its message."""
    head = _INNER.split(text, maxsplit=1)[0]
    found = _EXCEPTION.match(head)
    return ("", head) if found is None else (found["type"], found["message"])


def _told(text: str) -> tuple[str | None, str]:
    """The code of the rule that a message names, where it names one, and its sentence, cleaned."""
    message = _exception(text)[1]
    found = _RULE.match(message)
    return (None, clean(message)) if found is None else (found["code"], clean(found["text"]))
