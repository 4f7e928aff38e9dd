"""The line that begins a chunk: its size and its extensions (RFC 9112 sections 7.1 and 7.1.1).

    chunk = chunk-size [ chunk-ext ] CRLF chunk-data CRLF

Strategy: a line is matched by its grammar, as a whole and strictly; :func:`line_fault` says what is
wrong with one that does not match. What extensions say is worked out when it is asked for.
"""

from __future__ import annotations

import re
from functools import cache

from .head import TOKEN

# chunk-size = 1*HEXDIG. Not int(): that also takes "0x5", "+5", "5 " and "1_0".
# 15 digits stay below MAX_CHUNK_SIZE; more of them take the general path.
match_chunk_line = re.compile(rb"([0-9A-Fa-f]{1,15})\r\n").match

# RFC 9112 section 7.1.1:
# chunk-ext      = *( BWS ";" BWS chunk-ext-name [ BWS "=" BWS chunk-ext-val ] )
# chunk-ext-name = token;  chunk-ext-val = token / quoted-string
# RFC 9110 section 5.6.4:
# quoted-string  = DQUOTE *( qdtext / quoted-pair ) DQUOTE
# qdtext         = HTAB / SP / %x21 / %x23-5B / %x5D-7E / obs-text
# quoted-pair    = "\" ( HTAB / SP / VCHAR / obs-text )
_QUOTED = rb'"(?>(?:[\t\x20\x21\x23-\x5b\x5d-\x7e\x80-\xff]|\\[\t\x20-\x7e\x80-\xff])*)"'
_EXTENSION = (
    rb"[ \t]*+;[ \t]*+(" + TOKEN + rb")(?>(?:[ \t]*+=[ \t]*+(" + TOKEN + rb"|" + _QUOTED + rb"))?)"
)


@cache
def general_chunk_line() -> re.Pattern[bytes]:
    """Return the whole grammar, extensions and all; compiled when a line first needs it."""
    return re.compile(rb"([0-9A-Fa-f]++)((?>(?:" + _EXTENSION + rb")*))([ \t]*+)\r\n")


# The beginnings of a chunk line, for one that is cut off.
_QUOTED_BEGINS = rb'"(?>(?:[\t\x20\x21\x23-\x5b\x5d-\x7e\x80-\xff]|\\[\t\x20-\x7e\x80-\xff])*)\\?'
CHUNK_LINE_BEGINS = (
    rb"(?:[0-9A-Fa-f]++(?>(?:" + _EXTENSION + rb")*)"
    rb"(?:[ \t]*+(?:;[ \t]*+(?:" + TOKEN + rb"[ \t]*+(?:=[ \t]*+(?:" + _QUOTED_BEGINS + rb")?)?)?"
    rb"|=[ \t]*+(?:" + _QUOTED_BEGINS + rb")?)?)?)?\r?"
)


def parse_extensions(extension: bytes) -> list[tuple[bytes, bytes | None]]:
    """Return the names and values of a chunk's ``extension`` (RFC 9112 section 7.1.1).

    Values are as on the wire, a quoted-string with its quotes; None where there is none. What
    does not follow the grammar ends the list.
    """
    found: list[tuple[bytes, bytes | None]] = []
    pos = 0
    match_extension = re.compile(_EXTENSION).match
    while (match := match_extension(extension, pos)) is not None:
        found.append((match[1], match[2]))
        pos = match.end()
    return found


# What may stand after a size: BWS, ";" or CRLF.
SIZE = rb"[0-9A-Fa-f]++(?=[ \t;\r\n])"


def begins_chunk_line(line: bytes) -> bool:
    """Whether a line that is cut off could have become a chunk line."""
    return re.fullmatch(CHUNK_LINE_BEGINS, line) is not None


def line_fault(line: bytes) -> str:
    """Return the code of what is wrong with a line that is no chunk line."""
    if not line:
        return "http-line-limit"
    if not re.match(SIZE, line):
        return "chunk-size-invalid"
    if b"\r" in line.removesuffix(b"\r\n"):
        return "http-bare-cr"
    if line.endswith(b"\n") and not line.endswith(b"\r\n"):
        return "chunk-line-bare-lf"
    return "chunk-extension-invalid"
