"""Decode the frames of one sender, and read what comes of them."""

from __future__ import annotations

from collections.abc import Iterable

from parsers.diagnostics import Diagnostic
from parsers.provenance import Event
from parsers.records import Sender
from parsers.websocket.deflate import DeflateParameters
from parsers.websocket.frames import Frame
from parsers.websocket.messages import Message, WebSocketDecoder

from .cuts import at, events

DEFLATE = DeflateParameters()


def decode(
    data: bytes,
    sender: Sender = "server",
    deflate: DeflateParameters | None = None,
    cuts: Iterable[int] = (),
    eof: bool = True,
    keep_data: bool = True,
) -> list[Event]:
    decoder = WebSocketDecoder(sender, deflate=deflate, keep_data=keep_data)
    return events(decoder, data, at(cuts), eof)


def strip(item: Event) -> Event:
    """Return an event as it is given when data are not kept."""
    if isinstance(item, Message):
        return Message(
            item.start, item.end, item.type, item.size, b"", item.frames, item.compressed
        )
    if isinstance(item, Frame):
        values = {name: getattr(item, name) for name in item.__struct_fields__}
        return Frame(**{**values, "payload": None})
    return item


def messages(found: list[Event]) -> list[Message]:
    return [item for item in found if isinstance(item, Message)]


def codes(found: list[Event]) -> list[str]:
    return [item.code for item in found if isinstance(item, Diagnostic)]
