"""The verdict on a hop: what it did to an exchange, why, and what to do about it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ...text.escape import escape
from ...text.wording import ELEMENT_NAMES, count, duration
from ..verdict import Cause, Number, Severity, Verdict
from .changes import is_coded_by, is_rechunked
from .clocks import AT_ONCE
from .patterns import Held, Pattern

if TYPE_CHECKING:
    from .hop import Hop

UNBUFFER = "turn response buffering off for this location (nginx: proxy_buffering off, or " \
    "X-Accel-Buffering: no from the application; Apache: flushpackets=on)"
REMEDIES = {
    "proxy-buffer": UNBUFFER,
    "compressor-not-flushed": "do not compress event streams at the proxy (nginx: gzip off), or "
    "send Cache-Control: no-transform",
    "proxy-timer": "set the proxy's flush interval to immediate (Caddy: flush_interval -1; "
    "Go: ReverseProxy.FlushInterval = -1)",
    "cork-200ms": "HAProxy: option http-no-delay",
    "proxy-batches": "have the proxy flush after each element",
    "proxy-looks-ahead": "have the proxy write an element when it is whole, not when the next comes",
    "fixed-delay": "look for a delay, a filter or a queue in this hop",
    "proxy-holds": UNBUFFER,
    "headers-held": "have the proxy send the head at once (Node: flushHeaders())",
    "client-zero-window": "the client does not read: have it read, or give it less",
}
PATTERNS: dict[Pattern, str] = {
    "until-end": "until the end",
    "size": "until its buffer was full",
    "timer": "until its timer let go",
    "every-second": "until the next one came, two at a time",
    "every-k": "until a batch was full",
    "one-behind": "until the next one came",
    "fixed": "for a fixed time",
    "irregular": "by no rule that shows",
}
MAX_PACKETS = 8


def judge_hop(hop: Hop) -> Verdict:
    """Return what a hop did."""
    if hop.is_path:
        return _path(hop)
    lost = hop.losses
    if lost.lost:
        return _loses(hop)
    if hop.held is not None or hop.held_up is not None:
        return _holds(hop)
    if lost.doubled or lost.moved or lost.added:
        return _rewrites(hop)
    return _transparent(hop)


def who(hop: Hop) -> str:
    """Return what a hop is called in a sentence."""
    if hop.is_path:
        return "the network path"
    named = f" ({escape(hop.proxy)})" if hop.proxy else ""
    return f"the hop between {hop.near.server} and {hop.far.server}{named}"


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
    passage = hop.down if hop.held else hop.up
    causes = _causes(hop, held)
    by = PATTERNS[held.pattern]
    number = f"{held.elements:,} of {count(len(passage), thing(hop))}"
    whose = "" if hop.held else " from the client"
    longest = f"{duration(held.seconds)} at most"
    if held.pattern == "fixed":
        longest = f"{duration(passage.part(0.5))} each"
    summary = f"{who(hop)} held {number}{whose} {by}, {longest} ({held.bytes:,} bytes)"
    return _verdict(hop, "holds", "warning", summary, causes, held)


def _causes(hop: Hop, held: Held) -> list[Cause]:
    coding = is_coded_by(hop.near, hop.far)
    is_sure = hop.clock.is_shared or held.pattern != "fixed"
    buffered = Cause("proxy-buffer", "certain", _buffered(hop, held), REMEDIES["proxy-buffer"])
    stalled = _stalled(hop)
    if stalled:
        return stalled
    match held.pattern:
        case "until-end" | "size" if coding:
            said = f"the hop puts on {coding}, and lets go of blocks"
            either = buffered.__class__("proxy-buffer", "possible", "it may buffer as well", UNBUFFER)
            return [_cause("compressor-not-flushed", "likely", said), either]
        case "until-end" | "size":
            return [buffered]
        case "timer" if held.is_cork:
            return [_cause("cork-200ms", "likely", "the first that waits waits 200 ms: TCP_CORK's")]
        case "timer":
            return [_cause("proxy-timer", "certain", f"it lets go every {_period(held)}")]
        case "every-second" | "every-k":
            said = f"{held.batch} leave when the last of them comes"
            return [_cause("proxy-batches", "certain", said)]
        case "one-behind":
            return [_cause("proxy-looks-ahead", "certain", "each leaves when the next one comes")]
        case "fixed":
            return _fixed(hop, held, is_sure=is_sure)
        case _:
            return [_cause("proxy-holds", "certain", "elements that came apart left together")]


def _fixed(hop: Hop, held: Held, *, is_sure: bool) -> list[Cause]:
    said = f"each comes {duration(held.period or 0.0)} later"
    found = [_cause("fixed-delay", "certain" if is_sure else "likely", said)]
    if held.is_cork:
        found.insert(0, _cause("cork-200ms", "likely", "200 ms are what TCP_CORK keeps data"))
        found[1] = _cause("fixed-delay", "possible", said)
    if not is_sure:
        between = f"{duration(hop.clock.least)} and {duration(hop.clock.most)}"
        offset = f"two clocks: an offset between {between} looks the same"
        found.append(Cause("clock-offset", "possible", offset))
    return found


def _stalled(hop: Hop) -> list[Cause]:
    """Return the cause where the hop could not send, because its client did not read."""
    connection = hop.near.connection
    windows = connection.closed_windows if connection else []
    found = [window for window in windows if window["sender"] == "client"]
    closed = sum(window["seconds"] or 0.0 for window in found)
    if closed < AT_ONCE:
        return []
    said = f"the client's window was closed for {duration(closed)}, from packet {found[0]['packet']}"
    return [
        _cause("client-zero-window", "likely", said),
        Cause("proxy-buffer", "possible", "the hop may hold besides", UNBUFFER),
    ]


def _cause(code: str, sure: str, summary: str) -> Cause:
    assert sure in ("certain", "likely", "possible")
    return Cause(code, sure, summary, REMEDIES.get(code, ""))  # type: ignore[arg-type]


def _period(held: Held) -> str:
    return duration(held.period or 0.0)


def _buffered(hop: Hop, held: Held) -> str:
    if held.step is not None:
        return f"it lets go of {held.step:,} bytes at a time"
    here = hop.near.about.response
    there = hop.far.about.response
    if here and there and here.framing == "content-length" != there.framing:
        return "it collects the answer to say its length"
    return "it lets go of all when its source has ended"


def _loses(hop: Hop) -> Verdict:
    lost = hop.losses.lost
    total = len(hop.far.down)
    places = _positions(lost, total)
    summary = f"{who(hop)} lost {len(lost):,} of {count(total, thing(hop))}: {places}"
    if hop.losses.is_cut:
        code = "proxy-cut"
        said = "the nearer connection ended before the answer did"
    elif lost == [*range(total - len(lost), total)]:
        code = "drops-last-event" if len(lost) == 1 else "drops-last-events"
        said = "the answer goes on to its end without them"
    elif lost == [*range(len(lost))]:
        code = "drops-first-event" if len(lost) == 1 else "drops-first-events"
        said = "it begins after them"
    else:
        code = "drops-event" if len(lost) == 1 else "drops-events"
        said = "others before and after came through"
    cause = Cause(code, "certain", said, "look into what this hop does to the content")
    return _verdict(hop, "loses", "error", summary, [cause], hop.held)


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
        (len(lost.added), "adds-events", "of its own"),
    ]
    said = ", ".join(f"{number:,} {how}" for number, _, how in parts if number)
    causes = [
        Cause(code, "certain", f"{number:,} {how}", "look into what this hop does to the content")
        for number, code, how in parts
        if number
    ]
    summary = f"{who(hop)} let {count(len(hop.near.down), thing(hop))} out: {said}"
    return _verdict(hop, "rewrites", "error", summary, causes, None)


def _transparent(hop: Hop) -> Verdict:
    causes: list[Cause] = []
    codes = [change.code for change in hop.changes]
    summary = f"{who(hop)} passes on: {_figures(hop)}"
    severity: Severity = "ok"
    if "line-ends" in codes:
        causes.append(Cause("rewrites", "certain", "it changes line ends"))
    if hop.holds_head:
        severity = "note"
        summary += f"; but the head waited for the first {thing(hop)}"
        summary += f", {duration(hop.head_added or 0.0)}"
        causes.append(_cause("headers-held", "certain", "the head leaves with the first element"))
    if is_rechunked(hop.changes) and hop.near.down.pieces > hop.far.down.pieces and not causes:
        causes.append(Cause("re-chunked", "certain", "its chunks have other borders"))
    if not len(hop.down):
        summary = f"{who(hop)} passes on, as far as the heads tell: there are no elements to time"
    return _verdict(hop, "transparent", severity, summary, causes, None)


def _path(hop: Hop) -> Verdict:
    summary = f"the network path between the captures adds {_figures(hop)}; no proxy lies there"
    return _verdict(hop, "transparent", "ok", summary, _path_causes(hop), None)


def _path_causes(hop: Hop) -> list[Cause]:
    """Return what delayed some elements on their way, where records of the connections say so."""
    here, there = hop.near.connection, hop.far.connection
    if not len(hop.down) or here is None or there is None:
        return []
    if hop.down.part(1.0) - hop.down.part(0.5) < AT_ONCE:
        return []
    found = _stalled(hop)[:1]
    sent_again = there.retransmissions
    holes = [hole for hole in here.holes if hole["sender"] == "server"]
    if sent_again or holes:
        said = f"{count(sent_again, 'segment')} sent again, {count(len(holes), 'hole')} at the client"
        found.append(Cause("loss", "certain", said, "look at the network, not at the application"))
    return found


def _figures(hop: Hop) -> str:
    if not len(hop.down):
        return "no elements to time"
    median, most = hop.down.part(0.5), hop.down.part(1.0)
    return f"{duration(median)} added in the middle, {duration(most)} at most"


def _verdict(
    hop: Hop,
    answer: str,
    severity: Severity,
    summary: str,
    causes: Sequence[Cause],
    held: Held | None,
) -> Verdict:
    near, far = _packets(hop, held)
    wasted = hop.losses
    evidence = [*_sides(hop, near, far), clock_text(hop)]
    evidence += [change.summary for change in hop.changes]
    if wasted.wasted:
        went_on = f"{count(wasted.wasted, thing(hop))}, {duration(wasted.wasted_for)}"
        evidence.append(f"the server goes on after the client left: {went_on}")
    if hop.first_grows and hop.gaps_shrink:
        evidence.append(
            "gaps shrink while the first token grows: generation cannot get faster through a proxy"
        )
    is_open = len(causes) > 1 and not any(cause.sure == "certain" for cause in causes)
    return Verdict(
        "hop",
        answer,
        severity,
        summary,
        packets=tuple(near),
        causes=tuple(causes),
        to_tell=_to_tell(causes) if is_open else "",
        evidence=tuple(evidence),
        numbers=numbers(hop, held),
    )


def _to_tell(causes: Sequence[Cause]) -> str:
    codes = {cause.code for cause in causes}
    if "clock-offset" in codes:
        return "capture both legs by one clock"
    if "compressor-not-flushed" in codes:
        return "ask once with Accept-Encoding: identity"
    if "cork-200ms" in codes:
        return "set option http-no-delay if it is HAProxy, and look again"
    return "capture on both sides of the hop while the client reads at once"


def _packets(hop: Hop, held: Held | None) -> tuple[list[int], list[int]]:
    """Return packets on the nearer side, and those on the farther one."""
    lost = hop.losses.lost[:MAX_PACKETS]
    if lost:
        return [], [hop.far.down.packets[place] for place in lost]
    passage = hop.down if hop.held or not hop.held_up else hop.up
    places = held.places if held else _slowest(hop)
    left = [passage.target.packets[passage.places[one]] for one in places]
    came = [passage.source.packets[passage.origins[one]] for one in places]
    near, far = (left, came) if passage is hop.down else (came, left)
    return [*dict.fromkeys(near)], far


def _slowest(hop: Hop) -> tuple[int, ...]:
    if not len(hop.down):
        return ()
    return (max(range(len(hop.down)), key=hop.down.added.__getitem__),)


def _sides(hop: Hop, near: Sequence[int], far: Sequence[int]) -> list[str]:
    """Return where the elements that the answer cites are seen."""
    if not far:
        return []
    there = f"packet{'s' if len(far) > 1 else ''} {', '.join(map(str, far))} of {hop.far.name}"
    if not near:
        return [f"{there}: not on the nearer leg"]
    here = f"packet{'s' if len(near) > 1 else ''} {', '.join(map(str, near))} of {hop.near.name}"
    return [f"came in {there}, left in {here}"]


def clock_text(hop: Hop) -> str:
    """Return what is known of the clocks of the two captures."""
    clock = hop.clock
    if clock.is_shared:
        return "one capture: one clock"
    bounds = f"between {duration(clock.least)} and {duration(clock.most)}"
    if clock.is_agreed:
        return f"two captures: their clocks agree, as far as can be told (offset {bounds})"
    drift = f", drifting by {clock.drift * 1e6:,.0f} ppm" if clock.drift else ""
    way = "ahead of" if clock.offset >= 0 else "behind"
    return (
        f"two clocks: {hop.near.name} is {duration(abs(clock.offset))} {way} {hop.far.name}{drift} "
        f"(offset {bounds}; a fixed delay within these bounds cannot be told from it)"
    )


def numbers(hop: Hop, held: Held | None) -> dict[str, Number]:
    """Return what programs read."""
    down, lost = hop.down, hop.losses
    clock = hop.clock
    found: dict[str, Number] = {
        "hop": "path" if hop.is_path else "proxy",
        "near": hop.near.server,
        "far": hop.far.server,
        "elements": len(down),
        "pattern": held.pattern if held else None,
        "lost": len(lost.lost),
        "lost_events": len(lost.lost),
        "doubled": len(lost.doubled),
        "duplicated": len(lost.doubled),
        "reordered": len(lost.moved),
        "header_hold": hop.holds_head,
        "rechunked": is_rechunked(hop.changes),
        "ttfe_grows": hop.first_grows,
        "gaps_shrink": hop.gaps_shrink,
        "request_added": hop.request_added,
        "head_added": hop.head_added,
    }
    if len(down):
        found |= {
            "added_first": down.added[0],
            "added_p50": down.part(0.5),
            "added_p90": down.part(0.9),
            "added_p95": down.part(0.95),
            "added_max": down.part(1.0),
            "max_added_ms": down.part(1.0) * 1e3,
        }
    if any(change.code == "line-ends" for change in hop.changes):
        found["rewritten"] = "line ends"
    if held is not None:
        found |= _held_numbers(held, down.part(0.5))
    if not clock.is_shared:
        found |= {
            "clock_offset": clock.offset,
            "clock_offset_s": clock.offset,
            "clock_uncertainty": clock.uncertainty,
            "drift_ppm": clock.drift * 1e6,
        }
    if lost.wasted:
        found |= {"wasted": lost.wasted, "wasted_seconds": lost.wasted_for}
    return found


def _held_numbers(held: Held, middle: float) -> dict[str, Number]:
    found: dict[str, Number] = {
        "held": held.elements,
        "held_bytes": held.bytes,
        "held_seconds": held.seconds,
        "flushes": held.flushes,
    }
    if held.pattern == "fixed":
        found["added_ms"] = middle * 1e3
    elif held.period is not None:
        found["period_ms"] = held.period * 1e3
    if held.step is not None:
        found["aligned"] = held.step
    if held.batch is not None:
        found["released_per_flush"] = held.batch
    return found
