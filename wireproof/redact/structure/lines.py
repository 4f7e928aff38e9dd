"""Lines of event streams, and of other streams of lines, without what they say.

Strategy: a line is masked when it is whole: its field's name is one that WHATWG HTML section 9.2.6
lists, of ``data`` JSON keeps its syntax, and whatever else it says is masked. A line that does not
end within MAX_LINE bytes is masked without a look at it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache, partial

from .masking import Veil, stars
from .values import is_json, masked_json, outside
from .words import LAST, event_names

MAX_LINE = 64 * 1024
"""Bytes of a line that wait for its end."""
MAX_KNOWN = 1_024
LINE_END = re.compile(rb"(\r\n|\r|\n)")
CODED_LINE = re.compile(rb"[0-9a-k]:(?=[\"{\[])")
"""How a line of the AI SDK's data streams begins: what it is."""
RETRY = re.compile(rb" ?\d{1,7}")
NUMBER_OR_WORD = re.compile(rb"\s*(?:true|false|null|-?\d+(?:\.\d+)?)\s*")
MARK = b"\xef\xbb\xbf"
"""What an event stream may begin with (WHATWG HTML section 9.2.5)."""


def masked_data(value: bytes) -> bytes:
    """Return what an event says without its content."""
    if not value or value == LAST:
        return value
    if is_json(value):
        return masked_json(value)
    return outside(value) if NUMBER_OR_WORD.fullmatch(value) else stars(len(value))


def masked_field(veil: Veil, line: bytes) -> bytes:
    """Return a line of an event stream without its content."""
    if line.startswith(b"data: "):
        return b"data: " + masked_data(line[6:])
    if len(line) > MAX_KNOWN:
        return _other_field(veil, line)
    return _known_field(veil, line)


def _other_field(veil: Veil, line: bytes) -> bytes:
    mark, line = (MARK, line[3:]) if line.startswith(MARK) else (b"", line)
    name, colon, value = line.partition(b":")
    space = b" " if value.startswith(b" ") else b""
    said = value[len(space) :]
    match name:
        case b"":
            said = stars(len(said))
        case b"data":
            said = masked_data(said)
        case b"event":
            said = said if said in event_names() else stars(len(said))
        case b"id":
            said = veil.over(said)
        case b"retry":
            said = said if RETRY.fullmatch(said) else stars(len(said))
        case _:
            name, said = stars(len(name)), stars(len(said))
    return mark + name + colon + space + said


_known_field = lru_cache(MAX_KNOWN)(_other_field)


def masked_coded_line(line: bytes) -> bytes:
    """Return a line of the AI SDK's data streams without its content."""
    code = CODED_LINE.match(line)
    return stars(len(line)) if code is None else code[0] + masked_json(line[2:])


class LineText:
    """Masks lines that come in pieces: gives as many bytes as it got, if not at once."""

    __slots__ = ("_mask", "_passes_over", "waiting")

    def __init__(self, mask: Callable[[bytes], bytes]) -> None:
        self._mask = mask
        self.waiting = b""
        """What came and has not been given."""
        self._passes_over = False
        """Whether the line at hand is too long to be looked at."""

    def feed(self, data: bytes) -> bytes:
        """Take the next piece; return what of all of them can be given by now."""
        text = self.waiting + data
        if b"\r" not in text:
            lines = text.split(b"\n")
            lines[:-1] = map(self._masked, lines[:-1])
            return self._given(lines, b"\n")
        parts = LINE_END.split(text)
        for index in range(0, len(parts) - 1, 2):
            parts[index] = self._masked(parts[index])
        return self._given(parts, b"")

    def _masked(self, line: bytes) -> bytes:
        if self._passes_over:
            self._passes_over = False
            return stars(len(line))
        return self._mask(line) if line else line

    def _given(self, parts: list[bytes], between: bytes) -> bytes:
        """Return lines that end; the rest waits."""
        rest = parts[-1]
        if len(rest) > MAX_LINE or self._passes_over:
            self._passes_over, self.waiting = True, b""
            parts[-1] = stars(len(rest))
        else:
            self.waiting, parts[-1] = rest, b""
        return between.join(parts)

    def end(self) -> bytes:
        """Return what waits, as nothing follows it."""
        text, self.waiting = self.waiting, b""
        return self._masked(text)

    def lose(self, size: int) -> bytes:
        """Take note that the capture lacks the next bytes: behind them a line may begin."""
        return self.end() + stars(size)


def json_lines() -> LineText:
    """Return what masks JSON in lines of which any may begin in the middle."""
    return LineText(lambda line: masked_json(line) if is_json(line) else stars(len(line)))


def event_lines(veil: Veil) -> LineText:
    """Return what masks an event stream."""
    return LineText(partial(masked_field, veil))
