"""Records as packets arrive: from recordings that are played back, and from real packets."""

from __future__ import annotations

import gc
import socket
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from io import StringIO
from itertools import chain
from pathlib import Path

import pytest
from rich.cells import cached_cell_len
from rich.console import Console
from support.demo import PATIENCE, get
from support.flood import CaptureStream, Flood
from support.playback import Playback

from capture import CaptureError, CaptureNotPermitted, InterfaceUnusable, PacketsDropped, Statistics
from capture.backends import BACKENDS
from parsers import limits
from parsers.decode.capture import decode
from parsers.files.reader import CaptureReader
from parsers.records import ConnectionRecord, DiagnosticRecord, Record, SseEventRecord
from wireproof.analysis.exchange_filter import ExchangeFilter
from wireproof.analysis.selection import LiveSelection
from wireproof.analysis.totals import Totals
from wireproof.live import packet_pipe
from wireproof.live.decoding import LiveDecoding, LivePackets, LivePiece, LiveStatistics
from wireproof.views.live import LiveTableView

GET = b"GET /it HTTP/1.1\r\nHost: example\r\n\r\n"
SMALL = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
EVENTS = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


def exchange(port: int = 10_000) -> Iterator[bytes]:
    flood = Flood(port)
    yield from flood.open()
    yield from flood.client([GET])
    yield from flood.server([SMALL])
    yield from flood.close()


def event(number: int) -> bytes:
    data = b"id: %d\ndata: token\n\n" % number
    return b"%x\r\n%b\r\n" % (len(data), data)


def live(playback: Playback, **options: object) -> LiveDecoding:
    return LiveDecoding(port=8000, backend=playback, **options)  # type: ignore[arg-type]


def records_of(playback: Playback) -> list[Record]:
    with live(playback) as decoding:
        return list(chain.from_iterable(decoding.batches()))


def frames(count: int) -> list[bytes]:
    return list(chain.from_iterable(exchange(10_000 + number) for number in range(count)))


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_the_records_are_those_of_the_capture() -> None:
    expected = list(decode(CaptureStream(frames(50))))
    assert records_of(Playback(frames(50))) == expected


def test_what_ends_with_the_recording_comes_last() -> None:
    found = records_of(Playback(frames(1)[:-3]))
    assert isinstance(found[-1], ConnectionRecord)
    assert (found[-1].close, found[-1].packets) == ("open", 5)


def test_the_backend_gets_what_it_is_told() -> None:
    playback = Playback([])
    options = {"port": 8001, "interface": "eth7", "command": ["pytest", "-x"]}
    with LiveDecoding(backend=playback, buffer_size=4_000_000, **options) as decoding:  # type: ignore[arg-type]
        list(decoding.batches())
        assert decoding.connection(0) is None
        assert decoding.backend is playback
        assert decoding.session.recording is playback
    wanted = playback.wanted
    assert wanted is not None
    assert (wanted.port, wanted.interface, wanted.buffer_size) == (8001, "eth7", 4_000_000)
    assert (wanted.has_command, wanted.comment) == (True, "while running: pytest -x")
    assert wanted.version


def test_payloads_can_be_left_out() -> None:
    flood = Flood()
    said = [*flood.open(), *flood.client([GET]), *flood.server([EVENTS, event(1)])]
    with live(Playback(said), keep_data=False) as decoding:
        found = [r for records in decoding.batches() for r in records if r.record == "sse_event"]
    assert [record.data for record in found] == [None]  # type: ignore[union-attr]


def test_stopping_shows_what_was_recorded_and_ends() -> None:
    playback = Playback(frames(1)[:-3], by_itself=False)
    kinds = []
    with live(playback) as decoding:
        for records in decoding.batches():
            kinds += [record.record for record in records]
            if "response" in kinds and "connection" not in kinds:
                known = decoding.connection(0)
                assert known is not None
                assert (known.client, known.close) == ("127.0.0.2:10000", "open")
                stopping = threading.Thread(target=decoding.stop)
                stopping.start()
                stopping.join(PATIENCE)
                decoding.stop()  # any number of times
    assert kinds == ["request", "response", "data", "body", "connection"]


def test_leaving_early_is_no_deadlock() -> None:
    """Nobody takes what is recorded, which is more than a pipe and the queue hold."""
    flood = Flood()
    playback = Playback(flood.server(bytes(1_400) for _ in range(3_000)), by_itself=False)
    with live(playback) as decoding:
        assert playback.written.wait(PATIENCE)
        next(decoding.batches())


def test_nothing_can_be_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even by a process that is killed: the pipe has lost its name."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with live(Playback(frames(1), by_itself=False)) as decoding:
        assert list(tmp_path.iterdir()) == []
        decoding.stop()
        assert len(list(chain.from_iterable(decoding.batches()))) == 5


def test_leaving_by_an_exception() -> None:
    with pytest.raises(KeyError, match="ours") as caught, live(Playback(frames(3))):
        raise KeyError("ours")
    assert not hasattr(caught.value, "__notes__")


def test_dropped_packets_are_said_and_raised() -> None:
    lost = PacketsDropped(Statistics(7, 12))
    found: list[Record] = []
    with (
        pytest.raises(PacketsDropped, match="dropped 12 packets"),
        live(Playback(frames(1), dropped=12, broken=lost)) as decoding,
    ):
        for records in decoding.batches():
            found += records
        assert decoding.statistics == LiveStatistics(0, 12, 0)
    faults = [record for record in found if isinstance(record, DiagnosticRecord)]
    assert [fault.code for fault in faults] == ["packets-dropped"], "said once"
    assert faults[0].summary == "the kernel had no room for packets: 12"
    assert faults[0].last_packet == 8


def test_a_recording_that_broke_off() -> None:
    broken = CaptureError("the recording broke off")
    with (
        pytest.raises(CaptureError, match="broke off"),
        live(Playback(frames(1), broken=broken)) as decoding,
    ):
        assert len(list(chain.from_iterable(decoding.batches()))) == 5


def test_a_recording_that_never_began() -> None:
    broken = CaptureError("there is no interface")
    with (
        pytest.raises(CaptureError, match="no interface"),
        live(Playback([], data=b"", broken=broken)) as decoding,
    ):
        list(decoding.batches())


def test_an_exception_is_told_that_the_recording_broke_off() -> None:
    broken = CaptureError("the recording broke off")
    with pytest.raises(KeyError) as caught, live(Playback([], broken=broken)):
        raise KeyError("ours")
    assert caught.value.__notes__ == ["the recording broke off"]


def test_what_was_not_decoded_is_said_and_found_in_the_kept_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever decodes pauses while 4,000 events come, of which there is room for 1,000."""
    monkeypatch.setattr(packet_pipe, "MAX_WAITING", 400_000)
    has_paused, goes_on = threading.Event(), threading.Event()

    def said() -> Iterator[bytes]:
        flood = Flood()
        yield from [*flood.open(), *flood.client([GET]), *flood.server([EVENTS])]
        yield from flood.server(map(event, range(4_000)))
        has_paused.set()
        assert goes_on.wait(PATIENCE)
        yield from flood.server(map(event, range(4_000, 4_100)))
        yield from flood.server([b"0\r\n\r\n"])
        yield from flood.close()

    kept = tmp_path / "kept.pcapng"
    found: list[Record] = []
    playback = Playback(said())
    with live(playback, keep=kept) as decoding:
        assert has_paused.wait(PATIENCE)
        wait_until(lambda: kept.stat().st_size == playback.size)
        with kept.open("rb") as stream:
            waiting = len(list(CaptureReader(stream))) - decoding.statistics.skipped
        for records in decoding.batches():
            found += records
            if found[-1].last_packet > waiting - 100:
                goes_on.set()
        skipped = decoding.statistics.skipped
    codes = [record.code for record in found if isinstance(record, DiagnosticRecord)]
    assert 1_000 <= skipped < 4_300
    assert "packets-skipped" in codes
    shown = [int(record.id) for record in found if isinstance(record, SseEventRecord)]
    assert shown[-50:] == list(range(4_050, 4_100)), "it goes on after the hole"
    assert 4_100 - skipped <= len(shown) < 4_000
    with kept.open("rb") as stream:
        kinds = Counter(record.record for record in decode(stream))
    assert kinds["sse_event"] == 4_100
    assert not kinds["diagnostic"]


def test_that_rows_are_late_is_said_again_when_it_is_twice_as_late() -> None:
    decoding = LiveDecoding(port=8000, backend=Playback())
    waits = [0.1, 1.2, 1.9, 2.1, 9.0, 9.5, 3.0, 0.2, 1.5]
    said = [decoding._lateness(waited) for waited in waits]
    assert [bool(records) for records in said] == [
        False, True, False, True, True, False, False, False, True,
    ]  # fmt: skip
    fault = said[1][0]
    assert isinstance(fault, DiagnosticRecord)
    assert fault.code == "packets-late"
    assert fault.summary == "packets wait to be decoded: 1.200 s"


def test_packets_that_nobody_takes_wait() -> None:
    playback = Playback(frames(1))
    with live(playback) as decoding:
        decoding.stop()
        assert decoding._packet_pipe._thread is not None
        decoding._packet_pipe._thread.join(PATIENCE)
        time.sleep(0.05)
        assert next(decoding.pieces()).waited >= 0.05


def test_packets_can_be_had_as_they_are() -> None:
    with LivePackets(port=8000, backend=Playback(frames(5), dropped=3)) as packets:
        pieces = list(packets.pieces())
    rows = list(CaptureReader(CaptureStream(frames(5))))
    assert [row for piece in pieces for row in piece.packets] == rows
    assert sum(piece.dropped for piece in pieces) == 3
    assert pieces[-1] == LivePiece([], 0, 0, 0.0)
    assert packets.faults == []


def test_silent_connections_are_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the times of packets, a millisecond apart here."""
    monkeypatch.setattr("wireproof.live.decoding.EXPIRE_EVERY", 1_000_000)
    monkeypatch.setattr(limits, "MAX_SILENCE", 100_000_000)
    silent = Flood(9_999)
    start = [*silent.open(), *silent.client([GET])]
    found = records_of(Playback([*start, *frames(100), *silent.server([SMALL])]))
    ended = [record for record in found if isinstance(record, ConnectionRecord)]
    assert len(ended) == 102
    of_silent = [end for end in ended if end.client.endswith(":9999")]
    assert [(end.packets, end.midstream, end.close) for end in of_silent] == [
        (4, False, "open"),
        (1, True, "open"),
    ]
    faults = [record for record in found if isinstance(record, DiagnosticRecord)]
    assert [fault.code for fault in faults].count("tcp-midstream") == 1
    assert "tcp-connection-silent" in {fault.code for fault in faults}


def test_that_a_connection_began_earlier_is_said_at_once() -> None:
    flood = Flood()
    before = list(chain(flood.open(), flood.client([GET]), flood.server([EVENTS, event(1)])))
    assert len(before) == 6
    said = [*flood.server([event(2)]), *flood.close(), *frames(1)]
    first, *rest = records_of(Playback(said))
    assert isinstance(first, DiagnosticRecord)
    assert (first.code, first.connection, first.first_packet) == ("tcp-midstream", 0, 1)
    assert [record.record for record in rest] == [
        "connection", "request", "response", "data", "body", "connection",
    ]  # fmt: skip


# --- memory ---


def day_and_night(connections: int) -> Iterator[bytes]:
    """Short connections and, in between, an event stream without an end; some never close."""
    endless = Flood(9_000)
    yield from endless.open()
    yield from endless.client([GET])
    yield from endless.server([EVENTS])
    for number in range(connections):
        flood = Flood(10_000 + number % 50_000, address=2 + number // 50_000)
        yield from flood.open()
        yield flood.segment("client", GET)
        yield flood.segment("server", SMALL)
        if number % 10:
            yield from flood.close()
        yield endless.segment("server", event(number))
        yield endless.segment("client")


@pytest.mark.slow
def test_memory_does_not_grow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Watch it as a user does: after half of the time there are as many objects as at its end.

    What is remembered of connections that are over or silent has limits, which half of it passes.
    """
    monkeypatch.setattr("parsers.limits.MAX_CLOSED_CONNECTIONS", 100)
    monkeypatch.setattr("parsers.limits.MAX_SILENCE", 1_000 * 10**6)  # 1,000 packets
    monkeypatch.setattr("wireproof.live.decoding.EXPIRE_EVERY", 100 * 10**6)
    count = 1_600
    data = CaptureStream(day_and_night(count)).read(1 << 30)
    pace = threading.Semaphore(1)
    screen = StringIO()
    totals = Totals()
    selection = LiveSelection(ExchangeFilter(transport="sse"))
    kinds: Counter[str] = Counter()
    blocks: list[int] = []
    with live(Playback(data=data, pace=pace)) as decoding:
        view = LiveTableView(Console(file=screen, width=100), decoding.connection)
        for records in decoding.batches():
            view.write(records)
            for record in records:
                totals.add(record)
            kinds.update(f"chosen {record.record}" for record in selection.choose(records))
            kinds.update(record.record for record in records)
            screen.seek(0)
            screen.truncate()
            if kinds["sse_event"] > len(blocks) * count // 4:
                del records, record
                cached_cell_len.cache_clear()  # rich keeps 4,096 widths
                gc.collect()
                blocks.append(sys.getallocatedblocks())
            pace.release()
        assert decoding.statistics.skipped == 0
    assert kinds["connection"] == count + 1
    assert kinds["sse_event"] == kinds["chosen sse_event"] == count
    assert kinds["chosen connection"] == 1
    assert len(blocks) == 4
    assert blocks[3] - blocks[1] < count // 4, blocks  # of half of the connections


# --- backends ---


def names_that_work(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    for backend in BACKENDS:
        lacks = None if backend.name in names else "something"
        monkeypatch.setattr(type(backend), "lacks", lambda _, lacks=lacks: lacks)
        monkeypatch.setattr(type(backend), "open", lambda *_: pytest.fail("not to be opened"))


@pytest.mark.parametrize(
    ("names", "chosen"),
    [
        (["dumpcap", "tcpdump", "relay"], "tcpdump"),
        (["dumpcap", "relay"], "dumpcap"),
        (["packet-socket", "dumpcap", "tcpdump"], "packet-socket"),
    ],
)
def test_backends_that_hand_packets_on_at_once_are_preferred(
    monkeypatch: pytest.MonkeyPatch, names: list[str], chosen: str
) -> None:
    names_that_work(monkeypatch, *names)
    assert LivePackets(port=9)._choose().name == chosen
    assert LivePackets(port=9, backend=names[0])._choose().name == names[0]


def test_without_any_backend(monkeypatch: pytest.MonkeyPatch) -> None:
    names_that_work(monkeypatch)
    with pytest.raises(CaptureNotPermitted, match="dumpcap: something"), LivePackets(port=9):
        pass


# --- real packets ---


@pytest.mark.packets
def test_each_event_is_seen_before_the_next_is_sent(tmp_path: Path) -> None:
    """The server waits for the one who watches: what was held back would never come."""
    kept = tmp_path / "kept.pcapng"
    seen = threading.Semaphore(0)
    count = 20
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            with server.accept()[0] as connection:
                connection.recv(10_000)
                connection.sendall(EVENTS)
                for number in range(count):
                    connection.sendall(event(number))
                    assert seen.acquire(timeout=PATIENCE)
                connection.sendall(b"0\r\n\r\n")

        port = server.getsockname()[1]
        found: list[Record] = []
        with LiveDecoding(port=port, keep=kept) as decoding:
            threads = [
                threading.Thread(target=serve),
                threading.Thread(target=get, args=("127.0.0.1", port, "/it")),
            ]
            for thread in threads:
                thread.start()
            for records in decoding.batches():
                found += records
                for record in records:
                    if isinstance(record, SseEventRecord):
                        seen.release()
                    elif isinstance(record, ConnectionRecord):
                        decoding.stop()
            for thread in threads:
                thread.join(PATIENCE)
    assert [record.id for record in found if isinstance(record, SseEventRecord)] == [
        str(number) for number in range(count)
    ]
    with kept.open("rb") as stream:
        assert list(decode(stream)) == found
    assert decoding.statistics == (found[-1].last_packet, 0, 0)


@pytest.mark.packets
def test_what_cannot_be_recorded(tmp_path: Path) -> None:
    with pytest.raises(InterfaceUnusable), LiveDecoding(port=9, interface="no-such-one"):
        pass
    missing = tmp_path / "no" / "folder"
    with pytest.raises(FileNotFoundError), LiveDecoding(port=9, keep=missing):
        pass
    before = tmp_path / "before.pcapng"
    before.write_bytes(b"an older capture")
    with (
        pytest.raises(InterfaceUnusable),
        LiveDecoding(port=9, interface="no-such-one", keep=before),
    ):
        pass
    assert before.read_bytes() == b"an older capture"
