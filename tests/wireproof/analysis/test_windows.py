"""Which packets waited for the reader: by hand, and with the kernel's own windows."""

from __future__ import annotations

import socket
import threading
import time
from io import BytesIO
from pathlib import Path

import pytest
from support.frames import ACK, SYN, ipv4, tcp
from support.timed import Stream, TimedTape, chunk, event

from capture import Recorder
from parsers.files.packets import Packet
from parsers.files.reader import CaptureReader
from parsers.net.ip import IpPacket
from parsers.net.tcp_header import TcpHeader, read_tcp_header
from parsers.net.tunnels import read_packet
from wireproof.analysis.windows import held_packets

SCALE_7 = bytes((1, 3, 3, 7))


def header_of(packet: Packet) -> TcpHeader | None:
    found = read_packet(packet[2], packet[4], packet[3])
    return read_tcp_header(found, packet[4]) if isinstance(found, IpPacket) else None


def held(tape: TimedTape) -> list[int]:
    return sorted(held_packets(CaptureReader(BytesIO(tape.file()))))


def windows(tape: TimedTape, *steps: tuple[str, int, int]) -> None:
    """``("server", seq, length)`` sends, ``("client", ack, window)`` acknowledges."""
    for side, number, size in steps:
        if side == "server":
            tape.add(ipv4(tcp(8_000, 40_000, ACK, seq=number, ack=1, payload=bytes(size))))
        else:
            segment = bytearray(tcp(40_000, 8_000, ACK, seq=1, ack=number))
            segment[14:16] = size.to_bytes(2)
            tape.add(ipv4(bytes(segment)))


def test_a_usual_stream_waits_for_nobody() -> None:
    assert held(Stream().events(20, every=0.01).end().tape) == []


@pytest.mark.parametrize(
    ("steps", "numbers"),
    [
        ([("client", 1, 100), ("server", 1, 100), ("client", 101, 100)], []),
        # room for 100 bytes, full; then more room, and what had waited
        (
            [
                ("client", 1, 100),
                ("server", 1, 100),
                ("client", 101, 0),
                ("client", 101, 500),
                ("server", 101, 300),
            ],
            [5],
        ),
        # what comes after it did not wait
        (
            [
                ("client", 1, 100),
                ("server", 1, 100),
                ("client", 101, 0),
                ("client", 101, 500),
                ("server", 101, 300),
                ("client", 401, 500),
                ("server", 401, 50),
            ],
            [5],
        ),
        # sequence numbers go round
        (
            [
                ("client", 2**32 - 50, 20),
                ("server", 2**32 - 50, 20),
                ("client", 2**32 - 30, 500),
                ("server", 2**32 - 30, 100),
            ],
            [4],
        ),
    ],
    ids=["never full", "full", "after it", "round"],
)
def test_held_packets(steps: list[tuple[str, int, int]], numbers: list[int]) -> None:
    tape = TimedTape()
    windows(tape, *steps)
    assert held(tape) == numbers


def test_a_window_is_scaled_as_the_handshake_said() -> None:
    tape = TimedTape()
    tape.add(ipv4(tcp(40_000, 8_000, SYN, seq=0, options=SCALE_7)))
    tape.add(ipv4(tcp(8_000, 40_000, SYN | ACK, seq=0, ack=1, options=SCALE_7)))
    windows(tape, ("client", 1, 10), ("server", 1, 1_280), ("client", 1_281, 10))
    windows(tape, ("server", 1_281, 1_281))
    assert held(tape) == [6]


@pytest.mark.packets
def test_a_reader_that_sleeps_closes_the_kernels_window(tmp_path: Path) -> None:
    """More than its receive buffer holds is sent; what came late is known as that."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with Recorder(tmp_path / "out.pcapng", port=port):
            thread = threading.Thread(target=_send, args=(listener,))
            thread.start()
            client = socket.socket()
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
            client.connect(("127.0.0.1", port))
            with client:
                time.sleep(0.3)  # that is what is tested: nobody reads
                while client.recv(65_536):
                    continue
            thread.join()
    with (tmp_path / "out.pcapng").open("rb") as stream:
        packets = list(CaptureReader(stream))
    numbers = held_packets(packets)
    sent = [
        packet[0]
        for packet in packets
        if (header := header_of(packet)) and header.length and header.source == port
    ]
    assert sent[0] not in numbers
    assert numbers
    assert numbers < set(sent)


def _send(listener: socket.socket) -> None:
    connection, _ = listener.accept()
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with connection:
        for number in range(200):
            connection.sendall(chunk(event(number, "x" * 100)))
