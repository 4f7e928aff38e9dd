"""Where length-prefixed messages go on after missing bytes: where one length leads to the next.

Strategy: a message begins where a DATA frame does, as a rule. A frame's beginning is taken for a
message's if the lengths from there on lead from prefix to prefix and end exactly where a frame
does, over two messages at least, or over one after which nothing comes; one of them must not be
empty, for zeros say nothing. By chance that happens less than once in 2^32. A place that a wrong
prefix follows is none, and is never looked at again: time is linear.
"""

from __future__ import annotations

from collections import deque

from ..limits import MAX_RESYNCHRONISE

PREFIX = 5
_FLAGS = (0, 1, 0x80, 0x81)
"""Compressed, and gRPC-Web's trailers (PROTOCOL-WEB.md)."""
LEAST_MESSAGES = 2


class MessageSearch:
    """Keeps what comes until messages are certain."""

    def __init__(self) -> None:
        self._held = bytearray()
        self._places: deque[int] = deque()  # frames that may begin with a message
        self._refuted: set[int] = set()
        self._begin()

    def _begin(self) -> None:
        self._pos: int | None = None  # up to where the lengths from the first place lead
        self._walk: list[int] = []
        self._has_content = False

    @property
    def waits(self) -> bool:
        """Whether later frames may yet tell."""
        return len(self._held) < MAX_RESYNCHRONISE

    def receive_frame(self, content: bytes, *, is_last: bool) -> int | None:
        if content:
            self._places.append(len(self._held))
            self._held += content
        least = 1 if is_last else LEAST_MESSAGES
        while self._places:
            if self._follow():
                is_end = self._pos == len(self._held) and self._has_content
                return self._places[0] if is_end and len(self._walk) >= least else None
            self._places.popleft()
            self._refuted.update(self._walk)
            self._begin()
        return None

    def _follow(self) -> bool:
        """Follow the lengths from the first place on; return whether they may be right."""
        held = self._held
        pos = self._places[0] if self._pos is None else self._pos
        while pos + PREFIX <= len(held):
            size = int.from_bytes(held[pos + 1 : pos + PREFIX])
            is_prefix = held[pos] in _FLAGS and size <= MAX_RESYNCHRONISE
            if not is_prefix or pos in self._refuted:
                return False
            self._walk.append(pos)
            self._has_content = self._has_content or bool(size)
            pos += PREFIX + size
        self._pos = pos
        return True
