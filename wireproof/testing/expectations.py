"""What a test expects of what is said of an exchange, and what it is told where that is otherwise.

Strategy: the judges of ``wireproof explain`` judge a test's exchanges too; an expectation compares
their answer, or the times that they looked at, with what the test wants. What a test is told is the
verdict: its sentence, what it rests on and what to do, and the rows of its packets.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import partial
from math import ceil, inf
from typing import cast, get_args

from ..analysis.arrivals import LEAST, SHORTEST_WAIT, arrivals
from ..analysis.ends import lacks_answer, may_be_reset
from ..analysis.evidence import Evidence
from ..analysis.finding import Finding, not_recorded
from ..analysis.judges import Explained
from ..analysis.latency.definitions import first_content
from ..analysis.latency.times import ASSUMED, Times, times_of
from ..analysis.pace import judge_streaming, judge_unread
from ..analysis.percentiles import percentile
from ..analysis.recorded import Pause, divided, holes, is_recorded
from ..analysis.streaming import Wanted, find_collected, no_request, not_told
from ..analysis.verdict import Question, Verdict, words_of
from ..exchange import SAID
from ..text.wording import count, duration
from ..views.verdicts.words import details, summary

JUDGED: tuple[Question, ...] = get_args(Question)
Expected = str | Collection[str] | None
"""An answer, one of several, or None: the question does not arise."""


def verdict_on(explained: Explained, question: str) -> Verdict | None:
    """Return the answer to a question, None if it does not arise; raise ValueError for none."""
    if question not in JUDGED:
        raise ValueError(f"{question!r} is not a question: expected one of {', '.join(JUDGED)}")
    return next((one for one in explained.verdicts if one.question == question), None)


def finding(verdict: Verdict, said: str = "") -> Finding:
    """Return what a test is told of a verdict, after what was ``said`` of it."""
    text = f"{said}: {summary(verdict)}" if said else summary(verdict)
    hints = [f"{label}: {line}" for label, line in details(verdict)]
    return Finding(f"{verdict.question}-{verdict.answer}", text, verdict.packets, hints)


def wanted(min_events: int | None, per_segment: int | None, min_gap: float | None) -> Wanted | None:
    """Return what a test takes for a stream, None if it leaves that to the verdict."""
    if min_events is per_segment is min_gap is None:
        return None
    usual = Wanted()
    return Wanted(
        usual.min_events if min_events is None else min_events,
        usual.per_segment if per_segment is None else per_segment,
        min_gap,
    )


def find_unstreamed(
    explained: Explained, exchange: Evidence, asked: Wanted | None
) -> Finding | None:
    """Return why a response was not streamed, None if it was.

    The verdict decides, and what a test asks besides. Where the question does not arise, as for a
    body of a type that does not stream, only that is left: what a test usually asks.
    """
    trace, verdict = explained.trace, judge_streaming(explained.trace)
    if asked is not None or verdict is None:
        found = find_collected(exchange, trace, asked or Wanted())
        if found is not None:
            said = [] if verdict is None else [_said(verdict), *finding(verdict).hints]
            return found._replace(hints=[*found.hints, *said])
    if verdict is not None and verdict.answer == "client-slow":
        verdict = judge_unread(trace, exchange.waited())
        if verdict is None and asked is None:
            came = arrivals(trace)
            left = 0 if came is None else came.without(exchange.waited()).count
            return not_told(exchange, left, LEAST)
    if verdict is None or _passes(explained, verdict, asked):
        return None
    return finding(verdict, f"streaming is {verdict.answer!r}")


def _said(verdict: Verdict) -> str:
    return f"streaming is {verdict.answer!r}: {summary(verdict)}"


def _passes(explained: Explained, verdict: Verdict, asked: Wanted | None) -> bool:
    """Whether events went out one by one, or in the way that a test has said to be right.

    A header that came late is none of the events' doing.
    """
    if verdict.answer in ("streamed", "header-held"):
        return True
    if asked is None:
        return False
    is_fast = asked.min_gap is not None and asked.min_gap < SHORTEST_WAIT
    if verdict.answer == "undecided" or is_fast:
        return True  # it came as the test wants: it knows its source
    came = arrivals(explained.trace)
    most = max((flush.size for flush in came.flushes), default=0) if came else 0
    return verdict.answer == "bursty" and most <= asked.per_segment


def find_other_verdict(explained: Explained, expected: Mapping[str, Expected]) -> Finding | None:
    """Return the first answer that is not what is expected, None if all are."""
    for question, answers in expected.items():
        verdict = verdict_on(explained, question)
        if answers is None and verdict is None:
            continue
        wanted = (answers,) if isinstance(answers, str) else answers or ()
        if verdict is None:
            said = f"{question}: {_either(wanted)} expected, but the question does not arise"
            if lacks_answer(explained.trace):
                return not_recorded(f"maybe therefore {said}")
            return Finding("no-verdict", said)
        if verdict.answer not in wanted:
            said = f"{question} is {verdict.answer!r}, {_either(wanted)} expected"
            return finding(verdict, said)
    return None


def _either(answers: Collection[str]) -> str:
    return " or ".join(map(repr, answers)) or "no answer"


def find_fault(explained: Explained) -> Finding | None:
    """Return what is wrong with an exchange, the first thing of it; None if nothing is.

    Of a response that was not recorded at all nobody can say that.
    """
    wrong = next((one for one in explained.verdicts if one.is_fault), None)
    if wrong is not None:
        return finding(wrong, f"{wrong.question} is {wrong.answer!r}")
    if explained.exchange.response is None and lacks_answer(explained.trace):
        return not_recorded("no response was recorded, whether anything is wrong is unknown")
    return None


def find_late_token(explained: Explained, below: float) -> Finding | None:
    """Return why the first token came too late, None if it did not.

    Behind bytes of the response that are missing nobody knows which token was the first.
    """
    times = times_of(explained.trace)
    if times is None or not times.contents:
        return _no_tokens(explained)
    if not times.is_asked:
        return no_request(has_head=True)
    first = times.contents[0]
    if first_content(times) is None:
        return _lacking(f"before the first token that it has, {duration(first)} after the request")
    if first < below:
        return None
    text = f"the first token came {duration(first)} after the request, below {below:g} s expected"
    hints = _origin(times)
    if times.headers is not None:
        hints.append(f"the header came {duration(times.headers)} after the request")
    streaming = verdict_on(explained, "streaming")
    if streaming is not None and streaming.is_fault:
        hints += finding(streaming).hints
    return Finding("late-token", text, _packets_at(explained, [first]), hints)


def find_slow_tokens(explained: Explained, limits: Mapping[str, float]) -> Finding | None:
    """Return which percentile of the waits between tokens is too long, None if none is.

    ``limits`` are seconds by the name of the percentile: ``p50``, ``p90``, ``p99``, ``max``.
    """
    times = times_of(explained.trace)
    if times is None or len(times.contents) < 2:
        return _no_tokens(explained)
    known, unknown = divided(times.contents, times.holes)
    waits = sorted(after - before for before, after in known)
    unknown += _around_tokens(explained, times)
    if not waits:
        return _lacking("between any two tokens")
    for name, limit in limits.items():
        part = 1.0 if name == "max" else int(name.removeprefix("p")) / 100
        found = percentile(waits, part)
        if found > limit:
            text = (
                f"{name} of {count(len(waits), 'wait')} between tokens is {duration(found)}, at"
                f" most {limit:g} s expected"
            )
            packets = _around(explained, known, found)
            return Finding("slow-tokens", text, packets, _origin(times))
        hidden = sum(map(partial(_most_waits, longer=limit), unknown))
        if percentile([*waits, *[inf] * hidden], part) > limit:
            span = duration(sum(after - before for before, after in unknown))
            said = f"in {span} it is unknown which tokens came, and whether {name} of the waits"
            return not_recorded(f"{said} between them is more than {limit:g} s")
    return None


def _around_tokens(explained: Explained, times: Times) -> list[Pause]:
    """Return the times with a hole before the first token that was recorded and after the last."""
    about = explained.exchange
    head, end = times.headers or 0.0, about.last_time - about.asked_time
    both = [(head, times.contents[0]), (times.contents[-1], end)]
    return [one for one in both if not is_recorded(*one, times.holes)]


def _most_waits(pause: Pause, longer: float) -> int:
    """Return how many waits ``longer`` than so many seconds there may have been in a pause."""
    seconds = pause[1] - pause[0]
    return max(ceil(seconds / longer) - 1, 0) if longer else 1


def _origin(times: Times) -> list[str]:
    """Say what counts as a token, and where one element may hold several."""
    lines = [] if times.dialect else ["no dialect was recognised: each event counts as a token"]
    if times.tokens_from != ASSUMED and times.tokens_per_event > 1.05:
        lines.append(f"an event holds {times.tokens_per_event:.2f} tokens on average")
    return lines


def _around(explained: Explained, waits: Sequence[Pause], gap: float) -> list[int]:
    """Return the packets before and after the first wait that long."""
    for before, after in waits:
        if after - before >= gap:
            return _packets_at(explained, [before, after])
    return []


def _packets_at(explained: Explained, moments: Collection[float]) -> list[int]:
    """Return the packets that came at moments after the request."""
    start = explained.exchange.asked_time
    marks = explained.trace.streamed
    found = dict(zip((time - start for time in marks.times), marks.packets, strict=True))
    return [found[moment] for moment in moments if moment in found]


def _lacking(where: str) -> Finding:
    return not_recorded("its times are unknown", of=f"of the response {where}")


def _no_tokens(explained: Explained) -> Finding:
    marks = explained.trace.streamed
    if explained.exchange.request is None and marks.count:
        return no_request(has_head=False)
    if holes(explained.trace) or lacks_answer(explained.trace):
        return not_recorded("when its tokens came is unknown", list(marks.packets[:1]))
    text = f"no two tokens came: {count(marks.count, 'element')} of another kind"
    return Finding("no-tokens", text, list(marks.packets[:1]))


def find_other_ending(explained: Explained, by: str | None, reason: str | None) -> Finding | None:
    """Return how an exchange ended otherwise, None if it ended so.

    ``by`` is ``client`` or ``server``: who ended the connection first. ``reason`` is the answer, a
    cause, or what ended the body (``last-chunk``).
    """
    connection = explained.exchange.connection
    ending = verdict_on(explained, "ending") or verdict_on(explained, "websocket")
    if ending is None:
        return Finding("no-ending", "nothing is known of its end")
    first = None if connection is None else connection.closed_by
    if by is not None and first != by:
        return finding(ending, f"ended by {first or 'nobody'}, {by} expected")
    known = words_of([ending])
    ended_by = str(ending.numbers.get("ended_by"))
    if ended_by in SAID or not lacks_answer(explained.trace):  # else its end may be what is missing
        known |= {ended_by}
    if reason is not None and reason not in known:
        return finding(ending, f"ending is {ending.answer!r}, {reason!r} expected")
    return None


def find_unnoticed_leaving(explained: Explained, within: float) -> Finding | None:
    """Return for how long a server went on after its client had left; None if it stopped in time.

    Where nothing was sent after the client's last packet, the server's FIN tells that it noticed.
    """
    verdict = verdict_on(explained, "disconnect")
    if verdict is None:
        ending = verdict_on(explained, "ending")
        text = "the client did not leave before the end"
        if lacks_answer(explained.trace) or may_be_reset(explained.trace):
            text = "whether the client left before the end is unknown"
        return Finding("client-stayed", text) if ending is None else finding(ending, text)
    if verdict.answer == "half-close":
        return finding(verdict, "the client did not leave before the end")
    after = verdict.numbers.get("server_stops_after", _closed_after(explained))
    if after is None:
        return finding(verdict, "nothing shows that the server noticed")
    seconds = cast(float, after)
    if seconds <= within:
        return None
    return finding(verdict, f"the server went on for {duration(seconds)}, {within:g} s expected")


def _closed_after(explained: Explained) -> float | None:
    """Return how many seconds after the client's first FIN or RST the server's came."""
    connection = explained.exchange.connection
    ends = [] if connection is None else connection.ends
    client = next((end["time"] for end in ends if end["sender"] == "client"), None)
    server = next((end["time"] for end in ends if end["sender"] == "server"), None)
    return None if client is None or server is None else server - client


def find_inexact_resumption(explained: Explained) -> Finding | None:
    """Return what came again or got lost when a stream went on; None if nothing did."""
    verdict = verdict_on(explained, "resume")
    if verdict is None:
        return Finding("not-resumed", "it does not go on where an earlier stream had stopped")
    if verdict.answer == "exact" and not verdict.is_fault:
        return None
    return finding(verdict, f"resume is {verdict.answer!r}, 'exact' expected")
