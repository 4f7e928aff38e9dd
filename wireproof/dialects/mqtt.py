"""MQTT 3.1.1 and 5 over WebSocket.

https://docs.oasis-open.org/mqtt/mqtt/v5.0/mqtt-v5.0.html

Grammar of a packet: a byte of type and flags, its remaining length in 7 bits a byte (at most four),
then what its type has. Packets need not be aligned on messages (section 6): what a message leaves
of one waits for the next, up to MAX_WAITING.
"""

from __future__ import annotations

from typing import NamedTuple

from parsers.records import Sender, WebSocketMessageRecord

from ..text.escape import escape_bytes
from .dialect import Dialect, Element, Opening, content_bytes
from .payload import CONTROL, OTHER, Kind, Payload, joined

PROTOCOLS = frozenset(("mqtt", "mqttv3.1"))
NAMES = (
    *("", "CONNECT", "CONNACK", "PUBLISH", "PUBACK", "PUBREC", "PUBREL", "PUBCOMP", "SUBSCRIBE"),
    *("SUBACK", "UNSUBSCRIBE", "UNSUBACK", "PINGREQ", "PINGRESP", "DISCONNECT", "AUTH"),
)
"""By type (section 2.1.2)."""
KINDS: dict[str, Kind] = {
    "PUBLISH": "other",
    "SUBSCRIBE": "start",
    "PINGREQ": "ping",
    "PINGRESP": "ping",
    "DISCONNECT": "done",
}
MAX_WAITING = 16 * 1024
"""Bytes of an unfinished packet that are kept; of a longer one only its beginning is shown."""
MAX_PACKETS = 1_000
"""Packets of one message that are read."""
MAX_TEXT = 4 * 1024
"""Bytes of a message to a topic that are shown."""
FAILED = 0x80
"""Reason codes from here on are failures (section 2.4)."""


class Header(NamedTuple):
    """The fixed header of a packet."""

    kind: int
    flags: int
    start: int
    """Where what follows it begins."""
    length: int


class Mqtt(Dialect):
    """Packets of MQTT."""

    name = "mqtt"
    title = "MQTT"

    def __init__(self, opening: Opening) -> None:
        super().__init__(opening)
        self._level = 4  # of the protocol: 3 is MQTT 3.1, 4 is 3.1.1, 5 is 5
        self._rest: dict[Sender, bytes] = {"client": b"", "server": b""}
        self._skip: dict[Sender, int] = {"client": 0, "server": 0}  # of a long packet

    @classmethod
    def is_spoken(cls, opening: Opening) -> bool:
        element = opening.element
        if not isinstance(element, WebSocketMessageRecord) or element.type != "binary":
            return False
        data = content_bytes(element)[:16]
        header = _header(data, 0)
        if header is None:
            return False
        if opening.subprotocol in PROTOCOLS:
            return True
        named = data[header.start : header.start + 6]
        return header.kind == 1 and named in (b"\0\x04MQTT", b"\0\x06MQIs")

    def read(self, element: Element) -> Payload:
        if not isinstance(element, WebSocketMessageRecord) or element.data is None:
            return OTHER
        data = content_bytes(element)
        skip = min(self._skip[element.sender], len(data))
        self._skip[element.sender] -= skip
        data = self._rest[element.sender] + data[skip:]
        self._rest[element.sender] = b""
        if not data:
            return Payload("other", f"{skip:,} bytes", label="goes on")
        return joined(self._packets(data, element.sender))

    def _packets(self, data: bytes, sender: Sender) -> list[Payload]:
        said: list[Payload] = []
        pos = 0
        while pos < len(data) and len(said) < MAX_PACKETS:
            header = _header(data, pos)
            if header is None:
                if len(data) - pos < 5:  # not all of it is there
                    self._rest[sender] = data[pos:]
                    break
                return [*said, OTHER]
            end = header.start + header.length
            if end > len(data) and len(data) - pos < MAX_WAITING:
                self._rest[sender] = data[pos:]
                break
            said.append(self._packet(header, data[header.start : end]))
            self._skip[sender] = max(0, end - len(data))
            pos = end
        return said or [CONTROL]

    def _packet(self, header: Header, body: bytes) -> Payload:
        name = NAMES[header.kind]
        if name == "PUBLISH":
            return self._publish(header.flags, body)
        if name == "CONNECT":
            return self._connect(body)
        if name == "CONNACK":
            code = body[1] if len(body) > 1 else 0
            return Payload("error" if code else "control", _code(code), label=name)
        if name in ("SUBSCRIBE", "UNSUBSCRIBE"):
            topic, _ = _string(body, 2 + self._properties(body, 2))
            return Payload(KINDS.get(name, "control"), "", topic, _number(body), label=name)
        if name in ("PUBACK", "PUBREC", "PUBREL", "PUBCOMP", "SUBACK", "UNSUBACK"):
            return Payload("control", "", "", _number(body), label=name)
        if name == "DISCONNECT" and body[:1] and body[0] >= FAILED:
            return Payload("error", _code(body[0]), label=name)
        return Payload(KINDS.get(name, "control"), label=name) if name else OTHER

    def _publish(self, flags: int, body: bytes) -> Payload:
        topic, pos = _string(body, 0)
        number = ""
        if flags & 0b0110:  # QoS 1 and 2 have an identifier
            number = _number(body[pos:])
            pos += 2
        pos += self._properties(body, pos)
        return Payload("other", _text(body[pos:]), topic, number, label="PUBLISH")

    def _connect(self, body: bytes) -> Payload:
        name, pos = _string(body, 0)
        if len(body) <= pos:
            return OTHER
        self._level = body[pos]
        pos += 4  # level, flags, keep alive
        client, _ = _string(body, pos + self._properties(body, pos))
        return Payload("control", f"{name} level {self._level}", client, label="CONNECT")

    def _properties(self, body: bytes, pos: int) -> int:
        """Return how many bytes the properties take that version 5 has there."""
        if self._level < 5:
            return 0
        length, end = _length(body, pos)
        return end - pos + max(length, 0)


def _code(code: int) -> str:
    """Return what a reason code is called, nothing if it is success."""
    return f"code 0x{code:02x}" if code else ""


def _text(data: bytes) -> str:
    """Return what was published: text if it is that, else bytes in hex."""
    try:
        return data[:MAX_TEXT].decode()
    except UnicodeDecodeError:
        return escape_bytes(data[:MAX_TEXT])


def _header(data: bytes, pos: int) -> Header | None:
    """Return the fixed header at ``pos``, None if there is none, or not all of it."""
    if pos >= len(data):
        return None
    length, start = _length(data, pos + 1)
    kind = data[pos] >> 4
    return None if length < 0 or not kind else Header(kind, data[pos] & 0x0F, start, length)


def _length(data: bytes, pos: int) -> tuple[int, int]:
    """Return a variable byte integer (section 1.5.5) and where it ends; -1 if there is none."""
    value = 0
    for shift in range(4):
        if pos >= len(data):
            return -1, pos
        byte = data[pos]
        pos += 1
        value |= (byte & 0x7F) << 7 * shift
        if byte < 0x80:
            return value, pos
    return -1, pos


def _string(data: bytes, pos: int) -> tuple[str, int]:
    """Return a string after its length (section 1.5.4), and where it ends."""
    end = pos + 2 + int.from_bytes(data[pos : pos + 2])
    return data[pos + 2 : end].decode(errors="replace"), end


def _number(body: bytes) -> str:
    """Return a packet identifier."""
    return str(int.from_bytes(body[:2])) if len(body) >= 2 else ""
