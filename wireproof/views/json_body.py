"""Bodies that are one JSON value, laid out for people: prompts, and what an error says.

Strategy: what chunks or runs hold is collected while a body comes, up to MAX_COLLECTED; at its end
its codings are undone, and the value is put on as few lines as the width allows: what fits stands
on one line, what does not is opened, and a long text is broken. What is longer than MAX_LINES is
cut there. A body that its one row has shown whole is not shown again.
"""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

import msgspec
from parsers.content import ContentDecoder
from parsers.records import ChunkRecord, DataRecord, Sender

from ..exchange import Exchange
from ..text.escape import escape
from ..text.wording import count
from .lines import Line, fit

MAX_COLLECTED = 256 * 1024
"""Bytes of a body that are collected, coded or decoded."""
MAX_LINES = 60
"""Lines of one body that a table shows."""
MAX_TEXT_LINES = 12
"""Lines of one text in it."""
INDENT = 4
STEP = 2
LEAST_TEXT = 20
"""Cells of a line that a broken text takes at least."""


class JsonBody:
    """The content of a message while it comes, if that is JSON and no stream of values."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._size = 0

    def add(self, piece: ChunkRecord | DataRecord) -> None:
        """Take a chunk or a run."""
        self._size += piece.size
        if piece.data and self._size <= MAX_COLLECTED:
            is_text = piece.encoding == "utf-8"
            self._pieces.append(piece.data.encode() if is_text else b64decode(piece.data))

    def lines(self, codings: Sequence[str], width: int) -> list[Line]:
        """Return the value laid out, nothing if it is none, or its row has shown it."""
        if self._size > MAX_COLLECTED:
            said = f"JSON of {count(self._size, 'byte')}: more than is laid out here"
            return [fit([(f"{'':{INDENT}}{said}", "faint")], width)]
        content = _decoded(b"".join(self._pieces), codings)
        value = None if content is None else _value(content)
        if not isinstance(value, dict | list) or not content:
            return []
        if len(self._pieces) == 1 and not codings and len(content) <= width // 2:
            return []
        made = list(islice(_laid_out(value, width - INDENT), MAX_LINES + 1))
        shown: list[Line] = [
            fit([(" " * INDENT, ""), (escape(text), "")], width) for text in made[:MAX_LINES]
        ]
        if len(made) > MAX_LINES:
            shown.append([(f"{'':{INDENT}}… more lines: --format json has all of it", "faint")])
        return shown


def is_json(exchange: Exchange, sender: Sender) -> bool:
    """Whether what a side's message holds is said to be one JSON value."""
    name = "content-type"
    kind = exchange.request_header(name) if sender == "client" else exchange.header(name)
    media_type = (kind or "").partition(";")[0].strip().lower()
    return media_type == "application/json" or media_type.endswith("+json")


def _decoded(content: bytes, codings: Sequence[str]) -> bytes | None:
    """Return content without its codings, None if it is longer than is laid out."""
    if not codings:
        return content
    decoded = b""
    for piece in ContentDecoder(list(codings)).receive_data(content):
        decoded += piece
        if len(decoded) > MAX_COLLECTED:
            return None
    return decoded


def _value(content: bytes) -> Any:
    try:
        return msgspec.json.decode(content)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None


def _laid_out(
    value: Any, width: int, indent: int = 0, before: str = "", after: str = ""
) -> Iterator[str]:
    """Yield a value on lines of ``width`` cells, between ``before`` and ``after``."""
    blank = " " * indent
    whole = f"{blank}{before}{json.dumps(value, ensure_ascii=False)}{after}"
    if len(whole) <= width or not value or not isinstance(value, dict | list | str):
        yield whole
    elif isinstance(value, str):
        yield from _broken(whole, width, indent + STEP)
    elif isinstance(value, dict):
        yield f"{blank}{before}{{"
        for number, (name, member) in enumerate(value.items(), start=1):
            comma = "," if number < len(value) else ""
            name = f"{json.dumps(name, ensure_ascii=False)}: "
            yield from _laid_out(member, width, indent + STEP, name, comma)
        yield f"{blank}}}{after}"
    else:
        yield f"{blank}{before}["
        for number, member in enumerate(value, start=1):
            comma = "," if number < len(value) else ""
            yield from _laid_out(member, width, indent + STEP, "", comma)
        yield f"{blank}]{after}"


def _broken(text: str, width: int, indent: int) -> Iterator[str]:
    """Yield a long text on lines of ``width`` cells, those after the first indented."""
    yield text[:width]
    room = max(width - indent, LEAST_TEXT)
    rest = text[width:]
    for start in range(0, min(len(rest), room * MAX_TEXT_LINES), room):
        yield " " * indent + rest[start : start + room]
    if (more := len(rest) - room * MAX_TEXT_LINES) > 0:
        yield f"{'':{indent}}… {count(more, 'more character')}"
