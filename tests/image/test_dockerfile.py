"""What the Dockerfile promises: nothing unpinned, no right that is not needed, no shell, nothing that lies about."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from itertools import pairwise
from pathlib import Path

import pytest

from gateway.health import SECONDS
from tests.support.image import CONFIG, HOME, ROOT, WORK, Stage, ignore_patterns, ignored, read_dockerfile

DOCKERFILE = read_dockerfile()
FINAL = DOCKERFILE.final
REQUIREMENTS = sorted((ROOT / ".ci").glob("requirements*.txt"))


def installs(stage: Stage) -> list[str]:
    """Each command of the stage that has pip bring something."""
    commands = (command for run in stage.all("RUN") for command in run.text.split("&&"))
    return [command for command in commands if re.search(r"\bpip\b.* (install|wheel|download) ", command)]


def pinned(file: Path) -> dict[str, tuple[str, frozenset[str]]]:
    """Name → version and hashes in a file of requirements."""
    entries = re.split(r"\n(?=\S)", file.read_text())
    heads = ((re.match(r"([\w.-]+)==([\w.]+)", entry), entry) for entry in entries)
    return {
        head[1]: (head[2], frozenset(re.findall(r"--hash=(\S+)", entry))) for head, entry in heads if head
    }


def test_hadolint_finds_nothing() -> None:
    command = [Path(sys.executable).with_name("hadolint"), ROOT / "Dockerfile"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_it_starts_the_gateway_without_a_shell() -> None:
    assert FINAL.one("ENTRYPOINT").exec_form() == ("ultimo-gateway",)
    assert FINAL.one("CMD").exec_form() == ("serve", "--config", CONFIG)
    assert FINAL.all("RUN") == FINAL.all("SHELL") == []
    assert FINAL.one("STOPSIGNAL").text == "SIGTERM"


def test_it_is_asked_for_its_health_without_a_shell() -> None:
    asked = FINAL.one("HEALTHCHECK")
    keyword, _, command = asked.text.partition(" ")
    assert (keyword, command) == ("CMD", f'["ultimo-gateway", "health", "--config", "{CONFIG}"]')
    flags = dict(flag.removeprefix("--").split("=") for flag in asked.flags)
    assert flags.keys() == {"interval", "timeout", "start-period", "retries"}
    assert float(flags["timeout"].removesuffix("s")) > SECONDS + 1, "a start takes its time as well"


def test_it_runs_as_nobody_in_particular_and_owns_its_working_folder_alone() -> None:
    assert FINAL.one("USER").text == "10001:10001"
    assert FINAL.one("WORKDIR").text == WORK
    owned = {found.text.split()[-1] for found in FINAL.all("COPY") if "--chown=10001:10001" in found.flags}
    assert owned == {WORK}
    assert {found.text.split()[-1] for found in FINAL.all("COPY")} == {WORK, HOME}
    assert FINAL.one("EXPOSE").text == "8080 9090"
    assert FINAL.all("VOLUME") == []


def test_nothing_is_written_beside_what_runs_and_no_module_is_found_where_it_may_write() -> None:
    variables = FINAL.pairs("ENV")
    assert variables == {
        "PATH": f"{HOME}/bin:${{PATH}}",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONSAFEPATH": "1",
    }


def test_every_stage_has_the_same_base_which_is_an_argument() -> None:
    assert {stage.base for stage in DOCKERFILE.stages} == {"${BASE}"}
    base = DOCKERFILE.arguments["BASE"]
    assert re.fullmatch(r"python:3\.\d+-slim", base)
    classifiers = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["classifiers"]
    version = base.removeprefix("python:").removesuffix("-slim")
    assert f"Programming Language :: Python :: {version}" in classifiers


def test_only_what_is_pinned_by_its_hash_is_fetched() -> None:
    (builder,) = DOCKERFILE.stages[:-1]
    found = installs(builder)
    assert len(found) == 4
    for command in found:
        assert "--no-index" in command or {"--require-hashes", "--only-binary"} <= set(command.split()), (
            command
        )
    assert not [run for run in builder.all("RUN") if re.search(r"\b(apt|apt-get|apk|curl|wget)\b", run.text)]


@pytest.mark.parametrize("file", REQUIREMENTS, ids=lambda file: file.name)
def test_every_requirement_has_its_hashes_and_no_address(file: Path) -> None:
    entries = re.split(r"\n(?=\S)", file.read_text().strip())
    assert [entry for entry in entries if "==" not in entry or "--hash=sha256:" not in entry] == []
    assert not re.search(r"https?://|--(extra-)?index|--find-links", file.read_text())


def test_all_files_of_requirements_name_the_same_versions_and_hashes_and_what_builds_is_among_them() -> None:
    assert [file.name for file in REQUIREMENTS] == [
        "requirements-build.txt",
        "requirements-dev.txt",
        "requirements.txt",
    ]
    build, dev, shipped = map(pinned, REQUIREMENTS)
    assert build.items() <= dev.items()
    assert shipped.items() <= dev.items()
    required = tomllib.loads((ROOT / "pyproject.toml").read_text())["build-system"]["requires"]
    assert {re.split(r"[<>=]", requirement)[0] for requirement in required} <= build.keys()


def test_no_secret_is_an_argument_or_a_variable() -> None:
    secret = re.compile(r"PASSWORD|SECRET|TOKEN|CREDENTIAL|(^|_)KEY", re.IGNORECASE)
    for stage in DOCKERFILE.stages:
        names = [*stage.pairs("ENV"), *(found.text.partition("=")[0] for found in stage.all("ARG"))]
        assert [name for name in names if secret.search(name)] == []
        assert stage.all("ADD") == []


def test_it_says_what_it_is_in_the_words_of_oci() -> None:
    labels = {
        name.removeprefix("org.opencontainers.image."): text for name, text in FINAL.pairs("LABEL").items()
    }
    assert labels.keys() == {
        *("title", "description", "licenses"),
        *("version", "revision", "created", "source"),
    }
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert labels["licenses"] == project["license"]
    assert project["description"].startswith(labels["description"])
    given = {found.text.partition("=")[0] for found in FINAL.all("ARG")}
    assert given == {"VERSION", "REVISION", "CREATED", "SOURCE"}
    for name in given:
        assert labels[name.lower()] == f"${{{name}}}"


def test_what_is_copied_is_there_and_let_through_and_nothing_else_is() -> None:
    patterns = ignore_patterns()
    copied = {
        source
        for found in DOCKERFILE.stages[0].all("COPY")
        for source in found.text.split()[:-1]
        if not found.flags
    }
    assert {source for source in copied if not (ROOT / source).exists() or ignored(source, patterns)} == set()
    for path in ROOT.iterdir():
        let_through = any(source == path.name or source.startswith(f"{path.name}/") for source in copied)
        assert ignored(path.name, patterns) is not (path.name in copied)
        if not let_through:
            assert ignored(f"{path.name}/anything", patterns)
    for stray in (
        "gateway/__pycache__/cli.pyc",
        "gateway/demo/gateway.db",
        ".ci/run",
        ".ci/requirements-dev.txt",
    ):
        assert ignored(stray, patterns)
    for package in ("contracts", "adapters", "gateway"):
        files = [str(path.relative_to(ROOT)) for path in (ROOT / package).rglob("*.*") if path.is_file()]
        assert [f for f in files if ignored(f, patterns) and "__pycache__" not in f] == []


def make(*arguments: str) -> subprocess.CompletedProcess[str]:
    # Without what a make that runs the tests hands down to those below it.
    environ = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    return subprocess.run(
        ["make", *arguments], cwd=ROOT, env=environ, capture_output=True, text=True, check=False
    )


@pytest.fixture
def builder(tmp_path: Path) -> Path:
    """A program that is called podman and prints what it was asked, a word a line."""
    program = tmp_path / "podman"
    program.write_text("#!/bin/sh\nprintf '%s\\n' \"$@\"\n")
    program.chmod(0o755)
    return program


def test_make_image_gives_the_builder_every_argument_that_the_dockerfile_has(builder: Path) -> None:
    done = make("image", f"BUILDER={builder}", "BASE=python-base", "TAG=ours:1", "PIP_CONF=/etc/pip.conf")
    words = done.stdout.splitlines()
    assert words[:7] == [
        "build",
        "--format",
        "docker",
        "--tag",
        "ours:1",
        "--secret",
        "id=pip,src=/etc/pip.conf",
    ]
    given = dict(word.split("=", 1) for flag, word in pairwise(words) if flag == "--build-arg")
    final = {found.text.partition("=")[0] for found in FINAL.all("ARG")}
    assert given.keys() == {"BASE", *final}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert (given["BASE"], given["VERSION"]) == ("python-base", project["version"])
    assert re.fullmatch(r"[0-9a-f]{40}(-dirty)?|unknown", given["REVISION"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", given["CREATED"])


def test_make_image_run_takes_every_right_away(builder: Path) -> None:
    done = make("image-run", f"BUILDER={builder}", "TAG=ours:1", "PORT=9000")
    words = done.stdout.splitlines()
    run = words[words.index("run") :]
    assert {"--rm", "--read-only", "--cap-drop", "no-new-privileges", "127.0.0.1:9000:8080"} <= set(run)
    assert run[run.index("--user") + 1] == FINAL.one("USER").text
    assert run[-4:] == ["ours:1", "demo", "--host", "0.0.0.0"]


def test_make_image_says_what_to_install_where_nothing_builds() -> None:
    done = make("image", "BUILDER=")
    assert done.returncode != 0
    assert "install docker, podman or buildah" in done.stderr
    assert "image-run" in make("help").stdout
