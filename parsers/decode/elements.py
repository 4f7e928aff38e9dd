"""What content is a stream of: one table, from media types to the decoders of their elements.

Strategy: the media type decides, for it says what a recipient takes the content for. Only
``application/json`` is looked into, and not where Content-Length says that all of it was there
before the first byte was sent.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from ..aws_event_stream.stream import AwsEventStreamDecoder
from ..grpc_web.messages import GrpcDecoder
from ..grpc_web.text import GrpcTextDecoder
from ..http1.head import Fields
from ..json_lines.lines import JsonLinesDecoder
from ..json_lines.sequence import JsonSequenceDecoder
from ..json_lines.stream import JsonStreamDecoder
from ..multipart.stream import MultipartDecoder
from ..provenance import Decoder
from ..records import Framing, Sender
from ..sse.stream import EventStreamDecoder
from .transport import media_type

DECODERS: dict[bytes, Callable[[], Decoder]] = {
    b"text/event-stream": EventStreamDecoder,
    # JSON lines have several names, none of them registered.
    b"application/x-ndjson": JsonLinesDecoder,
    b"application/ndjson": JsonLinesDecoder,
    b"application/jsonl": JsonLinesDecoder,
    b"application/x-jsonl": JsonLinesDecoder,
    b"application/jsonlines": JsonLinesDecoder,
    b"application/x-jsonlines": JsonLinesDecoder,
    b"application/json-lines": JsonLinesDecoder,
    b"application/stream+json": JsonLinesDecoder,
    b"application/x-json-stream": JsonLinesDecoder,
    b"text/x-ndjson": JsonLinesDecoder,
    b"text/jsonl": JsonLinesDecoder,
    b"application/json-seq": JsonSequenceDecoder,
    b"application/geo+json-seq": JsonSequenceDecoder,
    b"application/vnd.amazon.eventstream": AwsEventStreamDecoder,
    b"application/grpc": GrpcDecoder,
    b"application/grpc+proto": GrpcDecoder,
    b"application/grpc-web": GrpcDecoder,
    b"application/grpc-web+proto": GrpcDecoder,
    b"application/grpc-web+json": GrpcDecoder,
    b"application/grpc-web-text": GrpcTextDecoder,
    b"application/grpc-web-text+proto": GrpcTextDecoder,
}
MULTIPART = frozenset((b"multipart/mixed", b"multipart/x-mixed-replace"))
# parameter = token "=" ( token / quoted-string ) (RFC 9110 section 5.6.6)
_BOUNDARY = re.compile(rb';[ \t]*boundary=(?:"((?:[^"\\]|\\.)*)"|([^;, \t]*))', re.IGNORECASE)


def element_decoder(headers: Fields, framing: Framing, sender: Sender) -> Decoder | None:
    """Return what decodes the elements of the content that a head announces, None if it has none.

    Requests hold no event streams: a client that says so of its content speaks of what it wants.
    """
    kind, parameters = media_type(headers)
    if kind in MULTIPART:
        return MultipartDecoder(boundary_of(parameters))
    if kind == b"application/json":
        return None if framing == "content-length" else JsonStreamDecoder()
    if sender == "client" and kind == b"text/event-stream":
        return None
    make = DECODERS.get(kind)
    return None if make is None else make()


def names_elements(content_type: bytes) -> bool:
    """Whether a Content-Type says that its content is a stream of elements."""
    kind = content_type.partition(b";")[0].strip().lower()
    return kind in DECODERS or kind in MULTIPART


def boundary_of(parameters: bytes) -> bytes:
    """Return the boundary among a media type's parameters, empty if there is none."""
    found = _BOUNDARY.search(b";" + parameters)
    if found is None:
        return b""
    if found[1] is not None:
        return re.sub(rb"\\(.)", rb"\1", found[1])
    return found[2]
