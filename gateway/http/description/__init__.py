"""The API in words and small tables: what ``openapi.py`` and ``docs.py`` are made from."""

from gateway.http.description.many import MANY
from gateway.http.description.model import Described, Parameter, Reply
from gateway.http.description.objects import OBJECTS
from gateway.http.description.parameters import HEADERS, PARAMETERS
from gateway.http.description.service import SERVICE

OPERATIONS: tuple[Described, ...] = OBJECTS + MANY + SERVICE

TITLE = "Ultimo Gateway"
SUMMARY = "One JSON API in front of IFS Ultimo, whatever interface serves it."
INTRODUCTION = (
    "A caller says what it wants of which records; the gateway decides which upstream request, if any, "
    "that needs. Every answer but a stream tells what it cost in `Quota-Cost`. Every error is a problem document "
    "(RFC 9457) that says whether repeating helps (`retryable`) and whether the upstream may have acted "
    "(`outcome`)."
)

__all__ = [
    "HEADERS",
    "INTRODUCTION",
    "OPERATIONS",
    "PARAMETERS",
    "SUMMARY",
    "TITLE",
    "Described",
    "Parameter",
    "Reply",
]
