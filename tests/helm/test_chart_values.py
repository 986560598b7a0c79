"""What may be given to the chart: every value documented and used, wrong ones refused, with a message that helps."""

from __future__ import annotations

import re
from pathlib import Path

import helm_python
import pytest
import yaml
from jsonschema import Draft202012Validator

from tests.helm.cases import changed
from tests.helm.documented import Value, read
from tests.helm.generate import VALKEY, generated, re2
from tests.helm.manifests import CHART, Values, render


@pytest.mark.parametrize("path", generated(), ids=lambda path: str(path.relative_to(CHART)))
def test_what_is_made_is_fresh(path: Path) -> None:
    assert path.read_text() == generated()[path], "run `make chart`"


@pytest.mark.parametrize("chart", [CHART, VALKEY], ids=["gateway", "valkey"])
def test_every_value_is_used(chart: Path) -> None:
    templates = [path.read_text() for path in (chart / "templates").rglob("*.*")]
    unused = [value.path for value in read(chart / "values.yaml") if not _used(value, templates)]
    assert unused == []


def _used(value: Value, templates: list[str]) -> bool:
    """By its whole path, or by its name in a template that begins with its group."""
    group, _, name = value.path.rpartition(".")
    whole = re.compile(rf"\.Values\.{re.escape(value.path)}\b(?!\.)")
    inside = re.compile(rf"with \.Values\.{re.escape(group)} \}}\}}.*[ (]\.{name}\b", re.DOTALL)
    return any(whole.search(text) or inside.search(text) for text in templates)


def test_every_value_has_a_row_in_the_table() -> None:
    table = (CHART / "README.md").read_text()
    paths = [value.path for value in read(CHART / "values.yaml")]
    paths += [f"valkey.{value.path}" for value in read(VALKEY / "values.yaml")]
    assert [path for path in paths if f"\n| `{path}` | " not in table] == []


def test_a_value_without_a_description_is_found(tmp_path: Path) -> None:
    file = tmp_path / "values.yaml"
    file.write_text("# -- What it is.\na: 1\n# no description\nb: {c: 1}\n")
    with pytest.raises(ValueError, match=r"line 4: b\.c has no description"):
        read(file)
    file.write_text("# -- What it is.\na: []\n")
    with pytest.raises(ValueError, match="does not show what the value may be"):
        read(file)


@pytest.mark.parametrize("chart", [CHART, VALKEY], ids=["gateway", "valkey"])
def test_the_defaults_keep_to_the_schema(chart: Path) -> None:
    schema = yaml.safe_load((chart / "values.schema.json").read_text())
    Draft202012Validator.check_schema(schema)
    errors = Draft202012Validator(schema).iter_errors(yaml.safe_load((chart / "values.yaml").read_text()))
    assert [error.message for error in errors] == []


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        (r"^[a-z]+$(?!\n)", "^[a-z]+$"),
        (r"^(\*|[a-z]+)$(?!\n)", r"^(\*|[a-z]+)$"),
        (r"^a(-?)(?:b\1){3}c$(?!\n)", "^a(-?)(?:b-?){3}c$"),
    ],
)
def test_patterns_are_put_into_helms_syntax(pattern: str, expected: str) -> None:
    assert re2(pattern) == expected


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("replica: 3", "additional properties 'replica' not allowed"),
        ("image: {repository: ''}", "/image/repository"),
        ("image: {tags: a}", "additional properties 'tags' not allowed"),
        ("replicas: 0", "/replicas"),
        ("replicas: two", "/replicas"),
        ("image: {digest: latest}", "/image/digest"),
        ("image: {pullPolicy: Sometimes}", "/image/pullPolicy"),
        ("configReload: never", "/configReload"),
        ("resources: big", "/resources"),
        ("podAnnotations: {a: 1}", "/podAnnotations/a"),
        ("persistence: {size: 1GB}", "/persistence/size"),
        ("persistence: {accessModes: [Often]}", "/persistence/accessModes"),
        ("podDisruptionBudget: {maxUnavailable: 0}", "/podDisruptionBudget/maxUnavailable"),
        ("podDisruptionBudget: {maxUnavailable: 0%}", "/podDisruptionBudget/maxUnavailable"),
        ("autoscaling: {cpuPercent: 170}", "/autoscaling/cpuPercent"),
        ("topologySpread: {zone: Always}", "/topologySpread/zone"),
        ("service: {port: 70000}", "/service/port"),
        ("fullnameOverride: Gateway", "/fullnameOverride"),
        ("secrets: {existing: [{name: A}]}", "/secrets/existing/0/name"),
        ("secrets: {existing: [{name: a, key: b}]}", "/secrets/existing/0"),
        ("secrets: {external: [{name: a, store: {name: b}, data: []}]}", "/secrets/external/0/data"),
        ("secrets: {csi: [{name: a}]}", "missing property 'secretProviderClass'"),
        ("networkPolicy: {api: {from: [{}]}}", "/networkPolicy/api/from/0"),
        ("networkPolicy: {upstream: {to: [{cidr: 192.0.2.0/24}]}}", "/networkPolicy/upstream/to/0"),
        ("networkPolicy: {upstream: {ports: []}}", "/networkPolicy/upstream/ports"),
        ("httpRoute: {timeout: 5 minutes}", "/httpRoute/timeout"),
        ("monitoring: {serviceMonitor: {interval: often}}", "/monitoring/serviceMonitor/interval"),
        ("monitoring: {rules: {slo: 99.5}}", "/monitoring/rules/slo"),
        ("sandbox: {limits: 'no'}", "/sandbox/limits"),
        ("valkey: {maxmemory: lots}", "/valkey/maxmemory"),
        ("valkey: {auth: {password: secret}}", "additional properties 'password' not allowed"),
    ],
)
def test_a_wrong_value_is_refused(values: dict[str, Values], change: str, told: str) -> None:
    _refused(changed(values["sandbox"], change), helm_python.HelmValuesError, told)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("config: {tenant: {}}", "additional properties 'tenant' not allowed"),
        ("config: {server: {prt: 80}}", "/config/server"),
        (
            "config: {server: {cursor_secret: in-clear}}",
            "/config/server/cursor_secret': got string, want object",
        ),
        ("config: {tenants: {plant-a-test: {credentials: {api_key: in-clear}}}}", "got string, want object"),
        ("config: {tenants: {plant-a-test: {credentials: {password: {value: a}}}}}", "/credentials/password"),
        ("config: {tenants: {Plant: {environment: a}}}", "invalid propertyName 'Plant'"),
        ("config: {tenants: {a: {}}}", "missing property 'environment'"),
        (
            "config: {tenants: {a: {environment: a, adapters: [{connector: {exprts: {}}}]}}}",
            "'exprts' not allowed",
        ),
        ("config: {tenants: {a: {environment: a, adapters: {rest: {write: false}}}}}", "'write' not allowed"),
        (
            "config: {tenants: {a: {environment: a, adapters: [{rest: {}, soap: {}}]}}}",
            "maxProperties: got 2",
        ),
        ("config: {clients: {developers: {keys: [plain-key]}}}", "does not match pattern"),
        ("config: {clients: {developers: {scopes: [admin]}}}", "/config/clients/developers/scopes"),
        ("config: {environments: {plant-a-test: {quota: {day: {limit: 0}}}}}", "/quota/day/limit"),
        ("config: {store: {kind: postgres}}", "/config/store/kind"),
        ("config: {store: {kind: valkey, valkey: {}}}", "missing property 'address'"),
    ],
)
def test_a_wrong_configuration_is_refused(values: dict[str, Values], change: str, told: str) -> None:
    """As the gateway itself would, but when it is installed."""
    _refused(changed(values["development"], change), helm_python.HelmValuesError, told)


@pytest.mark.parametrize(
    ("case", "change", "told"),
    [
        ("sandbox", "sandbox: {enabled: false}", "config: is empty. Give the gateway's configuration"),
        ("development", "replicas: 2", "cannot share a store of the kind 'sqlite'"),
        ("development", "autoscaling: {enabled: true}", "cannot share a store of the kind 'sqlite'"),
        ("sandbox", "replicas: 2", "cannot share a store of the kind 'memory'"),
        ("development", "config: {store: {kind: memory}}\nreplicas: 3", "of the kind 'memory'"),
        ("development", "config: {store: {file: gateway.db}}", "config.store.file: is outside of the volume"),
        ("production", "autoscaling: {minReplicas: 7}", "minReplicas: is more than maxReplicas"),
        ("production", "autoscaling: {cpuPercent: 0, queueWaitSeconds: 0}", "neither cpuPercent nor"),
        (
            "production",
            "config: {store: {kind: sqlite}}",
            "config.store.kind: is 'sqlite' while valkey.enabled",
        ),
        (
            "production",
            "valkey: {auth: {existingSecret: ''}}",
            "name the Secret that holds Valkey's password",
        ),
        ("production", "secrets: {csi: [{name: valkey, secretProviderClass: a}]}", "have the same name"),
        ("production", "secrets: {existing: [{name: plant-a}]}", "have the same name"),
        ("production", "httpRoute: {parentRefs: []}", "httpRoute.parentRefs: is empty"),
        ("on-premises", "ingress: {hosts: []}", "ingress.hosts: is empty"),
        ("on-premises", "networkPolicy: {store: {to: []}}", "networkPolicy.store.to: is empty"),
        ("development", "config: {server: {operations_port: 8080}}", "must be two ports above 0"),
        ("development", "config: {server: {operations_port: null}}", "must be two ports above 0"),
        ("development", "config: {server: {port: 0}}", "must be two ports above 0"),
        ("development", "config: {server: {host: 127.0.0.1}}", "nobody reaches a pod at '127.0.0.1'"),
        ("development", "config: {store: {kind: valkey}}", "config.store.valkey.address: is missing"),
        (
            "development",
            "config: {tenants: {plant-a-test: {adapters: {rest: {}, batch: {}}}}}",
            "config.tenants.plant-a-test.adapters: Helm does not keep the order",
        ),
    ],
)
def test_what_does_not_fit_together_is_refused(
    values: dict[str, Values], case: str, change: str, told: str
) -> None:
    _refused(changed(values[case], change), helm_python.HelmRenderError, told)


def _refused(values: Values, kind: type[Exception], told: str) -> None:
    with pytest.raises(kind) as refusal:
        render(values)
    assert told in str(refusal.value)


def test_helms_own_values_are_let_in(values: dict[str, Values]) -> None:
    """What a parent chart hands down to all."""
    assert render(changed(values["production"], "global: {team: assets}")).manifests
