"""Where in the configuration something stands, so that every advice can name the setting to change."""

from __future__ import annotations

import msgspec

from contracts.adapter import AdapterSpec


class Place(msgspec.Struct, frozen=True):
    """One interface of one tenant."""

    tenant: str
    environment: str
    interface: str

    @property
    def address(self) -> str:
        """The setting that holds the address."""
        name = self.interface if self.interface in ("rest", "site") else f"addresses.{self.interface}"
        return f"environments.{self.environment}.{name}"

    @property
    def authority(self) -> str:
        return f"environments.{self.environment}.ca_file"

    @property
    def proxy(self) -> str:
        return f"environments.{self.environment}.proxy"

    @property
    def certificate(self) -> str:
        return f"tenants.{self.tenant}.client_certificate"

    def adapter(self, name: str) -> str:
        """The setting of an adapter."""
        return f"tenants.{self.tenant}.adapters.{name}"

    def credentials(self, spec: AdapterSpec) -> str:
        """The settings that an adapter's credential is made of."""
        slots = [f"tenants.{self.tenant}.credentials.{slot.value}" for slot in spec.credentials]
        return " and ".join(slots) or f"tenants.{self.tenant}.credentials"
