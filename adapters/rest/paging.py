"""The upstream's ``nextPageLink`` ↔ our continuation.

The link is absolute and the upstream's to choose. It is checked against the address the tenant is
configured with, and only its query parameters are kept: a continuation never holds an address, and
what follows a page is asked of the same path and with the same credential as the page itself.
"""

from __future__ import annotations

from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from contracts.errors import UpstreamInvalidResponse

_DEFAULT_PORTS = {"http": 80, "https": 443}


def continuation(link: str | None, base_url: str, asked: dict[str, str], received: int) -> str | None:
    """Where the next page begins: the parameters that the link adds or changes, None at the end.

    ``asked`` are the parameters of the request that was answered, ``received`` the records it gave.
    A full page without a link has a next page too, since ``top`` ends the upstream's own paging.
    Raises :class:`UpstreamInvalidResponse` for a link to elsewhere, or one that leads nowhere new.
    """
    if not link:
        return _after_top(asked, received)
    _check_origin(link, base_url)
    offered = {name.removeprefix("$").lower(): value for name, value in parse_qsl(urlsplit(link).query, True)}
    changed = {name: value for name, value in offered.items() if asked.get(name) != value and name != "top"}
    if "top" in offered and "top" not in asked:
        changed["top"] = offered["top"]
    if not changed:
        raise UpstreamInvalidResponse("the upstream's link to the next page leads to the same page again")
    return urlencode(sorted(changed.items()))


def resumed(parameters: dict[str, str], token: str | None) -> dict[str, str]:
    """The parameters of a request that goes on where a continuation says."""
    return {**parameters, **dict(parse_qsl(token, True))} if token else parameters


def _after_top(asked: dict[str, str], received: int) -> str | None:
    top = asked.get("top")
    if top is None or received < int(top) or received == 0:
        return None
    return urlencode({"skip": int(asked.get("skip", "0")) + received})


def _check_origin(link: str, base_url: str) -> None:
    try:
        theirs, ours = urlsplit(link), urlsplit(base_url)
        same = (
            theirs.scheme == ours.scheme
            and theirs.hostname == ours.hostname
            and (theirs.port or _DEFAULT_PORTS.get(theirs.scheme))
            == (ours.port or _DEFAULT_PORTS.get(ours.scheme))
            and theirs.username is None
            and unquote(theirs.path).lower().startswith(ours.path.rstrip("/").lower() + "/")
        )
    except ValueError:
        same = False
    if not same:
        raise UpstreamInvalidResponse(
            "the upstream's link to the next page leads away from the configured address"
        )
