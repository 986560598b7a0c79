"""One run of an import connector: the request, and what its answer says became of each object."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import aclosing

import msgspec

from adapters._beside import beside
from adapters._connectors.answers import Answered, Answers, Told
from adapters._connectors.channel import Channel
from adapters._connectors.formats import read
from adapters._connectors.records_xml import DataObject, DataReader, data_document
from contracts.errors import GatewayError, UpstreamInvalidResponse
from contracts.operations import Operation
from contracts.records import MalformedAnswer
from contracts.wire import Wire, WireRequest

MOST_ANSWERED = 100_000
"""The most objects of an answer that are kept: ten times what one import sends."""

_FEW = 50
"""Of how many objects the answers are read on the event loop; those of 1,000 take some 30 ms."""


class ImportRun(msgspec.Struct, frozen=True):
    """A request; ``sent`` are the objects that its answer speaks of."""

    request: WireRequest
    sent: Sequence[DataObject]


class Runs:
    """Runs import connectors over a channel."""

    def __init__(self, channel: Channel, answers: Answers) -> None:
        self._channel = channel
        self._answers = answers

    def of(
        self, connector: str, sent: Sequence[DataObject], *, repeatable: bool, document: str | None = None
    ) -> ImportRun:
        """``document`` is what carries the objects, where that is no ``<Data>``. Raises PayloadTooLarge."""
        text = data_document(sent) if document is None else document
        return ImportRun(self._channel.import_request(connector, text, repeatable=repeatable), sent)

    async def perform(self, operation: Operation, run: ImportRun, wire: Wire) -> list[Told]:
        """What became of each object, those nested in one behind it.

        An answer that breaks off tells as much as came of it; raises the error when nothing did.
        """
        objects: list[DataObject] = []
        broken = False
        try:
            async with (
                wire.stream(run.request) as answer,
                aclosing(self._channel.text(operation, answer)) as text,
                aclosing(read(DataReader(), text, list)) as pieces,
            ):
                async for piece in pieces:
                    objects += piece
                    if len(objects) > MOST_ANSWERED:
                        raise MalformedAnswer("more objects than any import sends")
        except MalformedAnswer as error:
            if not objects:
                raise UpstreamInvalidResponse(f"the upstream's answer cannot be read: {error}") from None
            broken = True
        except GatewayError:
            if not objects:
                raise
            broken = True
        answered, repeatable = Answered(objects, broken), run.request.repeatable
        if len(run.sent) <= _FEW:
            return self._answers.told(run.sent, answered, repeatable=repeatable)
        return await beside(self._answers.told, run.sent, answered, repeatable=repeatable)
