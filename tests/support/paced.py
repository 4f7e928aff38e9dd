"""Streams made by hand that come at a pace, in flushes, or cut: what judges of waits look at."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from wireproof.analysis.judges import Explained, explain
from wireproof.analysis.verdict import Question, Verdict

from .timed import CHUNKED, EVENT_STREAM, MOMENT, Stream, chunk, event

STREAMED = EVENT_STREAM + CHUNKED
GZIP = b"Content-Encoding: gzip\r\n"


def paced(
    gaps: Iterable[float],
    *,
    first: float = 0.2,
    size: int = 20,
    fields: bytes = STREAMED,
    together: bool = False,
    thinking: float = 0.0,
) -> Stream:
    """A stream whose header comes after ``thinking``, its first event ``first`` later, and then one
    after each gap; those after a gap of 0 share the packet of the one before, or its chunk too if
    they go ``together``.
    """
    stream = Stream(fields=fields, thinking=thinking)
    for flush in flushes(gaps, first):
        stream.tape.wait(max(0.0, flush[0] - 2 * MOMENT))
        events = [event(number, "x" * size) for number in flush[1:]]
        pieces = [chunk(b"".join(events))] if together else [chunk(one) for one in events]
        stream.talk.server(b"".join(pieces))
        stream.talk.ack("client")
    return stream.end()


def flushes(gaps: Iterable[float], first: float) -> list[list[float]]:
    """Return the wait before each packet, and the numbers of its events."""
    found: list[list[float]] = [[first, 0]]
    for number, gap in enumerate(gaps, 1):
        if gap:
            found.append([gap, number])
        else:
            found[-1].append(number)
    return found


def explained(stream: Stream) -> Explained:
    """What is said of the one exchange of a stream."""
    [found] = explain(stream.tape.records())
    return found


def verdict(stream: Stream, question: Question = "streaming") -> Verdict | None:
    """The answer to a question, None if it does not arise."""
    verdicts = explained(stream).verdicts
    return next((one for one in verdicts if one.question == question), None)


def answer(stream: Stream, question: Question = "streaming") -> str:
    """The word of an answer, empty if the question does not arise."""
    found = verdict(stream, question)
    return found.answer if found else ""


def causes(found: Verdict | None) -> Sequence[str]:
    """The codes of a verdict's causes."""
    return [cause.code for cause in found.causes] if found else []


def far(stream: Stream, round_trip: float) -> Stream:
    """The same stream at a client whose SYN was answered so late."""
    stream.tape.packets[1:] = [
        (number, (time_ns or 0) + round(round_trip * 1e9), *rest)
        for number, time_ns, *rest in stream.tape.packets[1:]
    ]  # type: ignore[misc]
    return stream
