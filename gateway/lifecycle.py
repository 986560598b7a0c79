"""What a process says of itself while it lives: which configuration runs, and whether it is about to end."""

from __future__ import annotations


class Lifecycle:
    """Written by those who reload and end the service; told by /readyz and by the answers of the API.

    ``config`` is the fingerprint of the configuration that runs. ``refused`` says why the file on the disk, which is
    another one, does not. While the process is ``draining`` it still serves, and asks everybody to go elsewhere.
    """

    def __init__(self, config: str = "") -> None:
        self.config = config
        self.refused: str | None = None
        self.draining = False
