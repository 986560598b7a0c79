"""API keys: their entropy, their hashes, and whom they lead to."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from gateway.demo.run import SECRETS
from gateway.keys import KeyRing, hash_key, new_key
from gateway.settings import ClientSettings, load

DEMO = Path(__file__).parents[3] / "gateway" / "demo" / "demo.yaml"


def client(*keys: str) -> ClientSettings:
    return ClientSettings(scopes=frozenset(["read"]), tenants=("*",), keys=tuple(map(hash_key, keys)))


def test_a_new_key_has_256_bits_and_comes_with_its_hash() -> None:
    key, hashed = new_key()
    assert key.startswith("ug_")
    assert len(base64.urlsafe_b64decode(key[3:] + "=")) == 32
    assert hashed == "sha256:" + hashlib.sha256(key.encode()).hexdigest()
    assert new_key()[0] != key


def test_a_key_leads_to_its_client_and_no_other_text_does() -> None:
    ring = KeyRing({"one": client("a", "b"), "two": client("c")})
    assert [ring.find(key) for key in "abc"] == ["one", "one", "two"]
    assert ring.find(hash_key("a")) is None
    assert ring.find("") is None


@given(st.text())
def test_any_text_can_be_looked_up(text: str) -> None:
    assert KeyRing({"one": client("a key")}).find(text) is None


def test_the_demo_has_the_keys_that_it_promises() -> None:
    settings = load(DEMO, SECRETS)
    ring = KeyRing(settings.clients)
    names = [ring.find("demo-key"), ring.find("demo-read-key")]
    scopes = [settings.clients[name].scopes for name in names if name]
    assert scopes == [{"read", "write"}, {"read"}]
    assert all(client.sees("demo") for client in settings.clients.values())
