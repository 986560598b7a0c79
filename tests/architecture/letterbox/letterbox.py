"""A whole third-party adapter: it reads the records of a letterbox, a server that knows one way to ask.

``GET /letters/<entity>`` answers ``[{...}, ...]``, every record there is. That is all an adapter needs
to say; filtering, ordering, paging, and the reading of one record are the gateway's.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator

import msgspec

from contracts.adapter import API_VERSION, AdapterContext, AdapterSpec, Capabilities
from contracts.call import Call
from contracts.errors import EntityNotFound, Outcome, UpstreamInvalidResponse
from contracts.operations import ListRecords, Operation
from contracts.records import RecordCodec
from contracts.results import Scan
from contracts.schema import Record
from contracts.wire import Slot, Wire, WireRequest


class LetterboxOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``letters`` are the entities that the letterbox has."""

    letters: tuple[str, ...] = ()


class LetterboxAdapter:
    """Lists whole sets."""

    def __init__(self, context: AdapterContext) -> None:
        if not isinstance(context.options, LetterboxOptions):
            raise TypeError("the letterbox takes LetterboxOptions")
        self._letters = context.options.letters
        self._codec = RecordCodec(context.schema, context.zone)
        self.capabilities = Capabilities(
            operations=frozenset({"list"}), entities={"list": self._letters}, scans=True
        )

    def refusal(self, operation: Operation) -> str | None:
        if not isinstance(operation, ListRecords):
            return "a letterbox can only be emptied"
        entity = operation.place.entity.name
        return None if entity in self._letters else f"the letterbox has no letters of {entity}"

    def plan(self, call: Call) -> tuple[WireRequest, ...]:
        assert isinstance(call.operation, ListRecords)
        entity = call.operation.place.entity.name
        return (
            WireRequest(
                method="GET",
                target=f"/letters/{entity}",
                headers=(("Key", Slot.API_KEY),),
                repeatable=True,
            ),
        )

    async def perform(self, call: Call, wire: Wire) -> Scan:
        return Scan(pieces=self._letters_of(call, wire))

    async def _letters_of(self, call: Call, wire: Wire) -> AsyncGenerator[list[Record], None]:
        assert isinstance(call.operation, ListRecords)
        entity = call.operation.place.entity
        (request,) = self.plan(call)
        answer = await wire.send(request)
        if answer.status == 404:
            raise EntityNotFound("the letterbox has no such letters", outcome=Outcome.REFUSED)
        try:
            records = msgspec.json.decode(answer.content, type=list[dict[str, object]])
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise UpstreamInvalidResponse("the letterbox's answer cannot be read") from error
        yield [self._codec.normalize(entity, record) for record in records]


SPEC = AdapterSpec(
    name="letterbox",
    api_version=API_VERSION,
    interface="letterbox",
    summary="A letterbox that can be emptied",
    options=LetterboxOptions,
    open=LetterboxAdapter,
    credentials=(Slot.API_KEY,),
)
