"""Other implementations of RFC 6455, asked what they deliver."""

from __future__ import annotations

import codecs

from websockets.extensions.permessage_deflate import PerMessageDeflate
from websockets.frames import Frame as PeerFrame
from websockets.protocol import OPEN, Protocol, Side
from wsproto.extensions import Extension
from wsproto.extensions import PerMessageDeflate as WsprotoDeflate
from wsproto.frame_protocol import FrameProtocol, ParseFailed

from parsers.records import Sender
from parsers.websocket.deflate import DeflateParameters
from parsers.websocket.frames import CLOSE, OPCODE_NAMES

Outcome = tuple[list[tuple[str, bytes]], bool]
"""What was delivered (kind, data), and whether the connection was failed."""


def delivered_by_wsproto(data: bytes, sender: Sender, deflate: DeflateParameters | None) -> Outcome:
    """Return what wsproto makes of the bytes after the handshake."""
    extensions: list[Extension] = []
    if deflate is not None:
        extension = WsprotoDeflate()
        extension.finalize(_deflate_header(deflate))
        extensions.append(extension)
    peer = FrameProtocol(sender == "server", extensions)
    peer.receive_bytes(data)
    delivered: list[tuple[str, bytes]] = []
    message = b""
    try:
        for item in peer.received_frames():
            payload = item.payload
            kind = OPCODE_NAMES[item.opcode]
            if isinstance(payload, tuple):
                body = b"" if payload[0] == 1005 else int(payload[0]).to_bytes(2)
                delivered.append((kind, body + (payload[1] or "").encode()))
                break
            content = payload.encode() if isinstance(payload, str) else bytes(payload)
            if item.opcode > CLOSE:
                delivered.append((kind, content))
                continue
            message += content
            if item.message_finished:
                delivered.append((kind, message))
                message = b""
    except ParseFailed:
        return delivered, True
    return delivered, False


def delivered_by_websockets(
    data: bytes, sender: Sender, deflate: DeflateParameters | None
) -> Outcome:
    """Return what websockets makes of them; it leaves decoding text to its caller."""
    side = Side.CLIENT if sender == "server" else Side.SERVER
    peer = Protocol(side, state=OPEN, max_size=None)
    if deflate is not None:
        takeover = (deflate.server_no_context_takeover, deflate.client_no_context_takeover)
        bits = (deflate.server_max_window_bits, deflate.client_max_window_bits)
        remote = 0 if sender == "server" else 1
        peer.extensions = [
            PerMessageDeflate(takeover[remote], takeover[1 - remote], bits[remote], 15)
        ]
    peer.receive_data(data)
    delivered: list[tuple[str, bytes]] = []
    kind, parts = "", b""
    for item in peer.events_received():
        assert isinstance(item, PeerFrame)
        name = OPCODE_NAMES[item.opcode]
        if item.opcode >= CLOSE:
            delivered.append((name, bytes(item.data)))
            continue
        kind, parts = (kind, parts + item.data) if name == "continuation" else (name, item.data)
        if kind == "text" and not _is_text(parts, item.fin):
            return delivered, True
        if item.fin:
            delivered.append((kind, bytes(parts)))
    return delivered, peer.parser_exc is not None and not isinstance(peer.parser_exc, EOFError)


def _is_text(data: bytes, is_end: bool) -> bool:
    try:
        codecs.utf_8_decode(data, "strict", is_end)
    except UnicodeDecodeError:
        return False
    return True


def _deflate_header(deflate: DeflateParameters) -> str:
    switches = [name for name in deflate._fields[:2] if getattr(deflate, name)]
    bits = [f"{name}={getattr(deflate, name)}" for name in deflate._fields[2:]]
    return "; ".join(["permessage-deflate", *switches, *bits])
