"""What a hop does is told from both of its sides, on one clock and on two."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Sequence
from itertools import accumulate, pairwise

import pytest
from support.clocks import CLOCKS, Clocks, one_clock, two_captures
from support.legs import (
    Pieces,
    Side,
    far_of,
    joined,
    later,
    tokens,
)
from support.timed import CHUNKED, EVENT_STREAM, HANDSHAKE, SWITCHING
from support.websocket_frames import frame

QUICK = 0.0003
GZIP = EVENT_STREAM + CHUNKED + b"Content-Encoding: gzip\r\n"
FAR = tokens(24)
LAST = FAR[-1][0]
Case = tuple[Side, Side, str, str | None, list[str]]


def jittered(pieces: Pieces, seconds: float) -> Pieces:
    """Each piece later by another time up to ``seconds``, none before the one before it."""
    found: Pieces = []
    for at, (time, data) in enumerate(pieces):
        moment = time + (at * 7 % 16) / 15 * seconds
        found.append((max(moment, found[-1][0] if found else 0.0), data))
    return found


def by_size(pieces: Pieces, size: int) -> Pieces:
    found: Pieces = []
    rest = b""
    for time, data in pieces:
        rest += data
        while len(rest) >= size:
            found.append((time, rest[:size]))
            rest = rest[size:]
    return [*found, (pieces[-1][0] + QUICK, rest)]


def flushed(pieces: Pieces) -> Pieces:
    """Coded with gzip, each piece flushed."""
    coder = zlib.compressobj(wbits=31)
    found = [
        (time + QUICK, coder.compress(data) + coder.flush(zlib.Z_SYNC_FLUSH))
        for time, data in pieces
    ]
    return [*found[:-1], (found[-1][0], found[-1][1] + coder.flush())]


def held_gzip(pieces: Pieces) -> Pieces:
    content = gzip.compress(b"".join(data for _, data in pieces))
    return [(pieces[-1][0] + QUICK, content)]


def every(pieces: Pieces, number: int) -> Pieces:
    groups = [pieces[at : at + number] for at in range(0, len(pieces), number)]
    return [(group[-1][0] + QUICK, b"".join(data for _, data in group)) for group in groups]


def cut(pieces: Pieces, numbers: Sequence[int]) -> Pieces:
    """Pieces that leave so many at a time, when the last of them has come."""
    ends = [*accumulate(numbers), len(pieces)]
    groups = [pieces[start:end] for start, end in pairwise([0, *ends]) if pieces[start:end]]
    return [(group[-1][0] + QUICK, b"".join(data for _, data in group)) for group in groups]


def from_first(pieces: Pieces, seconds: float) -> Pieces:
    """A timer that the first piece starts that has to wait."""
    found: Pieces = []
    due, waiting = float("-inf"), b""
    for time, data in pieces:
        if waiting and time > due:
            found.append((due, waiting))
            waiting = b""
        if not waiting:
            due = time + seconds
        waiting += data
    return [*found, (pieces[-1][0] + QUICK, waiting)]


HEAD = len(b"HTTP/1.1 200 OK\r\n" + EVENT_STREAM + CHUNKED + b"\r\n")


def behind(pieces: Pieces) -> Pieces:
    """Each leaves when the next one comes."""
    times = [time for time, _ in pieces[1:]] + [pieces[-1][0]]
    return [(time + QUICK, data) for time, (_, data) in zip(times, pieces, strict=True)]


LARGE = tokens(30, every=0.045, size=520)
CASES: dict[str, Case] = {
    "passes on": (Side(later(FAR, QUICK)), far_of(FAR), "transparent", None, []),
    "15 ms of jitter": (Side(jittered(FAR, 0.015)), far_of(FAR), "transparent", None, []),
    "15 ms of jitter, a fast stream": (
        Side(jittered(tokens(60, every=0.005), 0.015)),
        far_of(tokens(60, every=0.005)),
        "transparent",
        None,
        [],
    ),
    "one stumble of 70 ms": (
        Side(
            [
                (max(time + QUICK, FAR[9][0] + 0.07 if at >= 9 else 0.0), data)
                for at, (time, data) in enumerate(FAR)
            ]
        ),
        far_of(FAR),
        "transparent",
        None,
        [],
    ),
    "until the end": (
        Side([(LAST + QUICK, b"".join(data for _, data in FAR))], answered=LAST + QUICK),
        far_of(FAR),
        "holds",
        "until-end",
        ["proxy-buffer"],
    ),
    "the first at once, the rest at the end": (
        Side([(FAR[0][0] + QUICK, FAR[0][1]), (LAST, b"".join(data for _, data in FAR[1:]))]),
        far_of(FAR),
        "holds",
        "until-end",
        ["proxy-buffer"],
    ),
    "4 KiB": (Side(by_size(LARGE, 4096)), far_of(LARGE), "holds", "size", ["proxy-buffer"]),
    "8 KiB": (Side(by_size(LARGE, 8192)), far_of(LARGE), "holds", "size", ["proxy-buffer"]),
    "4 KiB of which the head has its part": (
        Side(
            [
                (LARGE[12][0] + QUICK, b"".join(data for _, data in LARGE)[: 8192 - HEAD]),
                (LARGE[-1][0] + QUICK, b"".join(data for _, data in LARGE)[8192 - HEAD :]),
            ]
        ),
        far_of(LARGE),
        "holds",
        "size",
        ["proxy-buffer"],
    ),
    "every 500 ms": (
        Side(joined(FAR, [0.3, 0.8, 1.3, 1.8])),
        far_of(FAR),
        "holds",
        "timer",
        ["proxy-timer"],
    ),
    "a timer that a regular source makes look as batches": (
        Side(joined(tokens(40, every=0.02), [0.137 + 0.12 * turn for turn in range(8)])),
        far_of(tokens(40, every=0.02)),
        "holds",
        "timer",
        ["proxy-timer", "proxy-batches"],
    ),
    "200 ms from the first": (
        Side(from_first(FAR, 0.204)),
        far_of(FAR),
        "holds",
        "timer",
        ["cork-200ms"],
    ),
    "pairs": (Side(every(FAR, 2)), far_of(FAR), "holds", "every-second", ["proxy-batches"]),
    "pairs of a fast stream": (
        Side(every(tokens(40, every=0.02), 2)),
        far_of(tokens(40, every=0.02)),
        "holds",
        "every-second",
        ["proxy-batches"],
    ),
    "five at a time": (Side(every(FAR, 5)), far_of(FAR), "holds", "every-k", ["proxy-batches"]),
    "three reads at a time, of which some brought two": (
        Side(cut(FAR, [3, 3, 4, 3, 2, 3, 3, 4])),
        far_of(FAR),
        "holds",
        "every-k",
        ["proxy-batches"],
    ),
    "each when the next comes": (
        Side(behind(FAR)),
        far_of(FAR),
        "holds",
        "one-behind",
        ["proxy-looks-ahead", "fixed-delay"],
    ),
    "each when the next comes, at its own times": (
        Side(behind(jittered(FAR, 0.05))),
        far_of(jittered(FAR, 0.05)),
        "holds",
        "one-behind",
        ["proxy-looks-ahead"],
    ),
    "coded and flushed": (
        Side(flushed(FAR), fields=GZIP),
        far_of(FAR),
        "transparent",
        None,
        [],
    ),
    "coded and held": (
        Side(held_gzip(FAR), fields=GZIP, answered=LAST),
        far_of(FAR),
        "holds",
        "until-end",
        ["compressor-not-flushed", "proxy-buffer"],
    ),
    "the last one dropped": (
        Side(later(FAR[:-1], QUICK)),
        far_of(FAR),
        "loses",
        None,
        ["drops-last-event"],
    ),
    "the first one dropped": (
        Side(later(FAR[1:], QUICK)),
        far_of(FAR),
        "loses",
        None,
        ["drops-first-event"],
    ),
    "two in the middle dropped": (
        Side(later(FAR[:5] + FAR[6:9] + FAR[10:], QUICK)),
        far_of(FAR),
        "loses",
        None,
        ["drops-events"],
    ),
    "cut": (
        Side(later(FAR[:10], QUICK), is_whole=False),
        far_of(FAR),
        "loses",
        None,
        ["proxy-cut"],
    ),
    "cut behind it, and whole before it": (
        Side(later(FAR[:10], QUICK)),
        far_of(FAR[:10], is_whole=False),
        "rewrites",
        None,
        ["proxy-hides-cut"],
    ),
    "cut on both legs": (
        Side(later(FAR[:10], QUICK), is_whole=False),
        far_of(FAR[:10], is_whole=False),
        "transparent",
        None,
        [],
    ),
    "one twice": (
        Side(later([*FAR[:5], FAR[4], *FAR[5:]], QUICK)),
        far_of(FAR),
        "rewrites",
        None,
        ["doubles-events"],
    ),
    "two exchanged": (
        Side(
            [
                (time + 0.001, FAR[{7: 8, 8: 7}.get(at, at)][1])
                for at, (time, _) in enumerate([*FAR[:7], FAR[8], *FAR[8:]])
            ]
        ),
        far_of(FAR),
        "rewrites",
        None,
        ["reorders-events"],
    ),
    "one of its own": (
        Side(later([*FAR[:5], (FAR[4][0], b"data: hello\n\n"), *FAR[5:]], QUICK)),
        far_of(FAR),
        "rewrites",
        None,
        ["adds-events"],
    ),
    "each written anew": (
        Side([(time + QUICK, data.replace(b"x", b"y")) for time, data in FAR]),
        far_of(FAR),
        "rewrites",
        None,
        ["rewrites-content"],
    ),
    "each written anew, and held": (
        Side([(LAST + QUICK, b"".join(data.replace(b"x", b"y") for _, data in FAR))]),
        far_of(FAR),
        "holds",
        "until-end",
        ["proxy-buffer"],
    ),
    "one changed": (
        Side(
            [
                (time + QUICK, data.replace(b"x", b"y") if at == 5 else data)
                for at, (time, data) in enumerate(FAR)
            ]
        ),
        far_of(FAR),
        "rewrites",
        None,
        ["rewrites-content"],
    ),
    "comments of its own": (
        Side(later([*FAR[:5], (FAR[4][0], b": keep\n\n"), *FAR[5:]], QUICK)),
        far_of(FAR),
        "transparent",
        None,
        ["re-chunked"],
    ),
    "line ends": (
        Side(later(FAR, QUICK)),
        far_of([(time, data.replace(b"\n", b"\r\n")) for time, data in FAR]),
        "transparent",
        None,
        ["rewrites"],
    ),
    "chunks of 7 bytes": (
        Side(
            [
                (time + QUICK, data[at : at + 7])
                for time, data in FAR
                for at in range(0, len(data), 7)
            ]
        ),
        far_of(FAR),
        "transparent",
        None,
        ["re-chunked"],
    ),
    "other IDs": (
        Side([(time + QUICK, b"id: a%d\n%s" % (at, data)) for at, (time, data) in enumerate(FAR)]),
        far_of([(time, b"id: %d\n%s" % (at, data)) for at, (time, data) in enumerate(FAR)]),
        "transparent",
        None,
        ["renames-ids"],
    ),
    "the head waits for the first event": (
        Side(later(FAR, QUICK), answered=FAR[0][0] + QUICK / 2),
        far_of(FAR),
        "transparent",
        None,
        ["headers-held"],
    ),
    "JSON lines": (
        Side(
            [(LAST + QUICK, b"".join(b'{"n": %d}\n' % at for at in range(24)))],
            fields=CHUNKED + b"Content-Type: application/x-ndjson\r\n",
        ),
        far_of(
            [(time, b'{"n": %d}\n' % at) for at, (time, _) in enumerate(FAR)],
            fields=CHUNKED + b"Content-Type: application/x-ndjson\r\n",
        ),
        "holds",
        "until-end",
        ["proxy-buffer"],
    ),
    "text without elements": (
        Side(
            joined(
                [(time, b"line %d of it\n" % at) for at, (time, _) in enumerate(FAR)], [0.8, 1.3]
            ),
            fields=CHUNKED + b"Content-Type: text/plain\r\n",
        ),
        far_of(
            [(time, b"line %d of it\n" % at) for at, (time, _) in enumerate(FAR)],
            fields=CHUNKED + b"Content-Type: text/plain\r\n",
        ),
        "holds",
        "irregular",
        ["proxy-holds"],
    ),
    "messages": (
        Side(
            [(time + QUICK, frame(0x81, data)) for time, data in FAR],
            handshake=(HANDSHAKE, SWITCHING),
            is_chunked=False,
        ),
        far_of(
            [(time, frame(0x81, data)) for time, data in FAR],
            handshake=(HANDSHAKE, SWITCHING),
            is_chunked=False,
        ),
        "transparent",
        None,
        [],
    ),
}


@pytest.mark.parametrize("clocks", CLOCKS)
@pytest.mark.parametrize("name", CASES)
def test_what_a_hop_does(name: str, clocks: Clocks) -> None:
    near, far, answer, pattern, causes = CASES[name]
    [judged] = clocks(near, far).hops
    verdict = judged.verdict
    assert (verdict.answer, verdict.numbers["pattern"]) == (answer, pattern) or (
        answer == "loses" and verdict.answer == answer
    ), verdict.summary
    codes = [cause.code for cause in verdict.causes]
    # Two captures do not see what is lost between them and the hop.
    assert codes == causes or (clocks is not one_clock and codes == [*causes, "loss"])
    assert verdict.is_fault == (answer != "transparent" and codes != ["rewrites-content"])
    json.dumps(dict(verdict.numbers))


@pytest.mark.parametrize("clocks", CLOCKS)
@pytest.mark.parametrize("holds_head", [False, True])
def test_a_fixed_hold_is_bounded_by_the_clocks(clocks: Clocks, holds_head: bool) -> None:
    near = Side(later(FAR, 0.5), answered=0.51 if holds_head else 0.01 + QUICK, end=LAST + 0.501)
    [judged] = clocks(near, far_of(FAR)).hops
    verdict = judged.verdict
    assert (verdict.answer, verdict.numbers["pattern"]) == ("holds", "fixed")
    codes = [cause.code for cause in verdict.causes]
    is_open = holds_head and clocks is not one_clock
    assert codes == (["fixed-delay", "clock-offset"] if is_open else ["fixed-delay"])
    assert verdict.numbers["added_ms"] == pytest.approx(500, abs=2)
    assert bool(verdict.to_tell) == is_open


# Milliseconds that events took through a filter of 150 ms where two cores had 25 busy processes.
BUSY = [162, 169, 167, 166, 217, 192, 167, 157, 164, 178, 228, 307]


@pytest.mark.parametrize("is_alone", [True, False])
def test_a_fixed_hold_on_a_busy_machine_is_no_timer(is_alone: bool) -> None:
    """Each leaves by itself while the next one is inside; a timer would let go of that, too."""
    far = tokens(12, every=0.08 if is_alone else 0.7)
    near: Pieces = []
    for (time, data), took in zip(far, BUSY, strict=True):
        near.append((max(time + took / 1000, near[-1][0] if near else 0.0), data))
    [judged] = one_clock(Side(near, end=near[-1][0]), far_of(far)).hops
    found = judged.verdict
    assert (found.answer, found.numbers["pattern"]) == (
        ("holds", "fixed") if is_alone else ("holds", "irregular")
    )


@pytest.mark.parametrize("clocks", CLOCKS)
def test_a_short_fixed_hold_of_everything_is_an_offset_between_clocks(clocks: Clocks) -> None:
    near = Side(later(FAR, 0.15), answered=0.16, end=LAST + 0.15)
    [judged] = clocks(near, far_of(FAR)).hops
    verdict = judged.verdict
    if clocks in (one_clock, two_captures):
        assert (verdict.answer, verdict.numbers["pattern"]) == ("holds", "fixed")
    else:
        assert verdict.answer == "transparent"
        assert "delays everything alike, by 150" in verdict.to_tell
