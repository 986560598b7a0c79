"""The command as its users run it: a process of its own, its output, its exit code."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.keys import hash_key

DEMO = Path(__file__).parents[2] / "gateway" / "demo" / "demo.yaml"
ENVIRON = {**os.environ, "SANDBOX_KEY": "sandbox-demo"}


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
    done = command("config", "check", str(DEMO))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"{DEMO}: fine (1 environment, 1 tenant, 2 clients)\n"


def test_every_mistake_is_a_line_with_file_and_line(tmp_path: Path) -> None:
    path = tmp_path / "wrong.yaml"
    path.write_text(DEMO.read_text().replace("port: 8080", "prot: 8080").replace("[read]", "[reed]"))
    done = command("config", "check", str(path))
    assert done.returncode == 1
    first, second = done.stderr.splitlines()
    assert first == f"{path}:7: server.prot: unknown key, did you mean 'port'?"
    assert second.endswith("expected one of 'read', 'write', found a text, did you mean 'read'?")


@pytest.mark.parametrize(
    ("adapters", "told"),
    [
        ("[rest, rset]", "tenants.demo.adapters.rset: no adapter of this name is installed"),
        (
            "{rest: {acctions: {}}}",
            "tenants.demo.adapters.rest.acctions: unknown key, did you mean 'actions'?",
        ),
    ],
)
def test_what_only_adapters_can_find_wrong_is_found_too(tmp_path: Path, adapters: str, told: str) -> None:
    path = tmp_path / "wrong.yaml"
    path.write_text(DEMO.read_text().replace("adapters: [rest]", f"adapters: {adapters}"))
    done = command("config", "check", str(path))
    assert done.returncode == 1
    assert told in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_missing_secret_or_file_is_1_and_named() -> None:
    without = {name: value for name, value in ENVIRON.items() if name != "SANDBOX_KEY"}
    done = command("serve", "--config", str(DEMO), environ=without)
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
    assert f"  erp:\n    keys: ['{fields['hash']}']" in done.stdout
    assert fields["key"] not in done.stdout.split("\n", 1)[1]
