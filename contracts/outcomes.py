"""What an error carries beside its code: what may have happened, what was wrong, what the upstream said."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Outcome(StrEnum):
    """What may have happened upstream by the time a call failed.

    ``NOT_SENT``: no byte of the request left; of a write, the read that checks its condition may have.
    ``REFUSED``: the upstream answered, and its answer says that it did not do it; a read that is answered
    with a failure is refused, whatever the status.
    ``UNKNOWN``: the request left, and no answer says what became of it.
    """

    NOT_SENT = "not_sent"
    REFUSED = "refused"
    UNKNOWN = "unknown"


class Fault(msgspec.Struct, frozen=True):
    """One thing wrong with an input: ``pointer`` is a JSON pointer (RFC 6901) into it, or a parameter's name."""

    pointer: str
    detail: str


class UpstreamAnswer(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the upstream said when it refused, cleaned of stack traces, markup and host names."""

    adapter: str
    status: int
    code: str | None = None
    message: str | None = None
