"""HTTP/2 as both sides show it: frames, and the field sections that heads and trailers are.

Strategy: a frame is an element at its place. A field section may take several frames, so it is an
element of its own, with the place where its last frame ends: both sides know that one, also of
trailers, whose beginning our records do not tell. Names are those of the registries.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterator

from parsers.records import Fields, Http2DataRecord, Http2FrameRecord

from .elements import Element, Facts, Value, content

FRAME_TYPES = (
    *("DATA", "HEADERS", "PRIORITY", "RST_STREAM", "SETTINGS", "PUSH_PROMISE", "PING", "GOAWAY"),
    *("WINDOW_UPDATE", "CONTINUATION"),
)
SECTION_TYPES = frozenset(("HEADERS", "CONTINUATION"))
"""Frames of which both sides show what they decode to, and not each frame."""
ERROR_CODES = (
    *("NO_ERROR", "PROTOCOL_ERROR", "INTERNAL_ERROR", "FLOW_CONTROL_ERROR", "SETTINGS_TIMEOUT"),
    *("STREAM_CLOSED", "FRAME_SIZE_ERROR", "REFUSED_STREAM", "CANCEL", "COMPRESSION_ERROR"),
    *("CONNECT_ERROR", "ENHANCE_YOUR_CALM", "INADEQUATE_SECURITY", "HTTP_1_1_REQUIRED"),
)
"""RFC 9113 section 7, by their numbers."""
SETTINGS: dict[int, str] = {
    1: "HEADER_TABLE_SIZE", 2: "ENABLE_PUSH", 3: "MAX_CONCURRENT_STREAMS",
    4: "INITIAL_WINDOW_SIZE", 5: "MAX_FRAME_SIZE", 6: "MAX_HEADER_LIST_SIZE",
    8: "ENABLE_CONNECT_PROTOCOL", 9: "NO_RFC7540_PRIORITIES",
}  # fmt: skip
"""RFC 9113 section 6.5.2, RFC 8441, RFC 9218."""
HEADER = 9
"""Bytes of a frame's header."""
END_STREAM = ACK = 0x01
END_HEADERS = 0x04


def error_name(number: int) -> str:
    """Return the name of an error code of HTTP/2; its number where it has none."""
    return ERROR_CODES[number] if number < len(ERROR_CODES) else f"0x{number:x}"


def frame_type(number: int) -> str:
    """Return the name of a frame's type; its number where it has none."""
    return FRAME_TYPES[number] if number < len(FRAME_TYPES) else f"0x{number:02x}"


def setting_name(number: int) -> str:
    """Return the name of a setting; its number where it has none."""
    return SETTINGS.get(number, f"0x{number:x}")


def section_values(stream_id: int | None, fields: Fields) -> dict[str, Value]:
    """Return what is compared of a field section: its lines, numbered, in the order of the wire."""
    lines: dict[str, Value] = {
        f"header {n}": f"{name}: {value}" for n, (name, value) in enumerate(fields)
    }
    return {"stream_id": stream_id} | lines


# --- ours ---


def frame_values(record: Http2DataRecord | Http2FrameRecord) -> dict[str, Value]:
    """Return what is compared of a frame of HTTP/2."""
    size: dict[str, Value] = {"stream_id": record.stream_id or 0, "size": record.length - HEADER}
    if isinstance(record, Http2DataRecord):
        return size | _data_values(record)
    return size | {"type": record.type} | _control_values(record)


def _data_values(record: Http2DataRecord) -> dict[str, Value]:
    values: dict[str, Value] = {"type": "DATA", "end_stream": int(record.end_stream)}
    if record.data:
        is_base64 = record.encoding == "base64"
        values["data"] = content(b64decode(record.data) if is_base64 else record.data.encode())
    return values


def _control_values(record: Http2FrameRecord) -> dict[str, Value]:
    values: dict[str, Value] = {}
    if record.ack is not None:
        values["ack"] = int(record.ack)
    for index, (name, value) in enumerate(record.settings or ()):
        values[f"setting {index}"] = f"{name} {value}"
    for name in ("ping", "increment", "error_code", "last_stream_id", "promised_stream_id"):
        if (found := getattr(record, name)) is not None:
            values[name] = found
    if record.debug:
        values["debug"] = record.debug
    return values


# --- Wireshark's ---


Begun = dict[tuple[int, str], "ShownFrame"]
"""First frames of field sections that go on, by the stream of TCP and the sender."""


class ShownFrame:
    """A frame as Wireshark shows it, field by field: of a section's frames each has the fields that
    are whole in it."""

    def __init__(self, frame: Element, begun: Begun) -> None:
        self.frame = frame
        self._begun = begun
        self._flags = 0
        self._setting = ""
        self._lines: list[list[str]] = []

    @property
    def values(self) -> dict[str, Value]:
        return self.frame.values

    def take_number(self, name: str, number: int) -> None:
        """Take a field that is a number."""
        values = self.values
        match name:
            case "frame type":
                values["type"] = frame_type(number)
            case "frame flags":
                self._flags = number
                self._take_flags(number)
            case "reset" | "goaway":
                values["error_code"] = error_name(number)
            case "frame length":
                values["size"] = number
            case "setting id":
                self._setting = setting_name(number)
            case _ if name.startswith("setting "):
                count = sum(one.startswith("setting ") for one in values)
                values[f"setting {count}"] = f"{self._setting} {number}"
            case _:
                values[name.replace(" ", "_")] = number

    def _take_flags(self, flags: int) -> None:
        kind = self.values.get("type")
        if kind == "DATA":
            self.values["end_stream"] = flags & END_STREAM
        elif kind in ("SETTINGS", "PING"):
            self.values["ack"] = flags & ACK

    def take_bytes(self, name: str, data: bytes, text: str, digest: str = "") -> None:
        """Take a field that is bytes, or their text; ``digest`` stands for bytes that are many."""
        match name:
            case "field name":
                self._lines.append([text, ""])
            case "field value" if self._lines:
                self._lines[-1][1] = text
            case "frame data" if data or digest:
                self.values["data"] = digest or content(data)
            case "debug" if data:
                self.values["debug"] = text
            case "ping data" | "pong data":
                self.values["ping"] = data.hex()

    def elements(self) -> Iterator[Element]:
        """Yield the frame, if frames of its type are compared one by one, and the field section
        that it ends."""
        kind = self.values.get("type")
        if kind is None:  # the preface, which Wireshark takes for a frame without a type
            return
        if kind not in SECTION_TYPES:
            yield self.frame
        if kind in SECTION_TYPES or kind == "PUSH_PROMISE":
            yield from self._section()

    def _section(self) -> Iterator[Element]:
        frame, side = self.frame, (self.frame.stream, self.frame.sender)
        first = self._begun.pop(side, self)
        if first is not self:
            first._lines += self._lines
        if not self._flags & END_HEADERS:
            self._begun[side] = first
            return
        size = frame.values.get("size")
        assert isinstance(size, int)
        length = HEADER + size
        promised = first.values.get("promised_stream_id")
        stream_id = promised if promised is not None else first.values.get("stream_id")
        assert stream_id is None or isinstance(stream_id, int)
        yield Element(
            "http2_section", frame.stream, frame.sender, first.frame.offset, frame.frame,
            section_values(stream_id, [(name, value) for name, value in first._lines]),
            Facts(in_tls=frame.facts.in_tls), end=frame.offset + length,
            other_offset=None if frame.other_offset is None else frame.other_offset + length,
        )  # fmt: skip
