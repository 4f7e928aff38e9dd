"""What Wireshark dissects, read from tshark's PDML as a stream.

Strategy: tshark prints the packets that hold HTTP or WebSocket, with the fields of these protocols
only. expat calls us for each tag; of a packet we keep the fields of our table, and turn them into
elements when it ends: memory holds one packet's fields and the elements, whatever the size of the
file (67 MB of PDML for a capture of 0.7 MB) and of a value (:mod:`.long_values`). PDML is the one
output that keeps repeated layers apart, their order, their positions, and the raw bytes behind each
field.

Positions: ``pos`` counts in the packet, or in the buffer put together from several segments, and
PDML does not say which. Where segments were put together just before a layer, the layer's own
packet is kept as its second possible place (``other_offset``).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO, NamedTuple, Protocol
from xml.parsers import expat

from .elements import Element, Facts, Kind, Value, content, digest
from .encrypted import AGREED, CONTENT_TYPES, Agreed, InnerPlaces
from .fields import TABLE, Version, names
from .http2 import Begun, ShownFrame
from .locate import Tshark
from .long_values import ShorterValues
from .run import TsharkFailed, run_tshark
from .segments import TsharkSegment

PIECE = 1 << 18
"""Bytes of PDML read at once."""

FIRST_SEGMENT = re.compile(r"#(\d+)\((\d+)\)")
"""In "3 Reassembled TCP Segments (444 bytes): #6(207), #8(12), ...": frame and bytes."""


BLANKS = " \t\r\n"
"""What stands around a field value in a whole line: OWS and the line end (RFC 9110 5.5)."""


class ByFrame(Protocol):
    """Segments by the frames that carried them."""

    def get(self, frame: int, /) -> TsharkSegment | None: ...


class Node(NamedTuple):
    """A field of our table, or a protocol, as it stands in a packet."""

    name: str
    """Ours; of a protocol Wireshark's."""
    show: str
    value: str
    pos: int
    """Where it begins in its buffer, and how many bytes it takes there."""
    size: int
    label: str
    digest: str = ""
    """What stands for bytes that are too many to be kept; ``value`` is empty then."""

    def content(self) -> Value:
        """Return the bytes behind a field as what is compared of a payload."""
        return self.digest or content(self.data())

    def data(self) -> bytes:
        """Return the bytes behind a field; an error names what cannot be read as them."""
        try:
            return bytes.fromhex(self.value)
        except ValueError as error:
            raise TsharkFailed(f"tshark printed {self.value[:40]!r} for {self.name}") from error


PROTOCOLS = frozenset(("tcp", "http", "http2", "websocket", "tls"))


class _Tags:
    """Takes expat's calls; ``packets`` are those that ended since it was last emptied."""

    def __init__(self, version: Version) -> None:
        self._names = names(version)
        self._frame = 0
        self._nodes: list[Node] = []
        self.packets: list[tuple[int, list[Node]]] = []

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        name = attributes.get("name", "")
        if tag == "field":
            ours = self._names.get(name)
            if ours is not None:
                self._nodes.append(_node(ours, attributes))
            elif name == "num":
                self._frame = int(attributes["show"])
        elif tag == "proto" and name in PROTOCOLS:
            self._nodes.append(_node(name, attributes))

    def end(self, tag: str) -> None:
        if tag == "packet":
            self.packets.append((self._frame, self._nodes))
            self._nodes = []


def _node(name: str, attributes: dict[str, str]) -> Node:
    get = attributes.get
    return Node(
        name,
        get("show", ""),
        get("value", ""),
        int(get("pos", "0")),
        int(get("size", "0")),
        get("showname", ""),
        get("digest", ""),
    )


def read_packets(stream: BinaryIO, version: Version) -> Iterator[tuple[int, list[Node]]]:
    """Yield the frame number and the fields of each packet of a PDML document.

    Raises TsharkFailed where it is no XML; a document that just stops gives its whole packets,
    because how tshark ended says more.
    """
    tags = _Tags(version)
    parser = expat.ParserCreate()
    parser.StartElementHandler = tags.start
    parser.EndElementHandler = tags.end
    for piece in _pieces(stream):
        try:
            parser.Parse(piece)
        except expat.ExpatError as error:
            raise TsharkFailed(f"tshark printed PDML that is not XML: {error}") from error
        yield from tags.packets
        tags.packets.clear()


def _pieces(stream: BinaryIO) -> Iterator[bytes]:
    shorter = ShorterValues()
    while piece := stream.read(PIECE):
        yield shorter.receive(piece)
    yield shorter.finish()


def read_elements(
    tshark: Tshark,
    capture: Path,
    segments: ByFrame,
    clients: dict[int, int],
    http2_ports: Sequence[int] = (),
    keylog: str | None = None,
) -> Iterator[Element]:
    """Yield what Wireshark shows of HTTP/1.1, WebSocket, TLS and frames of HTTP/2.

    ``clients`` has the client's port of each stream: what it sent is the client's. Wireshark is
    told which ports speak HTTP/2 without TLS: it asks nobody but the port's number. ``keylog`` is
    the file that it decrypts TLS with.
    """
    shown = "http or websocket or tls or http2"
    arguments = ["-Y", shown, "-T", "pdml", "-J", "http websocket data tls http2"]
    if keylog is not None:
        arguments += ["-o", f"tls.keylog_file:{Path(keylog).resolve()}"]
    for port in http2_ports:
        arguments += ["-d", f"tcp.port=={port},http2"]
    agreed: dict[int, Agreed] = {}
    begun: Begun = {}
    inner = InnerPlaces()
    with run_tshark(tshark, capture, arguments) as stream:
        for frame, nodes in read_packets(stream, tshark.version):
            segment = segments.get(frame)
            if segment is not None:
                packet = _Packet(segment, segments, clients, agreed, begun)
                for element in packet.read(nodes):
                    if element.facts.in_tls and element.kind != "tls_record":
                        inner.place(element)
                    yield element
    elements = [found.element for found in agreed.values()]
    yield from (one for one in elements if any(one.values[name] for name in AGREED))


class _Packet:
    """Turns the fields of one packet into elements."""

    def __init__(
        self,
        segment: TsharkSegment,
        segments: ByFrame,
        clients: dict[int, int],
        agreed: dict[int, Agreed] | None = None,
        begun: Begun | None = None,
    ) -> None:
        self._agreed = {} if agreed is None else agreed
        self._begun = {} if begun is None else begun
        self._segment = segment
        self._segments = segments
        is_client = clients.get(segment.stream) == segment.port
        self._sender = "client" if is_client else "server"
        self._base = self._frame_base = 0
        self._in_tls = False
        self._elements: list[Element] = []
        self._open: Element | None = None
        """The message or frame whose fields come now."""
        self._chunk: Element | None = None
        self._record: Element | None = None
        self._frame: ShownFrame | None = None
        self._pos = 0
        self._headers = 0

    def read(self, nodes: list[Node]) -> list[Element]:
        for node in nodes:
            handle = HANDLERS.get(node.name)
            if handle is not None:
                handle(self, node)
        self._end_frame()
        return self._elements

    # --- where it lies ---

    def tcp(self, node: Node) -> None:
        """The TCP header: its data begins after it."""
        self._frame_base = self._base = self._segment.start - node.pos - node.size

    def tcp_segments(self, node: Node) -> None:
        """A buffer was put together; it begins with the last bytes of its first segment."""
        found = FIRST_SEGMENT.search(node.label)
        first = self._segments.get(int(found[1])) if found else None
        if found and first is not None:
            self._base = first.start + first.length - int(found[2])

    def tls(self, node: Node) -> None:
        self._in_tls = True

    def http(self, node: Node) -> None:
        """A message may begin; what it is, its first line says. A bare "http" is none."""
        self._open = self._chunk = None
        self._pos = node.pos
        self._headers = 0

    def _begin(self, kind: Kind, pos: int) -> Element:
        element = self._place(kind, pos)
        self._elements.append(element)
        return element

    def _place(self, kind: Kind, pos: int) -> Element:
        offset = self._base + pos
        other = self._frame_base + pos if self._base != self._frame_base else None
        return Element(
            kind,
            self._segment.stream,
            self._sender,
            offset,
            self._segment.frame,
            facts=Facts(in_tls=self._in_tls),
            other_offset=other,
        )

    # --- HTTP/1.1 ---

    def _message(self, kind: Kind) -> Element:
        if self._open is None:
            self._open = self._begin(kind, self._pos)
            self._open.values |= {"frame": self._segment.frame, "content": None, "trailers": None}
        return self._open

    def request_field(self, node: Node) -> None:
        name = node.name.removeprefix("request ")
        self._message("request").values[name] = node.show

    def response_field(self, node: Node) -> None:
        value = int(node.show) if node.name == "status" else node.show
        self._message("response").values[node.name] = value or None

    def header(self, node: Node) -> None:
        """A whole line, with blanks and line end as sent."""
        if self._open is not None:
            name, _, value = wire_text(node.data()).partition(":")
            self._open.values[f"header {self._headers}"] = f"{name}: {value.strip(BLANKS)}"
            self._headers += 1

    def trailers(self, node: Node) -> None:
        if self._open is not None:
            lines = [line.partition(":") for line in wire_text(node.data()).splitlines()]
            self._open.values["trailers"] = (
                "\n".join(f"{name}: {value.strip()}" for name, _, value in lines if name) or None
            )

    def content(self, node: Node) -> None:
        if self._open is not None:
            data = node.data()
            if node.digest:
                self._open.values["content"] = node.digest
            elif data:  # 4.0 shows "File Data: 0 bytes" for some empty bodies
                self._open.values["content"] = digest(len(data), sha256(data).hexdigest())

    def chunk_size(self, node: Node) -> None:
        self._chunk = self._begin("chunk", node.pos)
        if self._open is not None:
            self._chunk.facts = self._open.facts
        self._chunk.values["size"] = int(node.show)

    def chunk_bytes(self, node: Node) -> None:
        if self._chunk is not None:
            self._chunk.values[node.name] = node.content()

    # --- TLS ---

    def tls_record(self, node: Node) -> None:
        self._record = self._begin("tls_record", node.pos)
        self._record.facts.in_tls = False  # it is what TLS is made of

    def record_type(self, node: Node) -> None:
        """What its header says; Wireshark calls that opaque where it decrypts more."""
        if self._record is not None and (
            node.name == "opaque type" or "type" not in self._record.values
        ):
            self._record.values["type"] = CONTENT_TYPES.get(node.show, node.show)

    def record_length(self, node: Node) -> None:
        if self._record is not None:
            self._record.values["size"] = int(node.show)

    def agreed(self, node: Node) -> None:
        """A field of a hello or an alert."""
        segment = self._segment
        known = self._agreed.setdefault(segment.stream, Agreed(segment.stream, segment.frame))
        match node.name:
            case "handshake type":
                known.begin(int(node.show or 0))
            case "server name":
                known.server_name(node.show)
            case "hello version" | "supported version":
                known.version(node.show, is_extension=node.name == "supported version")
            case "cipher suite":
                known.suite(node.label)
            case "application protocol":
                known.protocol(node.show)
            case "alert level":
                known.level(int(node.show))
            case "alert":
                known.alert(int(node.show))

    # --- HTTP/2 ---

    def http2_frame(self, node: Node) -> None:
        self._end_frame()
        if node.size:
            self._frame = ShownFrame(self._place("http2_frame", node.pos), self._begun)

    def _end_frame(self) -> None:
        if self._frame is not None:
            self._elements += self._frame.elements()
        self._frame = None

    def frame_number(self, node: Node) -> None:
        if self._frame is not None:
            self._frame.take_number(node.name, int(node.show, 0))

    def frame_bytes(self, node: Node) -> None:
        if self._frame is not None:
            data = node.data()
            self._frame.take_bytes(node.name, data, wire_text(data), node.digest)

    # --- WebSocket ---

    def websocket(self, node: Node) -> None:
        self._open = self._begin("websocket_frame", node.pos)
        self._open.values |= {"frame": self._segment.frame, "masking_key": None}

    def number(self, node: Node) -> None:
        if self._open is not None:
            name = node.name.partition(" ")[0]  # the extended length replaces the short one
            self._open.values[name] = int(node.show, 0)

    def masking_key(self, node: Node) -> None:
        if self._open is not None:
            self._open.values["masking_key"] = node.value

    def payload(self, node: Node) -> None:
        """Payloads of control frames and of fragments that complete no message."""
        if self._open is not None:
            self._open.values[node.name] = node.content()

    def message(self, node: Node) -> None:
        """The message that a frame completes: text, or binary, which is a layer of its own."""
        if self._open is not None and self._open.kind == "websocket_frame":
            self._open.values["message"] = node.content()

    def close_reason(self, node: Node) -> None:
        if self._open is not None:
            self._open.values["close_reason"] = node.data().decode(errors="replace")


HANDLERS: dict[str, Callable[[_Packet, Node], None]] = {
    "tcp": _Packet.tcp,
    "tcp segments": _Packet.tcp_segments,
    "tls": _Packet.tls,
    "http": _Packet.http,
    "websocket": _Packet.websocket,
    **dict.fromkeys(("method", "target", "request version"), _Packet.request_field),
    **dict.fromkeys(("version", "status", "reason"), _Packet.response_field),
    **dict.fromkeys(("request header", "response header"), _Packet.header),
    "content": _Packet.content,
    "trailers": _Packet.trailers,
    "size": _Packet.chunk_size,
    **dict.fromkeys(("data", "boundary"), _Packet.chunk_bytes),
    **dict.fromkeys(("fin", "rsv", "opcode", "mask", "payload_length"), _Packet.number),
    **dict.fromkeys(("payload_length 16", "payload_length 64", "close_code"), _Packet.number),
    "tls record": _Packet.tls_record,
    **dict.fromkeys(("content type", "opaque type"), _Packet.record_type),
    "record length": _Packet.record_length,
    **dict.fromkeys(("handshake type", "hello version", "supported version"), _Packet.agreed),
    **dict.fromkeys(("cipher suite", "server name", "application protocol"), _Packet.agreed),
    **dict.fromkeys(("alert level", "alert"), _Packet.agreed),
    "http2 frame": _Packet.http2_frame,
    **dict.fromkeys((name for name in TABLE if name.startswith("setting ")), _Packet.frame_number),
    **dict.fromkeys(("frame length", "frame type", "frame flags"), _Packet.frame_number),
    **dict.fromkeys(("stream id", "increment", "reset", "goaway"), _Packet.frame_number),
    **dict.fromkeys(("last stream id", "promised stream id"), _Packet.frame_number),
    **dict.fromkeys(("field name", "field value", "frame data"), _Packet.frame_bytes),
    **dict.fromkeys(("ping data", "pong data", "debug"), _Packet.frame_bytes),
    "masking_key": _Packet.masking_key,
    **dict.fromkeys(("ping", "pong", "continuation"), _Packet.payload),
    **dict.fromkeys(("text", "binary"), _Packet.message),
    "close_reason": _Packet.close_reason,
}
"""What each field of a packet does, in the order of the wire."""


def wire_text(data: bytes) -> str:
    """Return bytes of a head as text: UTF-8 where they are, else each byte as its own character."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1")
