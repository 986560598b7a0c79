"""The answer to a batch, read as it comes: what it says of which member, as far as it goes.

``{"responses": [{"id", "status", "body"?}]}`` in any order. An answer that breaks off still says what became of the
members that it is complete about.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Mapping

import msgspec

from adapters._json_elements import JsonElements
from contracts.errors import GatewayError, UpstreamInvalidResponse
from contracts.wire import WireStream


class Response(msgspec.Struct, frozen=True):
    """What the upstream says of one member."""

    id: str
    status: int
    body: object = None


class Heard(msgspec.Struct, frozen=True):
    """What came of an answer; ``broken`` is why no more of it did, None when it came whole.

    ``contradicted`` are the ids that stand in it more than once.
    """

    responses: Mapping[str, Response]
    contradicted: frozenset[str] = frozenset()
    broken: GatewayError | None = None


async def read_responses(answer: WireStream, ids: Iterable[str]) -> Heard:
    """What the answer says of the members with these ids. It may break off: see ``broken``."""
    elements: list[object] = []
    broken: GatewayError | None = None
    reader, decoder = JsonElements(), codecs.getincrementaldecoder("utf-8-sig")()
    try:
        async for chunk in answer.chunks():
            elements += reader.feed(decoder.decode(chunk))
        elements += reader.feed(decoder.decode(b"", final=True))
        reader.finish()
    except GatewayError as error:
        broken = error
    except ValueError:
        broken = UpstreamInvalidResponse("the upstream's answer to the batch is not JSON, or not all of it")
    return _sorted(elements, frozenset(ids), broken)


def _sorted(elements: list[object], ids: frozenset[str], broken: GatewayError | None) -> Heard:
    responses: dict[str, Response] = {}
    twice: set[str] = set()
    for element in elements:
        try:
            response = msgspec.convert(element, Response)
        except msgspec.ValidationError:
            continue
        if response.id in responses:
            twice.add(response.id)
        if response.id in ids:
            responses[response.id] = response
    return Heard(responses, frozenset(twice), broken)
