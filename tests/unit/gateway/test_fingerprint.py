"""Idempotency keys: whose they are, what tells their requests apart, what is kept, and what becomes of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.call import Journal, UpstreamSend
from contracts.errors import (
    DeadlineExceeded,
    GatewayError,
    IdempotencyInFlight,
    Outcome,
    OutcomeUnknown,
    QuotaExceeded,
    RecordNotFound,
    StoreUnavailable,
    UpstreamRejected,
    UpstreamUnavailable,
)
from gateway.clock import SystemClock
from gateway.http import kept
from gateway.http.context import Circumstances
from gateway.http.fingerprint import FormDigest, fingerprint, scope
from gateway.http.kept import Kept
from gateway.http.keyrun import Ending, KeyRun
from gateway.http.multipart import Uploads
from gateway.stores.memory import MemoryStore
from gateway.stores.ports import Begun, Doubtful, StoreLost

TEXT = st.text(max_size=20)
PART = st.tuples(st.sampled_from("abc"), st.none() | st.sampled_from("xyz"), st.binary(max_size=60))
GIVEN = Circumstances(
    timeout=30.0, explicit=False, urgency=3, accept_language=None, content_language=None, idempotency_key="k"
)


@given(st.tuples(TEXT, TEXT, TEXT), st.tuples(TEXT, TEXT, TEXT))
def test_a_key_is_one_clients_in_one_tenant(one: tuple[str, str, str], other: tuple[str, str, str]) -> None:
    assert (scope(*one) == scope(*other)) == (one == other)


REQUESTS = st.tuples(
    st.sampled_from(["PUT", "PATCH"]),
    st.sampled_from([b"/a", b"/b", b"/a%2F"]),
    st.sampled_from([b"", b"upsert=true"]),
    st.sampled_from([None, "nl"]),
    st.sampled_from([None, "nl"]),
    st.sampled_from([None, b"", b"form", b"{}"]),
)


@given(REQUESTS, REQUESTS)
def test_method_path_query_languages_and_body_count(
    one: tuple[str, bytes, bytes, str | None, str | None, bytes | None],
    other: tuple[str, bytes, bytes, str | None, str | None, bytes | None],
) -> None:
    def told(
        method: str, path: bytes, query: bytes, accept: str | None, content: str | None, body: bytes | None
    ) -> bytes:
        given = msgspec.structs.replace(GIVEN, accept_language=accept, content_language=content)
        return fingerprint(method, path, query, given, body)

    assert (told(*one) == told(*other)) == (one == other)


def form(parts: list[tuple[str, str | None, bytes]], boundary: str) -> bytes:
    out = b""
    for name, filename, content in parts:
        extra = "" if filename is None else f'; filename="{filename}"\r\nContent-Type: image/png'
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"{extra}\r\n\r\n'
        out += head.encode() + content + b"\r\n"
    return out + f"--{boundary}--\r\n".encode()


def pieces(raw: bytes, size: int) -> Callable[[], Awaitable[tuple[bytes, bool]]]:
    rest = [raw[at : at + size] for at in range(0, len(raw), size)]

    async def receive() -> tuple[bytes, bool]:
        return rest.pop(0), bool(rest)

    return receive


async def digest(
    parts: list[tuple[str, str | None, bytes]], boundary: str, size: int, *, read: bool
) -> bytes:
    taken = FormDigest()
    raw = form(parts, boundary)
    async for part in Uploads(boundary.encode(), pieces(raw, size), len(raw), taken):
        if read and not isinstance(part.content, bytes):
            async for _ in part.content:
                pass
    whole = taken.whole()
    assert whole is not None
    return whole


@given(st.lists(PART, min_size=1, max_size=3), st.lists(PART, min_size=1, max_size=3), st.integers(1, 500))
async def test_a_form_is_what_it_holds_whatever_its_boundary(
    one: list[tuple[str, str | None, bytes]], other: list[tuple[str, str | None, bytes]], size: int
) -> None:
    first = await digest(one, "----first", 1000, read=True)
    assert await digest(one, "another", size, read=False) == first
    assert (await digest(other, "another", 1000, read=True) == first) == (one == other)


async def test_a_form_that_was_not_read_to_its_end_tells_nothing() -> None:
    taken = FormDigest()
    raw = form([("a", None, b"1"), ("b", None, b"2")], "b")
    async for _ in Uploads(b"b", pieces(raw, 1000), len(raw), taken):
        break
    assert taken.whole() is None


@given(st.binary(max_size=5000), st.integers(0, 300))
async def test_what_is_kept_comes_back_byte_for_byte(body: bytes, repeated: int) -> None:
    given = Kept(status=201, headers=((b"etag", b'"x"'),), body=body * repeated, units=2, form=b"f")
    stored = await kept.encoded(given)
    assert await kept.decoded(stored) == given
    if repeated * len(body) > 100_000:
        assert len(stored) < len(given.body) / 2


async def test_what_is_no_kept_answer_is_said_to_be_none() -> None:
    for stored in (b"", b"\0abc", b"\1abc"):
        with pytest.raises(ValueError, match=r"."):
            await kept.decoded(stored)


UNKNOWN = UpstreamSend("PUT", None, 0.1, "unknown")
NEVER = UpstreamSend("PUT", None, 0.1, "not_sent")
THROTTLED = UpstreamSend("PUT", 429, 0.1, "answered")
FAILED = UpstreamSend("PUT", 500, 0.1, "answered")
DONE = UpstreamSend("PUT", 200, 0.1, "answered")
FULL = QuotaExceeded("full", outcome=Outcome.NOT_SENT)


@pytest.mark.parametrize(
    ("failure", "sends", "first", "again"),
    [
        (None, [DONE], Ending.SETTLED, Ending.SETTLED),
        (UpstreamRejected("no"), [DONE], Ending.SETTLED, Ending.SETTLED),
        (RecordNotFound("no", outcome=Outcome.REFUSED), [DONE], Ending.SETTLED, Ending.SETTLED),
        (OutcomeUnknown("lost"), [UNKNOWN], Ending.UNSETTLED, Ending.UNSETTLED),
        (DeadlineExceeded("late", outcome=Outcome.UNKNOWN), [UNKNOWN], Ending.UNSETTLED, Ending.UNSETTLED),
        (UpstreamUnavailable("refused"), [NEVER], Ending.FORGOTTEN, Ending.UNSETTLED),
        (QuotaExceeded("429"), [THROTTLED], Ending.FORGOTTEN, Ending.UNSETTLED),
        (UpstreamUnavailable("503", outcome=Outcome.REFUSED), [FAILED], Ending.FORGOTTEN, Ending.UNSETTLED),
        # The last attempt did nothing, but an earlier one may have.
        (FULL, [UNKNOWN], Ending.UNSETTLED, Ending.UNSETTLED),
        (FULL, [FAILED], Ending.UNSETTLED, Ending.UNSETTLED),
        (FULL, [THROTTLED, NEVER], Ending.FORGOTTEN, Ending.UNSETTLED),
        (QuotaExceeded("429"), [UNKNOWN, THROTTLED], Ending.UNSETTLED, Ending.UNSETTLED),
    ],
)
async def test_what_becomes_of_a_key(
    failure: GatewayError | None, sends: list[UpstreamSend], first: Ending, again: Ending
) -> None:
    journal = Journal(sends=[UNKNOWN])  # a read before, which does not matter
    clock = SystemClock()
    store = MemoryStore(clock).idempotency
    for doubtful, ending in ((False, first), (True, again)):
        begun = await store.begin(f"key-{doubtful}", b"f", 1000, 1000)
        assert isinstance(begun, Begun)
        until = clock.monotonic() + 1
        run = KeyRun(store, clock, f"key-{doubtful}", begun.fence, until, doubtful=doubtful)
        await run.depart(journal, until)
        journal.sends += sends
        assert run.ending(failure, journal, departed=True) is ending
        nothing_left = failure if failure is not None else RecordNotFound("no such record")
        undone = run.ending(nothing_left, journal, departed=False)
        assert undone is (Ending.UNSETTLED if doubtful else Ending.FORGOTTEN)
        journal.sends = [UNKNOWN]
    assert KeyRun(store, clock, "k", 1, 0.0).ending(None, journal, departed=False) is Ending.FORGOTTEN


class HeldClock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.moment = 1000.0

    def now(self) -> float:
        return self.moment

    def monotonic(self) -> float:
        return self.moment

    async def sleep(self, seconds: float) -> None:
        self.moment += seconds


async def test_a_key_that_has_passed_to_another_lets_nothing_leave() -> None:
    clock = HeldClock()
    store = MemoryStore(clock).idempotency
    begun = await store.begin("k", b"f", 1000, 60_000)
    assert isinstance(begun, Begun)
    await clock.sleep(2)
    other = await store.begin("k", b"f", 60_000, 60_000)
    assert isinstance(other, Begun)
    until = clock.monotonic() + 60
    with pytest.raises(IdempotencyInFlight):
        await KeyRun(store, clock, "k", begun.fence, until).depart(Journal(), until)
    run = KeyRun(store, clock, "k", other.fence, until)
    await run.depart(Journal(), until)
    run.lost = True
    with pytest.raises(IdempotencyInFlight) as refused:
        await run.depart(Journal(), until)
    assert refused.value.outcome is Outcome.NOT_SENT


async def test_a_claim_that_ended_meanwhile_is_asked_for_again() -> None:
    clock = HeldClock()
    store = MemoryStore(clock).idempotency
    begun = await store.begin("k", b"f", 1000, 60_000)
    assert isinstance(begun, Begun)
    run = KeyRun(store, clock, "k", begun.fence, clock.monotonic() + 1)
    await run.depart(Journal(), clock.monotonic() + 60)
    await clock.sleep(2)
    with pytest.raises(IdempotencyInFlight):
        await run.depart(Journal(), clock.monotonic() + 60)
    assert isinstance(await store.begin("k", b"f", 1000, 60_000), Doubtful)


class Lost:
    """A store that does not answer."""

    async def depart(self, key: str, fence: int) -> bool:
        raise StoreLost("no answer")


async def test_without_its_store_nothing_leaves() -> None:
    clock = SystemClock()
    run = KeyRun(Lost(), clock, "k", 1, clock.monotonic() + 60)  # type: ignore[arg-type]
    with pytest.raises(StoreUnavailable) as refused:
        await run.depart(Journal(), clock.monotonic() + 60)
    assert (refused.value.outcome, refused.value.retry_after) == (Outcome.NOT_SENT, 2.0)
