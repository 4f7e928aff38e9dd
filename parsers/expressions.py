"""What regular expressions are written with that every supported Python reads alike.

Python before 3.11.5, Debian 12's among them, takes a possessive quantifier behind a group for what
it is not: ``(?:ab?c)*+`` goes on after an iteration that fails half-way. Behind a character class
it is right, and so are atomic groups; a test holds that no group has one.
"""

from __future__ import annotations

from typing import AnyStr

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
