"""Where lengths lead from one message to the next, and where chance is not ruled out."""

from __future__ import annotations

import pytest

from parsers.grpc_web.messages import GrpcDecoder, GrpcMessage
from parsers.grpc_web.resume import MessageSearch
from parsers.limits import MAX_RESYNCHRONISE


def message(data: bytes, flags: int = 0) -> bytes:
    return bytes((flags,)) + len(data).to_bytes(4) + data


ONE, TWO = message(b"one"), message(b"second")


@pytest.mark.parametrize(
    ("frames", "found"),
    [
        ([ONE, TWO], [None, 0]),
        ([ONE + TWO], [0]),
        ([ONE[:4], ONE[4:], TWO], [None, None, 0]),
        ([b"rest", ONE, TWO], [None, None, 4]),
        ([b"\0\0\0\0\x09rest", ONE, TWO], [None, None, 9]),
        ([message(b""), message(b"")], [None, None]),
        ([bytes(50)], [None]),
        ([message(b""), ONE], [None, 0]),
        ([message(b"one", 1), TWO], [None, 0]),
        ([b"\x02\0\0\0\x01a", TWO], [None, None]),
    ],
)
def test_messages_begin_where_lengths_lead_on(frames: list[bytes], found: list[int | None]) -> None:
    search = MessageSearch()
    assert [search.receive_frame(one, is_last=False) for one in frames] == found


def test_one_message_is_enough_where_all_has_been_sent() -> None:
    search = MessageSearch()
    assert search.receive_frame(ONE, is_last=False) is None
    assert search.receive_frame(b"", is_last=True) == 0
    assert MessageSearch().receive_frame(ONE[:-1], is_last=True) is None


def test_what_is_kept_is_bounded() -> None:
    search = MessageSearch()
    while search.waits:
        assert search.receive_frame(b"\0\0\0\xff\xff" * 100, is_last=False) is None
    assert len(search._held) <= MAX_RESYNCHRONISE + 500


def test_a_place_is_looked_at_once() -> None:
    search = MessageSearch()
    for _ in range(MAX_RESYNCHRONISE // 10):
        search.receive_frame(message(b"") + message(b""), is_last=False)
    search.receive_frame(b"\xff" * 5, is_last=False)
    assert len(search._refuted) == MAX_RESYNCHRONISE // 10 * 2


def test_the_decoder_goes_on_with_the_next_byte() -> None:
    decoder = GrpcDecoder()
    decoder.receive_data(ONE + b"\0")
    assert not (decoder.is_between or decoder.is_lost)
    assert [one.code for one in decoder.receive_gap(9)] == ["grpc-framing-lost"]
    assert decoder.is_lost
    assert [one.code for one in decoder.resume()] == ["grpc-resynchronised"]
    found = decoder.receive_data(TWO)
    assert [(type(one), one.start, one.index, one.data) for one in found] == [
        (GrpcMessage, 18, 1, b"second")
    ]


def test_it_goes_on_between_messages_and_after_a_hole_that_ends_with_one() -> None:
    decoder = GrpcDecoder()
    assert decoder.is_between and decoder.resume() == []
    assert isinstance(decoder.search(), MessageSearch)
    decoder.receive_data(ONE[:6])
    (missing,) = decoder.receive_gap(len(ONE) - 6)
    assert (missing.code, missing.end) == ("grpc-message-missing", len(ONE))
    (found,) = decoder.receive_data(TWO)
    assert (found.start, found.end) == (len(ONE), len(ONE) + len(TWO))
