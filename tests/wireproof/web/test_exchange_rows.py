"""Exchanges that are over lie on disk, and everything is answered as if they stood in memory."""

from __future__ import annotations

import gc
import tracemalloc
from contextlib import closing

import pytest
from support.answers import paths
from support.browser import indexed
from support.corpus import ROOT
from support.talk import Talk

from parsers import Packet, limits
from wireproof import shelf
from wireproof.bytes import packet_index
from wireproof.dialects.reader import DialectReader
from wireproof.web.api import Answers
from wireproof.web.exchange import Key
from wireproof.web.exchange_rows import OwnRows
from wireproof.web.index import Index

FIXTURES = ROOT / "fixtures"
NAMES = (
    *("nginx/chat.pcapng", "websocket/deflate.pcapng", "tls/stall.pcapng"),
    *("field/http2-to-http1.pcap", "field/keepalive-race.pcap"),
)


def answers(name: str) -> dict[str, bytes | None]:
    with closing(indexed(FIXTURES / name, with_keys=name.startswith("tls"))) as index:
        found = Answers(index)
        return {path: found.answer(path) for path in paths(index)}


@pytest.mark.parametrize("name", NAMES)
def test_answers_are_the_same_of_what_was_put_aside(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = answers(name)
    monkeypatch.setattr(shelf, "MAX_OVER", 1)
    assert answers(name) == expected


def test_a_row_that_is_put_aside_lets_go_of_its_reader() -> None:
    with closing(indexed(FIXTURES / "nginx/chat.pcapng")) as index:
        row = index.order[0]
        reader, spoken = row.reader, row.spoken
        assert isinstance(reader, DialectReader) and spoken is not None
        assert row.aside().spoken == spoken
        # It held itself by how it read: only a collection of garbage would have found it.
        assert getattr(reader.read, "__self__", None) is not reader


def test_what_is_most_wrong_or_lasted_longest_is_most_worth_a_look(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(shelf, "MAX_OVER", 1)
    with closing(indexed(FIXTURES / "field/keepalive-race.pcap")) as index:
        rows = index.order
        rows.choose_detailed(2)
        assert rows.detailed == len(rows) == 2 and rows.is_detailed(0) and rows.shows(0)
        assert rows[1].interest > rows[0].interest > 0  # it lost its response
        rows.choose_detailed(1)
        assert (rows.detailed, rows.is_detailed(0), rows.is_detailed(1)) == (1, False, True)
        assert index.shows(0) and index.shows(-1)
        rows.choose_detailed(0)
        assert not index.shows(0) and index.shows(-1)


def test_a_recording_of_many_exchanges_keeps_few_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shelf, "MAX_OVER", 2)
    with closing(Index("live", "live")) as index:
        for connection in range(6):
            index.receive(spoken(connection))
        rows, connections = index.order, index.tracer.connections
        assert len(rows) == len(connections) == 6
        assert len(rows._rows.here) == len(connections._connections.here) == 2
        assert [row.key for row in rows] == [Key(number, 0) for number in range(6)]
        assert [row.request.target for row in rows if row.request] == [f"/{n}" for n in range(6)]
        assert [len(one.packets) for one in connections] == [len(spoken(0))] * 6
        assert rows.changed_since(0) == [(number + 1, number) for number in range(6)]
        assert rows.changed_since(4) == [(5, 4), (6, 5)]
        assert rows[-1].key == Key(5, 0) and [row.key.connection for row in rows[1:3]] == [1, 2]
        with pytest.raises(IndexError, match="no exchange 6 of 6"):
            rows[6]
        assert rows.find(Key(9, 0)) is None and not index.knows([(9, 0)])


def test_a_connection_that_is_over_leaves_next_to_nothing_in_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Less than 100 bytes, with MAX_OVER in memory, and on disk what waits to go there."""
    monkeypatch.setattr(shelf, "MAX_OVER", 4)
    monkeypatch.setattr(packet_index, "MAX_ENDED", 4)
    monkeypatch.setattr(limits, "MAX_CLOSED_CONNECTIONS", 4)
    with closing(Index("live", "live")) as index:
        held: list[int] = []
        for connection in range(240):
            index.receive(spoken(connection, b"/same"))
            if connection == 20:
                tracemalloc.start()
            if connection in (40, 239):
                for part in list(index.spool._parts):
                    part.put_aside()
                index.spool.flush()
                index.spool._blocks.clear()  # a bounded number of what was read last
                index.spool.recent.clear()
                gc.collect()
                held.append(tracemalloc.get_traced_memory()[0])
        tracemalloc.stop()
        assert (held[1] - held[0]) / 199 < 100
        assert len(index.tracer._by_key) == 2 * 4
        assert len(index.order._own.here) == 4


def test_a_connection_finds_its_rows_in_whatever_order_exchanges_begin() -> None:
    own = OwnRows()
    for row, exchange in enumerate((0, 2, None, 1, 7)):
        own.add(exchange, row)
    for found in (own, OwnRows.back(0, own.aside())):
        assert [found.find(one) for one in (0, 1, 2, 7, None)] == [0, 3, 1, 4, 2]
        assert [found.find(one) for one in (3, 8)] == [None, None]
        assert list(found.rows) == [0, 1, 2, 3, 4]
    assert OwnRows().find(None) is None


def spoken(number: int, target: bytes = b"") -> list[Packet]:
    """A connection with one exchange, closed by both sides."""
    talk = Talk(client_port=40_000 + number).open()
    talk.client(b"GET %b HTTP/1.1\r\nHost: a\r\n\r\n" % (target or b"/%d" % number))
    talk.server(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    talk.close()
    packets = talk.tape.packets
    first = number * len(packets)
    return [(first + one[0], *one[1:]) for one in packets]
