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
    """As sent: case is significant (RFC 9110 section 9.1)."""
    target: str
    """As sent, in any of its forms (RFC 9112 section 3.2)."""
    version: str
    """``HTTP/1.1`` (RFC 9112 section 2.3)."""
    headers: Fields
    """[name, value] of each field line in wire order, without the white space around values
    (RFC 9112 section 5); bytes that are no UTF-8 are a character each."""
    framing: Framing
    """How the decoder found its body to be framed (RFC 9112 section 6.3); ``none`` if it has none,
    or if where it ends cannot be known."""
    codings: list[str]
    """Content and transfer codings of its framed content, in lower case, in the order in which
    they are undone: the one that was applied last comes first (RFC 9110 section 8.4, RFC 9112
    section 6.1)."""


class ResponseRecord(Sent, frozen=True, tag_field="record", tag="response"):
    """A status line and its header section (RFC 9112 section 4); 1xx ones too."""

    record: ClassVar[Literal["response"]] = "response"
    version: str
    """``HTTP/1.1`` (RFC 9112 section 2.3)."""
    status: int
    """The status code (RFC 9110 section 15)."""
    reason: str
    """The reason phrase, empty if there is none (RFC 9112 section 4)."""
    headers: Fields
    """[name, value] of each field line in wire order, without the white space around values
    (RFC 9112 section 5); bytes that are no UTF-8 are a character each."""
    framing: Framing
    """How the decoder found its body to be framed (RFC 9112 section 6.3); ``upgrade`` if another
    protocol follows."""
    codings: list[str]
    """Content and transfer codings of its framed content, in lower case, in the order in which
    they are undone (RFC 9110 section 8.4, RFC 9112 section 6.1)."""
    transport: Transport
    """What it streams by: ``websocket``, a switch to it, or the refusal of one (its ``framing`` is
    not ``upgrade`` then); ``sse``, an event stream, however framed; ``chunked``, other content in
    chunks; ``http``, anything else."""


class ChunkRecord(Sent, frozen=True, tag_field="record", tag="chunk"):
    """One chunk (RFC 9112 section 7.1); the one of size 0 carries the trailers."""

    record: ClassVar[Literal["chunk"]] = "chunk"
    index: int
    """From 0 in its body."""
    size: int
    """Of its data, in bytes, as its line says; 0 in the last chunk."""
    extension: str
    """Its extensions as sent, empty if there are none (RFC 9112 section 7.1.1)."""
    data: str | None
    """Its data as it lies in the chunk, still coded; null if it was not kept or is incomplete."""
    encoding: Encoding | None
    """How ``data`` is given: its text if the bytes are UTF-8, else ``base64`` (RFC 4648)."""
    trailers: Fields | None
    """[name, value] of each field of the trailer section (RFC 9112 section 7.1.2); null but in the
    last chunk."""
    content_offset: int
    """Where its data begins, after its line; in the last chunk, its trailer section. In bytes, as
    ``offset``."""


class BodyRecord(Sent, frozen=True, tag_field="record", tag="body"):
    """The end of a body, whole or not. ``first_*``, ``offset`` and ``length`` span the body."""

    record: ClassVar[Literal["body"]] = "body"
    size: int
    """Of the content, in bytes, without its framing, still coded."""
    decoded_size: int
    """Of the content, in bytes, when its codings are undone."""
    content_encoding: str | None
    """The codings that were undone, in the order in which they were applied (RFC 9110 section 8.4);
    null if there were none."""
    sha256: str
    """Of the decoded content, in hexadecimal (FIPS 180-4)."""
    chunks: int | None
    """How many chunks it had, the last one included; null if it is not chunked."""
    complete: bool
    """Whether all of it is in the capture, up to the end that its framing says (RFC 9112
    section 8)."""
    ended_by: EndedBy
    """What ended it (RFC 9112 section 6.3, RFC 9113 sections 6.4, 6.8 and 8.1); ``capture-end`` if
    only the capture did. ``close`` of a complete body in TLS is close_notify (RFC 9112 section
    9.8)."""
    trailers: Fields | None = None
    """[name, value] of each field of the trailer section of HTTP/2 (RFC 9113 section 8.1); left out
    where there is none, and in HTTP/1.1, whose last chunk has them."""


class DataRecord(Sent, frozen=True, tag_field="record", tag="data"):
    """A run of a body that has no framing of its own, as one packet put it in order.

    Bodies that Content-Length or closing ends have them (RFC 9112 section 6.3), as chunked ones
    have chunks: so what came when is known of every body. So has what follows a switch of protocols
    and is not decoded: it belongs to the exchange that agreed on it.
    """

    record: ClassVar[Literal["data"]] = "data"
    size: int
    """In bytes, still coded."""
    data: str | None
    """The run, still coded; null if not kept, as beyond the first 16 MiB of a body."""
    encoding: Encoding | None
    """How ``data`` is given: its text if the bytes are UTF-8, else ``base64`` (RFC 4648)."""
