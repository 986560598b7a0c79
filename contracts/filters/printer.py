"""A tree to the text that the upstream takes, with no parenthesis more than its reading needs.

The operand of ``not`` is always in parentheses: in OData ``not`` binds tighter than a comparison, and
which reading the upstream follows is not known. So both read the same.
"""

from __future__ import annotations

from contracts.filters.tree import And, Comparison, Filter, Membership, Not, Or


def print_filter(tree: Filter) -> str:
    """The canonical text, not percent-encoded; parsing it gives an equal tree."""
    match tree:
        case Comparison():
            return f"{'/'.join(tree.property)} {tree.operator} {tree.value.text}"
        case Membership():
            return f"{'/'.join(tree.property)} in ({', '.join(value.text for value in tree.values)})"
        case Not():
            return f"not ({print_filter(tree.operand)})"
        case And():
            return " and ".join(_enclosed(operand, And, Or) for operand in tree.operands)
        case Or():
            return " or ".join(_enclosed(operand, Or) for operand in tree.operands)


def _enclosed(operand: Filter, *looser: type[And | Or]) -> str:
    text = print_filter(operand)
    return f"({text})" if isinstance(operand, looser) else text
