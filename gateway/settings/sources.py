"""Values that a type alone does not check: secrets, which stand elsewhere, files, time zones, addresses.

A message names the variable or the file, and never what was in it; nor does it repeat an address, which
may hold a password.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from gateway.settings.decode import Reader, Unreadable, expected, found
from gateway.settings.problems import suggestion
from gateway.settings.secret import Secret
from gateway.settings.values import NewFile, ProxyUrl, SiteUrl, Url

MAX_SECRET_BYTES = 65_536

_FORM = "expected {env: NAME} or {file: PATH}"


def readers(environ: Mapping[str, str], folder: Path, files: set[Path]) -> Mapping[object, Reader]:
    """How these values are read; a relative path is meant from ``folder``.

    ``files`` takes in those that the values name, whether they can be read or not.
    """

    def file(value: object) -> Path:
        if isinstance(value, str) and "\0" not in value:
            files.add(folder / value)
        return _file(value, folder)

    return {
        Secret: lambda value: _secret(value, environ, file),
        Path: file,
        NewFile: lambda value: _new_file(value, folder),
        ZoneInfo: _zone,
        Url: lambda value: _address(value, Url),
        SiteUrl: lambda value: _address(value, SiteUrl),
        ProxyUrl: lambda value: _address(value, ProxyUrl),
    }


def _secret(value: object, environ: Mapping[str, str], file: Callable[[object], Path]) -> Secret:
    if isinstance(value, str):
        raise Unreadable(f"a secret does not stand in this file; {_FORM}")
    if not isinstance(value, dict) or len(value) != 1 or not value.keys() <= {"env", "file"}:
        raise Unreadable(f"{_FORM}, found {found(value)}")
    (kind, name), *_ = value.items()
    if not isinstance(name, str) or not name:
        raise Unreadable(f"{_FORM}, found {found(name)} after '{kind}'")
    text = _variable(name, environ) if kind == "env" else _content(name, file(name))
    if not text:
        raise Unreadable(f"the {_place(kind, name)} is empty")
    if not text.isprintable():
        raise Unreadable(f"the {_place(kind, name)} holds line breaks or control characters")
    return Secret(text)


def _variable(name: str, environ: Mapping[str, str]) -> str:
    if name not in environ:
        raise Unreadable(f"the environment variable {name} is not set{suggestion(name, environ)}")
    return environ[name]


def _content(name: str, path: Path) -> str:
    try:
        with path.open("rb") as opened:
            content = opened.read(MAX_SECRET_BYTES + 1)
        if len(content) > MAX_SECRET_BYTES:
            raise Unreadable(f"the file {name} is larger than a secret can be")
        return content.decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        raise Unreadable(f"the file {name} is not UTF-8") from None


def _file(value: object, folder: Path) -> Path:
    if not isinstance(value, str) or not value:
        raise Unreadable(f"expected the path of a file, found {found(value)}")
    path = folder / value
    try:
        with path.open("rb"):
            return path
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "not a path"
        raise Unreadable(f"the file {value} cannot be read: {reason}") from None


def _new_file(value: object, folder: Path) -> Path:
    if not isinstance(value, str) or not value or "\0" in value:
        raise Unreadable(f"expected the path of a file, found {found(value)}")
    path = folder / value
    if not path.parent.is_dir():
        raise Unreadable(f"the folder of {value} is not there")
    return path


def _zone(value: object) -> ZoneInfo:
    if not isinstance(value, str):
        raise Unreadable(f"expected a time zone such as 'Europe/Amsterdam', found {found(value)}")
    try:
        return ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        hint = suggestion(value, available_timezones()) or "; expected one such as 'Europe/Amsterdam'"
        raise Unreadable(f"there is no time zone of this name{hint}") from None


def _address(value: object, kind: object) -> str:
    example = f"expected {expected(kind)}"
    if not isinstance(value, str):
        raise Unreadable(f"{example}, found {found(value)}")
    if not value.isascii() or not value.isprintable() or " " in value:
        raise Unreadable("holds a character that an address cannot have; percent-encode it")
    try:
        parts = urlsplit(value)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise Unreadable(f"is not a valid address; {example}") from None
    if parts.scheme not in ("http", "https") or not host:
        raise Unreadable(example)
    if "@" in parts.netloc:
        raise Unreadable("must not hold a user name or a password")
    if "?" in value or "#" in value:
        raise Unreadable("must end before '?' and '#'")
    return value


def _place(kind: str, name: str) -> str:
    return f"environment variable {name}" if kind == "env" else f"file {name}"
