"""Make anything from the wire safe to print: what a terminal would obey is shown instead.

Strategy: in goes text or bytes of an unknown sender, out comes text in which every character
either prints as itself or is written as a visible escape (``\\n``, ``\\x1b``, ``\\u202e``). Text
that is all printable costs one scan in C and is returned as it is; only other text is looked at
character by character. A preview never looks at more of a payload than a line can show: its
price does not depend on the size of the payload.

A backslash of the sender is left as it is, because doubling it would make every JSON payload
hard to read; what must be exact is in the ``ndjson`` and ``json`` formats.
"""

from __future__ import annotations

from base64 import b64decode
from codecs import getincrementaldecoder

NAMED = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}

HARMLESS = frozenset("\u3000\u200c\u200d")
"""Not printable to Python, but part of ordinary text: the blank of Chinese and Japanese, and the
joiners of Persian and of emoji."""

LAYOUT = HARMLESS | {"\n", "\t"}

CONTINUATION = bytes(range(0x80, 0xC0))
"""Bytes that only ever go on a UTF-8 sequence: three at most, where a border cut a character."""


def escape(text: str) -> str:
    """Return ``text`` with every character that does not print as itself made visible.

    These are, by their general category in Unicode: controls (C0, DEL, C1), format characters
    (bidirectional controls, byte order mark, tags), line and paragraph separators, blanks other
    than the space, surrogates, and what is private or unassigned.
    """
    if text.isprintable():
        return text
    return "".join(
        [char if char.isprintable() or char in HARMLESS else _visible(char) for char in text]
    )


def _visible(character: str) -> str:
    if character in NAMED:
        return NAMED[character]
    code = ord(character)
    if code < 0x80:
        return f"\\x{code:02x}"
    # C1 is \u0085, not \x85: that is how a byte that is no UTF-8 is written.
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def escape_as_json(text: str) -> str:
    """Return text with the same characters written as in JSON's strings; lines and tabs stay.

    JSON stays what it says, for there such characters stand in strings only.
    """
    if text.replace("\n", "").isprintable():
        return text
    return "".join(
        [char if char.isprintable() or char in LAYOUT else _in_json(char) for char in text]
    )


def _in_json(character: str) -> str:
    code = ord(character)
    if code < 0x10000:
        return f"\\u{code:04x}"
    code -= 0x10000  # as two surrogates (RFC 8259 section 7)
    return f"\\u{0xD800 + (code >> 10):04x}\\u{0xDC00 + (code & 0x3FF):04x}"


def escape_bytes(data: bytes) -> str:
    """Return bytes as text if they are UTF-8 but for a character cut at either end, else as hex.

    Bytes of a cut character are written ``\\xe2``; hex is in pairs: ``1f 8b 08``.
    """
    rest = data.lstrip(CONTINUATION)
    cut = data[: len(data) - len(rest)]
    decoder = getincrementaldecoder("utf-8")()
    try:
        text = decoder.decode(rest)
    except UnicodeDecodeError:
        return data.hex(" ")
    if len(cut) > 3:
        return data.hex(" ")
    unfinished, _ = decoder.getstate()
    return _hex_escapes(cut) + escape(text) + _hex_escapes(unfinished)


def _hex_escapes(data: bytes) -> str:
    return "".join(f"\\x{byte:02x}" for byte in data)


def preview(data: str, encoding: str | None, width: int) -> str:
    """Return the beginning of a record's ``data``, escaped: enough of it to fill ``width`` cells.

    ``encoding`` is the record's: ``utf-8`` or ``base64``. What is left out is marked with ``…``.
    """
    # Four characters a cell: enough for text with combining marks, and a multiple of four is a
    # border of base64.
    limit = 4 * max(width, 1)
    beginning = data[:limit]
    more = "…" if len(data) > limit else ""
    if encoding == "base64":
        return escape_bytes(b64decode(beginning)) + more
    return escape(beginning) + more
