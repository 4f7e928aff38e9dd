"""One JSON value of a stream of them: where it ends, and whether it is one (RFC 8259).

Strategy: :class:`ValueScanner` looks for the end of a value by its strings and brackets alone, and
keeps three numbers between two pieces; so it is linear and needs no bytes of what came before.
Whether the value is JSON is judged once, when it is whole, by a C library that builds nothing.
"""

from __future__ import annotations

import re
from typing import NoReturn

import msgspec

from ..diagnostics import Diagnostic, diagnose, excerpt
from ..expressions import every
from ..kept import KeptBytes
from ..limits import MAX_JSON_FAULTS, MAX_KEPT_JSON_VALUE
from ..provenance import Element, Event

WHITE_SPACE = b" \t\r\n"
"""ws = *( %x20 / %x09 / %x0A / %x0D ) (RFC 8259 section 2)"""

# string = quotation-mark *char quotation-mark; char = unescaped / escape ... (section 7): what
# follows the opening quotation mark, up to the closing one or the end of the piece.
_IN_STRING = rb'[^"\\]*+' + every(rb'\\[\s\S][^"\\]*+')
_REST_OF_STRING = re.compile(_IN_STRING)
# What lies before the next bracket: strings that are whole, and anything that is no bracket.
_TO_BRACKET = re.compile(every(rb'[^"{}\[\]]++|"' + _IN_STRING + rb'"'))
# A number, true, false or null ends before white space, a structural character (section 2), a
# string, or the RS of the next text (RFC 7464 section 2.2).
_END_OF_SCALAR = re.compile(rb'[ \t\r\n,:\[\]{}"\x1e]')


class JsonValue(Element, frozen=True):
    """One value, with what frames it in [start, end): its line end, or its RS and LF."""

    start: int
    end: int
    index: int
    """From 0 in its body."""
    size: int
    """Bytes of the value itself."""
    data: bytes
    """Its text; at most MAX_KEPT_JSON_VALUE bytes of it."""


class ValueScanner:
    """Finds where one value ends, however it is cut; judges nothing but its brackets' number."""

    __slots__ = ("_depth", "_in_string", "_is_escaped", "_is_scalar")

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Begin with a new value."""
        self._depth = 0
        self._in_string = False
        self._is_escaped = False
        self._is_scalar = False

    @property
    def is_scalar(self) -> bool:
        """Whether the value is a number or a literal: only what follows it shows its end."""
        return self._is_scalar

    def scan(self, data: bytes, pos: int) -> int:
        """Read on at ``pos``; return where the value ends, -1 if it goes on after ``data``."""
        size = len(data)
        while pos < size:
            if self._in_string:
                pos = self._string(data, pos)
            elif self._is_scalar:
                found = _END_OF_SCALAR.search(data, pos)
                return found.start() if found is not None else -1
            else:
                pos = self._structure(data, pos)
            if pos >= 0 and not (self._depth or self._in_string or self._is_scalar):
                return pos
            if pos < 0:
                return -1
        return -1

    def _string(self, data: bytes, pos: int) -> int:
        """Go on in a string; return what follows it, -1 if it goes on."""
        if self._is_escaped:
            self._is_escaped = False
            pos += 1
        rest = _REST_OF_STRING.match(data, pos)
        end = len(data) if rest is None else rest.end()
        if end == len(data):
            return -1
        if data[end] == 0x5C:  # the escape's second byte is in the next piece
            self._is_escaped = True
            return -1
        self._in_string = False
        return end + 1

    def _structure(self, data: bytes, pos: int) -> int:
        """Go on to the next bracket or the string that is cut; return what follows it."""
        if self._depth:
            skipped = _TO_BRACKET.match(data, pos)
            pos = len(data) if skipped is None else skipped.end()
            if pos == len(data):
                return -1
        first = data[pos : pos + 1]
        if first in b"{[":
            self._depth += 1
        elif first == b'"':
            self._in_string = True
        elif first in b"}]":
            self._depth = max(0, self._depth - 1)
        else:
            self._is_scalar = True
        return pos + 1


class Values:
    """Numbers the values of one body, and judges them."""

    __slots__ = ("count", "_faults")

    def __init__(self) -> None:
        self.count = 0
        """Values so far."""
        self._faults = 0

    def add(self, start: int, end: int, text: bytes, size: int, events: list[Event]) -> None:
        """Add the value that [start, end) frames: ``text`` is kept of ``size`` bytes."""
        if size > len(text):
            detail = f"{len(text):,} of {size:,} bytes"
            events.append(diagnose("json-value-limit", start, end, detail))
        elif (fault := fault_of(text)) is not None:
            self._add_fault(start, end, fault, events)
        events.append(JsonValue(start, end, self.count, size, text))
        self.count += 1

    def _add_fault(self, start: int, end: int, detail: str, events: list[Event]) -> None:
        self._faults += 1
        if self._faults > MAX_JSON_FAULTS:
            return
        if self._faults == MAX_JSON_FAULTS:
            detail += "; further ones are not listed"
        events.append(diagnose("json-value-invalid", start, end, detail))


def new_text() -> KeptBytes:
    """Return what keeps a value's text while it arrives."""
    return KeptBytes(MAX_KEPT_JSON_VALUE)


_decode = msgspec.json.Decoder(msgspec.Raw).decode


def fault_of(text: bytes) -> str | None:
    """Return why ``text`` is not one JSON text, and at which of its bytes; None if it is one.

    The quick library refuses lone surrogates too, which the grammar allows (RFC 8259 section 8.2)
    and which streams of tokens have: what it refuses is read again. Values nested more deeply than
    the library goes are not judged (section 9 allows such a limit).
    """
    try:
        decoded = text.decode()
        _decode(text)
    except UnicodeDecodeError as error:
        return f"not UTF-8, {excerpt(text[error.start : error.end])} at byte {error.start:,}"
    except RecursionError:
        return None
    except msgspec.DecodeError:
        return _second_look(decoded)
    return None


def _second_look(text: str) -> str | None:
    import json  # seldom needed, and slow to load

    try:
        json.loads(text, parse_constant=_refuse)
    except json.JSONDecodeError as error:
        place = len(text[: error.pos].encode())
        return f"{error.msg.lower()} at byte {place:,} of {excerpt(text.encode())}"
    except _ConstantError as error:
        return f"{error.name} in {excerpt(text.encode())}"
    except (RecursionError, ValueError):  # nested deeply, or a number of thousands of digits
        return None
    return None


class _ConstantError(Exception):
    """NaN, Infinity or -Infinity, which Python's module reads (RFC 8259 section 6 has none)."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def _refuse(name: str) -> NoReturn:
    raise _ConstantError(name)


def unfinished(start: int, end: int, text: bytes, index: int) -> Diagnostic:
    """Return what is said of value ``index``, which the end of its body cuts."""
    detail = f"value {index:,} ends with {excerpt(text[-40:])}"
    return diagnose("json-value-unfinished", start, end, detail)
