"""What the HTTP/1.1 decoders return for a message's head and its end (RFC 9112 section 2.1)."""

from __future__ import annotations

from ..provenance import Element
from ..records import EndedBy, Framing
from .head import Fields


class Request(Element, frozen=True):
    """A request line and its header section: [start, end) ends after the empty line."""

    start: int
    end: int
    method: bytes
    target: bytes
    version: bytes
    """``HTTP/1.1``"""
    headers: Fields
    """Names and values as on the wire, without the white space around values."""
    framing: Framing
    codings: tuple[str, ...]
    """What the body's content is coded with under its framing, in the order of undoing."""
    asks_upgrade: bool
    """Whether the protocol of what follows depends on the response: Upgrade, or CONNECT."""
    is_cut: bool = False
    """Whether bytes of its header section are missing: its framing is not known then, nor what it
    asks for, and ``headers`` has the fields that are whole."""
    is_after_gap: bool = False
    """Whether requests before it may be among missing bytes."""

    @property
    def has_body(self) -> bool:
        return self.framing != "none"


class Response(Element, frozen=True):
    """A status line and its header section, of an interim (1xx) response too."""

    start: int
    end: int
    version: bytes
    status: int
    reason: bytes
    headers: Fields
    """Names and values as on the wire, without the white space around values."""
    framing: Framing
    codings: tuple[str, ...]
    """What the body's content is coded with under its framing, in the order of undoing."""
    is_cut: bool = False
    """Whether bytes of its header section are missing, as of a request's."""
    lost: int = 0
    """How many responses before it are among missing bytes: the requests say so."""


class BodyFound(Element, frozen=True):
    """After a head whose framing is not known: a chunk that proves itself is at [start, end)."""

    start: int
    end: int
    content: bytes
    """The data of that chunk."""


class EndOfMessage(Element, frozen=True):
    """The end of a message; [start, end) is its body as framed."""

    start: int
    end: int
    ended_by: EndedBy | None
    """None if by its framing the message has no body."""
    complete: bool
    """Whether all of the body is in the capture, up to the end that its framing says."""
    trailers: Fields | None = None
    """Those of HTTP/2: in HTTP/1.1 the last chunk has them."""
