"""Tokens to a tree.

``not`` binds tighter than ``and``, ``and`` tighter than ``or``; ``not`` takes a comparison or a
parenthesis. Levels are kept on a list of the parser's own, so that no text can exhaust Python's stack.
"""

from __future__ import annotations

from contracts.errors import InvalidFilter
from contracts.filters.literals import Literal, LiteralKind
from contracts.filters.slips import explain
from contracts.filters.tokens import OPERATORS, Token, TokenKind, tokens
from contracts.filters.tree import And, Comparison, Filter, Membership, Not, Operator, Or

MAX_LENGTH = 8192
"""The most characters of a filter."""

MAX_DEPTH = 64
"""The most parentheses and nots around one comparison."""

OPERAND = "a property name, 'not' or '('"
OPERATOR = "a comparison operator (eq, ne, gt, ge, lt, le, like, in)"
VALUE = "a value: null, true, false, a number, a date, a time or a text in single quotes"
_ONLY_EQUALITY = (Operator.EQ, Operator.NE)


def parse_filter(text: str) -> Filter:
    """The tree that a filter states.

    Raises :class:`~contracts.errors.InvalidFilter`, always with the position and what was expected there.
    """
    if len(text) > MAX_LENGTH:
        raise InvalidFilter(
            f"the filter has {len(text)} characters", position=MAX_LENGTH, expected=f"at most {MAX_LENGTH}"
        )
    return _Parser(text).parse()


class _Level:
    """What has been read inside one parenthesis (or outside all): ``a and b or c and …``."""

    def __init__(self, opened_at: Token | None = None, outer: int = 0) -> None:
        self.opened_at = opened_at
        self.nots = 0
        self._outer = outer
        self._alternatives: list[Filter] = []
        self._conjuncts: list[Filter] = []

    @property
    def depth(self) -> int:
        """The parentheses and nots around what comes next."""
        return self._outer + self.nots

    def inner(self, opened_at: Token) -> _Level:
        """The level that a parenthesis opens here; ``not (`` counts once, as it is how a not is printed."""
        return _Level(opened_at, self.depth if self.nots else self.depth + 1)

    def add(self, operand: Filter) -> None:
        for _ in range(self.nots):
            operand = Not(operand)
        self.nots = 0
        self._conjuncts.append(operand)

    def alternative(self) -> None:
        """An ``or`` was read: what stood before it is one alternative."""
        conjuncts = tuple(self._conjuncts)
        self._alternatives.append(conjuncts[0] if len(conjuncts) == 1 else And(conjuncts))
        self._conjuncts = []

    def close(self) -> Filter:
        self.alternative()
        alternatives = tuple(self._alternatives)
        return alternatives[0] if len(alternatives) == 1 else Or(alternatives)


class _Parser:
    def __init__(self, text: str) -> None:
        self._tokens = tokens(text)
        self._at = 0
        self._levels = [_Level()]

    def parse(self) -> Filter:
        while True:
            self._operand()
            while self._take(TokenKind.MARK, ")"):
                self._close()
            if self._take(TokenKind.KEYWORD, "or"):
                self._levels[-1].alternative()
            elif not self._take(TokenKind.KEYWORD, "and"):
                break
        if self._current.kind is not TokenKind.END or len(self._levels) > 1:
            raise self._connector_expected()
        return self._levels[0].close()

    @property
    def _current(self) -> Token:
        return self._tokens[self._at]

    def _take(self, kind: TokenKind, text: str | None = None) -> Token | None:
        token = self._current
        if token.kind is not kind or text not in (None, token.text):
            return None
        self._at += 1
        return token

    def _unexpected(self, expected: str) -> InvalidFilter:
        previous = self._tokens[self._at - 1] if self._at else None
        token = self._current
        if token.kind is TokenKind.UNCLOSED:
            expected = "a closing quote"
        return InvalidFilter(explain(token, previous), position=token.start, expected=expected)

    def _operand(self) -> None:
        """Read nots and opening parentheses up to the next comparison, and that."""
        while True:
            opening = self._current
            if self._take(TokenKind.KEYWORD, "not"):
                self._levels[-1].nots += 1
            elif self._take(TokenKind.MARK, "("):
                self._levels.append(self._levels[-1].inner(opening))
            else:
                break
            if self._levels[-1].depth > MAX_DEPTH:
                raise InvalidFilter(
                    "the filter is nested too deeply",
                    position=opening.start,
                    expected=f"at most {MAX_DEPTH} levels of parentheses and nots",
                )
        self._levels[-1].add(self._comparison())

    def _close(self) -> None:
        if len(self._levels) == 1:
            self._at -= 1
            raise self._connector_expected()
        self._levels[-2].add(self._levels.pop().close())

    def _connector_expected(self) -> InvalidFilter:
        opened_at = self._levels[-1].opened_at
        if opened_at is None:
            return self._unexpected("'and', 'or' or the end of the filter")
        return self._unexpected(f"'and', 'or' or a ')' for the '(' at position {opened_at.start}")

    def _comparison(self) -> Filter:
        name = self._take(TokenKind.PROPERTY)
        if name is None:
            raise self._unexpected(OPERAND)
        path = tuple(name.text.split("/"))
        if self._take(TokenKind.KEYWORD, "in"):
            return Membership(path, self._values(), position=name.start)
        word = self._current
        if word.kind is not TokenKind.KEYWORD or word.text not in OPERATORS:
            raise self._unexpected(OPERATOR)
        self._at += 1
        return Comparison(path, Operator(word.text), self._value(word), position=name.start)

    def _value(self, operator: Token) -> Literal:
        token = self._current
        literal = self._literal(VALUE)
        if literal.kind is LiteralKind.NULL and operator.text not in _ONLY_EQUALITY:
            raise InvalidFilter(
                "null has no order and no likeness", position=operator.start, expected="eq or ne before null"
            )
        if operator.text == Operator.LIKE and literal.kind is not LiteralKind.TEXT:
            raise InvalidFilter(
                "only texts have a likeness",
                position=token.start,
                expected="a text in single quotes, with % for any characters and _ for one",
            )
        return literal

    def _values(self) -> tuple[Literal, ...]:
        if not self._take(TokenKind.MARK, "("):
            raise self._unexpected("a list of values in parentheses: in ('a', 'b')")
        values = [self._member()]
        while self._take(TokenKind.MARK, ","):
            values.append(self._member())
        if not self._take(TokenKind.MARK, ")"):
            raise self._unexpected("',' or ')'")
        return tuple(values)

    def _member(self) -> Literal:
        token = self._current
        literal = self._literal(VALUE)
        if literal.kind is LiteralKind.NULL:
            raise InvalidFilter(
                "a list cannot hold null; write 'eq null' beside it", position=token.start, expected="a value"
            )
        return literal

    def _literal(self, expected: str) -> Literal:
        token = self._take(TokenKind.LITERAL)
        if token is None or token.literal is None:
            raise self._unexpected(expected)
        return token.literal
