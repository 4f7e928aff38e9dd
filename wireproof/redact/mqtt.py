"""Secrets of MQTT: passwords, authentication data and what properties name, of CONNECT and AUTH,
and what PUBLISH brings under a topic that names a secret.

Packets are known by their fixed header, a length that is that of what it says, and the name of the
protocol; of AUTH and CONNACK by properties that end where they say. Sections are those of MQTT 5.0;
MQTT 3.1 and 3.1.1 have no properties.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from parsers.expressions import when_used

from .names import SECRET_NAME
from .table_rows import names_secret

Span = tuple[int, int]
CONNECT = when_used(
    # Bridges say that they are one by a bit of the version.
    rb"\x10[\x80-\xff]{0,3}[\x00-\x7f]\x00(?:\x04MQTT|\x06MQIsdp)([\x03-\x05\x83-\x85])(.)..",
    re.DOTALL,
)
# Section 3.15 (AUTH) and section 3.2 (CONNACK): what is before the properties.
AUTHENTICATES = when_used(
    rb"(?:\xf0(?P<auth>[\x80-\xff]{0,3}[\x00-\x7f])[\x00\x18\x19]"
    rb"|\x20(?P<ack>[\x80-\xff]{0,3}[\x00-\x7f])[\x00\x01][\x00-\x9f])"
)
# Section 3.3 (PUBLISH): DUP, QoS and RETAIN, and a topic without wildcards.
PUBLISHES = when_used(
    rb"(?P<flags>[\x30-\x3d])(?P<size>[\x80-\xff]{0,3}[\x00-\x7f])\x00(?P<length>[\x02-\xff])"
    rb"(?=[^\x00-\x20#+\x7f]{2})"
)
MOST_PROPERTIES = 1_024
"""Bytes of those before a payload."""
VERSION_5 = 5
USER_NAME, PASSWORD, WILL = 0x80, 0x40, 0x04
AUTHENTICATION_DATA, USER_PROPERTY = 0x16, 0x26
# Section 2.2.2.2: how long values are, of which numbers have a size, and others say theirs.
NUMBERS = {
    **dict.fromkeys((0x01, 0x17, 0x19, 0x24, 0x25, 0x28, 0x29, 0x2A), 1),
    **dict.fromkeys((0x13, 0x21, 0x22, 0x23), 2),
    **dict.fromkeys((0x02, 0x11, 0x18, 0x27), 4),
}
STRINGS = frozenset((0x03, 0x08, 0x09, 0x12, 0x15, AUTHENTICATION_DATA, 0x1A, 0x1C, 0x1F))
SUBSCRIPTION = 0x0B


def mqtt_spans(data: bytes) -> Iterator[Span]:
    """Yield where the secrets of logins are in what one side sent."""
    if b"\x00\x04MQTT" in data or b"\x00\x06MQIsdp" in data:
        for match in CONNECT.finditer(data):
            yield from _of_connect(data, match)
    for match in AUTHENTICATES.finditer(data):
        size, _ = _number(match["auth"] or match["ack"], 0)
        begin = match.end("auth" if match["auth"] else "ack")
        properties, end = _number(data, match.end())
        if end + properties == begin + size:
            found = _of_properties(data, match.end())
            yield from found or ()
    for match in PUBLISHES.finditer(data):
        yield from _of_publish(data, match)


def _of_publish(data: bytes, match: re.Match[bytes]) -> Iterator[Span]:
    """Yield what a topic brings whose last level names a secret."""
    end = match.end("size") + _number(match["size"], 0)[0]
    at = match.end() + match["length"][0]
    topic = data[match.end() : at]
    if at >= end or not names_secret(topic.rpartition(b"/")[2]):
        return
    at += 2 * (match["flags"][0] & 0x06 != 0)  # a packet's identifier
    properties = _after_properties(data, at)
    may_be = properties <= min(end, at + MOST_PROPERTIES)
    if data[at : at + 1] == b"\x00" or (may_be and _of_properties(data, at) is not None):
        at = properties  # those of version 5: text begins as none do
    if at < min(end, len(data)):
        yield at, min(end, len(data))


def _of_connect(data: bytes, match: re.Match[bytes]) -> Iterator[Span]:
    """Yield where a CONNECT packet has secrets (section 3.1)."""
    flags, at = match[2][0], match.end()
    if is_five := match[1][0] & 0x7F == VERSION_5:
        yield from _of_properties(data, at) or ()
        at = _after_properties(data, at)
    at = _after_string(data, at)  # the client's identifier
    if flags & WILL:
        if is_five:
            yield from _of_properties(data, at) or ()
            at = _after_properties(data, at)
        at = _after_string(data, _after_string(data, at))
    if flags & USER_NAME:
        at = _after_string(data, at)
    if flags & PASSWORD:
        yield from _string(data, at)


def _of_properties(data: bytes, at: int) -> list[Span] | None:
    """Return where properties have secrets, whose length is at ``at``; None if they are none."""
    size, at = _number(data, at)
    end = min(at + size, len(data))
    found: list[Span] = []
    while at < end:
        kind = data[at]
        at += 1
        if kind in NUMBERS:
            at += NUMBERS[kind]
        elif kind in STRINGS:
            if kind == AUTHENTICATION_DATA:
                found += _string(data, at)
            at = _after_string(data, at)
        elif kind == USER_PROPERTY:
            name = data[at + 2 : _after_string(data, at)].decode("latin-1")
            at = _after_string(data, at)
            if SECRET_NAME.fullmatch(name):
                found += _string(data, at)
            at = _after_string(data, at)
        elif kind == SUBSCRIPTION:
            _, at = _number(data, at)
        else:
            return None
    return found


def _string(data: bytes, at: int) -> list[Span]:
    """Return where the bytes of a string are, of which the data may have the beginning alone."""
    start, end = at + 2, min(_after_string(data, at), len(data))
    return [(start, end)] if start < end else []


def _after_string(data: bytes, at: int) -> int:
    return at + 2 + int.from_bytes(data[at : at + 2])


def _after_properties(data: bytes, at: int) -> int:
    size, at = _number(data, at)
    return at + size


def _number(data: bytes, at: int) -> tuple[int, int]:
    """Return an integer of variable size (section 1.5.5), and what follows it."""
    number = 0
    for shift in range(0, 28, 7):
        byte = data[at] if at < len(data) else 0
        at += 1
        number |= (byte & 0x7F) << shift
        if not byte & 0x80:
            break
    return number, at
