"""Exchanges that run across files of a ring are whole, and counted once."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from msgspec.structs import replace
from support.frames import ACK, PSH, RST
from support.rings import packets
from support.talk import Talk, Tape

from benchmarks.packets import EPOCH_NS, Packet, write
from benchmarks.scale.making import mixture
from benchmarks.workloads import STEP_NS
from wireproof.collect.child import Exporting
from wireproof.collect.messages import Exported, File, Order
from wireproof.query import ask
from wireproof.redact import Rules
from wireproof.tables import TableOptions
from wireproof.tables.dataset import DataSet
from wireproof.tables.exporting import ExportJob, run

EXCHANGES = """
    SELECT client, method, target, status, transport, exchanges.end, count, verdict, severity,
        round(first, 6) AS first, round(first_token, 6) AS first_token, tokens,
        round(gap_p99, 6) AS gap, round(longest_gap, 6) AS longest, round(start_time, 6) AS began
    FROM exchanges ORDER BY ALL
"""
ELEMENTS = "SELECT record, sender, count(*) AS number, sum(size) AS size FROM elements GROUP BY ALL"
VERDICTS = """
    SELECT target, question, answer, severity, count(*) AS number FROM verdicts
    GROUP BY ALL ORDER BY ALL
"""


def ring(folder: Path, rows: list[Packet], borders: list[int]) -> list[str]:
    """Write the files of a ring, which end at these packets."""
    folder.mkdir()
    starts, found = [0, *borders], []
    for number, (start, end) in enumerate(zip(starts, [*borders, len(rows)], strict=True), 1):
        path = folder / f"web1_{number:05}_2026013112{number:04}.pcapng"
        write(path, rows[start:end])
        found.append(str(path))
    return found


def neighbours(paths: list[str]) -> list[File]:
    after, before = [*paths[1:], None], [None, *paths[:-1]]
    return [
        File(path=path, following=following, before=earlier)
        for path, following, earlier in zip(paths, after, before, strict=True)
    ]


def exporting(place: Path, folder: Path) -> Exporting:
    return Exporting(Order(place=str(place), folder=str(folder), host="web1", rules=Rules()))


def collected(tmp_path: Path, rows: list[Packet], borders: list[int]) -> str:
    """Export the files of a ring as a collector does; return the data set."""
    paths = ring(tmp_path / "ring", rows, borders)
    child = exporting(tmp_path / "set", tmp_path / "ring")
    for file in neighbours(paths):
        answer = child.export(file)
        assert isinstance(answer, Exported) and not answer.error
    return str(tmp_path / "set")


def whole(tmp_path: Path) -> str:
    """Export them as one stream of packets."""
    options = TableOptions(host="web1")
    run(ExportJob([str(tmp_path / "ring")], str(tmp_path / "whole"), options), print)
    return str(tmp_path / "whole")


def rows_of(place: str, sql: str) -> Counter[Any]:
    found = ask(place, sql).to_pylist()
    return Counter(repr(row) for row in found)


def assert_the_same(tmp_path: Path, place: str) -> None:
    expected = whole(tmp_path)
    for sql in (EXCHANGES, ELEMENTS, VERDICTS):
        assert rows_of(place, sql) == rows_of(expected, sql)


@pytest.mark.parametrize(
    ("name", "border"),
    [
        *(("sse/plain.pcapng", border) for border in (4, 5, 6, 7, 15, 29, 33)),
        ("websocket/plain.pcapng", 12),
        ("sse/fastapi.pcapng", 20),
    ],
)
def test_an_exchange_is_the_ring_s(tmp_path: Path, name: str, border: int) -> None:
    """Wherever the border is, in the head, between elements or before the end."""
    assert_the_same(tmp_path, collected(tmp_path, packets(name), [border]))


def test_streams_of_http2_that_began_in_the_file_before(tmp_path: Path) -> None:
    """Frames of the connection itself are each file's own."""
    place = collected(tmp_path, packets("tls/h2c.pcapng"), [20])
    assert rows_of(place, EXCHANGES) == rows_of(whole(tmp_path), EXCHANGES)


def test_many_connections_and_files(tmp_path: Path) -> None:
    """Each exchange is in two files at most, and so the ring's; packets are counted once."""
    frames = mixture()
    rows = [Packet(EPOCH_NS + number * STEP_NS, next(frames)) for number in range(45_000)]
    place = collected(tmp_path, rows, [15_000, 30_000])
    sql = "SELECT count(*) AS number FROM exchanges WHERE method IS NULL"
    assert ask(place, sql).to_pylist() == [{"number": 0}]
    numbers = "SELECT sum(packets) AS packets FROM connections"
    before = whole(tmp_path)
    assert rows_of(place, numbers) == rows_of(before, numbers)
    for asked in (EXCHANGES, ELEMENTS, VERDICTS):
        assert rows_of(place, asked) == rows_of(before, asked)


ENDS = (
    *("whole", "cut by FIN", "cut by RST", "client FIN", "client RST", "half-closed"),
    *("open", "silent"),
)
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


def event(number: int, size: int = 1) -> bytes:
    text = b"id: %d\ndata: %s\n\n" % (number, b"x" * size)
    return b"%x\r\n%b\r\n" % (len(text), text)


def streams_of_every_end(steps: int = 40) -> list[Packet]:
    """One stream of each end, and short exchanges beside them."""
    tape = Tape()
    talks = {end: Talk(tape, client_port=40_000 + n) for n, end in enumerate(ENDS)}
    for end, talk in talks.items():
        talk.open()
        talk.client(b"GET /%b HTTP/1.1\r\nHost: a\r\n\r\n" % end.replace(" ", "-").encode())
        talk.server(HEAD)
    for step in range(steps):
        if step == steps // 3:
            talks["half-closed"].fin("client")
        for end, talk in talks.items():
            if end != "silent" or step < 2:
                whole = event(step)
                talk.server(whole[:9])  # of each event some lies beyond a border
                talk.server(whole[9:])
                talk.ack("client")
        short = Talk(tape, client_port=50_000 + step).open()
        short.client(b"GET /short HTTP/1.1\r\nHost: a\r\n\r\n")
        short.server(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        short.close()
    talks["whole"].server(b"0\r\n\r\n")
    talks["whole"].close()
    talks["cut by FIN"].close()
    talks["cut by RST"].reset("server")
    talks["client FIN"].fin("client")
    talks["client RST"].reset("client")
    return of(tape)


def of(tape: Tape) -> list[Packet]:
    return [Packet(time or 0, data) for _, time, _, _, data in tape.packets]


def borders(rows: list[Packet], files: int) -> list[int]:
    return [len(rows) * number // files for number in range(1, files)]


@pytest.mark.parametrize("files", [2, 3, 5, 9])
def test_a_stream_of_any_length_and_end_is_one_row(tmp_path: Path, files: int) -> None:
    """And whoever is killed at the end of any file goes on to the same."""
    rows = streams_of_every_end()
    place = collected(tmp_path, rows, borders(rows, files))
    assert_the_same(tmp_path, place)
    sql = "SELECT target, pieces, streams.end, count FROM streams WHERE target <> '/short'"
    found = {row["target"]: row for row in ask(place, sql).to_pylist()}
    assert len(found) == len(ENDS) and {row["pieces"] for row in found.values()} == {1}
    assert found["/whole"] == {"target": "/whole", "pieces": 1, "end": "whole", "count": 40}
    paths = sorted(str(path) for path in (tmp_path / "ring").iterdir())
    others = tmp_path / "others"
    for file in neighbours(paths):
        exporting(others, tmp_path).export(file)
        assert exporting(others, tmp_path).export(file) == Exported(is_new=False)
        newest = max((others / "manifest").iterdir(), key=lambda path: path.stat().st_mtime_ns)
        newest.unlink()  # it was killed before this was there
        exporting(others, tmp_path).export(file)
    assert digest(others) == digest(Path(place))


def test_an_element_is_told_once_and_a_row_has_all_of_its_own(tmp_path: Path) -> None:
    rows = streams_of_every_end()
    place = collected(tmp_path, rows, borders(rows, 7))
    sql = """
        SELECT exchanges.target, count(DISTINCT id) AS ids, count(id) AS events
        FROM exchanges JOIN elements USING (capture_sha256, capture, connection, exchange)
        WHERE elements.record = 'sse_event' GROUP BY ALL ORDER BY events, ids
    """
    found = ask(place, sql).to_pylist()
    assert [(row["ids"], row["events"]) for row in found] == [(2, 2), *[(40, 40)] * 7]
    ends = (
        "SELECT count(*) AS number FROM exchanges LEFT JOIN connections USING (capture, connection)"
    )
    assert ask(place, f"{ends} WHERE close IS NULL").to_pylist() == [{"number": 0}]


def test_what_was_sent_again_at_a_border_is_told_once(tmp_path: Path) -> None:
    talk = Talk().open()
    talk.client(b"GET /again HTTP/1.1\r\nHost: a\r\n\r\n")
    talk.server(HEAD)
    edges = []
    for number in range(6):
        frame = talk.frame("server", event(number), PSH | ACK)
        talk.tape.add(frame)
        talk.tape.add(frame)
        edges.append(len(talk.tape.packets) - 1)  # it is sent again in the next file
    talk.server(b"0\r\n\r\n")
    talk.close()
    place = collected(tmp_path, of(talk.tape), edges)
    assert_the_same(tmp_path, place)
    assert ask(place, "SELECT count, exchanges.end FROM exchanges").to_pylist() == [
        {"count": 6, "end": "whole"}
    ]


def test_a_file_that_is_missing_in_between_is_a_gap_and_is_said(tmp_path: Path) -> None:
    rows = streams_of_every_end()
    paths = ring(tmp_path / "ring", rows, borders(rows, 5))
    Path(paths.pop(2)).unlink()
    said = [replace(file) for file in neighbours(paths)]
    said[2] = replace(said[2], missing="1 file is missing, number 3")
    child = exporting(tmp_path / "set", tmp_path)
    for file in said:
        assert isinstance(child.export(file), Exported)
    place = str(tmp_path / "set")
    sql = "SELECT target, exchanges.end FROM exchanges WHERE target <> '/short' ORDER BY target"
    assert rows_of(place, sql) == rows_of(whole(tmp_path), sql)
    gaps = "SELECT count(DISTINCT connection) AS number FROM elements WHERE record = 'gap'"
    assert ask(place, gaps).to_pylist() == [{"number": 7}]
    sql = "SELECT summary FROM diagnostics WHERE code = 'capture-file-missing'"
    [said_of_it] = ask(place, sql).to_pylist()
    assert "number 3" in said_of_it["summary"]


def test_what_began_in_a_file_that_is_gone_is_a_piece_and_said(tmp_path: Path) -> None:
    """The export process has ended, and the ring has deleted what it would read once more."""
    rows = streams_of_every_end()
    paths = ring(tmp_path / "ring", rows, borders(rows, 3))
    first, second, third = neighbours(paths)
    child = exporting(tmp_path / "set", tmp_path)
    for file in (first, second):
        child.export(file)
    Path(paths[0]).unlink()
    exporting(tmp_path / "set", tmp_path).export(third)
    place = str(tmp_path / "set")
    sql = "SELECT summary FROM diagnostics WHERE code = 'capture-file-missing'"
    [said] = ask(place, sql).to_pylist()
    assert paths[0] in said["summary"]
    pieces = "SELECT count(*) AS number FROM exchanges WHERE method IS NULL"
    assert ask(place, pieces).to_pylist() == [{"number": 7}]


@pytest.mark.parametrize("most", [1, 2, 3])
def test_a_stream_through_more_files_than_the_ring_keeps_has_pieces(
    tmp_path: Path, most: int
) -> None:
    rows = streams_of_every_end()
    paths = ring(tmp_path / "ring", rows, borders(rows, 6))
    order = Order(
        place=str(tmp_path / "set"), folder=str(tmp_path), host="web1", rules=Rules(),
        most_files=most,
    )  # fmt: skip
    child = Exporting(order)
    for file in neighbours(paths):
        assert isinstance(child.export(file), Exported)
    sql = "SELECT pieces FROM streams WHERE target = '/whole'"
    assert ask(order.place, sql).to_pylist() == [{"pieces": 6 // most}]


def test_another_recorder_s_file_ends_what_went_on(tmp_path: Path) -> None:
    """The file that was to follow is gone, and the collector was started again."""
    rows = streams_of_every_end()
    first, _, third, fourth = neighbours(ring(tmp_path / "ring", rows, borders(rows, 4)))
    child = exporting(tmp_path / "set", tmp_path)
    for file in (first, replace(third, before=first.path, is_next=False), fourth):
        assert isinstance(child.export(file), Exported)
    sql = """
        SELECT method, exchanges.end = 'open' AS is_open, count(*) AS number FROM exchanges
        WHERE target IS DISTINCT FROM '/short' GROUP BY ALL ORDER BY ALL
    """
    assert ask(str(tmp_path / "set"), sql).to_pylist() == [
        {"method": "GET", "is_open": True, "number": 8},
        {"method": None, "is_open": False, "number": 7},
    ], "and what the other one begins with goes on"


def test_what_the_next_file_has_itself_stays(tmp_path: Path) -> None:
    """A connection whose last exchange is over goes on with another one."""
    talk = Talk().open()
    for number in (1, 2):
        talk.client(b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n" % number)
        talk.server(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab", b"cd")
    talk.close()
    rows = [Packet(time or 0, data) for _, time, _, _, data in talk.tape.packets]
    for border in range(4, len(rows)):
        folder = tmp_path / str(border)
        folder.mkdir()
        place = collected(folder, rows, [border])
        found = ask(place, "SELECT target, exchanges.end FROM exchanges ORDER BY start_time")
        assert found.to_pylist() == [{"target": f"/{n}", "end": "whole"} for n in (1, 2)], border


def test_how_a_connection_ends_in_the_next_file(tmp_path: Path) -> None:
    talk = Talk().open()
    talk.client(b"GET /cut HTTP/1.1\r\nHost: a\r\n\r\n")
    talk.server(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab", b"cd")
    border = len(talk.tape.packets) - 1
    talk.segment("server", flags=RST)
    rows = [Packet(time or 0, data) for _, time, _, _, data in talk.tape.packets]
    place = collected(tmp_path, rows, [border])
    assert rows_of(place, EXCHANGES) == rows_of(whole(tmp_path), EXCHANGES)
    ends = ask(place, "SELECT close, packets, midstream FROM connections ORDER BY midstream")
    assert ends.to_pylist() == [
        {"close": "reset", "packets": border, "midstream": False},
        {"close": "reset", "packets": len(rows) - border, "midstream": True},
    ]


def test_a_next_file_that_is_damaged_or_gone_costs_what_it_has(tmp_path: Path) -> None:
    paths = ring(tmp_path / "ring", packets("sse/plain.pcapng"), [15])
    Path(paths[1]).write_bytes(b"no capture")
    gone = File(path=paths[0], following=str(tmp_path / "none.pcapng"))
    for number, file in enumerate((neighbours(paths)[0], gone)):
        place = tmp_path / str(number)
        answer = exporting(place, tmp_path).export(file)
        assert isinstance(answer, Exported) and not answer.error
        assert ask(str(place), "SELECT exchanges.end FROM exchanges").to_pylist() == [
            {"end": "open"}
        ]


def digest(place: Path) -> dict[str, bytes]:
    found = (path for path in place.rglob("[!.]*.*") if path.is_file())
    return {str(path.relative_to(place)): path.read_bytes() for path in found}


def test_whoever_is_killed_goes_on_where_it_was(tmp_path: Path) -> None:
    """A new process for each file, each file twice, and parts that were not finished."""
    paths = ring(tmp_path / "ring", packets("sse/plain.pcapng"), [8, 18])
    files = neighbours(paths)
    one = exporting(tmp_path / "one", tmp_path / "ring")
    for file in files:
        one.export(file)
    others = tmp_path / "others"
    for file in files:
        exporting(others, tmp_path).export(file)
        assert exporting(others, tmp_path).export(file) == Exported(is_new=False)
        newest = max((others / "manifest").iterdir(), key=lambda path: path.stat().st_mtime_ns)
        newest.unlink()  # it was killed before this was there
        exporting(others, tmp_path).export(file)
    assert digest(others) == digest(tmp_path / "one")


def test_metrics_count_an_exchange_once(tmp_path: Path) -> None:
    paths = ring(tmp_path / "ring", packets("sse/plain.pcapng"), [15])
    child = exporting(tmp_path / "set", tmp_path / "ring")
    counted: Counter[tuple[str, ...]] = Counter()
    for file in neighbours(paths):
        answer = child.export(file)
        assert isinstance(answer, Exported)
        counted.update({tuple(key): number for key, number in answer.counts})
    assert counted["wireproof.exchanges", "sse", "2xx"] == 1


def test_a_part_says_what_the_next_one_leaves_out(tmp_path: Path) -> None:
    place = collected(tmp_path, packets("sse/plain.pcapng"), [15])
    first, second = sorted(DataSet(place).captures(), key=lambda made: made.capture)
    [begun] = first.begun
    assert [one.exchanges for one in begun.connections] == [[0]] and not second.begun
    assert begun.files == [first.capture]
    files = DataSet(place).files()
    assert len(files["exchanges"]) == 1
    assert {len(pq.read_table(path)) for path in files["exchanges"]} == {1}
