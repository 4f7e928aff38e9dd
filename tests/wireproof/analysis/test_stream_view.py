"""A stream as its judge looks at it: its names, its figures, and its own waits."""

from __future__ import annotations

import pytest
from support.paced import STREAMED, causes, explained, far, paced, verdict
from support.timed import Stream, chunk, event

from wireproof.analysis.arrivals import arrivals
from wireproof.analysis.path import Hindrance
from wireproof.analysis.stream_view import View, rounded

ROUND_TRIP = 0.06
SEGMENT = 1_448
"""Bytes of a full one."""


def view(gaps: list[float]) -> View:
    trace = explained(paced(gaps)).trace
    came = arrivals(trace)
    assert came is not None
    return View(trace, came)


def test_what_is_said_of_it() -> None:
    seen = view([0.05] * 5)
    assert (seen.name, seen.total, seen.said) == ("event", 6, "6 events")
    assert seen.numbers(more=1)["events"] == 6
    assert seen.numbers(more=1)["more"] == 1
    assert seen.share_of_waits == 1.0
    assert not seen.cut_at
    assert not seen.is_relayed


def test_waits_of_the_path_are_not_its_own() -> None:
    seen = view([0.05] * 5)
    times = seen.came.times
    kind = "receive-window"
    seen.hindrances = [Hindrance(kind, times[1] + 0.01, times[2] - 0.01, 9, 10)]  # type: ignore[arg-type]
    assert [at for at, _ in seen.own_gaps] == [0, 2, 3, 4]


@pytest.mark.parametrize(("seconds", "found"), [(None, None), (0.12345678, 0.123457)])
def test_figures_are_rounded(seconds: float | None, found: float | None) -> None:
    assert rounded(seconds) == found


def in_segments(blocks: list[bytes], *, spread: float, apart: float, ends: bool = False) -> Stream:
    """Chunked content, each block of which leaves in pairs of full segments ``spread`` seconds
    apart; the next block ``apart`` seconds later, in a chunk of its own if ``ends``."""
    stream = Stream(fields=STREAMED, thinking=ROUND_TRIP)
    content = [chunk(block) for block in blocks]
    for data in content if ends else [b"".join(content)]:
        for at in range(0, len(data), 2 * SEGMENT):
            stream.tape.wait(spread)
            stream.talk.server(data[at : at + 2 * SEGMENT])
        stream.tape.wait(apart)
    return far(stream.end(), ROUND_TRIP)


def of_size(size: int, number: int) -> list[bytes]:
    """Blocks of so many bytes, whose borders lie anywhere in events."""
    data = b"".join(event(at, "x" * 650) for at in range(size * number // 650))
    return [data[at : at + size] for at in range(0, size * number, size)]


def of_events(each: int, number: int) -> list[bytes]:
    """Blocks of so many whole events."""
    return [b"".join(event(at, "x" * 650) for at in range(each)) for _ in range(number)]


SPREAD: dict[str, tuple[Stream, str, str]] = {
    "full buffers": (
        in_segments(of_size(16_384, 12), spread=0.004, apart=0.3, ends=True),
        "bursty",
        "proxy-buffer",
    ),
    "a slow path": (in_segments(of_size(16_384, 12), spread=0.02, apart=0.0), "streamed", ""),
    "no buffer's size": (
        in_segments(of_size(15_000, 12), spread=0.004, apart=0.3, ends=True),
        "streamed",
        "",
    ),
}


@pytest.mark.parametrize(("stream", "expected", "cause"), SPREAD.values(), ids=SPREAD)
def test_a_flush_is_one_where_tcp_spreads_it(stream: Stream, expected: str, cause: str) -> None:
    """Pairs of full segments, a few milliseconds apart."""
    found = verdict(stream)
    assert found is not None
    assert found.answer == expected
    assert cause in (causes(found) or [""])


@pytest.mark.parametrize(
    ("size", "losses", "expected"), [(1_600, 6, True), (1_600, 2, False), (700, 6, False)]
)
def test_losses_keep_windows_short_that_cut_long_elements(
    size: int, losses: int, expected: bool
) -> None:
    content = b"".join(chunk(event(number, "x" * size)) for number in range(40))
    stream = Stream(fields=STREAMED)
    for at in range(0, len(content), SEGMENT):
        stream.tape.wait(0.1 if at % (4 * SEGMENT) == 0 else 0.0)
        stream.talk.server(content[at : at + SEGMENT])
    trace = explained(stream.end()).trace
    came = arrivals(trace)
    assert came is not None
    seen = View(trace, came)
    times = came.times[-losses - 1 :]
    seen.hindrances = [Hindrance("loss", time - 0.01, time - 0.001, 9, 10) for time in times[:-1]]
    assert seen.cut_at
    assert seen.is_cut_by_the_path is expected
