"""A WebSocket's pings and its closing handshake.

Strategy: which pong answers a ping the fold of exchanges says (RFC 6455 section 5.5.3), here it is
asked how long that took. The first Close frame says who closed and why; the second one answers it
(section 5.5.1).
"""

from __future__ import annotations

from collections.abc import Sequence

from parsers.records import Sender, WebSocketFrameRecord

from ..text.escape import preview
from ..text.wording import close_code, connection_end, count, duration
from .endings import may_lack_close
from .evidence import Evidence
from .finding import Finding, not_recorded
from .recorded import COMPLETE, Lacks

REASON_WIDTH = 60
OF_CONVERSATION = "of the conversation"
OTHER: dict[Sender, Sender] = {"client": "server", "server": "client"}


def find_unanswered_ping(
    exchange: Evidence, within: float, lacks: Lacks = COMPLETE
) -> Finding | None:
    """Return the ping that waited longest, None if all were answered in time."""
    if exchange.about.is_refused:
        return _refused(exchange)
    pings = [frame for frame in exchange.frames if frame.opcode_name == "ping"]
    if not pings and (lacks.server or lacks.client):
        return not_recorded("whether there was a ping is unknown", of=OF_CONVERSATION)
    if not pings:
        said = "there was no ping, at least one expected"
        return Finding("no-ping", said, _packets(exchange.frames[-4:]))
    answers = {id(ping): pong for ping, pong in exchange.answers}
    for ping in pings:
        pong = answers.get(id(ping))
        if pong is None and _is_overtaken(exchange, ping, within):
            continue
        if pong is None and lacks.is_after(ping.last_time, OTHER[ping.sender]):
            said = f"whether the {ping.sender}'s ping in packet {ping.last_packet} was answered"
            packets = _packets([ping])
            return not_recorded(f"{said} is unknown", packets, of=OF_CONVERSATION)
        if pong is None:
            return _unanswered(exchange, ping, within)
        waited = pong.last_time - ping.last_time
        if waited > within:
            summary = (
                f"the {ping.sender}'s ping in packet {ping.last_packet} was answered after"
                f" {duration(waited)} (packet {pong.last_packet}), at most {within:g} s expected"
            )
            return Finding(
                "ping-answered-late",
                summary,
                _packets([ping, pong]),
                _in_between(exchange, ping, pong),
            )
    return None


def _is_overtaken(exchange: Evidence, ping: WebSocketFrameRecord, within: float) -> bool:
    """Whether the conversation ended in good order before the answer was due."""
    frames = exchange.closing
    return bool(frames) and frames[0].last_time <= ping.last_time + within


def _unanswered(exchange: Evidence, ping: WebSocketFrameRecord, within: float) -> Finding:
    after = [frame for frame in exchange.frames if frame.last_time > ping.last_time]
    summary = (
        f"the {ping.sender}'s ping in packet {ping.last_packet} was not answered,"
        f" a pong within {within:g} s expected"
    )
    return Finding("ping-unanswered", summary, _packets([ping, *after[:4]]), _how_closed(exchange))


def _in_between(
    exchange: Evidence, ping: WebSocketFrameRecord, pong: WebSocketFrameRecord
) -> list[str]:
    """Say what the answering side sent before its pong: a large frame holds it up."""
    before = [
        frame
        for frame in exchange.frames
        if frame.sender == pong.sender and ping.last_time < frame.last_time <= pong.last_time
    ]
    size = sum(frame.payload_length for frame in before if frame is not pong)
    others = count(len(before) - 1, "other frame")
    return [f"meanwhile the {pong.sender} sent {others} of {count(size, 'byte')}"]


def find_other_close(
    exchange: Evidence, code: int | None, by: str | None, lacks: Lacks = COMPLETE
) -> Finding | None:
    """Return how a WebSocket was closed otherwise, None if it was closed so."""
    if exchange.about.is_refused:
        return _refused(exchange)
    frames = exchange.closing
    if len(frames) < 2 and may_lack_close(frames, lacks):
        said = "whether the closing handshake was held is unknown"
        shown = _packets(exchange.frames[-4:]), _how_closed(exchange)
        return not_recorded(said, *shown, of=OF_CONVERSATION)
    if len(frames) < 2:
        seen = "there was none" if not frames else f"only the {frames[0].sender} sent one"
        summary = f"a Close frame of each side expected, {seen} (clients report 1006)"
        return Finding(
            "close-handshake-missing",
            summary,
            _packets(exchange.frames[-4:]),
            _how_closed(exchange),
        )
    first = frames[0]
    if code is not None and first.close_code != code:
        summary = f"closed with {close_code(first.close_code)}, {code} expected"
        return Finding("closed-otherwise", summary, _packets(frames), _how_closed(exchange))
    if by is not None and first.sender != by:
        summary = f"the {first.sender} closed first, the {by} expected"
        return Finding("closed-otherwise", summary, _packets(frames), _how_closed(exchange))
    return None


def _refused(exchange: Evidence) -> Finding:
    """Return that no WebSocket was opened, and the server's reason as far as it gave one."""
    response = exchange.response
    assert response is not None
    status = f"{response.status} {preview(response.reason, 'utf-8', REASON_WIDTH)}".rstrip()
    summary = f"the upgrade was refused with {status}: no WebSocket was opened"
    reasons = [one.summary for one in exchange.diagnostics if one.code == "http-upgrade-refused"]
    return Finding("upgrade-refused", summary, [response.last_packet], reasons)


def _how_closed(exchange: Evidence) -> list[str]:
    said = [
        f"the {frame.sender} sent Close {close_code(frame.close_code)}"
        f" {preview(frame.close_reason or '', 'utf-8', REASON_WIDTH)}".rstrip()
        for frame in exchange.closing
    ]
    if exchange.connection is not None:
        said.append(f"connection {connection_end(exchange.connection)}")
    return said


def _packets(frames: Sequence[WebSocketFrameRecord]) -> list[int]:
    return sorted({frame.last_packet for frame in frames})
