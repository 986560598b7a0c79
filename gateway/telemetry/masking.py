"""How the line of a call names a record: by the ends of its key, so that lines can be matched and no more."""

from __future__ import annotations

from contracts.paths import ObjectPath


def mask_path(path: ObjectPath) -> str:
    """The names of a path with its keys masked: ``Department/…/Jobs/0…2``."""
    return "/".join(
        segment.name
        if segment.key is None
        else f"{segment.name}/{','.join(mask_key(part.value) for part in segment.key.parts)}"
        for segment in path.segments
    )


def mask_key(key: str) -> str:
    """The ends of a key of more than three characters, ``0…1`` for ``00001``; nothing of a shorter one."""
    return f"{key[0]}…{key[-1]}" if len(key) > 3 else "…"
