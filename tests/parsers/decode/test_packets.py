"""The whole chain: both paths give the same, in the contract's order, whatever the packets are."""

from __future__ import annotations

import gc
import gzip
from io import BytesIO
from itertools import chain
from pathlib import Path

import pytest
from support.frames import ipv4, tcp
from support.stored import SMALL, STORED, completion, name, packets
from support.talk import (
    EPOCH_NS,
    GET,
    OK,
    STEP_NS,
    Talk,
    Tape,
    decoded,
    exchange,
    kinds,
    only_fault,
)
from support.tshark import captures

from parsers.decode import packets as module
from parsers.decode.capture import decode, decode_batches
from parsers.decode.packets import BATCH, MANY_ASKED, PacketDecoder
from parsers.decode.packets import completion as decode_completion
from parsers.decode.writer import RecordWriter
from parsers.files.packets import UnreadableCapture
from parsers.files.reader import CaptureReader
from parsers.limits import MAX_BATCH, MAX_SILENCE
from parsers.records import ConnectionRecord, RequestRecord

# --- stored and public captures ---


@pytest.mark.parametrize("path", STORED, ids=name)
def test_stored_captures(path: Path) -> None:
    rows = packets(path)
    records = decoded(rows)
    assert records == decoded(rows, general=True)
    assert records == sorted(records, key=completion)
    assert isinstance(records[-1], ConnectionRecord)
    with path.open("rb") as stream:
        assert list(decode(stream)) == records
    for size in (1, 7):
        assert sorted(decoded(rows, batch=size), key=completion) == records


@pytest.mark.parametrize("memory", [None, 1])
@pytest.mark.parametrize("path", STORED, ids=name)
def test_each_packet_of_many_completes_what_it_does_alone(path: Path, memory: int | None) -> None:
    rows = packets(path)
    together, alone = PacketDecoder(memory=memory), PacketDecoder(memory=memory)
    found = [
        records
        for start in range(0, len(rows), 50)
        for records in together.receive_each(rows[start : start + 50])
    ]
    assert found == [alone.receive((row,)) for row in rows]
    assert together.finish() == alone.finish()


def test_public_captures() -> None:
    found = 0
    for path in captures():
        rows = packets(path)
        records = decoded(rows)
        assert sorted(records, key=completion) == sorted(
            decoded(rows, general=True), key=completion
        ), path.name
        found += len(records)
    assert found > 500


@pytest.mark.parametrize("path", SMALL, ids=name)
def test_cut_after_every_packet(path: Path) -> None:
    """What was complete before the cut does not change; what was not says so."""
    rows = packets(path)
    whole = decoded(rows)
    for count in range(len(rows)):
        decoder = PacketDecoder()
        before = decoder.receive(rows[:count])
        assert before == whole[: len(before)]
        after = decoder.finish()
        assert all(record.last_packet <= count for record in before + after)
        for record in after:
            if isinstance(record, ConnectionRecord):
                assert record.packets == count
            elif record.record == "body":
                assert record.ended_by in ("capture-end", "close")


@pytest.mark.parametrize("path", SMALL, ids=name)
def test_payloads_left_out(path: Path) -> None:
    """Sizes and digests stay; data and the fields of events go."""
    rows = packets(path)
    left_out = {"data", "encoding", "fields"}
    for full, bare in zip(decoded(rows), decoded(rows, keep_data=False), strict=True):
        for field in full.__struct_fields__:
            if field in left_out:
                assert getattr(bare, field) is None, (field, bare)
            else:
                assert getattr(full, field) == getattr(bare, field), field


# --- files ---


def test_a_file_decodes_like_its_packets() -> None:
    talk = exchange()
    assert list(decode(BytesIO(talk.tape.file()))) == talk.tape.records()


def test_more_packets_than_a_batch() -> None:
    talk = Talk().open()
    for _ in range(BATCH):
        talk.client(GET)
    records = list(decode(BytesIO(talk.tape.file())))
    assert records == talk.tape.records()
    requests = [record for record in records if isinstance(record, RequestRecord)]
    assert [record.exchange for record in requests] == list(range(BATCH))


def test_more_packets_are_taken_at_once_where_many_connections_were_asked_for() -> None:
    tape = Tape()
    decoder = PacketDecoder()
    found = [decoder.batch]
    for port in range(4 * MANY_ASKED):
        Talk(tape, client_port=10_000 + port).open()
        decoder.receive(tape.packets[-3:])
        found.append(decoder.batch)
    assert found[:MANY_ASKED] == [BATCH] * MANY_ASKED
    assert found[MANY_ASKED::MANY_ASKED] == [2 * BATCH, 3 * BATCH, 4 * BATCH, 4 * BATCH]


@pytest.mark.parametrize("size", [10_000, 60_000])
def test_a_batch_has_few_packets_if_they_are_long(size: int) -> None:
    """What the packets of a batch complete stands in memory together."""
    talk = Talk().open()
    talk.client(GET)
    content = 100 * size
    talk.server(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % content)
    talk.server(*[bytes(size)] * 100)
    talk.client(*[GET] * BATCH)
    file = talk.tape.file()
    requests = [
        sum(isinstance(record, RequestRecord) for record in records)
        for records in decode_batches(BytesIO(file))
    ]
    assert requests[: content // MAX_BATCH] == [1] + [0] * (content // MAX_BATCH - 1)
    assert max(requests) * len(GET) < MAX_BATCH
    assert sum(requests) == BATCH + 1
    assert list(decode(BytesIO(file))) == talk.tape.records()


def test_a_file_that_is_cut() -> None:
    """Its last packet is not whole: what came before stays, and the file's fault comes last."""
    talk = exchange()
    records = list(decode(BytesIO(talk.tape.file()[:-20])))
    assert kinds(records) == ["request", "response", "data", "body", "connection", "capture-cut"]
    fault = only_fault(records)
    assert (fault.connection, fault.exchange, fault.sender) == (None, None, None)
    assert (fault.offset, fault.length) == (None, None)
    assert fault.last_packet == len(talk.tape.packets) - 1
    assert fault.last_time == (EPOCH_NS + 8 * STEP_NS) / 10**9
    assert "at byte " in fault.summary
    assert records[-2].last_packet == fault.last_packet


def test_a_compressed_file_that_is_cut() -> None:
    data = gzip.compress(exchange().tape.file())
    records = list(decode(BytesIO(data[:-9])))
    assert "capture-cut" in kinds(records) or "capture-damaged" in kinds(records)


def test_no_capture_at_all() -> None:
    with pytest.raises(UnreadableCapture):
        list(decode(BytesIO(b"this is a text")))


def test_a_capture_without_packets() -> None:
    assert list(decode(BytesIO(Tape().file()))) == []
    assert PacketDecoder().receive([]) == []


# --- times ---


def test_packets_without_times() -> None:
    """Simple Packet Blocks have none: their times are 0."""
    talk = Talk()
    for frame in (talk.frame("client", GET), talk.frame("server", OK), talk.frame("server", b"hi")):
        talk.tape.add(frame, has_time=False)
    records = talk.tape.records()
    assert {"request", "response", "body", "connection"} <= set(kinds(records))
    assert {(record.first_time, record.last_time) for record in records} == {(0.0, 0.0)}


def test_times_to_the_microsecond() -> None:
    tape = Tape()
    frame = Talk().frame("client", GET)
    times = [EPOCH_NS + 123_456_000, EPOCH_NS + 999_999_000]
    for time_ns in times:
        tape.packets.append((len(tape.packets) + 1, time_ns, 1, len(frame), frame))
    record = tape.records()[-1]
    assert f"{record.first_time:.6f} {record.last_time:.6f}" == (
        "1790000000.123456 1790000000.999999"
    )


# --- several connections ---


def test_connections_side_by_side() -> None:
    tape = Tape()
    talks = [Talk(tape, client_port=port).open() for port in (50_001, 50_002, 50_003)]
    for talk in reversed(talks):
        talk.client(GET)
    for talk in talks:
        talk.server(OK, b"hi")
        talk.close()
    records = tape.records()
    assert records == sorted(records, key=completion)
    ends = [record for record in records if isinstance(record, ConnectionRecord)]
    assert [record.client for record in ends] == [f"127.0.0.1:{50_001 + n}" for n in range(3)]
    assert [record.connection for record in records if record.record == "request"] == [2, 1, 0]
    assert list(decode(BytesIO(tape.file()))) == records


def test_what_the_capture_left_open_comes_in_order_too() -> None:
    tape = Tape()
    talks = [Talk(tape, client_port=port).open() for port in (50_001, 50_002)]
    for talk in talks:
        talk.client(GET)
    for talk in reversed(talks):
        talk.server(b"HTTP/1.1 200 OK\r\n\r\n", b"until close")
    records = tape.records()
    bodies = [record for record in records if record.record == "body"]
    assert [record.connection for record in bodies] == [1, 0]
    assert {record.ended_by for record in bodies} == {"capture-end"}
    assert kinds(records)[-2:] == ["body", "connection"]
    assert records == sorted(records, key=completion)


def side_by_side() -> Tape:
    """Connections that are whole, lossy, without a start, without HTTP, reset, and used again."""
    tape = Tape()
    talks = [Talk(tape, client_port=port) for port in range(50_001, 50_006)]
    for talk in talks[:4]:
        talk.open()
    talks[4].midstream()
    for talk in talks:
        talk.client(GET)
    talks[3].segment("server", flags=0)  # no ACK: a fault before its first byte
    talks[2].segment("server", flags=0)
    talks[1].lose("server", 700)
    for talk in talks:
        talk.server(OK, b"hi")
    talks[1].ack("client", 40)
    talks[2].client(b"\xff" * 40)
    tape.add(b"whatever", link_type=147)
    talks[2].reset("server")
    talks[0].close()
    again = Talk(tape, client_port=50_001, client_isn=900_000).open()
    again.client(GET)
    return tape


def test_connections_that_are_wanted() -> None:
    """The others leave nothing behind, and change nothing: not even a number."""
    tape = side_by_side()
    whole = tape.records()
    numbers = {record.connection for record in whole}
    assert numbers == {None, *range(6)}
    for wanted in numbers:
        decoder = PacketDecoder(wanted={wanted}.__contains__)
        share = decoder.receive(tape.packets) + decoder.finish() + decoder.report([])
        assert share == [record for record in whole if record.connection == wanted]


def test_every_choice_has_the_same_batches() -> None:
    talk = Talk().open()
    for _ in range(20):
        talk.client(GET)
    file = talk.tape.file()
    batches = list(decode_batches(BytesIO(file), batch=4))
    none = list(decode_batches(BytesIO(file), batch=4, wanted=lambda _: False))
    assert len(batches) == len(none) == len(talk.tape.packets) // 4 + 2
    assert list(chain.from_iterable(batches)) == talk.tape.records()
    assert not any(none)


def test_faults_before_any_bytes_have_their_packet() -> None:
    records = side_by_side().records()
    faults = [record for record in records if getattr(record, "code", "") == "tcp-no-ack-flag"]
    assert [record.connection for record in faults] == [3, 2]
    assert [record.first_packet for record in faults] == [18, 19]
    assert [record.last_packet for record in faults] == [18, 19]


def test_the_reader_gives_what_the_decoder_takes() -> None:
    tape = exchange().tape
    assert list(CaptureReader(BytesIO(tape.file()))) == tape.packets


def test_the_connection_that_a_packet_belonged_to() -> None:
    decoder = PacketDecoder()
    data = ipv4(tcp(46058, 8000))
    decoder.receive([(1, EPOCH_NS, 1, len(data), data)])
    addresses = bytes((127, 0, 0, 1)) * 2
    client, server = (46058).to_bytes(2, "big"), (8000).to_bytes(2, "big")
    assert decoder.connection_of(addresses + client + server) == 0
    assert decoder.connection_of(addresses + server + client) == 0
    assert decoder.connection_of(addresses + client + client) is None


def test_an_open_connection_is_known_as_it_is_by_now() -> None:
    decoder = PacketDecoder()
    talk = Talk(is_ipv6=True).open()
    assert decoder.connection(0) is None
    decoder.receive(talk.tape.packets)
    known = decoder.connection(0)
    assert known is not None
    assert (known.client, known.server) == ("[::1]:40000", "[::1]:8000")
    assert (known.close, known.midstream, known.packets) == ("open", False, 3)
    talk.close()
    (end,) = decoder.receive(talk.tape.packets[3:])
    assert end.record == "connection"
    assert decoder.connection(0) is None


def test_an_open_connection_is_known_to_whoever_is_told_that_it_opens() -> None:
    """None goes by a fast path then, which would tell nobody."""
    opened: list[int] = []
    decoder = PacketDecoder(opened=lambda connection: opened.append(connection.index))
    decoder.receive(exchange().tape.packets[:5])
    known = decoder.connection(0)
    assert known is not None and (known.packets, known.protocol) == (5, "http/1.1")
    assert opened == [0]


@pytest.mark.parametrize("many", [3, 4])
def test_memory_of_many_open_connections_is_free_at_once(
    many: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not whenever the collector comes: what was made for them refers to one another."""
    monkeypatch.setattr(module, "MANY_OPEN", many)
    tape = Tape()
    for port in range(40_000, 40_003):
        Talk(tape, client_port=port).open().client(GET)
    gc.collect()
    gc.disable()
    try:
        before = writers_in_memory()
        decoder = PacketDecoder()
        decoder.receive(tape.packets)
        decoder.finish()
        left = writers_in_memory() - before
    finally:
        gc.enable()
    assert (left == 0) == (many == 3)


def writers_in_memory() -> int:
    return sum(type(one) is RecordWriter for one in gc.get_objects())


def test_silent_connections_expire_where_a_capture_has_no_end() -> None:
    tape = Tape()
    first, second = (Talk(tape, client_port=port).open() for port in (40_000, 40_001))
    for talk in (second, first):
        talk.client(b"GET / HTTP/1.1\r\nHost: example\r\n\r\n")
        talk.server(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n")
    decoder = PacketDecoder()
    decoder.receive(tape.packets)
    assert decoder.expire(EPOCH_NS + MAX_SILENCE) == []
    records = decoder.expire(EPOCH_NS + MAX_SILENCE + 60 * 10**9)
    assert records == sorted(records, key=decode_completion)
    assert (
        kinds(records)
        == [
            "tcp-connection-silent",
            "body",
            "connection",
        ]
        * 2
    )
    assert decoder.finish() == []
