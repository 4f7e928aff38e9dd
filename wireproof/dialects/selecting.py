"""What an expression selects of each element's JSON, in place of what a dialect says of it.

Strategy: JMESPath by its library (https://jmespath.org). An element that is no JSON is shown as
the wire has it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from warnings import catch_warnings, simplefilter

import jmespath
from jmespath.exceptions import JMESPathError
from jmespath.functions import Functions
from parsers.records import SseEventRecord

from ..exchange import Exchange
from .decoding import reading, to_json
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
            with catch_warnings():
                simplefilter("ignore")  # `a` for `"a"` still works, and JMESPath itself has it
                compiled = jmespath.compile(expression)
        except JMESPathError as error:
            raise ValueError(" ".join(str(error).split())) from error
        except RecursionError as error:
            raise ValueError("it is nested too deeply") from error
        _check_functions(compiled.parsed)
        self._search: Callable[[Any], Any] = compiled.search

    def __call__(self, about: Exchange) -> SelectReader:
        """Return the reader of an exchange."""
        return SelectReader(self._search)


class SelectReader:
    """Shows what an expression selects."""

    def __init__(self, search: Callable[[Any], Any]) -> None:
        self.dialect: Dialect | None = None
        self.takes_pieces = False
        self.read: Callable[[Element], Payload] = self._selected
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
        return NOTHING if found is None else Payload("other", to_json(found))


def _check_functions(node: Any) -> None:
    """Raise ValueError for a function that there is not, or that has other arguments.

    The library finds that out when it calls one.
    """
    if not isinstance(node, dict):
        return
    children = node.get("children", [])
    if node.get("type") == "function_expression":
        name = node["value"]
        if name not in Functions.FUNCTION_TABLE:
            raise ValueError(f"there is no function {name}()")
        signature = Functions.FUNCTION_TABLE[name]["signature"]
        is_variadic = bool(signature) and bool(signature[-1].get("variadic"))
        missing = len(signature) - len(children)
        if missing > 0 or (missing < 0 and not is_variadic):
            raise ValueError(f"{name}() takes {len(signature)} arguments, not {len(children)}")
    for child in children:
        _check_functions(child)
