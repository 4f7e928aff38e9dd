"""Frames of QUIC, as they follow one another in an opened packet (RFC 9000 section 19).

Strategy: a frame has no length of its own, so whoever does not know one type knows nothing of what
follows it in the packet. Only what is used later is made into something; the rest is passed over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from ..limits import MAX_ACK_RANGES
from .reader import Malformed, Reader


class Ack(NamedTuple):
    """Packet numbers that arrived: [first, last] of each run, the highest first (section 19.3)."""

    ranges: list[tuple[int, int]]
    delay: int
    """Not scaled yet by ack_delay_exponent."""


class Crypto(NamedTuple):
    """Bytes of the handshake (section 19.6)."""

    offset: int
    data: bytes


class StreamFrame(NamedTuple):
    """Bytes of a stream (section 19.8)."""

    stream_id: int
    offset: int
    data: bytes
    fin: bool


class ResetStream(NamedTuple):
    """Its sender gives up what it sends in a stream (section 19.4)."""

    stream_id: int
    error: int
    final_size: int


class StopSending(NamedTuple):
    """Its sender asks the other side to give a stream up (section 19.5)."""

    stream_id: int
    error: int


class NewConnectionId(NamedTuple):
    """Another id that its sender may be addressed by (section 19.15)."""

    connection_id: bytes


class PathChallenge(NamedTuple):
    """Its sender asks whether a path works (section 19.17)."""

    data: bytes


class ConnectionClose(NamedTuple):
    """Its sender closes the connection (section 19.19)."""

    is_application: bool
    """Whether the code is the application protocol's."""
    error: int
    frame_type: int
    """That was at fault; 0 if none is known, or the application closed."""
    reason: bytes


class Blocked(NamedTuple):
    """Its sender has more to send and may not (sections 19.12 and 19.13)."""

    stream_id: int | None
    """None if it is the connection's window."""
    limit: int


class StreamsBlocked(NamedTuple):
    """Its sender wants to open a stream and may not (section 19.14)."""

    is_one_way: bool
    limit: int
    """Of streams, altogether."""


class MaxStreams(NamedTuple):
    """Its sender lets the other side open so many streams, altogether (section 19.11)."""

    is_one_way: bool
    limit: int


class MaxData(NamedTuple):
    """Its sender lets the other side go further (sections 19.9 and 19.10)."""

    stream_id: int | None
    """None if it is the connection's window."""
    limit: int


class HandshakeDone(NamedTuple):
    """The handshake is confirmed (section 19.20)."""


Frame = (
    Ack | Crypto | StreamFrame | ResetStream | StopSending | NewConnectionId | PathChallenge
    | ConnectionClose | Blocked | MaxData | StreamsBlocked | MaxStreams | HandshakeDone
)  # fmt: skip
PADDING, PING = 0x00, 0x01
_STREAM, _LAST_STREAM = 0x08, 0x0F
_FIN, _LEN, _OFF = 0x01, 0x02, 0x04


def read_frames(payload: bytes) -> Iterator[Frame]:
    """Yield the frames of an opened packet that say something here, in their order.

    Raises Malformed where one is cut, or of a type that is not known: after those that came before.
    """
    reader = Reader(payload)
    while reader:
        kind = reader.varint()
        if kind == PADDING:
            _pass_padding(reader)
        elif _STREAM <= kind <= _LAST_STREAM:
            yield _read_stream(reader, kind)
        elif (read := _READ.get(kind)) is None:
            raise Malformed(f"a frame of the unknown type 0x{kind:x}")
        elif (found := read(reader, kind)) is not None:
            yield found


def _pass_padding(reader: Reader) -> None:
    rest = reader.data[reader.pos : reader.end]
    reader.pos = reader.end - len(rest.lstrip(b"\0"))


def _read_stream(reader: Reader, kind: int) -> StreamFrame:
    stream_id = reader.varint()
    offset = reader.varint() if kind & _OFF else 0
    data = reader.take(reader.varint()) if kind & _LEN else reader.rest()
    return StreamFrame(stream_id, offset, data, bool(kind & _FIN))


def _read_ack(reader: Reader, kind: int) -> Ack:
    """Section 19.3.1: each range counts down from the one before it."""
    last, delay, count = reader.varint(), reader.varint(), reader.varint()
    first = last - reader.varint()
    ranges = [(first, last)]
    for _ in range(count):
        last = first - 2 - reader.varint()
        first = last - reader.varint()
        if len(ranges) < MAX_ACK_RANGES:
            ranges.append((first, last))
    if first < 0:
        raise Malformed("an ACK of negative packet numbers")
    if kind == 0x03:  # with counts of ECN
        for _ in range(3):
            reader.varint()
    return Ack(ranges, delay)


def _read_crypto(reader: Reader, _: int) -> Crypto:
    return Crypto(reader.varint(), reader.take(reader.varint()))


def _read_reset(reader: Reader, _: int) -> ResetStream:
    return ResetStream(reader.varint(), reader.varint(), reader.varint())


def _read_stop(reader: Reader, _: int) -> StopSending:
    return StopSending(reader.varint(), reader.varint())


def _read_new_id(reader: Reader, _: int) -> NewConnectionId:
    reader.varint()  # sequence number
    reader.varint()  # up to where older ones are retired
    found = reader.take(reader.number(1))
    reader.take(16)  # the token of a stateless reset
    return NewConnectionId(found)


def _read_challenge(reader: Reader, _: int) -> PathChallenge:
    return PathChallenge(reader.take(8))


def _read_close(reader: Reader, kind: int) -> ConnectionClose:
    is_application = kind == 0x1D
    error = reader.varint()
    frame_type = 0 if is_application else reader.varint()
    return ConnectionClose(is_application, error, frame_type, reader.take(reader.varint()))


def _read_blocked(reader: Reader, kind: int) -> Blocked:
    return Blocked(reader.varint() if kind == 0x15 else None, reader.varint())


def _read_max_data(reader: Reader, kind: int) -> MaxData:
    return MaxData(reader.varint() if kind == 0x11 else None, reader.varint())


def _pass(numbers: int, size: int = 0) -> Callable[[Reader, int], None]:
    """Return what passes over a frame of so many numbers and bytes."""

    def read(reader: Reader, _: int) -> None:
        for _number in range(numbers):
            reader.varint()
        reader.take(size)

    return read


def _pass_counted(reader: Reader, kind: int) -> None:
    """Pass over a frame that is a length and as many bytes."""
    reader.take(reader.varint() if kind != 0x30 else reader.end - reader.pos)


_READ: dict[int, Callable[[Reader, int], Frame | None]] = {
    PING: _pass(0),
    0x02: _read_ack,
    0x03: _read_ack,
    0x04: _read_reset,
    0x05: _read_stop,
    0x06: _read_crypto,
    0x07: _pass_counted,  # NEW_TOKEN
    0x10: _read_max_data,
    0x11: _read_max_data,  # MAX_STREAM_DATA
    0x12: lambda reader, kind: MaxStreams(False, reader.varint()),
    0x13: lambda reader, kind: MaxStreams(True, reader.varint()),
    0x14: _read_blocked,  # DATA_BLOCKED
    0x15: _read_blocked,  # STREAM_DATA_BLOCKED
    0x16: lambda reader, kind: StreamsBlocked(False, reader.varint()),
    0x17: lambda reader, kind: StreamsBlocked(True, reader.varint()),
    0x18: _read_new_id,
    0x19: _pass(1),  # RETIRE_CONNECTION_ID
    0x1A: _read_challenge,
    0x1B: _pass(0, 8),  # PATH_RESPONSE
    0x1C: _read_close,
    0x1D: _read_close,
    0x1E: lambda reader, kind: HandshakeDone(),
    0x30: _pass_counted,  # DATAGRAM (RFC 9221)
    0x31: _pass_counted,
    0xAF: _pass(2),  # ACK_FREQUENCY
    0x1F: _pass(0),  # IMMEDIATE_ACK
}
"""By the type of the frame (section 19)."""
