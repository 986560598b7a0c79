"""The command ``ultimo-gateway health``: asks a gateway that runs on this machine whether it is alive.

For what starts and watches containers, so it loads little and waits for no more than two seconds.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from urllib.parse import urlsplit

from gateway.settings import ServerSettings
from gateway.settings.document import read_document

ALIVE, NOT_ALIVE = 0, 1
PATH = "/livez"
SECONDS = 2.0
# What a server listens on that takes calls from everywhere, and where it is found from beside it.
EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - looked up, not listened on


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The command, for the parser of them all."""
    health = commands.add_parser(
        "health",
        help="ask a running gateway whether it is alive",
        description=f"Ask {PATH} of a gateway on this machine. Exit code 0: it is alive; 1: it is not, and one line "
        f"says why. It takes about 0.2 s, and {SECONDS:g} s more where nothing answers.",
    )
    where = health.add_mutually_exclusive_group()
    where.add_argument(
        "--url", type=_url, metavar="URL", help=f"where it is, such as http://127.0.0.1:9090{PATH}"
    )
    where.add_argument(
        "--config",
        dest="file",
        type=Path,
        metavar="FILE",
        help="the YAML file that it runs with: its operations_port is asked, else its port",
    )
    health.set_defaults(command=_health)


def _health(parsed: argparse.Namespace) -> int:
    try:
        reason = complaint(parsed.url or configured(parsed.file))
    except CannotTell as error:
        reason = str(error)
    if reason is None:
        return ALIVE
    sys.stderr.write(reason + "\n")
    return NOT_ALIVE


class CannotTell(Exception):
    """The configuration names no port; the message says why and what to do."""


def configured(file: Path | None) -> str:
    """The address to ask of a gateway that runs with this configuration, or with the defaults when None.

    Only the lines of its server are looked at, no secret is read. Raises :class:`CannotTell`, and
    :class:`~gateway.settings.ConfigurationError` when the file is not YAML.
    """
    default = ServerSettings()
    server = {} if file is None else _server(file)
    port = server.get("operations_port") or server.get("port", default.port)
    host = server.get("host", default.host)
    if not isinstance(host, str) or not isinstance(port, int) or not 0 < port < 65_536:
        raise CannotTell(f"{file}: its server has no fixed port; say where it is with --url")
    host = EVERYWHERE.get(host, host)
    return f"http://[{host}]:{port:d}{PATH}" if ":" in host else f"http://{host}:{port:d}{PATH}"


def _server(file: Path) -> dict[str, object]:
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8"
        raise CannotTell(f"{file} cannot be read: {reason}; say where it is with --url") from None
    document, _ = read_document(text)
    server = document.get("server") if isinstance(document, dict) else None
    return server if isinstance(server, dict) else {}


def complaint(url: str, seconds: float = SECONDS) -> str | None:
    """Why what is at ``url`` does not count as alive; None when it answers 200 within ``seconds``."""
    from http.client import HTTPConnection, HTTPException

    address = urlsplit(url)
    connection = HTTPConnection(address.hostname or "", address.port, timeout=seconds)
    try:
        connection.request("GET", address.path or PATH)
        status = connection.getresponse().status
    except TimeoutError:
        return f"{url} did not answer within {seconds:g} s"
    except HTTPException:
        return f"{url} did not answer in HTTP"
    except OSError as error:
        return f"{url} cannot be reached: {os.strerror(error.errno) if error.errno else error}"
    finally:
        connection.close()
    return None if status == 200 else f"{url} answered {status}"


def _url(text: str) -> str:
    try:
        address = urlsplit(text)
        fits = address.scheme == "http" and bool(address.hostname) and address.port != 0
    except ValueError:
        fits = False
    if not fits or any(character <= " " for character in text):
        raise argparse.ArgumentTypeError(f"expected an address such as http://127.0.0.1:9090{PATH}")
    return text
