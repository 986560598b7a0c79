"""Forms with files that are not what they should be: told before they cost anything, or told truly after."""

from __future__ import annotations

import httpx2
import pytest

from adapters.sandbox import Sandbox
from tests.support.servers import Served

ACTION = "/v1/demo/actions/REST_AttachImageToJob"
FORM = {"Content-Type": "multipart/form-data; boundary=b"}
JOB = b'--b\r\nContent-Disposition: form-data; name="JobId"\r\n\r\n0000002\r\n'
END = b"--b--\r\n"


def file(disposition: bytes, *, kind: bytes = b"image/png") -> bytes:
    head = b"--b\r\nContent-Disposition: form-data; " + disposition + b"\r\nContent-Type: " + kind
    return head + b"\r\n\r\n\x89PNG\r\n"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "closing boundary"),
        (b"garbage", "closing boundary"),
        (b"--b\r\nno head\r\n\r\nx\r\n" + END, "multipart/form-data"),
        (END, "no part"),
        (file(b'name="a\0b"; filename="x"') + END, "control character"),
        (file(b'name="x"; filename="a\tb"') + END, "control character"),
        (file(b'name="x"; filename="y"', kind="ïmage/png".encode()) + END, "visible ASCII"),
        (file(b'name="x"; filename="y"', kind=b"image/png\x01") + END, "visible ASCII"),
    ],
)
async def test_a_form_that_is_wrong_from_the_start_costs_nothing(
    client: httpx2.AsyncClient, sandbox: Sandbox, content: bytes, words: str
) -> None:
    answer = await client.post(ACTION, content=content, headers=FORM)
    problem = answer.json()
    assert (answer.status_code, problem["code"], problem["outcome"]) == (400, "invalid_body", "not_sent")
    assert words in problem["detail"]
    assert answer.headers["quota-cost"] == "0"
    assert sandbox.ledger.calls == []


@pytest.mark.parametrize(
    "rest",
    [
        b"--b\r\nno head\r\n\r\n",
        b"--b\r\nContent-Disp",
        file(b'name="x"; filename="a\0b"') + END,
        file(b'name="x"; filename="y"', kind="ïmage/png".encode()) + END,
    ],
)
async def test_a_form_that_breaks_later_does_not_say_that_nothing_was_sent(
    client: httpx2.AsyncClient, rest: bytes
) -> None:
    answer = await client.post(ACTION, content=JOB + rest, headers=FORM)
    problem = answer.json()
    assert (answer.status_code, problem["code"], problem["outcome"]) == (400, "invalid_body", "unknown")
    assert answer.headers["quota-cost"] == "1"


async def test_names_may_be_in_any_script(client: httpx2.AsyncClient, sandbox: Sandbox) -> None:
    content = JOB + file('name="ImageFile"; filename="läk-漏水.png"'.encode()) + END
    answer = await client.post(ACTION, content=content, headers=FORM)
    assert answer.status_code == 200, answer.text
    assert len(sandbox.ledger.calls) == 1


async def test_no_boundary_is_said_to_be_missing(client: httpx2.AsyncClient, sandbox: Sandbox) -> None:
    answer = await client.post(ACTION, content=JOB + END, headers={"Content-Type": "multipart/form-data"})
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_body")
    assert "names no boundary" in answer.json()["detail"]
    assert sandbox.ledger.calls == []


async def test_sizes_are_logged(client: httpx2.AsyncClient, served: Served) -> None:
    content = JOB + file(b'name="ImageFile"; filename="x.png"') + END
    answer = await client.post(ACTION, content=content, headers=FORM)
    (line,) = served.lines()
    assert (line["request_bytes"], line["answer_bytes"]) == (len(content), len(answer.content))
