"""STOMP over WebSocket.

https://stomp.github.io/stomp-specification-1.2.html

Grammar: ``command EOL *(header EOL) EOL body NUL``; an EOL alone is a heart-beat.
"""

from __future__ import annotations

import re

from parsers.records import WebSocketMessageRecord

from .dialect import Opening, TextDialect
from .payload import OTHER, PING, Kind, Payload, joined

PROTOCOLS = frozenset(("v10.stomp", "v11.stomp", "v12.stomp", "stomp"))
COMMANDS = frozenset(
    ("CONNECT", "STOMP", "CONNECTED", "SEND", "SUBSCRIBE", "UNSUBSCRIBE", "ACK", "NACK", "BEGIN")
    + ("COMMIT", "ABORT", "DISCONNECT", "MESSAGE", "RECEIPT", "ERROR")
)
KINDS: dict[str, Kind] = {"SUBSCRIBE": "start", "DISCONNECT": "done"}
MAX_HEADERS = 1_000
"""Headers of one frame that are read."""
EMPTY_LINE = re.compile(r"\r?\n\r?\n")
MAX_FRAMES = 1_000
"""Frames of one message that are read."""


class Stomp(TextDialect):
    """Frames of STOMP 1.0 to 1.2."""

    name = "stomp"
    title = "STOMP"

    @classmethod
    def is_spoken(cls, opening: Opening) -> bool:
        if not isinstance(opening.element, WebSocketMessageRecord):
            return False
        text = opening.text
        command = text.lstrip("\r\n")[:16].partition("\n")[0].rstrip("\r")
        if opening.subprotocol in PROTOCOLS:
            return command in COMMANDS or (text != "" and not text.strip("\r\n"))
        ends = EMPTY_LINE.search(text) is not None
        return ends and command in COMMANDS and text.rstrip("\r\n").endswith("\0")

    def read_text(self, text: str) -> Payload:
        if not text.strip("\r\n"):
            return PING if text else OTHER
        frames = text.split("\0", MAX_FRAMES)[:MAX_FRAMES]
        said = [_frame(frame.lstrip("\r\n")) for frame in frames if frame.strip("\r\n")]
        return joined(said) if said else OTHER


def _frame(text: str) -> Payload:
    end = EMPTY_LINE.search(text)
    head, body = (text, "") if end is None else (text[: end.start()], text[end.end() :])
    command, *lines = head.split("\n", MAX_HEADERS)
    command = command.rstrip("\r")
    if command not in COMMANDS:
        return OTHER
    headers: dict[str, str] = {}
    for line in lines:
        name, _, value = line.rstrip("\r").partition(":")
        headers.setdefault(name, value)  # the first of several counts (section "Repeated Header")
    channel = headers.get("destination", "")
    number = headers.get("subscription") or headers.get("id") or headers.get("receipt-id", "")
    if command == "ERROR":
        return Payload("error", headers.get("message") or body, label=command)
    if command in ("SEND", "MESSAGE"):
        return Payload("other", body, channel, number, label=command)
    if command in ("CONNECT", "STOMP", "CONNECTED"):
        version = headers.get("version") or headers.get("accept-version")
        return Payload("control", f"version {version}" if version else "", label=command)
    return Payload(KINDS.get(command, "control"), "", channel, number, label=command)
