"""Whole blocks of an event stream, and what begins amid one."""

from __future__ import annotations

import pytest

from parsers.sse.resume import BlockSearch, is_event_stream
from parsers.sse.stream import EventStreamDecoder


def test_content_of_a_chunk() -> None:
    assert is_event_stream(b"event: a\ndata: b\n\n: c\n\n")
    assert not is_event_stream(b": c\n\n")
    assert not is_event_stream(b"data: b\n")
    assert not is_event_stream(b"")


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"data: a\n\n", 0),
        (b"id: 1\r\ndata: a\r\n\r\n", 0),
        (b": still here\n\n", 0),
        (b"data: a\n\ndata: b\n\n", 0),
        (b"est of a line\n\ndata: a\n\n", None),
        (b"data: a\n\ndata: b", None),
        (b"\n", None),
        (b"", None),
    ],
)
def test_only_whole_blocks_begin_where_an_event_does(content: bytes, found: int | None) -> None:
    search = BlockSearch()
    assert search.receive_frame(content, is_last=False) == found
    assert not search.waits


def test_the_decoder_goes_on_with_the_next_byte() -> None:
    decoder = EventStreamDecoder()
    decoder.receive_data(b"data: a\n\nda")
    assert not decoder.is_between and not decoder.is_lost
    decoder.receive_gap(20)
    assert decoder.is_lost
    assert isinstance(decoder.search(), BlockSearch)
    assert decoder.resume() == []
    assert decoder.is_between and not decoder.is_lost
    (event,) = decoder.receive_data(b"data: c\n\n")
    assert (event.start, event.end) == (31, 40)
