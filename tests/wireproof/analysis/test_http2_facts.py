"""What is kept of a connection of HTTP/2 as a whole, and no more."""

from __future__ import annotations

import pytest
from support.http2 import EVENTS, GET, Http2Talk, data, framed
from support.talk import EPOCH_NS

from parsers.http2.elements import GOAWAY, PING
from wireproof.analysis.http2_facts import Http2Facts

EPOCH = EPOCH_NS / 1e9


def facts(talk: Http2Talk) -> Http2Facts:
    found = Http2Facts()
    talk._now = None
    for record in talk.records():
        found.add(record)
    return found


def dialogue() -> Http2Talk:
    talk = Http2Talk().at(1.0).begin()
    for stream_id in (1, 3):
        talk.say("client", talk.client.head(stream_id, GET))
        talk.say("server", talk.server.head(stream_id, EVENTS))
    talk.at(2.0).say("server", data(1, b"ab"))
    talk.at(3.0).say("server", data(3, b"cde"))
    talk.say("client", data(1, b"not the server's"))
    talk.at(4.0).say("server", data(3, b"f"))
    return talk


def test_what_each_stream_sent_between_two_times() -> None:
    sizes, times = facts(dialogue()).sent_between(2.0 + EPOCH, 4.5 + EPOCH)
    assert dict(sizes) == {3: 4}
    assert [round(time - EPOCH, 3) for time in times] == [2.0, 3.0, 4.0, 4.5]


def test_which_streams_a_packet_carried() -> None:
    talk = Http2Talk().begin()
    for stream_id in (1, 3):
        talk.say("client", talk.client.head(stream_id, GET, ends=True))
        talk.say("server", talk.server.head(stream_id, EVENTS))
    both = talk.say("server", data(1, b"a") + data(3, b"b"))
    one = talk.say("server", data(3, b"c"))
    found = facts(talk)
    assert (found.carried_by(both), found.carried_by(one)) == ({1, 3}, {3})


def test_the_last_goaway_and_every_ping() -> None:
    talk = Http2Talk().at(1.0).begin()
    talk.say("server", framed(GOAWAY, 0, 0, bytes.fromhex("7fffffff00000000")))
    talk.say("server", framed(GOAWAY, 0, 0, bytes.fromhex("0000000300000000")))
    talk.at(1.5).say("client", framed(PING, 0, 0, bytes(8)))
    talk.at(1.75).say("server", framed(PING, 1, 0, bytes(8)))
    found = facts(talk)
    assert found.goaway is not None and found.goaway.last_stream_id == 3
    assert found.rounds == [pytest.approx(0.25)]


def test_old_frames_make_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wireproof.analysis.http2_facts.MAX_FRAMES", 4)
    talk = Http2Talk().begin()
    talk.say("client", talk.client.head(1, GET, ends=True))
    talk.say("server", talk.server.head(1, EVENTS))
    packets = [talk.say("server", data(1, b"a")) for _ in range(6)]
    found = facts(talk)
    assert [bool(found.carried_by(packet)) for packet in packets] == [False] * 2 + [True] * 4
