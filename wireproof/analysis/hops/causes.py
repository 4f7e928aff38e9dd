"""Why a hop did what it did, and what to do about it.

Strategy: a pattern points to its mechanism. Where two mechanisms leave the same pattern both are
named, the likelier first, and what would tell them apart.
"""

from __future__ import annotations

from collections.abc import Sequence

from parsers.records import ConnectionRecord

from ...text.wording import count, duration
from ..path import late
from ..verdict import Cause, Sure
from .changes import is_coded_by
from .clocks import AT_ONCE
from .figures import clock_bounds
from .hop import Hop
from .patterns import Held

UNBUFFER = (
    "turn response buffering off for this location (nginx: `proxy_buffering off`, or "
    "`X-Accel-Buffering: no` from the application; Apache: `flushpackets=on`)"
)
REMEDIES = {
    "proxy-buffer": UNBUFFER,
    "compressor-not-flushed": "have the proxy flush what it compresses (nginx: "
    "`X-Accel-Buffering: no` from the application), or not compress it (nginx: `gzip off` "
    "and `proxy_http_version 1.1`)",
    "proxy-timer": "set the proxy's flush interval to immediate (Caddy: `flush_interval -1`; "
    "Go: `ReverseProxy.FlushInterval = -1`)",
    "cork-200ms": "HAProxy: `option http-no-delay`",
    "proxy-batches": "make the proxy flush after each element",
    "proxy-looks-ahead": "make the proxy write each element as it completes, not with the next one",
    "proxy-buffers-request": "turn request buffering off (nginx: `proxy_request_buffering off`)",
    "fixed-delay": "look for a delay, a filter or a queue in this hop",
    "proxy-holds": UNBUFFER,
    "renames-ids": "make sure that the hop understands the `Last-Event-ID` that it gave out, or"
    " have it pass IDs on",
    "headers-held": "make the proxy send the headers at once (Node: `flushHeaders()`)",
    "client-zero-window": "the client does not keep up: make it read faster, or send less",
}


def causes_of(hop: Hop, held: Held) -> list[Cause]:
    """Return what may have held elements, the likeliest first."""
    coding = is_coded_by(hop.near, hop.far)
    buffered = Cause("proxy-buffer", "certain", _buffered(hop, held), REMEDIES["proxy-buffer"])
    stalled = _stalled(hop)
    if stalled:
        return stalled
    if coding and held.pattern not in ("timer", "fixed"):
        said = f"the hop adds {coding}, and releases whole blocks"
        either = Cause("proxy-buffer", "possible", "it may buffer, too", UNBUFFER)
        return [cause("compressor-not-flushed", "likely", said), either]
    match held.pattern:
        case "until-end" | "size":
            return [buffered]
        case "timer" if held.is_cork:
            return _cork(held)
        case "timer":
            return _timer(held)
        case "every-second" | "every-k":
            said = f"it releases {held.batch} at a time, when the last of them has come"
            return [cause("proxy-batches", "certain", said)]
        case "one-behind":
            return _one_behind(held)
        case "fixed":
            return _fixed(hop, held)
        case _:
            return _irregular(hop)


def _one_behind(held: Held) -> list[Cause]:
    said = "each leaves when the next one comes"
    if held.period is None:
        return [cause("proxy-looks-ahead", "certain", said)]
    same = f"they come so regularly that a delay of {_period(held)} each would look the same"
    return [cause("proxy-looks-ahead", "likely", said), cause("fixed-delay", "possible", same)]


def _timer(held: Held) -> list[Cause]:
    said = f"it flushes every {_period(held)}"
    if held.batch is None:
        return [cause("proxy-timer", "certain", said)]
    same = f"most flushes have {held.batch} elements: batches of {held.batch} would look the same"
    return [cause("proxy-timer", "likely", said), cause("proxy-batches", "possible", same)]


def _cork(held: Held) -> list[Cause]:
    found = [cause("cork-200ms", "likely", "the first of a flush waits 200 ms, as with TCP_CORK")]
    if held.batch is not None:
        said = f"it may release {held.batch} at a time"
        found.append(cause("proxy-batches", "possible", said))
    return found


def _irregular(hop: Hop) -> list[Cause]:
    said = "elements that came apart left together"
    if hop.clock.is_shared:
        return [cause("proxy-holds", "certain", said)]
    lost = "a segment may have been lost between one of the captures and the hop"
    return [cause("proxy-holds", "likely", said), Cause("loss", "possible", lost)]


def _fixed(hop: Hop, held: Held) -> list[Cause]:
    each = held.period or 0.0
    said = f"each leaves {duration(each)} later"
    # Whatever passed quickest bounds the offset: a head that was not held proves the rest.
    is_sure = hop.clock.is_shared or each - (hop.clock.most - hop.clock.offset) >= AT_ONCE
    found = [cause("fixed-delay", "certain" if is_sure else "likely", said)]
    if held.is_cork:
        found.insert(0, cause("cork-200ms", "likely", "TCP_CORK holds data for 200 ms"))
        found[1] = cause("fixed-delay", "possible", said)
    if not is_sure:
        offset = f"two clocks: an offset {clock_bounds(hop.clock)} would look the same"
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
    said = (
        f"the client's window was closed for {duration(closed)}, from packet {found[0]['packet']}"
    )
    return [
        cause("client-zero-window", "likely", said),
        Cause("proxy-buffer", "possible", "the hop may hold data as well", UNBUFFER),
    ]


def cause(code: str, sure: Sure, summary: str) -> Cause:
    """Return a cause with the remedy that is known for it."""
    return Cause(code, sure, summary, REMEDIES.get(code, ""))


def _period(held: Held) -> str:
    return duration(held.period or 0.0)


def _buffered(hop: Hop, held: Held) -> str:
    if held.step is not None:
        return f"it releases {held.step:,} bytes at a time"
    here = hop.near.about.response
    there = hop.far.about.response
    if here and there and here.framing == "content-length" != there.framing:
        return "it collects the response to know its length"
    return "it releases everything once its source has ended"


def lost_on_the_way(hop: Hop) -> list[Cause]:
    """Return that the network lost what an element waited for, if that explains a hop that holds.

    A hole at the client that was filled late, or bytes that the server sent twice, each within the
    time that elements took longer.
    """
    here, there = hop.near.connection, hop.far.connection
    if hop.clock.is_shared or here is None or there is None:
        return []
    waited = sum(hole["seconds"] or 0.0 for hole in here.holes if hole["sender"] == "server")
    if not there.retransmissions and waited < AT_ONCE:
        return []
    return _of_segments(here, there)


def path_causes(hop: Hop) -> list[Cause]:
    """Return what delayed some elements on their way, where records of the connections say so."""
    here, there = hop.near.connection, hop.far.connection
    if not len(hop.down) or here is None or there is None:
        return []
    if hop.down.part(1.0) - min(hop.down.added) < AT_ONCE:
        return []
    found = _stalled(hop)[:1]
    if late := _of_segments(here, there):
        found += late
    elif not found and hop.down.part(0.5) - min(hop.down.added) >= AT_ONCE:
        said = "nothing was lost, and most waited: a queue drains at the rate of the path"
        found.append(Cause("rate", "likely", said, "send less, or over a faster path"))
    return found


def _of_segments(here: ConnectionRecord, there: ConnectionRecord) -> list[Cause]:
    """Return what became of segments between two captures: lost, or overtaken by others."""
    remedy = "look at the network, not at the application"
    needless = sum(one.get("arrived_twice") is not None for one in there.resent)
    sent_again = there.retransmissions - needless
    holes = [late(hole, here.resent) for hole in here.holes if hole["sender"] == "server"]
    overtaken = sum(one.kind == "reordering" for one in holes)
    found = []
    if sent_again or (len(holes) > overtaken and not needless):
        lost = count(len(holes) - overtaken, "hole")
        said = f"{count(sent_again, 'segment')} sent again, {lost} at the client"
        found.append(Cause("loss", "certain", said, remedy))
    if overtaken:
        said = f"{count(overtaken, 'segment')} overtaken on the way"
        said += f", {needless:,} sent again needlessly" if needless else ""
        found.append(Cause("reordering", "certain", said, remedy))
    return found


def to_tell(causes: Sequence[Cause]) -> str:
    """Return what would tell several causes apart."""
    codes = {one.code for one in causes}
    if "clock-offset" in codes:
        return "capture both legs with one clock"
    if "compressor-not-flushed" in codes:
        return "the same request with Accept-Encoding: identity"
    if "loss" in codes:
        return "capture at the hop itself, on both of its sides"
    if "proxy-looks-ahead" in codes or {"proxy-timer", "proxy-batches"} <= codes:
        return "send elements at other intervals, and look again"
    if "cork-200ms" in codes:
        return "set option http-no-delay if it is HAProxy, and look again"
    return "capture on both sides of the hop while the client reads at once"
