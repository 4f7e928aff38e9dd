"""Taps: whoever wants a stream's bytes beside the records gets them, in order and in time."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import pytest
from support.stored import STORED, name, packets
from support.talk import Side, Talk, Tape, decoded

from parsers.decode.packets import PacketDecoder
from parsers.diagnostics import Diagnostic
from parsers.files.packets import Packet
from parsers.net.tcp import Connection
from parsers.provenance import Completion, Ending
from parsers.records import (
    ChunkRecord,
    ConnectionRecord,
    Record,
    RequestRecord,
    ResponseRecord,
    WebSocketFrameRecord,
)

GET = b"GET / HTTP/1.1\r\nHost: example\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n"


class Heard:
    """A tap that keeps all it hears; a gap counts as zeros."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.gaps: list[tuple[int, int]] = []
        self.faults: list[str] = []
        self.ending: Ending | None = None
        self.open_offsets: tuple[int, ...] = ()

    def receive_data(self, data: bytes) -> list[str]:
        self.data += data
        return ["what a tap returns is nobody's"]

    def receive_gap(self, length: int) -> list[str]:
        self.gaps.append((len(self.data), len(self.data) + length))
        self.data += bytes(length)
        return []

    def receive_fault(self, fault: Diagnostic, shown: Completion) -> list[str]:
        self.faults.append(fault.code)
        return []

    def receive_eof(self, ending: Ending) -> list[str]:
        assert self.ending is None
        self.ending = ending
        return []


class Pair(NamedTuple):
    connection: Connection[Record]
    first: Heard
    second: Heard

    def of(self, sender: str) -> Heard:
        """The tap on what ``sender`` sent."""
        assert self.connection.client is not None
        is_first = self.connection.client is self.connection.first
        return self.first if is_first == (sender == "client") else self.second


class Taps:
    """A tap on both directions of every connection."""

    def __init__(self) -> None:
        self.pairs: list[Pair] = []

    def __call__(self, connection: Connection[Record]) -> tuple[Heard, Heard]:
        pair = Pair(connection, Heard(), Heard())
        assert connection.index == len(self.pairs)
        self.pairs.append(pair)
        return pair.first, pair.second


def tapped(
    packets: list[Packet],
    batch: int = 1 << 30,
    wanted: Callable[[int | None], bool] | None = None,
    check: Callable[[Taps, list[Record]], None] = lambda taps, records: None,
) -> tuple[Taps, list[Record]]:
    taps = Taps()
    decoder = PacketDecoder(tap=taps, wanted=wanted)
    records: list[Record] = []
    for start in range(0, len(packets), batch):
        found = decoder.receive(packets[start : start + batch])
        check(taps, found)
        records += found
    return taps, records + decoder.finish()


def content(record: Record) -> tuple[int, int, str | None, str | None] | None:
    """Where the content of an element lies that is as on the wire, and what it is."""
    if isinstance(record, ChunkRecord) and record.size:
        begin = record.content_offset
        return begin, begin + record.size, record.data, record.encoding
    if isinstance(record, WebSocketFrameRecord) and not record.masked:
        begin = record.content_offset
        return begin, begin + record.payload_length, record.data, record.encoding
    return None


def heard_in_time(taps: Taps, records: list[Record]) -> None:
    """All that a record spans has been heard before the record is there."""
    for record in records:
        if isinstance(record, ConnectionRecord) or record.connection is None:
            continue
        if record.sender is None or record.offset is None or record.length is None:
            continue
        heard = taps.pairs[record.connection].of(record.sender)
        assert len(heard.data) >= record.offset + record.length
        span = bytes(heard.data[record.offset : record.offset + record.length])
        if isinstance(record, RequestRecord):
            assert span.startswith(f"{record.method} {record.target}".encode())
        elif isinstance(record, ResponseRecord):
            assert span.startswith(b"HTTP/1.1 ") and span.endswith(b"\r\n\r\n")
        if (found := content(record)) is not None and found[3] == "utf-8":
            assert bytes(heard.data[found[0] : found[1]]).decode() == found[2]


@pytest.mark.parametrize("batch", [1, 7, 1 << 30])
@pytest.mark.parametrize("path", STORED, ids=name)
def test_a_tap_hears_all_and_changes_nothing(path, batch: int) -> None:
    given = packets(path)
    taps, records = tapped(given, batch, check=heard_in_time)
    assert sorted(map(repr, records)) == sorted(map(repr, decoded(given)))
    for record in records:
        if isinstance(record, ConnectionRecord):
            pair = taps.pairs[record.connection]
            assert len(pair.of("client").data) == record.client_bytes
            assert len(pair.of("server").data) == record.server_bytes
            assert pair.first.ending is not None and pair.second.ending is not None


def test_gaps_and_faults_are_heard() -> None:
    talk = Talk().open()
    talk.client(GET)
    talk.server(OK + b"01")
    talk.lose("server", 4)
    talk.server(b"6789")
    talk.ack("client", 10)
    talk.segment("client", b"!" * len(GET), flags=0x38)
    taps, records = tapped(talk.tape.packets)
    heard = taps.pairs[0].of("server")
    assert heard.data == OK + b"01\0\0\0\0" + b"6789"
    assert heard.gaps == [(len(OK) + 2, len(OK) + 6)]
    assert taps.pairs[0].of("client").faults == ["tcp-urgent-data"]
    assert heard.ending == "capture-end"
    assert {record.record for record in records} >= {"gap", "diagnostic", "body"}


def test_connections_that_are_not_wanted_are_heard_too() -> None:
    tape = Tape()
    for port in (40_000, 40_001):
        talk = Talk(tape, client_port=port).open()
        talk.client(GET)
        talk.close()
    taps, records = tapped(tape.packets, wanted=lambda index: index == 1)
    assert {record.connection for record in records} == {1}
    assert [bytes(pair.first.data) for pair in taps.pairs] == [GET, GET]
    assert taps.pairs[0].connection.client is None, "nobody has looked at it"


def test_nothing_lies_between_where_nothing_is_tapped() -> None:
    """Once the first bytes of the answer have told that it is HTTP."""
    talk = Talk().open()
    talk.client(GET)
    talk.server(OK)
    seen = []
    decoder = PacketDecoder(tap=lambda connection: (None, None), opened=seen.append)
    decoder.receive(talk.tape.packets)
    (connection,) = seen
    for direction in (connection.first, connection.second):
        assert type(direction.receiver).__name__ in ("RequestSide", "ResponseSide")


def test_one_side_alone_can_be_tapped() -> None:
    heard = Heard()
    talk = Talk().open()
    talk.client(GET)
    talk.server(OK + b"0123456789")
    decoder = PacketDecoder(tap=lambda connection: (None, heard))
    records = decoder.receive(talk.tape.packets) + decoder.finish()
    assert heard.data == OK + b"0123456789"
    assert sorted(map(repr, records)) == sorted(map(repr, decoded(talk.tape.packets)))


def test_packets_stay_known_for_what_a_tap_holds_open() -> None:
    heard = Heard()
    heard.open_offsets = (0,)
    talk = Talk().open()
    first = talk.server(OK)
    for _ in range(100):
        talk.server(b"0123456789")
    seen: list[Connection[Record]] = []
    decoder = PacketDecoder(tap=lambda connection: (None, heard), opened=seen.append)
    for packet in talk.tape.packets:
        decoder.receive([packet])
    origins = seen[0].second.origins
    assert len(origins) < 50
    assert origins.at(0)[1][0] == first


ASKED, HEAD = (
    b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc",
)


@pytest.mark.parametrize(("first", "second"), [("client", "server"), ("server", "client")])
def test_a_first_fin_that_is_missing_leaves_open_who_closed(first: Side, second: Side) -> None:
    talk = Talk().open()
    talk.client(ASKED)
    talk.server(HEAD)
    talk.lose(first, 1)
    talk.fin(second)
    talk.ack(first)
    records = talk.tape.records()
    (connection,) = [one for one in records if isinstance(one, ConnectionRecord)]
    assert (connection.close, connection.closed_by) == ("fin", None)
    (said,) = [one for one in records if getattr(one, "code", "") == "tcp-closer-unknown"]
    assert said.sender == first  # type: ignore[union-attr]
    assert said.summary.endswith(  # type: ignore[union-attr]
        f"the {second}'s FIN acknowledges 1 byte of the {first}'s that the capture lacks, maybe a"
        " FIN"
    )


def test_a_fin_that_comes_again_after_the_one_that_acknowledges_it_was_the_first() -> None:
    talk = Talk().open()
    talk.client(ASKED)
    talk.server(HEAD)
    talk.lose("client", 1)
    talk.fin("server")
    talk.lose("client", -1)
    talk.fin("client")
    (connection,) = [one for one in talk.tape.records() if isinstance(one, ConnectionRecord)]
    assert (connection.close, connection.closed_by) == ("fin", "client")


def test_bytes_that_are_missing_elsewhere_hide_no_fin() -> None:
    talk = Talk().open()
    talk.client(ASKED)
    talk.server(HEAD[:10])
    talk.lose("server", 10)
    talk.server(HEAD[20:])
    talk.fin("client")
    talk.fin("server")
    (connection,) = [one for one in talk.tape.records() if isinstance(one, ConnectionRecord)]
    assert connection.closed_by == "client"
