"""What a connection that was tried says: how fast it came about, or why not and what to do about it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from gateway.doctor import certificates
from gateway.doctor.findings import Fact, Finding, ok, wrong
from gateway.doctor.place import Place
from gateway.wire.certificates import Certificate
from gateway.wire.probe import Probe, Step
from gateway.wire.troubles import Trouble


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
            findings.append(certificates.shown(found.certificate, now))
    return findings


def _unreached(found: Probe, place: Place, facts: Mapping[str, Fact]) -> Finding:
    told = {
        "peer": found.peer,
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
            "the proxy {peer} does not answer",
            "check {proxy}, and whether that proxy can reach the upstream",
        ),
        (Step.PROXY, None): (
            "the proxy {peer} makes no connection: {said}",
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
            "certificate verify failed: nobody trusted has signed it{issuer}",
            "set {authority} to the PEM of the CA that signed it, or have the upstream send the certificates "
            "between",
        ),
        Trouble.OTHER_NAME: (
            "certificate verify failed: it is not for {host}{names}",
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
        until=f" on {certificates.until(shown)}" if shown else "",
        issuer=f", made by '{shown.issuer}'" if shown else "",
        names=f" but for {_names(shown)}" if shown else "",
    )


def _names(shown: Certificate) -> str:
    return ", ".join(shown.names[:4]) or f"'{shown.subject}'"


def _times(found: Probe) -> dict[str, Fact]:
    return {f"{step.value}_ms": round(seconds * 1000, 1) for step, seconds in found.seconds.items()}


def _ms(found: Probe, *steps: Step) -> str:
    return f"{sum(found.seconds.get(step, 0.0) for step in steps) * 1000:.1f}"
