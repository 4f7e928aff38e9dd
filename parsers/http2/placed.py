"""Where in one direction's bytes its frames say what: for who rewrites them in place (RFC 9113).

Strategy: the decoder's own frames and header blocks are read, and each string of a block is found
again in the frames that carried it. Strings keep their size on the wire and in the dynamic table
when :func:`rewritten_field` rewrites them, so every index of later blocks means what it did.
What cannot be read is named as well, that nothing passes unseen.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from ..provenance import Event
from ..records import Sender
from . import huffman
from .elements import (
    DATA,
    HEADER_SIZE,
    HEADERS,
    PADDED,
    PREFACE,
    PRIORITY_FLAG,
    PUSH_PROMISE,
    SETTINGS,
    Content,
    DataFrame,
    Frame,
    HeaderBlock,
    Lost,
    MissingContent,
)
from .frames import FrameDecoder
from .hpack import Field, HeaderDecoder, HpackError, StringLiteral

Place = tuple[int, int]
"""[start, end) of the stream."""
_UNLIMITED = 1 << 32
_ASTERISK = ord("*")
# A byte that has a code of each length (RFC 7541 appendix B): no white space, digits and letters
# where there are any.
_VISIBLE = {huffman.LENGTHS[byte]: byte for byte in range(0x7E, 0x20, -1)}
_BY_LENGTH = _VISIBLE | {huffman.LENGTHS[byte]: byte for byte in b"0AB*"}
_OF_NAMES = {huffman.LENGTHS[byte]: byte for byte in b"abj*"}
"""The same for names, which have no capitals (RFC 9113 section 8.2.1)."""
_ANY_BYTE = {huffman.LENGTHS[byte]: byte for byte in range(256)} | _BY_LENGTH
MASK_CHARACTERS = frozenset((*_ANY_BYTE.values(), *_BY_LENGTH.values(), *_OF_NAMES.values()))
"""What :func:`rewritten_field` puts in the place of others."""


class FieldText(NamedTuple):
    """A name or a value of a header block that stands in it literally."""

    name: bytes | None
    """The field's name; None if the capture does not hold it."""
    text: bytes
    is_value: bool
    is_coded: bool
    """Whether it is in the Huffman code."""
    places: list[Place]
    """Where its bytes lie; in as many pieces as there are frames that carry it."""
    authority: bytes = b""
    """Of the value of ``:path``, where its request goes."""


class PlacedContent(NamedTuple):
    """Content of a DATA frame, as it came."""

    stream_id: int
    start: int
    data: bytes


class Plain(NamedTuple):
    """What is no content and no header block: padding, and payloads of control frames."""

    start: int
    data: bytes
    kind: int | None = None
    """The type of the frame whose payload it is; None for padding."""


class Unread(NamedTuple):
    """Bytes that may say anything, for they cannot be read: :data:`UNREADABLE` can take their
    place."""

    start: int
    end: int


class Syntax(NamedTuple):
    """Bytes of which frames are made: the preface, headers, what header blocks have beside strings,
    lengths of padding, and padding of zeros. What nothing tells of is none of these."""

    start: int
    data: bytes
    is_header: bool = False
    """Whether it is the header of a frame."""


Found = FieldText | Plain | Unread | PlacedContent | Syntax
UNREADABLE = b"\xff"
"""An integer without an end: a block of it cannot be read either, so nobody guesses its fields."""


class PlacedFrames:
    """Reads the frames of one direction from ``offset`` on."""

    def __init__(self, offset: int, sender: Sender) -> None:
        self._sender = sender
        self._frames: FrameDecoder | None = None
        self._headers = HeaderDecoder()
        self._headers.allow(_UNLIMITED)
        self._raw = bytearray()
        self._base = offset  # of the first byte of what is kept
        self._known = offset  # up to here all frames were told of

    @property
    def open_offset(self) -> int:
        """From here on something may still be told of."""
        if self._frames is None:
            return self._base
        return min(self._known, *self._frames.open_offsets)

    def receive_data(self, data: bytes) -> list[Found]:
        """Take the next bytes; return what they completed, in order."""
        self._raw += data
        if self._frames is None:
            if len(self._raw) < HEADER_SIZE:
                return []
            self._frames, data = self._begin(), bytes(self._raw)
            preface = self._syntax(self._base, self._known)
            found = [*preface, *self._tell(self._frames.receive_data(data))]
            self._forget()
            return found
        found = list(self._tell(self._frames.receive_data(data)))
        self._forget()
        return found

    def receive_gap(self, length: int) -> list[Found]:
        """Take note of missing bytes."""
        found: list[Found] = []
        if self._frames is None:
            self._frames = self._begin()
            found += self._syntax(self._base, min(self._known, self._base + len(self._raw)))
        found += self._tell(self._frames.receive_gap(length))
        self._raw += bytes(length)
        return found

    def end(self) -> list[Found]:
        """Take note that nothing follows; return what was left open."""
        if self._frames is None:
            return [Unread(self._base, self._base + len(self._raw))] if self._raw else []
        found = list(self._tell(self._frames.receive_eof()))
        upto = self._base + len(self._raw)
        # Where no frame is certain, no header is.
        payloads = [] if self._frames.is_searching else self._payloads(self._known, upto)
        found += [header for start, _ in payloads for header in self._header(start)]
        payloads = payloads or [(self._known, upto)]
        return found + [Unread(start, end) for start, end in payloads if start < end]

    def _begin(self) -> FrameDecoder:
        """Begin with the preface, with a first frame, or where frames are certain."""
        raw = self._raw
        is_client = self._sender == "client"
        is_first = is_client and PREFACE.startswith(raw[: len(PREFACE)])
        frames = FrameDecoder(self._base, self._sender, keep_data=False, is_first=is_first)
        frames.max_frame_size = _UNLIMITED
        if is_first:
            self._known += len(PREFACE)
        elif raw[3:4] != bytes((SETTINGS,)) or any(raw[4:9]):
            self._headers.forget()
            frames.pass_over()
        return frames

    def _forget(self) -> None:
        """Drop bytes that nobody will ask for."""
        upto = min(self.open_offset, self._base + len(self._raw))
        if upto > self._base:
            del self._raw[: upto - self._base]
            self._base = upto

    # --- what frames say ---

    def _tell(self, events: list[Event]) -> Iterator[Found]:
        for event in events:
            match event:
                case Content():
                    yield from self._before_content(event.start)
                    self._known = max(self._known, event.end)
                    yield PlacedContent(event.stream_id, event.start, event.data)
                case MissingContent():
                    yield from self._before_content(event.start)
                    self._known = max(self._known, event.end)
                case DataFrame():
                    yield from self._before(event.start)
                    if self._known < event.content_start:
                        yield from self._header_and_pad(event.content_start)
                    self._known = event.end
                    yield from self._padding(event)
                case HeaderBlock():
                    yield from self._before(event.start)
                    self._known = event.end
                    yield from self._block(event)
                case Frame():
                    yield from self._before(event.start)
                    self._known = event.end
                    start = event.start + HEADER_SIZE
                    yield from self._header(start)
                    if start < event.end:
                        yield Plain(start, self._bytes(start, event.end), event.kind)
                case Lost():
                    yield from self._damaged(event)
                    self._headers.forget()

    def _damaged(self, lost: Lost) -> Iterator[Syntax | Unread]:
        """Tell of a frame that lacks bytes of its payload: its header is there."""
        start = lost.start + HEADER_SIZE
        size = self._bytes(lost.start, lost.start + 3)
        if lost.start == self._known and start + int.from_bytes(size) == lost.end:
            yield from self._header(start)
            yield Unread(start, lost.end)
            self._known = lost.end

    def _before(self, start: int) -> Iterator[Unread]:
        """Tell of bytes that were passed over before a frame."""
        if start > self._known:
            yield Unread(self._known, start)
            self._headers.forget()

    def _before_content(self, start: int) -> Iterator[Unread | Syntax]:
        """Tell of what lies before the content of a frame: bytes that were passed over, and its
        header."""
        yield from self._before(start - HEADER_SIZE - self._has_pad(start))
        if start > self._known:
            yield from self._header_and_pad(start)

    def _has_pad(self, start: int) -> bool:
        """Whether content that begins at ``start`` has a pad length before it (RFC 9113 section
        6.1)."""
        kind = self._bytes(start - HEADER_SIZE + 3, start - HEADER_SIZE + 4)
        return kind != bytes((DATA,))  # then the flags stand there, PADDED among them

    def _header_and_pad(self, start: int) -> Iterator[Syntax]:
        has_pad = self._has_pad(start)
        yield from self._header(start - has_pad)
        yield from self._syntax(start - has_pad, start)

    def _header(self, end: int) -> Iterator[Syntax]:
        """Tell of the header of a frame whose payload begins at ``end``."""
        start = end - HEADER_SIZE
        yield Syntax(start, self._bytes(start, end), is_header=True)

    def _syntax(self, start: int, end: int) -> Iterator[Syntax]:
        if start < end:
            yield Syntax(start, self._bytes(start, end))

    def _padding(self, frame: DataFrame) -> Iterator[Plain | Syntax]:
        start = frame.content_start + frame.size
        data = self._bytes(start, frame.end)
        if data:
            yield Plain(start, data) if any(data) else Syntax(start, data)

    def _bytes(self, start: int, end: int) -> bytes:
        return bytes(self._raw[start - self._base : end - self._base])

    # --- header blocks ---

    def _payloads(self, start: int, end: int) -> list[Place]:
        """Return where the payloads of the frames in [start, end) lie; none if they are no frames.

        The last one may be cut.
        """
        found: list[Place] = []
        while start + HEADER_SIZE <= end:
            size = int.from_bytes(self._bytes(start, start + 3))
            start += HEADER_SIZE
            found.append((start, min(start + size, end)))
            start += size
        return found if start >= end else []

    def _block(self, block: HeaderBlock) -> Iterator[Found]:
        payloads = self._payloads(block.start, block.end)
        fragments = self._fragments(block, payloads)
        for start, end in payloads:
            yield from self._header(start)
            yield from self._syntax(start, end)
        for start, end in _without(payloads[:1], fragments[:1]):
            data = self._bytes(start, end)
            if any(data):
                yield Plain(start, data)
        data = b"".join(self._bytes(*place) for place in fragments)
        if block.is_void or data != block.block:
            self._headers.forget()
            yield from (Unread(*place) for place in payloads)
            return
        literals: list[StringLiteral] = []
        upto = len(data)
        try:
            fields = self._headers.decode(data, literals)
        except HpackError:
            self._headers.forget()
            fields, literals, upto = [], [], 0
        for literal in literals:
            places = _slice(fragments, literal.start, literal.end)
            name, value, _ = fields[literal.field]
            text = value if literal.is_value else name
            where = _authority(fields) if name == b":path" and literal.is_value else b""
            yield FieldText(name, text or b"", literal.is_value, literal.is_coded, places, where)
        yield from (Unread(*place) for place in _slice(fragments, upto, len(data)))

    def _fragments(self, block: HeaderBlock, payloads: list[Place]) -> list[Place]:
        """Return where a block's fragments lie (RFC 9113 sections 6.2, 6.6 and 6.10)."""
        if not payloads:
            return []
        start, end = payloads[0]
        pad = 0
        if block.flags & PADDED:
            pad = int.from_bytes(self._bytes(start, start + 1))
            start += 1
        if block.kind == HEADERS and block.flags & PRIORITY_FLAG:
            start += 5
        elif block.kind == PUSH_PROMISE:
            start += 4
        return [(start, max(end - pad, start)), *payloads[1:]]


def _authority(fields: list[Field]) -> bytes:
    """Return where a request goes (RFC 9113 section 8.3.1)."""
    names = (b":authority", b"host")
    return next((value for name, value, _ in fields if value and name in names), b"")


def _slice(places: list[Place], start: int, end: int) -> list[Place]:
    """Return where [start, end) of what is joined from ``places`` lies."""
    found: list[Place] = []
    for first, last in places:
        size = last - first
        begin, upto = max(start, 0), min(end, size)
        if begin < upto:
            found.append((first + begin, first + upto))
        start, end = start - size, end - size
    return found


def _without(outer: list[Place], inner: list[Place]) -> Iterator[Place]:
    """Yield what of a payload is behind its fragment: its padding."""
    for (_, last), (_, upto) in zip(outer, inner, strict=True):
        if upto < last:
            yield upto, last


def rewritten_field(
    text: bytes, spans: list[Place], *, is_coded: bool, is_name: bool = False
) -> bytes:
    """Return a string literal's data with ``spans`` of its text masked, of the same size.

    In the Huffman code as many characters have to take as many bytes: they are chosen by how many
    bits they have, so they tell no more than the size did.
    """
    hidden = bytearray(text)
    masked = [at for start, end in spans for at in range(start, end)]
    if not is_coded:
        for at in masked:
            hidden[at] = _ASTERISK
        return bytes(hidden)
    lengths = huffman.LENGTHS
    total = -(-sum(lengths[byte] for byte in text) // 8) * 8
    room = total - sum(lengths[byte] for byte in text)
    room += sum(lengths[text[at]] for at in masked)
    for at, byte in zip(masked, _of_bits(len(masked), room, is_name=is_name), strict=True):
        hidden[at] = byte
    return huffman.encode(bytes(hidden))


def _of_bits(count: int, bits: int, *, is_name: bool) -> list[int]:
    """Return so many bytes whose codes have ``bits`` together, or up to three fewer."""
    usual = {length: byte for length, byte in _BY_LENGTH.items() if length <= 8}
    usual = _OF_NAMES if is_name else usual
    choices = next(
        (one for one in (usual, _BY_LENGTH) if bits <= count * max(one)), _ANY_BYTE
    )  # fmt: skip
    least = min(choices)
    found: list[int] = []
    for left in range(count - 1, -1, -1):
        most = bits - least * left
        length = max(one for one in choices if one <= most)
        found.append(choices[length])
        bits -= length
    return found
