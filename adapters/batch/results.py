"""What the answer to a batch means for each of its members."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from adapters.batch.answers import Heard, Response
from adapters.rest.failures import failure, upstream_answer
from contracts.batches import rebased
from contracts.errors import (
    FailedDependency,
    GatewayError,
    InvalidPath,
    Outcome,
    OutcomeUnknown,
    RecordNotFound,
    UpstreamInvalidResponse,
)
from contracts.operations import DeleteRecord, Member
from contracts.paths import ObjectPath
from contracts.records import RecordCodec
from contracts.results import Deleted, MemberDone, Stored
from contracts.schema import Record, Schema
from contracts.wire import WireResponse

ADAPTER = "batch"
_FAILED_DEPENDENCY = 424


class Results:
    """The results of one batch."""

    def __init__(
        self,
        schema: Schema,
        codec: RecordCodec,
        members: Sequence[Member],
        heard: Heard,
        language: str | None,
    ) -> None:
        """``language`` is the Content-Language of the answer."""
        self._schema = schema
        self._codec = codec
        self._members = members
        self._heard = heard
        self._language = language
        self._made: dict[str, ObjectPath] = {}
        statuses = {id: response.status for id, response in heard.responses.items()}
        self._failed = {id for id, status in statuses.items() if status >= 300}
        self._culprits: dict[str, str] = {}
        """The first member of each group that failed by itself."""
        for member in members:
            if member.group and member.id in self._failed and statuses[member.id] != _FAILED_DEPENDENCY:
                self._culprits.setdefault(member.group, member.id)

    def all(self) -> tuple[MemberDone, ...]:
        """One for each member, in their order. Raises what the answer is when it says nothing of any of them."""
        if not self._heard.responses and (self._members or self._heard.broken):
            raise self._heard.broken or UpstreamInvalidResponse(
                "the upstream's answer to the batch holds no result of any of its writes"
            )
        return tuple(MemberDone(member.id, self._result(member)) for member in self._members)

    def _result(self, member: Member) -> Stored | Deleted | GatewayError:
        response = self._heard.responses.get(member.id)
        if response is None or member.id in self._heard.contradicted:
            return self._unknown(member, response)
        if response.status not in range(200, 600):
            return OutcomeUnknown(
                f"the upstream's answer gives this write the status {response.status}, which means nothing",
                retryable=member.write.idempotent,
            )
        if response.status == _FAILED_DEPENDENCY:
            return self._taken_along(member, response)
        if response.status >= 300:
            return _refused(member, response)
        if isinstance(member.write, DeleteRecord):
            return Deleted()
        if not isinstance(response.body, Mapping):
            return UpstreamInvalidResponse("the write was carried out, but the answer holds no record")
        return self._stored(member, response, response.body)

    def _stored(
        self, member: Member, response: Response, body: Mapping[str, object]
    ) -> Stored | UpstreamInvalidResponse:
        record = self._codec.normalize(member.write.place.entity, body)
        try:
            path = self._path(member, record)
        except (KeyError, InvalidPath):
            return UpstreamInvalidResponse(
                "the write was carried out, but the answer does not say at which key"
            )
        self._made[member.id] = path
        return Stored(
            record=record, created=response.status == 201, path=path, content_language=self._language
        )

    def _path(self, member: Member, record: Record) -> ObjectPath:
        """Its own address; the one it was written by where the key is not granted ``Id``."""
        try:
            return self._schema.path_of(member.write.place.entity, record)
        except ValueError:
            if member.origin is None:
                return member.write.place.path
            return rebased(self._schema, member, self._made[member.origin]).write.place.path

    def _unknown(self, member: Member, response: Response | None) -> OutcomeUnknown:
        if response is not None:
            detail = "the upstream's answer says more than one thing of this write"
        elif self._heard.broken is not None:
            detail = "the upstream's answer broke off before it said what became of this write"
        else:
            detail = "the upstream's answer does not say what became of this write"
        return OutcomeUnknown(detail, retryable=member.write.idempotent)

    def _taken_along(self, member: Member, response: Response) -> FailedDependency:
        if (culprit := next((id for id in member.depends_on if id in self._failed), None)) is not None:
            detail = f"the operation {culprit}, which this one depends on, failed"
        elif (culprit := self._culprits.get(member.group or "")) is not None:
            detail = f"the operation {culprit} failed, and with it all of the group {member.group}"
        else:
            detail = "another operation of the batch, which this one depends on, failed"
        return FailedDependency(detail, upstream=upstream_answer(_answer(response), ADAPTER))


def _refused(member: Member, response: Response) -> GatewayError:
    answer = _answer(response)
    said = upstream_answer(answer, ADAPTER)
    if response.status == 404 and said.code != "ResourceNotFound":
        # Nobody but the upstream writes into its answer: there is no proxy whose 404 this could be.
        return RecordNotFound(
            "the upstream has no record with this key", upstream=said, outcome=Outcome.REFUSED
        )
    return failure(member.write, answer, ADAPTER)


def _answer(response: Response) -> WireResponse:
    """What a request of its own would have been answered."""
    return WireResponse(response.status, {}, msgspec.json.encode(response.body))
