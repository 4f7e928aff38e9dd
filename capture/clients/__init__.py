"""Clients that drive a server by its URL and keep what an application received."""

from __future__ import annotations

from .http import receive_chunked, receive_events
from .received import Received, ReceivedEvent, ReceivedMessage, ReceivedPiece
from .websocket import receive_messages

__all__ = [
    "Received",
    "ReceivedEvent",
    "ReceivedMessage",
    "ReceivedPiece",
    "receive_chunked",
    "receive_events",
    "receive_messages",
]
