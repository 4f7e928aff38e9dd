"""What content is a stream of: one table, from media types to the decoders of their elements.

Strategy: the media type decides, for it says what a recipient takes the content for. Only
``application/json`` is looked into, and not where Content-Length says that all of it was there
before the first byte was sent. But for event streams, a decoder is
imported when the first body asks for it.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from ..http1.head import Fields
from ..provenance import Decoder
from ..records import Framing, Sender
from ..sse.stream import EventStreamDecoder
from .transport import field_value, media_type


def _json_lines() -> Decoder:
    from ..json_lines.lines import JsonLinesDecoder

    return JsonLinesDecoder()


def _json_sequence() -> Decoder:
    from ..json_lines.sequence import JsonSequenceDecoder

    return JsonSequenceDecoder()


def _json_stream() -> Decoder:
    from ..json_lines.stream import JsonStreamDecoder

    return JsonStreamDecoder()


def _aws_event_stream() -> Decoder:
    from ..aws_event_stream.stream import AwsEventStreamDecoder

    return AwsEventStreamDecoder()


def _grpc() -> Decoder:
    from ..grpc_web.messages import GrpcDecoder

    return GrpcDecoder()


def _grpc_text() -> Decoder:
    from ..grpc_web.text import GrpcTextDecoder

    return GrpcTextDecoder()


def _multipart(parameters: bytes) -> Decoder:
    from ..multipart.stream import MultipartDecoder

    return MultipartDecoder(boundary_of(parameters))


GRPC = b"application/grpc"
DECODERS: dict[bytes, Callable[[], Decoder]] = {
    b"text/event-stream": EventStreamDecoder,
    # JSON lines have several names, none of them registered.
    b"application/x-ndjson": _json_lines,
    b"application/ndjson": _json_lines,
    b"application/jsonl": _json_lines,
    b"application/x-jsonl": _json_lines,
    b"application/jsonlines": _json_lines,
    b"application/x-jsonlines": _json_lines,
    b"application/json-lines": _json_lines,
    b"application/stream+json": _json_lines,
    b"application/x-json-stream": _json_lines,
    b"text/x-ndjson": _json_lines,
    b"text/jsonl": _json_lines,
    b"application/json-seq": _json_sequence,
    b"application/geo+json-seq": _json_sequence,
    b"application/vnd.amazon.eventstream": _aws_event_stream,
    GRPC: _grpc,
    b"application/grpc-web": _grpc,
    b"application/grpc-web-text": _grpc_text,
}
"""By media type, of gRPC's without the format of the messages."""
MULTIPART = frozenset((b"multipart/mixed", b"multipart/x-mixed-replace"))
# parameter = token "=" ( token / quoted-string ) (RFC 9110 section 5.6.6)
_BOUNDARY = rb';[ \t]*boundary=(?:"((?:[^"\\]|\\.)*)"|([^;, \t]*))'


def element_decoder(headers: Fields, framing: Framing, sender: Sender) -> Decoder | None:
    """Return what decodes the elements of the content that a head announces, None if it has none.

    Requests hold no event streams: a client that says so of its content speaks of what it wants.
    """
    kind, parameters = media_type(headers)
    if kind in MULTIPART:
        return _multipart(parameters)
    if kind == b"application/json":
        is_counted = framing == "content-length" or (
            framing == "http/2" and field_value(headers, b"content-length") is not None
        )
        return None if is_counted else _json_stream()
    if sender == "client" and kind == b"text/event-stream":
        return None
    make = DECODERS.get(without_format(kind))
    return None if make is None else make()


def without_format(kind: bytes) -> bytes:
    """Return a media type without the format of gRPC's messages: ``+proto``, ``+json`` or any other
    (PROTOCOL-HTTP2.md, Content-Type). Others stay as they are."""
    return kind.partition(b"+")[0] if kind.startswith(GRPC) else kind


def names_elements(content_type: bytes) -> bool:
    """Whether a Content-Type says that its content is a stream of elements."""
    return is_stream_of_elements(content_type.partition(b";")[0].strip().lower())


def is_stream_of_elements(kind: bytes) -> bool:
    """Whether content of a media type, in lower case, is a stream of elements, however framed."""
    return without_format(kind) in DECODERS or kind in MULTIPART


def boundary_of(parameters: bytes) -> bytes:
    """Return the boundary among a media type's parameters, empty if there is none."""
    found = re.search(_BOUNDARY, b";" + parameters, re.IGNORECASE)
    if found is None:
        return b""
    if found[1] is not None:
        return re.sub(rb"\\(.)", rb"\1", found[1])
    return found[2]
