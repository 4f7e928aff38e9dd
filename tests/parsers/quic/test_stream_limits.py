"""When a side might open no more streams."""

from __future__ import annotations

from parsers.quic.frames import MaxStreams, StreamsBlocked
from parsers.quic.stream_limits import StreamLimits


def test_a_wait_lasts_until_a_higher_limit_comes() -> None:
    limits = StreamLimits()
    limits.block("client", StreamsBlocked(False, 100), (5, 1.0))
    limits.block("client", StreamsBlocked(False, 100), (7, 1.2))  # said again
    assert limits.rise("client", MaxStreams(False, 100), (8, 1.3)) is None  # no more than before
    assert limits.rise("client", MaxStreams(True, 200), (9, 1.4)) is None  # of the other kind
    assert limits.rise("server", MaxStreams(False, 200), (9, 1.4)) is None  # for the other side
    said = limits.rise("client", MaxStreams(False, 101), (10, 2.5))
    assert said is not None
    assert (said.code, said.severity) == ("quic-streams-blocked", "note")
    assert said.summary.endswith(
        ": the client, after 100 of both directions (packet 5), for 1.500 s, until MAX_STREAMS in"
        " packet 10"
    )
    assert limits.rise("client", MaxStreams(False, 102), (11, 2.6)) is None
    assert limits.end() == []


def test_a_wait_that_nothing_ends() -> None:
    limits = StreamLimits()
    limits.block("server", StreamsBlocked(True, 3), (5, 1.0))
    limits.block("server", StreamsBlocked(True, 4), (6, 2.0))  # a later limit, reached as well
    ((sender, said),) = limits.end()
    assert sender == "server"
    assert said.summary.endswith(
        ": the server, after 4 of one direction (packet 6), and no MAX_STREAMS came"
    )
    assert limits.end() == []


def test_who_may_open_streams_waits_for_nothing() -> None:
    limits = StreamLimits()
    assert limits.rise("client", MaxStreams(False, 100), (1, 0.0)) is None
    assert limits.end() == []
