"""What became of the objects of an import, and the document that tells it."""

from collections import Counter
from collections.abc import Iterator, Sequence

import msgspec

from adapters.sandbox.connectors.documents import Pair
from adapters.sandbox.connectors.rendering import DECLARATION, escaped
from adapters.sandbox.errors import Refusal

_NAMED_EFFECTS = 20


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one object: ``keys`` are its key columns, of a refused one as far as they were given."""

    type: str
    action: str
    keys: Sequence[Pair]
    error: Refusal | None = None
    results: Sequence["Result"] = ()

    @property
    def effect(self) -> str:
        """Such as ``Insert Equipment 00042``, and ``Error Equipment`` for one that was refused."""
        key = "" if self.error is not None else " " + ",".join(str(value) for _, value in self.keys)
        return f"{self.action} {self.type}{key}"


def answer_document(results: Sequence[Result], *, flat: bool) -> str:
    """The answer of an import, an object for each one sent, in order."""
    objects = "".join(_object(result, flat=flat) for result in results)
    return f"{DECLARATION}\r\n<Data>\r\n{objects}</Data>"


def _object(result: Result, *, flat: bool) -> str:
    properties = "".join(_property(name, value) for name, value in (*result.keys, *_errors(result)))
    inner = "".join(_object(child, flat=flat) for child in result.results)
    opening = f'<Object Type="{escaped(result.type)}" Action="{result.action}">{properties}'
    return f"{opening}</Object>\r\n{inner}" if flat else f"{opening}{inner}</Object>\r\n"


def _errors(result: Result) -> list[Pair]:
    """The messages of a refusal: in front of the sentence the number or name of the rule, as in the
    vendor's example (page "IoT", HTTP POST)."""
    if result.error is None:
        return []
    code = result.error.body.code
    rule = code if code.isdecimal() else f"{result.type}_{code}"
    message = f"Message: {rule} {result.error.body.message}"
    return [
        ("ErrorMessage", f"Cannot import entity '{result.type}'. {message}"),
        ("ShortErrorMessage", message),
    ]


def _property(name: str, value: str | None) -> str:
    given = "" if value is None else f' Value="{escaped(value)}"'
    return f'<Property Name="{escaped(name)}"{given} />'


def effects(results: Sequence[Result]) -> str:
    """What was done, one by one, or in numbers when it was much."""
    found = list(_walk(results))
    if len(found) <= _NAMED_EFFECTS:
        return "; ".join(result.effect for result in found)
    counted = Counter(result.action for result in found)
    return ", ".join(f"{number} {action}" for action, number in counted.items())


def _walk(results: Sequence[Result]) -> Iterator[Result]:
    for result in results:
        yield result
        yield from _walk(result.results)
