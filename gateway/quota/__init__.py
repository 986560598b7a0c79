"""The upstream's quota: what its windows are, who may send next, and what people see of it.

``gate`` stands before the wire and leads to ``admission``, one for each environment: who waits (``queue``),
what is taken (``reservations``, ``slots``), what is full (``closures``), how many are under way
(``bulkheads``) and what is told to whom it refuses (``refusals``). ``windows`` has the limits and the days,
``fallback`` what goes on without the store, ``recorder`` the ledger's other figures, ``view`` and ``forecast``
what is told of them.
"""
