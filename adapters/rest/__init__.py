"""The REST adapter: objects and workflows over the upstream's ``/api/v1``.

options.py       what a tenant may set
addressing.py    which path and filter reach a record, and which cannot be reached here
encoding.py      operation → wire request
paging.py        nextPageLink ↔ continuation
failures.py      an answer of 300 or above → the error it means
actions.py       workflows: their element ids, their bodies, their answers
catalogue.py     the workflows that every environment has
measurements.py  meter readings, a workflow each
multipart.py     files on their way out
adapter.py       the conversation: encode, send, decode
"""

from adapters.rest.adapter import RestAdapter
from adapters.rest.options import RestOptions
from contracts.adapter import API_VERSION, AdapterSpec
from contracts.wire import Slot

SPEC = AdapterSpec(
    name="rest",
    api_version=API_VERSION,
    interface="rest",
    summary="REST objects and workflows (/api/v1)",
    options=RestOptions,
    open=RestAdapter,
    credentials=(Slot.API_KEY,),
)
