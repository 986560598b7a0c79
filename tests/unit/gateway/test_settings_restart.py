"""What a process keeps from its start to its end: of each setting of the service it is said whether it does."""

from __future__ import annotations

import msgspec
import pytest

from gateway.settings import ServerSettings, Settings, StoreSettings, restart_needed
from gateway.settings.restart import LASTING

LIVE = {"cursor_secret", "default_timeout", "max_timeout", "limits", "jwt"}
RUNS = Settings(environments={}, tenants={}, clients={})


def changed(part: str, name: str) -> list[str]:
    wanted = msgspec.structs.replace(getattr(RUNS, part), **{name: "something else"})
    return [problem.path for problem in restart_needed(RUNS, msgspec.structs.replace(RUNS, **{part: wanted}))]


def test_every_setting_of_the_server_is_one_or_the_other() -> None:
    assert {*LASTING, *LIVE} == set(ServerSettings.__struct_fields__)
    assert not LIVE.intersection(LASTING)


@pytest.mark.parametrize("name", ServerSettings.__struct_fields__)
def test_of_the_server_only_what_calls_look_at_changes_while_it_runs(name: str) -> None:
    assert changed("server", name) == ([] if name in LIVE else [f"server.{name}"])


@pytest.mark.parametrize("name", StoreSettings.__struct_fields__)
def test_of_the_store_nothing_does(name: str) -> None:
    assert changed("store", name) == [f"store.{name}"]
