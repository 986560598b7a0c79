"""Files handed over to workflows: their measures, never their contents."""

import msgspec


class Upload(msgspec.Struct, frozen=True):
    """One file. ``owner`` is what it is attached to, such as ``Job 0000002``."""

    owner: str
    name: str
    size: int
    sha256: str


class Uploads:
    """The files, by owner and name; the same name again overwrites."""

    def __init__(self) -> None:
        self._files: dict[tuple[str, str], Upload] = {}

    def keep(self, upload: Upload) -> None:
        self._files[upload.owner, upload.name] = upload

    @property
    def files(self) -> list[Upload]:
        return list(self._files.values())

    def clear(self) -> None:
        self._files.clear()
