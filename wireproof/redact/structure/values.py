"""JSON without what it says: brackets, the members that dialects read, their counts and words.

Strategy: what stands between quotes is in every other piece when a text is cut at its quotes. A
string is an asterisk a byte, unless it is a member's name that is listed, or the value of such a
member and an API's word; digits become nines, so numbers are numbers still. Outside of strings
nothing else is JSON: what is something else, is masked too, so a text that is no JSON at all tells
no more than the listed words that happen to stand in it between quotes.

A text may come in pieces. It is masked up to the last comma or bracket outside of strings, and what
follows waits: a word, or a name without its value, as long as it is short.
"""

from __future__ import annotations

import re
from functools import lru_cache

from .masking import stars
from .words import NOTHING, NUMBER_VALUE, WORD_VALUE, members, words

MAX_WAITING = 256
"""Bytes that wait for what follows them: a member, its name and a word. Longer is content."""
MAX_KNOWN, MAX_KNOWN_TEXT = 4_096, 64
"""Texts outside of strings that are remembered with what becomes of them, and bytes of one."""
# RFC 8259 sections 2, 3 and 6; RFC 7464 section 2.2 and SignalR have a separator beside them.
SYNTAX = re.compile(
    rb"(?>(?:[\s{}\[\],:\x1e]|true|false|null|-?9+(?:\.9+)?(?:[eE][+-]?9+)?(?![\w.]))*)"
)
NINES = bytes.maketrans(b"0123456789", b"9" * 10)
LINE_END = re.compile(rb"([\r\n]+)")
COUNT = re.compile(rb"\s*:\s*-?\d{1,7}(?=[\s,}\]])")
"""A number that counts something."""
BEGINS = re.compile(rb"\s*[{}\[\]\"\x1e]")
BORDER = re.compile(rb".*[,{}\[\]\n\x1e]", re.DOTALL)
STRING_REST = re.compile(rb'(?>(?:[^"\\]|\\[\x00-\xff])*)')


def is_json(text: bytes) -> bool:
    """Return whether a text begins as JSON, or a line of it, that is more than a number or word."""
    return BEGINS.match(text) is not None


def masked_json(text: bytes) -> bytes:
    """Return a text that begins outside of strings without its content, of the same length."""
    known, own = members(), words()
    if b"\\" in text:  # what an escape stands for is content; where it ends, no string does
        text = text.replace(b"\\\\", b"**").replace(b'\\"', b"**")
    pieces = text.split(b'"')
    pieces[0] = outside(pieces[0])
    kind = NOTHING
    last = len(pieces) - 1
    for index in range(1, last + 1, 2):
        string = pieces[index]
        if index == last:  # it has no end
            pieces[index] = stars(len(string))
            break
        after = pieces[index + 1]
        if after[:1] == b":" or after.lstrip()[:1] == b":":
            found = known.get(string)
            if found is None:
                kind = NOTHING
                pieces[index] = stars(len(string))
            else:
                kind = found
            pieces[index + 1] = counted(after) if kind & NUMBER_VALUE else outside(after)
        else:
            if not kind & WORD_VALUE or string not in own:
                pieces[index] = stars(len(string))
            kind = NOTHING
            pieces[index + 1] = outside(after)
    return b'"'.join(pieces)


def outside(text: bytes) -> bytes:
    """Return what stands outside of strings without its content."""
    return _known_outside(text) if len(text) <= MAX_KNOWN_TEXT else _outside(text)


def _outside(text: bytes) -> bytes:
    masked = text.translate(NINES)
    if SYNTAX.fullmatch(masked) is not None:
        return masked
    parts = LINE_END.split(masked)  # a line that is no JSON does not concern the others
    for at in range(0, len(parts), 2):
        if SYNTAX.fullmatch(parts[at]) is None:
            parts[at] = stars(len(parts[at]))
    return b"".join(parts)


_known_outside = lru_cache(MAX_KNOWN)(_outside)


def counted(text: bytes) -> bytes:
    """Return the same behind the name of a member that counts: its number stays."""
    count = COUNT.match(text)
    return outside(text) if count is None else count[0] + outside(text[count.end() :])


class JsonText:
    """Masks JSON that comes in pieces: gives as many bytes as it got, if not at once."""

    __slots__ = ("_in_string", "waiting")

    def __init__(self) -> None:
        self.waiting = b""
        """What came and has not been given."""
        self._in_string = False

    def feed(self, data: bytes) -> bytes:
        """Take the next piece; return what of all of them can be given by now."""
        text, self.waiting = self.waiting + data, b""
        done = b""
        if self._in_string:
            rest = STRING_REST.match(text)
            end = rest.end()  # type: ignore[union-attr]  # it may be empty
            done = stars(end)
            if end < len(text) and text[end] != ord('"'):  # a backslash ends the piece
                self.waiting = text[end:]
                return done
            self._in_string = end == len(text)
            done, text = done + text[end : end + 1], text[end + 1 :]
        end = _border(text)
        if len(text) - end <= MAX_WAITING:
            self.waiting = text[end:]
            return done + masked_json(text[:end])
        return done + self._all_but_escape(text)

    def _all_but_escape(self, text: bytes) -> bytes:
        """Mask a text that ends in something long: a string that goes on, or no JSON."""
        plain = text.replace(b"\\\\", b"**").replace(b'\\"', b"**")
        self._in_string = plain.count(b'"') % 2 == 1
        if self._in_string and plain.endswith(b"\\"):
            text, self.waiting = text[:-1], b"\\"
        return masked_json(text)

    def end(self) -> bytes:
        """Return what waits, as nothing follows it."""
        text, self.waiting = self.waiting, b""
        done = stars(len(text)) if self._in_string else masked_json(text)
        self._in_string = False
        return done

    def lose(self, size: int) -> bytes:
        """Take note that the capture lacks the next bytes."""
        return self.end() + stars(size)


def _border(text: bytes) -> int:
    """Return where the last part begins that goes on in what follows: behind a comma or bracket.

    0 if none stands near the end.
    """
    if b"\\" in text:
        text = text.replace(b"\\\\", b"**").replace(b'\\"', b"**")
    pieces = text.split(b'"')
    end = len(text)
    for index in range(len(pieces) - 1, -1, -1):
        if index % 2 == 0 and (found := BORDER.match(pieces[index])) is not None:
            return end - len(pieces[index]) + found.end()
        end -= len(pieces[index]) + 1
        if len(text) - end > MAX_WAITING:
            break
    return 0
