"""POST on actions: JSON, forms with files, limits."""

import pytest

from contracts.operations import RunAction
from gateway.http.exchange import Limits
from tests.unit.http.serving import Served, serving

ACTION = "/v1/demo/actions/REST_ReportJob"
FORM = {"Content-Type": "multipart/form-data; boundary=line"}
PARTS = (
    b'--line\r\nContent-Disposition: form-data; name="JobId"\r\n\r\n0000001\r\n'
    b'--line\r\nContent-Disposition: form-data; name="ImageFile"; filename="a b.jpg"\r\n'
    b"Content-Type: image/jpeg\r\n\r\n" + b"\xff\xd8" * 50_000 + b"\r\n--line--\r\n"
)


async def test_arguments_come_as_an_object(api: Served) -> None:
    reply = await api.send("POST", ACTION, body={"Description": "Leak"})
    assert reply.json == {"result": {"name": "REST_ReportJob", "given": {"Description": "Leak"}}}
    assert api.lines[0]["action"] == "REST_ReportJob"


async def test_no_body_means_no_arguments(api: Served) -> None:
    assert (await api.send("POST", ACTION)).json == {"result": {"name": "REST_ReportJob", "given": {}}}
    assert (await api.send("POST", ACTION, body=b"[]")).code == "invalid_body"


async def test_files_are_streamed_to_the_adapter(api: Served) -> None:
    reply = await api.send("POST", ACTION, FORM, PARTS)
    assert reply.status == 200
    assert api.adapter.uploads == [
        ("JobId", None, None, 7),
        ("ImageFile", "a b.jpg", "image/jpeg", 100_000),
    ]


async def test_a_dry_run_reads_no_file(api: Served) -> None:
    reply = await api.send("POST", f"{ACTION}?dry_run=true", FORM, PARTS)
    assert (reply.status, reply.json["units"]) == (200, 1)
    assert api.adapter.uploads == []


@pytest.mark.parametrize(
    ("headers", "body", "code"),
    [
        ({"Content-Type": "multipart/form-data"}, PARTS, "invalid_body"),
        (FORM, b"", "invalid_body"),
        (FORM, b"--line--\r\n", "invalid_body"),
        (FORM, PARTS[:-10], "invalid_body"),
        (FORM, b"--line\r\n\r\nno name\r\n--line--\r\n", "invalid_body"),
        (FORM, b"--line\r\nX: " + b"x" * 5000 + b"\r\n\r\n\r\n--line--", "payload_too_large"),
        ({"Content-Type": "application/x-www-form-urlencoded"}, b"a=b", "unsupported_media_type"),
        ({"Content-Type": "multipart/mixed; boundary=line"}, PARTS, "unsupported_media_type"),
        ({"Content-Type": "text/plain"}, b"x", "unsupported_media_type"),
    ],
)
async def test_a_body_that_cannot_be_read_is_explained(
    api: Served, headers: dict[str, str], body: bytes, code: str
) -> None:
    assert (await api.send("POST", ACTION, headers, body)).code == code


async def test_a_form_has_the_longest_time_when_its_caller_says_nothing(api: Served) -> None:
    await api.send("POST", ACTION, FORM, PARTS)
    await api.send("POST", ACTION, body={})
    form, plain = api.adapter.calls
    assert form.deadline - plain.deadline > 200
    await api.send("POST", ACTION, {**FORM, "Request-Timeout": "5"}, PARTS)
    assert api.adapter.calls[-1].deadline < plain.deadline


async def test_a_form_that_does_not_begin_in_time_is_not_waited_for(api: Served) -> None:
    reply = await api.send("POST", ACTION, {**FORM, "Content-Length": "9", "Request-Timeout": "0.05"}, b"--")
    assert (reply.code, reply.json["outcome"]) == ("deadline_exceeded", "not_sent")
    assert api.adapter.calls == []


async def test_a_form_is_counted_while_it_comes_and_refused_at_once_when_its_length_tells() -> None:
    async with serving(Limits(upload=1000, action=10)) as api:
        told = await api.send("POST", ACTION, FORM, PARTS)
        assert (told.status, told.code) == (413, "payload_too_large")
        assert api.adapter.calls == []
        chunked = b"%x\r\n%s\r\n0\r\n\r\n" % (len(PARTS), PARTS)
        counted = await api.send("POST", ACTION, {**FORM, "Transfer-Encoding": "chunked"}, chunked)
        assert (counted.status, counted.code) == (413, "payload_too_large")
        assert (await api.send("POST", ACTION, body=b'{"a":"12345678"}')).status == 413


@pytest.mark.parametrize("name", ["%20", "a%20b", "..%2e", "-x", "x" * 101])
async def test_a_name_that_can_be_none_is_not_found(api: Served, name: str) -> None:
    reply = await api.send("POST", f"/v1/demo/actions/{name}")
    assert reply.status == 404
    assert api.adapter.calls == []


async def test_with_a_key_it_runs_once(api: Served) -> None:
    first, second = [await api.send("POST", ACTION, {"Idempotency-Key": "k"}, {}) for _ in range(2)]
    assert (first.status, first.content) == (second.status, second.content)
    assert second.headers["idempotency-replayed"] == "true"
    assert len([call for call in api.adapter.calls if isinstance(call.operation, RunAction)]) == 1
