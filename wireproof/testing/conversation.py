"""A WebSocket's pings and its closing handshake.

Strategy: a pong answers the latest ping of the other side with the same payload (RFC 6455 section
5.5.3: one pong may answer several pings, those before it included). The first Close frame says who
closed and why; the second one answers it (section 5.5.1).
"""

from __future__ import annotations

from parsers.records import WebSocketFrameRecord

from ..text.escape import preview
from ..text.wording import close_code, connection_end, count, duration
from .exchange import Exchange
from .faults import Fault

REASON_WIDTH = 60


def closing(exchange: Exchange) -> list[WebSocketFrameRecord]:
    """Return the first Close frame, and the other side's, as far as they came."""
    frames = [frame for frame in exchange.frames if frame.opcode_name == "close"]
    return frames[:1] + [f for f in frames[1:] if f.sender != frames[0].sender][:1]


def find_unanswered_ping(exchange: Exchange, within: float) -> Fault | None:
    """Return the ping that waited longest, None if all were answered in time."""
    pings = [frame for frame in exchange.frames if frame.opcode_name == "ping"]
    if not pings:
        return Fault("there was no ping, at least one expected", _packets(exchange.frames[-4:]))
    for ping in pings:
        pong = _answer(exchange, ping)
        if pong is None and _is_overtaken(exchange, ping, within):
            continue
        if pong is None:
            return _unanswered(exchange, ping, within)
        waited = pong.last_time - ping.last_time
        if waited > within:
            summary = (
                f"the {ping.sender}'s ping in packet {ping.last_packet} was answered after"
                f" {duration(waited)} (packet {pong.last_packet}), {within:g} s may pass"
            )
            return Fault(summary, _packets([ping, pong]), _in_between(exchange, ping, pong))
    return None


def _answer(exchange: Exchange, ping: WebSocketFrameRecord) -> WebSocketFrameRecord | None:
    """Return the pong that answers a ping: its own, or that of a later one."""
    later = [frame for frame in exchange.frames if frame.last_time >= ping.last_time]
    answered = {frame.data for frame in later if _is(frame, "ping", ping.sender)}
    return next(
        (
            frame
            for frame in later
            if frame.opcode_name == "pong"
            and frame.sender != ping.sender
            and frame.data in answered
        ),
        None,
    )


def _is(frame: WebSocketFrameRecord, name: str, sender: str) -> bool:
    return frame.opcode_name == name and frame.sender == sender


def _is_overtaken(exchange: Exchange, ping: WebSocketFrameRecord, within: float) -> bool:
    """Whether the conversation ended in good order before the answer was due."""
    frames = closing(exchange)
    return bool(frames) and frames[0].last_time <= ping.last_time + within


def _unanswered(exchange: Exchange, ping: WebSocketFrameRecord, within: float) -> Fault:
    after = [frame for frame in exchange.frames if frame.last_time > ping.last_time]
    summary = (
        f"the {ping.sender}'s ping in packet {ping.last_packet} was not answered,"
        f" a pong within {within:g} s expected"
    )
    return Fault(summary, _packets([ping, *after[:4]]), _how_closed(exchange))


def _in_between(
    exchange: Exchange, ping: WebSocketFrameRecord, pong: WebSocketFrameRecord
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


def find_other_close(exchange: Exchange, code: int | None, by: str | None) -> Fault | None:
    """Return how a WebSocket was closed otherwise, None if it was closed so."""
    frames = closing(exchange)
    if len(frames) < 2:
        seen = "there was none" if not frames else f"only the {frames[0].sender} sent one"
        summary = f"a Close frame of each side expected, {seen} (clients report 1006)"
        return Fault(summary, _packets(exchange.frames[-4:]), _how_closed(exchange))
    first = frames[0]
    if code is not None and first.close_code != code:
        summary = f"closed with {close_code(first.close_code)}, {code} expected"
        return Fault(summary, _packets(frames), _how_closed(exchange))
    if by is not None and first.sender != by:
        summary = f"the {first.sender} closed first, the {by} expected"
        return Fault(summary, _packets(frames), _how_closed(exchange))
    return None


def _how_closed(exchange: Exchange) -> list[str]:
    said = [
        f"the {frame.sender} sent Close {close_code(frame.close_code)}"
        f" {preview(frame.close_reason or '', 'utf-8', REASON_WIDTH)}".rstrip()
        for frame in closing(exchange)
    ]
    if exchange.connection is not None:
        said.append(f"connection {connection_end(exchange.connection)}")
    return said


def _packets(frames: list[WebSocketFrameRecord]) -> list[int]:
    return sorted({frame.last_packet for frame in frames})
