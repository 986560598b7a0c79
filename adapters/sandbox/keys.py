"""API keys: what each grants, and the keys that the look-alike has when none are configured."""

from collections.abc import Iterable
from ipaddress import ip_address, ip_network

import msgspec

from adapters.sandbox.errors import Refusal
from adapters.sandbox.model import Entity

Grants = dict[str, tuple[str, ...] | None]
"""Entity → granted properties in the order of answers; ``None`` grants all but ``SystemCompany``."""

VENDOR_PAGE = (
    "Id Code Context Description InstallDate ManufactureYear NextPmMaintenanceDate Status SerialNumber"
    " CostCenter Department EquipmentType PartOfEquipment ProcessFunction"
)


class ApiKey(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One API key as the customer would set it up.

    ``name`` is what ledgers show, never the ``secret``. ``grants`` is ``None`` for every entity.
    ``companies`` limits the key to records of those companies; with several, ``Ultimo-Company`` chooses.
    ``addresses`` are IPv4 and IPv6 networks; empty lets everyone in. ``actions`` are the workflows granted,
    ``None`` for all. ``read_only`` keys are those of an installation on the customer's premises.
    ``daily_quota`` is the key's own share of the day, ``None`` for no share.
    """

    name: str
    secret: str
    grants: Grants | None = None
    multilingual: bool = False
    companies: tuple[str, ...] = ()
    provider: str = "Rest"
    addresses: tuple[str, ...] = ()
    actions: tuple[str, ...] | None = None
    read_only: bool = False
    daily_quota: int | None = None

    def granted(self, entity: Entity) -> tuple[str, ...] | None:
        """The names that the key sees of an entity, in order; ``None`` when it may not see it at all."""
        if self.grants is None:
            names = None
        elif entity.name in self.grants:
            names = self.grants[entity.name]
        else:
            return None
        if names is not None:
            return names
        return tuple(name for name in entity.names() if name != "SystemCompany")

    def may_run(self, workflow: str) -> bool:
        """Whether the key grants the workflow of exactly that name."""
        return self.actions is None or workflow in self.actions

    def admits(self, address: str | None) -> bool:
        """Whether a call may come from that address."""
        if not self.addresses:
            return True
        if address is None:
            return False
        caller = ip_address(address.partition("%")[0])
        mapped = getattr(caller, "ipv4_mapped", None) or caller
        networks = (ip_network(network) for network in self.addresses)
        return any(mapped in network for network in networks)

    def company(self, chosen: str | None) -> str | None:
        """The company of this call, or ``None`` when the key is not limited.

        Raises ``Refusal`` when the key covers several and the call names none, or another.
        """
        if chosen is None:
            if len(self.companies) > 1:
                raise Refusal(400, "CompanyRequired", "The header 'Ultimo-Company' is required for this key.")
            return self.companies[0] if self.companies else None
        if self.companies and chosen not in self.companies:
            raise Refusal(400, "InvalidCompany", f"The API key does not cover the company '{chosen}'.")
        return chosen if self.companies else None


class KeyRing:
    """The keys, found by secret."""

    def __init__(self, keys: Iterable[ApiKey]) -> None:
        self._keys = {key.secret: key for key in keys}

    @property
    def names(self) -> list[str]:
        return [key.name for key in self._keys.values()]

    def find(self, secret: str | None) -> ApiKey | None:
        return self._keys.get(secret) if secret else None

    def authenticate(self, secret: str | None, address: str | None) -> ApiKey:
        """The key of a call. Raises ``Refusal`` 401 when it is missing, unknown or used from elsewhere."""
        if not secret:
            raise Refusal(401, "MissingApiKey", "No API key was found in the request headers.")
        key = self._keys.get(secret)
        if key is None or not key.admits(address):
            raise Refusal(401, "InvalidApiKey", "The API key is not valid.")
        return key


def default_keys() -> tuple[ApiKey, ...]:
    """The invented keys of the look-alike; the secret is the name."""
    narrow: Grants = {
        "Department": ("Id", "Description", "Site"),
        "Site": ("Id", "Description"),
        "Equipment": ("Id", "Context", "Description", "Status", "Department"),
    }
    keys = (
        ApiKey(name="sandbox-demo", secret=""),
        ApiKey(name="sandbox-vendor-page", secret="", grants={"Equipment": tuple(VENDOR_PAGE.split())}),
        ApiKey(name="sandbox-multilingual", secret="", multilingual=True),
        ApiKey(name="sandbox-companies", secret="", companies=("01", "02")),
        ApiKey(name="sandbox-readonly", secret="", read_only=True, actions=()),
        ApiKey(name="sandbox-onprem", secret="", read_only=True),
        ApiKey(name="sandbox-elsewhere", secret="", addresses=("192.0.2.0/24", "2001:db8::/32")),
        ApiKey(name="sandbox-erp", secret="", provider="erp"),
        ApiKey(name="sandbox-narrow", secret="", grants=narrow, actions=("REST_ReportJob",)),
    )
    return tuple(msgspec.structs.replace(key, secret=key.name) for key in keys)
