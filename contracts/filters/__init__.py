"""The filter language and its small relatives: text to a tree, back to text, and evaluated on a record.

* ``tree``       what a filter is: frozen Structs
* ``literals``   the values a filter can name, and how they read
* ``tokens``     text to tokens
* ``parser``     tokens to a tree; every error says where, and what could have stood there
* ``printer``    a tree to the text that the upstream takes
* ``evaluator``  a tree to a predicate over normalized records; sort keys
* ``lists``      the comma lists of ``orderby``, ``select`` and ``expand``

Source: vendor page "Query options", the vendor's OData dialect.
"""

from contracts.filters.evaluator import matches, ordering_key, predicate
from contracts.filters.lists import parse_orderby, parse_properties, print_orderby, print_properties
from contracts.filters.literals import Literal, LiteralKind
from contracts.filters.parser import parse_filter
from contracts.filters.printer import print_filter
from contracts.filters.tree import (
    And,
    Comparison,
    Filter,
    Membership,
    Not,
    Operator,
    Or,
    PropertyPath,
    properties,
)

__all__ = [
    "And",
    "Comparison",
    "Filter",
    "Literal",
    "LiteralKind",
    "Membership",
    "Not",
    "Operator",
    "Or",
    "PropertyPath",
    "matches",
    "ordering_key",
    "parse_filter",
    "parse_orderby",
    "parse_properties",
    "predicate",
    "print_filter",
    "print_orderby",
    "print_properties",
    "properties",
]
