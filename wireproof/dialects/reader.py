"""Reads the elements of one exchange in the dialect that it turns out to speak.

Strategy: what is the same for every event stream is known here: comments and events without data
keep the line open, events that are named ``ping`` do so too, and ``[DONE]`` is a last word. All
else is asked of the dialect that recognised the exchange.
"""

from __future__ import annotations

from parsers.records import BodyElementRecord, ChunkRecord, DataRecord, SseEventRecord
from parsers.records import WebSocketMessageRecord as Message

from ..exchanges import Exchange
from .payload import DONE, OTHER, PING, Payload

Element = SseEventRecord | Message | BodyElementRecord | ChunkRecord | DataRecord
KEEP_ALIVE_EVENTS = frozenset(("ping", "heartbeat", "keepalive", "keep-alive"))
LAST_WORD = "[DONE]"


class DialectReader:
    """The payloads of one exchange's elements, in their order."""

    def __init__(self, about: Exchange) -> None:
        self.about = about
        self.name = ""
        """The dialect's name, empty as long as none was recognised."""

    def read(self, element: Element) -> Payload:
        """Return what an element says."""
        if isinstance(element, SseEventRecord):
            if not element.dispatched or element.event in KEEP_ALIVE_EVENTS:
                return PING
            if element.data == LAST_WORD:
                return DONE
        return OTHER
