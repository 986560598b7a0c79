"""Workflows: how they are named on the line, and what their answers mean.

A 200 can carry a refusal (``message``, or a ``ResponseSummary`` whose ``Succes``, spelled so, is
false), and custom workflows wrap their results in ``Output``; both are undone here.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote

import msgspec

from adapters._answers import clean
from adapters.rest.catalogue import CATALOGUE
from adapters.rest.encoding import Headers
from adapters.rest.multipart import multipart
from adapters.rest.options import ActionOptions
from contracts.errors import ActionNotFound, UpstreamAnswer, UpstreamInvalidResponse, UpstreamRejected
from contracts.operations import RunAction
from contracts.results import ActionDone
from contracts.schema import suggestion
from contracts.wire import HeaderValue, WireRequest, WireResponse

_ENCODER = msgspec.json.Encoder(decimal_format="number")


class Workflow(msgspec.Struct, frozen=True):
    """A workflow as the upstream names it; ``element`` is its ApplicationElementId, None where it needs none."""

    name: str
    element: str | None


class Workflows:
    """The workflows of a tenant by name, in any case: the built-in ones and its own."""

    def __init__(self, own: Mapping[str, ActionOptions]) -> None:
        known = {name.lower(): Workflow(name, element) for name, element in CATALOGUE.items()}
        for name, options in own.items():
            known[name.lower()] = Workflow(name, options.element)
        self._known = known

    def find(self, name: str) -> Workflow:
        """Raises :class:`ActionNotFound`: without its element id a workflow cannot be called."""
        workflow = self._known.get(name.lower())
        if workflow is None:
            raise ActionNotFound(
                f"the action '{name[:100]}' is not built in and not configured for this tenant, whose own workflows "
                f"are listed with their element ids in its configuration{self._suggest(name)}"
            )
        return workflow

    def _suggest(self, name: str) -> str:
        return suggestion(name, (workflow.name for workflow in self._known.values()))


def action_request(operation: RunAction, workflow: Workflow, headers: Headers) -> WireRequest:
    """A workflow's request: JSON, or multipart when there are parts (read while they are sent)."""
    named: list[tuple[str, HeaderValue]] = list(headers)
    if workflow.element:
        named.append(("ApplicationElementId", workflow.element))
    target = "/action/" + quote(workflow.name, safe="")
    if operation.parts is None:
        named.append(("Content-Type", "application/json"))
        content = _ENCODER.encode(operation.arguments)
        return WireRequest(
            method="POST", target=target, headers=tuple(named), content=content, template=target
        )
    content_type, stream = multipart(operation.parts)
    named.append(("Content-Type", content_type))
    return WireRequest(method="POST", target=target, headers=tuple(named), content=stream, template=target)


def action_done(answer: WireResponse) -> ActionDone:
    """The workflow's properties. Raises :class:`UpstreamRejected` for a refusal inside a 200."""
    try:
        body = msgspec.json.decode(answer.content) if answer.content.strip() else {}
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UpstreamInvalidResponse("the action was run, but its answer is not JSON") from error
    if not isinstance(body, dict):
        raise UpstreamInvalidResponse("the action was run, but its answer is not a JSON object")
    properties = _member(body, "properties")
    if properties is None:
        properties = {}
    if not isinstance(properties, dict):
        raise UpstreamInvalidResponse(
            "the action was run, but the properties in its answer are not an object"
        )
    result = {
        name: _unwrapped(value) if name.lower() == "output" else value for name, value in properties.items()
    }
    _raise_refusal(result, answer.status)
    return ActionDone(result=result)


def _unwrapped(output: object) -> object:
    """What an ``Output`` holds: its ``object`` or ``collection``, JSON texts parsed."""
    if isinstance(output, dict):
        for name in ("object", "collection"):
            held = _member(output, name)
            if held is not None:
                return _parsed(held)
    return _parsed(output)


def _parsed(value: object) -> object:
    if isinstance(value, list):
        return [_parsed(item) for item in value]
    if isinstance(value, str) and value.lstrip()[:1] in ("{", "["):
        try:
            return msgspec.json.decode(value)
        except (msgspec.DecodeError, RecursionError):
            return value
    return value


def _raise_refusal(result: Mapping[str, object], status: int) -> None:
    message = _member(result, "message")
    if isinstance(message, str) and message.strip():
        code = _member(result, "code")
        raise UpstreamRejected(
            clean(message),
            upstream=UpstreamAnswer("rest", status, None if code is None else str(code), clean(message)),
        )
    for holder in (result, _member(result, "output")):
        summary = _member(holder, "ResponseSummary") if isinstance(holder, dict) else None
        if isinstance(summary, dict) and _says_no(summary):
            text = next(
                (str(value) for name in ("Message", "ErrorMessage") if (value := _member(summary, name))), ""
            )
            detail = clean(text) or "the action says that it did not succeed"
            raise UpstreamRejected(detail, upstream=UpstreamAnswer("rest", status, None, clean(text) or None))


def _says_no(summary: Mapping[str, object]) -> bool:
    for name in ("Succes", "Success"):
        value = _member(summary, name)
        if value is not None:
            return str(value).lower() in ("false", "0")
    return False


def _member(holder: Mapping[str, object], name: str) -> object:
    """A member by its name in any case: the upstream spells ``properties`` in two."""
    for key, value in holder.items():
        if key.lower() == name.lower():
            return value
    return None
