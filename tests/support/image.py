"""The Dockerfile, read; and the gateway run as the image would run it, where nothing builds images.

``image_command`` is what other tests start: the image's entry point and environment, out of the environment that the
tests run in. ``read_only`` holds that nothing is written to the folder that it works in.
"""

from __future__ import annotations

import json
import re
import shlex
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import msgspec

ROOT = Path(__file__).parents[2]
HOME = "/opt/ultimo-gateway"
WORK = "/var/lib/ultimo-gateway"
CONFIG = "/etc/ultimo-gateway/gateway.yaml"


class Instruction(msgspec.Struct, frozen=True):
    """One instruction: its ``keyword`` in capitals, its ``flags`` such as ``--from=builder``, and what follows them."""

    keyword: str
    flags: tuple[str, ...]
    text: str

    def exec_form(self) -> tuple[str, ...]:
        """The words of the exec form. Raises AssertionError when it is the shell form."""
        assert self.text.startswith("["), f"{self.keyword} is not in exec form: {self.text}"
        return tuple(json.loads(self.text))


class Stage(msgspec.Struct, frozen=True):
    """What stands from one FROM to the next; ``base`` as written there."""

    base: str
    name: str | None
    instructions: tuple[Instruction, ...]

    def all(self, keyword: str) -> list[Instruction]:
        return [found for found in self.instructions if found.keyword == keyword]

    def one(self, keyword: str) -> Instruction:
        """The only one of its kind. Raises ValueError when there are more or none."""
        (found,) = self.all(keyword)
        return found

    def pairs(self, keyword: str) -> dict[str, str]:
        """What ENV or LABEL set, in order, with variables as they are written."""
        words = (word for found in self.all(keyword) for word in shlex.split(found.text))
        return dict(word.split("=", 1) for word in words)


class Dockerfile(msgspec.Struct, frozen=True):
    """``arguments`` are those before the first stage, with their defaults."""

    arguments: Mapping[str, str]
    stages: tuple[Stage, ...]

    @property
    def final(self) -> Stage:
        """The stage that is shipped."""
        return self.stages[-1]


def read_dockerfile(file: Path = ROOT / "Dockerfile") -> Dockerfile:
    """The stages of a Dockerfile without here-documents."""
    lines = [line for line in file.read_text().splitlines() if not line.lstrip().startswith("#")]
    logical = re.sub(r"\\\n\s*", " ", "\n".join(lines)).splitlines()
    instructions = [_instruction(line) for line in logical if line.strip()]
    starts = [index for index, found in enumerate(instructions) if found.keyword == "FROM"]
    stages = []
    for start, end in zip(starts, [*starts[1:], len(instructions)], strict=True):
        base, _, name = instructions[start].text.partition(" AS ")
        stages.append(Stage(base, name or None, tuple(instructions[start + 1 : end])))
    arguments = dict(found.text.split("=", 1) for found in instructions[: starts[0]])
    return Dockerfile(arguments, tuple(stages))


def _instruction(line: str) -> Instruction:
    keyword, text = line.strip().split(maxsplit=1)
    flags = re.match(r"(--\S+\s+)*", text)
    assert flags
    return Instruction(keyword.upper(), tuple(flags[0].split()), text[flags.end() :].strip())


class Command(msgspec.Struct, frozen=True):
    """What to start: ``argv`` and the whole of its environment, in which nothing of this process is left."""

    argv: tuple[str, ...]
    environ: dict[str, str]


def image_command(
    *arguments: str,
    config: Path | None = None,
    environ: Mapping[str, str] | None = None,
    home: Path | None = None,
) -> Command:
    """The image's entry point with ``arguments``, or with those that the image has itself when there are none.

    ``config`` stands where the image looks for its configuration, ``environ`` is what the container is given on top
    of the image's own, and ``home`` the virtual environment (that of the tests when None).
    """
    final = read_dockerfile().final
    own = str(home or sys.prefix)
    given = arguments or final.one("CMD").exec_form()
    entry, *rest = (*final.one("ENTRYPOINT").exec_form(), *given)
    argv = [str(config) if config and word == CONFIG else word for word in rest]
    variables = {name: value.replace(HOME, own) for name, value in final.pairs("ENV").items()}
    variables["PATH"] = variables["PATH"].replace("${PATH}", "/usr/local/bin:/usr/bin:/bin")
    return Command((f"{own}/bin/{entry}", *argv), {**variables, **(environ or {})})


@contextmanager
def read_only(folder: Path) -> Iterator[Path]:
    """``folder``, which refuses to be written to; and since it cannot refuse root, whatever was written fails the test.

    Raises AssertionError at the end with what is new, gone or changed.
    """
    before = _listing(folder)
    folder.chmod(0o555)
    try:
        yield folder
    finally:
        folder.chmod(0o755)
    after = _listing(folder)
    assert after == before, f"written to: {sorted(str(path) for path, _ in before ^ after)}"


def _listing(folder: Path) -> set[tuple[Path, int]]:
    return {(path, path.stat().st_mtime_ns) for path in (folder, *folder.rglob("*"))}


def ignored(path: str, patterns: list[str]) -> bool:
    """Whether a .dockerignore with these patterns leaves ``path`` out: the last one that fits it, or a folder around
    it, decides.
    """
    around = [path, *map(str, list(Path(path).parents)[:-1])]
    out = False
    for pattern in patterns:
        fits = re.compile(_expression(pattern.removeprefix("!").strip("/")))
        if any(fits.fullmatch(part) for part in around):
            out = not pattern.startswith("!")
    return out


def _expression(pattern: str) -> str:
    escaped = re.escape(pattern).replace(r"\*\*/", "(.*/)?").replace(r"\*\*", ".*")
    return escaped.replace(r"\*", "[^/]*").replace(r"\?", "[^/]")


def ignore_patterns() -> list[str]:
    """What stands in the project's .dockerignore."""
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]
