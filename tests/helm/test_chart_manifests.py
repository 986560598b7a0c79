"""Real Helm renders every case; linted strictly, and valid in every version of Kubernetes that the chart is for."""

from __future__ import annotations

import re

import helm_python
import msgspec
import pytest
import yaml

from gateway.version import VERSION
from tests.helm.cases import CASES, changed
from tests.helm.manifests import CHART, NAME, NAMESPACE, Manifest, Release, Values, render
from tests.helm.validity import VERSIONS, problems

INFORMATION = 1
LONGEST_RELEASE = 53
LONGEST_NAME = 63
LONGEST_STATEFUL_SET = 52
SERVED = {
    "sandbox": {"Deployment": 2, "Service": 3, "NetworkPolicy": 2, "PersistentVolumeClaim": 0, "Pod": 1},
    "development": {
        "Deployment": 1,
        "Service": 2,
        "NetworkPolicy": 1,
        "PersistentVolumeClaim": 1,
        "Ingress": 0,
    },
    "production": {
        "Deployment": 1,
        "StatefulSet": 1,
        "PodDisruptionBudget": 1,
        "HorizontalPodAutoscaler": 1,
        "ServiceMonitor": 1,
        "NetworkPolicy": 2,
        "HTTPRoute": 1,
        "ExternalSecret": 2,
        "PersistentVolumeClaim": 0,
    },
    "on-premises": {
        "Deployment": 1,
        "StatefulSet": 0,
        "Ingress": 1,
        "HTTPRoute": 0,
        "PodDisruptionBudget": 1,
    },
    "everything": {"Deployment": 2, "StatefulSet": 1, "Ingress": 1, "HTTPRoute": 1, "ExternalSecret": 1},
}


@pytest.mark.parametrize("case", CASES)
def test_a_case_makes_what_it_says(case: str, releases: dict[str, Release]) -> None:
    made = {kind: len(releases[case].of(kind)) for kind in SERVED[case]}
    assert made == SERVED[case]


@pytest.mark.parametrize("case", CASES)
def test_lint_finds_nothing(case: str, values: dict[str, Values]) -> None:
    report = helm_python.lint(CHART, values[case], strict=True, namespace=NAMESPACE, kube_version="v1.29.0")
    assert report["errors"] == []
    assert [it for it in report["messages"] if it["severity"] > INFORMATION] == []


@pytest.mark.parametrize("version", VERSIONS)
def test_every_manifest_is_valid(version: str, releases: dict[str, Release]) -> None:
    distinct = {
        msgspec.json.encode(manifest.whole): manifest
        for release in releases.values()
        for manifest in release.manifests
    }
    found = [problem for manifest in distinct.values() for problem in problems(manifest, version)]
    assert found == []


def test_a_wrong_manifest_is_found(release: Release) -> None:
    """The schemas are strict ones: a field that is misspelled is no field."""
    whole = msgspec.json.decode(msgspec.json.encode(release.one("Deployment").whole))
    whole["spec"]["template"]["spec"]["containers"][0]["imagePullPolizy"] = "Always"
    wrong = Manifest("Deployment", release.one("Deployment").metadata, whole)
    assert any("imagePullPolizy" in problem for problem in problems(wrong, "1.34"))


def test_chart_and_project_have_one_version() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert (chart["version"], chart["appVersion"], chart["kubeVersion"]) == (VERSION, VERSION, ">=1.29.0-0")
    listed = {(it["name"], it["version"], it["status"]) for it in helm_python.dependency_list(CHART)}
    assert listed == {("valkey", "0.1.0", "unpacked")}


def test_everything_stands_in_the_namespace_and_says_whose_it_is(release: Release) -> None:
    for manifest in release.manifests:
        assert manifest.metadata.namespace == NAMESPACE, manifest
        assert manifest.metadata.labels["app.kubernetes.io/instance"] == NAME, manifest
        assert manifest.metadata.labels["app.kubernetes.io/managed-by"] == "Helm", manifest


def test_no_name_is_longer_than_it_may_be(values: dict[str, Values]) -> None:
    release = render(values["everything"], name="r" * LONGEST_RELEASE)
    for manifest in release.manifests:
        assert len(manifest.metadata.name) <= LONGEST_NAME, manifest
        assert not manifest.metadata.name.endswith("-")
        assert all(len(label) <= LONGEST_NAME for label in manifest.metadata.labels.values()), manifest
    assert len(release.one("StatefulSet", "-valkey").metadata.name) <= LONGEST_STATEFUL_SET


@pytest.mark.parametrize(
    ("first", "second"), [("a", "b"), ("r" * 52 + "a", "r" * 52 + "b"), ("ultimo-gateway", "a")]
)
def test_two_releases_stand_side_by_side(values: dict[str, Values], first: str, second: str) -> None:
    names = [
        {(it.kind, it.metadata.name) for it in render(values["everything"], name=name).manifests}
        for name in (first, second)
    ]
    assert names[0] & names[1] == set()


def test_a_name_of_ones_own_is_taken(values: dict[str, Values]) -> None:
    release = render(changed(values["sandbox"], "fullnameOverride: api"))
    assert {it.metadata.name for it in release.manifests} == {
        "api", "api-operations", "api-sandbox", "api-test-ready",
    }  # fmt: skip


def test_names_refer_to_what_there_is(release: Release) -> None:
    """What one manifest calls another by: autoscaler, routes, the monitor and the test reach something."""
    names = {(it.kind, it.metadata.name) for it in release.manifests}
    for scaler in release.of("HorizontalPodAutoscaler"):
        target = scaler.read("spec.scaleTargetRef", dict[str, str])
        assert (target["kind"], target["name"]) in names
    (api,) = release.one("Service").read("spec.ports", list[dict[str, object]])
    service = release.one("Service").metadata.name
    for ingress in release.of("Ingress"):
        backend = {"service": {"name": service, "port": {"name": api["name"]}}}
        for rule in ingress.read("spec.rules", list[dict[str, object]]):
            assert rule["http"] == {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]}
    for route in release.of("HTTPRoute"):
        (rule,) = route.read("spec.rules", list[dict[str, object]])
        assert rule["backendRefs"] == [{"name": service, "port": api["port"]}]
    (test,) = release.of("Pod")
    assert test.metadata.annotations == {
        "helm.sh/hook": "test",
        "helm.sh/hook-delete-policy": "before-hook-creation,hook-succeeded",
    }
    url = test.read("spec", dict[str, object])["containers"]
    asked = re.search(r"http://([a-z-]+):(\d+)/readyz", str(url))
    assert asked is not None
    assert ("Service", asked[1]) in names
    assert asked[2] == "9090"


def test_the_notes_tell_what_to_do_next(releases: dict[str, Release]) -> None:
    for case, release in releases.items():
        notes = release.notes
        assert f"helm -n {NAMESPACE} test {NAME}" in notes
        for step in (
            "rollout status",
            "ultimo-gateway doctor",
            "port-forward",
            "curl -H 'X-API-Key",
            "quota",
        ):
            assert step in notes, (case, step)
    assert "8080:80\n" in releases["production"].notes
    assert "X-API-Key: demo-key" in releases["sandbox"].notes
    assert "test clusters only" in releases["sandbox"].notes
    assert "localhost:8080/v1/demo/quota" in releases["sandbox"].notes, "no command sees a store in memory"
    assert "https://ultimo.example.org/docs." in releases["production"].notes
    assert "WARNING" not in releases["production"].notes
    assert "WARNING" not in releases["on-premises"].notes


@pytest.mark.parametrize(
    ("case", "change", "warning"),
    [
        ("development", "{}", "one pod, with SQLite"),
        ("development", "persistence: {enabled: false}", "SQLite has no volume"),
        ("sandbox", "{}", "the store is in memory"),
        ("on-premises", "config: {server: {cursor_secret: null}}", "cursor_secret is not set"),
        ("on-premises", "networkPolicy: {enabled: false}", "no NetworkPolicy"),
        ("on-premises", "replicas: 10", "local_share (0.1) times 11 pods"),
        (
            "on-premises",
            "config: {environments: {plant-b: {quota: {local_share: 0.4}}}}",
            "(0.4) times 3 pods",
        ),
        (
            "on-premises",
            "config: {server: {tracing: {endpoint: 'http://192.0.2.1/v1/traces'}}}",
            "tracing.to is empty",
        ),
        ("on-premises", "ingress: {enabled: false}", "only the cluster itself"),
        ("development", "{}", "Nobody is told when something is wrong"),
        ("development", "service: {type: LoadBalancer}", "api.from lets in this namespace alone"),
        (
            "on-premises",
            "networkPolicy: {api: {from: [{podSelector: {}}]}}",
            "api.from lets in this namespace alone",
        ),
        (
            "development",
            "config: {environments: {plant-a-test: {proxy: 'http://proxy.example.org:3128'}}}",
            "plant-a-test is reached at port 3128, which is not in",
        ),
        (
            "development",
            "config: {environments: {plant-a-test: {rest: 'http://192.0.2.1/api/v1', allow_http: true}}}",
            "plant-a-test is reached at port 80, which is not in",
        ),
        (
            "on-premises",
            "config: {environments: {plant-b: {site: 'https://[2001:db8::1]:8443/Ultimo'}}}",
            "plant-b is reached at port 8443, which is not in",
        ),
        ("production", "monitoring: {serviceMonitor: {enabled: false}}", "UltimoGatewayDown does not end"),
    ],
)
def test_the_notes_warn(values: dict[str, Values], case: str, change: str, warning: str) -> None:
    assert warning in render(changed(values[case], change)).notes


@pytest.mark.parametrize(
    "change",
    [
        "config: {environments: {plant-a-test: {rest: 'https://192.0.2.1:443/api/v1'}}}",
        "config: {environments: {plant-a-test: {rest: 'https://[2001:db8::1]/api/v1'}}}",
        """{config: {environments: {plant-a-test: {proxy: 'http://proxy.example.org:3128'}}},
            networkPolicy: {upstream: {ports: [3128]}}}""",
        """{config: {environments: {plant-a-test: {rest: 'https://a.example.org:8443/api/v1'}}},
            networkPolicy: {extraEgress: [{}]}}""",
        """{config: {environments: {plant-a-test: {rest: 'https://a.example.org:8443/api/v1'}}},
            networkPolicy: {enabled: false}}""",
    ],
)
def test_the_notes_do_not_warn_of_a_port_that_is_let_out(values: dict[str, Values], change: str) -> None:
    assert "is reached at port" not in render(changed(values["development"], change)).notes


def test_everything_is_everything(values: dict[str, Values]) -> None:
    """The case that switches on all parts stays one that does: no switch of values.yaml is left off in it."""
    defaults = (CHART / "values.yaml").read_text()
    merged = changed(yaml.safe_load(defaults), yaml.safe_dump(values["everything"]))
    assert str(merged).count("'enabled': True") == len(re.findall(r"^ *enabled: ", defaults, re.MULTILINE))
