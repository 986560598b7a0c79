"""The envelope of an answer: its result in pieces, whatever it holds, and nothing that is not its answer."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from xml.sax.saxutils import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.soap.envelope import EnvelopeReader
from contracts.records import MalformedAnswer

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
FAULT = "<s:Fault><faultcode>s:ExportData</faultcode><faultstring>no</faultstring></s:Fault>"
RESULT = "<ExportDataResult>{}</ExportDataResult>"
RESPONSE = '<ExportDataResponse xmlns="http://tempuri.org/">{}</ExportDataResponse>'

XML_TEXT = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff")
    | st.sampled_from("\t\n\r<>&]")
)


def envelope(body: str, header: str = "") -> str:
    return f'<s:Envelope xmlns:s="{SOAP}">{header}<s:Body>{body}</s:Body></s:Envelope>'


def result(text: str) -> str:
    return envelope(RESPONSE.format(RESULT.format(text)))


def escaped(text: str) -> str:
    return escape(text, {"\r": "&#xD;"})


def cdata(text: str) -> str:
    parts = text.replace("]]>", "]]]]><![CDATA[>").split("\r")
    return "&#13;".join(f"<![CDATA[{part}]]>" for part in parts)


def read(text: str, *, size: int = 0, operation: str = "ExportData") -> str:
    reader = EnvelopeReader(operation)
    size = size or len(text) or 1
    pieces = [reader.feed(text[at : at + size]) for at in range(0, len(text), size)]
    return "".join([*pieces, reader.finish()])


@given(XML_TEXT, st.integers(1, 50), st.sampled_from([escaped, cdata]))
def test_any_text_comes_out_as_it_went_in(text: str, size: int, write: object) -> None:
    assert callable(write)
    assert read(result(write(text)), size=size) == text


@pytest.mark.parametrize("declared", ["utf-8", "utf-16", "iso-8859-1", "utf-7", "nonsense"])
def test_a_declared_encoding_does_not_matter_to_text(declared: str) -> None:
    assert read(f'<?xml version="1.0" encoding="{declared}"?>' + result("é€𝄞")) == "é€𝄞"


def test_a_result_may_hold_xml_that_declares_another_encoding() -> None:
    document = '<?xml version="1.0" encoding="utf-16"?>\r\n<Data/>'
    assert read(result(escaped(document))) == document
    assert read(result(cdata(document))) == document


def test_a_header_is_passed_over() -> None:
    header = '<s:Header><a:b xmlns:a="urn:a"><a:c><a:d>no result</a:d></a:c></a:b></s:Header>'
    text = envelope(RESPONSE.format(RESULT.format("yes")), header)
    assert read(text) == "yes"


def test_an_empty_result_is_empty() -> None:
    assert read(result("")) == ""
    assert read(envelope(RESPONSE.format("<ExportDataResult/>"))) == ""


def test_a_fault_is_told_and_gives_no_text() -> None:
    reader = EnvelopeReader("ExportData")
    assert reader.feed(envelope(FAULT)) == ""
    reader.finish()
    assert reader.fault


LAUGHS = '<!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>'
OUTSIDE = '<!DOCTYPE s:Envelope SYSTEM "http://127.0.0.1:1/secret.dtd">'
XXE = '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
DEEP = "<a>" * 200 + "secret" + "</a>" * 200
OTHER = '<ExportDataResponse xmlns="http://tempuri.org/other">{}</ExportDataResponse>'
IMPORTED = '<ImportDataResponse xmlns="http://tempuri.org/"><ImportDataResult>secret</ImportDataResult></ImportDataResponse>'

REFUSED = {
    "nothing": "",
    "blanks": "  \r\n",
    "html": "<!DOCTYPE html><html><body>secret</body></html>",
    "html without a type": "<html><body>secret</body></html>",
    "no xml": "secret",
    "json": '{"secret": 1}',
    "a bare result": RESULT.format("secret"),
    "soap 1.2": result("secret").replace(SOAP, "http://www.w3.org/2003/05/soap-envelope"),
    "no namespace": "<Envelope><Body><ExportDataResponse/></Body></Envelope>",
    "another response": envelope(IMPORTED),
    "another result": envelope(RESPONSE.format("<ImportDataResult>secret</ImportDataResult>")),
    "a wrapper of another namespace": envelope(OTHER.format(RESULT.format("secret"))),
    "a result of another namespace": envelope(RESPONSE.format('<ExportDataResult xmlns="">secret</ExportDataResult>')),
    "an unknown wrapper": envelope("<Secret/>"),
    "no body": f'<s:Envelope xmlns:s="{SOAP}"/>',
    "an empty body": envelope(""),
    "an empty response": envelope(RESPONSE.format("")),
    "two results": envelope(RESPONSE.format(RESULT.format("secret") * 2)),
    "two responses": envelope(RESPONSE.format(RESULT.format("secret")) * 2),
    "a response and a fault": envelope(RESPONSE.format(RESULT.format("secret")) + FAULT),
    "a fault and a response": envelope(FAULT + RESPONSE.format(RESULT.format("secret"))),
    "two faults": envelope(FAULT * 2),
    "elements in the result": result("<Data>secret</Data>"),
    "a late header": envelope("").replace("</s:Envelope>", "<s:Header/></s:Envelope>"),
    "truncated in the result": result("secret")[:-60],
    "truncated in the last tag": result("secret")[:-1],
    "a truncated fault": envelope(FAULT)[:-30],
    "something after it": result("secret") + "secret",
    "billion laughs": LAUGHS + result("&b;"),
    "an external dtd": OUTSIDE + result("secret"),
    "an external entity": XXE + result("&x;"),
    "an undeclared entity": result("&secret;"),
    "200 levels": result(DEEP),
    "200 levels in a header": envelope("", f"<s:Header>{DEEP}</s:Header>"),
    "200 levels in a fault": envelope(f"<s:Fault>{DEEP}</s:Fault>"),
    "a character that xml cannot hold": result("\x01"),
    "a reference to one": result("&#1;"),
}  # fmt: skip


@pytest.mark.parametrize("size", [0, 1], ids=["whole", "by character"])
@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_answer_is_refused_and_not_quoted(name: str, size: int) -> None:
    with pytest.raises(MalformedAnswer) as caught:
        read(REFUSED[name], size=size)
    assert "secret" not in str(caught.value)
    assert "passwd" not in str(caught.value)


def test_what_comes_before_a_fault_in_the_answer_is_given() -> None:
    reader = EnvelopeReader("ExportData")
    assert reader.feed(result("one")[:-40] + "<</") == "one"
    with pytest.raises(MalformedAnswer):
        reader.feed("")
    with pytest.raises(MalformedAnswer):
        reader.finish()


def test_the_answer_to_an_import_is_not_that_to_an_export() -> None:
    assert read(envelope(IMPORTED), operation="ImportData") == "secret"
    with pytest.raises(MalformedAnswer):
        read(result("secret"), operation="ImportData")


def test_a_tag_without_end_is_refused_before_it_fills_the_memory() -> None:
    reader = EnvelopeReader("ExportData")
    reader.feed(f'<s:Envelope xmlns:s="{SOAP}" x="')
    for _ in range(9):
        reader.feed("x" * 100_000)
    with pytest.raises(MalformedAnswer):
        reader.feed("x" * 200_000)


def test_an_export_of_100_000_records_takes_no_more_memory_than_one_of_few() -> None:
    records = 100_000
    reader = EnvelopeReader("ExportData")
    read_characters = 0
    tracemalloc.start()
    for piece in _large(records):
        read_characters += len(reader.feed(piece))
    read_characters += len(reader.finish())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert read_characters == records * len(_RECORD) + len("<Data></Data>")
    assert peak < 2_000_000


_RECORD = '<Object Type="Equipment"><Property Name="Id" Value="1"/><Property Name="Code" Value="a"/></Object>'


def _large(records: int) -> Iterator[str]:
    """The envelope of an export in pieces of 64 KB, cut without regard to what they hold."""
    begin, _, end = result(escape("<Data>") + "|" + escape("</Data>")).partition("|")
    pending = begin
    for _ in range(records):
        pending += escape(_RECORD)
        if len(pending) > 65_536:
            yield pending[:65_536]
            pending = pending[65_536:]
    yield pending + end
