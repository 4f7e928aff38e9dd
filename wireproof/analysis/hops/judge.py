"""The verdict on a hop: what it did to an exchange, why, and what to do about it."""

from __future__ import annotations

from collections.abc import Sequence
from math import isinf

from ...text.wording import ELEMENT_NAMES, count, duration
from ..ends import name_end
from ..relayed import HIDES_CUT, WAIT_FOR_LAST_WORD
from ..undelivered import REMEDY
from ..verdict import Cause, Severity, Sure, Verdict
from .causes import cause, causes_of, lost_on_the_way, path_causes, to_tell
from .changes import is_rechunked
from .clocks import AT_ONCE
from .figures import clock_text, numbers, packets, sides
from .hop import Hop
from .losses import LostBytes, lost_bytes
from .patterns import Held, Pattern
from .settings import with_settings

PATTERNS: dict[Pattern, str] = {
    "until-end": "until the end",
    "size": "until its buffer was full",
    "timer": "until its timer fired",
    "every-second": "until the next one came, two at a time",
    "every-k": "until a batch was full",
    "one-behind": "until the next one came",
    "fixed": "for a fixed time",
    "irregular": "in no visible pattern",
}


def judge_hop(hop: Hop) -> Verdict:
    """Return what a hop did."""
    if hop.is_path:
        return _path(hop)
    lost = hop.losses
    if lost.lost:
        return _loses(hop)
    if lost.is_given_up:
        return _gives_up(hop)
    if lost.hides_cut:
        return _hides_cut(hop)
    if lost.unheard:
        return _loses_messages(hop)
    if lost.doubled or lost.moved:
        return _rewrites(hop)
    if hop.held is not None and hop.held.pattern == "irregular" and lost_on_the_way(hop):
        return _transparent(hop, lost_on_the_way(hop))
    if hop.held is not None or hop.held_up is not None:
        return _holds(hop)
    if hop.request_held is not None:
        return _holds_request(hop, hop.request_held)
    if lost.added or lost.changed:
        return _rewrites(hop)
    return _transparent(hop)


def who(hop: Hop) -> str:
    """Return what a hop is called in a sentence."""
    if hop.is_path:
        return "the network path between the captures"
    between = f"between {hop.near.server} and {hop.far.server}"
    return f"the proxy {hop.proxy} ({between})" if hop.proxy else f"the hop {between}"


def thing(hop: Hop) -> str:
    """Return what its elements are called."""
    counts = hop.far.about.counts
    if counts.blocks:
        return "event"
    if counts.messages:
        return "message"
    if counts.elements:
        return ELEMENT_NAMES[counts.element_kind]
    return "run"


def _holds(hop: Hop) -> Verdict:
    held = hop.held or hop.held_up
    assert held is not None
    passage = hop.holding
    causes = causes_of(hop, held)
    by = PATTERNS[held.pattern]
    number = f"{held.elements:,} of {count(len(passage), thing(hop))}"
    whose = "" if hop.held else " from the client"
    longest = f"for up to {duration(held.seconds)}"
    if held.pattern == "fixed":
        longest = f"{duration(passage.part(0.5))} each"
    summary = f"{who(hop)} held {number}{whose} {by}, {longest} ({held.bytes:,} bytes)"
    # As of a stream: what came at the end was held, an error; what came in bursts is a warning.
    severity: Severity = "error" if held.pattern == "until-end" else "warning"
    return _verdict(hop, "holds", severity, summary, causes, held)


def _holds_request(hop: Hop, seconds: float) -> Verdict:
    size = hop.near.about.request_body.size if hop.near.about.request_body else 0
    summary = (
        f"{who(hop)} held the request body until it was complete, for {duration(seconds)} "
        f"({size:,} bytes)"
    )
    said = "it arrives piece by piece, and leaves at once"
    causes = [cause("proxy-buffers-request", "certain", said)]
    return _verdict(hop, "holds", "warning", summary, causes, None)


def _loses(hop: Hop) -> Verdict:
    lost = hop.losses.lost
    total = len(hop.far.down)
    places = _positions(lost, total)
    summary = f"{who(hop)} lost {len(lost):,} of {count(total, thing(hop))}: {places}"
    if hop.losses.is_cut:
        code = "proxy-cut"
        said = "the connection on the near side ended before the response did"
    elif lost == [*range(total - len(lost), total)]:
        code = "drops-last-event" if len(lost) == 1 else "drops-last-events"
        said = "the response goes on to its end without it"
    elif lost == [*range(len(lost))]:
        code = "drops-first-event" if len(lost) == 1 else "drops-first-events"
        said = "the response begins after it"
    else:
        code = "drops-event" if len(lost) == 1 else "drops-events"
        said = "others before and after came through"
    cause = Cause(code, "certain", said, "check what this hop does to the content")
    return _verdict(hop, "loses", "error", summary, [cause], hop.held)


def _gives_up(hop: Hop) -> Verdict:
    far = hop.far.connection
    ends = [end for end in far.ends if end["sender"] == "client"] if far else []
    silent = max(ends[0]["time"] - hop.far.about.last_time, 0.0) if ends else 0.0
    legs = "both connections" if hop.near.about.reset is None else "both sides"
    summary = f"{who(hop)} ended {legs} before the response was complete"
    summary += f", {duration(silent)} after its last byte" if ends else ""
    said = f"it ended {legs} itself"
    remedy = "raise the timeouts of this hop, or have the application send keep-alives"
    return _verdict(
        hop, "loses", "error", summary, [Cause("proxy-cut", "certain", said, remedy)], None
    )


def _hides_cut(hop: Hop) -> Verdict:
    far = hop.far.connection
    by = f": {name_end(far.ends[0])}" if far is not None and far.ends else ""
    summary = (
        f"{who(hop)} ended the answer in good order, though its server's was cut after"
        f" {count(len(hop.far.down), thing(hop))}{by}"
    )
    said = "a client takes what it got for all there is"
    cause = Cause(HIDES_CUT, "certain", said, WAIT_FOR_LAST_WORD)
    return _verdict(hop, "rewrites", "error", summary, [cause], hop.held)


def _loses_messages(hop: Hop) -> Verdict:
    lost, total = hop.losses.unheard, len(hop.near.up)
    places = _positions(lost, total)
    summary = (
        f"{who(hop)} lost {len(lost):,} of {count(total, 'message')} from the client: {places}"
    )
    said = "others before and after came through"
    causes = [Cause("drops-messages", "certain", said, "check what this hop does to messages")]
    return _verdict(hop, "loses", "error", summary, causes, hop.held)


def _positions(places: Sequence[int], total: int) -> str:
    if len(places) == 1 and places[0] == total - 1:
        return "the last one"
    named = ", ".join(f"{place + 1:,}" for place in places[:5])
    return f"number {named}{', …' if len(places) > 5 else ''}"


def _rewrites(hop: Hop) -> Verdict:
    lost = hop.losses
    parts = [
        (len(lost.doubled), "doubles-events", "twice"),
        (len(lost.moved), "reorders-events", "out of order"),
        (len(lost.added), "adds-events", "of its own making"),
        (len(lost.changed), "rewrites-content", "with different content"),
    ]
    said = ", ".join(f"{number:,} {how}" for number, _, how in parts if number)
    # Only what came through as it was proves that the rest is of the same exchange.
    sure: Sure = "likely" if len(lost.changed) == len(hop.down) else "certain"
    causes = [
        Cause(code, sure, f"{number:,} {how}", "check what this hop does to the content")
        for number, code, how in parts
        if number
    ]
    summary = f"{who(hop)} delivered {count(len(hop.near.down), thing(hop))}: {said}"
    # To translate from one API to another is what a gateway is for; to repeat itself is not.
    is_wrong = lost.doubled or lost.moved or lost.added
    severity: Severity = "error" if is_wrong else "note"
    return _verdict(hop, "rewrites", severity, summary, causes, hop.held)


def _transparent(hop: Hop, delayed_by: Sequence[Cause] = ()) -> Verdict:
    causes = list(delayed_by)
    codes = [change.code for change in hop.changes]
    summary = f"{who(hop)} passes everything on: {_figures(hop)}"
    severity: Severity = "ok"
    if "line-ends" in codes:
        causes.append(Cause("rewrites", "certain", "it changes line ends"))
    if any("changed" in change.summary for change in hop.changes if change.code == "ids"):
        severity = "note"
        said = "event IDs differ behind it: a reconnecting client sends one of this hop's"
        causes.append(cause("renames-ids", "certain", said))
    if hop.holds_head:
        severity = "note"
        summary += f"; but it held the headers until the first {thing(hop)}"
        summary += f", for {duration(hop.head_added or 0.0)}"
        causes.append(cause("headers-held", "certain", "the headers leave with the first element"))
    if is_rechunked(hop.changes) and hop.near.down.pieces > hop.far.down.pieces and not causes:
        causes.append(Cause("re-chunked", "certain", "its chunks have different boundaries"))
    if not len(hop.down):
        summary = (
            f"{who(hop)} passes on what it gets, by its headers: there are no elements to time"
        )
    return _verdict(hop, "transparent", severity, summary, causes, None)


def _path(hop: Hop) -> Verdict:
    if (lost := lost_bytes(hop.near, hop.far, hop.clock)) is not None:
        return _loses_bytes(hop, lost)
    summary = f"{who(hop)} passes everything on: {_figures(hop)}; there is no proxy"
    return _verdict(hop, "transparent", "ok", summary, path_causes(hop), None)


def _loses_bytes(hop: Hop, lost: LostBytes) -> Verdict:
    again = f"sent again {count(lost.times, 'time')}"
    last = f"the last {count(lost.length, 'byte')} of the server's"
    summary = f"{who(hop)} lost {last}, which were {again}"
    said = f"{again}, and the client acknowledged none of it"
    sure: Sure = "certain" if lost.is_sure else "likely"
    return _verdict(hop, "loses", "error", summary, [Cause("loss", sure, said, REMEDY)], None)


def _figures(hop: Hop) -> str:
    if not len(hop.down):
        return "no elements to time"
    median, most = hop.down.part(0.5), hop.down.part(1.0)
    return f"{duration(median)} added at the median, {duration(most)} at most"


def _to_tell_a_delay(hop: Hop, answer: str) -> str:
    """Return what would tell whether a hop that seems to pass on delays all alike."""
    clock = hop.clock
    if answer != "transparent" or hop.is_path or clock.is_agreed or clock.uncertainty < AT_ONCE:
        return ""
    most = "" if isinf(clock.uncertainty) else f", by {duration(clock.uncertainty)} at most"
    return f"whether it delays everything alike{most}: capture both legs with one clock"


def _verdict(
    hop: Hop,
    answer: str,
    severity: Severity,
    summary: str,
    causes: Sequence[Cause],
    held: Held | None,
) -> Verdict:
    near, far = packets(hop, held)
    wasted = hop.losses
    request = hop.request_added
    evidence = [*sides(hop, near, far), clock_text(hop)]
    evidence += [change.summary for change in hop.changes]
    if request is not None and request - hop.network >= AT_ONCE and hop.clock.is_agreed:
        evidence.append(f"the request took {duration(request)} through the hop")
    if wasted.wasted:
        went_on = f"{count(wasted.wasted, thing(hop))}, {duration(wasted.wasted_for)}"
        evidence.append(f"the server went on after the client had left: {went_on}")
    if hop.first_grows and hop.gaps_shrink:
        evidence.append(
            "the first token comes later and the gaps shrink: no proxy makes a model faster"
        )
    is_open = len(causes) > 1 and not any(cause.sure == "certain" for cause in causes)
    return Verdict(
        "hop",
        answer,
        severity,
        summary,
        packets=tuple(near),
        causes=with_settings(causes, hop.proxy),
        to_tell=to_tell(causes) if is_open else _to_tell_a_delay(hop, answer),
        evidence=tuple(evidence),
        numbers=numbers(hop, held),
    )
