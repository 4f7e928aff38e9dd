"""Both windows of a sender, and when they held it (RFC 9113 section 6.9)."""

from __future__ import annotations

import pytest

from parsers.http2.flow import DEFAULT_WINDOW, MAX_WINDOW, FlowControl, Stall, Window


def flow(initial: int = DEFAULT_WINDOW, *streams: int) -> FlowControl:
    found = FlowControl(is_partial=False)
    found.settle(initial, (1, 0.0), 0)
    for stream_id in streams or (1,):
        found.open(stream_id)
    return found


def test_a_stream_is_held_from_the_frame_that_used_its_window_up_until_room_is_given() -> None:
    one = flow(10)
    assert one.send(1, 10) == ([], [])
    one.wait(1, (5, 1.0), 100)
    assert one.update(1, 5, (6, 3.2))
    assert one.send(1, 5) == ([Stall(1, (5, 1.0), 100, (6, 3.2))], [])


def test_room_that_leaves_a_window_below_zero_opens_nothing() -> None:
    one = flow(10)
    one.send(1, 10)
    one.wait(1, (5, 1.0), 100)
    one.settle(5, (6, 2.0), 0)  # section 6.9.2: -5
    one.update(1, 5, (7, 3.0))
    one.update(1, 1, (8, 4.0))
    assert one.send(1, 1)[0] == [Stall(1, (5, 1.0), 100, (8, 4.0))]


def test_the_connection_s_window_holds_all_streams() -> None:
    one = flow(MAX_WINDOW // 2, 1, 3)
    one.send(1, DEFAULT_WINDOW)
    one.wait(1, (5, 1.0), 100)
    one.wait(3, (6, 1.5), 200)
    one.update(0, 100, (7, 2.0))
    assert one.send(3, 10)[0] == [Stall(None, (5, 1.0), 100, (7, 2.0))]
    assert one.send(1, 10)[0] == []


def test_settings_change_streams_and_not_the_connection() -> None:
    one = flow(10)
    one.settle(30, (2, 0.0), 0)
    assert (one.streams[1].size, one.connection.size) == (30, DEFAULT_WINDOW)
    one.open(3)
    assert one.streams[3].size == 30


@pytest.mark.parametrize(("size", "faults"), [(10, 0), (11, 1)])
def test_more_than_the_window_is_a_fault(size: int, faults: int) -> None:
    assert len(flow(10).send(1, size)[1]) == faults


def test_empty_data_goes_where_nothing_else_does() -> None:
    one = flow(0)
    assert one.send(1, 0) == ([], [])


def test_windows_that_are_too_large() -> None:
    one = flow()
    assert one.update(1, MAX_WINDOW - DEFAULT_WINDOW, (1, 0.0))
    assert not one.update(1, 1, (1, 0.0))
    assert not one.update(0, MAX_WINDOW, (1, 0.0))
    other = flow(10)
    assert other.update(1, 1, (1, 0.0))
    assert not other.settle(MAX_WINDOW, (1, 0.0), 0)


def test_what_nothing_opened_is_told_at_the_end() -> None:
    one = flow(10)
    one.send(1, 10)
    one.wait(1, (5, 1.0), 100)
    assert one.still_blocked() == [Stall(1, (5, 1.0), 100, None)]
    assert one.still_blocked() == []


def test_what_was_opened_and_not_used_held_nobody() -> None:
    one = flow(10)
    one.send(1, 10)
    one.wait(1, (5, 1.0), 100)
    one.update(1, 5, (6, 2.0))
    assert one.still_blocked() == []


def test_joined_in_the_middle_no_window_is_known() -> None:
    one = FlowControl(is_partial=True)
    one.open(1)
    one.wait(1, (5, 1.0), 100)
    assert one.send(1, 10**6) == ([], [])
    assert one.update(1, MAX_WINDOW, (1, 0.0))


def test_a_window_waits_once() -> None:
    window = Window(0)
    window.wait((1, 1.0), 10)
    window.wait((2, 2.0), 20)
    assert window.is_waiting
    window.give(1, (3, 3.0))
    assert window.stall(7) == Stall(7, (1, 1.0), 10, (3, 3.0))
    assert not window.is_waiting


def test_of_a_stream_that_is_not_followed_the_connection_s_window_is_used() -> None:
    one = flow(10, 1)
    assert one.send(3, 11) == ([], [])
    assert one.connection.size == DEFAULT_WINDOW - 11
    one.close(1)
    assert one.send(1, 11) == ([], [])
    assert one.connection.size == DEFAULT_WINDOW - 22
    one.close(1)
    assert one.streams == {}


def test_joined_in_the_middle_nothing_is_told_at_the_end() -> None:
    one = FlowControl(is_partial=True)
    assert one.settle(MAX_WINDOW, (1, 0.0), 0)
    assert one.still_blocked() == []
    assert one.initial == MAX_WINDOW


def test_settings_that_take_the_room_away_block_a_sender_within_a_message() -> None:
    flow = FlowControl(is_partial=False)
    for stream_id in (1, 3):
        flow.open(stream_id)
    flow.wait(1, (3, 0.0), 40)
    flow.send(1, 100)
    flow.settle(50, (4, 1.0), 149)  # section 6.9.2: -50
    flow.update(1, 20, (5, 2.0))
    flow.update(1, 200, (6, 3.0))
    stalls, faults = flow.send(1, 100)
    assert ([tuple(one) for one in stalls], faults) == ([(1, (4, 1.0), 149, (6, 3.0))], [])
    flow.settle(0, (7, 4.0), 300)
    assert [one.stream_id for one in flow.still_blocked()] == [], "of 3 no message has begun"
