"""What a connector may answer that it should not, and what each kind of call is to end in."""

from __future__ import annotations

import codecs
import json
from collections.abc import Mapping
from html import escape

import msgspec

from adapters.sandbox import Fault
from tests.support.four_tenants import READING
from tests.support.servers import UPSTREAM_PASSWORD, UPSTREAM_USER

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
    (Fault(action="truncate"), "upstream_unavailable", "outcome_unknown"),
    (Fault(action="wrong_length"), "upstream_unavailable", None),
    (Fault(action="slow", seconds=20), "deadline_exceeded", "deadline_exceeded"),
    (Fault(action="delay", seconds=20), "deadline_exceeded", "deadline_exceeded"),
]
