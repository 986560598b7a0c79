"""What an answer says: whether the request came through, the credential is known, the clocks agree. Pure."""

from __future__ import annotations

from email.utils import parsedate_to_datetime

from contracts.adapter import AdapterSpec
from contracts.errors import (
    ConnectorNotFound,
    DeadlineExceeded,
    EntityNotFound,
    GatewayError,
    InvalidInput,
    NotFound,
    OperationNotSupported,
    Outcome,
    Overloaded,
    QuotaExceeded,
    RecordNotFound,
    StoreUnavailable,
    UpstreamAuthFailed,
    UpstreamInvalidResponse,
    UpstreamRejected,
)
from gateway.doctor.findings import Fact, Finding, Place, ok, unknown, wrong
from gateway.doctor.question import AdapterFailed, Asked, OneAlone, Question
from gateway.wire.observed import Answer

SKEW = 30.0
"""Seconds that two clocks may differ: what tokens get as leeway, unless it is set otherwise."""

ANSWERED = (EntityNotFound, RecordNotFound, InvalidInput)
"""Errors that only an upstream that is there, and has let us in, can lead to."""

ENDS = "of REST it ends in /api/v1, of a site before /WebServices"
MAKER = "tell whoever makes the adapter; neither the upstream nor the configuration need be at fault"


def request(asked: Asked, question: Question, place: Place) -> Finding:
    """What became of the request."""
    facts = _facts(asked, question)
    error = asked.error
    if asked.requests == 0:
        return _not_sent(error, question, place, facts)
    text = f"{question.adapter} was asked for {question.text}: {_said(asked)}"
    if error is None:
        return ok("request", text, **facts)
    advice = _advice(error, asked.answer, question, place)
    told = f"{text}: {error.detail}"
    match error:
        case EntityNotFound() | OneAlone():
            return unknown("request", told, advice, **facts)
        case RecordNotFound() | InvalidInput() | ConnectorNotFound():
            return ok("request", told, **facts)
        case UpstreamAuthFailed() if not _is_page(asked.answer):
            return ok("request", text, **facts)
    return wrong("request", told, advice, **facts)


def credential(asked: Asked, question: Question, place: Place, spec: AdapterSpec) -> Finding:
    """Whether the upstream lets the tenant in."""
    settings, error = place.credentials(spec), asked.error
    if refuses_writes(asked, question):
        return unknown("credential", f"{settings}: that it may not write says nothing of reading")
    if isinstance(error, UpstreamAuthFailed) and not _is_page(asked.answer):
        return _refused(error, settings, place)
    if asked.requests == 0:
        return unknown("credential", f"not tried: {settings}")
    if error is None or isinstance(error, ANSWERED):
        return ok("credential", f"the upstream accepts {settings}")
    if isinstance(error, ConnectorNotFound):
        text = (
            "whether a login is looked at before the connector, which is not there, nobody has written down"
        )
        return unknown(
            "credential",
            f"{settings}: {text}",
            f"one in {place.adapter(question.adapter)}.exports would tell",
        )
    reason = "the upstream says nothing of it, and may not have come to it"
    return unknown("credential", f"{settings}: {reason}", "put right what is wrong above, and ask again")


def refuses_writes(asked: Asked, question: Question) -> bool:
    """Whether what was asked would be a write, and just that is not allowed."""
    forbidden = asked.answer is not None and asked.answer.status == 403 and not _is_page(asked.answer)
    return forbidden and not question.operation.safe


def clock(answer: Answer | None) -> Finding:
    """Their clock against ours; the header tells whole seconds, and the way there and back blurs them more."""
    if answer is None:
        return unknown("clock", "no answer tells the upstream's time")
    try:
        theirs = parsedate_to_datetime(answer.headers["date"]).timestamp()
    except (KeyError, ValueError):
        return unknown("clock", "the answer does not tell the upstream's time (no header Date)")
    ahead, blur = theirs + 0.5 - answer.at, 0.5 + answer.seconds / 2
    facts: dict[str, Fact] = {"ahead_seconds": round(ahead, 2), "uncertainty_seconds": round(blur, 2)}
    way = "ahead of" if ahead > 0 else "behind"
    text = f"the upstream's clock is {abs(ahead):.1f} s {way} ours, give or take {blur:.1f} s"
    if abs(ahead) - blur <= SKEW:
        return ok("clock", text, **facts)
    advice = (
        "have this machine keep time by NTP; if it does, it is the upstream's that is wrong. Certificates, tokens "
        "and the beginning of the quota's day go by ours"
    )
    return wrong("clock", text, advice, **facts)


def _facts(asked: Asked, question: Question) -> dict[str, Fact]:
    answer = asked.answer
    return {
        "adapter": question.adapter,
        "operation": question.operation.kind,
        "status": None if answer is None else answer.status,
        "first_byte_ms": None if answer is None else round(answer.seconds * 1000, 1),
        "waited_ms": round(asked.waited * 1000, 1),
        "code": None if asked.error is None else asked.error.code,
    }


def _said(asked: Asked) -> str:
    if asked.answer is None:
        return "no answer came"
    waited = f" (after {asked.waited:.0f} s in the queue)" if asked.waited >= 1 else ""
    return f"status {asked.answer.status}, first byte after {asked.answer.seconds * 1000:.1f} ms{waited}"


def _is_page(answer: Answer | None) -> bool:
    """Whether it is meant for people: no interface of the upstream answers so."""
    return answer is not None and "html" in answer.headers.get("content-type", "")


def _not_sent(
    error: GatewayError | None, question: Question, place: Place, facts: dict[str, Fact]
) -> Finding:
    """Nothing left, so nothing was spent."""
    text = (
        f"nothing was sent over {question.adapter}: {error.detail if error else 'it sends nothing for this'}"
    )
    match error:
        case None | UpstreamAuthFailed():
            return unknown("request", text, "", **facts)
        case QuotaExceeded():
            advice = "'ultimo-gateway quota' shows the windows, 'ultimo-gateway usage' who used them up"
        case StoreUnavailable():
            advice = "put the store right first: see above"
        case DeadlineExceeded() | Overloaded():
            return unknown("request", text, "ask again, with a longer --timeout", **facts)
        case OperationNotSupported() | NotFound() | InvalidInput():
            return unknown("request", text, "--adapter and --entity choose another question", **facts)
        case AdapterFailed():
            advice = MAKER
        case _:
            advice = f"check {place.address}, and what stands between here and there"
    return wrong("request", text, advice, **facts)


def _refused(error: UpstreamAuthFailed, settings: str, place: Place) -> Finding:
    said = error.upstream
    if said is None:
        return wrong("credential", f"{error.detail}: {settings}", f"set {settings}")
    facts: dict[str, Fact] = {"status": said.status, "code": said.code}
    answer = f"{said.status} {said.code or ''}".strip()
    if said.status == 403:
        text = f"{answer}: {settings} may not do this, or not from here"
        advice = "check its grants and its list of addresses, on which must be the one that this network leaves from"
        return wrong("credential", text, advice, **facts)
    advice = (
        f"check for a slip or a line break in its value, that it is of '{place.environment}' and not of its test "
        "environment, that it is still active, and its list of addresses (the upstream may say no more of that)"
    )
    why = answer if said.status == 401 else f"login failed (status {answer})"
    known = "are" if " and " in settings else "is"
    return wrong("credential", f"{why}: {settings} {known} not known to this environment", advice, **facts)


def _advice(error: GatewayError, answer: Answer | None, question: Question, place: Place) -> str:
    """What to do about an answer that is an error."""
    if isinstance(error, AdapterFailed):
        return MAKER
    if _is_page(answer):
        return (
            f"what answers is a web page, not the interface: check {place.address} ({ENDS}), and whether a proxy, a "
            "login page or a list of addresses stands before it"
        )
    if answer is None:
        return f"the connection stands, but no answer came: ask for more time with --timeout, and check {place.address}"
    match error:
        case OneAlone():
            return (
                f"{question.adapter} needs several requests for this; leave it to a call of the gateway's API"
            )
        case DeadlineExceeded():
            return f"the answer began, and did not end: ask for more time with --timeout, and check {place.address}"
        case EntityNotFound():
            return f"the key need not be granted {question.entity}; --entity NAME asks for one that it is"
        case QuotaExceeded():
            return (
                "others use this environment beside the gateway: leave them headroom "
                f"(environments.{place.environment}.quota), and see 'ultimo-gateway quota'"
            )
        case UpstreamRejected():
            return f"its words tell; a key that covers several companies needs tenants.{place.tenant}.company"
        case UpstreamInvalidResponse():
            return f"check {place.address} ({ENDS}), and what stands between here and there"
    if error.outcome is Outcome.REFUSED and answer.status < 500:
        return f"correct {place.adapter(question.adapter)}"
    return "the upstream itself fails: ask whoever runs it, with the time of this request"
