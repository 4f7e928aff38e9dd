"""What regular expressions are written with that every supported Python reads alike.

Python before 3.11.5, Debian 12's among them, takes a possessive quantifier behind a group for what
it is not: ``(?:ab?c)*+`` goes on after an iteration that fails half-way. Behind a character class
it is right, and so are atomic groups; a test holds that no group has one.
"""

from __future__ import annotations

import re
from typing import Any, AnyStr, cast

_BLOCK = 64
"""Iterations after which the way back is forgotten: each would keep some 60 bytes till the end."""


def every(pattern: AnyStr) -> AnyStr:
    """Return an expression for ``pattern`` as often as it comes, also never: ``(?:pattern)*+``.

    >>> every("ab?c")
    '(?>(?:(?>(?:ab?c){1,64}))*)'
    """
    if isinstance(pattern, bytes):
        return b"(?>(?:(?>(?:%b){1,%d}))*)" % (pattern, _BLOCK)
    return f"(?>(?:(?>(?:{pattern}){{1,{_BLOCK}}}))*)"


class _WhenUsed:
    """An expression that is compiled when one of its methods is first looked up."""

    def __init__(self, pattern: Any, flags: int) -> None:
        self._source = pattern, flags

    def __getattr__(self, name: str) -> Any:
        found = getattr(re.compile(*self._source), name)
        setattr(self, name, found)  # the next look-up comes by no function
        return found


def when_used(pattern: AnyStr, flags: int = 0) -> re.Pattern[AnyStr]:
    """Return an expression that is compiled when it is first used: most captures need few of them.

    >>> when_used("a+b").fullmatch("aab")[0]
    'aab'
    """
    return cast("re.Pattern[AnyStr]", _WhenUsed(pattern, flags))
