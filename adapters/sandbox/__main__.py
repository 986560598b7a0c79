"""``ultimo-gateway sandbox``, or ``python -m adapters.sandbox``: the look-alike as a process of its own."""

import argparse
import asyncio
import contextlib
import signal
import sqlite3
import sys
from collections.abc import Sequence
from datetime import time

import msgspec

from adapters.sandbox.options import SandboxOptions, with_config
from adapters.sandbox.server import BASE, Sandbox

WRONG_ARGUMENTS = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGINT or SIGTERM; 0 then, 2 for wrong arguments or a port that is taken."""
    parsed = _parser().parse_args(arguments)
    try:
        options = _options(parsed)
        return _run(options)
    except (OSError, ValueError, sqlite3.Error, msgspec.MsgspecError) as error:
        sys.stderr.write(f"sandbox: {error}\n")
        return WRONG_ARGUMENTS


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="ultimo-gateway sandbox",
        description="Run a look-alike of the upstream's interfaces, with records to try, until Ctrl-C: REST and "
        f"its batches under {BASE}, Connector.ashx and SOAP under /WebServices.",
        epilog="REST takes the API key 'sandbox-demo', Connector.ashx and SOAP the user 'sandbox-user' with the "
        "password 'sandbox-password'. Calls are told under /_sandbox/ledger, faults set under /_sandbox/faults.",
    )
    default = SandboxOptions()
    parser.add_argument("--host", default=default.host, help="address to listen on (%(default)s)")
    parser.add_argument("--port", type=_port, default=8081, help="port; 0 takes a free one (%(default)s)")
    parser.add_argument(
        "--records",
        type=_count,
        default=default.records,
        help="Equipment records to have in total, made up beside those of the seed (none)",
    )
    parser.add_argument("--file", help="SQLite file that keeps the records (kept in memory)")
    parser.add_argument(
        "--limits",
        choices=("fixed", "sliding", "off"),
        default=default.limits,
        help="how calls are counted: in fixed or sliding windows, or not at all (%(default)s)",
    )
    parser.add_argument(
        "--page-size", type=_positive, default=default.page_size, help="records a page (%(default)s)"
    )
    parser.add_argument(
        "--day-start",
        default=default.day_start,
        help="when the day of the quota begins: HH:MM, or 'rolling' for the last 24 hours (%(default)s)",
    )
    parser.add_argument(
        "--zone", default=default.zone, help="IANA time zone of the environment (%(default)s)"
    )
    parser.add_argument("--retry-after", type=_count, help="seconds that a 429 names (no such header)")
    parser.add_argument("--config", help="JSON file with keys, users, connectors and further options (none)")
    return parser


def _count(text: str) -> int:
    number = int(text)
    if number < 0:
        raise argparse.ArgumentTypeError("must not be negative")
    return number


def _positive(text: str) -> int:
    number = _count(text)
    if number == 0:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number


def _port(text: str) -> int:
    number = _count(text)
    if number > 65_535:
        raise argparse.ArgumentTypeError("must be at most 65535")
    return number


def _options(parsed: argparse.Namespace) -> SandboxOptions:
    given = vars(parsed)
    config = given.pop("config")
    if given["day_start"] == "rolling":
        given["day_start"] = None
    else:
        time.fromisoformat(given["day_start"])
    options = SandboxOptions(**given)
    options.time_zone()
    return with_config(options, config) if config else options


def _run(options: SandboxOptions) -> int:
    try:
        import uvloop  # absent on Windows, and the look-alike works without it
    except ImportError:
        asyncio.run(_serve(options))
    else:
        uvloop.run(_serve(options))
    return 0


async def _serve(options: SandboxOptions) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):
            loop.add_signal_handler(name, stopped.set)
    async with Sandbox(options) as sandbox:
        site = f"{sandbox.url} (WebServices/Connector.ashx and WebServices/SoapConnector.svc)"
        sys.stdout.write(f"sandbox ready on {sandbox.url}{BASE} (REST), {site}\n")
        sys.stdout.flush()
        await stopped.wait()


if __name__ == "__main__":
    sys.exit(main())
