"""Frames of HTTP/2 as Wireshark shows them: each has what is whole in it of a field section."""

from __future__ import annotations

from wireproof.wireshark.elements import Element
from wireproof.wireshark.http2 import Begun, ShownFrame


def shown(begun: Begun, offset: int, kind: int, flags: int, *fields: tuple[bytes, bytes]):  # type: ignore[no-untyped-def]
    """A frame of ten bytes."""
    frame = ShownFrame(Element("http2_frame", 0, "client", offset, 7), begun)
    frame.take_number("frame length", 10)
    frame.take_number("frame type", kind)
    frame.take_number("frame flags", flags)
    frame.take_number("stream id", 3)
    for name, value in fields:
        frame.take_bytes("field name", name, name.decode())
        frame.take_bytes("field value", value, value.decode())
    return list(frame.elements())


def test_a_section_of_two_frames() -> None:
    begun: Begun = {}
    assert shown(begun, 100, 1, 0, (b":method", b"GET")) == []
    (section,) = shown(begun, 119, 9, 4, (b"a", b"b"))
    assert section.values == {"stream_id": 3, "header 0": ":method: GET", "header 1": "a: b"}
    assert (section.offset, section.end) == (100, 138)
    assert section.place() == ("http2_section", 0, "client", 138)
    assert begun == {}


def test_a_promise_is_a_frame_and_a_section() -> None:
    frame = ShownFrame(Element("http2_frame", 0, "server", 0, 7), {})
    for name, number in (("frame length", 10), ("frame type", 5), ("frame flags", 4)):
        frame.take_number(name, number)
    frame.take_number("promised stream id", 2)
    promise, section = frame.elements()
    assert promise.values["type"] == "PUSH_PROMISE"
    assert section.values == {"stream_id": 2}


def test_settings() -> None:
    frame = ShownFrame(Element("http2_frame", 0, "server", 0, 7), {})
    for name, number in (("frame length", 12), ("frame type", 4), ("frame flags", 0)):
        frame.take_number(name, number)
    for setting, name, value in (
        (3, "setting max concurrent streams", 100),
        (99, "setting unknown", 1),
    ):
        frame.take_number("setting id", setting)
        frame.take_number(name, value)
    (found,) = frame.elements()
    settings = {name: value for name, value in found.values.items() if name.startswith("setting ")}
    assert settings == {"setting 0": "MAX_CONCURRENT_STREAMS 100", "setting 1": "0x63 1"}


def test_the_preface_is_no_frame() -> None:
    assert list(ShownFrame(Element("http2_frame", 0, "client", 0, 7), {}).elements()) == []
