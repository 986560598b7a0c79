"""Keeps secrets out of log lines, by name and by value.

A line without a secret is the rule and must cost next to nothing, however many secrets are known. So
a line is first looked at in blocks of eight bytes: a secret of fifteen bytes or more covers one block
wholly, wherever it begins, and then that block is among the secret's own pieces. Only a line with such
a block is searched, and only one that really holds a secret is made again.
"""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Iterable, Mapping
from struct import unpack_from
from urllib.parse import quote
from xml.sax.saxutils import escape

import msgspec

HIDDEN = "***"

_NAMES = ("authorization", "apikey", "password", "passwd", "secret", "token", "cookie", "credential")
_SHORTEST = 4
_BLOCK = 8
_SEARCHED_WHOLE = 2 * _BLOCK - 1
_LOOKS_SECRET = re.compile(
    r"(?<=bearer )[\w.~+/=-]+|ug_[\w-]{20,}|eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*", re.IGNORECASE | re.ASCII
)


class Redactor:
    """Replaces what must not be seen by ``***``.

    Known ``secrets`` are found as they are, percent-encoded, as JSON and XML write them and inside base64;
    those of fewer than four characters are not looked for, since every line would suffer. Keys of this
    gateway, bearer tokens and JWTs are known by their looks.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._forms: frozenset[str] = frozenset()
        self._verdicts = _Verdicts()
        self._needles: tuple[bytes, ...] = ()
        self._short: tuple[bytes, ...] = ()
        self._pieces: frozenset[int] = frozenset()
        self._pattern: re.Pattern[str] | None = None
        self.learn(secrets)

    def learn(self, secrets: Iterable[str]) -> None:
        """Hide these too from here on; may run in another thread than what is hidden."""
        forms = self._forms.union(*(_forms(secret) for secret in secrets if len(secret) >= _SHORTEST))
        if forms == self._forms:
            return
        needles = {written for form in forms for written in _written(form)}
        # The longest first: of two secrets one may begin with the other.
        alternatives = sorted(map(re.escape, forms), key=len, reverse=True)
        # Known before anything is looked for that it must replace.
        self._forms, self._pattern = forms, re.compile("|".join(alternatives))
        self._needles = tuple(needles)
        self._short = tuple(needle for needle in needles if len(needle) < _SEARCHED_WHOLE)
        self._pieces = frozenset(piece for needle in needles for piece in _pieces(needle))

    def hide_named(self, event: Mapping[str, object]) -> Mapping[str, object]:
        """An event without the values whose names say that they are secret, at any depth."""
        return (
            {name: self._hide(name, value) for name, value in event.items()} if self._names(event) else event
        )

    def suspects(self, line: bytes) -> bool:
        """Whether a finished line holds something that :meth:`scrub` would take out."""
        if b"ug_" in line or b"earer " in line or b"eyJ" in line:
            return True
        blocks = unpack_from(f"{len(line) // _BLOCK}Q", line)
        if not self._pieces.isdisjoint(blocks) and any(needle in line for needle in self._needles):
            return True
        return any(needle in line for needle in self._short)

    def scrub(self, event: Mapping[str, object]) -> dict[str, object]:
        """A copy of an event in plain values, every text in it without secrets."""
        return {name: self._scrub(value) for name, value in event.items()}

    def text(self, text: str) -> str:
        """A text without secrets."""
        return self._scrub_text(text) if self.suspects(text.encode(errors="replace")) else text

    def _names(self, value: object) -> bool:
        """Whether there is anything to hide; most often not, and then nothing is copied."""
        if isinstance(value, dict):
            if any(map(self._verdicts.__getitem__, value)):
                return True
            return any(map(self._names, [item for item in value.values() if type(item) in _CONTAINERS]))
        return isinstance(value, list | tuple) and any(map(self._names, value))

    def _hide(self, name: object, value: object) -> object:
        if self._verdicts[name]:
            return HIDDEN
        if isinstance(value, dict):
            return {key: self._hide(key, item) for key, item in value.items()}
        return [self._hide("", item) for item in value] if isinstance(value, list | tuple) else value

    def _scrub(self, value: object) -> object:
        if value is None or isinstance(value, bool | int | float):
            return value
        if isinstance(value, dict):
            return {self._scrub(name): self._scrub(item) for name, item in value.items()}
        if isinstance(value, list | tuple):
            return [self._scrub(item) for item in value]
        return self._scrub_text(str(value))

    def _scrub_text(self, text: str) -> str:
        known = text if self._pattern is None else self._pattern.sub(HIDDEN, text)
        return _LOOKS_SECRET.sub(HIDDEN, known)


class _Verdicts(dict[object, bool]):
    """Whether a name is that of a secret, remembered for as many names as a program has of its own."""

    def __missing__(self, name: object) -> bool:
        plain = str(name).lower().replace("-", "").replace("_", "")
        verdict = any(word in plain for word in _NAMES)
        if len(self) < 1_000:
            self[name] = verdict
        return verdict


_CONTAINERS = frozenset((dict, list, tuple))


def _forms(secret: str) -> set[str]:
    """How a secret may be written."""
    encoded = quote(secret, safe="")
    lower = re.sub(r"%[0-9A-F]{2}", lambda escape: escape[0].lower(), encoded)
    in_xml = escape(secret)
    return {
        *(secret, encoded, lower, quote(secret), encoded.replace("%20", "+"), in_xml),
        *(in_xml.replace('"', "&quot;"), in_xml.replace('"', "&quot;").replace("'", "&apos;")),
        *_base64(secret.encode()),
    }


def _base64(secret: bytes) -> set[str]:
    """The characters that base64 has for a secret wherever it begins, such as after ``user:``."""
    forms = set()
    for before in range(3):
        bits = 8 * (before + len(secret))
        text = b64encode(bytes(before) + secret).decode()
        # Characters that mix the secret's bits with those of a neighbour are left off.
        inner = text[(8 * before + 5) // 6 : bits // 6]
        forms |= {inner, inner.translate(str.maketrans("+/", "-_"))}
    return {form for form in forms if len(form) >= _SHORTEST}


def _written(form: str) -> set[bytes]:
    """A text as it stands in a line: bare, or in either of the two ways of JSON."""
    return {form.encode(), msgspec.json.encode(form)[1:-1], json.dumps(form)[1:-1].encode()}


def _pieces(needle: bytes) -> set[int]:
    """Every eight bytes of a needle as the number that they make in memory."""
    if len(needle) < _SEARCHED_WHOLE:
        return set()
    return {unpack_from("Q", needle, at)[0] for at in range(len(needle) - _BLOCK + 1)}
