"""Text to tokens.

A filter is cut at spaces, quotes, parentheses, commas and comparison signs; what lies between is a
word, and what kind of word it is, is asked afterwards. Nothing is refused here: a token that makes no
sense is handed on as such, since only the parser knows what should have stood in its place.
"""

from __future__ import annotations

import re
from enum import Enum, auto

import msgspec

from contracts.filters.literals import Literal, LiteralKind, read_bare
from contracts.filters.tree import Operator

OPERATORS = frozenset(operator.value for operator in Operator)
PATH = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:/[A-Za-z_][A-Za-z0-9_]*)*")
"""A property path as it is written."""

KEYWORDS = OPERATORS | {"and", "or", "not", "in"}


class TokenKind(Enum):
    KEYWORD = auto()
    PROPERTY = auto()
    LITERAL = auto()
    MARK = auto()  # parenthesis or comma
    UNCLOSED = auto()  # a text whose quote is never closed
    STRANGE = auto()  # anything else
    END = auto()


class Token(msgspec.Struct, frozen=True):
    """A piece of the text; a keyword's ``text`` is in lower case, all others' as written.

    ``literal`` is there for a literal; ``fault`` says why a word that looks like one is none.
    """

    kind: TokenKind
    text: str
    start: int
    end: int
    literal: Literal | None = None
    fault: str | None = None


_PIECE = re.compile(
    r"(?P<text>'(?:[^']+|'')*+')"
    r"|(?P<unclosed>'(?:[^']+|'')*+)"
    r"|(?P<mark>[(),])"
    r"|(?P<sign>[=!<>&|]+|\")"
    r"|(?P<word>[^\s'\"(),=!<>&|]+)"
)


def tokens(text: str) -> list[Token]:
    """All tokens, and one of kind ``END`` at the end of the text."""
    found = [_token(match) for match in _PIECE.finditer(text)]
    return [*found, Token(TokenKind.END, "", len(text), len(text))]


def _token(match: re.Match[str]) -> Token:
    text, start, end = match[0], match.start(), match.end()
    match match.lastgroup:
        case "text":
            return Token(TokenKind.LITERAL, text, start, end, Literal(LiteralKind.TEXT, text))
        case "mark":
            return Token(TokenKind.MARK, text, start, end)
        case "unclosed":
            return Token(TokenKind.UNCLOSED, text, start, end)
        case "word":
            return _word(text, start, end)
        case _:
            return Token(TokenKind.STRANGE, text, start, end)


def _word(text: str, start: int, end: int) -> Token:
    if text.lower() in KEYWORDS:
        return Token(TokenKind.KEYWORD, text.lower(), start, end)
    try:
        literal = read_bare(text)
    except ValueError as error:
        return Token(TokenKind.STRANGE, text, start, end, fault=str(error))
    if literal is not None:
        return Token(TokenKind.LITERAL, text, start, end, literal)
    kind = TokenKind.PROPERTY if PATH.fullmatch(text) else TokenKind.STRANGE
    return Token(kind, text, start, end)
