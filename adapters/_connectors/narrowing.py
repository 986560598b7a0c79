"""What of a filter an export connector can take over: equality with one value, for the columns it filters by.

Nothing may be lost by it, since what a connector leaves out nobody sees again: only values that have one
way to be written as text are handed over, and only those that XML can hold. What comes is filtered again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from adapters._connectors.columns import Column, EntityColumns
from adapters._connectors.records_xml import not_xml
from contracts.filters import And, Comparison, Filter, LiteralKind, Operator
from contracts.schema import PropertyType

_WHOLE = re.compile(r"-?(?:0|[1-9][0-9]*)")
_ONE_TEXT = (PropertyType.STRING, PropertyType.INTEGER, PropertyType.REFERENCE, PropertyType.KEY)


class Narrowing:
    """The columns that the export connector of one entity filters by."""

    def __init__(self, columns: EntityColumns, filters: Iterable[str]) -> None:
        """Raises ValueError for a filter that is neither a property nor a column of the entity."""
        self._columns = columns
        self._by: set[str] = set()
        self._whole_key = False
        for name in filters:
            named = columns.named(name)
            if not named:
                entity = columns.entity
                raise ValueError(f"'{name}' is no property of {entity.name}{entity.suggest(name)}")
            self._whole_key |= named is columns.key
            self._by.update(column.name for column in named)

    def values(self, tree: Filter | None) -> dict[str, str]:
        """The values by column that every record has for which the filter holds, as far as connectors can tell."""
        found: dict[str, str] = {}
        for comparison in _required(tree):
            column = self._columns.at(comparison.property)
            if column is not None and column.name in self._by and column.name not in found:
                text = self._text(column, comparison)
                if text is not None:
                    found[column.name] = text
        key = {column.name for column in self._columns.key}
        if self._whole_key and not key <= found.keys():
            # Such a connector takes the whole key or none of it.
            return {name: value for name, value in found.items() if name not in key}
        return found

    def _text(self, column: Column, comparison: Comparison) -> str | None:
        property = self._columns.entity.find(column.property)
        if property is None or property.type not in _ONE_TEXT:
            return None
        literal = comparison.value
        if literal.kind is LiteralKind.TEXT:
            text = str(literal.value)
            return text if text and not_xml(text) is None else None
        return literal.text if literal.kind is LiteralKind.NUMBER and _WHOLE.fullmatch(literal.text) else None


def _required(tree: Filter | None) -> Iterator[Comparison]:
    """The comparisons for equality that must all hold."""
    match tree:
        case And():
            for operand in tree.operands:
                yield from _required(operand)
        case Comparison(operator=Operator.EQ):
            yield tree
