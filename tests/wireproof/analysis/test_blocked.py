"""What held a response of HTTP/2, each cause beside what nearly is one."""

from __future__ import annotations

from typing import Any

import pytest
from support.corpus import ROOT, http2_vectors_at_hand
from support.http2 import EVENTS, GET, SETTINGS_ACK, Http2Talk, data, framed, of_steps
from support.judged import causes, verdicts

from parsers import KeyLog, decode_batches
from parsers.http2.elements import PING, PREFACE, SETTINGS, WINDOW_UPDATE
from wireproof.analysis.outcomes import outcomes
from wireproof.analysis.verdict import Verdict

STALLS = {
    vector["id"]: vector for vector in http2_vectors_at_hand("h2") if "stalls" in vector["expect"]
}


def event(size: int = 30) -> bytes:
    return b"data: " + b"x" * (size - 8) + b"\n\n"


def dialogue(window: int = 65_535, streams: tuple[int, ...] = (1,)) -> Http2Talk:
    """Streams are asked for at 1 s; each has a window of its own of that size."""
    talk = Http2Talk().at(1.0)
    announced = framed(SETTINGS, 0, 0, b"\0\x04" + window.to_bytes(4))
    talk.say("client", PREFACE + announced)
    talk.say("server", framed(SETTINGS, 0, 0) + SETTINGS_ACK)
    for number in streams:
        talk.say("client", talk.client.head(number, GET, ends=True))
        talk.say("server", talk.server.head(number, EVENTS))
    return talk


def gives(stream_id: int, size: int) -> bytes:
    return framed(WINDOW_UPDATE, 0, stream_id, size.to_bytes(4))


def gap(talk: Http2Talk, exchange: int = 0) -> Verdict | None:
    talk._now = None
    found = verdicts(talk.records(), "gap")
    return found[exchange] if exchange < len(found) else None


def test_a_stream_s_window() -> None:
    talk = dialogue(window=60)
    talk.at(1.1).say("server", data(1, event()))
    used = talk.at(1.2).say("server", data(1, event()))
    opened = talk.at(3.0).say("client", gives(1, 1000))
    talk.at(3.0005).say("server", data(1, event(), ends=True))
    found = gap(talk)
    assert found is not None and found.answer == "stream-window" and found.is_fault
    assert found.numbers["seconds"] == pytest.approx(1.8, abs=0.003)
    assert (found.numbers["from_packet"], found.numbers["to_packet"]) == (used, opened)
    assert found.causes[0].remedy
    assert f"packet {opened} opened it again" in found.summary


def test_a_source_that_waits_with_room_left_is_silent() -> None:
    talk = dialogue(window=121)
    for tenth in range(4):
        talk.at(1.1 + tenth / 10).say("server", data(1, event()))
    talk.at(3.0).say("client", gives(1, 1000))
    talk.at(3.0005).say("server", data(1, event(), ends=True))
    found = gap(talk)
    assert found is not None and found.answer == "sender-silent"


def test_a_window_that_was_used_up_by_the_last_frame_held_nobody() -> None:
    talk = dialogue(window=60)
    talk.at(1.1).say("server", data(1, event()))
    talk.at(1.2).say("server", data(1, event(), ends=True))
    talk.at(3.0).say("client", gives(1, 1000))
    assert gap(talk) is None


def test_the_connection_s_window_which_another_stream_used_up() -> None:
    talk = dialogue(window=2**20, streams=(1, 3))
    talk.at(1.1).say("server", data(3, event()))
    for _ in range(4):
        talk.say("server", data(1, bytes(16_000)))
    used = talk.at(1.2).say("server", data(1, bytes(65_535 - 64_030)))
    opened = talk.at(2.5).say("client", gives(0, 70_000))
    talk.at(2.501).say("server", data(3, event(), ends=True), data(1, b"", ends=True))
    found = gap(talk, exchange=1)
    assert found is not None and found.answer == "connection-window"
    assert found.numbers["seconds"] == pytest.approx(1.3, abs=0.003)
    assert (found.numbers["from_packet"], found.numbers["to_packet"]) == (used, opened)
    assert "did not read stream 1, another stream" in found.summary


def test_a_window_that_nobody_opened_again() -> None:
    talk = dialogue(window=30)
    talk.at(1.1).say("server", data(1, event()))
    talk.at(4.1).say("client", framed(6, 0, 0, bytes(8)))
    talk.say("server", framed(6, 1, 0, bytes(8)))
    found = gap(talk)
    assert found is not None and found.answer == "stream-window"
    assert "nothing opened it again" in found.summary


def run(talk: Http2Talk, pause: float) -> None:
    """Stream 1 sends an event, then 400 kB of stream 3 come, then it sends another."""
    for number in range(6):
        talk.at(1.1 + number / 10).say("server", data(1, event()))
    for number in range(40):
        talk.at(1.605 + number * pause).say("server", data(3, bytes(10_000)))
    talk.at(1.61 + 40 * pause).say("server", data(1, event(), ends=True))


def of_room() -> Http2Talk:
    talk = dialogue(window=2**20, streams=(1, 3))
    talk.say("client", gives(0, 2**20))
    return talk


def test_behind_the_frames_of_another_stream() -> None:
    talk = of_room()
    run(talk, pause=0.008)
    found = gap(talk)
    assert found is not None and found.answer == "head-of-line"
    assert "behind 400,000 bytes of stream 3" in found.summary


def test_beside_the_frames_of_another_stream_that_pauses() -> None:
    talk = of_room()
    run(talk, pause=0.02)
    found = gap(talk)
    assert found is not None and found.answer == "sender-silent"


def lossy(whose: int) -> Http2Talk:
    """A segment with a frame of ``whose`` is lost, and sent again 300 ms after."""
    talk = of_room()
    for number in range(6):
        talk.at(1.1 + number / 10).say("server", data(1, event()))
    lost = talk.talk.frame("server", data(whose, event()), 0x18)
    talk.at(1.61).say("server", data(1, event()))
    talk.at(1.62).say("server", data(1, event()))
    number = talk.talk.tape.add(lost)
    talk._times[number] = 1.91
    talk.at(2.0).say("server", data(1, event(), ends=True))
    talk._now = None
    talk.talk.close()
    return talk


def test_a_lost_segment_of_another_stream_is_told_from_one_s_own() -> None:
    others, own = gap(lossy(3)), gap(lossy(1))
    assert others is not None and own is not None
    assert others.answer == "head-of-line"
    assert "it was of stream 3" in others.summary
    assert own.answer == "retransmission"


def test_streaming_says_that_the_client_was_slow() -> None:
    talk = dialogue(window=60)
    for number in range(6):
        talk.at(1.1 + number).say("server", data(1, event()), data(1, event()))
        talk.at(1.9 + number).say("client", gives(1, 60))
    talk.at(7.0).say("server", data(1, event(), ends=True))
    talk._now = None
    (found,) = verdicts(talk.records(), "streaming")
    assert (found.answer, causes(found)) == ("client-slow", ["stream-window"])


def test_pings_that_were_answered_meanwhile_are_evidence() -> None:
    talk = dialogue()
    for tenth in range(4):
        talk.at(1.1 + tenth / 10).say("server", data(1, event()))
    talk.at(2.0).say("client", framed(PING, 0, 0, bytes(8)))
    talk.at(2.02).say("server", framed(PING, 1, 0, bytes(8)))
    talk.at(3.0).say("server", data(1, event(), ends=True))
    found = gap(talk)
    assert found is not None and found.answer == "sender-silent"
    assert found.evidence[0].startswith("1 HTTP/2 ping answered, after 20.0 ms")


@pytest.mark.parametrize("name", STALLS)
def test_vectors(name: str) -> None:
    vector: dict[str, Any] = STALLS[name]
    talk, _ = of_steps(vector["steps"])
    found = verdicts(talk.records(), "gap")
    told = [one for one in found if one.answer in ("stream-window", "connection-window")]
    assert [(one.answer, one.numbers["seconds"]) for one in told] == [
        (f"{stall['window']}-window", pytest.approx(stall["seconds"], abs=0.003))
        for stall in vector["expect"]["stalls"]
    ]


def test_windows_that_are_closed_at_once_are_no_longer_than_the_exchange() -> None:
    """A recording in which the stream's window and the connection's were closed for a second."""
    path = ROOT / "fixtures/tls/stall.pcapng"
    with path.open("rb") as stream:
        keys = KeyLog.open(path.with_suffix(".keys"))
        ((about, found, _),) = outcomes(decode_batches(stream, keylog=keys))
    told = {one.question: one for one in found}
    seconds, closed = told["gap"].numbers["seconds"], told["streaming"].numbers["closed"]
    assert isinstance(seconds, float) and isinstance(closed, float) and about.last is not None
    assert told["gap"].numbers["classes"] == ["connection-window", "stream-window"]
    # Both for 1.002 s, which is together longer than the exchange.
    assert seconds <= about.longest_gap < about.last < 2 * seconds
    assert closed < about.last
