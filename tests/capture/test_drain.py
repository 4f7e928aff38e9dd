"""When everything sent before a moment has been read."""

from __future__ import annotations

import os
import select
import socket
import threading
from collections.abc import Iterator
from contextlib import closing

import pytest
from support.frames import UDP, ipv4, udp

from capture import drain
from capture.drain import MarkerBarrier
from capture.linux.recorder import OpenBlockBarrier


class Blocks:
    """What a barrier asks a ring for."""

    def __init__(self, read: int = 0, begun: int = 0) -> None:
        self.blocks_read = read
        self._begun = begun

    def blocks_begun(self) -> int:
        return self._begun


@pytest.fixture
def markers() -> Iterator[MarkerBarrier]:
    with closing(MarkerBarrier()) as one:
        one._socket.settimeout(5)
        yield one


def frames(markers: MarkerBarrier) -> list[bytes]:
    """The markers under way, as the ring would give them."""
    count = len(markers._missing)
    return [ipv4(udp(1, markers.port, markers._socket.recv(99)), UDP) for _ in range(count)]


def test_nothing_is_awaited_at_first(markers: MarkerBarrier) -> None:
    assert markers.arrived()


def test_one_marker_for_each_processor(markers: MarkerBarrier) -> None:
    markers.begin()
    found = frames(markers)
    assert len(found) == len(set(found)) == len(os.sched_getaffinity(0))
    for frame in found:
        assert not markers.arrived()
        markers.receive_marker(frame)
    assert markers.arrived()


def test_each_is_sent_on_its_processor(
    markers: MarkerBarrier, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran_on: list[set[int]] = []
    thread = threading.get_native_id()

    class Watched:
        def send(self, data: bytes) -> int:
            ran_on.append(os.sched_getaffinity(thread))
            return len(data)

    before = os.sched_getaffinity(0)
    with monkeypatch.context() as patch:
        patch.setattr(markers, "_socket", Watched())
        markers.begin()
    assert ran_on == [{processor} for processor in sorted(before)]
    assert os.sched_getaffinity(0) == before, "and back to where it may run"


def test_processors_that_are_not_ours_are_left(
    markers: MarkerBarrier, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "sysconf", lambda name: 4096)
    markers.begin()
    assert len(frames(markers)) == len(os.sched_getaffinity(0))


def test_markers_of_a_round_before_do_not_count(markers: MarkerBarrier) -> None:
    markers.begin()
    old = frames(markers)
    markers.begin()
    for frame in old:
        markers.receive_marker(frame)
    assert not markers.arrived()


def test_strangers_do_not_count(markers: MarkerBarrier) -> None:
    markers.begin()
    markers.receive_marker(ipv4(udp(1, markers.port, b"\0" * 16 + b"1 0"), UDP))
    markers.receive_marker(b"")
    assert not markers.arrived()


def test_they_can_be_taken_from_the_socket(markers: MarkerBarrier) -> None:
    markers._socket.setblocking(False)
    markers.begin()
    for _ in range(len(os.sched_getaffinity(0)) + 1):  # once more than there are: it does not wait
        select.select([markers.fileno()], [], [], 5 if markers._missing else 0)
        markers.receive()
    assert markers.arrived()


def test_overdue_markers_are_sent_again(
    markers: MarkerBarrier, monkeypatch: pytest.MonkeyPatch
) -> None:
    markers.begin()
    frames(markers)  # lost
    monkeypatch.setattr(drain, "RESEND_AFTER", -1)
    assert not markers.arrived()
    for frame in frames(markers):
        markers.receive_marker(frame)
    assert markers.arrived()


def test_the_port_is_private(markers: MarkerBarrier) -> None:
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as another,
        pytest.raises(OSError, match="Address already in use"),
    ):
        another.bind(("127.0.0.1", markers.port))


@pytest.mark.parametrize(("read", "begun"), [(0, 0), (5, 5)])
def test_no_block_is_open(read: int, begun: int) -> None:
    open_block = OpenBlockBarrier(Blocks(read, begun))
    open_block.begin()
    assert open_block.arrived()


def test_a_block_is_open() -> None:
    ring = Blocks(5, 7)
    open_block = OpenBlockBarrier(ring)
    open_block.begin()
    for ring.blocks_read, arrived in ((5, False), (6, False), (7, True)):
        assert open_block.arrived() is arrived
    open_block.close()


def test_markers_do_not_come_from_other_networks() -> None:
    assert OpenBlockBarrier.port is None
    with pytest.raises(AssertionError, match="not TCP passed the filter: 616263"):
        OpenBlockBarrier(Blocks()).receive_marker(b"abc")
