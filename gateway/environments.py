"""What decides about everything that leaves: of each environment its windows, its queue, its budget and circuits.

Tenants of one environment share them all, whatever credentials they have.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping

import msgspec

from gateway.carried import Carried
from gateway.clock import Clock
from gateway.pipeline import around_adapter
from gateway.policies import Policy
from gateway.policies.breaker import Breaker
from gateway.policies.budget import RetryBudget
from gateway.policies.circuit import Circuit
from gateway.policies.retry import Retry
from gateway.quota.admission import Admission
from gateway.quota.gate import QuotaGate
from gateway.quota.recorder import Recorder
from gateway.quota.view import QuotaView, shut_text
from gateway.quota.windows import Windows
from gateway.settings import EnvironmentSettings, Settings
from gateway.stores.ports import BreakerStore, QuotaStore, Standing
from gateway.telemetry.events import Events
from gateway.telemetry.standing import EnvironmentNow


class Shared(msgspec.Struct, frozen=True):
    """What the policies of all tenants work with. ``circuits`` are carried from one configuration to the next."""

    quota: QuotaStore
    breakers: BreakerStore
    clock: Clock
    events: Events
    circuits: Carried[Circuit]


class Environment:
    """One upstream installation: what all of its tenants share."""

    def __init__(self, name: str, settings: Settings, shared: Shared) -> None:
        self.name = name
        self.settings: EnvironmentSettings = settings.environments[name]
        tenants = {key: value for key, value in settings.tenants.items() if value.environment == name}
        self.windows = Windows(name, self.settings, tenants)
        self.admission = Admission(
            self.windows,
            self.settings.bulkhead,
            {key: tenant.bulkhead for key, tenant in tenants.items()},
            {key: client.weight for key, client in settings.clients.items()},
            shared.quota,
            shared.clock,
            shared.events,
        )
        self._tenants = tenants
        self._shared = shared
        self._budget = RetryBudget(self.settings.retry_budget)
        self._circuits: dict[str, Circuit] = {}

    def gate(self, tenant: str, adapter: str, interface: str) -> QuotaGate:
        """What stands before a tenant's way to an interface."""
        counted = self.settings.quota.interfaces
        return QuotaGate(
            self.admission,
            tenant,
            adapter,
            counts=counted is None or interface in counted,
            barred=self._circuit(adapter).barred,
        )

    def policies(self, tenant: str, adapter: str) -> tuple[Policy, ...]:
        """What is around everything that an adapter of a tenant does."""
        shared = self._shared
        retry = Retry(
            self._tenants[tenant].retry,
            self._budget,
            environment=self.name,
            adapter=adapter,
            clock=shared.clock,
            events=shared.events,
            random=random.random,
        )
        breaker = Breaker(self._circuit(adapter), shared.clock, self.settings.breaker.slow)
        return around_adapter(retry, breaker)

    def _circuit(self, adapter: str) -> Circuit:
        shared, settings = self._shared, self.settings.breaker

        def new() -> Circuit:
            return Circuit(
                settings,
                shared.breakers,
                environment=self.name,
                adapter=adapter,
                clock=shared.clock,
                events=shared.events,
                random=random.random,
            )

        self._circuits[adapter] = circuit = shared.circuits.of((self.name, adapter), settings, new)
        return circuit

    def view(self, recorder: Recorder, store_trouble: Callable[[], str | None]) -> QuotaView:
        """What people see of the quota; ``store_trouble`` says what is the matter with the store."""
        return QuotaView(self.windows, self.admission, recorder, self._shared.clock, store_trouble)

    async def standing(self) -> Standing:
        """Its enforced windows as the store knows them now. Raises :class:`~gateway.stores.ports.StoreLost`."""
        limits = [limit for limit in self.windows.every() if limit.enforced]
        periods = self.windows.periods(self._shared.clock.now())
        return await self._shared.quota.standing(self.name, limits, periods)

    def now(self, quota: Standing | None) -> EnvironmentNow:
        """How it stands, for metrics; ``quota`` is what :meth:`standing` answered, None when it is not known."""
        return EnvironmentNow(
            name=self.name,
            day_ends=self.windows.day_ends(self._shared.clock.now()),
            waiting=self.admission.waiting,
            refusing={adapter: circuit.refuses for adapter, circuit in self._circuits.items()},
            quota=quota,
        )

    def trouble(self) -> str | None:
        """What keeps calls from it, in words, as far as this process knows without asking; None when nothing does."""
        refusing = sorted(adapter for adapter, circuit in self._circuits.items() if circuit.refuses)
        circuits = [f"'{adapter}' keeps failing and is left alone" for adapter in refusing]
        return "; ".join([*circuits, *shut_text(self.admission, self.windows, self._shared.clock)]) or None

    async def close(self) -> None:
        """Wait until what was settled stands in the store."""
        await self.admission.aclose()


def environments(settings: Settings, shared: Shared) -> Mapping[str, Environment]:
    """All of them, by name."""
    return {name: Environment(name, settings, shared) for name in settings.environments}
