"""Messages of HTTP: heads, chunks, runs, and the ends of bodies."""

from __future__ import annotations

from typing import ClassVar, Literal

from .place import Sent

Encoding = Literal["utf-8", "base64"]
Framing = Literal[
    "chunked", "content-length", "close", "none", "upgrade", "http/2", "http/3"
]  # fmt: skip
Transport = Literal["chunked", "sse", "websocket", "http"]
EndedBy = Literal[
    "last-chunk", "content-length", "close", "reset", "capture-end", "end-stream", "rst-stream",
    "goaway", "close-notify-missing",
]  # fmt: skip
Fields = list[tuple[str, str]]


class RequestRecord(Sent, frozen=True, tag_field="record", tag="request"):
    """A request line and its header section (RFC 9112 section 3)."""

    record: ClassVar[Literal["request"]] = "request"
    method: str
    """As sent; case matters (RFC 9110 section 9.1)."""
    target: str
    """As sent, in whichever form (RFC 9112 section 3.2)."""
    version: str
    """``HTTP/1.1`` (RFC 9112 section 2.3)."""
    headers: Fields
    """[name, value] of each field line in wire order, without whitespace around values (RFC 9112
    section 5); bytes that are not UTF-8 become one character each."""
    framing: Framing
    """How its body is framed (RFC 9112 section 6.3); ``none`` if it has no body, or if its end
    cannot be determined."""
    codings: list[str]
    """Content and transfer codings of its content, in lower case, in decoding order: the one
    applied last comes first (RFC 9110 section 8.4, RFC 9112 section 6.1)."""
    client: str | None = None
    """As in the record of its connection; only in tables of captures, where a row needs it before
    the connection has ended. Omitted elsewhere, and in HTTP/3."""
    server: str | None = None
    """As ``client``."""


class ResponseRecord(Sent, frozen=True, tag_field="record", tag="response"):
    """A status line and its header section (RFC 9112 section 4), including 1xx responses."""

    record: ClassVar[Literal["response"]] = "response"
    version: str
    """``HTTP/1.1`` (RFC 9112 section 2.3)."""
    status: int
    """The status code (RFC 9110 section 15)."""
    reason: str
    """The reason phrase, empty if there is none (RFC 9112 section 4)."""
    headers: Fields
    """[name, value] of each field line in wire order, without whitespace around values (RFC 9112
    section 5); bytes that are not UTF-8 become one character each."""
    framing: Framing
    """How its body is framed (RFC 9112 section 6.3); ``upgrade`` if another protocol follows."""
    codings: list[str]
    """Content and transfer codings of its content, in lower case, in decoding order (RFC 9110
    section 8.4, RFC 9112 section 6.1)."""
    transport: Transport
    """How it streams: ``websocket``, an upgrade to WebSocket, granted or refused (``framing`` is
    not ``upgrade`` if refused); ``sse``, an event stream, however framed; ``chunked``, other
    content in chunks; ``http``, anything else."""


class ChunkRecord(Sent, frozen=True, tag_field="record", tag="chunk"):
    """One chunk (RFC 9112 section 7.1); the one of size 0 carries the trailers."""

    record: ClassVar[Literal["chunk"]] = "chunk"
    index: int
    """From 0 in its body."""
    size: int
    """Size of its data in bytes, from its chunk-size line; 0 in the last chunk."""
    extension: str
    """Its extensions as sent; empty if there are none (RFC 9112 section 7.1.1)."""
    data: str | None
    """Its data as sent, still coded; null if not kept or incomplete."""
    encoding: Encoding | None
    """``utf-8`` if ``data`` is the bytes as text, ``base64`` (RFC 4648) if they are not UTF-8."""
    trailers: Fields | None
    """[name, value] of each field of the trailer section (RFC 9112 section 7.1.2); null except in
    the last chunk."""
    content_offset: int
    """Offset of its data, after the chunk-size line; in the last chunk, of its trailer section.
    Counted like ``offset``."""


class BodyRecord(Sent, frozen=True, tag_field="record", tag="body"):
    """The end of a body, whole or not. ``first_*``, ``offset`` and ``length`` span the body."""

    record: ClassVar[Literal["body"]] = "body"
    size: int
    """Size of the content in bytes, without framing, still coded."""
    decoded_size: int
    """Size of the content in bytes, decoded."""
    content_encoding: str | None
    """The codings removed, in the order they were applied (RFC 9110 section 8.4); null if there
    were none."""
    sha256: str
    """SHA-256 of the decoded content, in hexadecimal (FIPS 180-4)."""
    chunks: int | None
    """Number of chunks, including the last; null if it is not chunked."""
    complete: bool
    """Whether the capture has all of it, up to the end its framing defines (RFC 9112 section 8)."""
    ended_by: EndedBy
    """What ended it (RFC 9112 section 6.3, RFC 9113 sections 6.4, 6.8 and 8.1); ``capture-end`` if
    only the capture did. ``close`` of a complete body in TLS is close_notify (RFC 9112 section
    9.8)."""
    trailers: Fields | None = None
    """[name, value] of each field of HTTP/2's trailer section (RFC 9113 section 8.1); omitted if
    there is none, and in HTTP/1.1, where the last chunk has them."""


class DataRecord(Sent, frozen=True, tag_field="record", tag="data"):
    """The part of an unchunked body that one packet delivered in order.

    Bodies that end with Content-Length or the connection (RFC 9112 section 6.3) have ``data``
    records where chunked ones have chunks, so arrival times are known for every body. So does
    anything after a protocol switch that is not decoded: it belongs to the exchange that
    negotiated the switch.
    """

    record: ClassVar[Literal["data"]] = "data"
    size: int
    """Size in bytes, still coded."""
    data: str | None
    """Its bytes, still coded; null if not kept, as beyond the first 16 MiB of a body."""
    encoding: Encoding | None
    """``utf-8`` if ``data`` is the bytes as text, ``base64`` (RFC 4648) if they are not UTF-8."""
