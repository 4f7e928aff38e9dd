"""Our records as elements.

Strategy: records are read once, in their order. Beside each exchange stand the elements of its two
heads: chunks share their facts, a body gives them its content. A frame that completes a message has
the message's content. At the end diagnostics and gaps are laid to the elements that they concern.
"""

from __future__ import annotations

from base64 import b64decode
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable

from parsers.records import (
    BodyRecord,
    ChunkRecord,
    ConnectionRecord,
    DiagnosticRecord,
    Fields,
    GapRecord,
    Http2DataRecord,
    Http2FrameRecord,
    Record,
    RequestRecord,
    ResponseRecord,
    TlsConnectionRecord,
    TlsRecordRecord,
    WebSocketFrameRecord,
    WebSocketMessageRecord,
)

from ..exchange import CLOSE, CONTINUATION, PING
from ..exchanges import Exchanges
from .elements import Element, Facts, Kind, Value, content, digest
from .encrypted import InnerPlaces, agreed_values, record_values
from .http2 import frame_values, section_values
from .segments import microseconds

Side = tuple[int, str]
"""(connection, sender)"""
Heads = dict[str, Element]
"""Of an exchange: the request, and the last response that came, by their senders."""

Sent = (
    RequestRecord
    | ResponseRecord
    | ChunkRecord
    | BodyRecord
    | WebSocketFrameRecord
    | TlsRecordRecord
    | Http2DataRecord
    | Http2FrameRecord
)


def payload(data: str | None, encoding: str | None) -> bytes:
    """Return the bytes of a record's ``data``."""
    if data is None:
        return b""
    return b64decode(data) if encoding == "base64" else data.encode()


def header_values(fields: Fields) -> dict[str, Value]:
    """Return header lines as values, numbered: their order is compared too."""
    return {f"header {n}": f"{name}: {value}" for n, (name, value) in enumerate(fields)}


def ports_of(record: ConnectionRecord) -> tuple[int, int]:
    """Return the client's port and the server's."""
    ports = record.client.rpartition(":")[2], record.server.rpartition(":")[2]
    return int(ports[0]), int(ports[1])


IN_TIME = "decoded in order of time"
"""What is said of a file whose packets were moved."""


class Decoded:
    """Collects elements from records, which come with their numbers: whole connections."""

    def __init__(self, records: Iterable[tuple[int, Record]]) -> None:
        self.elements: list[Element] = []
        self.ports: dict[int, tuple[int, int]] = {}
        """Of each connection: the client's and the server's."""
        self.closed: dict[int, int] = {}
        """The last packet of each connection that was closed: what comes later is not its."""
        self._exchanges: Exchanges[Heads] = Exchanges(lambda _: {})
        self._until_close: list[Element] = []
        self._messages: dict[tuple[int, str, int], WebSocketMessageRecord] = {}
        self._data_frames: dict[tuple[int, str, int], Element] = {}
        """By (connection, sender, end)."""
        self._faults: list[tuple[Side, int, str]] = []
        self._codes_at: defaultdict[tuple[Side, int], set[str]] = defaultdict(set)
        """Of diagnostics, by their offset, and below by their packet."""
        self._codes_in: defaultdict[tuple[Side, int], set[str]] = defaultdict(set)
        self._gaps: dict[Side, int] = {}
        self._connections: dict[int, ConnectionRecord] = {}
        self._subprotocols: dict[int, str] = {}
        self._hellos: dict[int, tuple[bool, bool]] = {}
        """Whether both hellos of a connection are there, and the server's Finished was read."""
        self._inner = InnerPlaces()
        self._number = 0
        """Of the record at hand."""
        self._is_moved = False
        self._tunnels: dict[int, int] = {}
        """Of each connection with a tunnel in it, the exchange that opened it."""
        self._proxied: set[int] = set()
        """Connections that begin with a PROXY protocol header."""
        for self._number, record in records:
            self._receive(record)
        self._finish()

    def faults_at(self, element: Element) -> set[str]:
        """Return the codes of diagnostics that begin where an element does; of what was decrypted,
        and so has no offset, those that came in its packet."""
        side = element.stream, element.sender
        if element.facts.in_tls:
            return self._codes_in[side, element.frame]
        return self._codes_at[side, element.offset]

    def _receive(self, record: Record) -> None:
        if isinstance(record, Http2FrameRecord) and record.type == "HEADERS":
            return  # of trailers, whose fields are compared
        if isinstance(record, Http2DataRecord | Http2FrameRecord):
            self._add("http2_frame", record, frame_values(record))
            return
        is_fault = isinstance(record, DiagnosticRecord)
        if getattr(record, "stream_id", None) is not None and not is_fault:
            self._receive_of_stream(record)
            return
        found = self._exchanges.add(record)
        heads = {} if found is None else found[1]
        match record:
            case RequestRecord() | ResponseRecord():
                heads[record.sender] = self._receive_head(record)
            case ChunkRecord():
                self._receive_chunk(record, heads.get(record.sender))
            case BodyRecord():
                self._receive_body(record, heads.get(record.sender))
            case WebSocketMessageRecord():
                self._receive_message(record)
            case WebSocketFrameRecord():
                self._receive_frame(record)
            case TlsRecordRecord() if not record.missing:
                self._add("tls_record", record, record_values(record))
            case TlsConnectionRecord():
                self._receive_tls(record)
            case ConnectionRecord():
                self._receive_connection(record)
            case GapRecord():
                side = record.connection, record.sender
                self._gaps.setdefault(side, record.offset)
            case DiagnosticRecord():
                self._note(record)
                self._is_moved |= record.code == "capture-order" and IN_TIME in record.summary
                if record.connection is not None and record.sender and record.offset is not None:
                    side = record.connection, record.sender
                    self._codes_in[side, record.last_packet].add(record.code)
                    if record.layer == "tcp":
                        self._codes_at[side, record.offset].add(record.code)
                        self._faults.append((side, record.offset, record.code))

    def _note(self, fault: DiagnosticRecord) -> None:
        """Take what is said of a connection, and not of a message in it."""
        if fault.connection is None:
            return
        if fault.code == "http-tunnel" and fault.exchange is not None:
            self._tunnels.setdefault(fault.connection, fault.exchange)
        elif fault.code == "proxy-protocol":
            self._proxied.add(fault.connection)

    def _is_in_tunnel(self, element: Element) -> bool:
        opened = self._tunnels.get(element.stream)
        if opened is None or element.exchange is None:
            return False
        is_answer = element.kind == "response" and element.exchange == opened
        return is_answer or element.exchange > opened

    def _add(self, kind: Kind, record: Sent, values: dict[str, Value]) -> Element:
        arrival: dict[str, Value] = {
            "stream": record.connection,
            "first_packet": record.first_packet,
            "last_packet": record.last_packet,
            "first_time": microseconds(record.first_time),
            "last_time": microseconds(record.last_time),
        }
        element = Element(
            kind,
            record.connection,
            record.sender,
            record.offset,
            record.last_packet,
            arrival | values,
            exchange=record.exchange,
            end=record.offset + record.length,
        )
        if record.layer != "tcp":
            self._inner.place(element)
        self._keep(element)
        return element

    def _keep(self, element: Element) -> None:
        element.number = self._number
        self.elements.append(element)

    def _receive_of_stream(self, record: Record) -> None:
        """Take what frames of HTTP/2 decode to: field sections, and frames that are in DATA."""
        match record:
            case RequestRecord() | ResponseRecord():
                self._add_section(record, record.headers)
            case BodyRecord() if record.trailers is not None:
                self._add_section(record, record.trailers)
            case WebSocketFrameRecord():
                values: dict[str, Value] = {
                    "opcode": record.opcode, "payload_length": record.payload_length,
                }  # fmt: skip
                self._add("websocket_frame", record, values).facts.stream_id = record.stream_id

    def _add_section(
        self, record: RequestRecord | ResponseRecord | BodyRecord, fields: Fields
    ) -> None:
        element = self._add("http2_section", record, section_values(record.stream_id, fields))
        if isinstance(record, BodyRecord):
            element.offset = element.end  # where trailers begin is not told

    def _receive_head(self, record: RequestRecord | ResponseRecord) -> Element:
        if isinstance(record, RequestRecord):
            values: dict[str, Value] = {"method": record.method, "target": record.target}
        else:
            # tshark shows no phrase where it is empty, as it may be (RFC 9112 section 4).
            values = {"status": record.status, "reason": record.reason or None}
        values["version"] = record.version
        kind: Kind = "request" if isinstance(record, RequestRecord) else "response"
        element = self._add(kind, record, values | header_values(record.headers))
        element.values |= {"frame": record.last_packet, "content": None, "trailers": None}
        headers = {name.lower(): value for name, value in record.headers}
        element.facts.transfer_encoding = headers.get("transfer-encoding", "")
        element.facts.content_encoding = headers.get("content-encoding", "")
        if isinstance(record, ResponseRecord) and record.status == 101:
            agreed = headers.get("sec-websocket-protocol", "")
            self._subprotocols[record.connection] = agreed
        return element

    def _receive_chunk(self, record: ChunkRecord, head: Element | None) -> None:
        data = payload(record.data, record.encoding)
        values: dict[str, Value] = {"size": record.size}
        if record.size:
            values |= {"data": content(data), "boundary": "\r\n"}
        element = self._add("chunk", record, values)
        if head is None:
            return
        element.facts = head.facts
        if record.trailers:
            head.values["trailers"] = "\n".join(f"{n}: {v}" for n, v in record.trailers)

    def _receive_body(self, record: BodyRecord, head: Element | None) -> None:
        if head is None:
            return
        head.frame = record.last_packet
        head.values["frame"] = record.last_packet
        head.facts.complete = record.complete
        if record.ended_by == "close":
            self._until_close.append(head)
        if record.decoded_size:
            head.values["content"] = digest(record.decoded_size, record.sha256)

    def _receive_frame(self, record: WebSocketFrameRecord) -> None:
        data = payload(record.data, record.encoding)
        values: dict[str, Value] = {
            "frame": record.last_packet,
            "fin": int(record.fin),
            "rsv": record.rsv1 << 2 | record.rsv2 << 1 | record.rsv3,
            "opcode": record.opcode,
            "mask": int(record.masked),
            "masking_key": record.masking_key,
            "payload_length": record.payload_length,
        }
        element = self._add("websocket_frame", record, values)
        if record.opcode == CLOSE:
            element.values["close_code"] = record.close_code
            element.values["close_reason"] = record.close_reason or None
        elif record.opcode > CLOSE:
            name = "ping" if record.opcode == PING else "pong"
            element.values[name] = content(data) if data else None
        else:
            self._data_frames[record.connection, record.sender, element.end] = element
            if record.opcode == CONTINUATION:
                element.values["continuation"] = content(data) if data else None

    def _receive_message(self, record: WebSocketMessageRecord) -> None:
        """Give a message to the frame that completes it, which may come after it."""
        end = record.offset + record.length
        self._messages[record.connection, record.sender, end] = record

    def _finish_message(self, frame: Element, record: WebSocketMessageRecord) -> None:
        frame.facts.compressed, frame.facts.fragments = record.compressed, record.frames
        whole = payload(record.data, record.encoding)
        frame.values["message"] = content(whole) if whole else None
        frame.values.pop("continuation", None)  # shown as part of the whole only

    def _receive_tls(self, record: TlsConnectionRecord) -> None:
        seen = record.client_hello_time, record.server_hello_time
        has_handshake = record.server_finished_time is not None
        self._hellos[record.connection] = None not in seen, has_handshake
        values = agreed_values(record)
        if any(value is not None for value in values.values()):
            place = record.connection, "", 0, record.first_packet
            self._keep(Element("tls", *place, values))

    def _receive_connection(self, record: ConnectionRecord) -> None:
        self.ports[record.connection] = ports_of(record)
        self._connections[record.connection] = record
        if record.close != "open":
            self.closed[record.connection] = record.last_packet
        values: dict[str, Value] = {
            "first_packet": record.first_packet,
            "last_packet": record.last_packet,
            "first_time": microseconds(record.first_time),
            "last_time": microseconds(record.last_time),
            "packets": record.packets,
        }
        if record.packets:  # else it was only quoted by an ICMP error
            self._keep(Element("connection", record.connection, "", 0, record.first_packet, values))

    def _finish(self) -> None:
        """Give each element what is known of its message, its direction and its faults."""
        for place, frame in self._data_frames.items():
            if (message := self._messages.get(place)) is not None:
                self._finish_message(frame, message)
        for head in self._until_close:
            connection = self._connections[head.stream]
            fin = connection.client_fin if head.sender == "client" else connection.server_fin
            # What the close ends, the FIN completes, also if it carries nothing.
            if fin is not None:
                head.frame = fin
                head.values["frame"] = fin
        self._lay_faults()

    def _lay_faults(self) -> None:
        places: dict[Side, list[tuple[int, Facts]]] = {}
        for element in self.elements:
            side = element.stream, element.sender
            element.facts.gap = self._gaps.get(side)
            connection = self._connections[element.stream]
            element.facts.protocol = connection.protocol
            element.facts.midstream = connection.midstream
            element.facts.subprotocol = self._subprotocols.get(element.stream, "")
            element.facts.is_moved = self._is_moved
            element.facts.in_tunnel = self._is_in_tunnel(element)
            element.facts.after_proxy_header = element.stream in self._proxied
            if (hellos := self._hellos.get(element.stream)) is not None:
                element.facts.has_hellos, element.facts.has_handshake = hellos
            if element.facts.in_tls or element.kind in ("http2_frame", "http2_section"):
                element.facts.codes |= self.faults_at(element)
            if not element.facts.in_tls:
                places.setdefault(side, []).append((element.offset, element.facts))
        for found in places.values():
            found.sort(key=lambda place: place[0])
        for side, offset, code in self._faults:
            found = places.get(side, [])
            index = bisect_right(found, offset, key=lambda place: place[0])
            if index:
                found[index - 1][1].codes.add(code)
