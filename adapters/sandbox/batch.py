"""The REST face for batches: ``POST /api/v1/batch``, up to 100 writes in one call.

Source: vendor page "Inserting data in batch".
"""

from collections.abc import Iterator, Sequence
from itertools import groupby

import msgspec

from adapters.sandbox.addressing import Addressing
from adapters.sandbox.batch_body import Request, read_requests
from adapters.sandbox.caller import Caller
from adapters.sandbox.errors import Refusal, unknown_resource, unsupported_media, wrong_method
from adapters.sandbox.exchange import Answer, Call, encode
from adapters.sandbox.ledger import BatchMember
from adapters.sandbox.options import SandboxOptions
from adapters.sandbox.paths import KeyPart, Segment, decode_path, parse_path, refuse_mixed_keys
from adapters.sandbox.records import Store
from adapters.sandbox.writing import Deleted, Writer, Written, as_object, decode_json


class Response(msgspec.Struct, frozen=True, omit_defaults=True):
    """What became of one request, as it stands in the answer; a ``DELETE`` has no body."""

    id: str
    status: int
    body: object = None


class Batches:
    """Serves batches of writes."""

    def __init__(self, store: Store, options: SandboxOptions) -> None:
        self._store = store
        self._options = options

    async def handle(self, call: Call) -> Answer:
        """The answer to one call: 200, whatever became of its requests.

        Raises ``Refusal`` when the batch as a whole is not taken; then nothing of it is carried out.
        """
        if call.rest.strip("/"):
            raise unknown_resource(call.path)
        if call.method != "POST":
            raise wrong_method(call.method, "POST")
        call.body.refuse_announced(call.length, self._options.single_bytes)
        body = await call.body.whole(self._options.single_bytes)
        if not call.is_json():
            raise unsupported_media(call.media_type)
        writer = Writer(self._store, call.caller, self._options)
        writer.refuse_read_only()
        requests = read_requests(decode_json(body), self._options.batch_requests)
        run = _Run(self._store, call.caller, writer)
        responses = list(run.carry_out(requests))
        return Answer(
            status=200,
            body=encode({"responses": responses}),
            effect=f"batch: {len(requests)} ({len(run.done)} written)",
            batch=run.noted(requests, responses),
        )


class _Run:
    """One batch on its way; ``done`` holds what was written, by the id of the request."""

    def __init__(self, store: Store, caller: Caller, writer: Writer) -> None:
        self._store = store
        self._addressing = Addressing(store, caller)
        self._writer = writer
        self.done: dict[str, Written | Deleted] = {}

    def carry_out(self, requests: Sequence[Request]) -> Iterator[Response]:
        """What becomes of each request, in order; those of a group all or none."""
        for group, members in groupby(requests, key=lambda request: request.group):
            if group is None:
                for request in members:
                    yield from self._together([request])
            else:
                yield from self._together(list(members))

    def noted(self, requests: Sequence[Request], responses: Sequence[Response]) -> tuple[BatchMember, ...]:
        """The requests as the ledger keeps them."""
        return tuple(
            BatchMember(
                id=request.id,
                method=request.verb,
                url=request.url,
                group=request.group,
                depends_on=request.depends_on,
                status=response.status,
                effect=self.done[request.id].effect if request.id in self.done else None,
            )
            for request, response in zip(requests, responses, strict=True)
        )

    def _together(self, members: Sequence[Request]) -> list[Response]:
        """One transaction: the first failure makes all others of it 424."""
        made: dict[str, Written | Deleted] = {}
        try:
            with self._store.transaction():
                for member in members:
                    made[member.id] = self._write(member, {**self.done, **made})
        except Refusal as refusal:
            failed = members[len(made)]
            other = _failed_dependency(f"The request '{failed.id}' of its atomicityGroup failed.")
            return [_refused(member, refusal if member is failed else other) for member in members]
        self.done.update(made)
        return [_response(member, made[member.id]) for member in members]

    def _write(self, request: Request, done: dict[str, Written | Deleted]) -> Written | Deleted:
        failed = next((name for name in request.depends_on if name not in done), None)
        if failed is not None:
            raise _failed_dependency(f"The request '{failed}' that it depends on failed.")
        target = self._addressing.resolve(_segments(request, done))
        if request.verb == "DELETE":
            return self._writer.delete(target)
        return self._writer.write(request.verb, target, as_object(request.body))


def _segments(request: Request, done: dict[str, Written | Deleted]) -> list[Segment]:
    """The path of a request; a record that an earlier one wrote stands for its entity and key."""
    path = decode_path(request.path).rstrip("/")
    if request.origin is None:
        if not path:
            raise unknown_resource("object")
        return parse_path(path)
    record = done[request.origin]
    parts = zip(record.entity.key, record.key, strict=True)
    first = Segment(record.entity.name, tuple(KeyPart(name, value) for name, value in parts))
    segments = [first, *(parse_path(path) if path else ())]
    refuse_mixed_keys(segments)
    return segments


def _response(request: Request, done: Written | Deleted) -> Response:
    if isinstance(done, Deleted):
        return Response(request.id, 204)
    return Response(request.id, 201 if done.inserted else 200, done.answer)


def _refused(request: Request, refusal: Refusal) -> Response:
    return Response(request.id, refusal.status, refusal.body)


def _failed_dependency(message: str) -> Refusal:
    return Refusal(424, "FailedDependency", message)
