"""Each rule of streaming, this side of it and the other, at other rates and sizes."""

from __future__ import annotations

import gzip
import random
import zlib

import pytest
from support.paced import GZIP, STREAMED, answer, causes, far, paced, verdict
from support.talk import Talk
from support.timed import Socket, Stream, chunk, event
from support.websocket_frames import KEY, frame

from wireproof.analysis.judges import explain

RATES = [0.001, 0.002, 0.005, 0.02, 0.04, 0.1, 0.5, 2.0]


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("first", [0.01, 0.3, 2.0])
@pytest.mark.parametrize("size", [10, 700, 1_400])
def test_one_by_one_streams_at_every_rate(rate: float, first: float, size: int) -> None:
    found = verdict(paced([rate] * 12, first=first, size=size))
    assert found is not None
    assert (found.answer, found.severity, found.causes) == ("streamed", "ok", ())
    assert found.numbers["events"] == found.numbers["groups"] == 13


@pytest.mark.parametrize("block", [4_096, 8_192, 16_384, 65_536])
@pytest.mark.parametrize("size", [130, 250, 400, 600])
@pytest.mark.parametrize("round_trip", [0.0, 0.06])
def test_blocks_of_a_buffer_burst_though_they_may_be_full_segments(
    block: int, size: int, round_trip: float
) -> None:
    stream = Stream(fields=STREAMED, thinking=0.2)
    data = b"".join(chunk(event(number, "x" * size)) for number in range(12 * block // size))
    for begin in range(0, len(data), block):
        stream.tape.wait(0.15)
        end = min(begin + block, len(data))
        stream.talk.server(*(data[at : min(at + 1_448, end)] for at in range(begin, end, 1_448)))
        stream.talk.ack("client")
    found = verdict(far(stream.end(), round_trip))
    assert found is not None
    assert (found.answer, causes(found)) == ("bursty", ["proxy-buffer"])


@pytest.mark.parametrize("size", [4_096, 65_536])
def test_large_events_that_take_many_packets_stream(size: int) -> None:
    stream = Stream()
    for number in range(8):
        stream.tape.wait(0.05)
        data = chunk(event(number, "x" * size))
        stream.talk.server(*(data[at : at + 1_448] for at in range(0, len(data), 1_448)))
    assert answer(stream.end()) == "streamed"


@pytest.mark.parametrize("rate", [0.005, 0.02, 0.05, 0.2, 1.0])
@pytest.mark.parametrize("seed", range(6))
def test_jitter_and_pauses_of_a_busy_machine_are_no_bursts(rate: float, seed: int) -> None:
    """A machine that is busy lets a process wait, and what was due meanwhile comes at once."""
    chance, gaps = random.Random(seed), []
    for _ in range(60):
        gaps.append(rate * chance.uniform(0.7, 1.6))
        if chance.random() < 0.04:
            gaps += [rate + chance.uniform(0.04, 0.2), 0.0002]
    assert answer(paced(gaps, first=chance.uniform(0.02, 1.5))) == "streamed"


@pytest.mark.parametrize("seed", range(6))
def test_generation_at_uneven_speed_streams(seed: int) -> None:
    chance = random.Random(seed)
    gaps = [chance.lognormvariate(-3.5, 0.7) for _ in range(80)]
    assert answer(paced(gaps, first=0.6)) == "streamed"


# --- held ---


@pytest.mark.parametrize(
    ("first", "expected"), [(0.02, "undecided"), (0.09, "undecided"), (0.11, "held"), (3.0, "held")]
)
@pytest.mark.parametrize("together", [True, False])
def test_all_at_once_was_held_if_there_was_time_to(
    first: float, expected: str, together: bool
) -> None:
    found = verdict(paced([0] * 9, first=first, together=together))
    assert found is not None
    assert found.answer == expected
    assert (found.severity == "error") is (expected == "held")
    wanted = ["same-tick", "app-collects"][together] if expected == "held" else "no-waits"
    assert causes(found)[0] == wanted


@pytest.mark.parametrize(
    ("gaps", "first", "expected"),
    [
        ([0.0004, 0.003, 0.0004, 0.0011, 0.0004, 0.0009, 0.0003, 0.0004], 0.5, "held"),
        ([0.0004, 0.003, 0.0004, 0.0011, 0.0004, 0.0009, 0.0003, 0.0004], 0.1, "streamed"),
        ([0.0011] * 8, 0.5, "streamed"),  # a millisecond's timer waits each time
    ],
)
def test_a_busy_machine_keeps_what_was_collected_from_being_written_at_once(
    gaps: list[float], first: float, expected: str
) -> None:
    assert answer(paced(gaps, first=first)) == expected


@pytest.mark.parametrize(("first", "expected"), [(0.005, "undecided"), (0.03, "held")])
def test_coded_content_in_one_packet_was_held_even_if_not_for_long(
    first: float, expected: str
) -> None:
    held = Stream(fields=STREAMED + GZIP)
    held.tape.wait(first)
    held.talk.server(chunk(gzipped(b"".join(map(event, range(8))))))
    found = verdict(held.end())
    assert found is not None
    assert found.answer == expected
    if expected == "held":
        assert causes(found)[0] == "compressor-not-flushed"


def gzipped(data: bytes) -> bytes:
    return gzip.compress(data, mtime=0)


def test_content_that_is_coded_and_flushed_streams() -> None:
    coder = zlib.compressobj(wbits=31)
    stream = Stream(fields=STREAMED + GZIP)
    for number in range(8):
        stream.tape.wait(0.05)
        data = coder.compress(event(number)) + coder.flush(zlib.Z_SYNC_FLUSH)
        stream.talk.server(chunk(data))
    stream.talk.server(chunk(coder.flush()))
    assert answer(stream.end()) == "streamed"


@pytest.mark.parametrize(
    ("gaps", "expected"),
    [
        ([0.5, *[0] * 11], "held"),  # one early, the rest together
        ([0.05, 0.05, 0.8, *[0] * 20], "held"),  # three early, all the rest at the end
        (
            [0.05, 0.05, 0.8, *[0] * 20, 0.05, 0.05],
            "streamed",
        ),  # it goes on: a gap, and what was due
        ([0.05, *[0] * 11], "undecided"),  # too soon after it
        ([*[0.05] * 8, 0.5, 0, 0], "streamed"),  # a few together at the end
        ([0.5, *[0] * 5, *[0.05] * 6], "streamed"),  # half together, half not
        ([0.0003] * 11, "held"),  # played out, each in its packet
        ([0.002] * 11, "streamed"),  # a fast source
    ],
)
def test_what_came_together_is_nearly_all_of_it(gaps: list[float], expected: str) -> None:
    assert answer(paced(gaps, first=0.4)) == expected


def test_a_collection_that_is_played_out_takes_less_than_was_waited() -> None:
    assert answer(paced([0.0005] * 40, first=1.0)) == "held"
    assert answer(paced([0.0005] * 40, first=0.06)) == "undecided"


# --- bursts ---


@pytest.mark.parametrize(
    ("period", "size", "expected"),
    [
        (0.05, 3, "streamed"),  # nobody sees that
        (0.09, 5, "streamed"),
        (0.12, 2, "bursty"),
        (0.3, 5, "bursty"),
        (2.0, 9, "bursty"),
    ],
)
def test_batches_are_bursts_where_their_waits_can_be_seen(
    period: float, size: int, expected: str
) -> None:
    found = verdict(paced([*[0] * (size - 1), period] * 6, first=period, together=True))
    assert found is not None
    assert found.answer == expected
    if expected == "bursty":
        assert causes(found)[0] == "app-batches"
        assert found.numbers["period"] == pytest.approx(period, rel=0.02)


@pytest.mark.parametrize("period", [0.12, 0.25, 0.5, 1.0])
def test_a_steady_period_with_varying_numbers_is_a_timer(period: float) -> None:
    gaps = [gap for size in (6, 7, 6, 8, 7, 6) for gap in (*[0.0] * (size - 1), period)]
    found = verdict(paced(gaps, first=period, together=True))
    assert found is not None
    assert (found.answer, *causes(found)[:2]) == ("bursty", "proxy-timer", "app-batches")
    assert found.to_tell


@pytest.mark.parametrize(
    ("every", "expected"), [(0.03, "cork-200ms"), (0.05, "cork-200ms"), (0.08, "cork-200ms")]
)
def test_chunks_that_share_segments_200_ms_apart_were_corked(every: float, expected: str) -> None:
    """The kernel's 200 ms begin with the first chunk; then the next one is waited for."""
    size = int(0.2 / every) + 1
    gaps = [gap for turn in range(6) for gap in (*[0.0] * (size - 1 + turn % 2), 0.2 + every / 2)]
    found = verdict(paced(gaps, first=0.25))
    assert found is not None
    assert (found.answer, causes(found)[0]) == ("bursty", expected)


@pytest.mark.parametrize("period", [0.13, 0.4, 0.9])
def test_chunks_that_share_segments_at_other_times_were_not(period: float) -> None:
    gaps = [gap for turn in range(6) for gap in (*[0.0] * (3 + turn % 2), period)]
    found = verdict(paced(gaps, first=period))
    assert found is not None
    assert found.answer == "bursty"
    assert "cork-200ms" not in causes(found)


@pytest.mark.parametrize(
    ("buffer", "size", "every", "expected"),
    [
        (4_096, 900, 0.05, "bursty"),
        (8_192, 900, 0.02, "bursty"),
        (4_096, 300, 0.02, "bursty"),
        (4_096, 3_000, 0.06, "bursty"),
        (6_000, 5_000, 0.06, "streamed"),  # no buffer's size: lines that begin with their ends
        (1_024, 130, 0.03, "bursty"),
        (1_448, 300, 0.02, "streamed"),  # full segments of a slow path
        (4_096, 900, 0.005, "streamed"),  # handed on too fast to matter
    ],
)
def test_a_buffer_cuts_elements(buffer: int, size: int, every: float, expected: str) -> None:
    data = b"".join(event(number, "x" * size) for number in range(60))
    wait = every * buffer / len(event(0, "x" * size))
    stream = Stream()
    for at in range(0, len(data), buffer):
        stream.tape.wait(wait)
        stream.talk.server(chunk(data[at : at + buffer]))
    found = verdict(stream.end())
    assert found is not None
    assert found.answer == expected
    if expected == "bursty":
        assert causes(found) == ["proxy-buffer"]
        assert found.numbers["aligned"] == found.numbers["flush_bytes"] == buffer


@pytest.mark.parametrize(("buffer", "aligned"), [(16_384, 16_384), (15_000, None)])
def test_a_buffer_that_was_full_once_has_a_size_too(buffer: int, aligned: int | None) -> None:
    """Of two flushes the second is what was left; the first is a power of two by no chance."""
    data = b"".join(event(number, "x" * 360) for number in range(70))
    stream = Stream()
    for at in range(0, len(data), buffer):
        stream.tape.wait(0.5)
        stream.talk.server(chunk(data[at : at + buffer]))
    found = verdict(stream.end())
    assert found is not None
    assert found.answer == "bursty"
    assert causes(found) == ["proxy-buffer"]
    assert found.numbers["aligned"] == aligned


def test_two_things_in_one_breath_are_no_bursts() -> None:
    """As a stream begins with two events and ends with three."""
    gaps = [0, 0.4, 0.4, 0.4, 0.4, 0, 0]
    assert answer(paced(gaps)) == "streamed"


# --- steps, windows, headers, rest ---


@pytest.mark.parametrize(
    ("half", "expected"), [(0.0001, "streamed"), (0.008, "streamed"), (0.04, "stepped")]
)
def test_small_writes_in_two_halves_are_nagles(half: float, expected: str) -> None:
    stream = Stream()
    for number in range(9):
        stream.tape.wait(0.06)
        data = chunk(event(number))
        stream.talk.server(data[:4])
        stream.tape.wait(half)
        stream.talk.ack("client")
        stream.talk.server(data[4:])
    found = verdict(stream.end())
    assert found is not None
    assert found.answer == expected
    if expected == "stepped":
        assert causes(found) == ["nagle-delayed-ack"]
        assert found.numbers["step"] == pytest.approx(half, abs=0.001)


@pytest.mark.parametrize(
    ("thinking", "first", "expected"),
    [
        (0.2, 0.0, "streamed"),
        (0.4, 0.0, "header-held"),
        (0.4, 0.02, "streamed"),
        (0.4, 0.004, "header-held"),
        (0.0, 0.4, "streamed"),
    ],
)
def test_a_late_header_with_its_first_event_is_held(
    thinking: float, first: float, expected: str
) -> None:
    assert answer(paced([0.05] * 9, first=first, thinking=thinking)) == expected


def test_a_header_as_long_before_its_first_event_as_events_are_apart_was_sent_ahead() -> None:
    """By a source that was late with all of it."""
    assert answer(paced([0.005] * 40, first=0.005, thinking=0.6)) == "streamed"
    assert answer(paced([0.005] * 40, first=0.0, thinking=0.6)) == "header-held"


@pytest.mark.parametrize("events", [1, 2])
def test_of_two_events_nothing_can_be_told(events: int) -> None:
    found = verdict(paced([0.5] * (events - 1)))
    assert found is not None
    assert (found.answer, found.severity) == ("undecided", "ok")
    assert causes(found) == ["too-few-events"]


@pytest.mark.parametrize(
    ("events", "said"), [(0, None), (1, "only 1 event came"), (3, "3 events came one by one")]
)
def test_an_event_that_the_end_cuts_is_not_counted_as_one_that_came(
    events: int, said: str | None
) -> None:
    stream = Stream().chunks([*map(event, range(events)), b"data: cut"], every=0.05)
    stream.talk.close()
    [found] = explain(stream.tape.records())
    answers = {one.question: one for one in found.verdicts}
    streaming = answers.get("streaming")
    assert (said is None) == (streaming is None)
    assert streaming is None or streaming.summary.startswith(said or "")
    assert answers["ending"].summary.startswith(f"cut inside an event after {events} event")


@pytest.mark.parametrize(
    ("content_type", "expected"),
    [("text/html", ""), ("application/json", ""), ("text/plain", "streamed"), ("", "streamed")],
)
def test_chunks_are_judged_where_they_may_be_a_stream(content_type: str, expected: str) -> None:
    fields = b"Transfer-Encoding: chunked\r\n"
    if content_type:
        fields += f"Content-Type: {content_type}\r\n".encode()
    stream = Stream(fields=fields).chunks([b"[1, 2]"] * 8, every=0.05)
    assert answer(stream.end()) == expected


def test_keep_alives_and_last_words_are_left_out() -> None:
    """Five comments a second between two events, and all that follows the last one at once."""
    stream = Stream()
    for number in range(4):
        stream.chunks([event(number)], every=0.5)
        stream.chunks([b": ping\n\n"] * 4, every=0.1)
    found = verdict(stream.chunks([b"data: [DONE]\n\n"], every=0.0).end())
    assert found is not None
    assert (found.answer, found.numbers["events"]) == ("streamed", 4)


def test_messages_of_a_websocket_are_judged_turn_by_turn() -> None:
    stream = Socket()
    for _ in range(3):
        stream.talk.client(frame(1, b"ask", key=KEY))
        for _ in range(5):
            stream.tape.wait(0.05)
            stream.talk.server(frame(1, b"said"))
    stream.talk.close()
    found = verdict(stream)
    assert found is not None
    assert (found.answer, found.numbers["events"]) == ("streamed", 5)
    assert found.summary.startswith("5 of 15 messages (the longest turn) came one by one")


@pytest.mark.parametrize(
    ("asked", "answered", "expected"),
    [
        (0.2, 0.8, "first"),  # only when the loop was free again
        (0.2, 0.25, "missing"),  # the loop was free all the time
        (0.75, 0.8, "last"),  # it came too late to tell
        (None, None, "last"),
    ],
)
def test_a_second_request_tells_whether_the_loop_was_blocked(
    asked: float | None, answered: float | None, expected: str
) -> None:
    stream = Stream()
    other = Talk(stream.tape, client_port=40_001).open()
    moments: list[tuple[float, str]] = [(0.8, "burst")]
    if asked is not None and answered is not None:
        moments += [(asked, "ask"), (answered + 0.001, "answer")]
    now = 0.0
    for moment, what in sorted(moments):
        stream.tape.wait(moment - now)
        now = moment
        if what == "ask":
            other.client(b"GET /health HTTP/1.1\r\nHost: 127.0.0.1:8000\r\n\r\n")
        elif what == "answer":
            other.server(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        else:
            for number in range(6):
                stream.talk.server(chunk(event(number)))
    stream.end()
    other.close()
    held = [one for each in explain(stream.tape.records()) for one in each.verdicts]
    codes = causes(next(one for one in held if one.answer == "held"))
    places = {"first": codes[0], "last": codes[-1]}
    assert places.get(expected, "missing") == ("blocked-loop" if expected in places else "missing")
    assert ("blocked-loop" in codes) is (expected != "missing")
