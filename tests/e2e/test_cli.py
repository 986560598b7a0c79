"""The command as its users run it: a process of its own, its output, its exit code."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import trustme
import yaml
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from gateway.demo.run import SECRETS
from gateway.keys import hash_key

DEMO = Path(__file__).parents[2] / "gateway" / "demo" / "demo.yaml"
SMALL = Path(__file__).parents[1] / "support" / "small.yaml"
ENVIRON = {**os.environ, **SECRETS}


CONNECTORS = """\
environments:
  plant:
    zone: Europe/Amsterdam
    site: http://customer.ultimo.net/Ultimo/WebServices/
tenants:
  erp:
    environment: plant
    credentials: {username: gateway}
    entities: {Equipment: {key: [Code]}, Contract: {properties: {Code: string}}}
    adapters:
      rest: {wrtes: false,
             actions: {REST_Mine: {element: "1234"}}}
      soap:
        exports:
          Equipment: {connector: EXP_EQ, filters: [Id, Cod]}
          EQUIPMENT: {connector: EXP_EQ, format: xls}
          Vendr: {connector: EXP_VENDOR}
          Job: {connector: ""}
        measurements: ""
    routes: {Job: [batch]}
    scan_limit: 0
clients:
  erp: {keys: ["sha256:c48a01f49fd0f2cc404bc3cbbc80e91457a3d41bb429a695243de4c61794155c"], scopes: [read],
        tenants: [erp]}
"""


def command(*arguments: str, environ: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "gateway.cli", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env=environ or ENVIRON,
    )


def test_it_says_its_version_and_helps() -> None:
    assert command("--version").stdout.startswith("ultimo-gateway ")
    helped = command("--help")
    assert helped.returncode == 0
    assert all(name in helped.stdout for name in ("serve", "demo", "sandbox", "config", "openapi", "keys"))


@pytest.mark.parametrize(
    "arguments",
    [(), ("serve",), ("serv",), ("config",), ("keys", "new", "--nme", "x"), ("serve", "--port", "x")],
)
def test_wrong_usage_is_2_and_shows_the_right_one(arguments: tuple[str, ...]) -> None:
    done = command(*arguments)
    assert done.returncode == 2
    assert "usage: ultimo-gateway" in done.stderr


def test_a_right_configuration_is_fine() -> None:
    for file, tenants in ((DEMO, "4 tenants"), (SMALL, "1 tenant")):
        done = command("config", "check", str(file))
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout == f"{file}: fine (1 environment, {tenants}, 2 clients)\n"


def test_the_configuration_that_the_readme_shows_is_fine(tmp_path: Path) -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text()
    shown = readme.partition("```yaml\n")[2].partition("```")[0]
    for name in re.findall(r"{file: (/run/secrets/[\w-]+)}", shown):
        (tmp_path / Path(name).name).write_text("secret")
    path = tmp_path / "gateway.yaml"
    path.write_text(shown.replace("/run/secrets/", ""))
    done = command("config", "check", str(path), environ={**ENVIRON, "CURSOR_SECRET": "c" * 32})
    assert (done.returncode, done.stderr) == (0, "")


def test_every_mistake_is_a_line_with_file_and_line(tmp_path: Path) -> None:
    path = tmp_path / "wrong.yaml"
    path.write_text(SMALL.read_text().replace("port: 8080", "prot: 8080").replace("[read]", "[reed]"))
    done = command("config", "check", str(path))
    assert done.returncode == 1
    first, second = done.stderr.splitlines()
    assert first == f"{path}:7: server.prot: unknown key, did you mean 'port'?"
    assert second.endswith("expected one of 'read', 'write', found a text, did you mean 'read'?")


@pytest.mark.parametrize(
    ("adapters", "told"),
    [
        (
            "[rest, rset]",
            ":19: tenants.demo.adapters[1]: no adapter of this name is installed, did you mean 'rest'?",
        ),
        ("[zzz]", ":19: tenants.demo.adapters[0]: no adapter of this name is installed; there are: "),
        (
            "{rest: {acctions: {}}}",
            "tenants.demo.adapters.rest.acctions: unknown key, did you mean 'actions'?",
        ),
    ],
)
def test_what_only_adapters_can_find_wrong_is_found_too(tmp_path: Path, adapters: str, told: str) -> None:
    path = tmp_path / "wrong.yaml"
    path.write_text(SMALL.read_text().replace("adapters: [rest]", f"adapters: {adapters}"))
    done = command("config", "check", str(path))
    assert done.returncode == 1
    assert told in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_whatever_is_wrong_with_adapters_is_told_at_once_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "wrong.yaml"
    path.write_text(CONNECTORS)
    done = command("config", "check", str(path))
    assert done.returncode == 1
    assert [line.removeprefix(f"{path}:") for line in done.stderr.splitlines()] == [
        "4: environments.plant.site: is the address of one interface; a site's ends before '/WebServices', as in "
        "'https://customer.ultimo.net/Ultimo'",
        "4: environments.plant.site: sends credentials and records in clear text; use https, or say "
        "'allow_http: true' in this environment",
        "8: tenants.erp.credentials.api_key: is missing; the adapter 'rest' needs it",
        "8: tenants.erp.credentials.password: is missing; the adapter 'soap' needs it",
        "9: tenants.erp.entities.Equipment.key: Equipment is there already and keeps its key (Id); take this out",
        "11: tenants.erp.adapters.rest: the environment 'plant' has no address for 'rest'; "
        "set environments.plant.rest",
        "11: tenants.erp.adapters.rest.wrtes: unknown key, did you mean 'writes'?",
        "12: tenants.erp.adapters.rest.actions.REST_Mine.element: expected an ApplicationElementId: a GUID, with "
        "dashes or without, found a text",
        "15: tenants.erp.adapters.soap.exports.Equipment.filters[1]: 'Cod' is no property of Equipment; "
        'did you mean "Code"?',
        "16: tenants.erp.adapters.soap.exports.EQUIPMENT: Equipment has a connector here already",
        "16: tenants.erp.adapters.soap.exports.EQUIPMENT.format: expected one of 'xml', 'csv', 'json', found a "
        "text, did you mean 'xml'?",
        '17: tenants.erp.adapters.soap.exports.Vendr: there is no such entity; did you mean "Vendor"?',
        "18: tenants.erp.adapters.soap.exports.Job.connector: expected the name of a connector, of at most 200 "
        "characters, found a text",
        "19: tenants.erp.adapters.soap.measurements: expected the name of a connector, of at most 200 characters, "
        "found a text",
        "20: tenants.erp.routes.Job[0]: the tenant has no adapter 'batch'; it has rest, soap",
        "21: tenants.erp.scan_limit: expected a whole number, at least 1, found 0",
    ]


def test_an_environment_without_any_address_is_told_by_each_adapter_that_needs_one(tmp_path: Path) -> None:
    path = tmp_path / "wrong.yaml"
    path.write_text(
        SMALL.read_text().replace("rest: http", "ca_file: http").replace("[rest]", "[rest, connector]")
    )
    told = command("config", "check", str(path)).stderr
    for index, place in enumerate(("rest", "site")):
        assert (
            f"tenants.demo.adapters[{index}]: the environment 'sandbox' has no address for '{place}'; "
            f"set environments.sandbox.{place}\n" in told
        )


def test_adapters_and_all_else_are_told_of_in_one_round(tmp_path: Path) -> None:
    path = tmp_path / "wrong.yaml"
    jwt = "port: 8080\n  jwt: {issuer: i, audience: a, keys_file: jwks.json}"
    wrong = (
        SMALL.read_text().replace("port: 8080", jwt).replace("[read]", "[raed]").replace("[rest]", "[rset]")
    )
    path.write_text(wrong)
    (tmp_path / "jwks.json").write_text("[]")
    told = [line.split(": ")[1] for line in command("config", "check", str(path)).stderr.splitlines()]
    assert told == ["server.jwt.keys_file", "tenants.demo.adapters[0]", "clients.demo-read.scopes[0]"]


def test_an_address_that_looks_wrong_is_a_warning(tmp_path: Path) -> None:
    path = tmp_path / "gateway.yaml"
    path.write_text(SMALL.read_text().replace("/api/v1", "/api"))
    done = command("config", "check", str(path))
    assert done.returncode == 0
    assert done.stderr == (
        f"{path}: warning: environments.sandbox.rest: does not end in '/api/v1', "
        "as addresses of the REST interface do\n"
    )


@pytest.mark.parametrize("name", ["a b", "A: b", "", "-x", "x" * 41])
def test_a_key_is_made_only_for_a_name_that_can_be_configured(name: str) -> None:
    done = command("keys", "new", f"--name={name}")
    assert (done.returncode, done.stdout) == (2, "")
    assert "expected a name of at most 40 small letters" in done.stderr


def test_files_of_tls_are_named_where_they_are_configured(tmp_path: Path) -> None:
    authority = trustme.CA()
    issued = authority.issue_cert("client.example")
    key = load_pem_private_key(issued.private_key_pem.bytes(), None)
    assert isinstance(key, EllipticCurvePrivateKey)
    locked = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"hunter2"))
    (tmp_path / "locked.pem").write_bytes(locked)
    (tmp_path / "client.pem").write_bytes(issued.cert_chain_pems[0].bytes())
    (tmp_path / "none.pem").write_text("nothing")
    path = tmp_path / "gateway.yaml"
    text = SMALL.read_text().replace("zone:", "ca_file: none.pem\n    zone:")
    path.write_text(text)
    told = command("config", "check", str(path)).stderr
    assert told == f"{path}:12: environments.sandbox.ca_file: holds no certificate in PEM form\n"
    certificate = "client_certificate: {cert_file: client.pem, key_file: %s}\n    adapters:"
    for file, reason in (
        ("locked.pem", "the private key is encrypted; store it"),
        ("none.pem", "expected a certificate and the private key that belongs to it"),
    ):
        path.write_text(SMALL.read_text().replace("adapters:", certificate % file))
        told = command("config", "check", str(path)).stderr
        assert told.startswith(f"{path}:19: tenants.demo.client_certificate: {reason}")


def test_a_missing_secret_or_file_is_1_and_named() -> None:
    without = {name: value for name, value in ENVIRON.items() if name != "SANDBOX_KEY"}
    done = command("serve", "--config", str(SMALL), environ=without)
    assert done.returncode == 1
    assert "the environment variable SANDBOX_KEY is not set" in done.stderr
    done = command("serve", "--config", "absent.yaml")
    assert (done.returncode, done.stderr) == (
        1,
        "absent.yaml: the file cannot be read: No such file or directory\n",
    )


def test_what_soap_takes_is_loaded_for_those_who_speak_it_alone() -> None:
    code = (
        "import io, os, pathlib, sys; from gateway.bootstrap import build; from gateway.settings import load\n"
        "build(load(pathlib.Path(sys.argv[1]), os.environ), log=io.BytesIO())\n"
        "print('zeep' in sys.modules)"
    )
    for file, loaded in ((SMALL, "False"), (DEMO, "True")):
        done = subprocess.run(
            [sys.executable, "-c", code, str(file)], capture_output=True, text=True, check=True, env=ENVIRON
        )
        assert done.stdout.strip() == loaded


def test_the_schemas_are_printed_as_json() -> None:
    schema = json.loads(command("config", "schema").stdout)
    assert schema["$schema"].startswith("https://json-schema.org/")
    assert {"RestOptions", "BatchOptions", "AshxOptions", "ConnectorOptions"} <= schema["$defs"].keys()
    openapi = json.loads(command("openapi").stdout)
    assert openapi["openapi"].startswith("3.1")


def test_a_new_key_comes_with_its_hash_and_its_configuration() -> None:
    done = command("keys", "new", "--name", "erp")
    assert done.returncode == 0
    fields = dict(line.split(maxsplit=1) for line in done.stdout.splitlines()[:2])
    assert fields["hash"] == hash_key(fields["key"])
    client = yaml.safe_load(done.stdout.partition("\n\n")[2])["clients"]["erp"]
    assert client == {"keys": [fields["hash"]], "scopes": ["read"], "tenants": ["TENANT"]}
    assert fields["key"] not in done.stdout.split("\n", 1)[1]
