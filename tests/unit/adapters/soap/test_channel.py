"""Calls over a real wire: what comes back is the result's text, or the one right error, and nothing leaks."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable
from html import escape

import pytest

from adapters._connectors.channel import LARGEST_EXPORT
from adapters.soap.channel import SoapChannel
from contracts.errors import GatewayError, InvalidInput, InvalidRequest, Outcome, UpstreamInvalidResponse
from contracts.operations import ChangeRecord, Operation, RunExport, RunImport
from contracts.results import Result, Scan
from tests.support.servers import ScriptedUpstream, scripted_upstream
from tests.unit.adapters.soap.rig import Site, a_call, a_site, at

CHANNEL = SoapChannel()
SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
EXPORT = RunExport(name="EXP_EQ")
IMPORT = RunImport(name="IMP_EQ", objects=())
DOCUMENT = '<?xml version="1.0" encoding="utf-16"?>\r\n<Data><Object Type="Equipment"/></Data>'
STACK = "\r\n   at Ultimo.Web.secret.Run(Call call)\r\n   at Ultimo.secret.Main()"
LOGIN = f"Ultimo.GeneralException: Username or password not correct, login failed.{STACK}"


class Upstream:
    """A scripted site, and the way to it with a credential."""

    def __init__(self, script: ScriptedUpstream, site: Site) -> None:
        self.script = script
        self.site = site

    def will_answer(self, body: str | bytes, *, status: int = 200, media: str = "text/xml") -> None:
        content = body if isinstance(body, bytes) else body.encode()
        head = f"HTTP/1.1 {status} X\r\nContent-Type: {media}\r\nContent-Length: {len(content)}\r\n\r\n"
        self.script.answer = head.encode() + content

    async def text(self, operation: Operation) -> str:
        """What the channel makes of the answer."""
        request = CHANNEL.export_request("EXP_EQ", None)
        if not operation.safe:
            request = CHANNEL.import_request("IMP_EQ", "<Data/>", repeatable=False)
        async with self.site.wire(a_call(operation)).stream(request) as answer:
            return "".join([piece async for piece in CHANNEL.text(operation, answer)])


@pytest.fixture
async def upstream() -> AsyncIterator[Upstream]:
    async with (
        scripted_upstream() as script,
        a_site(script.url.replace("/api/v1", "/Ultimo"), "some & one", "pass<word>") as site,
    ):
        yield Upstream(script, site)


def envelope(body: str, declaration: str = "") -> str:
    return f'{declaration}<s:Envelope xmlns:s="{SOAP}"><s:Body>{body}</s:Body></s:Envelope>'


def result(text: str, operation: str = "ExportData", declaration: str = "") -> str:
    inner = f"<{operation}Result>{text}</{operation}Result>"
    return envelope(
        f'<{operation}Response xmlns="http://tempuri.org/">{inner}</{operation}Response>', declaration
    )


def fault(
    sentence: str, message: str | None = None, code: str = "s:ImportData", declaration: str = ""
) -> str:
    told = ""
    if message is not None:
        inner = f"<Message>{escape(message)}</Message>"
        told = f'<detail><ConnectorErrorMessage xmlns="urn:any">{inner}</ConnectorErrorMessage></detail>'
    inner = f"<faultcode>{code}</faultcode><faultstring>{escape(sentence)}</faultstring>{told}"
    return envelope(f"<s:Fault>{inner}</s:Fault>", declaration)


async def test_the_request_leaves_with_the_credential_where_it_belongs(upstream: Upstream) -> None:
    upstream.will_answer(result(escape(DOCUMENT)))
    assert await upstream.text(EXPORT) == DOCUMENT.replace("\r\n", "\n")
    (sent,) = upstream.script.requests
    head, _, body = sent.partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    assert lines[0] == b"POST /Ultimo/WebServices/SoapConnector.svc HTTP/1.1"
    assert b'SOAPAction: "http://tempuri.org/SoapConnector/ExportData"' in lines
    assert b"Content-Type: text/xml; charset=utf-8" in lines
    assert b">some &amp; one</ns0:userName><ns0:password>pass&lt;word&gt;</ns0:password>" in body


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le"])
@pytest.mark.parametrize("declared", ["", "utf-8", "utf-16", "iso-8859-1"])
async def test_a_wrong_encoding_declaration_corrupts_nothing(
    upstream: Upstream, encoding: str, declared: str
) -> None:
    declaration = f'<?xml version="1.0" encoding="{declared}"?>' if declared else ""
    body = result("Hé€𝄞", declaration=declaration).encode(encoding)
    for media in (
        "text/xml",
        "text/xml; charset=utf-8",
        "text/xml; charset=iso-8859-1",
        "text/html; charset=x",
    ):
        upstream.will_answer(body, media=media)
        assert await upstream.text(EXPORT) == "Hé€𝄞"


@pytest.mark.parametrize(
    ("operation", "status", "body", "code", "outcome"),
    [
        (IMPORT, 500, fault("no", LOGIN), "upstream_auth_failed", "refused"),
        (IMPORT, 200, fault("no", LOGIN), "upstream_auth_failed", "refused"),
        (EXPORT, 500, fault("no", LOGIN), "upstream_auth_failed", "refused"),
        (IMPORT, 500, fault("Username or password not correct, login failed."), "upstream_auth_failed", "refused"),
        (EXPORT, 500, fault("no", "Connector EXP_EQ is not active"), "connector_not_found", "refused"),
        (IMPORT, 500, fault("no", "The room is taken"), "upstream_rejected", "refused"),
        (IMPORT, 200, fault("no", "The room is taken"), "upstream_rejected", "refused"),
        (IMPORT, 500, fault("The room is taken"), "upstream_rejected", "refused"),
        (IMPORT, 500, fault("no", f"System.NullReferenceException: secret{STACK}"), "upstream_unavailable", "unknown"),
        (EXPORT, 500, fault("no", f"System.NullReferenceException: secret{STACK}"), "upstream_unavailable", "refused"),
        (IMPORT, 500, fault("Internal secret", code="a:InternalServiceFault"), "upstream_unavailable", "unknown"),
        (IMPORT, 500, fault("no", "The room is taken", declaration='<?xml version="1.0" encoding="utf-16"?>'),
         "upstream_rejected", "refused"),
        (IMPORT, 500, fault("", code=""), "upstream_unavailable", "unknown"),
        (IMPORT, 500, LOGIN, "upstream_unavailable", "unknown"),
        (IMPORT, 500, "<html><body>secret</body></html>", "upstream_unavailable", "unknown"),
        (IMPORT, 500, result("secret", "ImportData"), "upstream_unavailable", "unknown"),
        (IMPORT, 500, fault("secret")[:-20], "upstream_unavailable", "unknown"),
        (IMPORT, 500, b"\xff\xfe\xff<secret", "upstream_unavailable", "unknown"),
        (IMPORT, 500, "<!DOCTYPE a [<!ENTITY b 'secret'>]>" + fault("&b;"), "upstream_unavailable", "unknown"),
        (IMPORT, 503, "<html>secret</html>", "upstream_unavailable", "unknown"),
        (IMPORT, 401, "", "upstream_auth_failed", "refused"),
        (EXPORT, 404, "<html>secret</html>", "upstream_invalid_response", "refused"),
        (IMPORT, 413, "secret", "payload_too_large", "refused"),
        (EXPORT, 429, "secret", "quota_exceeded", "refused"),
        (IMPORT, 302, "secret", "upstream_invalid_response", "refused"),
    ],
)  # fmt: skip
async def test_what_a_failure_means(
    upstream: Upstream, operation: Operation, status: int, body: str | bytes, code: str, outcome: str
) -> None:
    upstream.will_answer(body, status=status)
    with pytest.raises(GatewayError) as caught:
        await upstream.text(operation)
    error = caught.value
    assert (error.code, error.outcome) == (code, Outcome(outcome))
    assert error.upstream is not None
    assert (error.upstream.adapter, error.upstream.status) == ("soap", status)
    told = error.detail + (error.upstream.message or "")
    assert not any(leak in told for leak in ("secret", "pass<", "some &", "Ultimo."))


MALFORMED: dict[str, str | bytes] = {
    "empty": "",
    "html": "<html><body>secret</body></html>",
    "html with a type": "<!DOCTYPE html><p>secret",
    "a wrong wrapper": result("secret").replace("DataResponse", "Response"),
    "the other operation": result("secret", "OtherData"),
    "another namespace": result("secret").replace("tempuri", "secret"),
    "truncated": result("&lt;Data&gt;secret")[:-5],
    "no text": result("secret").encode()[:-90] + b"\xff\xff",
    "a truncated fault": fault("secret")[:-5],
    "billion laughs": "<!DOCTYPE a [<!ENTITY b 'secret'>]>" + result("&b;"),
    "too much before the result": result("&lt;Data/&gt;").replace("<s:Body>", " " * 4_000_000 + "<s:Body>"),
    "an empty result": result(""),
    "a result of html": result("&lt;html&gt;secret&lt;/html&gt;"),
    "a truncated result": result("&lt;Data&gt;secret"),
    "a result with a type": result("&lt;!DOCTYPE a [&lt;!ENTITY b 'secret'&gt;]&gt;&lt;Data/&gt;"),
}


@pytest.mark.parametrize("name", MALFORMED)
async def test_an_answer_of_success_that_is_none_is_not_believed(upstream: Upstream, name: str) -> None:
    """A read of it is an answer that makes no sense; of a write nobody knows what became."""
    body = MALFORMED[name]
    upstream.will_answer(body)
    with pytest.raises(UpstreamInvalidResponse) as caught:
        await upstream.site.equipment()
    assert "secret" not in caught.value.detail
    upstream.will_answer(body.replace("Export", "Import") if isinstance(body, str) else body)
    with pytest.raises(GatewayError) as failed:
        await upstream.site.perform(ChangeRecord(place=at("Equipment/00001"), body={"Status": 1}))
    assert failed.value.code in ("outcome_unknown", "upstream_invalid_response")
    assert failed.value.outcome is Outcome.UNKNOWN
    assert "secret" not in failed.value.detail


async def test_a_large_result_comes_in_pieces(upstream: Upstream) -> None:
    text = "<Object/>" * 200_000
    upstream.will_answer(result(escape(text)))
    assert await upstream.text(EXPORT) == text


@pytest.mark.parametrize("name", ["a\0b", "a\x1b", "\ud800", "\uffff"])
def test_a_name_that_xml_cannot_hold_is_refused_before_anything_is_sent(name: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        CHANNEL.export_request(name, None)
    assert caught.value.outcome is Outcome.NOT_SENT
    with pytest.raises(InvalidRequest):
        CHANNEL.import_request(name, "<Data/>", repeatable=False)


def test_only_what_may_be_sent_twice_is_repeatable() -> None:
    export = CHANNEL.export_request("EXP", None)
    assert (export.repeatable, export.max_response) == (True, LARGEST_EXPORT)
    assert CHANNEL.import_request("IMP", "<Data/>", repeatable=True).repeatable
    assert not CHANNEL.import_request("IMP", "<Data/>", repeatable=False).repeatable


async def started(performing: Awaitable[Result]) -> None:
    """A scan sends when its first piece is asked for."""
    done = await performing
    if isinstance(done, Scan):
        await anext(done.pieces)


@pytest.mark.parametrize(
    "operation",
    [
        RunExport(name="EXP\0"),
        RunExport(name="EXP", filter={"Code": "a\x01b"}),
        RunExport(name="EXP", filter={"Co\x01de": "a"}),
        RunImport(name="IMP\x01", objects=()),
        ChangeRecord(place=at("Equipment/00001"), body={"Description": "a\x01b"}),
        ChangeRecord(place=at("Equipment/a%EF%BF%BFb"), body={"Description": "a"}),
    ],
    ids=["export", "filter value", "filter name", "import", "body", "key"],
)
async def test_nothing_is_sent_that_xml_cannot_hold(upstream: Upstream, operation: Operation) -> None:
    with pytest.raises(InvalidInput) as caught:
        await started(upstream.site.perform(operation))
    assert caught.value.outcome is Outcome.NOT_SENT
    assert upstream.script.requests == []
