"""HTTP caching (RFC 9111, RFC 9211): what a caller says of an answer's age, and what it is told of it."""

from __future__ import annotations

import re
from math import ceil

from contracts.call import CacheUse
from gateway.http.answers import Header

NAME = "ultimo-gateway"
"""How ``Cache-Status`` calls this cache."""

_MEMBER = re.compile(rb'(?:[^,"]|"(?:[^"\\]|\\.)*")+')
_MAX_AGE = re.compile(rb'max-age=(?:([0-9]+)|"([0-9]+)")', re.IGNORECASE)
_NO_CACHE = re.compile(rb"no-cache(?:=.*)?", re.IGNORECASE)

_WORDS = {"hit": "hit", "collapsed": "fwd=miss; collapsed", "miss": "fwd=miss", "refresh": "fwd=request"}


def max_age(given: bytes | None) -> float | None:
    """How many seconds old an answer may be, as ``Cache-Control`` says: 0 for ``no-cache``, None when it says nothing.

    The least of several counts. A caller's other directives are advisory (RFC 9111 §5.2.1) and ignored, like those that
    cannot be read.
    """
    if given is None:
        return None
    members = [member.strip(b" \t") for member in _MEMBER.findall(given)]
    if any(map(_NO_CACHE.fullmatch, members)):
        return 0.0
    ages = filter(None, map(_MAX_AGE.fullmatch, members))
    return min((float(age[1] or age[2]) for age in ages), default=None)


def headers(use: CacheUse | None) -> list[Header]:
    """What an answer says of the cache: nothing where that played no part."""
    if use is None:
        return []
    status = f"{NAME}; {_WORDS[use.how]}"
    if use.how != "hit":
        return [(b"cache-status", f"{status}; stored".encode() if use.stored else status.encode())]
    return [
        (b"cache-status", f"{status}; ttl={int(use.ttl)}".encode()),
        (b"age", str(ceil(use.age)).encode()),
    ]
