"""What an expression selects of each element's JSON, in place of what a dialect says of it.

Strategy: JMESPath by its library (https://jmespath.org). An element that is no JSON is shown as
the wire has it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jmespath
from jmespath.exceptions import JMESPathError
from parsers.records import SseEventRecord

from ..exchanges import Exchange
from .decoding import reading, written
from .dialect import Dialect, Element
from .payload import OTHER, Payload

MAX_SELECTED = 1024 * 1024
"""Characters of JSON that an expression is applied to; a longer element is shown as it is."""
NOTHING = Payload("other", label="(nothing)")
"""Of JSON in which the expression finds nothing."""

_any = reading(Any)


class Selection:
    """An expression: makes the readers of a view."""

    def __init__(self, expression: str) -> None:
        """Raise ValueError for what is no expression, with what is wrong and where."""
        try:
            self._search: Callable[[Any], Any] = jmespath.compile(expression).search
        except JMESPathError as error:
            raise ValueError(" ".join(str(error).split())) from error

    def __call__(self, about: Exchange) -> SelectReader:
        """Return the reader of an exchange."""
        return SelectReader(self._search)


class SelectReader:
    """Shows what an expression selects."""

    def __init__(self, search: Callable[[Any], Any]) -> None:
        self.dialect: Dialect | None = None
        self.takes_pieces = False
        self.read = self._selected
        self._search = search

    def _selected(self, element: Element) -> Payload:
        data = element.data
        is_text = isinstance(element, SseEventRecord) or element.encoding == "utf-8"
        if not data or not is_text or len(data) > MAX_SELECTED:
            return OTHER
        value = _any(data)
        if value is None:
            return OTHER
        try:
            found = self._search(value)
        except (JMESPathError, RecursionError) as error:
            return Payload("error", " ".join(str(error).split()))
        return NOTHING if found is None else Payload("other", written(found) or '""')
