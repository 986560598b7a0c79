"""The table: every exception of a transport has one end, and no rule hides behind a wider one."""

from __future__ import annotations

import itertools
import ssl

import httpx2
import pytest

from contracts.errors import (
    Outcome,
    OutcomeUnknown,
    Overloaded,
    UpstreamInvalidResponse,
    UpstreamUnavailable,
)
from gateway.wire.failures import RULES, Stage, failure


def every(kind: type[httpx2.HTTPError]) -> list[type[httpx2.HTTPError]]:
    return [kind, *itertools.chain.from_iterable(every(below) for below in kind.__subclasses__())]


def test_the_most_specific_comes_first() -> None:
    for earlier, later in itertools.combinations(RULES, 2):
        assert not issubclass(later.cause, earlier.cause)


@pytest.mark.parametrize("kind", every(httpx2.TransportError), ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("sent", [True, False])
@pytest.mark.parametrize("repeatable", [True, False])
def test_nothing_that_was_sent_is_said_not_to_have_been(
    kind: type[httpx2.TransportError], sent: bool, repeatable: bool
) -> None:
    error = failure(kind("https://upstream.example/secret"), repeatable=repeatable, sent=sent)
    assert "upstream.example" not in error.detail
    if sent:
        assert error.outcome is Outcome.UNKNOWN
        assert repeatable or isinstance(error, OutcomeUnknown | UpstreamInvalidResponse)
    elif error.outcome is Outcome.NOT_SENT:
        # A pool of ours that is full says nothing of the upstream.
        ours = issubclass(kind, httpx2.PoolTimeout)
        assert isinstance(error, Overloaded if ours else UpstreamUnavailable)


def test_the_stages() -> None:
    ends = {
        Stage.WAITING: Overloaded,
        Stage.CONNECTING: UpstreamUnavailable,
        Stage.UNDER_WAY: OutcomeUnknown,
        Stage.ANSWERED: UpstreamInvalidResponse,
    }
    for rule in RULES:
        cause = rule.cause("x")
        assert isinstance(cause, httpx2.HTTPError)
        error = failure(cause, repeatable=False, sent=False)
        assert type(error) is ends[rule.stage]
        assert error.detail == rule.text


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (10, "expired"),
        (62, "another name"),
        (64, "another address"),
        (20, "unknown authority"),
        (99, "not valid"),
    ],
)
def test_a_certificate_says_what_is_wrong_with_it(code: int, words: str) -> None:
    cause = ssl.SSLCertVerificationError(1, "certificate of upstream.example")
    cause.verify_code = code
    error = httpx2.ConnectError("upstream.example")
    error.__cause__ = cause
    detail = failure(error, repeatable=True, sent=False).detail
    assert words in detail
    assert "upstream.example" not in detail
