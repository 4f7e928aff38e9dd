"""Recordings by scapy: beside the packet socket the same packets, the same honesty about drops."""

from __future__ import annotations

import logging
import os
import socket
import struct
import sys
import time
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import msgspec
import pytest
from support.exchanges import check_whole, exchange, listening, port_of, segments
from support.frames import ipv4, tcp, udp

from capture import CaptureNotPermitted, InterfaceUnusable, PacketsDropped, Recorder
from capture.backends import scapy_recorder
from capture.backends.scapy import SILENT, ByScapy
from capture.backends.scapy_recorder import QuietBarrier, ScapyRecorder, drop_counter
from capture.connections import OpenConnections
from capture.drain import MarkerBarrier, without_markers
from capture.frames import LINKTYPE_ETHERNET, LINKTYPE_NULL, as_ethernet
from parsers.decode.capture import decode
from server import DemoServer, scenario
from wireproof.tasks.demo import drive

packets = pytest.mark.packets
PATIENCE = 60
UDP = 17


def records(path: Path) -> list[dict[str, object]]:
    """Return what a capture holds, but for times."""
    with path.open("rb") as stream:
        found = [msgspec.to_builtins(record) for record in decode(stream)]
    for one in found:
        for end in one.get("ends", ()):
            del end["time"]
    times = ("time", "rtt", "server_rtt", "ack_waits")
    return [
        {name: value for name, value in one.items() if not name.endswith(times)} for one in found
    ]


@packets
@pytest.mark.parametrize("transport", ["chunked", "sse", "websocket"])
def test_the_same_records_as_the_packet_socket(transport: str, tmp_path: Path) -> None:
    by_scapy, by_socket = tmp_path / "scapy.pcapng", tmp_path / "socket.pcapng"
    chosen = scenario(transport)
    with (
        DemoServer(delay=0.01) as server,
        ScapyRecorder(by_scapy, port=server.port) as ours,
        Recorder(by_socket, port=server.port) as theirs,
    ):
        assert drive(chosen, server.url(chosen)).ended == "clean"
        assert theirs.wait_closed(PATIENCE)
        assert ours.wait_closed(PATIENCE)
    assert records(by_scapy) == records(by_socket)
    assert len(records(by_scapy)) > 10
    assert ours.statistics == theirs.statistics
    # Both have the kernel's times; scapy tells them to the microsecond.
    for one, other in zip(segments(by_scapy), segments(by_socket), strict=True):
        assert abs(one.time_ns - other.time_ns) < 1_000_000


@packets
def test_whole_exchanges_each_packet_once(tmp_path: Path) -> None:
    """With packets longer than scapy's limit of 65,535 bytes, as segmentation offload makes."""
    path = tmp_path / "out.pcapng"
    question, answer = os.urandom(1_000_000), os.urandom(1_000)
    with listening() as listener:
        port = port_of(listener)
        with ScapyRecorder(path, port=port, comment="why") as recording:
            told = exchange(listener, question, answer)
            assert recording.wait_closed(PATIENCE)
        check_whole(segments(path), port, question, answer, told)
    assert recording.statistics.dropped == 0
    assert recording.tells_drops
    assert b"why" in path.read_bytes()[:200]


@packets
def test_what_was_sent_before_the_end_is_there(tmp_path: Path) -> None:
    for number in range(5):
        path = tmp_path / f"{number}.pcapng"
        with listening() as listener:
            with ScapyRecorder(path, port=port_of(listener)) as recording:
                with socket.create_connection(listener.getsockname()) as client:
                    client.sendall(b"last words")
                recording.drain()
                drained = recording.statistics.captured
            found = segments(path)
        assert b"last words" in b"".join(one.payload for one in found)
        assert drained >= 5  # SYN, SYN and ACK, ACK, data, FIN


@packets
def test_drops_are_told(tmp_path: Path) -> None:
    """The smallest buffer has no room for the packets that segmentation offload makes."""
    with (
        listening() as listener,
        pytest.raises(PacketsDropped) as raised,
        ScapyRecorder(tmp_path / "out.pcapng", port=port_of(listener), buffer_size=1),
    ):
        exchange(listener, os.urandom(3_000_000), b"answer")
    assert raised.value.statistics.dropped > 0
    assert raised.value.statistics.captured > 0


# --- what each kind of socket tells of drops ---


def test_drops_of_bpf() -> None:
    counts = iter([(5, 2), (None, None), (9, 4)])
    count = drop_counter(SimpleNamespace(get_stats=lambda: next(counts)))
    assert count is not None
    assert [count(), count(), count()] == [2, 0, 4]


def test_drops_that_cannot_be_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert drop_counter(SimpleNamespace()) is None
    assert ScapyRecorder(tmp_path / "x", port=1)._take_dropped is not None
    if ByScapy().lacks() is None:
        from capture.backends import Wanted

        monkeypatch.setattr(scapy_recorder, "drop_counter", lambda sock: None)
        with ByScapy().open(Wanted(tmp_path / "out.pcapng", 1)) as session:
            assert session.notes == (SILENT,)
        assert session.recording.statistics == (0, 0)
        data = (tmp_path / "out.pcapng").read_bytes()
        # isb_usrdeliv stands, isb_ifdrop and isb_osdrop do not.
        block = data[data.rindex(struct.pack("<I", 5)) :]
        assert struct.pack("<HHQ", 8, 8, 0) in block
        assert struct.pack("<HHQ", 5, 8, 0) not in block
        assert struct.pack("<HHQ", 7, 8, 0) not in block


# --- interfaces without markers ---


class Reading:
    quiet = 0
    last_time = 0


def test_nothing_is_left() -> None:
    reading = Reading()
    barrier = QuietBarrier(reading)
    barrier.begin()
    for reading.quiet, arrived in ((0, False), (1, False), (2, True), (3, True)):
        assert barrier.arrived() is arrived
    assert QuietBarrier.port is None
    with pytest.raises(AssertionError, match="not TCP passed the filter: 616263"):
        barrier.receive_marker(b"abc")


def test_what_comes_is_younger() -> None:
    reading = Reading()
    barrier = QuietBarrier(reading)
    barrier.begin()
    reading.last_time = time.time_ns() - 10**9
    assert not barrier.arrived()
    reading.last_time = time.time_ns()
    assert barrier.arrived()


# --- loopback of macOS, the BSDs and Windows ---

AF_INET = struct.pack("=I", 2)
AF_INET6_DARWIN = struct.pack("=I", 30)


def test_a_null_header_is_looked_at_as_ethernet() -> None:
    frame = ipv4(tcp(1, 2, payload=b"data"))
    packet = (7, AF_INET + frame[14:], 99)
    assert as_ethernet([packet], LINKTYPE_NULL) == [(7, bytes(12) + frame[12:], 99)]
    assert as_ethernet([packet], LINKTYPE_ETHERNET) == [packet]
    six = (7, AF_INET6_DARWIN + bytes((0x60,)) + bytes(39), 44)
    assert as_ethernet([six], LINKTYPE_NULL)[0][1][12:14] == b"\x86\xdd"
    assert as_ethernet([(7, AF_INET, 4), (7, AF_INET + b"\0", 5)], LINKTYPE_NULL) == []


def test_markers_and_connections_of_a_null_link() -> None:
    with closing(MarkerBarrier()) as barrier:
        barrier._socket.settimeout(5)
        barrier.begin()
        data = (7, AF_INET + ipv4(tcp(1, 2, payload=b"data"))[14:], 99)
        markers = [
            (8, AF_INET + ipv4(udp(1, barrier.port, barrier._socket.recv(99)), UDP)[14:], 99)
            for _ in range(len(barrier._missing))
        ]
        assert without_markers([data, *markers], barrier, LINKTYPE_NULL) == [data]
        assert barrier.arrived()
    connections = OpenConnections()
    connections.receive_packets(as_ethernet([data], LINKTYPE_NULL))
    assert connections.count == 1


# --- what is lacking ---


def test_scapy_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scapy_recorder, "find_spec", lambda name: None)
    assert ByScapy().lacks() == "scapy is not installed: pip install 'wireproof[scapy]'"


@pytest.mark.parametrize("system", ["linux", "darwin", "win32"])
def test_it_may_not_record(system: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from scapy.arch import linux

    def refuse(*arguments: object, **options: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(linux, "L2ListenSocket", refuse)
    monkeypatch.setattr(scapy_recorder._scapy(), "L2listen", refuse)
    monkeypatch.setattr(sys, "platform", system)
    with pytest.raises(CaptureNotPermitted, match="^scapy is not allowed to record: ") as raised:
        scapy_recorder._open("lo", None)
    said = {"linux": "setcap", "darwin": "ChmodBPF", "win32": "Npcap"}
    assert said[system] in str(raised.value)


def test_there_is_no_such_interface(tmp_path: Path) -> None:
    with (
        pytest.raises(InterfaceUnusable, match="no interface 'nowhere'; available: "),
        ScapyRecorder(tmp_path / "out.pcapng", port=1, interface="nowhere"),
    ):
        raise AssertionError("it is not entered")


def test_a_kind_of_link_that_is_not_recorded() -> None:
    class Raw:
        pass

    sock = SimpleNamespace(LL=Raw, close=lambda: None)
    with pytest.raises(InterfaceUnusable, match="link type Raw"):
        scapy_recorder._link_type(sock, "tun0")


def test_scapy_says_nothing_of_its_own() -> None:
    scapy_recorder._scapy()
    assert logging.getLogger("scapy.runtime").level == logging.ERROR
