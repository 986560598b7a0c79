"""From the file to :class:`Settings`: read, decode, check; every mistake at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import msgspec

from gateway.settings.checks import check
from gateway.settings.decode import Decoder
from gateway.settings.document import line_of, read_document
from gateway.settings.model import Settings
from gateway.settings.problems import ConfigurationError, Problem
from gateway.settings.sources import readers

Check = Callable[[Settings], Iterable[Problem]]
"""Finds further mistakes in settings that may lack what could not be decoded."""


def load(path: Path, environ: Mapping[str, str], further: Check = lambda settings: ()) -> Settings:
    """The settings in the file at ``path``; reads it and the files that it names, and nothing else.

    Raises :class:`~gateway.settings.problems.ConfigurationError` with every mistake, those that
    ``further`` finds among them.
    """
    return load_named(path, environ, further, set())


def load_named(path: Path, environ: Mapping[str, str], further: Check, files: set[Path]) -> Settings:
    """As :func:`load`; ``files`` takes in the paths of every file that the settings stand in, whatever is raised."""
    files.add(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ConfigurationError([Problem("", f"the file cannot be read: {error.strerror}")]) from None
    except UnicodeDecodeError:
        raise ConfigurationError([Problem("", "the file is not UTF-8")]) from None
    return _parsed(text, environ, path.parent, further, files)


def parse(
    text: str, environ: Mapping[str, str], folder: Path, further: Check = lambda settings: ()
) -> Settings:
    """The settings in a YAML text; relative paths are meant from ``folder``. Raises as :func:`load` does."""
    return _parsed(text, environ, folder, further, set())


def _parsed(
    text: str, environ: Mapping[str, str], folder: Path, further: Check, files: set[Path]
) -> Settings:
    document, problems = read_document(text)
    decoder = Decoder(readers(environ, folder, files))
    settings = decoder.decode(Settings, document, "", 1)
    problems += decoder.problems
    if isinstance(settings, Settings) and isinstance(document, dict):
        for found in (check(settings, document), further(settings)):
            problems += [
                msgspec.structs.replace(problem, line=problem.line or line_of(document, problem.path))
                for problem in found
                if not any(_inside(other.path, problem.path) for other in problems)
            ]
    if problems or not isinstance(settings, Settings):
        raise ConfigurationError(problems)
    return settings


def _inside(path: str, outer: str) -> bool:
    """What was left out because of a mistake must not make a second one."""
    return path == outer or path.startswith((f"{outer}.", f"{outer}["))
