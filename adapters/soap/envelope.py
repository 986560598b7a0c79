"""The envelope of an answer, read as it comes: what the result holds is given on piece by piece.

An export can be hundreds of megabytes, all of it the text of one element. Read here is the wrapping around
it (SOAP 1.1 §4, document/literal wrapped): exactly ``Envelope``, ``Body``, ``…Response`` and ``…Result`` in
their namespaces, or a ``Fault`` in the place of the response. A codec that takes what it finds for what it
looks for would hand on another operation's answer.
"""

from __future__ import annotations

from xml.parsers import expat

from contracts.records import MalformedAnswer

ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
SERVICE = "http://tempuri.org/"

_DEEPEST = 32
_LONGEST_TAG = 1_000_000
_PIECE = 65_536


class EnvelopeReader:
    """Takes the text of an envelope and gives the text of the result in it, escaped or CDATA alike.

    ``fault`` is true once the answer has turned out to be a fault, which is for another codec to decode.
    Both methods raise MalformedAnswer, quoting nothing, for what is not the answer to ``operation``:
    no XML, a document type of any kind, more than 32 levels, other elements, other namespaces.
    """

    def __init__(self, operation: str) -> None:
        """``operation`` is that of the service: ``ExportData`` or ``ImportData``."""
        self.fault = False
        self._path = (
            f"{ENVELOPE} Envelope",
            f"{ENVELOPE} Body",
            f"{SERVICE} {operation}Response",
            f"{SERVICE} {operation}Result",
        )
        self._entered = 0
        self._depth = 0
        self._passing = 0
        self._taken = 0
        self._text: list[str] = []
        self._error: MalformedAnswer | None = None
        # The encoding given here overrides the declared one: what comes is text, decoded before.
        parser = expat.ParserCreate("utf-8", " ")
        parser.buffer_text = True
        parser.buffer_size = _PIECE
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        parser.StartDoctypeDeclHandler = self._doctype
        self._parser = parser

    @property
    def within(self) -> bool:
        """Whether the result has begun."""
        return self._entered == len(self._path)

    def feed(self, text: str) -> str:
        """The text of the result that this piece of the envelope completes; what comes before a fault is given."""
        return self._parsed(text.encode(), final=False)

    def finish(self) -> str:
        """The rest of the result; raises when the envelope has not come to its end, or has no result."""
        rest = self._parsed(b"", final=True)
        if self._error is not None:
            raise self._error
        if not self.fault and not self.within:
            raise MalformedAnswer("a SOAP envelope without a result")
        return rest

    def _parsed(self, content: bytes, *, final: bool) -> str:
        if self._error is not None:
            raise self._error
        self._taken += len(content)
        try:
            self._parser.Parse(content, final)
            if self._taken - self._parser.CurrentByteIndex > _LONGEST_TAG:
                raise MalformedAnswer("XML with a tag that does not end")
        except expat.ExpatError:
            self._error = MalformedAnswer(
                "a SOAP envelope that breaks off" if self._entered else "not a SOAP envelope"
            )
        except MalformedAnswer as error:
            self._error = error
        piece = "".join(self._text)
        self._text.clear()
        if self._error is not None and not piece:
            raise self._error
        return piece

    def _start(self, name: str, _: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise MalformedAnswer(f"XML of more than {_DEEPEST} levels")
        if self._passing:
            return
        if name == self._awaited():
            self._entered += 1
        elif (self._depth, self._entered, name) == (2, 1, f"{ENVELOPE} Header"):
            self._passing = self._depth
        elif (self._depth, self._entered, name) == (3, 2, f"{ENVELOPE} Fault") and not self.fault:
            self.fault = True
            self._passing = self._depth
        else:
            raise MalformedAnswer("XML, but not the SOAP envelope of this result")

    def _awaited(self) -> str | None:
        """The element that takes the path one step on, when this is where it may begin."""
        if self.fault or self.within or self._depth != self._entered + 1:
            return None
        return self._path[self._entered]

    def _end(self, _: str) -> None:
        if self._depth == self._passing:
            self._passing = 0
        self._depth -= 1

    def _characters(self, text: str) -> None:
        if self._depth == len(self._path) and not self._passing:
            self._text.append(text)

    def _doctype(self, *_: object) -> None:
        raise MalformedAnswer("XML with a document type")
