"""The command as its users run it: a process of its own, its output, its exit code."""

from __future__ import annotations

import json
import os
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
        ("[soap]", ":19: tenants.demo.adapters[0]: the environment 'sandbox' has no address for 'site'; "),
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


def test_the_schemas_are_printed_as_json() -> None:
    schema = json.loads(command("config", "schema").stdout)
    assert schema["$schema"].startswith("https://json-schema.org/")
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
