"""The doctor, sent to an upstream of a test: what it finds, by tenant and by what it is about."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec

from gateway.bootstrap import mistakes, open_store
from gateway.clock import SystemClock
from gateway.doctor import Finding, Report, Wanted, examine
from gateway.keys import hash_key
from gateway.settings import Settings, parse
from gateway.stores.ports import Store
from tests.support.quota import ENVIRONMENT, STORE
from tests.support.servers import UPSTREAM_KEY, UPSTREAM_PASSWORD, UPSTREAM_USER

DEMO = Path(__file__).parents[2] / "gateway" / "demo" / "demo.yaml"
SECRETS = {
    "SANDBOX_KEY": "sandbox-demo",
    "SANDBOX_ONPREM_KEY": "sandbox-onprem",
    "SANDBOX_PASSWORD": "sandbox-password",
}


def demo(folder: Path, upstream: str) -> str:
    """The path of the demo's configuration, for this upstream, with its secrets in files."""
    text = DEMO.read_text().replace("http://127.0.0.1:8081", upstream)
    for name, secret in SECRETS.items():
        (folder / name).write_text(secret)
        text = text.replace(f"env: {name}", f"file: {folder / name}")
    file = folder / "gateway.yaml"
    file.write_text(f"store: {{kind: sqlite, file: {folder / 'kept.db'}}}\n{text}")
    return str(file)


def configured(
    upstream: str,
    tenants: Mapping[str, Mapping[str, object]] | None = None,
    *,
    environment: Mapping[str, object] | None = None,
    secrets: Mapping[str, str] | None = None,
    store: Mapping[str, object] = STORE,
) -> Settings:
    """A configuration for the upstream with this REST base address, with a tenant ``demo`` when none is given."""
    plant = {"rest": upstream, "site": upstream.removesuffix("/api/v1"), "zone": "Europe/Amsterdam"}
    credentials = {
        "api_key": {"env": "UPSTREAM_KEY"},
        "username": UPSTREAM_USER,
        "password": {"env": "UPSTREAM_PASSWORD"},
    }
    document = {
        "store": {**store},
        "environments": {"plant": {**plant, **ENVIRONMENT, **(environment or {})}},
        "tenants": {
            name: {"environment": "plant", "credentials": credentials, **tenant}
            for name, tenant in (tenants or {"demo": {}}).items()
        },
        "clients": {"tests": {"keys": [hash_key("test-key")], "scopes": ["read"], "tenants": ["*"]}},
    }
    environ = {"UPSTREAM_KEY": UPSTREAM_KEY, "UPSTREAM_PASSWORD": UPSTREAM_PASSWORD, **(secrets or {})}
    return parse(msgspec.json.encode(document).decode(), environ, Path(), mistakes)


async def examined(settings: Settings, *, kept: Store | None = None, **wanted: object) -> Report:
    """What the doctor finds. ``kept`` is a store that goes on afterwards; ``wanted`` are fields of :class:`Wanted`."""
    clock = SystemClock()
    asked = msgspec.convert({"tenants": tuple(settings.tenants), "patience": 5.0, **wanted}, Wanted)
    store = kept or open_store(settings.store, clock)
    try:
        return await examine(settings, store, clock, asked)
    finally:
        if kept is None:
            await store.close()


def found(report: Report, tenant: str = "demo") -> dict[str, Finding]:
    """What there is of one tenant, by what it is about."""
    (one,) = [it for it in report.tenants if it.tenant == tenant]
    ways = [finding for interface in one.interfaces for finding in interface.findings]
    return {finding.about: finding for finding in (*ways, *one.findings)}
