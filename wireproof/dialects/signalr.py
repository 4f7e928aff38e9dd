"""SignalR's hub protocol in JSON and MessagePack, over WebSocket or server-sent events.

https://github.com/dotnet/aspnetcore/blob/main/src/SignalR/docs/specs/HubProtocol.md

Strategy: a message is JSON that 0x1E ends, or a length and MessagePack; several may come at once.
Which of the two it is, the handshake says, and whether a message is text or binary.
"""

from __future__ import annotations

from typing import Any

import msgspec
from parsers.records import SseEventRecord, WebSocketMessageRecord

from .decoding import Part, reading, written
from .dialect import Dialect, Element, Opening, content_bytes
from .payload import OTHER, Payload, joined

END = "\x1e"
MAX_MESSAGES = 1_000
"""Messages of one element that are read."""
NAMES = {
    1: "invocation",
    2: "item",
    3: "completion",
    4: "stream",
    5: "cancel",
    6: "ping",
    7: "close",
    8: "ack",
    9: "sequence",
}
"""By the number of their type."""


class Message(Part, rename="camel"):
    type: int | None = None
    invocation_id: Any = None
    target: str | None = None
    arguments: Any = None
    item: Any = None
    result: Any = None
    error: str | None = None
    sequence_id: Any = None
    protocol: str | None = None
    version: int | None = None


_message = reading(Message)
_unpack = msgspec.msgpack.Decoder(list[Any]).decode


class SignalR(Dialect):
    """Messages of a hub."""

    name = "signalr"
    title = "SignalR"
    words = {"protocol": frozenset(("json", "messagepack"))}

    @classmethod
    def is_spoken(cls, opening: Opening) -> bool:
        text = opening.text
        if not text.endswith(END):
            return False
        if text == "{}" + END:  # the answer to a handshake
            return True
        first = _message(text.partition(END)[0])
        return first is not None and (first.type in NAMES or first.protocol is not None)

    def read(self, element: Element) -> Payload:
        if isinstance(element, WebSocketMessageRecord) and element.type == "binary":
            return _packed(content_bytes(element))
        if element.data is None or not isinstance(element, SseEventRecord | WebSocketMessageRecord):
            return OTHER
        texts = element.data.split(END, MAX_MESSAGES)
        return joined([_said(text) for text in texts[:MAX_MESSAGES] if text])


def _said(text: str) -> Payload:
    message = _message(text)
    if message is None:
        return OTHER
    if message.protocol is not None:
        return Payload("control", f"{message.protocol} {message.version}", label="handshake")
    if message.type is None:
        if message.error is not None:
            return Payload("error", message.error, label="handshake")
        return Payload("control", label="handshake") if text == "{}" else OTHER
    return _told(message)


def _told(message: Message) -> Payload:
    kind = message.type or 0
    number = "" if message.invocation_id is None else written(message.invocation_id)
    label = NAMES.get(kind, "")
    if message.error is not None:
        return Payload("error", message.error, "", number, label=label)
    match kind:
        case 1 | 4:
            text = "" if message.arguments is None else _arguments(message.arguments)
            return Payload("other", text, message.target or "", number, label=label)
        case 2:
            return Payload("other", written(message.item), "", number, label=label)
        case 3:
            text = "" if message.result is None else written(message.result)
            return Payload("finish", text, "", number, label=label)
        case 5 | 8 | 9:
            number = number or ("" if message.sequence_id is None else str(message.sequence_id))
            return Payload("control", "", "", number, label=label)
        case 6:
            return Payload("ping")
        case 7:
            return Payload("done", "", label=label)
    return OTHER


def _arguments(arguments: Any) -> str:
    """Return the arguments of a call: one as such, several as a list."""
    if isinstance(arguments, list) and len(arguments) == 1:
        return written(arguments[0])
    return written(arguments)


def _packed(data: bytes) -> Payload:
    """Return what messages of MessagePack say, each after its length in 7 bits a byte."""
    said: list[Payload] = []
    start = 0
    while start < len(data) and len(said) < MAX_MESSAGES:
        size, start = _size(data, start)
        try:
            said.append(_positions(_unpack(data[start : start + size])))
        except (msgspec.MsgspecError, ValueError, RecursionError, TypeError, IndexError):
            return joined([*said, OTHER])
        start += size
    return joined(said) if said else OTHER


def _size(data: bytes, start: int) -> tuple[int, int]:
    """Return a length and where it ends; it takes five bytes at most."""
    size = 0
    for shift in range(5):
        if start >= len(data):
            break
        byte = data[start]
        start += 1
        size |= (byte & 0x7F) << 7 * shift
        if byte < 0x80:
            break
    return size, start


def _positions(told: list[Any]) -> Payload:
    """Return what an array says: each type has its members in places of their own."""
    kind = told[0]
    if kind in (1, 4):
        return _told(Message(kind, told[2], target=str(told[3]), arguments=_plain(told[4])))
    if kind == 2:
        return _told(Message(kind, told[2], item=_plain(told[3])))
    if kind == 3:
        if told[3] == 1:
            return _told(Message(kind, told[2], error=str(told[4])))
        return _told(Message(kind, told[2], result=_plain(told[4]) if told[3] == 3 else None))
    if kind == 5:
        return _told(Message(kind, told[2]))
    if kind == 7:
        return _told(Message(kind, error=None if told[1] is None else str(told[1])))
    return _told(Message(kind if isinstance(kind, int) else None))


def _plain(value: Any) -> Any:
    """Return a value as JSON can write it; what it has no word for, as text."""
    return msgspec.to_builtins(value, str_keys=True, enc_hook=str)
