"""Frames of QUIC, one after the other."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.quic import ack, close, crypto, stream, varint

from parsers.limits import MAX_ACK_RANGES
from parsers.quic.frames import (
    Ack,
    Blocked,
    ConnectionClose,
    Crypto,
    HandshakeDone,
    MaxData,
    MaxStreams,
    NewConnectionId,
    PathChallenge,
    ResetStream,
    StopSending,
    StreamFrame,
    StreamsBlocked,
    read_frames,
)
from parsers.quic.reader import Malformed

CASES: list[tuple[bytes, object]] = [
    (ack(3, 9), Ack([(3, 9)], 0)),
    (b"\x03\x09\x05\x01\x01\x02\x01\x07\x08\x09", Ack([(8, 9), (3, 4)], 5)),
    (crypto(b"abc", 70), Crypto(70, b"abc")),
    (stream(4, 100, b"abc", fin=True), StreamFrame(4, 100, b"abc", True)),
    (b"\x0a\x04\x03abc", StreamFrame(4, 0, b"abc", False)),
    (b"\x04\x08\x41\x0c\x05", ResetStream(8, 0x10C, 5)),
    (b"\x05\x08\x41\x0c", StopSending(8, 0x10C)),
    (b"\x18\x01\x00\x04abcd" + bytes(16), NewConnectionId(b"abcd")),
    (b"\x1a12345678", PathChallenge(b"12345678")),
    (close(0x100, b"bye"), ConnectionClose(True, 0x100, 0, b"bye")),
    (b"\x1c\x07\x06\x02no", ConnectionClose(False, 7, 6, b"no")),
    (b"\x14\x05", Blocked(None, 5)),
    (b"\x15\x04\x05", Blocked(4, 5)),
    (b"\x10\x05", MaxData(None, 5)),
    (b"\x11\x04\x05", MaxData(4, 5)),
    (b"\x12\x05", MaxStreams(False, 5)),
    (b"\x13\x05", MaxStreams(True, 5)),
    (b"\x16\x05", StreamsBlocked(False, 5)),
    (b"\x17\x05", StreamsBlocked(True, 5)),
    (b"\x1e", HandshakeDone()),
]
PASSED = [
    b"\x01", b"\0\0\0", b"\x07\x03tok", b"\x19\x05", b"\x1b12345678", b"\x31\x02ab",
    b"\x40\xaf\x01\x02",
]  # fmt: skip
"""Frames that say nothing here."""


@pytest.mark.parametrize(("data", "found"), CASES)
def test_a_frame_among_others(data: bytes, found: object) -> None:
    for before in (b"", *PASSED):
        assert list(read_frames(before + data + b"\x1e")) == [found, HandshakeDone()]


@pytest.mark.parametrize("data", [data for data, _ in CASES if len(data) > 1] + PASSED[2:])
def test_a_frame_that_is_cut(data: bytes) -> None:
    with pytest.raises(Malformed):
        list(read_frames(data[:-1]))


def test_what_takes_the_rest() -> None:
    assert list(read_frames(b"\x08\x04rest")) == [StreamFrame(4, 0, b"rest", False)]
    assert list(read_frames(b"\x30rest")) == []


def test_what_comes_before_a_fault_counts() -> None:
    frames = read_frames(stream(0, 0, b"a") + b"\x3f" + stream(0, 1, b"b"))
    assert next(frames) == StreamFrame(0, 0, b"a", False)
    with pytest.raises(Malformed, match="unknown type 0x3f"):
        next(frames)


def test_acknowledgements_below_nothing() -> None:
    with pytest.raises(Malformed, match="negative"):
        list(read_frames(b"\x02\x03\x00\x00\x09"))


def test_ranges_are_bounded() -> None:
    many = MAX_ACK_RANGES + 50
    data = b"\x02" + varint(4 * many) + b"\0" + varint(many) + b"\0" + b"\0\0" * many
    (found,) = read_frames(data)
    assert isinstance(found, Ack)
    assert len(found.ranges) == MAX_ACK_RANGES


@given(st.binary(max_size=100))
def test_any_bytes(data: bytes) -> None:
    try:
        assert len(list(read_frames(data))) <= len(data)
    except Malformed as error:
        assert str(error)
