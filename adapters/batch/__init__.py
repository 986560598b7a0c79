"""The batch adapter: many writes in one request to the upstream's ``/api/v1/batch``, and the only way to delete.

Source: vendor page "Inserting data in batch".

options.py   what a tenant may set
encoding.py  members → the bytes of a request, and how many of them fit in one
answers.py   the answer, as far as it comes
results.py   what the answer means for each member
adapter.py   the conversation: encode, send, decode
"""

from adapters.batch.adapter import BatchAdapter
from adapters.batch.options import BatchOptions
from contracts.adapter import API_VERSION, AdapterSpec
from contracts.wire import Slot

SPEC = AdapterSpec(
    name="batch",
    api_version=API_VERSION,
    interface="rest",
    summary="Many REST writes in one request, and deletes (/api/v1/batch)",
    options=BatchOptions,
    open=BatchAdapter,
    credentials=(Slot.API_KEY,),
)
