"""What both sides are brought to before they are compared: elements at stream offsets.

An element is something that was sent: a message's head with its content, a chunk, a frame. It has
a place, (stream, sender, offset), by which the two sides are paired, and values by name, which are
compared one by one. The names are ours; ``fields.py`` says which of Wireshark's they stand for.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256
from typing import Literal

Kind = Literal[
    "connection", "request", "response", "chunk", "websocket_frame", "tls", "tls_record",
    "http2_frame",
    "http2_section",
]  # fmt: skip
Value = str | int | bytes | None
Place = tuple[str, int, str, int]
"""(kind, stream, sender, offset): what pairs an element with its like; of a field section the
offset is that of its end."""

MAX_VALUE = 256
"""Bytes of a payload that are kept to be shown; a longer one is kept as its length and digest, so
that memory grows with the number of elements and not with their size."""


def content(data: bytes) -> Value:
    """Return a payload as what is compared: text if it is UTF-8, else bytes; a digest if long."""
    if len(data) > MAX_VALUE:
        return digest(len(data), sha256(data).hexdigest())
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data


def digest(size: int, hexadecimal: str) -> str:
    """Return how a payload is named by its length and SHA-256."""
    return f"{size:,} bytes, SHA-256 {hexadecimal}"


@dataclass(slots=True)
class Facts:
    """What our decoder knows of a message or frame that is no value of its own, but may explain."""

    codes: set[str] = field(default_factory=set)
    """Of the diagnostics that lie in it."""
    complete: bool = True
    """Its body was whole."""
    gap: int | None = None
    """Where the first hole in its sender's stream begins."""
    transfer_encoding: str = ""
    content_encoding: str = ""
    compressed: bool = False
    fragments: int = 1
    """Frames of the message that this frame completes."""
    protocol: str = ""
    """Of the connection."""
    midstream: bool = False
    subprotocol: str = ""
    """What was agreed on for the messages of a WebSocket (RFC 6455 section 1.9)."""
    is_moved: bool = False
    """The file's packets were decoded in order of time."""
    in_tls: bool = False
    """It was decrypted: its place is a count."""
    has_hellos: bool = True
    """Both hellos of its connection are in the capture."""
    has_handshake: bool = True
    """The rest of its handshake was read up to the server's Finished."""
    late_secrets: bool = False
    """The capture has secrets after packets."""
    later_packets: int = 0
    """Packets that tshark counts to the stream after our connection's last one, if it closed."""
    is_later: bool = False
    """It lies in such a packet."""
    in_tunnel: bool = False
    """It was sent in a tunnel that CONNECT opened, or is the response that opened it."""
    after_proxy_header: bool = False
    """Its connection begins with a PROXY protocol header."""
    stream_id: int | None = None
    """Of the stream of HTTP/2 whose DATA it was sent in."""
    shown: bool = False
    """Wireshark shows the message that it is or belongs to."""


@dataclass(slots=True)
class Element:
    """One thing that was sent, as one side sees it."""

    kind: Kind
    stream: int
    sender: str
    """``client`` or ``server``; of Wireshark's connections neither: empty."""
    offset: int
    """In its sender's stream, from 0."""
    frame: int
    """The frame at which Wireshark shows it, or should."""
    values: dict[str, Value] = field(default_factory=dict)
    facts: Facts = field(default_factory=Facts)
    end: int = 0
    """After its last byte; 0 where only the offset is known."""
    other_offset: int | None = None
    """A second place that Wireshark's output leaves possible (see ``pdml.py``)."""
    exchange: int | None = None
    """Of its connection; None of a connection itself, and of what only Wireshark shows."""
    number: int = 0
    """By which all of one side are in order."""

    def place(self) -> Place:
        """Return what pairs it; of field sections both sides know only where they end."""
        at = self.end if self.kind == "http2_section" else self.offset
        return self.kind, self.stream, self.sender, at
