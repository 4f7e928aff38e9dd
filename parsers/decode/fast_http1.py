"""Messages that lie whole in one packet: nearly all requests, and most answers of an API.

Strategy: a head in which nothing is wrong, whose fields have nearly always come before, and content
that Content-Length frames, if it has any, are read and written at once. The decoder and what writes
messages are not called, but told of each message as if they had read it. Everything else is left
to them: a head that is long, content that comes later, or is coded, a stream of elements, or looked
at more closely; and all that switches protocols, is out of step, or is a fault. A test decodes
every capture with this path and without it.

It ties layers together that are better apart (``http1``, ``message``, ``body``), for a number: a
short exchange takes a third of the time less.
"""

from __future__ import annotations

from bisect import bisect_right
from hashlib import sha256
from typing import Protocol

from ..http1.decoder import (
    Asked,
    KnownRequest,
    KnownResponse,
    RequestDecoder,
    ResponseDecoder,
    known_request,
    known_response,
)
from ..http1.field_lines import FieldLines
from ..http1.framing import BodyFraming
from ..http1.head import WholeHead, whole_head
from ..http1.messages import Request, Response
from ..provenance import Arrival
from ..records import BodyRecord, DataRecord, Record, RequestRecord, ResponseRecord, text_or_base64
from .elements import is_stream_of_elements
from .transport import media_type, transport_of
from .undeclared import is_looked_at
from .writer import RecordWriter, wire_fields, wire_text

WholeRequest = tuple[WholeHead, KnownRequest, int]
WholeResponse = tuple[WholeHead, KnownResponse, int]
"""A head, what it says, and where the content after it ends."""


class Requests(Protocol):
    """A client's side, which a fast path tells of whole requests."""

    writer: RecordWriter
    exchange: int

    @property
    def is_in_step(self) -> bool:
        """Whether a request that comes next begins the next exchange, without more ado."""

    def take_whole(self, message: Request) -> None:
        """Take note of a whole request whose records have been written."""


class Responses(Protocol):
    """A server's side, which a fast path tells of whole responses."""

    writer: RecordWriter
    exchange: int

    @property
    def answered(self) -> Request | None:
        """The request that a response would answer which comes next, without more ado."""

    def take_whole(self, message: Response) -> None:
        """Take note of a whole response, the final one to ``answered``, that has been written."""


class _WholeMessages:
    """What both directions have in common."""

    __slots__ = ()

    def settle(self) -> None:
        """Nothing to tell: the layers between know of each message."""

    def end_of_element(self, data: bytes, pos: int) -> int:
        """Leave all that follows to the decoder."""
        return len(data)


class FastRequests(_WholeMessages):
    """Reads what it can of a client's requests."""

    __slots__ = ("_side", "_decoder")

    def __init__(self, side: Requests, decoder: RequestDecoder) -> None:
        self._side = side
        self._decoder = decoder

    def receive(self, data: bytes, pos: int, records: list[Record]) -> int:
        """Read the whole requests that begin at ``pos`` of ``data``; return where they end."""
        end = len(data)
        while pos < end and self._decoder.awaits_message and self._side.is_in_step:
            upto = self._request(data, pos, records)
            if upto == pos:
                break
            pos = upto
        return pos

    def _request(self, data: bytes, pos: int, records: list[Record]) -> int:
        """Read one request, and return where it ends; ``pos`` if it is not for here."""
        side, decoder = self._side, self._decoder
        whole = whole_request(data, pos)
        if whole is None:
            return pos
        head, known, end = whole
        start, writer = decoder.offset, side.writer
        place = _only_place(writer, start, start + end - pos)
        if place is None:
            return pos
        found = write_request(records, writer, side.exchange, place, start, data, pos, whole)
        decoder.pass_request(known, head.end - pos, end - head.end)
        side.take_whole(found)
        return end


class FastResponses(_WholeMessages):
    """Reads what it can of a server's responses."""

    __slots__ = ("_side", "_decoder")

    def __init__(self, side: Responses, decoder: ResponseDecoder) -> None:
        self._side = side
        self._decoder = decoder

    def receive(self, data: bytes, pos: int, records: list[Record]) -> int:
        """Read the whole responses that begin at ``pos`` of ``data``; return where they end."""
        end = len(data)
        while pos < end and self._decoder.awaits_message:
            asked = self._side.answered
            if asked is None or (upto := self._response(data, pos, asked, records)) == pos:
                break
            pos = upto
        return pos

    def _response(self, data: bytes, pos: int, asked: Request, records: list[Record]) -> int:
        """Read one response, and return where it ends; ``pos`` if it is not for here."""
        side, decoder = self._side, self._decoder
        whole = whole_response(data, pos, decoder.asked)
        if whole is None:
            return pos
        head, known, end = whole
        start, writer = decoder.offset, side.writer
        place = _only_place(writer, start, start + end - pos)
        if place is None:
            return pos
        found = write_response(
            records, writer, side.exchange, place, start, data, pos, whole, asked
        )
        decoder.pass_response(known, head.end - pos, end - head.end)
        side.take_whole(found)
        return end


def whole_request(data: bytes, pos: int) -> WholeRequest | None:
    """Return the request at ``pos`` that lies whole in ``data``; None if it is not for here."""
    head = whole_head(data, pos)
    if head is None or (known := known_request(head.line, head.fields)) is None:
        return None
    end = _end_of_content(data, head.end, head.fields, known[1], None)
    return None if end is None else (head, known, end)


def whole_response(data: bytes, pos: int, asked: Asked | None) -> WholeResponse | None:
    """Return the final response at ``pos`` to what was ``asked`` that lies whole in ``data``; None
    if it is not for here."""
    head = whole_head(data, pos)
    if head is None or (known := known_response(head.line, head.fields, asked)) is None:
        return None
    end = _end_of_content(data, head.end, head.fields, known[1], known[0].status)
    return None if end is None else (head, known, end)


def write_request(
    records: list[Record],
    writer: RecordWriter,
    exchange: int,
    place: Arrival,
    start: int,
    data: bytes,
    pos: int,
    whole: WholeRequest,
) -> Request:
    """Write a whole request, which begins at ``start`` of its stream and came in one packet."""
    head, (line, body, _), end = whole
    size = head.end - pos
    found = Request(
        start, start + size, line.method, line.target, line.version, head.fields, body.framing,
        (), False,
    )  # fmt: skip
    records.append(
        RequestRecord(
            writer.connection, exchange, writer.sender, *place, start, size,
            wire_text(line.method), wire_text(line.target), wire_text(line.version),
            wire_fields(head.fields), body.framing, [], *writer.peers, layer=writer.layer,
        )
    )  # fmt: skip
    if end > head.end:
        _write_content(records, writer, exchange, place, start + size, data[head.end : end])
    return found


def write_response(
    records: list[Record],
    writer: RecordWriter,
    exchange: int,
    place: Arrival,
    start: int,
    data: bytes,
    pos: int,
    whole: WholeResponse,
    asked: Request,
) -> Response:
    """Write a whole response to what was ``asked``, as :func:`write_request` does a request."""
    head, (line, body, _), end = whole
    size = head.end - pos
    found = Response(
        start, start + size, line.version, line.status, line.reason, head.fields, body.framing, ()
    )
    records.append(
        ResponseRecord(
            writer.connection, exchange, writer.sender, *place, start, size,
            wire_text(line.version), line.status, wire_text(line.reason),
            wire_fields(head.fields), body.framing, [], transport_of(found, asked),
            layer=writer.layer,
        )
    )  # fmt: skip
    if end > head.end:
        _write_content(records, writer, exchange, place, start + size, data[head.end : end])
    return found


def _end_of_content(
    data: bytes, start: int, fields: FieldLines, body: BodyFraming, status: int | None
) -> int | None:
    """Return where content ends that begins at ``start``; None if it is not for here."""
    if body.framing == "none":
        return start
    length = body.length
    if not length or body.codings or start + length > len(data):
        return None
    if is_looked_at(status, data[start]) or is_stream_of_elements(media_type(fields)[0]):
        return None
    return start + length


def _only_place(writer: RecordWriter, start: int, end: int) -> Arrival | None:
    """Return the packet that brought all of [start, end) of the stream, None if several did."""
    origins = writer.origins
    ends = origins.ends
    run = bisect_right(ends, start)
    return origins.values[run] if run < len(ends) and end <= ends[run] else None


def _write_content(
    records: list[Record],
    writer: RecordWriter,
    exchange: int,
    place: Arrival,
    start: int,
    content: bytes,
) -> None:
    """Write what a body with Content-Length gives that came in one packet."""
    size, wants, digest = len(content), writer.wants, ""
    if wants.takes(DataRecord):
        text, encoding = text_or_base64(content) if writer.keeps_data else (None, None)
        records.append(
            DataRecord(
                writer.connection, exchange, writer.sender, *place, start, size, size, text,
                encoding, layer=writer.layer,
            )
        )  # fmt: skip
    if wants.digests_of(writer.sender) and wants.takes(BodyRecord):
        digest = sha256(content).hexdigest()
    records.append(
        BodyRecord(
            writer.connection, exchange, writer.sender, *place, start, size, size, size, None,
            digest, None, True, "content-length", None, layer=writer.layer,
        )
    )  # fmt: skip
