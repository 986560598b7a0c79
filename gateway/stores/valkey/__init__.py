"""The store for replicas: a Valkey or Redis server whose scripts decide, on its own clock."""

from __future__ import annotations

from gateway.stores.valkey.store import ValkeyStore

__all__ = ["ValkeyStore"]
