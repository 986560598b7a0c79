"""Connectors that answer badly, over Connector.ashx and SOAP: the right code, the right outcome, nothing leaked.

Every row is sent in answer to every kind of call. A read that fails has done nothing; of a write whose
answer says nothing nobody knows what became, and only one that can be made twice may be made again.
"""

from __future__ import annotations

import codecs
import io
import json
from collections.abc import AsyncIterator, Mapping
from html import escape

import httpx2
import msgspec
import pytest
import pytest_asyncio

from adapters.sandbox import Fault, Sandbox, SandboxOptions
from gateway.bootstrap import build
from gateway.demo.run import demo_settings
from tests.support.four_tenants import CONNECTORS, READING
from tests.support.problems import checked
from tests.support.servers import UPSTREAM_PASSWORD, UPSTREAM_USER, serving

pytestmark = pytest.mark.asyncio(loop_scope="module")

SECRET = "oops4711"
STACK = f"\r\n   at Ultimo.Web.{SECRET}.Run(Call call)\r\n   at Ultimo.Main()"
GENERAL = "Ultimo.Framework.Core.Tools.GeneralException"
LEAKS = (SECRET, UPSTREAM_PASSWORD, UPSTREAM_USER, "127.0.0.1", "elsewhere", "<html", "DOCTYPE", "   at ")
ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"

NEW = {"Context": 1, "Status": 2}
UPDATE = {"Model": "M"}
BATCH = [
    {"id": "1", "method": "POST", "path": "Equipment", "body": NEW},
    {"id": "2", "method": "PATCH", "path": "Equipment/00001", "body": UPDATE},
]
IMPORT = [{"type": "Equipment", "action": "Insert", "properties": NEW}]


class Kind(msgspec.Struct, frozen=True):
    """One kind of call: ``read`` changes nothing, ``again`` may be made twice without harm."""

    name: str
    method: str
    path: str
    body: object = None
    headers: Mapping[str, str] = {}
    read: bool = False
    again: bool = False


KINDS = (
    Kind("list", "GET", "objects/Equipment", read=True, again=True),
    Kind("stream", "GET", "objects/Equipment", None, {"Accept": "application/x-ndjson"}, True, True),
    Kind("get", "GET", "objects/Equipment/00001", read=True, again=True),
    Kind("export", "POST", "exports/EXP_EQUIPMENT", {}, read=True, again=True),
    Kind("create", "POST", "objects/Equipment", NEW),
    Kind("change", "PATCH", "objects/Equipment/00001", UPDATE, again=True),
    Kind("batch", "POST", "batch", {"operations": BATCH}),
    Kind("import", "POST", "imports/IMP_EQUIPMENT", {"objects": IMPORT}),
    Kind("measurements", "POST", "measurements", {"measurements": [READING]}),
)


class End(msgspec.Struct, frozen=True):
    """What a call ends in; ``again`` says that it is retryable where the call may be made twice."""

    code: str
    read: str
    write: str
    again: bool = False
    always: bool = False

    def of(self, kind: Kind) -> tuple[str, str, bool]:
        code = self.code
        if code == "connector_not_found" and kind.name not in ("export", "import"):
            code = "operation_not_supported"  # the configuration named the connector, not the caller
        return code, self.read if kind.read else self.write, self.always or (self.again and kind.again)


UNREADABLE = End("upstream_invalid_response", "unknown", "unknown")
FAILED = End("upstream_unavailable", "refused", "unknown", again=True)
LOGIN = End("upstream_auth_failed", "refused", "refused")
ABSENT = End("connector_not_found", "refused", "refused")
REJECTED = End("upstream_rejected", "refused", "refused")
MISDIRECTED = End("upstream_invalid_response", "refused", "refused")

LAUGHS = f'<!DOCTYPE Data [<!ENTITY a "{SECRET}"><!ENTITY b "&a;&a;&a;&a;">]><Data>&b;</Data>'
PASSWD = '<!DOCTYPE Data [<!ENTITY x SYSTEM "file:///etc/passwd">]><Data>&x;</Data>'
PARAMETER = '<!DOCTYPE Data [<!ENTITY % x SYSTEM "http://elsewhere.invalid/x">%x;]><Data/>'
EXTERNAL = f'<!DOCTYPE Data SYSTEM "http://elsewhere.invalid/{SECRET}.dtd"><Data/>'
DECLARED = '<?xml version="1.0" encoding="{}"?>'

DOCUMENTS = {
    "an external entity": PASSWD,
    "an external parameter entity": PARAMETER,
    "billion laughs": LAUGHS,
    "an external DTD": EXTERNAL,
    "billion laughs behind a declaration of utf-16": DECLARED.format("utf-16") + LAUGHS,
    "an entity of nobody's": f"<Data>&{SECRET};</Data>",
    "200 levels": "<Data>" + f'<Object Type="{SECRET}">' * 200 + "</Object>" * 200 + "</Data>",
    "200 levels of anything": f"<{SECRET}>" * 200 + f"</{SECRET}>" * 200,
    "markup of a web page": f"<html><body>{SECRET}</body></html>",
    "a web page": f"<!DOCTYPE html><html><p>{SECRET}",
    "truncated in a tag": f'<Data><Object Type="{SECRET}',
    "truncated in an object": f'<Data><Object Type="Equipment"><Property Name="{SECRET}"/>',
    "another wrapper": f"<Records><Object Type='{SECRET}'/></Records>",
    "two documents": f"<Records/><Data>{SECRET}</Data>",
    "nothing": "",
    "blanks": " \r\n ",
    "an exception as a success": f"{GENERAL}: {SECRET}{STACK}",
    "JSON that is no list": json.dumps({"message": SECRET}),
    "JSON of texts": json.dumps([SECRET]),
    "JSON with half a character": f'[{{"Id": "\\ud800{SECRET}"}}]',
    "JSON of 9,999 levels": "[" * 9_999,
    "truncated JSON": f'[{{"Id": "{SECRET}',
    "CSV with a line too long": f"Id;Code\r\n{SECRET};b;c\r\n",
    "CSV with a line too short": f"Id;Code\r\n{SECRET}\r\n",
    "CSV that does not close a quote": f'Id;Code\r\n"{SECRET};x\r\n',
}
"""Texts that a connector may give for its result, inside the envelope where there is one."""

BYTES = {
    "billion laughs in UTF-16": codecs.BOM_UTF16_LE + LAUGHS.encode("utf-16-le"),
    "billion laughs in UTF-16 without a mark": LAUGHS.encode("utf-16-be"),
    "an external entity in UTF-16 that says UTF-8": (DECLARED.format("utf-8") + PASSWD).encode("utf-16"),
    "half a character of UTF-16": codecs.BOM_UTF16_LE + b"<\0D\0a\0t\0a\0>\0\x00\xd8",
    "UTF-8 behind the mark of UTF-16": codecs.BOM_UTF16_LE + f"<Data>{SECRET}</Data>".encode(),
    "UTF-32": "<Data/>".encode("utf-32"),
    "UTF-7": b"+ADwAIQ-DOCTYPE Data+AD4APA-Data/+AD4-",
    "Latin-1 that says UTF-8": (DECLARED.format("utf-8") + f"<Data>é{SECRET}</Data>").encode("latin-1"),
    "overlong UTF-8": b"\xc0\xbcData/\xc0\xbe",
    "a zero byte": f"<Data>{SECRET} \0</Data>".encode(),
}
"""Answers as they stand on the line, for either way."""


def fault_of(code: str, sentence: str, message: str | None = None) -> str:
    detail = ""
    if message is not None:
        inner = f"<Message>{escape(message)}</Message>"
        detail = f'<detail><ConnectorErrorMessage xmlns="urn:x">{inner}</ConnectorErrorMessage></detail>'
    inner = f"<faultcode>{code}</faultcode><faultstring>{escape(sentence)}</faultstring>{detail}"
    return f'<s:Envelope xmlns:s="{ENVELOPE}"><s:Body><s:Fault>{inner}</s:Fault></s:Body></s:Envelope>'


def enveloped(text: str, operation: str, service: str = "http://tempuri.org/") -> str:
    return (
        f'<s:Envelope xmlns:s="{ENVELOPE}"><s:Body><{operation}Response xmlns="{service}">'
        f"<{operation}Result>{escape(text)}</{operation}Result></{operation}Response></s:Body></s:Envelope>"
    )


_OTHER = f'<Data><Object Type="{SECRET}"/></Data>'
ENVELOPES = {
    "a web page": (f"<html>{SECRET}</html>", UNREADABLE),
    "no envelope": (_OTHER, UNREADABLE),
    "nothing": ("", UNREADABLE),
    "billion laughs around it": (LAUGHS.replace("Data", "Envelope"), UNREADABLE),
    "an external DTD around it": (
        '<!DOCTYPE x SYSTEM "http://elsewhere.invalid/x">' + enveloped(_OTHER, "ExportData"),
        UNREADABLE,
    ),
    "the answer to another operation": (enveloped(_OTHER, "OtherData"), UNREADABLE),
    "another service": (enveloped(_OTHER, "ExportData", f"urn:{SECRET}"), UNREADABLE),
    "200 levels around it": (f"<x>{SECRET}" * 200, UNREADABLE),
    "truncated": (enveloped(_OTHER, "ExportData")[:-90], UNREADABLE),
    "a truncated fault": (fault_of("s:ImportData", SECRET)[:-20], UNREADABLE),
    "a fault of no one": (fault_of("a:InternalServiceFault", SECRET), FAILED),
    "a failure of the machinery": (fault_of("s:X", "no", f"System.X.SomeException: {SECRET}{STACK}"), FAILED),
    "a login": (fault_of("s:X", "no", f"{GENERAL}: User name or password not correct.{STACK}"), LOGIN),
    "an absent connector": (fault_of("s:X", "no", f"{GENERAL}: Connector is not active.{STACK}"), ABSENT),
    "a refusal": (fault_of("s:X", "no", f"{GENERAL}: It is locked.{STACK}"), REJECTED),
}
"""Whole answers over SOAP, all with the status 200."""

STATUSES = [
    (302, "", MISDIRECTED),
    (401, SECRET, LOGIN),
    (403, f"<html>{SECRET}", LOGIN),
    (404, f"<html>{SECRET}", MISDIRECTED),
    (405, SECRET, MISDIRECTED),
    (413, SECRET, End("payload_too_large", "refused", "refused")),
    (429, SECRET, End("quota_exceeded", "refused", "refused", always=True)),
    (500, f"<html>{SECRET}</html>", FAILED),
    (500, f"\ufeff<!DOCTYPE html>{SECRET}", FAILED),
    (500, f"the proxy {SECRET} is lost", FAILED),
    (500, f'{{"message": "login failed", "host": "{SECRET}"}}', FAILED),
    (500, f"System.NullReferenceException: {SECRET}{STACK}", FAILED),
    (500, f"System.Data.SqlClient.SqlException: Login failed for user '{SECRET}'.{STACK}", FAILED),
    (500, "", FAILED),
    (502, f"<html>{SECRET}</html>", FAILED),
    (503, SECRET, FAILED),
]

EXCEPTIONS = {
    f"{GENERAL}: Username or password not correct, login failed.{STACK}": LOGIN,
    f"{GENERAL}: Login failed for {UPSTREAM_USER}, {UPSTREAM_PASSWORD}.{STACK}": LOGIN,
    f"{GENERAL}: Connector 'EXP' does not exist.{STACK}": ABSENT,
    f"{GENERAL}: It is locked. ---> System.X: {SECRET}{STACK}": REJECTED,
}
"""What Connector.ashx says of a call that fails as a whole; SOAP says it in a fault."""

BROKEN = [
    (Fault(action="reset"), "upstream_unavailable", "outcome_unknown"),
    (Fault(action="reset", after=True), "upstream_unavailable", "outcome_unknown"),
    (Fault(action="truncate"), "upstream_invalid_response", "upstream_invalid_response"),
    (Fault(action="wrong_length"), "upstream_invalid_response", None),
    (Fault(action="slow", seconds=20), "deadline_exceeded", "deadline_exceeded"),
    (Fault(action="delay", seconds=20), "deadline_exceeded", "deadline_exceeded"),
]


class Rig:
    """A caller, the demo's gateway, its log and the sandbox that is told what to answer."""

    def __init__(self, client: httpx2.AsyncClient, sandbox: Sandbox, log: io.BytesIO) -> None:
        self.client = client
        self.sandbox = sandbox
        self._log = log

    async def call(
        self, tenant: str, kind: Kind, fault: Fault, headers: Mapping[str, str] | None = None
    ) -> httpx2.Response:
        """One call that the fault strikes. Neither its answer nor its log line has anything of the upstream's."""
        self.sandbox.faults.clear()
        self.sandbox.faults.add(msgspec.structs.replace(fault, path="/WebServices/", count=None))
        self._log.seek(0)
        self._log.truncate()
        answer = await self.client.request(
            kind.method,
            f"/v1/{tenant}/{kind.path}",
            json=kind.body,
            headers={**kind.headers, **(headers or {})},
        )
        told = answer.text + self._log.getvalue().decode()
        assert '"event":"call"' in told
        assert "internal error" not in told
        assert [leak for leak in LEAKS if leak in told] == []
        return answer

    async def ends(self, tenant: str, kind: Kind, body: str | bytes, end: End, status: int = 200) -> None:
        """The call ends in this when it is answered so."""
        content = body.encode() if isinstance(body, str) else body
        fault = Fault(
            action="answer",
            status=status,
            body=content.decode("latin-1"),
            encoding="latin-1",
            media="text/xml; charset=utf-8",
            headers={"Retry-After": "7"} if status == 429 else {},
        )
        answer = await self.call(tenant, kind, fault)
        for problem in problems(answer):
            assert (problem["code"], problem["outcome"], problem["retryable"]) == end.of(kind), kind.name
        if status == 429:
            assert answer.headers["retry-after"] == "7"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def rig() -> AsyncIterator[Rig]:
    log = io.BytesIO()
    async with Sandbox(SandboxOptions(limits="off", zone="Europe/Amsterdam")) as sandbox:
        gateway = build(demo_settings(sandbox.url + "/api/v1", sandbox.url), log=log)
        async with (
            serving(gateway.app) as url,
            httpx2.AsyncClient(base_url=url, headers={"X-API-Key": "demo-key"}, timeout=30) as client,
        ):
            yield Rig(client, sandbox, log)


def problems(answer: httpx2.Response) -> list[dict[str, object]]:
    """Why a call failed: as a whole, at the end of its stream, or each of its parts."""
    kind = answer.headers["content-type"]
    if kind == "application/problem+json":
        problem = answer.json()
        return [checked(answer, problem["status"], problem["code"])]
    if kind == "application/x-ndjson":
        return [json.loads(answer.text.splitlines()[-1])["error"]]
    return [result["error"] for result in answer.json()["results"]]


def operation(kind: Kind) -> str:
    return "ExportData" if kind.read else "ImportData"


@pytest.mark.parametrize("name", DOCUMENTS)
@pytest.mark.parametrize("tenant", CONNECTORS)
async def test_a_result_that_is_none(rig: Rig, tenant: str, name: str) -> None:
    for kind in KINDS:
        text = DOCUMENTS[name]
        await rig.ends(
            tenant, kind, text if tenant == "demo-connector" else enveloped(text, operation(kind)), UNREADABLE
        )


@pytest.mark.parametrize("name", BYTES)
@pytest.mark.parametrize("tenant", CONNECTORS)
async def test_bytes_that_are_no_text(rig: Rig, tenant: str, name: str) -> None:
    for kind in KINDS:
        await rig.ends(tenant, kind, BYTES[name], UNREADABLE)


@pytest.mark.parametrize("name", ENVELOPES)
async def test_an_envelope_that_is_none(rig: Rig, name: str) -> None:
    body, end = ENVELOPES[name]
    for kind in KINDS:
        await rig.ends("demo-soap", kind, body.replace("ExportData", operation(kind)), end)


@pytest.mark.parametrize(("status", "body", "end"), STATUSES)
@pytest.mark.parametrize("tenant", CONNECTORS)
async def test_a_status_of_failure(rig: Rig, tenant: str, status: int, body: str, end: End) -> None:
    for kind in KINDS:
        await rig.ends(tenant, kind, body, end, status)


@pytest.mark.parametrize("text", EXCEPTIONS)
@pytest.mark.parametrize("tenant", CONNECTORS)
async def test_an_exception(rig: Rig, tenant: str, text: str) -> None:
    body = text if tenant == "demo-connector" else fault_of("s:ImportData", "no", text)
    for kind in KINDS:
        await rig.ends(tenant, kind, body, EXCEPTIONS[text], 500)


@pytest.mark.parametrize("declared", ["utf-16", "utf-8", "windows-1252", "ebcdic", "utf-7"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be"])
@pytest.mark.parametrize("tenant", CONNECTORS)
async def test_a_wrong_declaration_corrupts_nothing(
    rig: Rig, tenant: str, encoding: str, declared: str
) -> None:
    held = '<Object Type="Equipment"><Property Name="Id" Value="é€𝄞"/></Object>'
    text = f"{DECLARED.format(declared)}<Data>{held}</Data>"
    if tenant == "demo-soap":
        text = DECLARED.format(declared) + enveloped(text, "ExportData")
    fault = Fault(
        action="answer", status=200, body=text, encoding=encoding, media="text/xml; charset=iso-8859-1"
    )
    answer = await rig.call(tenant, KINDS[0], fault)
    assert answer.json() == {"items": [{"Id": "é€𝄞"}], "next": None}


@pytest.mark.parametrize("tenant", CONNECTORS)
async def test_an_answer_of_no_objects_is_an_empty_list_and_no_success_of_a_write(
    rig: Rig, tenant: str
) -> None:
    for kind in KINDS:
        text = "<Data/>" if tenant == "demo-connector" else enveloped("<Data/>", operation(kind))
        fault = Fault(action="answer", status=200, body=text, media="text/xml")
        answer = await rig.call(tenant, kind, fault)
        if not kind.read:
            told = [(it["code"], it["outcome"], it["retryable"]) for it in problems(answer)]
            assert set(told) == {("outcome_unknown", "unknown", kind.again)}
        elif kind.name == "get":
            checked(answer, 404, "record_not_found")
        else:
            assert answer.status_code == 200


@pytest.mark.parametrize(("fault", "code", "doubt"), BROKEN, ids=lambda it: getattr(it, "action", None))
@pytest.mark.parametrize("tenant", CONNECTORS)
async def test_an_answer_that_does_not_arrive(
    rig: Rig, tenant: str, fault: Fault, code: str, doubt: str | None
) -> None:
    """What came whole before the break stands; of the rest nobody knows, and it is not ``not_sent``."""
    hurry = {"Request-Timeout": "0.1"} if code == "deadline_exceeded" else {}
    for kind in KINDS:
        sent = len(rig.sandbox.ledger.calls)
        answer = await rig.call(tenant, kind, fault, hurry)
        assert len(rig.sandbox.ledger.calls) > sent or hurry
        if doubt is None and answer.status_code < 300 and not kind.read:
            continue
        for problem in problems(answer):
            assert problem["outcome"] == "unknown", kind.name
            assert problem["code"] in (code, doubt, "outcome_unknown"), kind.name
            if kind.again and code == "upstream_unavailable":
                assert (problem["code"], problem["retryable"]) == (code, True)
            if not kind.again:
                assert problem["retryable"] is False
