"""The configuration that the pods get: what was given, completed, in order, and accepted by the gateway itself."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import trustme
import yaml

from gateway.bootstrap import mistakes
from gateway.settings import Settings, load
from tests.helm.cases import CASES, changed
from tests.helm.manifests import Manifest, Release, Values, render

SECRET = re.compile(r"/run/secrets/([^/\s]+)/([^\s]+)")


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What files with these endings hold."""
    authority = trustme.CA()
    issued = authority.issue_cert("gateway.example.org")
    return {
        "ca.crt": authority.cert_pem.bytes(),
        "tls.crt": issued.cert_chain_pems[0].bytes(),
        "tls.key": issued.private_key_pem.bytes(),
    }


def check(release: Release, folder: Path, certificate: dict[str, bytes]) -> Settings:
    """What `config check` does in the pod, with secrets made up in ``folder`` where the pod has them."""
    text = release.configuration()
    (container,) = release.gateway().spec.containers
    mounted = {mount.mount_path for mount in container.volume_mounts}
    for name, file in SECRET.findall(text):
        assert f"/run/secrets/{name}" in mounted, f"nothing is mounted where {file} is looked for"
        path = folder / name / file
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(certificate.get(file, b"x" * 40))
    config = folder / "gateway.yaml"
    config.write_text(text.replace("/run/secrets/", f"{folder}/"))
    return load(config, {it.name: it.value or "" for it in container.env}, mistakes)


@pytest.mark.parametrize("case", CASES)
def test_the_gateway_accepts_it(
    case: str, releases: dict[str, Release], certificate: dict[str, bytes], tmp_path: Path
) -> None:
    settings = check(releases[case], tmp_path, certificate)
    (container,) = releases[case].gateway().spec.containers
    assert settings.server.host == "0.0.0.0"
    assert [it.container_port for it in container.ports] == [
        settings.server.port,
        settings.server.operations_port,
    ]
    kinds = {"sandbox": "memory", "development": "sqlite"}
    assert settings.store.kind == kinds.get(case, "valkey")


def test_the_sandbox_is_reached_where_it_is(releases: dict[str, Release]) -> None:
    environment = yaml.safe_load(releases["sandbox"].configuration())["environments"]["sandbox"]
    service = releases["sandbox"].one("Service", "-sandbox")
    (port,) = service.read("spec.ports", list[dict[str, object]])
    assert environment["site"] == f"http://{service.metadata.name}:{port['port']}"
    args = (
        releases["sandbox"]
        .one("Deployment", "-sandbox")
        .read("spec.template.spec.containers", list[dict[str, object]])
    )
    assert f"--port={port['port']}" in str(args[0]["args"])


def test_valkey_is_reached_where_it_is(releases: dict[str, Release]) -> None:
    store = yaml.safe_load(releases["production"].configuration())["store"]
    service = releases["production"].one("Service", "-valkey")
    assert store == {
        "kind": "valkey",
        "valkey": {
            "address": f"{service.metadata.name}:6379",
            "password": {"file": "/run/secrets/valkey/password"},
        },
    }


def test_a_store_of_the_chart_can_be_changed_in_part(values: dict[str, Values]) -> None:
    change = "config: {store: {kind: valkey, valkey: {address: 'proxy:1', timeout: 0.5, prefix: mine}}}"
    store = yaml.safe_load(render(changed(values["production"], change)).configuration())["store"]["valkey"]
    assert (store["address"], store["timeout"], store["prefix"]) == ("proxy:1", 0.5, "mine")
    assert store["password"] == {"file": "/run/secrets/valkey/password"}


def test_adapters_keep_their_order(
    releases: dict[str, Release], certificate: dict[str, bytes], tmp_path: Path
) -> None:
    settings = check(releases["everything"], tmp_path, certificate)
    options = settings.tenants["plant"].adapter_options()
    assert list(options) == ["rest", "connector", "batch"]
    assert options["connector"] == {"exports": {"Vendor": {"connector": "EXP_VENDOR"}}}


def test_one_adapter_may_be_a_mapping(values: dict[str, Values]) -> None:
    change = "config: {tenants: {plant-a-test: {adapters: {rest: {writes: false}}}}}"
    tenants = yaml.safe_load(render(changed(values["development"], change)).configuration())["tenants"]
    assert tenants["plant-a-test"]["adapters"] == {"rest": {"writes": False}}


def test_what_is_given_arrives_unchanged(values: dict[str, Values]) -> None:
    """Texts that look like something else, large and small numbers, what is switched off."""
    given = yaml.safe_load(
        """
        environments:
          "007":
            zone: Europe/Amsterdam
            quota: {day: {reset: "12:30"}, burst: {headroom: 0, margin: 0.25}, local_share: 0.0001}
        tenants:
          "1e3":
            environment: "007"
            company: "0x1F"
            credentials: {username: "1_000", api_key: {env: "NO"}, password: {env: "~"}}
            multilingual: false
            quota: {day: "30%"}
            cache: {longest: 0}
            adapters: [rest, "123"]
          "null": {environment: "007", adapters: ["off", connector: {credentials_in_url: false}]}
        clients:
          "001": {scopes: [read], tenants: ["*"], subject: "2024-01-01"}
          "true": {scopes: [read], tenants: ["null"], subject: "yes # no: {{ maybe }}"}
        server: {limits: {upload: 524288000}, drain_delay: 0, log: {show_keys: false}}
        """
    )
    release = render({**values["development"], "config": given})
    arrived = yaml.safe_load(release.configuration())
    added = {"host": "0.0.0.0", "port": 8080, "operations_port": 9090, "shutdown_timeout": 35}
    assert arrived == {**given, "server": {**added, **given["server"]}}
    assert release.gateway().spec.termination_grace_period_seconds == 0 + 35 + 10


LIVE = "config: {tenants: {plant-b: {language: FR}}}"
SERVER = "config: {server: {max_timeout: 200}}"
STORE = "config: {store: {valkey: {timeout: 2}}}"


@pytest.mark.parametrize(
    ("mode", "change", "restarts"),
    [
        ("live", "{}", False),
        ("live", LIVE, False),
        ("live", SERVER, True),
        ("live", STORE, True),
        ("restart", "{}", False),
        ("restart", LIVE, True),
        ("restart", SERVER, True),
        ("live", "replicas: 3\nmonitoring: {serviceMonitor: {enabled: false}}", False),
    ],
)
def test_pods_start_anew_when_they_must(
    values: dict[str, Values], mode: str, change: str, restarts: bool
) -> None:
    base = changed(values["on-premises"], f"configReload: {mode}")
    before, after = (_template(render(it)) for it in (base, changed(base, change)))
    assert (before != after) is restarts


def test_a_rollout_alone_brings_a_change(values: dict[str, Values]) -> None:
    """A running pod that took the file over itself would do so before the first new one has shown that it is right."""
    live, restart, own = (
        yaml.safe_load(render(changed(values["on-premises"], text)).configuration())["server"].get("reload")
        for text in (
            "configReload: live",
            "configReload: restart",
            "{configReload: restart, config: {server: {reload: 30}}}",
        )
    )
    assert (live, restart, own) == (None, 0, 30)


def test_pods_that_never_look_at_their_file_start_anew(values: dict[str, Values]) -> None:
    base = changed(values["on-premises"], "config: {server: {reload: 0}}")
    assert _template(render(base)) != _template(render(changed(base, LIVE)))


def test_the_order_of_adapters_counts_as_a_change(values: dict[str, Values]) -> None:
    base = changed(values["development"], "configReload: restart")
    turned = changed(base, "config: {tenants: {plant-a-test: {adapters: [batch, rest]}}}")
    assert _template(render(base)) != _template(render(turned))


def test_valkey_starts_anew_when_its_configuration_changes(values: dict[str, Values]) -> None:
    base = values["production"]
    before, after = (
        _annotations(render(it).one("StatefulSet", "-valkey"))
        for it in (base, changed(base, "valkey: {maxmemory: 1gb}"))
    )
    assert before != after


def _template(release: Release) -> dict[str, object]:
    """What a rollout goes by."""
    return release.one("Deployment").read("spec.template", dict[str, object])


def _annotations(manifest: Manifest) -> dict[str, str]:
    return manifest.read("spec.template.metadata.annotations", dict[str, str])
