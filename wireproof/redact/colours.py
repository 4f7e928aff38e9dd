"""Texts as a terminal shows them: the colours of logs stand between names, signs and values.

ECMA-48 section 8.3.117 (SGR), as it is and as JSON, C and shells escape it; and what erases a line,
which grep has behind each colour.
"""

from __future__ import annotations

import re

from .rewritten import Rewritten

COLOUR = re.compile(
    r"(?:\x1b|\\{1,7}(?:[uU](?:0000)?001[bB]|x1[bB]|033|e))(?:\[[\d;:]{0,24}[mK]|\(B)"
)
_IN_EACH = ("\x1b[", "1b[", "1B[", "033[", "\\e[")


def has_colours(text: str) -> bool:
    """Return whether there may be colours in a text."""
    return any(one in text for one in _IN_EACH)


def without_colours(text: str) -> Rewritten:
    """Return a text without its colours."""
    return Rewritten(text, ((match.span(), "") for match in COLOUR.finditer(text)))
