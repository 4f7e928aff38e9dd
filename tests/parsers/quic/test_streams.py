"""Bytes at offsets, put in order: any cut, any order, any overlap."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from parsers.diagnostics import Diagnostic
from parsers.limits import GAP_PATIENCE, MAX_OUT_OF_ORDER_SEGMENTS
from parsers.provenance import Completion, Ending
from parsers.quic.frames import StreamFrame
from parsers.quic.number_space import NumberSet
from parsers.quic.streams import FORGET_EVERY, QuicStream, Reassembler, Room

CONTENT = bytes(range(200))
Said = bytes | int | str


class Kept:
    """A receiver that returns what it gets."""

    open_offsets: tuple[int, ...] = ()

    def receive_data(self, data: bytes) -> list[Said]:
        return [data]

    def receive_gap(self, length: int) -> list[Said]:
        return [length]

    def receive_fault(self, fault: Diagnostic, shown: Completion) -> list[Said]:
        return [fault.code]

    def receive_eof(self, ending: Ending) -> list[Said]:
        return [ending]


def opened(room: int = 10_000) -> QuicStream[Said]:
    stream: QuicStream[Said] = QuicStream(0, "client", Room(room))
    stream.peer = stream
    stream.receiver = Kept()
    return stream


def piece(start: int, end: int, *, fin: bool = False) -> StreamFrame:
    return StreamFrame(0, start, CONTENT[start:end], fin)


@given(st.lists(st.tuples(st.integers(0, 199), st.integers(0, 60)), max_size=20), st.randoms())
def test_any_pieces_in_any_order(extra: list[tuple[int, int]], random: object) -> None:
    pieces = [(start, min(start + size, 200)) for start, size in extra]
    pieces += [(start, start + 25) for start in range(0, 200, 25)]
    random.shuffle(pieces)  # type: ignore[attr-defined]
    stream, room = opened(), Room(0)
    found: list[Said] = []
    for number, (start, end) in enumerate(pieces):
        found += stream.receive(piece(start, end, fin=end == 200), number, (number + 1, 0.0))
    assert found[-1] == "close"
    assert b"".join(one for one in found if isinstance(one, bytes)) == CONTENT
    assert stream.receive(piece(0, 9), 99, (99, 0.0)) == []
    assert (stream.lacks_bytes, room.left) == (False, 0)


def test_the_packets_of_what_waited() -> None:
    stream = opened()
    assert stream.receive(piece(10, 20), 1, (5, 0.5)) == []
    assert stream.receive(piece(0, 10), 0, (6, 0.6)) == [CONTENT[:10], CONTENT[10:20]]
    assert stream.origins.at(3)[1] == (6, 6, 0.6, 0.6)
    assert stream.origins.at(13)[1] == (5, 6, 0.5, 0.6)


def test_a_hole_is_waited_for_while_a_packet_is_under_way() -> None:
    stream, known = opened(), NumberSet()
    known.add(0, 3)
    known.add(5, 5)
    stream.receive(piece(10, 20), 5, (5, 0.5))
    for _ in range(100):
        assert stream.check_hole(known, (9, 0.9)) == []
    known.add(4, 4)
    for _ in range(GAP_PATIENCE):
        assert stream.check_hole(known, (9, 0.9)) == []
    assert stream.check_hole(known, (9, 0.9)) == [10, CONTENT[10:20]]
    assert stream.origins.at(3)[1][0] == 5, "the packet that shows the hole"


def test_what_is_behind_a_hole_that_is_given_up_came_when_it_did() -> None:
    """The receiver had what only the capture lacks: nothing waited for it."""
    stream = opened()
    stream.receive(piece(20, 30), 0, (6, 0.6))
    stream.receive(piece(40, 50), 1, (8, 0.8))
    stream.receive(piece(30, 40), 2, (9, 0.9))
    stream.end("reset", (40, 4.0))
    assert [stream.origins.at(pos)[1][1] for pos in (5, 25, 35, 45)] == [6, 6, 9, 9]


def test_what_is_behind_a_hole_came_after_what_is_before_it() -> None:
    stream = opened()
    stream.receive(piece(20, 30), 0, (6, 0.6))
    stream.receive(piece(0, 10), 1, (8, 0.8))
    stream.end("reset", (40, 4.0))
    assert [stream.origins.at(pos)[1][1] for pos in (5, 15, 25)] == [8, 8, 8]


def test_the_end_gives_all_holes_up() -> None:
    stream = opened()
    stream.receive(piece(10, 20), 1, (5, 0.5))
    stream.receive(piece(30, 40, fin=True), 2, (6, 0.6))
    assert stream.end("reset", (7, 0.7)) == [10, CONTENT[10:20], 10, CONTENT[30:40], "reset"]
    assert stream.end("reset", (8, 0.8)) == []


def test_what_has_come_before() -> None:
    stream = opened()
    stream.receive(piece(0, 10), 0, (1, 0.0))
    stream.receive(piece(20, 30), 1, (2, 0.0))
    assert stream.has(piece(0, 10)) and stream.has(piece(20, 25)) and stream.has(piece(3, 4))
    assert not stream.has(piece(5, 12)) and not stream.has(piece(12, 14))
    assert not stream.has(piece(5, 5)), "it has no bytes"


def test_what_waits_is_bounded() -> None:
    room = Room(15)
    order = Reassembler(room)
    order.insert(100, bytes(10), (1, 0.0))
    order.insert(200, bytes(10), (1, 0.0))
    assert room.left == 5, "the second had no room"
    order.insert(100, bytes(12), (2, 0.0))
    assert room.left == 3, "a longer one takes its place"
    order.let_go()
    assert room.left == 15
    wide = Reassembler(Room(10**9))
    for place in range(MAX_OUT_OF_ORDER_SEGMENTS + 10):
        wide.insert(10 + 2 * place, b"x", (1, 0.0))
    assert sum(len(data) for data, _ in wide.insert(0, bytes(10), (2, 0.0))) == 11
    assert len(wide._waiting) == MAX_OUT_OF_ORDER_SEGMENTS - 1


def test_the_map_does_not_grow_with_the_stream() -> None:
    stream = opened()
    for place in range(500):
        stream.receive(StreamFrame(0, place, b"x", False), place, (place, 0.0))
    assert len(stream.origins) <= FORGET_EVERY + 1
    assert stream.origins.size == 500


def test_a_gap_of_any_size_takes_no_memory() -> None:
    stream = opened()
    stream.receive(StreamFrame(0, 1 << 61, b"end", True), 0, (1, 0.0))
    assert stream.end("capture-end", (2, 0.0)) == [1 << 61, b"end", "capture-end"]


def test_a_stream_is_over_once_all_up_to_its_fin_has_come() -> None:
    stream = opened()
    assert stream.receive(piece(10, 20, fin=True), 1, (5, 0.5)) == []
    assert stream.lacks_bytes
    assert stream.receive(piece(0, 10), 2, (6, 0.6)) == [CONTENT[:10], CONTENT[10:20], "close"]
    assert not stream.lacks_bytes
    assert stream.receive(piece(0, 10), 3, (7, 0.7)) == []
    assert stream.finish("reset", (8, 0.8)) == []


def test_what_has_come_twice_is_handed_over_once() -> None:
    stream = opened()
    assert stream.receive(piece(5, 8), 0, (1, 0.0)) == []
    assert stream.receive(piece(0, 9), 1, (2, 0.0)) == [CONTENT[:9]]
    assert stream.receive(piece(2, 9), 2, (3, 0.0)) == []
    assert stream.receive(piece(2, 12), 3, (4, 0.0)) == [CONTENT[9:12]]


def test_at_the_end_a_fin_that_waits_has_come() -> None:
    stream, cut = opened(), opened()
    stream.receive(piece(10, 20, fin=True), 1, (5, 0.5))
    assert stream.finish("capture-end", (6, 0.6)) == [10, CONTENT[10:20], "close"]
    cut.receive(piece(0, 10), 1, (5, 0.5))
    assert cut.finish("capture-end", (6, 0.6)) == ["capture-end"]


def test_what_a_stream_is_of() -> None:
    stream, room = opened(), Room(100)
    assert (stream.layer, stream.acknowledged) == ("quic", None)
    Reassembler(room).insert(5, bytes(7), (1, 0.0))
    assert (room.taken, room.left) == (7, 93)
