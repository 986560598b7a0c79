"""The store that forgets with the process."""

from gateway.stores.memory.store import MemoryStore

__all__ = ["MemoryStore"]
