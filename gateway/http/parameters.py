"""Query strings, strictly: what a route does not know is refused with a suggestion, never ignored."""

from __future__ import annotations

from collections.abc import Collection
from difflib import get_close_matches
from urllib.parse import parse_qsl, unquote_plus

from contracts.errors import Fault, InvalidRequest

_MAX_PARAMETERS = 32


def parse_parameters(query_string: bytes, allowed: Collection[str]) -> dict[str, str]:
    """Name → value; ``+`` and ``%20`` are spaces.

    Raises :class:`InvalidRequest` for a name that is not in ``allowed`` or comes twice, and for what is not UTF-8.
    """
    if not query_string:
        return {}
    parameters: dict[str, str] = {}
    pairs = [pair for pair in query_string.split(b"&") if pair]
    if len(pairs) > _MAX_PARAMETERS:
        raise InvalidRequest(f"more than {_MAX_PARAMETERS} query parameters")
    for pair in pairs:
        name, _, value = (_decoded(part) for part in pair.partition(b"="))
        if name not in allowed:
            raise _unknown(name, allowed)
        if name in parameters:
            raise refused(name, f"'{name}' is given twice")
        parameters[name] = value
    return parameters


def flag(parameters: dict[str, str], name: str) -> bool:
    """A parameter that is ``true`` or ``false``; false when absent. Raises :class:`InvalidRequest`."""
    value = parameters.get(name, "false").lower()
    if value not in ("true", "false"):
        raise refused(name, f"'{name}' is true or false")
    return value == "true"


def planned(query_string: bytes) -> bool:
    """Whether a query asks for a dry run; what is wrong with it is for others to say."""
    # As text: of bytes the parser gives back only what is ASCII, and raises for the rest.
    pairs = parse_qsl(query_string.decode("latin-1"))
    return any(value.lower() == "true" for name, value in pairs if name == "dry_run")


def whole_number(parameters: dict[str, str], name: str, least: int, most: int) -> int | None:
    """A whole number within bounds; None when absent. Raises :class:`InvalidRequest`."""
    value = parameters.get(name)
    if value is None:
        return None
    if not (value.isascii() and value.isdigit() and len(value) <= 12 and least <= int(value) <= most):
        raise refused(name, f"'{name}' is a whole number from {least} to {most}")
    return int(value)


def refused(name: str, detail: str) -> InvalidRequest:
    """The error for one parameter."""
    return InvalidRequest(detail, faults=(Fault(name, detail),))


def _decoded(part: bytes) -> str:
    try:
        return unquote_plus(part.decode("ascii"), errors="strict")
    except UnicodeDecodeError as error:
        raise InvalidRequest("the query string is not percent-encoded UTF-8") from error


def _unknown(name: str, allowed: Collection[str]) -> InvalidRequest:
    shown = name[:40]
    plain = name.removeprefix("$").lower()
    if plain in allowed:
        return refused(shown, f"'{shown}' is written '{plain}' here, without '$' and in small letters")
    if plain in ("top", "$top") and "limit" in allowed:
        return refused(shown, f"'{shown}' is called 'limit' here")
    near = get_close_matches(plain, allowed, n=1, cutoff=0.6) if len(name) <= 40 else []
    known = ", ".join(allowed) or "none"
    hint = f"did you mean '{near[0]}'?" if near else f"known here: {known}"
    return refused(shown, f"'{shown}' is not a parameter of this operation; {hint}")
