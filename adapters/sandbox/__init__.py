"""A look-alike of the upstream, for tests, for benches and for trying things out.

It imports nothing of the rest of the house, so that one mistake cannot sit on both sides.
"""

from adapters.sandbox.faults import Fault
from adapters.sandbox.keys import ApiKey
from adapters.sandbox.ledger import LedgerEntry
from adapters.sandbox.options import SandboxOptions
from adapters.sandbox.server import Sandbox

__all__ = ["ApiKey", "Fault", "LedgerEntry", "Sandbox", "SandboxOptions"]
