"""A path that delays and loses: TCP itself says that what it carries is right."""

from __future__ import annotations

import asyncio
import socket
import struct
import time

import pytest

from capture.linux.private_network import private_network
from server.causes.path import FRONT, HERE, THERE, Carrier, Path, change_port
from server.causes.veth import NEAR

ETHERNET, IP = 14, 20


def checksum(data: bytes) -> int:
    """The Internet's checksum, as RFC 1071 has it."""
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def segment(source: int, destination: int, data: bytes) -> bytearray:
    """A frame whose checksum over pseudo header, header and data is right."""
    tcp = struct.pack("!HHIIBBHHH", source, destination, 1, 1, 5 << 4, 0x18, 512, 0, 0) + data
    addresses = socket.inet_aton(HERE) + socket.inet_aton(THERE)
    summed = checksum(addresses + struct.pack("!HH", 6, len(tcp)) + tcp)
    tcp = tcp[:16] + struct.pack("!H", summed) + tcp[18:]
    ip = struct.pack("!BBHHHBBH", 0x45, 0, IP + len(tcp), 1, 0, 64, 6, 0) + addresses
    return bytearray(bytes(12) + b"\x08\x00" + ip + tcp)


def is_right(frame: bytes | bytearray) -> bool:
    tcp = bytes(frame[ETHERNET + IP :])
    pseudo = bytes(frame[26:34]) + struct.pack("!HH", 6, len(tcp))
    return checksum(pseudo + tcp) == 0


@pytest.mark.parametrize("port", [1, 80, 443, 32_768, 54_321, 65_535])
@pytest.mark.parametrize("data", [b"", b"\xff" * 8, b"some data."])
def test_a_port_is_changed_and_its_checksum_with_it(port: int, data: bytes) -> None:
    frame = segment(54_321, 80, data)
    assert is_right(frame)
    change_port(frame, ETHERNET + IP, ETHERNET + IP, port)
    assert struct.unpack_from("!HH", frame, ETHERNET + IP) == (port, 80)
    assert is_right(frame)
    frame[26:30], frame[30:34] = frame[30:34], frame[26:30]
    assert is_right(frame)


async def seconds_of(path: Path, pieces: int) -> tuple[bytes, list[float]]:
    """What a client reads over a path of a server that writes pieces 30 ms apart, and when."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(1)
        for number in range(pieces):
            writer.write(b"%d" % number)
            await writer.drain()
            await asyncio.sleep(0.03)
        writer.close()

    server = await asyncio.start_server(answer, host="0.0.0.0", port=0)  # noqa: S104
    async with server:
        carrier = Carrier(path, server.sockets[0].getsockname()[1])
        assert carrier.interface == NEAR
        began = time.monotonic()
        reader, writer = await asyncio.open_connection(THERE, FRONT)
        writer.write(b"?")
        read, times = b"", []
        while data := await reader.read(100):
            read += data
            times.append(time.monotonic() - began)
        writer.close()
        await writer.wait_closed()
        carrier.close()
    return read, times


@pytest.mark.packets
def test_each_packet_takes_its_time() -> None:
    with private_network():
        read, times = asyncio.run(seconds_of(Path(delay=0.05), 3))
    assert read == b"012"
    assert times[0] >= 0.2  # a handshake and a request, there and back


@pytest.mark.packets
@pytest.mark.parametrize("path", [Path(loses=1, copies=3), Path(loses=1, gone=0.2)])
def test_what_is_lost_is_sent_again(path: Path) -> None:
    with private_network():
        read, times = asyncio.run(seconds_of(path, 6))
    assert read == b"012345"
    assert len(times) < 6
    assert times[1] - times[0] >= 0.06


@pytest.mark.packets
def test_a_segment_is_lost_as_often_as_is_said() -> None:
    async def lost(copies: int) -> list[bool]:
        carrier = Carrier(Path(loses=1, copies=copies), 54_321)
        frames = [segment(54_321, 80, b"data") for _ in range(2)]
        frames[1][ETHERNET + IP + 7] = 9
        empty = segment(54_321, 80, b"")
        tcp = ETHERNET + IP
        shown = [empty, frames[0], frames[1], frames[0], frames[1], frames[1]]
        found = [carrier._is_lost(one, tcp, is_of_server=True) for one in shown]
        carrier.close()
        return found

    with private_network():
        assert asyncio.run(lost(2)) == [False, False, True, False, True, False]
