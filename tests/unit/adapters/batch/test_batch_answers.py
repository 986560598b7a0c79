"""What is made of an answer to a batch, odd ones and broken ones included."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping

import pytest

from adapters.batch.answers import read_responses
from contracts.errors import (
    EntityNotFound,
    FailedDependency,
    GatewayError,
    OperationNotSupported,
    Outcome,
    OutcomeUnknown,
    PayloadTooLarge,
    QuotaExceeded,
    RecordNotFound,
    UpstreamAuthFailed,
    UpstreamInvalidResponse,
    UpstreamRejected,
    UpstreamUnavailable,
)
from contracts.operations import DeleteRecord, WriteBatch
from contracts.paths import print_path
from contracts.records import as_dict
from contracts.results import Deleted, Stored
from tests.unit.adapters.batch.rig import a_write, batched, http, members, performed, responses

JOB = {"Id": "1", "Description": "x", "Context": "1", "TotalCost": "12.50"}


class Broken:
    """An answer that comes byte by byte and breaks off."""

    status = 200
    headers: Mapping[str, str] = {}

    def __init__(self, content: bytes) -> None:
        self._content = content

    async def chunks(self) -> AsyncIterator[bytes]:
        for byte in self._content:
            yield bytes([byte])
        raise OutcomeUnknown("the connection to the upstream broke")


def ok(id: str, status: int = 200, body: object = None) -> dict[str, object]:
    return {"id": id, "status": status, "body": body or JOB}


async def failed(answer: bytes, *operations: dict[str, object]) -> GatewayError:
    with pytest.raises(GatewayError) as caught:
        await batched(answer, *operations)
    return caught.value


async def test_each_write_has_its_result() -> None:
    results = await batched(
        http(
            responses(ok("2", 201), {"id": "3", "status": 204}, ok("1")),
            200,
            None,
            "Content-Language: nl-NL",
        ),
        a_write("1"),
        a_write("2", "PUT", "Job/1"),
        a_write("3", "DELETE"),
    )
    changed, made, gone = results["1"], results["2"], results["3"]
    assert isinstance(changed, Stored)
    assert isinstance(made, Stored)
    assert (changed.created, made.created, gone) == (False, True, Deleted())
    assert as_dict(changed.record) == {"Id": "1", "Description": "x", "Context": 1, "TotalCost": 12.5}
    assert print_path(changed.path) == "Job/1"
    assert (changed.content_language, changed.whole) == ("nl-NL", True)


async def test_a_record_without_its_id_is_known_by_the_path_it_was_written_by() -> None:
    results = await batched(
        http(responses(ok("1", 201, {"Id": "7"}), ok("2", 201, {"Context": 1}), ok("3", 200, {"Status": 1}))),
        a_write("1", "POST", "Invoice"),
        a_write("2", "PUT", "Job/5"),
        a_write("3", "PATCH", "$1", dependsOn=["1"]),
    )
    paths = [print_path(item.path) for item in results.values() if isinstance(item, Stored)]
    assert paths == ["Invoice/7", "Job/5", "Invoice/7"]


async def test_a_record_whose_key_cannot_be_known() -> None:
    nameless = {"id": "2", "status": 200, "body": {"Status": 1}}
    results = await batched(
        http(responses({"id": "1", "status": 400}, nameless)),
        a_write("1"),
        a_write("2", "PATCH", "$1", dependsOn=["1"]),
    )
    assert isinstance(results["2"], UpstreamInvalidResponse)


@pytest.mark.parametrize(
    ("status", "body", "expected", "outcome"),
    [
        (400, {"message": "Room taken.\r\nCause: x", "code": "1015"}, UpstreamRejected, Outcome.REFUSED),
        (404, {"message": "m", "code": "EntityNotFound"}, RecordNotFound, Outcome.REFUSED),
        (404, {"message": "m", "code": "ResourceNotFound"}, EntityNotFound, Outcome.REFUSED),
        (404, None, RecordNotFound, Outcome.REFUSED),
        (403, {"message": "m"}, UpstreamAuthFailed, Outcome.REFUSED),
        (413, {"message": "m"}, PayloadTooLarge, Outcome.REFUSED),
        (429, {"message": "m"}, QuotaExceeded, Outcome.REFUSED),
        (424, {"message": "m"}, FailedDependency, Outcome.REFUSED),
        (500, {"message": "m", "stackTrace": "at Secret.Type()"}, UpstreamUnavailable, Outcome.UNKNOWN),
        (300, "<html>", UpstreamInvalidResponse, Outcome.REFUSED),
        (199, JOB, OutcomeUnknown, Outcome.UNKNOWN),
        (0, None, OutcomeUnknown, Outcome.UNKNOWN),
        (600, None, OutcomeUnknown, Outcome.UNKNOWN),
        (200, None, UpstreamInvalidResponse, Outcome.UNKNOWN),
        (200, [], UpstreamInvalidResponse, Outcome.UNKNOWN),
    ],
)
async def test_a_refused_write_does_not_touch_the_others(
    status: int, body: object, expected: type[GatewayError], outcome: Outcome
) -> None:
    results = await batched(
        http(responses({"id": "1", "status": status, "body": body}, ok("2"))), a_write("1"), a_write("2")
    )
    error = results["1"]
    assert type(error) is expected
    assert isinstance(error, GatewayError)
    assert error.outcome is outcome
    if error.upstream is not None:
        assert (error.upstream.adapter, error.upstream.status) == ("batch", status)
        assert "Secret" not in f"{error.upstream} {error.detail}"
    assert isinstance(results["2"], Stored)


async def test_a_business_rule_is_told_in_its_own_words() -> None:
    body = {"message": "Room taken.\r\nCause: x", "code": 1015}
    error = (await batched(http(responses({"id": "1", "status": 400, "body": body})), a_write("1")))["1"]
    assert isinstance(error, UpstreamRejected)
    assert error.upstream is not None
    assert (error.upstream.code, error.upstream.message) == ("1015", "Room taken. Cause: x")


async def test_what_was_taken_along_names_what_failed() -> None:
    def refused(id: str, status: int) -> dict[str, object]:
        return {"id": id, "status": status, "body": {"message": "no"}}

    results = await batched(
        http(
            responses(
                *(refused(id, 424) for id in "bcdexy"),
                refused("a", 400),
                refused("f", 400),
                refused("z", 424),
            )
        ),
        a_write("a"),
        a_write("b", dependsOn=["a"]),
        a_write("c", dependsOn=["b"]),
        a_write("d", atomicityGroup="g"),
        a_write("e", atomicityGroup="g"),
        a_write("f", atomicityGroup="g"),
        a_write("x", atomicityGroup="h"),
        a_write("y", atomicityGroup="h"),
        a_write("z"),
    )
    told = {id: item.detail for id, item in results.items() if isinstance(item, FailedDependency)}
    assert told == {
        "b": "the operation a, which this one depends on, failed",
        "c": "the operation b, which this one depends on, failed",
        "d": "the operation f failed, and with it all of the group g",
        "e": "the operation f failed, and with it all of the group g",
        "x": "another operation of the batch, which this one depends on, failed",
        "y": "another operation of the batch, which this one depends on, failed",
        "z": "another operation of the batch, which this one depends on, failed",
    }


async def test_missing_duplicate_and_unknown_ids() -> None:
    odd = [
        {"id": 3, "status": 200},
        {"status": 200},
        {"id": "9", "status": 200},
        7,
        None,
        {"id": "5", "status": "x"},
    ]
    results = await batched(
        http(responses(*odd, ok("1"), ok("2"), ok("2", 400))),  # type: ignore[arg-type]
        *(a_write(str(number)) for number in range(1, 6)),
        a_write("6", "POST", "Job"),
    )
    assert isinstance(results["1"], Stored)
    unknown = {id: item for id, item in results.items() if isinstance(item, OutcomeUnknown)}
    assert [*unknown] == ["2", "3", "4", "5", "6"]
    assert "more than one" in unknown["2"].detail
    assert {item.outcome for item in unknown.values()} == {Outcome.UNKNOWN}
    assert [item.retryable for item in unknown.values()] == [True, True, True, True, False]


WHOLE = responses(ok("1"), ok("2"), ok("3"))


@pytest.mark.parametrize("length", [len(WHOLE), None], ids=["the connection breaks", "the bytes end"])
async def test_an_answer_that_breaks_off_gives_what_is_known(length: int | None) -> None:
    cut = WHOLE[: WHOLE.index(b'{"id":"3"') + 20]
    results = await batched(http(cut, 200, length), *(a_write(id) for id in "123"))
    assert [type(item) for item in results.values()] == [Stored, Stored, OutcomeUnknown]
    last = results["3"]
    assert isinstance(last, OutcomeUnknown)
    assert last.detail == "the upstream's answer broke off before it said what became of this write"


async def test_every_place_at_which_an_answer_can_break_off() -> None:
    known = 0
    for at in range(len(WHOLE)):
        heard = await read_responses(Broken(WHOLE[:at]), "123")
        assert [*heard.responses] == [*"123"[: len(heard.responses)]]
        assert len(heard.responses) >= known
        assert isinstance(heard.broken, OutcomeUnknown)
        known = len(heard.responses)
    assert known == 3


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<html><h1>proxy.internal</h1></html>",
        b"{}",
        b"null",
        b'{"responses": null}',
        b'{"responses": []}',
        b'{"responses": {"1": 200}}',
        b'{"responses": [{"id": "7", "status": 200}]}',
        b'{"responses": [{"id": "1", "status": 200}',
        b"\xff\xfe\x00",
        b"[" * 100_000,
    ],
)
async def test_an_answer_without_any_result_makes_no_sense(content: bytes) -> None:
    error = await failed(http(content), a_write("1", "POST", "Job"))
    assert type(error) is UpstreamInvalidResponse
    assert error.outcome is Outcome.UNKNOWN
    assert "proxy.internal" not in error.detail


async def test_a_byte_order_mark_is_no_part_of_an_answer() -> None:
    assert isinstance((await batched(http(b"\xef\xbb\xbf" + responses(ok("1"))), a_write("1")))["1"], Stored)


async def test_no_answer_at_all() -> None:
    error = await failed(b"", a_write("1", "POST", "Job"))
    assert type(error) is OutcomeUnknown
    error = await failed(b"", a_write("1"), a_write("2", "DELETE"))
    assert type(error) is UpstreamUnavailable
    assert (error.outcome, error.retryable) == (Outcome.UNKNOWN, True)


@pytest.mark.parametrize(
    ("status", "content", "expected", "outcome"),
    [
        (400, b'{"message":"too many","code":"x"}', UpstreamRejected, Outcome.REFUSED),
        (401, b"", UpstreamAuthFailed, Outcome.REFUSED),
        (404, b'{"message":"m","code":"ResourceNotFound"}', OperationNotSupported, Outcome.REFUSED),
        (404, b'{"message":"m","code":"EntityNotFound"}', UpstreamInvalidResponse, Outcome.UNKNOWN),
        (404, b"<html>", UpstreamInvalidResponse, Outcome.UNKNOWN),
        (405, b"", OperationNotSupported, Outcome.REFUSED),
        (413, b"", PayloadTooLarge, Outcome.REFUSED),
        (429, b"", QuotaExceeded, Outcome.REFUSED),
        (503, b"<html>", UpstreamUnavailable, Outcome.UNKNOWN),
    ],
)
async def test_a_batch_that_is_refused_as_a_whole(
    status: int, content: bytes, expected: type[GatewayError], outcome: Outcome
) -> None:
    error = await failed(http(content, status), a_write("1"))
    assert type(error) is expected
    assert error.outcome is outcome
    assert error.upstream is not None
    assert error.upstream.adapter == "batch"


async def test_a_refusal_that_breaks_off_is_one_all_the_same() -> None:
    error = await failed(http(b'{"mess', 429, 1000, "Retry-After: 7"), a_write("1"))
    assert type(error) is QuotaExceeded
    assert error.retry_after == 7


async def test_a_delete_is_a_batch_of_one() -> None:
    (member,) = members(a_write("1", "DELETE", "Job/1"))
    assert isinstance(member.write, DeleteRecord)
    assert await performed(http(responses({"id": "1", "status": 204})), member.write) == Deleted()
    with pytest.raises(RecordNotFound):
        await performed(http(responses({"id": "1", "status": 404})), member.write)
    with pytest.raises(UpstreamInvalidResponse):
        await performed(http(responses({"id": "2", "status": 204})), member.write)


async def test_no_more_is_sent_than_one_request_takes() -> None:
    operation = WriteBatch(members=members(*(a_write(str(number)) for number in range(101))))
    with pytest.raises(PayloadTooLarge):
        await performed(b"", operation)
