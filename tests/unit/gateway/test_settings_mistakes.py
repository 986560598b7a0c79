"""What a wrong configuration is told: the place, what was expected, a suggestion; all at once, no secret."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from gateway.settings import ConfigurationError, load, parse

HASH = "sha256:" + "0" * 64
OTHER_HASH = "sha256:" + "1" * 64
RIGHT = f"""\
server:
  port: 8080
environments:
  plant-a:
    rest: https://customer.ultimo.net/api/v1
    zone: Europe/Amsterdam
tenants:
  erp:
    environment: plant-a
    credentials: {{api_key: {{env: KEY}}}}
    adapters: [rest]
clients:
  one:
    keys: ["{HASH}"]
    scopes: [read, write]
    tenants: [erp]
  two:
    keys: ["{OTHER_HASH}"]
    scopes: [read]
    tenants: ["*"]
"""
ENVIRON = {"KEY": "k" * 32, "SHORT": "k" * 31, "EMPTY": "", "LINES": "a\nb"}


def problems(text: str, folder: Path = Path()) -> list[str]:
    try:
        parse(text, ENVIRON, folder)
    except ConfigurationError as error:
        return [str(problem) for problem in error.problems]
    return []


def test_nothing_is_wrong_with_the_right_one() -> None:
    assert problems(RIGHT) == []


ADDRESS = "expected an address such as 'https://customer.ultimo.net/api/v1'"
NAME = "a name of at most 40 small letters, digits and hyphens, not beginning with a hyphen"
MISTAKES = [
    ("adapters:", "adapers:", "tenants.erp.adapers: unknown key, did you mean 'adapters'? (line 11)"),
    ("adapters:", "zzz:", "tenants.erp.zzz: unknown key (line 11)"),
    (
        "port: 8080",
        "port: 80800",
        "server.port: expected a port from 0 (any that is free) to 65535, found 80800 (line 2)",
    ),
    (
        "port: 8080",
        "port: '8080'",
        "server.port: expected a port from 0 (any that is free) to 65535, found a text (line 2)",
    ),
    (
        "port: 8080",
        "log: {level: warn}",
        "server.log.level: expected one of 'debug', 'info', 'warning', 'error', found a text, "
        "did you mean 'warning'? (line 2)",
    ),
    ("port: 8080", "log: [json]", "server.log: expected a mapping, found a list (line 2)"),
    ("port: 8080", "log:", "server.log: expected a mapping, found nothing (line 2)"),
    (
        "port: 8080",
        "operations_port: 8080",
        "server.operations_port: is the same as 'port'; leave it out to use one port (line 2)",
    ),
    ("port: 8080", "default_timeout: 301", "server.default_timeout: is longer than 'max_timeout' (line 2)"),
    (
        "zone: Europe/Amsterdam",
        "zone: Europe/Amsterdm",
        "environments.plant-a.zone: there is no time zone of this name, did you mean 'Europe/Amsterdam'? (line 6)",
    ),
    (
        "    zone: Europe/Amsterdam\n",
        "",
        "environments.plant-a.zone: is missing (line 4)",
    ),
    ("https://customer", "ftp://customer", f"environments.plant-a.rest: {ADDRESS} (line 5)"),
    ("https://customer", "customer", f"environments.plant-a.rest: {ADDRESS} (line 5)"),
    (
        "https://customer",
        "https://me:hunter2@customer",
        "environments.plant-a.rest: must not hold a user name or a password (line 5)",
    ),
    ("/api/v1", "/api/v1?key=hunter2", "environments.plant-a.rest: must end before '?' and '#' (line 5)"),
    (
        "/api/v1",
        "/api/vé",
        "environments.plant-a.rest: holds a character that an address cannot have; percent-encode it (line 5)",
    ),
    ("  two:\n", "  Two:\n", f"clients.Two: expected {NAME}, found a text (line 17)"),
    (
        "    environment: plant-a\n",
        "",
        f"tenants.erp.environment: is missing; expected {NAME} (line 8)",
    ),
    ("[erp]", "[erb]", "clients.one.tenants[0]: there is no tenant 'erb', did you mean 'erp'? (line 16)"),
    (
        "environment: plant-a",
        "environment: plant-b",
        "tenants.erp.environment: there is no environment 'plant-b', did you mean 'plant-a'? (line 9)",
    ),
    (
        "{env: KEY}",
        "hunter2",
        "tenants.erp.credentials.api_key: a secret does not stand in this file; "
        "expected {env: NAME} or {file: PATH} (line 10)",
    ),
    (
        "{env: KEY}",
        "{env: KEJ}",
        "tenants.erp.credentials.api_key: the environment variable KEJ is not set, did you mean 'KEY'? (line 10)",
    ),
    (
        "{env: KEY}",
        "{env: KEY, file: x}",
        "tenants.erp.credentials.api_key: expected {env: NAME} or {file: PATH}, found a mapping (line 10)",
    ),
    (
        "{env: KEY}",
        "{env: EMPTY}",
        "tenants.erp.credentials.api_key: the environment variable EMPTY is empty (line 10)",
    ),
    (
        "{env: KEY}",
        "{env: LINES}",
        "tenants.erp.credentials.api_key: the environment variable LINES holds line breaks or control characters "
        "(line 10)",
    ),
    (
        "{env: KEY}",
        "{file: nowhere.txt}",
        "tenants.erp.credentials.api_key: the file nowhere.txt cannot be read: No such file or directory (line 10)",
    ),
    (
        "adapters: [rest]",
        "company: 001",
        "tenants.erp.company: expected at most 100 plain ASCII characters, trimmed, "
        "found 1; put it in quotes (line 11)",
    ),
    (
        "adapters: [rest]",
        "language: NO",
        "tenants.erp.language: expected a language tag such as 'NL' or 'en-US', "
        "found false; put it in quotes (line 11)",
    ),
    ("adapters: [rest]", "adapters: []", "tenants.erp.adapters: expected at least one adapter (line 11)"),
    ("adapters: [rest]", "adapters: [rest, rest]", "tenants.erp.adapters: names an adapter twice (line 11)"),
    (
        "adapters: [rest]",
        "adapters: [rest, {rest: }]",
        "tenants.erp.adapters: names an adapter twice (line 11)",
    ),
    ("adapters: [rest]", "adapters: [{}]", "tenants.erp.adapters: expected at least one adapter (line 11)"),
    (
        "adapters: [rest]",
        "adapters: [rest, {batch: , connector: }]",
        "tenants.erp.adapters: expected one adapter in each item of the list (line 11)",
    ),
    (
        "adapters: [rest]",
        "adapters: [rest, {}]",
        "tenants.erp.adapters: expected one adapter in each item of the list (line 11)",
    ),
    (
        "scopes: [read, write]",
        "scopes: [read, rite]",
        "clients.one.scopes[1]: expected one of 'read', 'write', found a text, did you mean 'write'? (line 15)",
    ),
    ("scopes: [read, write]", "scopes: []", "clients.one.scopes: expected 'read', 'write' or both (line 15)"),
    (
        HASH,
        "demo-key",
        "clients.one.keys[0]: expected 'sha256:' and 64 hexadecimal digits, as "
        "`ultimo-gateway keys new` prints them, found a text (line 14)",
    ),
    (OTHER_HASH, HASH, "clients.two.keys[0]: belongs to client 'one' already (line 18)"),
    (
        f'keys: ["{HASH}"]',
        "keys: []",
        "clients.one: expected 'keys' or 'subject', else nobody can be this client (line 13)",
    ),
    (
        f'keys: ["{HASH}"]',
        "subject: erp",
        "clients.one.subject: is compared with tokens, which need 'server.jwt' (line 14)",
    ),
    (
        "scopes: [read]",
        "scopes: [read]\n    scopes: [read]",
        "clients.two.scopes: this key stands in line 19 already (line 20)",
    ),
    (
        "scopes: [read]",
        "scopes: !!set {read}",
        "clients.two.scopes: expected a list, found a mapping (line 19)",
    ),
    ("  port: 8080", "  8080: port", "server: a key must be a text; put it in quotes (line 2)"),
    (
        "port: 8080",
        "jwt: {issuer: i, audience: a}",
        "server.jwt: expected either 'keys_file' or 'secret' (line 2)",
    ),
    (
        "port: 8080",
        "cursor_secret: {env: SHORT}",
        "server.cursor_secret: is too short to sign with; at least 32 bytes are needed (line 2)",
    ),
    (
        "port: 8080",
        "jwt: {issuer: i, audience: a, algorithms: [HS256], secret: {env: SHORT}}",
        "server.jwt.secret: is too short to sign with; at least 32 bytes are needed (line 2)",
    ),
    (
        "https://customer",
        "http://customer",
        "environments.plant-a.rest: sends credentials and records in clear text; use https, "
        "or say 'allow_http: true' in this environment (line 5)",
    ),
    (
        "zone: Europe/Amsterdam",
        "zone: Europe/Amsterdam\n    site: http://customer.ultimo.net",
        "environments.plant-a.site: sends credentials and records in clear text; use https, "
        "or say 'allow_http: true' in this environment (line 7)",
    ),
    (
        "zone: Europe/Amsterdam",
        "zone: Europe/Amsterdam\n    site: customer",
        "environments.plant-a.site: expected an address such as 'https://customer.ultimo.net/Ultimo' (line 7)",
    ),
    (
        "zone: Europe/Amsterdam",
        "zone: Europe/Amsterdam\n    site: https://customer.ultimo.net/WebServices",
        "environments.plant-a.site: is the address of one interface; a site's ends before '/WebServices', as in "
        "'https://customer.ultimo.net/Ultimo' (line 7)",
    ),
    (
        "zone: Europe/Amsterdam",
        "zone: Europe/Amsterdam\n    site: https://customer.ultimo.net/Ultimo/webservices/Connector.ashx",
        "environments.plant-a.site: is the address of one interface; a site's ends before '/WebServices', as in "
        "'https://customer.ultimo.net/Ultimo' (line 7)",
    ),
    (
        "zone: Europe/Amsterdam",
        "zone: Europe/Amsterdam\n    site: https://customer.ultimo.net/api/v1/",
        "environments.plant-a.site: is the address of one interface; a site's ends before '/WebServices', as in "
        "'https://customer.ultimo.net/Ultimo' (line 7)",
    ),
    (
        "adapters: [rest]",
        "entities: {Contract: {}, CONTRACT: {}}",
        "tenants.erp.entities.CONTRACT: stands here as 'Contract' already (line 11)",
    ),
    (
        "adapters: [rest]",
        "entities: {Contract: {properties: {V: {reference: Vendr}}}}",
        "tenants.erp.entities.Contract.properties.V: there is no entity 'Vendr', did you mean 'Vendor'? (line 11)",
    ),
    (
        "adapters: [rest]",
        "entities: {BuildingPart: {key: [Site, Id]}}",
        "tenants.erp.entities.BuildingPart.key: BuildingPart is there already and keeps its key (Building, Id); "
        "take this out (line 11)",
    ),
    (
        "zone: Europe/Amsterdam",
        "zone: Europe/Amsterdam\n    addresses: {letterbox: http://letters.example}",
        "environments.plant-a.addresses.letterbox: sends credentials and records in clear text; use https, "
        "or say 'allow_http: true' in this environment (line 7)",
    ),
    (
        "zone: Europe/Amsterdam",
        "zone: Europe/Amsterdam\n    addresses: {site: https://customer.ultimo.net}",
        "environments.plant-a.addresses.site: is set as 'site' of the environment itself (line 7)",
    ),
    (
        "adapters: [rest]",
        "password: x",
        "tenants.erp.password: unknown key (line 11)",
    ),
    (
        "{api_key: {env: KEY}}",
        "{api_key: {env: KEY}, password: hunter2}",
        "tenants.erp.credentials.password: a secret does not stand in this file; expected {env: NAME} or "
        "{file: PATH} (line 10)",
    ),
    (
        "adapters: [rest]",
        "routes: {Equipmnt: [rest]}",
        "tenants.erp.routes.Equipmnt: there is no entity 'Equipmnt', did you mean 'Equipment'? (line 11)",
    ),
    (
        "adapters: [rest]",
        "routes: {Job: [batch]}",
        "tenants.erp.routes.Job[0]: the tenant has no adapter 'batch'; it has rest (line 11)",
    ),
    (
        "adapters: [rest]",
        "routes: {Job: [rset]}",
        "tenants.erp.routes.Job[0]: the tenant has no adapter 'rset', did you mean 'rest'? (line 11)",
    ),
    (
        "adapters: [rest]",
        "routes: {Job: [rest, rest]}",
        "tenants.erp.routes.Job: names an adapter twice (line 11)",
    ),
    (
        "adapters: [rest]",
        "routes: {Job: []}",
        "tenants.erp.routes.Job: expected at least one adapter (line 11)",
    ),
    (
        "adapters: [rest]",
        "routes: {Job: [rest], JOB: [rest]}",
        "tenants.erp.routes.JOB: stands here as 'Job' already (line 11)",
    ),
    (
        "adapters: [rest]",
        "scan_limit: 0",
        "tenants.erp.scan_limit: expected a whole number, at least 1, found 0 (line 11)",
    ),
    (
        "zone: Europe/Amsterdam",
        "zone: Europe/Amsterdam\n    proxy: proxy:3128",
        "environments.plant-a.proxy: expected an address such as 'http://proxy.example:3128' (line 7)",
    ),
    (
        "port: 8080",
        "jwt: {issuer: i, audience: a, secret: {env: KEY}}",
        "server.jwt.algorithms: 'secret' goes with HS256, HS384 and HS512; take out RS256 (line 2)",
    ),
]


@pytest.mark.parametrize(("old", "new", "told"), MISTAKES, ids=[new[:40] for _, new, _ in MISTAKES])
def test_a_mistake_is_told_once_with_its_place_and_a_hint(old: str, new: str, told: str) -> None:
    assert RIGHT.count(old) >= 1
    assert problems(RIGHT.replace(old, new, 1)) == [told]


@pytest.mark.parametrize(
    "address", ["http://localhost:1", "http://127.1.2.3/api/v1", "http://[::1]:80", "HTTP://LOCALHOST"]
)
def test_an_address_on_this_machine_needs_no_tls(address: str) -> None:
    assert problems(RIGHT.replace("https://customer.ultimo.net/api/v1", address)) == []


def test_an_address_without_tls_can_be_allowed() -> None:
    plain = RIGHT.replace("https://customer", "http://customer")
    assert problems(plain.replace("zone:", "allow_http: true\n    zone:")) == []


def test_an_entity_of_the_environments_own_can_be_routed() -> None:
    own = RIGHT.replace("zone:", "entities: {Contract: {}}\n    zone:")
    assert problems(own.replace("adapters:", "routes: {contract: [rest], _Any: [rest]}\n    adapters:")) == []


def test_a_tenants_own_entity_may_lead_to_those_of_its_environment_and_be_routed() -> None:
    own = RIGHT.replace("zone:", "entities: {Contract: {}}\n    zone:")
    entities = (
        "{contract: {properties: {P: {reference: Permit}}}, Permit: {properties: {C: {reference: Contract}}}}"
    )
    tenant = f"entities: {entities}\n    routes: {{Permit: [rest]}}\n    adapters:"
    assert problems(own.replace("adapters:", tenant)) == []


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file() -> None:
    wrong = RIGHT
    for old, new in (("port: 8080", "prot: 1"), ("[erp]", "[erb]"), ("{env: KEY}", "hunter2")):
        wrong = wrong.replace(old, new)
    assert [line.split(":")[0] for line in problems(wrong)] == [
        "server.prot",
        "tenants.erp.credentials.api_key",
        "clients.one.tenants[0]",
    ]


def test_an_entry_with_a_mistake_is_not_said_to_be_absent_as_well() -> None:
    assert problems(RIGHT.replace("zone: Europe/Amsterdam", "zone: 1")) == [
        "environments.plant-a.zone: expected a time zone such as 'Europe/Amsterdam', found 1 (line 6)"
    ]


@pytest.mark.parametrize("part", ["environments", "tenants", "clients"])
def test_every_part_needs_an_entry(part: str) -> None:
    document = yaml.safe_load(RIGHT)
    document[part] = {}
    told = problems(yaml.safe_dump(document))
    assert any(line.startswith(f"{part}: expected at least one entry") for line in told)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "expected a mapping, found nothing (line 1)"),
        ("[]", "expected a mapping, found a list (line 1)"),
        ("a: [", "not valid YAML: expected the node content, but found '<stream end>' (line 1)"),
        ("a: 1\n---\nb: 2\n", "not valid YAML: but found another document (line 2)"),
        ("a: &x 1", "not valid YAML: anchors and aliases are not used here; write the value out (line 1)"),
        ("a: *x", "not valid YAML: anchors and aliases are not used here; write the value out (line 1)"),
        ("[" * 5000, "not valid YAML: nested more than 32 levels deep (line 1)"),
        ("a: \x00", "not valid YAML: special characters are not allowed"),
        ("#" * 1_000_001, "the file has more than 1000000 characters"),
    ],
)
def test_what_is_no_configuration_at_all_is_refused(text: str, told: str) -> None:
    assert problems(text) == [told]


def test_a_laughing_file_is_refused_before_it_grows() -> None:
    lines = ["a0: &a0 [x, x]"] + [f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 60)]
    assert "anchors and aliases" in problems("\n".join(lines))[0]


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read"):
        load(tmp_path / "absent.yaml", {})
    (tmp_path / "latin.yaml").write_bytes(b"a: \xe9")
    with pytest.raises(ConfigurationError, match="not UTF-8"):
        load(tmp_path / "latin.yaml", {})


def test_a_secret_that_fails_is_named_and_not_printed(tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("hunter2\nhunter3")
    told = problems(RIGHT.replace("{env: KEY}", "{file: secret.txt}"), tmp_path)
    assert told == [
        "tenants.erp.credentials.api_key: the file secret.txt holds line breaks or control characters (line 10)"
    ]


@given(st.text(st.characters(codec="utf-8"), max_size=200))
def test_whatever_the_text_it_is_refused_with_problems(text: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse(text, {}, Path())
    assert caught.value.problems


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
        max_leaves=6,
    ),
    st.sampled_from(["server", "environments", "tenants", "clients"]),
)
def test_whatever_stands_in_a_part_nothing_but_problems_comes_of_it(value: object, part: str) -> None:
    document = yaml.safe_load(RIGHT)
    document[part] = value
    assert all(problems(yaml.safe_dump(document, allow_unicode=True)))
