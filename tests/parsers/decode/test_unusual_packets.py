"""Packets of the rarer kinds: captured twice, mislabelled, and errors of routers about others."""

from __future__ import annotations

from struct import pack

import pytest
from support.frames import ACK, PSH, SYN, tcp
from support.talk import EPOCH_NS, Talk, Tape, decoded

from parsers.decode.packets import PacketDecoder
from parsers.files.packets import Packet
from parsers.records import BodyRecord, ConnectionRecord, DiagnosticRecord, Record, RequestRecord

GET = b"GET /it HTTP/1.1\r\nHost: example\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"


def only(records: list[Record], kind: type) -> list:  # type: ignore[type-arg]
    return [record for record in records if type(record) is kind]


def codes(records: list[Record]) -> list[str]:
    return [one.code for one in only(records, DiagnosticRecord)]


def summed(frame: bytes) -> bytes:
    """A frame with a right checksum in its IPv4 header (RFC 1071)."""
    header = frame[14:24] + b"\0\0" + frame[26:34]
    total = sum(int.from_bytes(header[at : at + 2]) for at in range(0, 20, 2))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return frame[:24] + pack("!H", total ^ 0xFFFF) + frame[26:]


# --- captured twice ---


class Wire:
    """Packets that have their own identification each, one every millisecond."""

    def __init__(self) -> None:
        self.rows: list[Packet] = []

    def send(
        self, sender: str, seq: int, ack: int, flags: int = ACK, payload: bytes = b""
    ) -> bytes:
        ports = (40_000, 80) if sender == "client" else (80, 40_000)
        ends = [bytes([10, 0, 0, 1]), bytes([10, 0, 0, 2])]
        what = tcp(*ports, flags, seq=seq, ack=ack, payload=payload)
        number = len(self.rows) + 100
        header = b"\x45\0" + pack("!HH", 20 + len(what), number) + b"\x40\0\x40\x06\0\0"
        addresses = b"".join(ends if sender == "client" else ends[::-1])
        return self.add(bytes(12) + b"\x08\x00" + header + addresses + what)

    def add(self, frame: bytes) -> bytes:
        time = EPOCH_NS + len(self.rows) * 1_000_000
        self.rows.append((len(self.rows) + 1, time, 1, len(frame), frame))
        return frame

    def open(self) -> None:
        self.send("client", 100, 0, SYN)
        self.send("server", 500, 101, SYN | ACK)
        self.send("client", 101, 501)
        self.send("client", 101, 501, PSH | ACK, GET)
        self.send("server", 501, 101 + len(GET), PSH | ACK, OK)


@pytest.mark.parametrize("is_twice", [False, True])
def test_an_acknowledgement_that_says_what_the_one_before_did(is_twice: bool) -> None:
    """The receiver repeats it, or the capture has it twice."""
    wire = Wire()
    wire.open()
    acknowledged = 101 + len(GET), 501 + len(OK)
    first = wire.send("client", *acknowledged)
    if is_twice:
        wire.add(first)
    else:
        wire.send("client", *acknowledged)
    wire.send("server", acknowledged[1], acknowledged[0], PSH | ACK, OK)
    for general in (False, True):
        records = decoded(wire.rows, general=general)
        (connection,) = only(records, ConnectionRecord)
        assert connection.copies == is_twice
        assert codes(records).count("packets-captured-twice") == is_twice


def test_a_copy_of_a_packet_of_a_connection_that_is_over() -> None:
    wire = Wire()
    wire.open()
    reset = wire.send("server", 501 + len(OK), 101 + len(GET), 0x04 | ACK)
    wire.add(reset)
    (connection,) = only(decoded(wire.rows), ConnectionRecord)
    assert (connection.close, connection.packets) == ("reset", 6)


# --- of another link type than was declared ---


@pytest.mark.parametrize(("is_ethernet", "link_type"), [(False, 1), (True, 101), (False, 0)])
def test_a_link_type_that_is_surely_wrong(is_ethernet: bool, link_type: int) -> None:
    talk = Talk().open()
    talk.client(GET)
    talk.server(OK)
    talk.close()
    tape = Tape()
    for *_, frame in talk.tape.packets:
        tape.add(summed(frame)[0 if is_ethernet else 14 :], link_type=link_type)
    records = tape.records()
    (said,) = only(records, DiagnosticRecord)
    assert (said.code, f"link type {link_type} is declared" in said.summary) == (
        "link-type-wrong", True,
    )  # fmt: skip
    assert [one.target for one in only(records, RequestRecord)] == ["/it"]
    assert [one.tunnel for one in only(records, ConnectionRecord)] == [None]


# --- errors of routers ---


def about(frame: bytes, kind: int, code: int) -> bytes:
    """An ICMP error of 192.0.2.9 that quotes the beginning of a packet (RFC 792)."""
    quoted = pack("!BBHI", kind, code, 0, 0) + frame[14:42]
    header = b"\x45\0" + pack("!HHHBBH", 20 + len(quoted), 1, 0, 64, 1, 0)
    return frame[:14] + header + bytes([192, 0, 2, 9, 127, 0, 0, 1]) + quoted


@pytest.mark.parametrize(
    ("kind", "code", "fault", "words"),
    [
        (3, 3, "icmp-unreachable", "port unreachable, says 192.0.2.9"),
        (11, 0, "icmp-time-exceeded", "time to live exceeded, says 192.0.2.9"),
    ],
)
def test_an_error_is_said_at_its_connection(kind: int, code: int, fault: str, words: str) -> None:
    talk = Talk().open()
    frame = talk.tape.packets[talk.client(GET) - 1][4]
    number = talk.tape.add(about(frame, kind, code))
    (said,) = only(talk.tape.records(), DiagnosticRecord)
    assert (said.code, said.connection, said.last_packet) == (fault, 0, number)
    assert words in said.summary


# --- what is held ---


def test_the_limit_is_known() -> None:
    limits = [PacketDecoder(memory=size).memory_limit for size in (1 << 20, 1 << 28)]
    assert 0 < limits[0] <= 1 << 20 < limits[1] <= 1 << 28


def test_content_that_follows_a_copy_is_taken_once() -> None:
    wire = Wire()
    wire.open()
    wire.add(wire.rows[-1][4])
    records = decoded(wire.rows)
    assert [one.size for one in only(records, BodyRecord) if one.sender == "server"] == [2]
