"""WebSocket: the opening handshake, frames, messages."""

from __future__ import annotations

from .fault import Fault

FAULTS: dict[str, Fault] = {
    # --- WebSocket: opening handshake ---
    "websocket-frame-early": Fault(
        "error",
        "the client sent frames before the 101 Switching Protocols came",
        "RFC 6455 section 4.1",
    ),
    "websocket-key-invalid": Fault(
        "error", "Sec-WebSocket-Key is not 16 bytes in base64", "RFC 6455 section 4.1"
    ),
    "websocket-accept-wrong": Fault(
        "error", "Sec-WebSocket-Accept does not answer the key", "RFC 6455 section 4.2.2"
    ),
    "websocket-version-unsupported": Fault(
        "error", "Sec-WebSocket-Version is not 13", "RFC 6455 section 4.1"
    ),
    "websocket-handshake-invalid": Fault(
        "error", "the opening handshake is malformed", "RFC 6455 section 4.1"
    ),
    "websocket-subprotocol-unasked": Fault(
        "error", "the server chose a subprotocol that was not offered", "RFC 6455 section 4.1"
    ),
    "websocket-extension-unasked": Fault(
        "error", "the server chose an extension that was not offered", "RFC 6455 section 9.1"
    ),
    "websocket-extension-invalid": Fault(
        "error", "extension parameters are malformed", "RFC 7692 section 7.1"
    ),
    "websocket-extension-unknown": Fault(
        "warning",
        "an extension was agreed that is not known: payloads are shown as framed",
        "RFC 6455 section 9.1",
    ),
    # --- WebSocket: frames ---
    "websocket-rsv-set": Fault(
        "error", "a reserved bit is set that no extension defines", "RFC 6455 section 5.2"
    ),
    "websocket-opcode-reserved": Fault("error", "the opcode is reserved", "RFC 6455 section 5.2"),
    "websocket-length-not-minimal": Fault(
        "error", "the payload length is not in its shortest form", "RFC 6455 section 5.2"
    ),
    "websocket-length-invalid": Fault(
        "error", "the most significant bit of the 64-bit length is set", "RFC 6455 section 5.2"
    ),
    "websocket-mask-missing": Fault(
        "error", "a client's frame is not masked", "RFC 6455 section 5.1"
    ),
    "websocket-mask-forbidden": Fault(
        "error", "a server's frame is masked", "RFC 6455 section 5.1"
    ),
    "websocket-control-too-long": Fault(
        "error", "a control frame is longer than 125 bytes", "RFC 6455 section 5.5"
    ),
    "websocket-control-fragmented": Fault(
        "error", "a control frame is fragmented", "RFC 6455 section 5.5"
    ),
    "websocket-continuation-unexpected": Fault(
        "error", "a continuation frame without a message to continue", "RFC 6455 section 5.4"
    ),
    "websocket-continuation-expected": Fault(
        "error", "a new message begins inside a fragmented one", "RFC 6455 section 5.4"
    ),
    "websocket-utf8-invalid": Fault("error", "a text message is not UTF-8", "RFC 6455 section 8.1"),
    "websocket-close-invalid": Fault(
        "error", "a close frame's body is one byte", "RFC 6455 section 5.5.1"
    ),
    "websocket-close-code-invalid": Fault(
        "error", "this close code must not be sent", "RFC 6455 section 7.4.1"
    ),
    "websocket-close-reason-invalid": Fault(
        "error", "the close reason is not UTF-8", "RFC 6455 section 5.5.1"
    ),
    "websocket-data-after-close": Fault(
        "warning", "a frame after the close frame", "RFC 6455 section 5.5.1"
    ),
    "websocket-frame-cut": Fault(
        "error", "the stream ends inside a frame", "RFC 6455 section 7.1.4"
    ),
    "websocket-message-cut": Fault(
        "error", "the stream ends inside a fragmented message", "RFC 6455 section 5.4"
    ),
    "websocket-message-abandoned": Fault(
        "note", "a close frame ends a fragmented message", "RFC 6455 section 5.5.1"
    ),
    "websocket-payload-missing": Fault("error", "the capture lacks bytes of a frame's payload", ""),
    "websocket-frame-limit": Fault("note", "a frame is longer than what is kept of it", ""),
    "websocket-message-limit": Fault("error", "a message is longer than what is kept of it", ""),
    "websocket-fragment-limit": Fault("error", "a message has more fragments than the limit", ""),
    "websocket-framing-lost": Fault("error", "frame boundaries are lost: no more is decoded", ""),
    # --- WebSocket: permessage-deflate ---
    "websocket-deflate-damaged": Fault(
        "error", "a compressed message cannot be inflated", "RFC 7692 section 7.2.2"
    ),
    "websocket-deflate-limit": Fault("error", "an inflated message is cut at the limit", ""),
    "websocket-window-exceeded": Fault(
        "error", "a message refers further back than was agreed", "RFC 7692 section 7.1.2"
    ),
}
