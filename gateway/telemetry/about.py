"""What is told of the process itself: its version, the configuration that runs, and how it came to it."""

from __future__ import annotations

import platform

from prometheus_client import CollectorRegistry, Gauge

from gateway.telemetry.series import counted


class About:
    """Of this process; two replicas agree on their configuration when their hashes do."""

    def __init__(self, registry: CollectorRegistry, version: str) -> None:
        build = Gauge(
            "ultimo_gateway_build_info",
            "The version of the gateway, and of Python; always 1.",
            ("version", "python"),
            registry=registry,
        )
        build.labels(version, platform.python_version()).set(1)
        self._config = Gauge(
            "ultimo_gateway_config_info",
            "The hash of the configuration that runs; always 1. Replicas with equal hashes agree.",
            ("hash",),
            registry=registry,
        )
        self._loaded = Gauge(
            "ultimo_gateway_config_loaded_timestamp_seconds",
            "When the configuration that runs was taken over.",
            registry=registry,
        )
        self._stale = Gauge(
            "ultimo_gateway_config_stale",
            "1 while the file was changed to what cannot be taken over; what was there before runs on.",
            registry=registry,
        )
        self._reloads = counted(
            registry,
            "config_reloads",
            "Changes of the configuration's files, by what came of them.",
            {"outcome": ("taken", "refused")},
        )

    def runs(self, config: str, now: float) -> None:
        """The configuration with this hash runs, since ``now`` (seconds since 1970)."""
        self._config.clear()
        self._config.labels(config).set(1)
        self._loaded.set(now)

    def reloaded(self, *, refused: bool) -> None:
        """Files have changed, and were taken over or not."""
        self._reloads.of(("refused" if refused else "taken",)).inc()
        self._stale.set(int(refused))
