"""Exchanges that are over lie on disk, and everything is answered as if they stood in memory."""

from __future__ import annotations

from contextlib import closing

import pytest
from support.browser import indexed
from support.corpus import ROOT
from support.talk import Talk

from parsers import Packet
from wireproof import shelf
from wireproof.web.api import Answers
from wireproof.web.exchange import Key
from wireproof.web.index import Index

FIXTURES = ROOT / "fixtures"
NAMES = (
    *("nginx/chat.pcapng", "websocket/deflate.pcapng", "tls/stall.pcapng"),
    *("field/http2-to-http1.pcap", "field/keepalive-race.pcap"),
)


def answers(name: str) -> dict[str, bytes | None]:
    with closing(indexed(FIXTURES / name, with_keys=name.startswith("tls"))) as index:
        found = Answers(index)
        return {path: found.answer(path) for path in found.paths()}


@pytest.mark.parametrize("name", NAMES)
def test_answers_are_the_same_of_what_was_put_aside(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = answers(name)
    monkeypatch.setattr(shelf, "MAX_OVER", 1)
    assert answers(name) == expected


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


def spoken(number: int) -> list[Packet]:
    """A connection with one exchange, closed by both sides."""
    talk = Talk(client_port=40_000 + number).open()
    talk.client(b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n" % number)
    talk.server(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    talk.close()
    packets = talk.tape.packets
    first = number * len(packets)
    return [(first + one[0], *one[1:]) for one in packets]
