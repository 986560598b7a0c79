"""What a connection that was tried says: how fast it came about, or why not and what to do about it. Pure.

So do the certificates: the upstream's, and those in the files that the configuration names.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from types import MappingProxyType

from gateway.doctor.findings import Fact, Finding, Place, ok, unknown, wrong
from gateway.wire.certificates import Certificate
from gateway.wire.probe import Probe, Step
from gateway.wire.troubles import Trouble

SOON = 14
"""The days before its end from which on a certificate counts as wrong: renewing one takes people some days."""

_DAY = 86_400


def connection(found: Probe, place: Place, now: float) -> list[Finding]:
    """The findings of one interface; ``now`` is in Unix seconds."""
    facts = _times(found)
    if found.trouble is not None and found.step is not Step.TLS:
        return [_unreached(found, place, facts)]
    through = f" through the proxy {found.peer}" if found.proxied else f" at {found.peer}"
    findings = [
        ok("connection", f"reached{through} in {_ms(found, Step.CONNECTION, Step.PROXY)} ms", **facts)
    ]
    if found.trouble is not None:
        text = _TLS[found.trouble][0] if found.trouble in _TLS else f"TLS fails: {found.said}"
        findings.append(wrong("TLS", _told(text, found), _tls_advice(found, place), trouble=found.trouble))
    elif found.tls is not None:
        findings.append(ok("TLS", f"{found.tls}, agreed on in {_ms(found, Step.TLS)} ms", version=found.tls))
        if found.certificate is not None:
            findings.append(_upstreams(found.certificate, now))
    return findings


def _unreached(found: Probe, place: Place, facts: Mapping[str, Fact]) -> Finding:
    told = {
        "peer": f"the proxy {found.peer}" if found.proxied else found.peer,
        "host": found.peer.rpartition(":")[0],
        "said": found.said,
        "setting": place.proxy if found.proxied else place.address,
        "proxy": place.proxy,
    }
    step = Step.CONNECTION if found.step is Step.NAME else found.step
    text, advice = _WAY.get((step, found.trouble), _WAY[(step, None)])
    return wrong("connection", text.format(**told), advice.format(**told), trouble=found.trouble, **facts)


_WAY: Mapping[tuple[Step, Trouble | None], tuple[str, str]] = MappingProxyType(
    {
        (Step.CONNECTION, Trouble.NO_NAME): (
            "the name {host} does not resolve",
            "look for a slip of the pen in {setting}; else this machine cannot ask DNS (in a cluster: a "
            "NetworkPolicy must let this pod out to DNS, port 53)",
        ),
        (Step.CONNECTION, Trouble.REFUSED): (
            "{peer} refuses the connection",
            "nothing listens there, or a firewall says no for it: check host and port in {setting}",
        ),
        (Step.CONNECTION, Trouble.TIMED_OUT): (
            "{peer} does not answer: the connection timed out",
            "does a NetworkPolicy or firewall let this pod out to {peer}? Does the way lead through a proxy "
            "({proxy})? Does the upstream's list of addresses have the one that this network leaves from?",
        ),
        (Step.CONNECTION, Trouble.CLOSED): (
            "{peer} broke the connection off",
            "something on the way does not let it through: ask whoever runs the firewall",
        ),
        (Step.CONNECTION, None): (
            "there is no way to {peer}: {said}",
            "check the network and the routes of this machine, and {setting}",
        ),
        (Step.PROXY, Trouble.TIMED_OUT): (
            "{peer} does not answer",
            "check {proxy}, and whether that proxy can reach the upstream",
        ),
        (Step.PROXY, None): (
            "{peer} makes no connection: {said}",
            "407 asks for a login, which {proxy} cannot hold: have the proxy let this machine through by its "
            "address; 403 is a rule of the proxy; 502 and 504 say that it does not reach the upstream",
        ),
    }
)

_TLS: Mapping[Trouble, tuple[str, str]] = MappingProxyType(
    {
        Trouble.EXPIRED: (
            "certificate verify failed: the upstream's certificate has expired{until}",
            "whoever runs the upstream renews it; if it has not, check the clock of this machine",
        ),
        Trouble.NOT_YET_VALID: (
            "certificate verify failed: the upstream's certificate is not valid yet",
            "check the clock of this machine",
        ),
        Trouble.SELF_SIGNED: (
            "certificate verify failed: self-signed certificate in chain{issuer}",
            "set {authority} to the PEM of your company's CA; a proxy that looks into TLS shows such a one",
        ),
        Trouble.UNKNOWN_AUTHORITY: (
            "certificate verify failed: nobody trusted has signed the upstream's certificate{issuer}",
            "set {authority} to the PEM of the CA that signed it, or have the upstream send the certificates "
            "between",
        ),
        Trouble.OTHER_NAME: (
            "certificate verify failed: the upstream's certificate is not for {host}{names}",
            "write the name that it is for into {address}; with a client certificate the vendor's hosts begin "
            "with 'api-'",
        ),
        Trouble.NOT_VALID: (
            "certificate verify failed: {said}",
            "set {authority} to the PEM of the CA that signed it, or ask whoever runs the upstream",
        ),
        Trouble.NOT_TLS: (
            "what answers there does not speak TLS",
            "check the port in {address}, and whether it should begin with http:// (which has to be allowed)",
        ),
        Trouble.OTHER_VERSION: (
            "the upstream speaks no version of TLS that is still safe",
            "it has to offer TLS 1.2 or newer",
        ),
        Trouble.CLIENT_CERTIFICATE_WANTED: (
            "the upstream ends the handshake ({said}): it wants a client certificate, or no cipher suits both",
            "set {certificate} to the one that the upstream knows this tenant by; the host then begins with 'api-'",
        ),
        Trouble.CLIENT_CERTIFICATE_REFUSED: (
            "the upstream does not take the client certificate ({said})",
            "check that {certificate} has not expired, and that its thumbprint is registered for this tenant",
        ),
        Trouble.TIMED_OUT: (
            "the connection is made, but TLS gets no answer in time",
            "does a firewall or a proxy that looks into TLS hold it up? Does the port in {address} speak TLS?",
        ),
        Trouble.CLOSED: (
            "the connection is closed during the TLS handshake, or right after it",
            "a firewall that goes by the name of the host may do that, or an upstream that wants a client "
            "certificate ({certificate})",
        ),
    }
)


def _tls_advice(found: Probe, place: Place) -> str:
    known = _TLS.get(found.trouble or Trouble.OTHER)
    advice = "ask whoever runs the upstream what it expects" if known is None else known[1]
    return advice.format(authority=place.authority, address=place.address, certificate=place.certificate)


def _told(text: str, found: Probe) -> str:
    shown = found.certificate
    return text.format(
        host=found.host,
        said=found.said,
        until=f" on {_until(shown)}" if shown else "",
        issuer=f", made by '{shown.issuer}'" if shown else "",
        names=f" but for {_names(shown)}" if shown else "",
    )


def _names(shown: Certificate) -> str:
    return ", ".join(shown.names[:4]) or f"'{shown.subject}'"


def _times(found: Probe) -> dict[str, Fact]:
    return {f"{step.value}_ms": round(seconds * 1000, 1) for step, seconds in found.seconds.items()}


def _ms(found: Probe, *steps: Step) -> str:
    return f"{sum(found.seconds.get(step, 0.0) for step in steps) * 1000:.1f}"


def _upstreams(found: Certificate, now: float) -> Finding:
    """The upstream's, which TLS has found to be valid."""
    text, facts = _holds(found, now), _figures(found, now)
    if _days(found, now) < SOON:
        return wrong(
            "certificate", text, "whoever runs the upstream, or the proxy before it, renews it", **facts
        )
    return ok("certificate", text, **facts)


def client_certificate(found: Sequence[Certificate], now: float, setting: str) -> Finding:
    """The one that this tenant shows, with its chain."""
    first = min(found, key=lambda certificate: certificate.not_after)
    text, facts = _holds(first, now), _figures(first, now)
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
    text = _holds(first, now) + (f" (of {len(found)}, the first to end)" if len(found) > 1 else "")
    facts = _figures(first, now)
    if len(ending) == len(found):
        return wrong("CA file", text, f"put the authority's new certificate into {setting}", **facts)
    if ending:
        return unknown("CA file", text, f"if that one signs the upstream's, renew {setting}", **facts)
    return ok("CA file", text, **facts)


def _of_whom(found: Certificate) -> str:
    """Whose it is and who made it, e.g. ``'plant-a' (plant-a.example), made by 'Plant CA'``."""
    names = ", ".join(found.names[:4]) + (", …" if len(found.names) > 4 else "")
    return f"'{found.subject}'" + (f" ({names})" if names else "") + f", made by '{found.issuer}'"


def _until(found: Certificate) -> str:
    """Its last day."""
    return datetime.fromtimestamp(found.not_after, UTC).date().isoformat()


def _holds(found: Certificate, now: float) -> str:
    days = _days(found, now)
    left = f"{days} days left" if days >= 0 else f"over for {-days} days"
    return f"{_of_whom(found)}, until {_until(found)}: {left}"


def _figures(found: Certificate, now: float) -> dict[str, Fact]:
    return {
        "subject": found.subject,
        "issuer": found.issuer,
        "not_after": datetime.fromtimestamp(found.not_after, UTC).isoformat(),
        "days_left": _days(found, now),
    }


def _days(found: Certificate, now: float) -> int:
    return int((found.not_after - now) // _DAY)
