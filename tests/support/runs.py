"""A run of a small app, made by hand: twenty streamed answers of each of its paths, with jitter.

What is wrong with a run is planted by name; two runs with other seeds are two of the same app.
"""

from __future__ import annotations

from random import Random

from parsers.files.packets import Packet

from .timed import LAST_CHUNK, Stream, TimedTape, chunk, event

ANSWERS = 20
EVENTS = 12
PLANTED = {
    "burst": "streaming: bursty",
    "held": "streaming: held",
    "slow first token": "first_token p50",
    "slow headers": "headers_after p50",
    "slow gaps": "gap_p50 p50",
    "one long gap": "gap_max p50",
    "cut": "end: cut",
    "reset": "end: aborted",
    "fewer events": "fewer elements: count",
    "errors": "status 5xx",
    "retransmissions": "retransmissions",
    "stall": "streaming: held",
}
"""What may be planted, and what a comparison calls it."""


def run(seed: int, planted: str = "") -> bytes:
    """Return a run as a pcapng file."""
    random, tape = Random(seed), TimedTape()
    for number in range(ANSWERS):
        for path, wrong in (("/chat", planted), ("/events", "")):
            _answer(tape, path, 40_000 + number * 2 + (path == "/events"), random, wrong)
            tape.wait(random.uniform(0.1, 0.2))
    return tape.file()


def _answer(tape: TimedTape, path: str, port: int, random: Random, planted: str) -> None:
    thinking = random.uniform(0.02, 0.03) + (0.2 if planted == "slow headers" else 0.0)
    stream = Stream(f"{path}?n={port}", tape=tape, client_port=port, thinking=thinking)
    if planted == "errors":
        _rewrite_status(tape)
    first = random.uniform(0.1, 0.15) + (0.3 if planted == "slow first token" else 0.0)
    events = EVENTS - (4 if planted == "fewer events" else 0)
    stalled, late = random.randrange(EVENTS) if planted == "stall" else -1, 0.0
    tape.wait(first)
    if planted == "held":
        tape.wait(1.0)
    for index in range(events):
        if index and not _is_together(planted, index):
            gap = random.uniform(0.045, 0.055) * (3 if planted == "slow gaps" else 1)
            if planted == "burst":
                gap *= 4
            if planted == "one long gap" and index == 6:
                gap += 0.8
            tape.wait(max(gap - late, 0.0))
            late = max(late - gap, 0.0)
        if index == stalled:
            tape.wait(0.5)
            late = 0.5
        stream.talk.server(chunk(event(index + 1)))
        if planted == "retransmissions" and index % 3 == 0:
            _again(tape)
        stream.talk.ack("client")
    if planted == "cut":
        stream.talk.close()
    elif planted == "reset":
        stream.talk.reset("client")
    else:
        stream.talk.server(LAST_CHUNK)
        stream.talk.close()


def _is_together(planted: str, index: int) -> bool:
    return planted == "held" or (planted == "burst" and index % 4 != 0)


def _again(tape: TimedTape) -> None:
    """Send the last packet again."""
    last: Packet = tape.packets[-1]
    tape.wait(0.002)
    tape.add(last[4])


def _rewrite_status(tape: TimedTape) -> None:
    number, time, link_type, length, data = tape.packets[-1]
    changed = data.replace(b"HTTP/1.1 200 OK", b"HTTP/1.1 503 No")
    tape.packets[-1] = (number, time, link_type, length, changed)
