"""What there is to say of certificates: the upstream's, and those in the files that the configuration names. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from gateway.doctor.findings import Fact, Finding, ok, unknown, wrong
from gateway.wire.certificates import Certificate

SOON = 14
"""The days before its end from which on a certificate counts as wrong: renewing one takes people some days."""

_DAY = 86_400


def shown(found: Certificate, now: float) -> Finding:
    """The upstream's, which TLS has found to be valid."""
    text, facts = _told(found, now), _facts(found, now)
    if _days(found, now) < SOON:
        return wrong(
            "certificate", text, "whoever runs the upstream, or the proxy before it, renews it", **facts
        )
    return ok("certificate", text, **facts)


def client(found: Sequence[Certificate], now: float, setting: str) -> Finding:
    """The one that this tenant shows, with its chain."""
    first = min(found, key=lambda certificate: certificate.not_after)
    text, facts = _told(first, now), _facts(first, now)
    if first.not_before > now:
        return wrong("client certificate", f"{text}; it is not valid yet", f"see {setting}", **facts)
    if _days(first, now) < SOON:
        advice = (
            f"have a new one made, put it in place of the files of {setting}, and tell the upstream of it"
        )
        return wrong("client certificate", text, advice, **facts)
    return ok("client certificate", text, **facts)


def authorities(found: Sequence[Certificate], now: float, setting: str) -> Finding:
    """Those that sign the upstream's: a file may well hold old ones beside the one that counts."""
    ending = [certificate for certificate in found if _days(certificate, now) < SOON]
    first = min(found, key=lambda certificate: certificate.not_after)
    text = _told(first, now) + (f" (of {len(found)}, the first to end)" if len(found) > 1 else "")
    facts = _facts(first, now)
    if len(ending) == len(found):
        return wrong("CA file", text, f"put the authority's new certificate into {setting}", **facts)
    if ending:
        return unknown("CA file", text, f"if that one signs the upstream's, renew {setting}", **facts)
    return ok("CA file", text, **facts)


def of_whom(found: Certificate) -> str:
    """Whose it is and who made it, e.g. ``'plant-a' (plant-a.example), made by 'Plant CA'``."""
    names = ", ".join(found.names[:4]) + (", …" if len(found.names) > 4 else "")
    return f"'{found.subject}'" + (f" ({names})" if names else "") + f", made by '{found.issuer}'"


def until(found: Certificate) -> str:
    """Its last day."""
    return datetime.fromtimestamp(found.not_after, UTC).date().isoformat()


def _told(found: Certificate, now: float) -> str:
    days = _days(found, now)
    left = f"{days} days left" if days >= 0 else f"over for {-days} days"
    return f"{of_whom(found)}, until {until(found)}: {left}"


def _facts(found: Certificate, now: float) -> dict[str, Fact]:
    return {
        "subject": found.subject,
        "issuer": found.issuer,
        "not_after": datetime.fromtimestamp(found.not_after, UTC).isoformat(),
        "days_left": _days(found, now),
    }


def _days(found: Certificate, now: float) -> int:
    return int((found.not_after - now) // _DAY)
