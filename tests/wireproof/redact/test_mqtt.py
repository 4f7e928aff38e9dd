"""Logins of MQTT: CONNECT of all versions, AUTH, what properties name, and what PUBLISH brings."""

from __future__ import annotations

import pytest

from wireproof.redact.mqtt import mqtt_spans

SECRET = b"Zq7vLw9xKt3n"


def string(data: bytes) -> bytes:
    return len(data).to_bytes(2) + data


def sized(data: bytes) -> bytes:
    """Data after its length, an integer of variable size."""
    size, found = len(data), b""
    while size > 0x7F:
        found += bytes((size & 0x7F | 0x80,))
        size >>= 7
    return found + bytes((size,)) + data


def connect(*, properties: bytes = b"", will: bytes = b"", login: bytes = b"") -> bytes:
    flags = 0x02 | (0x04 if will else 0) | (0xC0 if login else 0)
    body = string(b"MQTT") + bytes((5, flags, 0, 60)) + sized(properties) + string(b"me")
    if will:
        body += sized(will) + string(b"topic") + string(b"gone")
    return b"\x10" + sized(body + login)


def publish(topic: bytes, payload: bytes, *, qos: int = 0, before: bytes = b"") -> bytes:
    identifier = b"\x00\x07" if qos else b""
    return bytes((0x30 | qos << 1,)) + sized(string(topic) + identifier + before + payload)


DATA = b"\x16" + string(SECRET)
METHOD = b"\x15" + string(b"SCRAM-SHA-1")
NAMED = b"\x26" + string(b"api_key") + string(SECRET)
OTHERS = (
    b"\x11\x00\x00\x00\x3c\x21\x00\x0a\x27\x00\x00\x10\x00\x17\x01\x0b\x81\x01"
    + b"\x26"
    + string(b"tenant")
    + string(b"one of many")
)
WITH_SECRET = {
    "authentication data": connect(properties=METHOD + DATA),
    "after other properties": connect(properties=OTHERS + METHOD + DATA),
    "a property that a user names": connect(properties=NAMED),
    "a property of a will": connect(will=b"\x18\x00\x00\x00\x01" + NAMED),
    "a password behind a will": connect(
        will=OTHERS, properties=OTHERS, login=string(b"anna") + string(SECRET)
    ),
    "many properties": connect(properties=20 * OTHERS + METHOD + DATA),
    "AUTH that goes on": b"\xf0" + sized(b"\x18" + sized(METHOD + DATA)),
    "AUTH again": b"\xf0" + sized(b"\x19" + sized(METHOD + DATA)),
    "CONNACK": b"\x20" + sized(b"\x00\x00" + sized(METHOD + DATA)),
    "a topic that names a secret": publish(b"dev/1/api_key", SECRET),
    "with an identifier": publish(b"dev/1/wifi-password", SECRET, qos=1),
    "without properties": publish(b"password", SECRET, before=b"\x00"),
    "with properties": publish(b"a/token", SECRET, qos=2, before=b"\x02\x01\x01"),
    "after another packet": b"\xc0\x00" + b"\xf0" + sized(b"\x18" + sized(METHOD + DATA)),
}


@pytest.mark.parametrize("name", WITH_SECRET)
def test_secrets_are_found(name: str) -> None:
    data = WITH_SECRET[name]
    assert [data[start:end] for start, end in mqtt_spans(data)] == [SECRET]
    # and as much as has come
    cut = data[: data.index(SECRET) + 5]
    found = [cut[start:end] for start, end in mqtt_spans(cut)]
    assert found == [SECRET[:5]] or data[:1] in (b"\xf0", b"\x20", b"\xc0")


@pytest.mark.parametrize(
    "data",
    [
        connect(),
        connect(properties=OTHERS),
        b"\xf0\x02\x18\x00",
        b"\xf0\x05\x18\x03\x55\x00\x00",  # a property that there is not
        b"\x20\x03\x00\x00\x00",
        b"\x30\x0e" + string(b"topic") + b"password",
        publish(b"dev/1/state", SECRET),
        publish(b"session/1/temperature", b"21.5 degrees"),
        publish(b"password", b""),
        b"\x30\xff\xff\xff\x7f\x00\x08pass",
        b"\x20" * 500,
        b"\xf0\xff\xff\xff\x7f\x18" * 99,
        b"",
    ],
)
def test_what_has_none(data: bytes) -> None:
    assert list(mqtt_spans(data)) == []
    for cut in range(len(data)):
        list(mqtt_spans(data[:cut]))
