"""Socket.IO over Engine.IO over WebSocket.

https://socket.io/docs/v4/engine-io-protocol, https://socket.io/docs/v4/socket-io-protocol

Grammar of a message: the Engine.IO type, a digit; where that is 4 (message), the Socket.IO type,
a digit, then ``[attachments "-"] [namespace ","] [id] [JSON]``. A binary message is an attachment
of the event before it.
"""

from __future__ import annotations

import re
from typing import Any

from parsers.records import WebSocketMessageRecord

from .decoding import reading, written
from .dialect import NO_WORD, Element, Opening, TextDialect
from .errors import error_payload
from .payload import OTHER, Payload

ENGINE = {"0": "open", "1": "close", "2": "ping", "3": "pong", "5": "upgrade", "6": "noop"}
"""Engine.IO's types but for 4, a message."""
CONNECT, DISCONNECT, EVENT, ACK, CONNECT_ERROR, BINARY_EVENT, BINARY_ACK = "0123456"
PACKET = re.compile(r"([0-6])(?:[0-9]{1,6}-)?(?:(/[^,]{0,1000}),)?([0-9]{0,20})(.*)", re.DOTALL)

_any = reading(Any)
_list = reading(list[Any])


class SocketIO(TextDialect):
    """Packets of Engine.IO, versions 3 and 4."""

    name = "socket.io"
    title = "Socket.IO"
    words = {"sid": NO_WORD}

    @classmethod
    def is_spoken(cls, opening: Opening) -> bool:
        if not isinstance(opening.element, WebSocketMessageRecord):
            return False
        text = opening.text
        if text.startswith('0{"sid":'):
            return True
        return "eio=" in opening.target and text[:1] in "0123456" and text != ""

    def read(self, element: Element) -> Payload:
        if isinstance(element, WebSocketMessageRecord) and element.type == "binary":
            return Payload("other", f"{element.size:,} bytes", label="attachment")
        return super().read(element)

    def read_text(self, text: str) -> Payload:
        kind = text[:1]
        if kind == "4":
            return _packet(text[1:])
        name = ENGINE.get(kind)
        if name is None:
            return OTHER
        return Payload("ping" if kind in "236" else "control", text[1:], label=name)


def _packet(text: str) -> Payload:
    """Return what a packet of Socket.IO says."""
    found = PACKET.fullmatch(text)
    if found is None:
        return OTHER
    kind, namespace, number, data = found.groups()
    channel = namespace or ""
    if kind in (EVENT, BINARY_EVENT):
        return _event(data, channel, number)
    if kind in (ACK, BINARY_ACK):
        return Payload("other", data, channel, number, label="ack")
    if kind == CONNECT_ERROR:
        told = _any(data)
        return error_payload(data if told is None else told)._replace(label="connect_error")
    return Payload("control", data, channel, label="connect" if kind == CONNECT else "disconnect")


def _event(data: str, channel: str, number: str) -> Payload:
    """Return an event by its name and its arguments: one as such, several as a list."""
    said = _list(data)
    if not said or not isinstance(said[0], str):
        return OTHER
    arguments = said[1] if len(said) == 2 else said[1:]
    text = written(arguments) if len(said) > 1 else ""
    return Payload("other", text, channel, number, label=said[0])
