"""The filter language: text to a predicate over stored records."""

import re
from collections.abc import Callable
from datetime import tzinfo
from decimal import Decimal

import msgspec

from adapters.sandbox.errors import bad_filter
from adapters.sandbox.model import Kind, Record
from adapters.sandbox.properties import Getter, PropertyPath, comparable
from adapters.sandbox.values import parse_time

Predicate = Callable[[Record], bool]

_MAXIMUM_DEPTH = 64
_TOKENS = re.compile(
    r"\s*(?:"
    r"(?P<string>'(?:[^']|'')*')"
    r"|(?P<time>\d{4}-\d\d-\d\dT[0-9:.]+(?:Z|[+-]\d\d:?\d\d)?)"
    r"|(?P<date>\d{4}-\d\d-\d\d(?![0-9T]))"
    r"|(?P<clock>\d\d:\d\d(?::\d\d(?:\.\d{1,7})?)?)"
    r"|(?P<number>[+-]?\d+(?:\.\d+)?(?![\w.]))"
    r"|(?P<word>[A-Za-z_][A-Za-z0-9_]*(?:/[A-Za-z_][A-Za-z0-9_]*)*)"
    r"|(?P<mark>[(),])"
    r")",
    re.ASCII,
)
_ORDERINGS: dict[str, Callable[[int], bool]] = {
    "gt": lambda sign: sign > 0,
    "ge": lambda sign: sign >= 0,
    "lt": lambda sign: sign < 0,
    "le": lambda sign: sign <= 0,
}
_KINDS = {
    "string": (Kind.STRING,),
    "number": (Kind.INTEGER, Kind.DECIMAL),
    "date": (Kind.DATE, Kind.TIME),
    "time": (Kind.TIME, Kind.DATE),
    "boolean": (Kind.BOOLEAN,),
    "clock": (),
}


class Token(msgspec.Struct, frozen=True):
    """A piece of a filter; ``kind`` is the name of the group that it matched, or ``end``."""

    kind: str
    text: str


def parse_filter(text: str, find: Callable[[str], PropertyPath], zone: tzinfo) -> Predicate:
    """The predicate that a filter states.

    ``find`` answers the property that a path names; date-times without offset are local to ``zone``.
    Comparisons are ``property operator literal``. Null is equal to null alone and is not ordered, so
    ``ne 'x'`` holds for null. Text is compared by code point, only ``like`` ignores case. Raises
    ``Refusal`` 400 ``FilterSyntaxError``. Source: vendor page "Query options".
    """
    parser = _Parser(_tokens(text), find, zone)
    predicate = parser.either(0)
    if parser.current.kind != "end":
        raise bad_filter(f"unexpected '{parser.current.text}'")
    return predicate


def _tokens(text: str) -> list[Token]:
    found: list[Token] = []
    position = 0
    end = len(text.rstrip())
    while position < end:
        match = _TOKENS.match(text, position)
        if match is None or match.lastgroup is None:
            raise bad_filter(f"cannot read at position {position}")
        found.append(Token(match.lastgroup, match[match.lastgroup]))
        position = match.end()
    return [*found, Token("end", "the end")]


class _Parser:
    """Recursive descent over the tokens: or, and, not, comparison."""

    def __init__(self, tokens: list[Token], find: Callable[[str], PropertyPath], zone: tzinfo) -> None:
        self._tokens = tokens
        self._position = 0
        self._find = find
        self._zone = zone

    @property
    def current(self) -> Token:
        return self._tokens[self._position]

    def _take(self, word: str) -> bool:
        token = self.current
        taken = token.kind in ("word", "mark") and token.text.lower() == word
        self._position += taken
        return taken

    def _expect(self, mark: str) -> None:
        if not self._take(mark):
            raise bad_filter(f"'{mark}' expected before '{self.current.text}'")

    def _next(self) -> Token:
        token = self.current
        if token.kind == "end":
            raise bad_filter("it ends too early")
        self._position += 1
        return token

    def either(self, depth: int) -> Predicate:
        if depth > _MAXIMUM_DEPTH:
            raise bad_filter("it is nested too deeply")
        options = [self._both(depth)]
        while self._take("or"):
            options.append(self._both(depth))
        return options[0] if len(options) == 1 else lambda record: any(test(record) for test in options)

    def _both(self, depth: int) -> Predicate:
        tests = [self._negation(depth)]
        while self._take("and"):
            tests.append(self._negation(depth))
        return tests[0] if len(tests) == 1 else lambda record: all(test(record) for test in tests)

    def _negation(self, depth: int) -> Predicate:
        if depth > _MAXIMUM_DEPTH:
            raise bad_filter("it is nested too deeply")
        if self._take("not"):
            test = self._negation(depth + 1)
            return lambda record: not test(record)
        if self._take("("):
            inner = self.either(depth + 1)
            self._expect(")")
            return inner
        return self._comparison()

    def _comparison(self) -> Predicate:
        name = self._next()
        if name.kind != "word":
            raise bad_filter(f"a property expected in place of '{name.text}'")
        path = self._find(name.text)
        operator = self._next().text.lower()
        if operator == "in":
            return self._membership(path)
        token = self._next()
        if token.kind == "word" and token.text.lower() == "null":
            return _null_test(path.get, operator)
        value = self._literal(path, token)
        if operator in ("eq", "ne"):
            return _equality(path.get, value, operator == "eq")
        if operator == "like" and path.kind is Kind.STRING:
            return _likeness(path.get, str(value))
        if operator in _ORDERINGS and path.kind is not Kind.BOOLEAN:
            return _ordering(path.get, value, _ORDERINGS[operator])
        raise bad_filter(f"the operator '{operator}' cannot be used on '{name.text}'")

    def _membership(self, path: PropertyPath) -> Predicate:
        self._expect("(")
        values = {self._literal(path, self._next())}
        while self._take(","):
            values.add(self._literal(path, self._next()))
        self._expect(")")
        return lambda record: path.get(record) in values

    def _literal(self, path: PropertyPath, token: Token) -> object:
        kind, text = token.kind, token.text
        if kind == "word" and text.lower() in ("true", "false"):
            kind = "boolean"
        if path.kind not in _KINDS.get(kind, ()):
            raise bad_filter(f"'{text}' cannot be compared with '{path.name}'")
        try:
            return self._value(path.kind, kind, text)
        except ValueError as error:
            raise bad_filter(str(error)) from error

    def _value(self, wanted: Kind, kind: str, text: str) -> object:
        if kind == "string":
            return text[1:-1].replace("''", "'")
        if kind == "number":
            return Decimal(text)
        if kind == "boolean":
            return text.lower() == "true"
        moment = comparable(Kind.TIME, parse_time(text, self._zone))
        if wanted is Kind.TIME:
            return moment
        whole = str(moment).endswith("T00:00:00")
        return text if kind == "date" else str(moment)[:10] if whole else moment


def _null_test(get: Getter, operator: str) -> Predicate:
    if operator == "eq":
        return lambda record: get(record) is None
    if operator == "ne":
        return lambda record: get(record) is not None
    raise bad_filter("null can be compared with eq and ne only")


def _equality(get: Getter, value: object, equal: bool) -> Predicate:
    if equal:
        return lambda record: get(record) == value
    return lambda record: get(record) != value


def _ordering(get: Getter, value: object, holds: Callable[[int], bool]) -> Predicate:
    def test(record: Record) -> bool:
        found = get(record)
        if found is None:
            return False
        return holds((found > value) - (found < value))  # type: ignore[operator]  # one kind on both sides

    return test


def _likeness(get: Getter, pattern: str) -> Predicate:
    wild = {"%": ".*", "_": "."}
    short = re.sub("%+", "%", pattern)
    text = "".join(wild.get(character) or re.escape(character) for character in short)
    matches = re.compile(text, re.IGNORECASE | re.DOTALL).fullmatch

    def test(record: Record) -> bool:
        found = get(record)
        return isinstance(found, str) and matches(found) is not None

    return test
