"""Whether an answer streamed, from sizes and times of its encrypted records or datagrams alone.

Strategy: waits and flushes mean what they mean of what is decoded (:mod:`..arrivals`). What came
in one flush after a wait may have been held, or never was a stream: that is said of it. Records
that come at once are one write or several, which nobody can tell, so gaps are between flushes.
A window of TCP is in the clear: while the client's was closed nothing could come, which is certain.
Those of HTTP/2 and QUIC are encrypted: a wait that ends right after the client sent what may have
opened one may have been for that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from statistics import median

import msgspec
from parsers.records import ConnectionRecord

from ...text.wording import count, duration, span
from ..arrivals import EARLY, LEAST, MIN_SHARE, SHORTEST_WAIT, WAIT
from ..holders import windows
from ..pace import BULK, HELD, MAX_PACKETS, SEVERAL, TOGETHER
from ..path import Hindrance, closed_long, windows_of
from ..verdict import Cause, Number, Severity, Verdict
from .records import TLS, Medium, Sealed
from .turns import Turn

NOT_A_STREAM = Cause(
    "not-a-stream",
    "possible",
    "an answer that was never meant to stream looks the same",
)
COLLECTED = Cause(
    "held-back",
    "possible",
    "the application, a compressor or a proxy put it together",
    "look at both sides of the proxy, or decrypt it with --keylog",
)
READ = "read the stream at the client as it comes"
MOST = 0.5
"""Part of the waits that must end right after the client sent what may open a window, if that may
be what the stream waited for."""
TO_TELL = "decrypt it with --keylog, or record where it is plain, as behind the proxy"


@dataclass
class SealedAnswer:
    """What came of one request."""

    turn: Turn
    number: int
    """From 0, among the requests of its connection that were answered."""
    of: int
    """How many of those there are."""
    medium: Medium = TLS
    closed: list[Hindrance] = field(default_factory=list)
    """When the client's TCP window was closed."""
    rtt: float = 0.0
    """Of the handshake of TCP, in seconds; 0 if it is not known."""

    @cached_property
    def is_head_apart(self) -> bool:
        """Whether the first record is but the head: the next followed it at once, not as others
        follow each other."""
        gaps = _gaps(self.turn.records)
        waits = [gap for gap in gaps[1:] if gap >= SHORTEST_WAIT]
        if not waits:
            return len(gaps) > 1 and gaps[0] < WAIT
        return gaps[0] < max(SHORTEST_WAIT, median(waits) / EARLY)

    @cached_property
    def elements(self) -> list[Sealed]:
        """Records that carry the answer; the first may be its head, if that is not apart."""
        return self.turn.records[1:] if self.is_head_apart else self.turn.records

    @property
    def amount(self) -> str:
        """How many elements there are, in words."""
        return self.medium.counted(self.elements)

    @cached_property
    def gaps(self) -> list[float]:
        """Seconds between each two."""
        return _gaps(self.elements)

    @cached_property
    def waits(self) -> list[float]:
        """The gaps that are waits."""
        return [gap for gap in self.gaps if gap >= SHORTEST_WAIT]

    def flushes(self, wait: float = SHORTEST_WAIT) -> list[list[Sealed]]:
        """Return the runs of elements between gaps of ``wait`` seconds or longer."""
        borders = [at + 1 for at, gap in enumerate(self.gaps) if gap >= wait]
        cuts = pairwise([0, *borders, len(self.elements)])
        return [self.elements[start:end] for start, end in cuts]

    @property
    def first(self) -> float | None:
        """Seconds from what asked to the first element; None if nothing that asked was captured."""
        asked = self.turn.asked
        return None if asked is None else self.elements[0].time - asked.time

    @property
    def span(self) -> float:
        """Seconds from the first element to the last."""
        return self.elements[-1].time - self.elements[0].time

    def opener(self, start: float, until: Sealed) -> Sealed | None:
        """Return what the client sent right before a wait ended, if it may open a window."""
        wait = until.time - start
        since = until.time - max(wait / EARLY, min(1.5 * self.rtt, wait / 2))
        sent = (one for one in self.turn.openers if since <= one.time <= until.time)
        return max(
            (one for one in sent if one.packet < until.packet),
            key=lambda one: one.packet,
            default=None,
        )

    @cached_property
    def openers(self) -> list[Sealed]:
        """What the client sent right before waits ended, if it did before most of them."""
        flushes = self.flushes()
        found = [self.opener(before[-1].time, after[0]) for before, after in pairwise(flushes)]
        sent = [one for one in found if one is not None]
        return sent if len(sent) >= MOST * len(found) else []

    @property
    def gap_median(self) -> float | None:
        """The usual wait in seconds; None if there is none."""
        return median(self.waits) if self.waits else None


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 6)


def _gaps(records: Sequence[Sealed]) -> list[float]:
    return [after.time - before.time for before, after in pairwise(records)]


def answers_of(
    turns: Sequence[Turn], medium: Medium, connection: ConnectionRecord
) -> list[SealedAnswer]:
    """Return the answers of a connection, with their numbers."""
    closed, rtt = windows_of(connection), connection.rtt or 0.0
    return [
        SealedAnswer(turn, number, len(turns), medium, closed, rtt)
        for number, turn in enumerate(turns)
    ]


def judge_pace(answer: SealedAnswer) -> Verdict:
    """Say whether an answer streamed, as far as sizes and times tell."""
    rules = (_client_slow, _held, _too_few, _bursty, _let_go, _streamed)
    return next(found for rule in rules if (found := rule(answer)) is not None)


def _client_slow(answer: SealedAnswer) -> Verdict | None:
    """TCP's window was closed for long: the client did not read, and nothing hides that."""
    asked = answer.turn.asked
    start = answer.elements[0].time if asked is None else asked.time
    end = answer.elements[-1].time
    closed = [one for one in answer.closed if one.start < end and one.end > start]
    told = closed_long("its TCP window", closed, start, end, answer.span)
    if told is None:
        return None
    seconds, summary = told
    shown, causes = [one.packet for one in closed], windows({"window"}).causes
    lasted = _rounded(seconds)
    found = _verdict(answer, "client-slow", "warning", summary, causes, shown, closed=lasted)
    # TCP is in the clear: this rests on more than sizes and times.
    return msgspec.structs.replace(found, summary=f"{_which(answer)}{summary}")


def _held(answer: SealedAnswer) -> Verdict | None:
    """Nearly all at once, after a wait that all of it can have been held in."""
    elements, before = answer.elements, 0
    for flush in answer.flushes(WAIT):
        if len(flush) >= BULK * len(elements) and (
            before < LEAST or before + len(flush) == len(elements)
        ):
            at = elements[before - 1].time if before else None
            asked = answer.turn.asked
            start = at if at is not None else (None if asked is None else asked.time)
            wait = 0.0 if start is None else flush[0].time - start
            took = flush[-1].time - flush[0].time
            return _at_once(answer, flush, wait) if took * EARLY <= wait >= HELD else None
        before += len(flush)
    return None


def _at_once(answer: SealedAnswer, flush: Sequence[Sealed], wait: float) -> Verdict:
    came = f"{answer.medium.counted(flush)} came at once in {_place(flush)}"
    summary = f"{came}, {duration(wait)}"
    after = "after the request" if flush[0] is answer.elements[0] else "after what came before"
    opener = answer.opener(flush[0].time - wait, flush[0])
    causes = (COLLECTED, NOT_A_STREAM, *_window(answer, [] if opener is None else [opener]))
    shown = [one.packet for one in flush]
    return _verdict(
        answer, "held", "note", f"{summary} {after}", causes, shown, held=_rounded(wait)
    )


def _place(records: Sequence[Sealed]) -> str:
    first, last = records[0].packet, records[-1].packet
    return f"{'packet' if first == last else 'packets'} {span(first, last)}"


def _too_few(answer: SealedAnswer) -> Verdict | None:
    if len(answer.elements) >= LEAST:
        return None
    said = answer.amount
    causes = (Cause("too-few-events", "certain", f"at least {LEAST} are needed to compare waits"),)
    return _verdict(
        answer, "undecided", "ok", f"only {said} came: too few to tell whether it streams", causes
    )


def _bursty(answer: SealedAnswer) -> Verdict | None:
    """Flushes of several records, again and again; alike, they may be one element each."""
    flushes = answer.flushes()
    several = [flush for flush in flushes if len(flush) > 1]
    if len(several) < 2 or len(several) < SEVERAL * len(flushes):
        return None
    if len(answer.elements) < TOGETHER * len(flushes) or len(set(map(len, flushes[1:]))) == 1:
        return None
    if answer.gap_median is None or answer.gap_median < HELD:
        return None
    period = median(after[0].time - before[0].time for before, after in pairwise(flushes))
    many = len(answer.elements) / len(flushes)
    summary = (
        f"{answer.amount} came in {count(len(flushes), 'burst')}, typically"
        f" {duration(period)} apart, about {many:.1f} at a time"
    )
    big = Cause(
        "large-elements",
        "possible",
        f"each burst may be one element, cut into {answer.medium.name}s",
    )
    causes = (COLLECTED, big, *_window(answer, answer.openers))
    shown = [flush[0].packet for flush in flushes]
    return _verdict(answer, "bursty", "note", summary, causes, shown, period=_rounded(period))


def _let_go(answer: SealedAnswer) -> Verdict | None:
    """Waits that end when the client sends something: they may be its own."""
    causes = _window(answer, answer.openers)
    wait = answer.gap_median
    if not causes or wait is None or wait < HELD:
        return None
    summary = (
        f"{answer.amount} came, typically {duration(wait)} apart, and most waits ended right after"
        " the client sent something: which side caused the waits is unknown"
    )
    shown = [one.packet for one in answer.openers]
    return _verdict(answer, "undecided", "note", summary, causes, shown)


def _window(answer: SealedAnswer, openers: Sequence[Sealed]) -> tuple[Cause, ...]:
    """Return that a window may have been waited for, if the client sent what may have opened it."""
    if not openers:
        return ()
    size = " as long as WINDOW_UPDATE" if answer.medium is TLS else ""
    few = f"in {_place(openers)}" if len(openers) == 1 else f"first in {_place(openers[:1])}"
    seen = (
        "the client did not read, and its window was used up: what came then followed at once on a"
        f" {answer.medium.name} of the client{size}, {few}"
    )
    return (Cause("client-window", "possible", seen, READ),)


def _streamed(answer: SealedAnswer) -> Verdict:
    flushes = answer.flushes()
    share = len(answer.waits) / len(answer.gaps)
    is_spread = sum(answer.waits) >= answer.span / 2 and len(flushes) >= LEAST
    wait = answer.gap_median
    if wait is None or (share < MIN_SHARE and not is_spread):
        seen = "they followed each other at once, and none came late enough to have been held"
        causes = (Cause("no-waits", "certain", seen),)
        summary = f"{answer.amount} came within {duration(answer.span)}: too fast to tell"
        return _verdict(answer, "undecided", "ok", summary, causes)
    at_a_time = len(answer.elements) / len(flushes)
    how = "one by one" if at_a_time < TOGETHER else f"about {at_a_time:.1f} at a time"
    summary = f"{answer.amount} came {how}, typically {duration(wait)} apart"
    return _verdict(answer, "streamed", "ok", summary)


def _verdict(
    answer: SealedAnswer,
    word: str,
    severity: Severity,
    summary: str,
    causes: tuple[Cause, ...] = (),
    packets: Sequence[int] = (),
    **numbers: Number,
) -> Verdict:
    return Verdict(
        "streaming",
        word,
        severity,
        f"{_which(answer)}{answer.medium.alone}, {summary}",
        tuple(sorted(set(packets))[:MAX_PACKETS]),
        causes,
        TO_TELL if any(cause.sure == "possible" for cause in causes) else "",
        evidence=(_seen(answer),),
        numbers=_numbers(answer) | numbers,
        exchange=answer.number,
        basis=answer.medium.basis,
    )


def _which(answer: SealedAnswer) -> str:
    """Return which request it is about, if there are several, before what is said of it."""
    return f"request {answer.number + 1} of {answer.of}: " if answer.of > 1 else ""


def _seen(answer: SealedAnswer) -> str:
    sizes = sorted({one.size for one in answer.elements})
    many = f"{sizes[0]:,} to {sizes[-1]:,}" if len(sizes) > 1 else f"{sizes[0]:,}"
    place = _place(answer.elements)
    head = (
        "the response's header came by itself"
        if answer.is_head_apart
        else "the first of them holds the response's header, and may hold no more"
    )
    return f"{answer.medium.described} of {many} bytes in {place}; {head}"


def _numbers(answer: SealedAnswer) -> dict[str, Number]:
    return {
        "events": len(answer.elements),
        "groups": len(answer.flushes()),
        "time_to_first_event": _rounded(answer.first),
        "gap_median": _rounded(answer.gap_median),
        "longest": _rounded(max(answer.gaps, default=None)),
        "bytes": sum(one.size for one in answer.elements),
    }
