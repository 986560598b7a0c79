"""Requests as the service describes them, open for the credential alone; faults; and zeep, kept to that."""

from __future__ import annotations

import logging
import subprocess
import sys
from pathlib import Path
from xml.sax.saxutils import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from adapters._connectors.channel import LARGEST_REQUEST
from adapters.soap.codec import EXPORT, IMPORT, Codec, Exchange, FaultTold
from contracts.errors import PayloadTooLarge
from contracts.records import MalformedAnswer
from contracts.wire import Notation, Placeholder, Slot

ROOT = Path(__file__).resolve().parents[4]
CODEC = Codec()
SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
TEXTS = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff")
) | st.sampled_from(
    ["<?userName ?>", "<?password ?>", "</ns0:userName>", "]]>", "&amp;", "\r\n\t", "{username}", "userName", "a\rb"]
)  # fmt: skip


def filled(content: tuple[bytes | Placeholder, ...], username: str, password: str) -> etree._Element:
    """The envelope as it leaves, the credential put in as the wire does."""
    secrets = {Slot.USERNAME: username, Slot.PASSWORD: password}
    parts = [part if isinstance(part, bytes) else escape(secrets[part.slot]).encode() for part in content]
    return etree.fromstring(b"".join(parts))


@pytest.mark.parametrize("exchange", [EXPORT, IMPORT], ids=["export", "import"])
@given(name=TEXTS, data=st.none() | TEXTS)
def test_only_the_credential_is_left_open_whatever_the_texts_hold(
    exchange: Exchange, name: str, data: str | None
) -> None:
    message = CODEC.request(exchange, name, data)
    slots = [part for part in message.content if isinstance(part, Placeholder)]
    assert slots == [Placeholder(Slot.USERNAME, Notation.XML), Placeholder(Slot.PASSWORD, Notation.XML)]
    (body,) = filled(message.content, "someone & <co>", "se]]>cret")
    (call,) = body
    texts = {etree.QName(element).localname: element.text or "" for element in call}
    expected = {exchange.name: name, "userName": "someone & <co>", "password": "se]]>cret"}
    assert texts == expected | ({} if data is None else {exchange.data: data})
    assert etree.QName(call) == etree.QName("http://tempuri.org/", exchange.operation)
    assert message.action == f'"http://tempuri.org/SoapConnector/{exchange.operation}"'


def test_the_same_request_is_the_same_bytes() -> None:
    assert CODEC.request(EXPORT, "EXP_EQ", None) == Codec().request(EXPORT, "EXP_EQ", None)
    (body,) = filled(CODEC.request(EXPORT, "EXP_EQ", None).content, "u", "p")
    assert body.tag == f"{{{SOAP}}}Body", "no header, no addressing"


def test_what_is_larger_than_the_upstream_takes_is_refused() -> None:
    CODEC.request(IMPORT, "IMP", "x" * (LARGEST_REQUEST - 1000))
    with pytest.raises(PayloadTooLarge):
        CODEC.request(IMPORT, "IMP", "x" * LARGEST_REQUEST)
    with pytest.raises(PayloadTooLarge):
        CODEC.request(IMPORT, "IMP", "<" * (LARGEST_REQUEST // 3))


def fault(inner: str, declaration: str = "") -> str:
    body = f"<s:Body><s:Fault>{inner}</s:Fault></s:Body>"
    return f'{declaration}<s:Envelope xmlns:s="{SOAP}">{body}</s:Envelope>'


SENTENCE = "<faultcode>s:ImportData</faultcode><faultstring>no</faultstring>"
DETAIL = "<detail><ConnectorErrorMessage{}><Message>{}</Message></ConnectorErrorMessage></detail>"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (fault(SENTENCE), FaultTold("s:ImportData", "no", None)),
        (fault(SENTENCE + DETAIL.format("", "why")), FaultTold("s:ImportData", "no", "why")),
        (
            fault(SENTENCE + DETAIL.format(' xmlns="http://schemas.datacontract.org/2004/07/Any"', "why")),
            FaultTold("s:ImportData", "no", "why"),
        ),
        (fault(SENTENCE + DETAIL.format("", "")), FaultTold("s:ImportData", "no", "")),
        (fault(SENTENCE + "<detail><O><Message>x</Message></O></detail>"), FaultTold("s:ImportData", "no", None)),
        (fault(SENTENCE + "<detail><?x y?><!-- z --></detail>"), FaultTold("s:ImportData", "no", None)),
        (fault(""), FaultTold(None, None, None)),
        (fault(SENTENCE, '<?xml version="1.0" encoding="utf-16"?>\r\n'), FaultTold("s:ImportData", "no", None)),
    ],
)  # fmt: skip
def test_what_a_fault_says(text: str, told: FaultTold) -> None:
    assert CODEC.fault(text) == told


@pytest.mark.parametrize("text", ["", "<html/>", fault(SENTENCE)[:-20], "<!DOCTYPE a><a/>", "secret"])
def test_what_is_no_fault_cannot_be_read(text: str) -> None:
    with pytest.raises(MalformedAnswer) as caught:
        CODEC.fault(text)
    assert "secret" not in str(caught.value)


def test_zeep_logs_nothing_of_a_message(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    codec = Codec()
    codec.request(IMPORT, "IMP_SECRET", "<secret/>")
    codec.fault(fault(SENTENCE + DETAIL.format("", "secret")))
    with pytest.raises(MalformedAnswer):
        codec.fault("secret")
    assert "secret" not in caplog.text.lower()


UNDER_WATCH = """
import sys
from pathlib import Path
from adapters.soap.codec import EXPORT, Codec
seen = []
sys.addaudithook(lambda event, arguments: seen.append((event, arguments)))
codec = Codec()
codec.request(EXPORT, "EXP", None)
codec.fault(sys.argv[1])
print([event for event, _ in seen if event.startswith(("socket.", "urllib."))])
print(sorted(Path(arguments[0]).name for event, arguments in seen if event == "open"))
"""


def test_zeep_opens_no_connection_and_no_file_but_its_description() -> None:
    command = [sys.executable, "-c", UNDER_WATCH, fault(SENTENCE)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    connections, files = done.stdout.splitlines()
    assert connections == "[]"
    assert files == "['SoapConnector.wsdl', 'SoapConnector.xsd0.xsd', 'SoapConnector.xsd1.xsd']"
