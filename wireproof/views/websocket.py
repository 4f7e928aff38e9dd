"""WebSocket frames in a table, in Wireshark's words: ``Text [FIN] [MASKED]``.

Strategy: a frame gives one row. Its exchange says which Ping a Pong answers, so that the row can
say how long the round trip took.
"""

from __future__ import annotations

from parsers import accept_for
from parsers.records import WebSocketFrameRecord, WebSocketMessageRecord

from ..dialects.payload import OTHER, Payload
from ..exchange import CLOSE, CONTINUATION, PONG
from ..text.escape import escape, preview
from ..text.wording import close_code, count, duration
from .lines import Line, flow
from .payload import payload_units


def frame_type(frame: WebSocketFrameRecord) -> str:
    """Return the name of a frame's opcode, as Wireshark writes it."""
    return frame.opcode_name.capitalize()


def frame_lines(
    frame: WebSocketFrameRecord,
    message: WebSocketMessageRecord | None,
    ping: WebSocketFrameRecord | None,
    width: int,
    payload: Payload = OTHER,
) -> list[Line]:
    """Return what a frame says; ``message`` is the one that it is all of, if it is.

    ``ping`` is the one that it answers, if it is a Pong.
    """
    units = _flags(frame)
    if frame.opcode == CLOSE:
        units += _close(frame, width)
    elif message is not None and message.compressed:
        units += [[(f"[inflated: {message.size}]", "type")]]
        units += payload_units(payload, width) or _payload(message, width)
    else:
        units += payload_units(payload, width) or _payload(frame, width)
    if frame.opcode == PONG:
        units.append([(_round_trip(frame, ping), "note")])
    return flow(units, width, " ")


def message_lines(
    message: WebSocketMessageRecord, width: int, payload: Payload = OTHER
) -> list[Line]:
    """Return a message that took several frames."""
    about = f"[{count(message.frames, 'frame')}{', inflated' if message.compressed else ''}]"
    content = payload_units(payload, width) or _payload(message, width)
    return flow([[(about, "type")], *content], width, " ")


def accept_verdict(key: str | None, accept: str) -> Line:
    """Return whether ``Sec-WebSocket-Accept`` answers the key (RFC 6455 section 4.2.2)."""
    if key is None:
        return [("  no key to check it with", "warning")]
    expected = accept_for(key.encode()).decode()
    if accept == expected:
        return [("  answers the key", "good")]
    return [(f"  WRONG for the key: expected {expected}", "error")]


def _flags(frame: WebSocketFrameRecord) -> list[Line]:
    """What is not as in a plain server's frame: a fragment, a reserved bit, a mask."""
    fin = "no FIN" if not frame.fin else "FIN" if frame.opcode == CONTINUATION else None
    bits = (("RSV1", frame.rsv1), ("RSV2", frame.rsv2), ("RSV3", frame.rsv3))
    names = [fin, *(name for name, is_set in bits if is_set)]
    units: list[Line] = [[(f"[{name}]", "type")] for name in names if name]
    if frame.masked:
        units.append([(f"[MASKED] {frame.masking_key}", "mask")])
    return units


def _payload(record: WebSocketFrameRecord | WebSocketMessageRecord, width: int) -> list[Line]:
    return [[(preview(record.data, record.encoding, width), "")]] if record.data else []


def _close(frame: WebSocketFrameRecord, width: int) -> list[Line]:
    units: list[Line] = [[(close_code(frame.close_code), "")]]
    if frame.close_reason:
        units.append([(f'"{escape(frame.close_reason[:width])}"', "")])
    return units


def _round_trip(pong: WebSocketFrameRecord, ping: WebSocketFrameRecord | None) -> str:
    if ping is None:
        return "unasked"
    return f"round trip {duration(pong.last_time - ping.last_time)}"
