"""The demo: four tenants, and connectors for everything that the sandbox has."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from adapters.sandbox.entities import build_model
from adapters.sandbox.keys import default_keys
from gateway.demo.run import SECRETS, ZONE, demo_settings
from gateway.settings import data_model

SETTINGS = demo_settings("http://127.0.0.1:1/api/v1", "http://127.0.0.1:1")
MODEL = build_model()
ENTITIES = {entity.name for entity in MODEL if not entity.link}


def connectors(tenant: str, adapter: str, kind: str) -> dict[str, Mapping[str, object]]:
    given = SETTINGS.tenants[tenant].adapter_options()[adapter][kind]
    assert isinstance(given, dict)
    return given


@pytest.mark.parametrize(("tenant", "adapter"), [("demo-connector", "connector"), ("demo-soap", "soap")])
def test_every_entity_can_be_exported_narrowed_by_its_key_alone(tenant: str, adapter: str) -> None:
    exports = connectors(tenant, adapter, "exports")
    assert exports.keys() == ENTITIES
    for entity, export in exports.items():
        output = export.get("format")
        assert export["connector"] == f"EXP_{entity}{f'_{output}' if output else ''}".upper()
        assert export["filters"] == ["Id"]
    assert {export.get("format") for export in exports.values()} == {None, "csv", "json"}


@pytest.mark.parametrize(
    ("tenant", "adapter"),
    [("demo-onprem", "connector"), ("demo-connector", "connector"), ("demo-soap", "soap")],
)
def test_every_entity_can_be_imported(tenant: str, adapter: str) -> None:
    imports = connectors(tenant, adapter, "imports")
    assert {entity: item["connector"] for entity, item in imports.items()} == {
        entity: f"IMP_{entity.upper()}" for entity in ENTITIES
    }


def test_the_entities_of_the_sandbox_are_those_of_the_demo() -> None:
    (environment,) = SETTINGS.environments.values()
    assert {entity.name for entity in data_model(environment.entities).entities.values()} >= ENTITIES
    assert (environment.rest, environment.site) == ("http://127.0.0.1:1/api/v1", "http://127.0.0.1:1")
    assert environment.zone.key == ZONE


def test_on_premises_a_key_writes_nothing_and_runs_workflows() -> None:
    (key,) = (key for key in default_keys() if key.secret == SECRETS["SANDBOX_ONPREM_KEY"])
    assert key.read_only
    assert key.may_run("REST_ReportJob")
    assert SETTINGS.tenants["demo-onprem"].adapter_options()["rest"] == {"writes": False}
