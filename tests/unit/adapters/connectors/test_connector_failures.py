"""What goes wrong: each row has its code and its outcome, and nothing of the upstream's body gets out."""

from __future__ import annotations

import asyncio
import codecs
from collections.abc import Awaitable, Callable
from contextlib import aclosing, nullcontext

import msgspec
import pytest

from adapters._connectors.failures import exception, refused_object
from contracts.errors import GatewayError, Outcome
from contracts.operations import ChangeRecord, CreateRecord, Operation
from contracts.results import Scan
from tests.unit.adapters.connectors.rig import (
    PASSWORD,
    a_call,
    a_wire,
    an_adapter,
    an_object,
    at,
    data,
    http,
    listing,
    performed,
    scanned,
    upstream,
)

SECRET = "oops-4711"
PAGE = f"<html>{SECRET}</html>"
GENERAL = "Ultimo.Framework.Core.Tools.GeneralException"
STACK = "\r\n   at Ultimo.Web.Core.Authentication.ConnectorLogOn(String oops-4711)\r\n   at Foo.Bar()"
LAUGHS = '<!DOCTYPE Data [<!ENTITY a "oops-4711"><!ENTITY b "&a;&a;&a;&a;">]><Data>&b;</Data>'
MANY = 20_000
ONE = an_object("Equipment", "Update", Id="00001")
READ = listing("Equipment")
WRITE = ChangeRecord(place=at("Equipment/00001"), body={"Description": "x"})
CREATE = CreateRecord(place=at("Equipment"), body={"Context": 1, "Status": 1})


async def failed(answer: bytes, operation: Operation) -> GatewayError:
    async with upstream(answer) as url:
        done = scanned if operation.safe else performed
        with pytest.raises(GatewayError) as told:
            await done(an_adapter(), operation, url)
    error = told.value
    shown = f"{error.detail} {msgspec.json.encode(error.upstream).decode()} {error.faults}"
    for leak in (SECRET, PASSWORD, "   at ", "ConnectorLogOn", "127.0.0.1", "<html", "evil.example"):
        assert leak not in shown
    return error


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" \r\n",
        f"<html><body>{SECRET}</body></html>".encode(),
        f"<!DOCTYPE html><html>{SECRET}</html>".encode(),
        LAUGHS.encode(),
        b'<!DOCTYPE Data SYSTEM "http://evil.example/oops-4711.dtd"><Data/>',
        b'<!DOCTYPE Data [<!ENTITY x SYSTEM "file:///etc/passwd">]><Data>&x;</Data>',
        codecs.BOM_UTF16_LE + LAUGHS.encode("utf-16-le"),
        LAUGHS.encode("utf-16-be"),
        b"+ADwhDOCTYPE-oops-4711",
        ("<Data>" + f"<Object Type='{SECRET}'>" * 200).encode(),
        f"<Data><Object Type='{SECRET}".encode(),
        f"{SECRET} plainly".encode(),
        b"<Data>\xff\xfe</Data>",
        b"<Data>a\0b</Data>",
        f"<Wrong>{SECRET}</Wrong>".encode(),
        b"<Data><Object/>&oops-4711;</Data>",
    ],
)
async def test_an_answer_that_cannot_be_read(body: bytes) -> None:
    kind = 'text/xml; charset="utf-7"' if body.startswith(b"+") else "text/xml"
    error = await failed(http(body, kind=kind), READ)
    assert (error.code, error.outcome) == ("upstream_invalid_response", Outcome.UNKNOWN)
    if b"<Object/>" not in body:
        error = await failed(http(body, kind=kind), WRITE)
        assert (error.code, error.outcome) == ("upstream_invalid_response", Outcome.UNKNOWN)


@pytest.mark.parametrize(
    ("text", "code", "outcome"),
    [
        (
            GENERAL + ": Username or password not correct, login failed. ",
            "upstream_auth_failed",
            Outcome.REFUSED,
        ),
        (GENERAL + ": Import connector 'X' does not exist.", "operation_not_supported", Outcome.REFUSED),
        (GENERAL + ": Import connector 'X' is not active.", "operation_not_supported", Outcome.REFUSED),
        (GENERAL + ": 'Foo' is not a request property.", "upstream_rejected", Outcome.REFUSED),
        (GENERAL + f": It is locked. ---> System.X: {SECRET}", "upstream_rejected", Outcome.REFUSED),
        (f"System.NullReferenceException: {SECRET}.", "upstream_unavailable", Outcome.UNKNOWN),
        (
            f"System.Data.SqlClient.SqlException (0x80131904): {SECRET} ---> A: b",
            "upstream_unavailable",
            Outcome.UNKNOWN,
        ),
        (
            f"System.Data.SqlClient.SqlException (0x80131904): Login failed for user '{SECRET}'.",
            "upstream_unavailable",
            Outcome.UNKNOWN,
        ),
        (
            f"System.IO.FileNotFoundException: connector {SECRET} not found",
            "upstream_unavailable",
            Outcome.UNKNOWN,
        ),
        (
            f"Ultimo.Web.AuthenticationException: Login failed for {SECRET} with {PASSWORD}.",
            "upstream_auth_failed",
            Outcome.REFUSED,
        ),
        ("\ufeff" + GENERAL + ": It is locked.", "upstream_rejected", Outcome.REFUSED),
    ],
)
async def test_an_exception(text: str, code: str, outcome: Outcome) -> None:
    await _fails(500, text + STACK, code, outcome)


@pytest.mark.parametrize(
    ("status", "body", "code", "outcome"),
    [
        (500, PAGE, "upstream_unavailable", Outcome.UNKNOWN),
        (500, "", "upstream_unavailable", Outcome.UNKNOWN),
        (500, "\ufeff" + PAGE, "upstream_unavailable", Outcome.UNKNOWN),
        (500, f"The service {SECRET} is not available.", "upstream_unavailable", Outcome.UNKNOWN),
        (500, f'{{"message": "{SECRET}"}}', "upstream_unavailable", Outcome.UNKNOWN),
        (500, "Login failed, says the proxy.", "upstream_unavailable", Outcome.UNKNOWN),
        (502, PAGE, "upstream_unavailable", Outcome.UNKNOWN),
        (503, SECRET, "upstream_unavailable", Outcome.UNKNOWN),
        (401, SECRET, "upstream_auth_failed", Outcome.REFUSED),
        (403, PAGE, "upstream_auth_failed", Outcome.REFUSED),
        (404, PAGE, "upstream_invalid_response", Outcome.REFUSED),
        (405, SECRET, "upstream_invalid_response", Outcome.REFUSED),
        (302, SECRET, "upstream_invalid_response", Outcome.REFUSED),
        (413, SECRET, "payload_too_large", Outcome.REFUSED),
        (429, SECRET, "quota_exceeded", Outcome.REFUSED),
    ],
)
async def test_a_status_of_failure(status: int, body: str, code: str, outcome: Outcome) -> None:
    await _fails(status, body, code, outcome)


async def test_an_exception_in_utf_16_is_read() -> None:
    text = (GENERAL + ": It is locked." + STACK).encode("utf-16")
    error = await failed(http(text, 500, "text/plain; charset=utf-8"), CREATE)
    assert (error.code, error.detail) == ("upstream_rejected", "It is locked.")


async def test_a_failure_that_is_no_text_has_the_meaning_of_its_status() -> None:
    error = await failed(http(b"\xff\xfe\xff<oops-4711>\0\xd8", 500), CREATE)
    assert (error.code, error.outcome) == ("upstream_unavailable", Outcome.UNKNOWN)


async def _fails(status: int, body: str, code: str, outcome: Outcome) -> None:
    answer = http(body, status, "text/plain")
    error = await failed(answer, WRITE)
    assert (error.code, error.outcome) == (code, outcome)
    error = await failed(answer, CREATE)
    assert (error.code, error.outcome) == (code, outcome)
    assert error.retryable == (code == "quota_exceeded")
    error = await failed(answer, READ)
    assert (error.code, error.outcome) == (code, Outcome.REFUSED)
    assert error.retryable == (code in ("quota_exceeded", "upstream_unavailable"))


async def test_an_export_that_breaks_off_gives_what_came_and_then_says_so() -> None:
    body = data(an_object("Equipment", Id="1"), an_object("Equipment", Id="2"))[:-10]
    error = await failed(http(body), READ)
    assert error.code == "upstream_invalid_response"
    error = await failed(http(body, missing=10), READ)
    assert error.code in ("upstream_unavailable", "upstream_invalid_response")


async def whole(scan: Scan) -> None:
    async for _ in scan.pieces:
        pass


async def first(scan: Scan) -> None:
    async with aclosing(scan.pieces) as pieces:
        assert 0 < len(await anext(pieces)) < MANY


async def cancelled(scan: Scan) -> None:
    began, never = asyncio.Event(), asyncio.Event()

    async def reading() -> None:
        async with aclosing(scan.pieces) as pieces:
            async for _ in pieces:
                began.set()
                await never.wait()

    task = asyncio.create_task(reading())
    await began.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.parametrize(
    ("ending", "leave", "code"),
    [
        ("</Data>", first, None),
        ("</Data>", cancelled, None),
        ("<Object", whole, "upstream_invalid_response"),
        ("</Wrong>" + "<Object/>" * 100_000, whole, "upstream_invalid_response"),
    ],
    ids=["stopped", "cancelled", "truncated", "malformed"],
)
async def test_the_connection_is_given_back(
    ending: str, leave: Callable[[Scan], Awaitable[None]], code: str | None
) -> None:
    """There is one, and the second export gets it."""
    objects = "".join(an_object("Equipment", Id=str(number)) for number in range(MANY))
    async with upstream(http(f"<Data>{objects}{ending}")) as url, a_wire(url, connections=1) as wire:
        for _ in range(2):
            call = a_call(READ)
            scan = await an_adapter().perform(call, wire.bound(call))
            assert isinstance(scan, Scan)
            with nullcontext() if code is None else pytest.raises(GatewayError) as told:
                await leave(scan)
            assert (None if told is None else told.value.code) == code
            assert len(call.journal.sends) == 1


async def test_a_write_whose_answer_breaks_off_before_anything_came_is_unknown() -> None:
    error = await failed(http("<Data>", missing=10), CREATE)
    assert error.outcome is Outcome.UNKNOWN


async def test_a_record_that_is_refused_has_the_sentence_and_the_code() -> None:
    message = (
        "Error while executing workflow 'X'. Message: 1015 The room is taken."
        "&#xD;&#xA;Cause: another one &lt;b&gt;is&lt;/b&gt; there."
    )
    answer = data(
        an_object(
            "Equipment",
            "Error",
            Id="00001",
            ErrorMessage="Cannot import: " + message,
            ShortErrorMessage=message,
        )
    )
    error = await failed(http(answer), WRITE)
    assert (error.code, error.outcome) == ("upstream_rejected", Outcome.REFUSED)
    assert error.detail == "The room is taken. Cause: another one is there."
    assert error.upstream is not None
    assert (error.upstream.adapter, error.upstream.status, error.upstream.code) == ("connector", 200, "1015")
    assert error.upstream.message == error.detail


@pytest.mark.parametrize(
    ("properties", "code", "detail"),
    [
        (
            {
                "ErrorMessage": "Cannot import 'A' 'Text': 'x' . Message: Rule_Name_1 It cannot be.\r\n Cause: so."
            },
            "Rule_Name_1",
            "It cannot be. Cause: so.",
        ),
        ({"errormessage": "Value 2024 is wrong"}, None, "Value 2024 is wrong"),
        ({"ErrorMessage": "long", "ShortErrorMessage": "short"}, None, "short"),
        ({"ErrorMessage": "Message: Not a rule"}, None, "Not a rule"),
        ({"ErrorMessage": "Ultimo.GeneralException: No.\r\n   at Foo()"}, None, "No."),
        ({"ErrorMessage": "Message: " + "_" * 1_000_000}, None, "_" * 499 + "…"),
        ({"ErrorMessage": "No. at Foo.Bar(String oops) in C:\\x.cs"}, None, "No."),
        ({"ErrorMessage": "No" + "\n" * 1_000_000 + "."}, None, "No"),
        ({"ErrorMessage": "No" + " " * 1_000_000 + "."}, None, "No"),
        ({"ErrorMessage": "a-" * 1_000_000}, None, "a-" * 249 + "a…"),
        ({"ErrorMessage": None}, None, "the upstream refused this without a reason"),
    ],
)
def test_messages_of_refused_objects(
    properties: dict[str, str | None], code: str | None, detail: str
) -> None:
    """The long ones repeat what a caller sent: an expression that looks back would hold up every other call."""
    error = refused_object("connector", properties)
    assert error.detail == detail
    assert error.upstream is not None
    assert error.upstream.code == code


def test_a_sentence_without_an_exception_is_meant_for_people() -> None:
    assert exception("soap", WRITE, 500, "The import is locked.").code == "upstream_rejected"
