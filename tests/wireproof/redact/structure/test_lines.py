"""Lines of streams without what they say."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wireproof.redact.structure.lines import (
    MAX_LINE,
    LineText,
    event_lines,
    masked_coded_line,
    masked_field,
)
from wireproof.redact.structure.masking import Veil

VEIL = Veil(b"key")
LINES = [
    (b"data: Hello, world", b"data: ************"),
    (b"data:x", b"data:*"),
    (b"data", b"data"),
    (b"data: ", b"data: "),
    (b"data: [DONE]", b"data: [DONE]"),
    (b'data: {"delta": "a b"}', b'data: {"delta": "***"}'),
    (b'data:   "content": "x",', b'data:   "content": "*",'),
    (b"data: 42", b"data: 99"),
    (b"data: 4 2", b"data: ***"),
    (b": keep alive", b": **********"),
    (b"event: message_stop", b"event: message_stop"),
    (b"event: mine", b"event: ****"),
    (b"retry: 3000", b"retry: 3000"),
    (b"retry: soon", b"retry: ****"),
    (b"id: 17", b"id: 17"),
    (b"other: x", b"*****: *"),
    (b"\xef\xbb\xbfdata: x", b"\xef\xbb\xbfdata: *"),
    (b"data:" + b"x" * 2_000, b"data:" + b"*" * 2_000),
]


@pytest.mark.parametrize("line, masked", LINES)
def test_a_line(line: bytes, masked: bytes) -> None:
    assert masked_field(VEIL, line) == masked


def test_ids_are_told_apart() -> None:
    one, other = (masked_field(VEIL, b"id: event-%d" % at) for at in (1, 2))
    assert one != other and one.startswith(b"id: ") and len(one) == 11


def test_lines_of_the_ai_sdk() -> None:
    assert masked_coded_line(b'0:"Hello"') == b'0:"*****"'
    assert masked_coded_line(b'd:{"finishReason":"stop"}') == b'd:{"finishReason":"stop"}'
    assert masked_coded_line(b"x: y") == b"****"


@given(st.binary(max_size=200), st.integers(0, 200))
def test_in_pieces_as_at_once(data: bytes, cut: int) -> None:
    whole, pieces = event_lines(VEIL), event_lines(VEIL)
    done = whole.feed(data) + whole.end()
    assert len(done) == len(data)
    assert len(pieces.feed(data[:cut]) + pieces.feed(data[cut:]) + pieces.end()) == len(data)
    if b"\r" not in data:
        pieces = event_lines(VEIL)
        assert pieces.feed(data[:cut]) + pieces.feed(data[cut:]) + pieces.end() == done


def test_a_line_that_does_not_end_is_masked_without_a_look() -> None:
    text = event_lines(VEIL)
    long = b"data: " + b"x" * MAX_LINE
    assert text.feed(long) == b"*" * len(long)
    assert text.feed(b"data\ndata: y\n") == b"****\ndata: *\n"


def test_what_waits_is_given_at_the_end() -> None:
    text = LineText(lambda line: line.upper())
    assert (text.feed(b"a\nb"), text.waiting, text.end()) == (b"A\n", b"b", b"B")
