"""Which connections the NetworkPolicies let through: a table, evaluated as a cluster would."""

from __future__ import annotations

import pytest

from tests.helm.cases import changed
from tests.helm.manifests import NAME, NAMESPACE, Release, Values, render
from tests.helm.network import End, Outside, PodEnd, allowed

OURS = {"app.kubernetes.io/name": "ultimo-gateway", "app.kubernetes.io/instance": NAME}
GATEWAY = PodEnd(OURS | {"app.kubernetes.io/component": "gateway"})
SANDBOX = PodEnd(OURS | {"app.kubernetes.io/component": "sandbox"})
TEST = PodEnd(OURS | {"app.kubernetes.io/component": "test"})
VALKEY = PodEnd(
    {
        "app.kubernetes.io/name": "valkey",
        "app.kubernetes.io/instance": NAME,
        "app.kubernetes.io/component": "store",
    }
)
OTHER_GATEWAY = PodEnd(GATEWAY.labels | {"app.kubernetes.io/instance": "other"})
OTHER_VALKEY = PodEnd(VALKEY.labels | {"app.kubernetes.io/instance": "other"})
NEIGHBOUR = PodEnd({"app": "neighbour"})
STRANGER = PodEnd({"app": "stranger"}, namespace="strangers")
PROMETHEUS = PodEnd({"app": "prometheus"}, namespace="monitoring")
DNS = PodEnd({"k8s-app": "kube-dns"}, namespace="kube-system")
API_SERVER = Outside("10.96.0.1")
INTERNET = Outside("203.0.113.7")
INTERNET_6 = Outside("2001:db8::7")
METADATA = Outside("169.254.169.254")
UPSTREAM_THERE = Outside("192.0.2.3")
VALKEY_THERE = Outside("192.0.2.40")

TABLE: list[tuple[str, End, End, int, bool]] = [
    ("production", NEIGHBOUR, GATEWAY, 8080, True),
    ("production", PodEnd({}, namespace="gateways"), GATEWAY, 8080, True),
    ("production", STRANGER, GATEWAY, 8080, False),
    ("production", INTERNET, GATEWAY, 8080, False),
    ("production", PROMETHEUS, GATEWAY, 9090, True),
    ("production", PROMETHEUS, GATEWAY, 8080, False),
    ("production", NEIGHBOUR, GATEWAY, 9090, False),
    ("production", TEST, GATEWAY, 9090, True),
    ("production", NEIGHBOUR, GATEWAY, 22, False),
    ("production", GATEWAY, DNS, 53, True),
    ("production", GATEWAY, PodEnd({"app": "x"}, namespace="kube-system"), 53, False),
    ("production", GATEWAY, INTERNET, 443, True),
    ("production", GATEWAY, INTERNET_6, 443, True),
    ("production", GATEWAY, INTERNET, 80, False),
    ("production", GATEWAY, INTERNET, 53, False),
    ("production", GATEWAY, API_SERVER, 443, False),
    ("production", GATEWAY, METADATA, 443, False),
    ("production", GATEWAY, Outside("192.168.1.1"), 443, False),
    ("production", GATEWAY, Outside("fd00::1"), 443, False),
    ("production", GATEWAY, NEIGHBOUR, 443, False),
    ("production", GATEWAY, VALKEY, 6379, True),
    ("production", GATEWAY, OTHER_VALKEY, 6379, False),
    ("production", OTHER_GATEWAY, VALKEY, 6379, False),
    ("production", NEIGHBOUR, VALKEY, 6379, False),
    ("production", TEST, VALKEY, 6379, False),
    ("production", STRANGER, VALKEY, 6379, False),
    ("production", VALKEY, INTERNET, 443, False),
    ("production", VALKEY, DNS, 53, False),
    ("on-premises", PodEnd({}, namespace="ingress-nginx"), GATEWAY, 8080, True),
    ("on-premises", NEIGHBOUR, GATEWAY, 8080, False),
    ("on-premises", GATEWAY, UPSTREAM_THERE, 443, True),
    ("on-premises", GATEWAY, UPSTREAM_THERE, 80, False),
    ("on-premises", GATEWAY, Outside("192.0.2.16"), 443, False),
    ("on-premises", GATEWAY, INTERNET, 443, False),
    ("on-premises", GATEWAY, VALKEY_THERE, 6380, True),
    ("on-premises", GATEWAY, VALKEY_THERE, 6379, False),
    ("on-premises", GATEWAY, Outside("192.0.2.41"), 6380, False),
    ("development", PROMETHEUS, GATEWAY, 9090, False),
    ("development", TEST, GATEWAY, 9090, True),
    ("development", NEIGHBOUR, GATEWAY, 8080, True),
    ("development", GATEWAY, VALKEY, 6379, False),
    ("development", GATEWAY, SANDBOX, 8081, False),
    ("sandbox", GATEWAY, SANDBOX, 8081, True),
    ("sandbox", NEIGHBOUR, SANDBOX, 8081, False),
    ("sandbox", OTHER_GATEWAY, SANDBOX, 8081, False),
    ("sandbox", SANDBOX, INTERNET, 443, False),
    ("sandbox", SANDBOX, DNS, 53, False),
    ("everything", NEIGHBOUR, GATEWAY, 8000, True),
    ("everything", NEIGHBOUR, GATEWAY, 8080, False),
    ("everything", PROMETHEUS, GATEWAY, 9000, True),
    ("everything", GATEWAY, PodEnd({}, namespace="tracing"), 4318, True),
    ("everything", GATEWAY, PodEnd({}, namespace="tracing"), 4317, False),
    ("everything", GATEWAY, Outside("192.0.2.9"), 389, True),
]


@pytest.mark.parametrize(("case", "source", "target", "port", "expected"), TABLE)
def test_a_connection(
    releases: dict[str, Release], case: str, source: End, target: End, port: int, expected: bool
) -> None:
    assert allowed(releases[case].of("NetworkPolicy"), source, target, port) is expected


def test_dns_is_asked_over_both_protocols(releases: dict[str, Release]) -> None:
    policies = releases["production"].of("NetworkPolicy")
    assert allowed(policies, GATEWAY, DNS, 53, "UDP")
    assert not allowed(policies, GATEWAY, INTERNET, 443, "UDP")


def test_everything_of_a_release_is_behind_a_policy(release: Release) -> None:
    """Pods that stay: each is selected by a policy that closes both directions."""
    for manifest, pod in release.pods():
        end = PodEnd(pod.metadata.labels)
        assert end.namespace == NAMESPACE
        if manifest.kind != "Pod":
            policies = release.of("NetworkPolicy")
            assert not allowed(policies, STRANGER, end, 1), manifest
            assert not allowed(policies, end, STRANGER, 1), manifest


def test_dns_may_be_elsewhere(values: dict[str, Values]) -> None:
    """Policies hold for the ports of pods, and those of OpenShift's DNS are others than its Service's."""
    there = PodEnd({}, namespace="openshift-dns")
    peers = "[{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: openshift-dns}}}]"
    change = f"networkPolicy: {{dns: {{to: {peers}, ports: [5353]}}}}"
    policies = render(changed(values["production"], change)).of("NetworkPolicy")
    for protocol in ("UDP", "TCP"):
        assert allowed(policies, GATEWAY, there, 5353, protocol)
        assert not allowed(policies, GATEWAY, there, 53, protocol)


@pytest.mark.parametrize("part", ["api", "operations"])
def test_an_empty_list_of_peers_lets_nobody_in(values: dict[str, Values], part: str) -> None:
    """In a NetworkPolicy, a rule with an empty list would let everybody in."""
    release = render(changed(values["production"], f"networkPolicy: {{{part}: {{from: []}}}}"))
    port = {"api": 8080, "operations": 9090}[part]
    for source in (NEIGHBOUR, STRANGER, PROMETHEUS, INTERNET):
        assert not allowed(release.of("NetworkPolicy"), source, GATEWAY, port)


@pytest.mark.parametrize(("part", "target", "port"), [("dns", DNS, 53), ("upstream", INTERNET, 443)])
def test_an_empty_list_of_peers_lets_nothing_out(
    values: dict[str, Values], part: str, target: End, port: int
) -> None:
    release = render(changed(values["production"], f"networkPolicy: {{{part}: {{to: []}}}}"))
    assert not allowed(release.of("NetworkPolicy"), GATEWAY, target, port)


def test_policies_can_be_left_out(values: dict[str, Values]) -> None:
    off = "networkPolicy: {enabled: false}\nvalkey: {networkPolicy: {enabled: false}}"
    assert render(changed(values["everything"], off)).of("NetworkPolicy") == []
