"""The store that keeps everything in one file, for one gateway; the default."""

from gateway.stores.sqlite.store import SqliteStore

__all__ = ["SqliteStore"]
