"""Recordings of all interfaces at once: each packet once, with the cooked header of Linux."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.exchanges import exchange, listening, port_of

from capture import Recorder
from capture.linux import bpf
from parsers.decode.capture import decode
from parsers.files.reader import CaptureReader
from parsers.net.link import network_offset
from parsers.records import ConnectionRecord

SLL2 = 276


def recorded(path: Path) -> list[ConnectionRecord]:
    with path.open("rb") as stream:
        return [one for one in decode(stream) if isinstance(one, ConnectionRecord)]


@pytest.mark.packets
def test_each_packet_of_loopback_is_there_once(tmp_path: Path) -> None:
    path = tmp_path / "any.pcapng"
    with listening() as listener, Recorder(path, port=port_of(listener), interface="any"):
        exchange(listener, b"asked", b"answered" * 100)
    (connection,) = recorded(path)
    assert (connection.client_bytes, connection.server_bytes) == (5, 800)
    assert (connection.retransmissions, connection.out_of_order) == (0, 0)
    assert connection.close == "fin"
    with path.open("rb") as stream:
        rows = list(CaptureReader(stream))
    assert {row[2] for row in rows} == {SLL2}
    assert all(network_offset(row[2], row[4]) == 20 for row in rows)
    assert all(int.from_bytes(row[4][8:10], "big") == 772 for row in rows)  # ARPHRD_LOOPBACK
    assert {row[3] - len(row[4]) for row in rows} == {0}


@pytest.mark.packets
def test_several_ports(tmp_path: Path) -> None:
    path = tmp_path / "any.pcapng"
    with listening() as first, listening() as second, listening() as third:
        ports = [port_of(first), port_of(second)]
        with Recorder(path, port=ports, interface="any"):
            for listener in (first, second, third):
                exchange(listener, b"asked", b"answered")
    assert [int(one.server.rpartition(":")[2]) for one in recorded(path)] == ports


def test_the_filter_counts_from_the_ip_header_on() -> None:
    program = bpf.tcp_filter([8000], 100, marker_port=9)
    found = bpf.cooked(program, 1)
    loads = [line[3] for line in found if line[0] in bpf.LOADS]
    assert bpf.PROTOCOL in loads
    assert bpf.ETHERTYPE not in loads
    assert 0 in loads  # the header's length, once at 14
    # One copy of loopback's is left out, and nothing that goes out elsewhere.
    assert found[0] == (bpf.LOAD_WORD, 0, 0, bpf.INTERFACE)
    outgoing = [line for line in found if line[3] == bpf.PACKET_TYPE]
    assert len(outgoing) == 1
    # Jumps stay within the program.
    for place, (code, if_true, if_false, value) in enumerate(found):
        jump = value if code == bpf.JUMP else max(if_true, if_false)
        assert code == bpf.RETURN or place + 1 + jump < len(found)
