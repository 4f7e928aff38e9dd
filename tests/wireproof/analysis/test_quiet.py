"""Waits that are a model's or a large element's: this side of each rule and the other."""

from __future__ import annotations

import pytest
from support.paced import answer, causes, verdict
from support.timed import EVENT_STREAM, Stream, chunk

HEAD = '{"object":"chat.completion.chunk","id":"c","choices":[{"index":0,"delta":%s}]}'
ROLE = '{"role":"assistant","content":""}'
TEXT = '{"content":"a"}'
REASONING = '{"reasoning_content":"a"}'


def chat(deltas: list[tuple[str, float]]) -> Stream:
    """A chat of deltas, each after its wait."""
    stream = Stream()
    for delta, wait in deltas:
        stream.chunks([f"data: {HEAD % delta}\n\n".encode()], every=wait)
    return stream.end()


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (ROLE, TEXT, "thinking"),
        (ROLE, REASONING, "thinking"),
        (REASONING, TEXT, "thinking"),
        (REASONING, REASONING, "thinking"),
        (TEXT, TEXT, "sender-silent"),
        (TEXT, ROLE, "sender-silent"),
        (ROLE, ROLE, "sender-silent"),
    ],
)
def test_who_is_waited_for_is_what_the_stream_says(before: str, after: str, expected: str) -> None:
    deltas = [(before, 0.05), (after, 2.0), *[(TEXT, 0.05)] * 6]
    assert answer(chat(deltas), "gap") == expected


def test_without_a_dialect_nobody_is_known_to_think() -> None:
    stream = Stream().events(1, every=0.05).events(1, every=2.0).events(6, every=0.05)
    assert answer(stream.end(), "gap") == "sender-silent"


def large(gaps: list[float], size: int = 2_000) -> Stream:
    """A stream without chunks whose fourth event comes in pieces after gaps."""
    stream = Stream(fields=EVENT_STREAM)
    for number in range(3):
        stream.tape.wait(0.05)
        stream.talk.server(b"data: %d\n\n" % number)
    for at, gap in enumerate(gaps):
        stream.tape.wait(gap)
        stream.talk.server((b"" if at else b"data: ") + b"x" * size)
    stream.talk.server(b"\n\n")
    for number in range(3):
        stream.tape.wait(0.05)
        stream.talk.server(b"data: %d\n\n" % number)
    stream.talk.close()
    return stream


@pytest.mark.parametrize(
    ("gaps", "expected"),
    [
        ([0.1] * 20, "rate"),
        ([0.1, 0.12, 0.08, 0.1, 0.2, 0.1, 0.1, 0.15], "rate"),
        ([2.0, *[0.001] * 8], "sender-silent"),
        ([0.1, 0.1, 0.1, 2.0, 0.1, 0.1], "sender-silent"),
        ([1.5, *[0.1] * 8], "sender-silent"),
    ],
)
def test_a_large_event_that_comes_all_the_while(gaps: list[float], expected: str) -> None:
    found = verdict(large(gaps), "gap")
    assert found is not None
    assert (found.answer, found.severity) == (expected, "note")
    if expected == "rate":
        assert "bytes a second" in found.summary


def test_a_small_one_is_not_held_to_a_rate() -> None:
    assert answer(large([0.1] * 20, size=100), "gap") == "sender-silent"


def test_of_one_chunk_it_is_not_known_whether_it_came_evenly() -> None:
    stream = Stream().events(3, every=0.05)
    body = chunk(b"data: " + b"x" * 20_000 + b"\n\n")
    stream.tape.wait(0.05)
    for at in range(0, len(body), 1_000):
        stream.talk.server(body[at : at + 1_000])
        stream.tape.wait(0.05)
    stream.events(3, every=0.05)
    found = verdict(stream.end(), "gap")
    assert found is not None
    assert found.answer == "sender-silent"
    assert causes(found) == ["sender-silent", "rate"]
    assert "bytes a second" in found.summary
