"""What a timeline holds, against the records of the same capture."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pytest
from support.corpus import ROOT
from support.stored import SMALL, name
from support.talk import Talk, Tape

from parsers.decode.capture import decode
from parsers.files.reader import CaptureReader
from wireproof.analysis.exchange_filter import EVERYTHING, ExchangeFilter, ExchangeNumber
from wireproof.plot.timeline import NoSuchExchange, Timelines

FIXTURES = ROOT / "fixtures"


def timelines(path: Path, wanted: ExchangeFilter = EVERYTHING) -> Timelines:
    found = Timelines(wanted=wanted)
    found.read(BytesIO(path.read_bytes()))
    return found


@pytest.mark.parametrize("path", SMALL, ids=name)
def test_lanes_hold_what_the_records_say(path: Path) -> None:
    found = timelines(path).choose()
    records = [
        record for record in decode(BytesIO(path.read_bytes()))
        if (record.connection, getattr(record, "exchange", None))
        == (found.connection, found.exchange)
    ]  # fmt: skip
    chunks = [r for r in records if r.record == "chunk" and r.size]
    events = [r for r in records if r.record == "sse_event" and r.dispatched]
    messages = [r for r in records if r.record == "websocket_message"]
    for lane, kept in (("chunks", chunks), ("SSE events", events), ("messages", messages)):
        assert lane in found.lanes or not kept
        if kept:
            assert list(found.lanes[lane].times) == [r.last_time for r in kept]
            assert list(found.lanes[lane].sizes) == [r.length for r in kept]
    assert found.start == next(r for r in records if r.record == "request").first_time
    packets = found.lanes["packets"]
    numbered = {
        packet[0]: len(packet[4]) - 66 for packet in CaptureReader(BytesIO(path.read_bytes()))
    }
    carrying = [n for n, size in numbered.items()
                if size > 0 and found.first_packet <= n <= found.last_packet]  # fmt: skip
    if len({r.connection for r in records}) == 1 and "connection 1" not in found.title:
        assert sum(packets.sizes) <= sum(numbered[n] for n in carrying) or len(packets)


def test_both_sides_are_told_apart() -> None:
    found = timelines(FIXTURES / "websocket" / "plain.pcapng").choose()
    assert set(found.lanes["control"].senders) == {0, 1}
    assert found.lanes["packets"].senders[0] == 0 and found.transport == "websocket"
    assert found.title == "GET /ws \u2192 101"


def test_how_it_ended() -> None:
    cut = timelines(FIXTURES / "chunked" / "truncated.pcapng").choose()
    assert not cut.is_whole and cut.ended.startswith("INCOMPLETE")
    assert [code for _, code in cut.errors] == ["chunk-last-missing"]
    whole = timelines(FIXTURES / "chunked" / "plain.pcapng").choose()
    assert whole.is_whole and whole.errors == []


def test_what_the_capture_lacks_is_of_no_packet() -> None:
    talk = Talk().open()
    talk.client(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 90\r\n\r\n", b"x" * 10)
    talk.lose("client", 80)
    talk.server(b"HTTP/1.1 200 OK\r\nContent-Length: 30\r\n\r\n", b"y" * 10)
    talk.lose("server", 20)
    talk.close()
    found = Timelines()
    found.read(BytesIO(talk.tape.file()))
    packets = found.choose().lanes["packets"]
    carried = [len(data) - 54 for *_, data in talk.tape.packets if len(data) > 54]
    assert sorted(packets.sizes) == sorted(carried) and len(carried) == 4


def test_which_one_is_chosen() -> None:
    path = FIXTURES / "sse" / "plain.pcapng"
    assert timelines(path).count == 1
    wanted = ExchangeFilter(exchange=ExchangeNumber(0, 0))
    assert timelines(path, wanted).choose().exchange == 0
    nothing = timelines(path, ExchangeFilter(exchange=ExchangeNumber(2, 4)))
    with pytest.raises(NoSuchExchange, match="exchange; the last one is connection 0 exchange 0"):
        nothing.choose()
    assert nothing.count == 0


def test_the_one_with_most_elements_is_kept_and_nothing_of_the_others() -> None:
    tape = Tape()
    for number, chunks in enumerate((2, 5, 1, 5, 3, 0)):
        talk = Talk(tape, client_port=40_000 + number).open()
        talk.client(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        talk.server(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        talk.server(*[b"1\r\na\r\n"] * chunks, b"0\r\n\r\n")
        talk.close()
    found = Timelines()
    found.read(BytesIO(tape.file()))
    assert (found.count, found._packets.pairs, found._packets.kept) == (6, {}, 5)
    chosen = found.choose()
    assert (chosen.connection, len(chosen.lanes["chunks"])) == (1, 5)
    assert len(chosen.lanes["packets"]) == 1 + 1 + 5 + 1  # request, head, chunks, the last one
