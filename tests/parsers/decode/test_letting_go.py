"""When the memory is spent some connections are let go, with a word, and the others go on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.corpus import ROOT
from support.talk import Talk

from benchmarks.hostile_cases import (
    KiB,
    MiB,
    answered,
    fragments,
    holes,
    long_events,
    open_chunks,
    open_connections,
    open_heads,
    open_messages,
    streams,
    together,
)
from benchmarks.packets import write
from benchmarks.workloads import sse_connection, timed
from parsers.decode.capture import decode
from parsers.decode.keys import CaptureKeys
from parsers.decode.ordered_capture import OrderedCapture
from parsers.decode.packets import PacketDecoder
from parsers.files.reader import CaptureReader
from parsers.limits import MAX_HISTORY, QUIC_CONNECTION_COST
from parsers.memory import Account, Memory
from parsers.records import (
    BodyRecord,
    ConnectionRecord,
    DiagnosticRecord,
    GapRecord,
    Record,
    RequestRecord,
    SseEventRecord,
)
from parsers.tls.decryption import Decryption
from parsers.tls.key_log import KeyLog
from parsers.tls.records import TlsRecord


def capture(folder: Path, frames: Iterator[bytes]) -> Path:
    path = folder / "made.pcapng"
    write(path, timed(frames))
    return path


def records(path: Path, memory: int) -> list[Record]:
    with path.open("rb") as stream:
        return list(decode(stream, memory=memory))


def let_go(found: list[Record]) -> list[DiagnosticRecord]:
    return [
        one for one in found if isinstance(one, DiagnosticRecord) and one.code == "memory-limit"
    ]


CASES = [
    (open_connections, 300, 2 * MiB, "idle since packet"),
    (open_messages, 4, 8 * MiB, "bytes are held for it"),
    (long_events, 4, 8 * MiB, "bytes are held for it"),
    (holes, 4, 8 * MiB, "bytes are held for it"),
    (streams, 2, 16 * MiB, "bytes are held for it"),
    (open_chunks, 2, 10 * MiB, "bytes are held for it"),
    (open_heads, 30, 4 * MiB, "bytes are held for it"),
]


@pytest.mark.parametrize(("make", "connections", "memory", "why"), CASES)
def test_each_that_is_let_go_is_named(make, connections, memory, why, tmp_path: Path) -> None:
    found = records(capture(tmp_path, make(connections)), memory)
    said = let_go(found)
    assert 0 < len(said) <= connections
    assert len({one.connection for one in said}) == len(said)
    assert all(why in one.summary and "in packet " in one.summary for one in said)
    ends = Counter(one.connection for one in found if isinstance(one, ConnectionRecord))
    assert ends == dict.fromkeys(range(connections), 1), "each connection has its record, once"


def test_nothing_is_let_go_that_finds_room(tmp_path: Path) -> None:
    path = capture(tmp_path, open_connections(50))
    assert not let_go(records(path, 256 * MiB))


def test_the_largest_goes_and_the_others_do_not_notice(tmp_path: Path) -> None:
    fields = b"content-type: text/event-stream\r\n"
    long = b"data: " + b"a" * MiB + b"\n"

    def one(number: int) -> Iterator[bytes]:
        return answered(0, fields, long * 4) if number == 0 else sse_connection(number, 300)

    path = capture(tmp_path, together(one, 4))
    found = records(path, 8 * MiB)
    assert [one.connection for one in let_go(found)] == [0]
    events = Counter(one.connection for one in found if isinstance(one, SseEventRecord))
    assert events == {0: 1, 1: 300, 2: 300, 3: 300}, "what was there of the long one is shown"
    without = [one for one in records(path, 256 * MiB) if one.connection]
    assert [one for one in found if one.connection] == without


@pytest.mark.slow
def test_all_is_given_back_at_the_end(tmp_path: Path) -> None:
    for make, connections, memory, _ in CASES:
        decoder = PacketDecoder(memory=memory)
        with capture(tmp_path, make(connections)).open("rb") as stream:
            decoder.receive(list(CaptureReader(stream)))
        assert decoder.held > 0
        decoder.finish()
        assert decoder.held == 0


def test_fragments_are_given_up_by_name(tmp_path: Path) -> None:
    found = records(capture(tmp_path, fragments(100)), 4 * MiB)
    said = [one for one in found if isinstance(one, DiagnosticRecord)]
    assert {one.code for one in said} == {"ip-fragment-missing"} and len(said) == 100
    assert sum("too much" in one.summary for one in said) == 100
    decoder = PacketDecoder(memory=256 * MiB)
    with capture(tmp_path, fragments(100)).open("rb") as stream:
        decoder.receive(list(CaptureReader(stream)))
    assert decoder.held > 100 * 64 * KiB
    decoder.finish()
    assert decoder.held == 0


def test_what_is_spoken_in_a_tunnel_is_let_go_with_it() -> None:
    talk = Talk().open()
    talk.client(b"CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n")
    talk.server(b"HTTP/1.1 200 OK\r\n\r\n")
    talk.client(b"GET /in HTTP/1.1\r\nHost: a\r\n\r\n")
    talk.fin("client")
    talk.server(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: ")
    talk.server(*[b"x" * 60_000] * 30)
    decoder = PacketDecoder(memory=2 * MiB)
    found = [one for packet in talk.tape.packets for one in decoder.receive([packet])]
    found += decoder.finish()
    (said,) = let_go(found)
    assert "bytes are held for it" in said.summary
    assert [one.target for one in found if isinstance(one, RequestRecord)] == ["a:80", "/in"]
    (connection,) = [one for one in found if isinstance(one, ConnectionRecord)]
    assert connection.protocol == "http/1.1"
    assert decoder.held == 0


def test_what_waits_behind_a_hole_is_handed_over() -> None:
    """Then the hole is missing for good, and what came after it is decoded."""
    talk = Talk().open()
    talk.client(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    talk.server(b"HTTP/1.1 200 OK\r\nContent-Length: 1200010\r\n\r\n")
    talk.lose("server", 10)
    talk.server(*[bytes(60_000)] * 20)
    decoder = PacketDecoder(memory=MiB)
    found = [one for packet in talk.tape.packets for one in decoder.receive([packet])]
    (said,) = let_go(found)
    assert "bytes are held for it" in said.summary
    found += decoder.finish()
    assert [one.missing for one in found if isinstance(one, GapRecord)] == [10]
    (body,) = [one for one in found if isinstance(one, BodyRecord)]
    assert (body.size, body.complete) == (1_200_010, False)


def test_even_the_last_connection_is_let_go() -> None:
    talk = Talk().open()
    decoder = PacketDecoder(memory=1)
    found = [one for packet in talk.tape.packets for one in decoder.receive([packet])]
    assert len(let_go(found)) == 1
    decoder.finish()
    assert decoder.held == 0


QUIC = ROOT / "fixtures" / "quic" / "h3_keyupdate.pcap"


@pytest.mark.parametrize("keylog", [True, False])
def test_quic_is_charged_too_and_let_go_by_name(keylog: bool) -> None:
    keys = KeyLog.open(QUIC.with_suffix(".keys")) if keylog else None
    with QUIC.open("rb") as stream:
        opened = OrderedCapture(stream, keylog=keys)
        decoder = PacketDecoder(keys=opened.keys)
        packets = list(opened)
        decoder.receive(packets[: len(packets) // 2])
        assert decoder.held >= QUIC_CONNECTION_COST
        decoder.finish()
        assert decoder.held == 0
        tight = PacketDecoder(keys=opened.keys, memory=64 * KiB)
        found = [one for packet in packets for one in tight.receive([packet])]
        ends = [one for one in found + tight.finish() if isinstance(one, ConnectionRecord)]
    (said,) = let_go(found)
    assert said.layer == "quic" and "1 are open" in said.summary
    assert [one.connection for one in ends] == [said.connection], "a late packet opens no other"
    assert tight.held == 0


def test_records_of_tls_that_wait_for_keys_are_charged() -> None:
    with QUIC.open("rb") as stream:
        source = CaptureKeys(KeyLog(), CaptureReader(stream), stream, waits=True)
    memory = Memory()
    decryption = Decryption(source, Account(memory))
    record = TlsRecord(0, 9_005, 23, 9_000, 0, bytes(9_000), b"\x17\x03\x03\x23\x28")
    assert decryption.receive("client", record) == []
    assert memory.held == source.waiting == 9_005
    decryption.end("client", "capture-end")
    decryption.end("server", "capture-end")
    assert memory.held == source.waiting == 0


def test_what_late_copies_are_compared_with_goes_first_and_without_a_word() -> None:
    talk = Talk().open()
    talk.client(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    talk.server(b"HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n", *[bytes(30_000)] * 4)
    roomy = PacketDecoder(memory=64 * MiB)
    roomy.receive(talk.tape.packets)
    scarce = PacketDecoder(memory=160 * KiB)
    found = scarce.receive(talk.tape.packets)
    assert not let_go(found)
    assert roomy.held - scarce.held == MAX_HISTORY
