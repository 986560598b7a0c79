"""How pods come, stay and go: probes, the time to end, strategies, budgets, the autoscaler, where they run."""

from __future__ import annotations

import math

import pytest
import yaml

from gateway.settings import ServerSettings
from tests.helm.cases import changed
from tests.helm.manifests import Release, Values, render


def test_probes_ask_the_operations_port(release: Release) -> None:
    (container,) = release.gateway().spec.containers
    probes = [container.startup_probe, container.liveness_probe, container.readiness_probe]
    asked = [(it.http_get.path, it.http_get.port) for it in probes if it and it.http_get]
    assert asked == [("/livez", "operations"), ("/livez", "operations"), ("/readyz", "operations")]
    start, life, ready = (it.period_seconds * it.failure_threshold for it in probes if it)
    assert start >= 60
    assert life >= 60, "a pod that is only busy must not be killed"
    assert ready < life


def test_the_grace_period_is_enough(release: Release) -> None:
    server = yaml.safe_load(release.configuration())["server"]
    least = math.ceil(server["drain_delay"]) + server["shutdown_timeout"]
    default = server.get("default_timeout", ServerSettings().default_timeout)
    assert server["shutdown_timeout"] > default, "a call has its time, even if it came as the delay ended"
    assert release.gateway().spec.termination_grace_period_seconds == least + 10
    assert server["drain_delay"] >= 10, "long enough for those who send calls to hear of it"


def test_the_grace_period_is_that_of_the_configuration(
    values: dict[str, Values], releases: dict[str, Release]
) -> None:
    longer = render(changed(values["development"], "config: {server: {default_timeout: 59.5}}"))
    seconds = [
        it.gateway().spec.termination_grace_period_seconds
        for it in (releases["everything"], releases["sandbox"], longer)
    ]
    assert seconds == [13 + 40 + 10, 10 + 35 + 10, 10 + 65 + 10]


@pytest.mark.parametrize(
    ("case", "change", "expected"),
    [
        ("development", "{}", {"type": "Recreate"}),
        ("development", "persistence: {enabled: false}", {"type": "Recreate"}),
        ("sandbox", "{}", {"type": "Recreate"}),
        (
            "production",
            "{}",
            {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}},
        ),
    ],
)
def test_two_pods_never_keep_two_accounts(
    values: dict[str, Values], case: str, change: str, expected: dict[str, object]
) -> None:
    deployment = render(changed(values[case], change)).one("Deployment")
    assert deployment.read("spec.strategy", dict[str, object]) == expected


def test_rolling_updates_and_drains_remain_possible(release: Release) -> None:
    for budget in release.of("PodDisruptionBudget"):
        spec = budget.read("spec", dict[str, object])
        assert "minAvailable" not in spec
        assert str(spec["maxUnavailable"]).removesuffix("%") not in ("", "0")
        assert spec["unhealthyPodEvictionPolicy"] == "AlwaysAllow"


def test_the_autoscaler_alone_counts_the_pods(releases: dict[str, Release]) -> None:
    for case in ("production", "everything"):
        assert "replicas" not in releases[case].one("Deployment").read("spec", dict[str, object])
    assert releases["on-premises"].one("Deployment").read("spec.replicas", int) == 2
    scaler = releases["everything"].one("HorizontalPodAutoscaler")
    assert (scaler.read("spec.minReplicas", int), scaler.read("spec.maxReplicas", int)) == (3, 6)
    (slowly,) = scaler.read("spec.behavior.scaleDown.policies", list[object])
    assert slowly == {"type": "Pods", "value": 1, "periodSeconds": 120}
    metrics = scaler.read("spec.metrics", list[object])
    cpu = {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 70}}
    wait = {
        "metric": {"name": "ultimo_gateway_queue_wait_seconds"},
        "target": {"type": "AverageValue", "averageValue": "250m"},
    }
    assert metrics == [{"type": "Resource", "resource": cpu}, {"type": "Pods", "pods": wait}]


def test_pods_are_spread(releases: dict[str, Release]) -> None:
    spread = releases["production"].gateway().spec.topology_spread_constraints
    assert {it["topologyKey"]: it["whenUnsatisfiable"] for it in spread} == {
        "kubernetes.io/hostname": "DoNotSchedule",
        "topology.kubernetes.io/zone": "ScheduleAnyway",
    }
    # A tainted node that counted, and has no pod, would keep every other node at one.
    assert {it["nodeTaintsPolicy"] for it in spread} == {"Honor"}
    assert [it["matchLabelKeys"] for it in spread] == 2 * [["pod-template-hash"]]
