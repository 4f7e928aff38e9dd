"""What is kept after missing bytes, and where it is cut."""

from __future__ import annotations

import pytest

from parsers.decode.resuming import Resuming
from parsers.http1.chunked import Data
from parsers.json_lines.lines import JsonLinesDecoder
from parsers.limits import MAX_RESYNCHRONISE

PIECES = [Data(10, 13, b"abc", 4), Data(20, 24, b"defg", 4), Data(30, 31, b"h", 5)]


@pytest.mark.parametrize("place", range(9))
def test_pieces_are_cut_where_an_element_begins(place: int) -> None:
    resuming = Resuming(JsonLinesDecoder(), None)
    assert not resuming.add(PIECES)
    before, after = resuming.cut(place)
    assert b"".join(one.data for one in before) == b"abcdefgh"[:place]
    assert b"".join(one.data for one in after) == b"abcdefgh"[place:]
    for one in (*before, *after):
        assert one.end - one.start == len(one.data) > 0
        (whole,) = (piece for piece in PIECES if piece.start <= one.start < piece.end)
        assert whole.data[one.start - whole.start :][: len(one.data)] == one.data
        assert whole.chunk == one.chunk


def test_frames_are_looked_at_one_by_one() -> None:
    resuming = Resuming(JsonLinesDecoder(), None)
    resuming.add([Data(0, 3, b"st}", None)])
    assert resuming.end_frame(is_last=False) is None
    assert resuming.waits
    resuming.add([Data(9, 12, b"{}\n", None)])
    assert resuming.end_frame(is_last=False) == 3


def test_no_more_is_kept_than_the_limit() -> None:
    resuming = Resuming(JsonLinesDecoder(), None)
    size = MAX_RESYNCHRONISE
    assert not resuming.add([Data(0, size, bytes(size), None)])
    assert resuming.add([Data(size, size + 1, b"a", None)])
