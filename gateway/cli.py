"""The command ``ultimo-gateway``: serve, try, watch, check and describe the gateway.

Exit codes: 0 fine, 1 when the configuration, a port or the store does not allow it (each problem on a line of
standard error), 2 wrong usage. What a command alone needs is imported in it, so that all start fast.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from gateway import doctor_command, health, store_commands
from gateway.keys import new_key
from gateway.settings import ConfigurationError, ServerSettings, advice, json_schema, load
from gateway.settings.decode import expected
from gateway.settings.values import Name
from gateway.version import VERSION

FINE, FAILED, WRONG_USAGE = 0, 1, 2
PORT = 8080
SANDBOX_PORT = 8081


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit code. ``arguments`` are those of the process when None."""
    parser = _parser()
    parsed, unknown = parser.parse_known_args(arguments)
    if unknown and parsed.command is not _sandbox:
        parser.error(f"unrecognized arguments: {' '.join(unknown)}")
    parsed.passed_on = unknown
    try:
        code: int = parsed.command(parsed)
    except KeyboardInterrupt:
        return FINE
    except BrokenPipeError:
        # Who reads has enough, as in `| head`; what is left must not fail once more when Python ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FINE
    except ConfigurationError as error:
        for problem in error.problems:
            line = f":{problem.line}" if problem.line else ""
            path = f"{problem.path}: " if problem.path else ""
            _complain(f"{parsed.file}{line}: {path}{problem.message}")
        return FAILED
    return code


def _end_when_told() -> None:
    """Let SIGTERM end what does not serve yet: process 1 of a container is not ended by what it does not handle."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


def _serve(parsed: argparse.Namespace) -> int:
    _end_when_told()
    from gateway.service import serve_file
    from gateway.serving import CannotListen, run

    given = {name: getattr(parsed, name) for name in ("host", "port") if getattr(parsed, name) is not None}
    try:
        return run(serve_file(parsed.file, os.environ, given))
    except CannotListen as error:
        _complain(str(error))
        return FAILED


def _demo(parsed: argparse.Namespace) -> int:
    _end_when_told()
    from gateway.demo.run import SandboxFailed, run_demo
    from gateway.serving import CannotListen, run

    try:
        port, sandbox_port = _port_of("PORT", PORT), _port_of("SANDBOX_PORT", SANDBOX_PORT)
    except ValueError as error:
        _complain(str(error))
        return WRONG_USAGE
    try:
        return run(run_demo(parsed.host, port, sandbox_port))
    except (CannotListen, SandboxFailed) as error:
        _complain(f"{error} (PORT and SANDBOX_PORT choose the ports)")
        return FAILED


def _port_of(name: str, default: int) -> int:
    try:
        return _port(os.environ.get(name, str(default)))
    except argparse.ArgumentTypeError as error:
        raise ValueError(f"{name}: {error}") from None


def _sandbox(parsed: argparse.Namespace) -> int:
    # The gateway imports no adapter: the sandbox takes the place of this process.
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-m", "adapters.sandbox", *parsed.passed_on])  # noqa: S606


def _check(parsed: argparse.Namespace) -> int:
    from gateway.bootstrap import mistakes

    settings = load(parsed.file, os.environ, mistakes)
    for advised in advice(settings):
        _complain(f"{parsed.file}: warning: {advised}")
    counts = ", ".join(
        f"{len(entries)} {name if len(entries) == 1 else name + 's'}"
        for name, entries in (
            ("environment", settings.environments),
            ("tenant", settings.tenants),
            ("client", settings.clients),
        )
    )
    print(f"{parsed.file}: fine ({counts})")
    return FINE


def _schema(parsed: argparse.Namespace) -> int:
    from gateway.registry import RegistryError, discover

    try:
        return _print_json(json_schema({name: spec.options for name, spec in discover().items()}))
    except RegistryError as error:
        _complain(str(error))
        return FAILED


def _openapi(parsed: argparse.Namespace) -> int:
    from gateway.http.openapi import document

    return _print_json(document())


def _new_key(parsed: argparse.Namespace) -> int:
    key, hashed = new_key()
    print(f"key    {key}")
    print(f"hash   {hashed}")
    if parsed.name:
        print(f"\nclients:\n  {parsed.name}:\n    keys: ['{hashed}']\n    scopes: [read]")
        print("    tenants: [TENANT]   # those that it may use")
    _complain("the key is shown this once: give it to the client, and put only the hash in the configuration")
    return FINE


def _print_json(document: object) -> int:
    encoded = msgspec.json.format(msgspec.json.encode(document), indent=2)
    print(encoded.decode())
    return FINE


def _complain(text: str) -> None:
    print(text, file=sys.stderr)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="ultimo-gateway",
        description="One JSON API in front of IFS Ultimo's interfaces.",
        epilog="Begin with 'ultimo-gateway demo'. Exit codes: 0 fine, 1 configuration, port or store, 2 usage.",
    )
    parser.add_argument("--version", action="version", version=f"ultimo-gateway {VERSION}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_serving(commands)
    health.add(commands)
    store_commands.add(commands)
    doctor_command.add(commands)
    _add_describing(commands)
    return parser


def _add_serving(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    default = ServerSettings()
    serve = commands.add_parser(
        "serve",
        help="run the gateway",
        description="Run the gateway until SIGTERM or Ctrl-C; calls under way may end first. Changes of FILE are taken "
        "over while it runs, at once after SIGHUP.",
    )
    serve.add_argument(
        "--config", dest="file", type=Path, required=True, metavar="FILE", help="the YAML file"
    )
    serve.add_argument("--host", help=f"instead of server.host (default {default.host})")
    serve.add_argument(
        "--port", type=_port, help=f"instead of server.port (default {default.port}); 0: any free"
    )
    serve.set_defaults(command=_serve)
    demo = commands.add_parser(
        "demo",
        help="run a gateway over a sandbox, to try it",
        description="Run a sandbox and a gateway over it, and print calls to try. "
        f"The environment variables PORT ({PORT}) and SANDBOX_PORT ({SANDBOX_PORT}) choose the ports.",
    )
    demo.add_argument(
        "--host", default="127.0.0.1", help="for the gateway (default %(default)s); 0.0.0.0 in a container"
    )
    demo.set_defaults(command=_demo, file="demo.yaml")
    # Without a help of its own: --help goes on to the sandbox, as everything else does.
    sandbox = commands.add_parser("sandbox", help="run a look-alike of the upstream", add_help=False)
    sandbox.set_defaults(command=_sandbox)


def _add_describing(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    config = commands.add_parser("config", help="check the configuration, or print its JSON Schema")
    parts = config.add_subparsers(title="commands", metavar="COMMAND", required=True)
    check = parts.add_parser(
        "check",
        help="say everything that is wrong with a configuration file",
        description="Read the file as 'serve' would, the secrets it names included; each problem on a line.",
    )
    check.add_argument("file", type=Path, metavar="FILE")
    check.set_defaults(command=_check)
    schema = parts.add_parser(
        "schema",
        help="print the JSON Schema, for editors",
        description="Print the JSON Schema of the configuration file, for editors that complete and check. "
        "The options of the adapters that are installed are in it.",
    )
    schema.set_defaults(command=_schema)
    openapi = commands.add_parser(
        "openapi",
        help="print the OpenAPI document of the API",
        description="Print the OpenAPI document of the API.",
    )
    openapi.set_defaults(command=_openapi)
    keys = commands.add_parser("keys", help="make API keys for clients")
    making = keys.add_subparsers(title="commands", metavar="COMMAND", required=True)
    new = making.add_parser(
        "new",
        help="make a key and its hash",
        description="Make a key of 256 random bits, for the client, and its hash, for the configuration.",
    )
    new.add_argument(
        "--name", type=_name, help="of the client; prints its part of the configuration too, to fill in"
    )
    new.set_defaults(command=_new_key)


def _name(text: str) -> str:
    try:
        return msgspec.convert(text, Name)
    except msgspec.ValidationError:
        raise argparse.ArgumentTypeError(f"expected {expected(Name)}") from None


def _port(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or int(text) > 65_535:
        raise argparse.ArgumentTypeError("expected a port from 0 to 65535")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
