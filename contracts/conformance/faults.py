"""Answers that no upstream should give, and some do: what an adapter must make errors of.

Whatever comes, nothing but a :class:`~contracts.errors.GatewayError` is raised, and it is honest: it
quotes nothing of the answer, does not say that nothing was sent, and advises no repetition that could
double a write.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from contracts.conformance.wires import Exchange
from contracts.errors import GatewayError, Outcome, OutcomeUnknown, UpstreamUnavailable
from contracts.operations import Operation, WriteBatch
from contracts.results import BatchDone, ImportDone, ReadingsTaken, Result
from contracts.wire import WireResponse

MARK = "in-confidence"
_STACK = f"\r\n   at Ultimo.Server.Answer({MARK} text) in c:\\build\\answer.cs:line 7\r\n"
_HTML = f"<!DOCTYPE html><html><body><h1>Error {MARK}</h1><pre>{_STACK}</pre></body></html>".encode()
_STRANGE: tuple[tuple[str, str, bytes], ...] = (
    ("HTML in place of an answer", "text/html", _HTML),
    ("an empty answer", "application/json", b""),
    ("bytes that are no text", "application/octet-stream", bytes(range(128, 256)) * 4),
    ("JSON of another shape", "application/json", f'[["{MARK}"]]'.encode()),
    ("XML of another shape", "text/xml", f'<?xml version="1.0"?><other a="{MARK}"/>'.encode()),
)


class Fault(msgspec.Struct, frozen=True):
    """``answers`` come in turn; ``failure`` is what the wire raises where the last of them ends.

    Whoever only asks must take a ``plain`` fault for one; a write may have been made all the same.
    """

    name: str
    answers: tuple[WireResponse, ...]
    failure: GatewayError | None = None
    plain: bool = True


def faults(operation: Operation, exchanges: Sequence[Exchange]) -> Iterator[Fault]:
    """What could have come in place of the last answer of a conversation."""
    *before, last = (WireResponse(item.status, item.headers, item.content) for item in exchanges)
    for name, media, content in _STRANGE:
        yield Fault(name, (*before, WireResponse(200, {"content-type": media}, content)))
    page = WireResponse(500, {"content-type": "text/html; charset=utf-8"}, _HTML)
    yield Fault("HTML with the status 500", (*before, page))
    half = WireResponse(last.status, last.headers, last.content[: len(last.content) // 2])
    if half.content:
        # CSV does not say where it ends.
        plain = "csv" not in last.headers.get("content-type", "")
        yield Fault("an answer that ends in the middle", (*before, half), plain=plain)
    yield Fault("an answer that breaks off", (*before, half), _broken(operation))


def _broken(operation: Operation) -> GatewayError:
    if operation.idempotent:
        return UpstreamUnavailable("the connection broke", outcome=Outcome.UNKNOWN)
    return OutcomeUnknown("the connection broke")


def errors_within(operation: Operation, result: Result) -> list[tuple[Operation, GatewayError]]:
    """The errors that a result reports of some of its parts, each with the operation that it is about."""
    match result:
        case BatchDone() if isinstance(operation, WriteBatch):
            writes = {member.id: member.write for member in operation.members}
            return [
                (writes.get(done.id, operation), done.result)
                for done in result.results
                if isinstance(done.result, GatewayError)
            ]
        case ImportDone() | ReadingsTaken():
            errors = [done.error for done in result.results if done.error is not None]
            # Where a reading is a request of its own, those after the one that ended the series were not sent.
            unsent = [at > 0 and error.outcome is Outcome.NOT_SENT for at, error in enumerate(errors)]
            return [(operation, error) for error, left in zip(errors, unsent, strict=True) if not left]
        case _:
            return []


def dishonesty(operation: Operation, error: GatewayError) -> str | None:
    """What an error says that it may not, after the upstream was asked; None for an honest one."""
    said = [error.detail, *(fault.detail for fault in error.faults)]
    if error.upstream is not None:
        said += [error.upstream.code or "", error.upstream.message or ""]
    if any(MARK in text for text in said):
        return f"{error.code} quotes what no caller should see"
    if error.outcome is Outcome.NOT_SENT:
        return f"{error.code} says that nothing was sent"
    if error.outcome is Outcome.UNKNOWN and error.retryable and not operation.idempotent:
        return f"{error.code} calls retryable what could then be done twice"
    return None
