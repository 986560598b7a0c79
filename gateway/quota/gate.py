"""The gate that stands before a tenant's way to one interface."""

from __future__ import annotations

from contracts.call import Call
from gateway.quota.admission import Admission
from gateway.quota.queue import Barred
from gateway.stores.ports import Account
from gateway.wire.gate import Passage


class QuotaGate:
    """Lets a tenant's requests to one interface through the admission of its environment."""

    def __init__(
        self, admission: Admission, tenant: str, adapter: str, *, counts: bool, barred: Barred
    ) -> None:
        """Tenant and adapter are as in the ledger; ``counts`` says whether the requests count in the quota.

        ``barred`` says of a call that has waited why it is not to be sent any more.
        """
        self._admission = admission
        self._tenant = tenant
        self._adapter = adapter
        self._counts = counts
        self._barred = barred

    @property
    def counts(self) -> bool:
        return self._counts

    async def enter(self, call: Call) -> Passage:
        account = Account(
            tenant=self._tenant,
            client=call.client,
            operation=call.journal.operation or call.operation.kind,
            adapter=self._adapter,
        )
        return await self._admission.enter(call, account, counts=self._counts, barred=self._barred)
