"""Whether a connection is allowed, by the rules of NetworkPolicy (networking.k8s.io/v1), as far as the chart uses them.

A pod that no policy of a direction selects may do everything in it; one that some select may do what any of them
allows. A rule without peers is for everybody, one without ports for every port. Selectors go by ``matchLabels`` alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_address, ip_network

import msgspec

from tests.helm.manifests import NAMESPACE, Labels, Manifest


class Selector(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    match_labels: Labels = {}

    def matches(self, labels: Labels) -> bool:
        return self.match_labels.items() <= labels.items()


class Block(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    cidr: str
    without: tuple[str, ...] = msgspec.field(name="except", default=())

    def holds(self, address: str) -> bool:
        there = ip_address(address)
        inside = there in ip_network(self.cidr)
        return inside and not any(there in ip_network(block) for block in self.without)


class Peer(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    pod_selector: Selector | None = None
    namespace_selector: Selector | None = None
    ip_block: Block | None = None


class PolicyPort(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    port: int
    protocol: str = "TCP"


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``peers`` is ``from`` or ``to``."""

    from_: tuple[Peer, ...] = msgspec.field(name="from", default=())
    to: tuple[Peer, ...] = ()
    ports: tuple[PolicyPort, ...] = ()

    @property
    def peers(self) -> tuple[Peer, ...]:
        return self.from_ or self.to


class Policy(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    pod_selector: Selector
    policy_types: tuple[str, ...]
    ingress: tuple[Rule, ...] = ()
    egress: tuple[Rule, ...] = ()


class PodEnd(msgspec.Struct, frozen=True):
    """A pod at one end of a connection."""

    labels: Labels
    namespace: str = NAMESPACE


class Outside(msgspec.Struct, frozen=True):
    """An address that is no pod's."""

    address: str


End = PodEnd | Outside


def allowed(policies: Iterable[Manifest], source: End, target: End, port: int, protocol: str = "TCP") -> bool:
    """Whether ``source`` may open a connection to ``target``; both ends must agree."""
    own = [policy.read("spec", Policy) for policy in policies]
    wanted = PolicyPort(port, protocol)
    leaves = _may(own, "Egress", source, target, wanted)
    return leaves and _may(own, "Ingress", target, source, wanted)


def _may(policies: list[Policy], direction: str, end: End, other: End, port: PolicyPort) -> bool:
    if isinstance(end, Outside) or end.namespace != NAMESPACE:
        return True
    selecting = [
        it for it in policies if direction in it.policy_types and it.pod_selector.matches(end.labels)
    ]
    if not selecting:
        return True
    rules = [rule for it in selecting for rule in (it.egress if direction == "Egress" else it.ingress)]
    return any(_lets(rule, other, port) for rule in rules)


def _lets(rule: Rule, other: End, port: PolicyPort) -> bool:
    here = not rule.ports or port in rule.ports
    return here and (not rule.peers or any(_is(peer, other) for peer in rule.peers))


def _is(peer: Peer, end: End) -> bool:
    if isinstance(end, Outside):
        return peer.ip_block is not None and peer.ip_block.holds(end.address)
    if peer.pod_selector is None and peer.namespace_selector is None:
        return False
    namespace = {"kubernetes.io/metadata.name": end.namespace}
    near = (
        end.namespace == NAMESPACE
        if peer.namespace_selector is None
        else peer.namespace_selector.matches(namespace)
    )
    return near and (peer.pod_selector is None or peer.pod_selector.matches(end.labels))
