"""What the pods may and what they have: Pod Security "restricted", limits, volumes, selectors, names of ports."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

import msgspec
import yaml

from tests.helm.cases import changed
from tests.helm.manifests import Container, Labels, Manifest, Named, Pod, Release, Values, render

ALLOWED_VOLUMES = {"configMap", "csi", "emptyDir", "persistentVolumeClaim", "secret"}


def _containers(release: Release) -> Iterator[tuple[Manifest, Container]]:
    for manifest, pod in release.pods():
        for container in (*pod.spec.init_containers, *pod.spec.containers):
            yield manifest, container


def test_pods_are_restricted(release: Release) -> None:
    """Pod Security Standards, profile "restricted", of a pod: its users, its profile, its namespaces, its volumes."""
    for manifest, pod in release.pods():
        security = pod.spec.security_context
        assert security["runAsNonRoot"] is True, manifest
        assert cast("int", security["runAsUser"]) > 0, manifest
        assert security["seccompProfile"] == {"type": "RuntimeDefault"}, manifest
        whole = manifest.read("spec" if manifest.kind == "Pod" else "spec.template.spec", dict[str, object])
        assert not {"hostNetwork", "hostPID", "hostIPC"} & whole.keys(), manifest
        assert whole["enableServiceLinks"] is False, "the namespace's services are nobody's business"
        for volume in pod.spec.volumes:
            assert volume.keys() - {"name"} <= ALLOWED_VOLUMES, (manifest, volume["name"])
            assert volume.get("emptyDir") != {}, "a folder without a limit fills the node"
            assert "secret" not in volume or cast("dict[str, int]", volume["secret"])["defaultMode"] == 0o440


def test_users_may_be_left_to_the_cluster(values: dict[str, Values], releases: dict[str, Release]) -> None:
    """As OpenShift wants it, which gives each namespace numbers of its own and refuses others."""
    left = render(changed(values["production"], "{runAsUser: 0, valkey: {runAsUser: 0}}"))
    for _, pod in left.pods():
        assert pod.spec.security_context == {
            "runAsNonRoot": True,
            "fsGroupChangePolicy": "OnRootMismatch",
            "seccompProfile": {"type": "RuntimeDefault"},
        }
    for _, pod in releases["production"].pods():
        security = pod.spec.security_context
        assert security["runAsUser"] == security["runAsGroup"] == security["fsGroup"]


def test_containers_are_restricted(release: Release) -> None:
    for manifest, container in _containers(release):
        assert container.security_context == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }, manifest


def test_no_pod_has_a_token(release: Release) -> None:
    for manifest, pod in release.pods():
        assert pod.spec.automount_service_account_token is False, manifest
    for account in release.of("ServiceAccount"):
        assert account.whole["automountServiceAccountToken"] is False
    assert {manifest.kind for manifest in release.manifests} & {"Role", "RoleBinding", "ClusterRole"} == set()


def test_every_container_has_requests_and_limits(release: Release) -> None:
    for manifest, container in _containers(release):
        for part in ("requests", "limits"):
            assert container.resources[part].keys() >= {"cpu", "memory"}, (manifest, part)


def test_selectors_match_one_kind_of_pod(release: Release) -> None:
    """What selects pods selects those of one object, and of no other: not the sandbox's, not the test's."""
    pods = {str(manifest): pod.metadata.labels for manifest, pod in release.pods()}
    for manifest, labels in _selectors(release):
        selected = [name for name, own in pods.items() if labels.items() <= own.items()]
        assert len(selected) == 1, (str(manifest), selected)
        if manifest.kind in ("Deployment", "StatefulSet"):
            assert selected == [str(manifest)]


def _selectors(release: Release) -> Iterator[tuple[Manifest, Labels]]:
    for manifest in release.manifests:
        if manifest.kind == "Service":
            yield manifest, manifest.read("spec.selector", Labels)
        elif manifest.kind == "NetworkPolicy":
            yield manifest, manifest.read("spec.podSelector.matchLabels", Labels)
        elif manifest.kind in ("Deployment", "StatefulSet", "PodDisruptionBudget"):
            yield manifest, manifest.read("spec.selector.matchLabels", Labels)
    for constraint in release.gateway().spec.topology_spread_constraints:
        selector = cast("dict[str, Labels]", constraint["labelSelector"])
        yield release.one("Deployment"), selector["matchLabels"]


def test_the_monitor_finds_the_operations_alone(releases: dict[str, Release]) -> None:
    monitor = releases["everything"].one("ServiceMonitor")
    labels = monitor.read("spec.selector.matchLabels", Labels)
    found = [s for s in releases["everything"].of("Service") if labels.items() <= s.metadata.labels.items()]
    assert [service.metadata.name for service in found] == ["gw-ultimo-gateway-operations"]
    (endpoint,) = monitor.read("spec.endpoints", list[dict[str, str]])
    assert endpoint == {"port": "operations", "path": "/metrics", "interval": "15s"}
    assert found[0].read("spec.ports", list[dict[str, object]])[0]["name"] == "operations"
    assert found[0].read("spec.publishNotReadyAddresses", bool)


def test_services_lead_to_ports_that_there_are(release: Release) -> None:
    for service in release.of("Service"):
        selector = service.read("spec.selector", Labels)
        (pod,) = [p for m, p in release.pods() if selector.items() <= p.metadata.labels.items()]
        there = {port.name for container in pod.spec.containers for port in container.ports}
        for port in service.read("spec.ports", list[dict[str, object]]):
            assert port["targetPort"] in there, service
            assert port["targetPort"] == port["name"], service


def test_volumes_are_there_and_used(release: Release) -> None:
    for manifest, pod in release.pods():
        there = {str(volume["name"]) for volume in pod.spec.volumes}
        if manifest.kind == "StatefulSet":
            claims = manifest.read("spec.volumeClaimTemplates", list[Named])
            there |= {claim.metadata.name for claim in claims}
        mounts = [mount for container in pod.spec.containers for mount in container.volume_mounts]
        assert {mount.name for mount in mounts} == there, manifest
        assert len({mount.mount_path for mount in mounts}) == len(mounts), manifest
        # With a sub path, a changed ConfigMap or Secret would never arrive.
        assert all(mount.sub_path is None for mount in mounts), manifest


def test_what_pods_name_exists_or_is_said_to(releases: dict[str, Release], values: dict[str, Values]) -> None:
    """A ConfigMap, Secret, claim or account of a pod is made here, or the values name it as one that there is."""
    for case, release in releases.items():
        made = {(manifest.kind, manifest.metadata.name) for manifest in release.manifests}
        made |= {("Secret", manifest.metadata.name) for manifest in release.of("ExternalSecret")}
        given = yaml.safe_dump(values[case])
        for _, pod in release.pods():
            assert ("ServiceAccount", pod.spec.service_account_name) in made or (
                pod.spec.service_account_name == "default"
            )
            for kind, name in _named_in(pod):
                assert (kind, name) in made or f"{name}\n" in given, (case, kind, name)


def _named_in(pod: Pod) -> Iterator[tuple[str, str]]:
    fields = {
        "configMap": ("ConfigMap", "name"),
        "secret": ("Secret", "secretName"),
        "persistentVolumeClaim": ("PersistentVolumeClaim", "claimName"),
    }
    for volume in pod.spec.volumes:
        for field, (kind, name) in fields.items():
            if field in volume:
                yield kind, cast("dict[str, str]", volume[field])[name]


def test_sqlite_is_on_the_volume(values: dict[str, Values], releases: dict[str, Release]) -> None:
    pod = releases["development"].gateway()
    (mount,) = [it for it in pod.spec.containers[0].volume_mounts if it.name == "data"]
    assert mount.mount_path == "/var/lib/ultimo-gateway"
    assert ("PersistentVolumeClaim", "gw-ultimo-gateway") in _named_in(pod)
    kept = render(changed(values["development"], "persistence: {keep: true}")).one("PersistentVolumeClaim")
    assert kept.metadata.annotations == {"helm.sh/resource-policy": "keep"}
    theirs = render(changed(values["development"], "persistence: {existingClaim: mine}"))
    assert theirs.of("PersistentVolumeClaim") == []
    assert ("PersistentVolumeClaim", "mine") in _named_in(theirs.gateway())
    nothing = render(changed(values["development"], "persistence: {enabled: false}"))
    assert nothing.of("PersistentVolumeClaim") == []
    assert {"emptyDir"} <= {key for volume in nothing.gateway().spec.volumes for key in volume}


def test_what_is_given_for_pods_is_in_them(values: dict[str, Values], releases: dict[str, Release]) -> None:
    given, release = values["everything"], releases["everything"]
    pod = release.one("Deployment").read("spec.template", dict[str, dict[str, object]])
    container = release.one("Deployment").read("spec.template.spec.containers", list[dict[str, object]])[0]
    for name in ("nodeSelector", "tolerations", "affinity", "priorityClassName", "imagePullSecrets"):
        assert pod["spec"][name] == given[name], name
    for name in ("env", "envFrom"):
        assert container[name] == given[name], name
    assert (
        cast("Labels", given["podAnnotations"]).items()
        <= cast("Labels", pod["metadata"]["annotations"]).items()
    )
    assert cast("Labels", given["podLabels"]).items() <= cast("Labels", pod["metadata"]["labels"]).items()


def test_the_image_is_named_by_tag_or_digest(values: dict[str, Values], releases: dict[str, Release]) -> None:
    digest = "sha256:" + "1" * 64
    (container,) = releases["everything"].gateway().spec.containers
    assert container.image == f"registry.example.org/gateway@{digest}"
    tagged = render(changed(values["production"], "image: {tag: 9.9.9}"))
    images = {
        container.image for manifest, container in _containers(tagged) if manifest.kind != "StatefulSet"
    }
    assert images == {"registry.example.org/ultimo-gateway:9.9.9"}


def test_secrets_are_mounted_from_where_they_are(releases: dict[str, Release]) -> None:
    release = releases["everything"]
    volumes = {str(it["name"]): it for it in release.gateway().spec.volumes}
    assert volumes["secret-gateway"]["secret"] == {
        "secretName": "own", "defaultMode": 0o440, "items": [{"key": "a", "path": "cursor-secret"}],
    }  # fmt: skip
    assert volumes["secret-site"]["csi"] == {
        "driver": "secrets-store.csi.k8s.io", "readOnly": True, "volumeAttributes": {"secretProviderClass": "site"},
    }  # fmt: skip
    assert cast("Labels", volumes["secret-other"]["csi"])["driver"] == "csi.example.org"
    (external,) = release.of("ExternalSecret")
    target = external.read("spec.target.name", str)
    assert cast("Labels", volumes["secret-vault"]["secret"])["secretName"] == target
    assert external.whole["spec"] == {
        "refreshInterval": "30m",
        "secretStoreRef": {"name": "vault", "kind": "SecretStore"},
        "target": {"name": target, "creationPolicy": "Owner"},
        "data": [{"secretKey": "api-key", "remoteRef": {"key": "plant"}}],
    }
    theirs = releases["production"].one("ExternalSecret", "-gateway-gateway").whole["spec"]
    assert theirs == {
        "refreshInterval": "1h",
        "secretStoreRef": {"name": "vault", "kind": "ClusterSecretStore"},
        "target": {"name": "gw-ultimo-gateway-gateway", "creationPolicy": "Owner"},
        "data": [
            {
                "secretKey": "cursor-secret",
                "remoteRef": {"key": "ultimo/gateway", "property": "cursor-secret"},
            }
        ],
    }
    assert volumes["secret-valkey"]["secret"] == {
        "secretName": "valkey-password", "defaultMode": 0o440, "items": [{"key": "word", "path": "password"}],
    }  # fmt: skip
    paths = {it.mount_path for it in release.gateway().spec.containers[0].volume_mounts if it.read_only}
    assert paths >= {f"/run/secrets/{name}" for name in ("gateway", "vault", "site", "valkey")}


def test_no_manifest_holds_a_secret(release: Release) -> None:
    assert release.of("Secret") == []
    for _, container in _containers(release):
        known = {"SANDBOX_KEY": "sandbox-demo", "TZ": "UTC"}
        assert {it.name: it.value for it in container.env}.items() <= known.items()
    assert b"password=" not in msgspec.json.encode([it.whole for it in release.manifests])
