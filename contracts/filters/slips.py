"""The usual slips in a filter, and what to say of them."""

from __future__ import annotations

from contracts.filters.literals import LiteralKind
from contracts.filters.tokens import OPERATORS, Token, TokenKind

_SIGNS = {
    "=": "eq",
    "==": "eq",
    "===": "eq",
    "!=": "ne",
    "<>": "ne",
    "!": "not",
    ">": "gt",
    ">=": "ge",
    "<": "lt",
    "<=": "le",
    "&&": "and",
    "&": "and",
    "||": "or",
    "|": "or",
}
_PUNCTUATION = (TokenKind.MARK, TokenKind.END)
_BEFORE_OPERANDS = {"", "(", "and", "or", "not"}
_MAX_QUOTED = 40


def explain(token: Token, previous: Token | None) -> str:
    """Why ``token`` does not fit after ``previous`` (None at the beginning), in a phrase for a person."""
    before = previous or Token(TokenKind.END, "", 0, 0)
    return _of_itself(token, before) or _in_its_place(token, before) or f"{_shown(token)} does not fit here"


def _of_itself(token: Token, before: Token) -> str | None:
    """What is wrong with the token wherever it stands."""
    if before.text[-1:] == "'" and before.end == token.start and token.kind not in _PUNCTUATION:
        return "the text ends before this; a quote inside a text is doubled: 'O''Brien'"
    if token.fault:
        return token.fault
    if token.kind is TokenKind.UNCLOSED:
        return "the text that begins here is never closed"
    if token.text == '"':
        return "a text stands in single quotes: 'text'"
    if token.text.lower().startswith("$filter") or (token.text == "=" and before.text.lower() == "filter"):
        return "give the filter alone, without '$filter='"
    if token.text in _SIGNS:
        return f"'{token.text}' is no operator of this language; write '{_SIGNS[token.text]}'"
    return None


def _in_its_place(token: Token, before: Token) -> str | None:
    """What is wrong with the token after the one before it."""
    if token.kind is TokenKind.END:
        return "the filter ends too early" if before.text else "the filter is empty"
    if before.kind is TokenKind.LITERAL or before.text == ")":
        return _after_value(token, before)
    if before.kind is TokenKind.PROPERTY and token.text == "(":
        return (
            f"functions are not known; for 'contains' write Description like '%text%', not {before.text}(…)"
        )
    if before.kind is TokenKind.PROPERTY and token.text == "not":
        return "'not' stands before the whole comparison: not (Status in (1, 2))"
    if before.text in _BEFORE_OPERANDS and token.kind is TokenKind.LITERAL:
        return "a comparison begins with its property: Status eq 1"
    if before.text in OPERATORS | {"(", ","} and token.kind in (TokenKind.PROPERTY, TokenKind.STRANGE):
        return f"{_shown(token)} is no value; a text stands in single quotes"
    return None


def _after_value(token: Token, before: Token) -> str | None:
    kind = before.literal.kind if before.literal else None
    clock = token.literal is not None and token.literal.kind is LiteralKind.TIME
    if clock and kind is LiteralKind.DATE:
        return "a 'T' stands between a date and its time: 2018-03-09T15:33:51"
    if clock and kind is LiteralKind.DATE_TIME:
        return "the '+' of an offset is written %2B in a URL"
    if token.kind is TokenKind.PROPERTY:
        return f"nothing connects {_shown(token)} with the comparison before it"
    return "this ')' closes nothing" if token.text == ")" else None


def _shown(token: Token) -> str:
    text = token.text if len(token.text) <= _MAX_QUOTED else token.text[:_MAX_QUOTED] + "…"
    return f"'{text}'"
