"""What a right configuration becomes: values, defaults, secrets, files, the fingerprint and the schema."""

from __future__ import annotations

import pickle
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import pytest
import yaml
from openapi_schema_validator import OAS31Validator

from contracts.entities import standard_schema
from contracts.schema import PropertyType
from contracts.wire import Slot
from gateway.demo.run import SECRETS
from gateway.registry import discover
from gateway.settings import (
    CredentialSettings,
    EnvironmentSettings,
    Problem,
    Secret,
    Settings,
    TenantSettings,
    data_model,
    decode_options,
    json_schema,
    load,
    parse,
)

DEMO = Path(__file__).parents[3] / "gateway" / "demo" / "demo.yaml"
HASH = "sha256:" + "0" * 64
ELEMENT = "01234567-89ab-cdef-0123-456789abcdef"
FULL = f"""
server:
  host: 0.0.0.0
  port: 80
  operations_port: 9090
  cursor_secret: {{file: cursor.txt}}
  default_timeout: 10
  log: {{format: json, level: debug, show_keys: true}}
  limits: {{body: 1000}}
  jwt: {{issuer: https://idp, audience: gateway, keys_file: jwks.json, subject_claim: azp}}
environments:
  plant-a:
    rest: https://customer.ultimo.net/api/v1/
    site: https://customer.ultimo.net/Ultimo/
    addresses: {{letterbox: https://letters.example/}}
    zone: Europe/Amsterdam
    proxy: http://proxy:3128
    timeouts: {{connect: 1, read: 2.5}}
    entities:
      Contract: {{properties: {{Code: string, Lines: {{collection: ContractLine}}}}}}
      ContractLine: {{key: [Contract, LineId], automatic_key: true}}
      Equipment: {{open: true, properties: {{Weight: decimal}}}}
tenants:
  plant-a-erp:
    environment: plant-a
    credentials: {{api_key: {{env: PLANT_A_KEY}}, username: gateway, password: {{file: password.txt}}}}
    client_certificate: {{cert_file: cert.pem, key_file: cert.pem}}
    company: "001"
    multilingual: true
    adapters: {{rest: {{actions: {{REST_Mine: {{element: "{ELEMENT}"}}}}}}, batch: }}
    routes: {{Job: [batch, rest], _MyEntity: [rest]}}
    scan_limit: 1000
    language: NL
clients:
  erp:
    keys: ["{HASH}"]
    scopes: [read, write]
    tenants: [plant-a-erp]
  crm: {{subject: crm-service, scopes: [read], tenants: ["*"]}}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "cursor.txt").write_text("a cursor secret of 32 bytes or more\n")
    (tmp_path / "jwks.json").write_text("{}")
    (tmp_path / "password.txt").write_text("the-password\n")
    (tmp_path / "cert.pem").write_text("")
    return tmp_path


def full(folder: Path, text: str = FULL, key: str = "the-api-key") -> Settings:
    return parse(text, {"PLANT_A_KEY": key}, folder)


def test_every_value_arrives(folder: Path) -> None:
    settings = full(folder)
    server, tenant = settings.server, settings.tenants["plant-a-erp"]
    assert (server.host, server.port, server.operations_port, server.default_timeout) == (
        "0.0.0.0",
        80,
        9090,
        10,
    )
    assert (server.log.format, server.log.level, server.log.show_keys, server.limits.body) == (
        "json",
        "debug",
        True,
        1000,
    )
    assert server.jwt is not None
    assert (server.jwt.keys_file, server.jwt.subject_claim) == (folder / "jwks.json", "azp")
    assert settings.environments["plant-a"].zone == ZoneInfo("Europe/Amsterdam")
    assert settings.environments["plant-a"].timeouts.read == 2.5
    assert (tenant.company, tenant.language, tenant.multilingual) == ("001", "NL", True)
    assert tenant.client_certificate is not None
    assert tenant.client_certificate.cert_file == folder / "cert.pem"
    assert tenant.adapter_options() == {"rest": {"actions": {"REST_Mine": {"element": ELEMENT}}}, "batch": {}}
    assert (tenant.routes, tenant.scan_limit) == ({"Job": ("batch", "rest"), "_MyEntity": ("rest",)}, 1000)
    assert settings.clients["crm"].subject == "crm-service"


@pytest.mark.parametrize(
    ("written", "places"),
    [
        ("[connector, rest]", ["adapters[0]", "adapters[1]"]),
        ("{connector: {a: 1}, rest: }", ["adapters.connector", "adapters.rest"]),
        ("[connector: {a: 1}, rest]", ["adapters[0].connector", "adapters[1]"]),
        ("[connector, rest: ]", ["adapters[0]", "adapters[1].rest"]),
    ],
)
def test_adapters_are_in_the_order_of_preference_however_they_are_written(
    written: str, places: list[str]
) -> None:
    text = f"""
environments: {{plant: {{zone: UTC}}}}
tenants: {{erp: {{environment: plant, adapters: {written}}}}}
clients: {{c: {{keys: ['{HASH}'], scopes: [read], tenants: [erp]}}}}
"""
    tenant = parse(text, {}, Path()).tenants["erp"]
    options = tenant.adapter_options()
    assert list(options) == ["connector", "rest"]
    assert options["connector"] == ({"a": 1} if "a: 1" in written else {})
    assert [tenant.adapter_path(name) for name in options] == places


def test_the_data_model_is_the_standard_one_with_what_is_configured(folder: Path) -> None:
    model = data_model(full(folder).environments["plant-a"].entities)
    line, equipment = model.entity("contractline"), model.entity("Equipment")
    assert (line.key, line.automatic_key) == (("Contract", "LineId"), True)
    assert line.properties["contract"].type is PropertyType.REFERENCE
    assert model.entity("Contract").properties["lines"].target == "ContractLine"
    assert (equipment.open, equipment.properties["weight"].type) == (True, PropertyType.DECIMAL)
    assert equipment.properties.keys() > standard_schema().entity("Equipment").properties.keys()
    assert data_model({}) == standard_schema()


def test_what_is_left_out_has_the_documented_default() -> None:
    settings = load(DEMO, SECRETS)
    assert settings.server.max_timeout == 300
    assert settings.environments["sandbox"].timeouts.connect == 5
    assert settings.tenants["demo"].adapter_options() == {"rest": {}, "batch": {}}
    assert (settings.tenants["demo"].routes, settings.tenants["demo"].scan_limit) == ({}, 250_000)
    assert settings.server.limits.batch == 20 * 1024 * 1024


def test_an_address_is_given_without_its_last_slash(folder: Path) -> None:
    environment = full(folder).environments["plant-a"]
    assert environment.address("rest") == "https://customer.ultimo.net/api/v1"
    assert environment.address("site") == "https://customer.ultimo.net/Ultimo"
    assert environment.address("letterbox") == "https://letters.example"
    assert environment.address("soap") is None
    bare = EnvironmentSettings(zone=ZoneInfo("UTC"))
    assert (bare.address("rest"), bare.address("site")) == (None, None)


def test_a_client_sees_its_tenants_or_all(folder: Path) -> None:
    clients = full(folder).clients
    assert clients["erp"].sees("plant-a-erp")
    assert not clients["erp"].sees("other")
    assert clients["crm"].sees("other")


def test_secrets_come_from_the_environment_and_from_files(folder: Path) -> None:
    settings = full(folder)
    assert settings.tenants["plant-a-erp"].credentials.slots() == {
        Slot.API_KEY: "the-api-key",
        Slot.USERNAME: "gateway",
        Slot.PASSWORD: "the-password",
    }
    assert sorted(secret.reveal() for secret in settings.secrets()) == [
        "a cursor secret of 32 bytes or more",
        "the-api-key",
        "the-password",
    ]
    assert CredentialSettings().slots() == {}


def test_a_secret_is_printed_nowhere() -> None:
    secret = Secret("hunter2")
    assert f"{secret} {secret!r} {[secret]}" == "*** *** [***]"
    tenant = TenantSettings(environment="a", credentials=CredentialSettings(api_key=secret))
    assert "hunter2" not in repr(tenant)
    with pytest.raises(TypeError):
        msgspec.json.encode(tenant)
    with pytest.raises(TypeError):
        pickle.dumps(secret)


def test_secrets_compare_by_value() -> None:
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"


def test_the_fingerprint_is_of_what_is_configured_and_not_of_secrets(folder: Path) -> None:
    fingerprint = full(folder).fingerprint()
    assert fingerprint == full(folder, "# a comment\n" + FULL, key="rotated").fingerprint()
    assert fingerprint != full(folder, FULL.replace("port: 80", "port: 81")).fingerprint()
    assert len(fingerprint) == 16
    clients = FULL[FULL.index("  erp:\n") : FULL.index("  crm:")]
    assert fingerprint == full(folder, FULL.replace(clients, "") + clients).fingerprint()


def test_settings_can_be_made_without_a_file() -> None:
    environment = EnvironmentSettings(rest="http://127.0.0.1:1", zone=ZoneInfo("UTC"))
    assert Settings(environments={"a": environment}, tenants={}, clients={}).secrets() == ()


class Action(msgspec.Struct, frozen=True):
    element: str


class Options(msgspec.Struct, frozen=True):
    actions: dict[str, Action] = {}


def test_adapter_options_are_decoded_later_and_still_know_their_lines(folder: Path) -> None:
    def decoded(text: str) -> tuple[Options | None, list[Problem]]:
        given = full(folder, text).tenants["plant-a-erp"].adapter_options()["rest"]
        return decode_options(Options, given, "rest")

    line = 1 + FULL[: FULL.index("adapters:")].count("\n")
    assert decoded(FULL) == (Options({"REST_Mine": Action(ELEMENT)}), [])
    assert decoded(FULL.replace("element", "elemnt")) == (
        Options({}),
        [
            Problem("rest.actions.REST_Mine.elemnt", "unknown key, did you mean 'element'?", line),
            Problem("rest.actions.REST_Mine.element", "is missing; expected a text", line),
        ],
    )
    assert decoded(FULL.replace("actions", "acts")) == (
        Options({}),
        [Problem("rest.acts", "unknown key, did you mean 'actions'?", line)],
    )


def test_the_schema_takes_the_demo_and_refuses_what_the_loader_refuses() -> None:
    validator = OAS31Validator(json_schema({name: spec.options for name, spec in discover().items()}))
    demo = yaml.safe_load(DEMO.read_text())
    assert [error.message for error in validator.iter_errors(demo)] == []
    right = yaml.safe_load(FULL)
    assert [error.message for error in validator.iter_errors(right)] == []
    right["environments"]["plant-a"]["entities"]["Contract"]["properties"]["Code"] = "strng"
    assert not validator.is_valid(right)
    for part, name, value in (
        ("tenants", "api_key", "plain"),
        ("clients", "scopes", ["admin"]),
        ("clients", "keys", ["demo-key"]),
        ("tenants", "adapers", ["rest"]),
        ("tenants", "routes", {"Job": "rest"}),
        ("tenants", "entities", {"Job": {"properties": {"Code": "strng"}}}),
        ("tenants", "adapters", {"rest": {"wrties": False}}),
        ("tenants", "adapters", {"connector": {"exports": {"Job": {"connector": ""}}}}),
        ("tenants", "adapters", {"soap": {"exports": {"Job": {"connector": "E", "format": "xls"}}}}),
    ):
        wrong = yaml.safe_load(DEMO.read_text())
        entry = wrong[part]["demo"]
        (entry["credentials"] if name == "api_key" else entry)[name] = value
        assert not validator.is_valid(wrong), name
    for adapters in ({"rest": None, "elsewhere": {"loud": True}}, ["rest", "elsewhere"]):
        demo["tenants"]["demo"]["adapters"] = adapters
        assert [error.message for error in validator.iter_errors(demo)] == []
