"""Holes of a capture that the receiver had not: when they are given up, and what is behind them."""

from __future__ import annotations

import pytest
from support.segments import ACK, CLIENT, FIN, FIRST, SERVER, established

from parsers import limits
from parsers.net.segment import URG


class TestGaps:
    """Holes that the capture has and the receiver had not."""

    def test_an_acknowledged_hole_is_given_up_after_patience(self) -> None:
        wire = established()
        wire.send(CLIENT, FIRST, b"abc")
        wire.send(CLIENT, FIRST + 10, b"xyz")
        for _ in range(limits.GAP_PATIENCE):
            wire.send(SERVER, 5001, b"", ACK, ack=FIRST + 13)
        assert wire.sink().gaps == []
        wire.send(SERVER, 5001, b"", ACK, ack=FIRST + 13)
        assert wire.sink().gaps == [(3, 10)]
        assert wire.sink().data == b"abcxyz"
        assert wire.direction().origins.at(11)[1][0] == 5, "complete when its own packet came"

    def test_a_hole_that_is_not_acknowledged_waits(self) -> None:
        wire = established()
        wire.send(CLIENT, FIRST + 10, b"xyz")
        for _ in range(limits.GAP_PATIENCE + 5):
            wire.send(SERVER, 5001, b"", ACK, ack=FIRST)
        assert wire.sink().gaps == []
        wire.send(CLIENT, FIRST, b"0123456789")
        assert wire.sink().data == b"0123456789xyz"

    def test_an_acknowledged_segment_may_still_come(self) -> None:
        wire = established()
        wire.send(CLIENT, FIRST + 3, b"def")
        wire.send(SERVER, 5001, b"", ACK, ack=FIRST + 6)
        wire.send(CLIENT, FIRST, b"abc")
        assert (wire.sink().data, wire.sink().gaps) == (b"abcdef", [])

    def test_at_the_end_of_the_capture(self) -> None:
        wire = established()
        wire.send(CLIENT, FIRST + 3, b"def")
        wire.send(CLIENT, FIRST + 9, b"jkl")
        wire.table.end()
        assert wire.sink().gaps == [(0, 3), (6, 9)]
        assert wire.sink().data == b"defjkl"
        assert wire.sink().ending == "capture-end"

    def test_an_acknowledged_tail_is_a_gap(self) -> None:
        wire = established()
        wire.send(CLIENT, FIRST, b"abc")
        wire.send(SERVER, 5001, b"", ACK, ack=FIRST + 8)
        wire.table.end()
        assert wire.sink().gaps == [(3, 8)]

    def test_a_direction_of_which_nothing_was_captured_but_its_syn(self) -> None:
        wire = established()
        wire.send(SERVER, 5001, b"", ACK, ack=FIRST + 8)
        wire.table.end()
        assert wire.sink().gaps == [(0, 8)]

    def test_an_acknowledged_fin_that_was_not_captured_is_none(self) -> None:
        wire = established()
        wire.send(CLIENT, FIRST, b"abc")
        wire.send(SERVER, 5001, b"", ACK, ack=FIRST + 4)
        wire.table.end()
        assert wire.sink().gaps == []

    def test_data_lost_before_a_fin(self) -> None:
        wire = established()
        wire.send(CLIENT, FIRST, b"abc")
        wire.send(CLIENT, FIRST + 5, b"", FIN | ACK)
        for _ in range(limits.GAP_PATIENCE + 1):
            wire.send(SERVER, 5001, b"", ACK, ack=FIRST + 6)
        assert wire.sink().gaps == [(3, 5)]
        assert wire.sink().ending == "close"

    def test_what_the_snapshot_length_cut_off_is_a_gap_at_once(self) -> None:
        wire = established()
        wire.send(CLIENT, FIRST, b"abc", missing=7)
        wire.send(CLIENT, FIRST + 10, b"xyz")
        assert (wire.sink().data, wire.sink().gaps) == (b"abcxyz", [(3, 10)])

    def test_a_cut_segment_that_came_early(self) -> None:
        wire = established()
        wire.send(CLIENT, FIRST + 3, b"def", missing=2)
        wire.send(CLIENT, FIRST + 8, b"ijk")
        wire.send(CLIENT, FIRST, b"abc")
        assert (wire.sink().data, wire.sink().gaps) == (b"abcdefijk", [(6, 8)])

    def test_a_full_queue_gives_up_the_hole(self) -> None:
        wire = established()
        size = limits.MAX_OUT_OF_ORDER // 2
        for index in range(3):
            wire.send(CLIENT, FIRST + 3 + index * size, bytes(size))
        assert wire.sink().codes == ["tcp-reassembly-limit"]
        assert wire.sink().gaps == [(0, 3)]
        assert len(wire.sink().data) == 3 * size

    def test_a_queue_that_is_full_again_and_again_is_said_once(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Which bytes are missing, the gaps say."""
        monkeypatch.setattr(limits, "MAX_OUT_OF_ORDER_SEGMENTS", 2)
        wire = established()
        for index in range(6):
            wire.send(CLIENT, FIRST + 1 + 2 * index, b"x")
        assert wire.sink().codes == ["tcp-reassembly-limit"]
        assert wire.sink().gaps == [(0, 1), (2, 3), (4, 5), (6, 7)]

    def test_a_segment_without_any_of_its_bytes_waits_too(self) -> None:
        """The snapshot length cut its whole payload off."""
        wire = established()
        wire.send(CLIENT, FIRST + 3, b"", missing=4)
        wire.table.end()
        assert wire.sink().gaps == [(0, 3), (3, 7)]

    def test_what_was_cut_off_may_lie_after_a_segment_that_waits(self) -> None:
        wire = established()
        wire.send(CLIENT, FIRST + 3, b"def")
        wire.send(CLIENT, FIRST + 6, b"", missing=4)
        wire.send(CLIENT, FIRST, b"abc")
        assert (wire.sink().data, wire.sink().gaps) == (b"abcdef", [(6, 10)])

    def test_a_segment_that_was_cut_and_comes_again_in_pieces(self) -> None:
        """What is after its first bytes was given up with it: nothing is delivered twice."""
        wire = established()
        wire.send(CLIENT, FIRST + 3, b"def", missing=4)
        wire.send(CLIENT, FIRST + 6, b"ghijkl")
        wire.send(CLIENT, FIRST, b"abc")
        assert (wire.sink().data, wire.sink().gaps) == (b"abcdefkl", [(6, 10)])
        wire.send(CLIENT, FIRST + 10, b"", missing=4)
        assert wire.sink().gaps == [(6, 10), (12, 14)]

    def test_a_fin_shows_what_is_missing_before_it(self) -> None:
        """Though nobody acknowledged it."""
        wire = established()
        wire.send(CLIENT, FIRST, b"abc")
        wire.send(CLIENT, FIRST + 10, b"", FIN | ACK)
        wire.table.end()
        assert (wire.sink().gaps, wire.sink().ending) == ([(3, 10)], "close")

    def test_nothing_is_in_order_before_what_comes_before_it(self) -> None:
        """A piece that came first, after a hole that nothing fills."""
        wire = established()
        wire.send(CLIENT, FIRST + 9, b"jkl")
        wire.send(CLIENT, FIRST, b"abc")
        stream = wire.direction().origins
        wire.table.end()
        assert [stream.at(offset)[1][:2] for offset in (0, 3, 9)] == [(5, 5), (5, 5), (4, 5)]


def test_a_fault_has_the_packet_that_showed_it() -> None:
    """Also before any bytes, and where a packet puts none in order."""
    wire = established()
    wire.send(CLIENT, FIRST, b"", flags=ACK | URG)
    wire.send(CLIENT, FIRST, b"abc")
    wire.send(SERVER, 5001, b"")
    wire.send(CLIENT, FIRST, b"abX")
    assert wire.sink().codes == ["tcp-urgent-data", "tcp-overlap-conflict"]
    assert wire.sink().shown == [4, 7]


def test_what_waits_behind_holes_can_be_let_go() -> None:
    wire = established()
    direction = wire.direction()
    wire.send(CLIENT, FIRST + 3, b"def")
    wire.send(CLIENT, FIRST + 9, b"jkl", FIN | ACK)
    assert direction.held == 6 + 2 * limits.WAITING_COST
    direction.let_go_waiting()
    assert (direction.held, direction.connection.account.held) == (0, limits.CONNECTION_COST)
    assert (wire.sink().data, wire.sink().gaps) == (b"defjkl", [(0, 3), (6, 9)])
    assert wire.sink().ending == "close"
