"""The content of bodies, put together for formats that carry it whole.

Strategy: of a stream that carries one message after another the bytes are cut by its records. Where
the bytes of several messages alternate, or lie in TLS, the records themselves have the content. It
is put aside as it comes, and decoded piece by piece when its body ends: where secrets are looked
for, one body stands in memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import msgspec
from parsers import Memory
from parsers.content import ContentDecoder
from parsers.limits import MiB
from parsers.records import (
    BodyRecord,
    ChunkRecord,
    DataRecord,
    Http2DataRecord,
    Http3DataRecord,
    Record,
    RequestRecord,
    ResponseRecord,
    Sender,
    Sent,
)

from ..bytes.dissection import ElementStream
from ..dialects.dialect import content_bytes
from ..redact import Policy, Rules
from ..redact.coded import hides_secret
from ..redact.content import ContentFinder
from ..redact.records import mask_bytes
from ..redact.secrets import MASK, Report, merged
from ..redact.undeclared import has_other_charset, is_base64
from ..spool import Pieces, Spool
from . import json_pieces

MAX_CONTENT = 16 * MiB
"""Bytes of one body that are kept, coded, and decoded again."""
SENDERS: tuple[Sender, ...] = ("client", "server")


class Content(NamedTuple):
    """A body's content, decoded."""

    text: Pieces
    """As a string of JSON."""
    is_base64: bool
    size: int
    """Bytes of it, decoded, those that were left out too."""
    is_cut: bool

    def read(self) -> str:
        """Return the text, whole."""
        return msgspec.json.decode(b"".join(self.text), type=str)


class ContentStream(ElementStream):
    """Keeps the content of the body that is coming."""

    def __init__(self, spool: Spool) -> None:
        super().__init__()
        self._spool = spool
        self._content = Pieces(spool)
        self._begin: int | None = None  # of the content in its stream
        self._is_cut = False
        self.is_base64 = False
        """Whether the content is in base64 by its type."""
        self.has_other_charset = False
        """Whether it is text in which ASCII does not stand as it is."""

    def head(self, record: RequestRecord | ResponseRecord, data: bytes, start: int) -> None:
        self.is_base64 = is_base64(record.headers)
        self.has_other_charset = has_other_charset(record.headers)

    def content(self, data: bytes, start: int) -> None:
        if self._is_cut:
            return
        if self._begin is None:
            self._begin = start
        end = start + len(data)
        holes = [hole[0] for hole in self.holes if hole[0] < end and hole[1] > self._begin]
        # Of what comes after bytes that the capture lacks nobody knows how it goes on.
        whole = max(min(holes, default=end) - start, 0)
        room = min(MAX_CONTENT - self._content.size, whole)
        self._content.add(data[:room])
        self._is_cut = len(data) > room

    def take_chunks(self, chunks: Sequence[ChunkRecord]) -> None:
        start, end = self.done, chunks[-1].offset + chunks[-1].length
        size = self._content.size + sum([chunk.size for chunk in chunks])
        is_whole = start <= chunks[0].content_offset and end <= self._end and not self.holes
        if not is_whole or self._is_cut or size > MAX_CONTENT:
            super().take_chunks(chunks)
            return
        data = self._take(end)
        places = [(chunk.content_offset - start, chunk.size) for chunk in chunks]
        self._content.add(b"".join([data[at : at + size] for at, size in places]))
        self._has_been_told = True
        if self._begin is None:
            self._begin = chunks[0].content_offset

    def take_content(self) -> tuple[Pieces, bool]:
        """Return what came of the body that has ended, and whether there was more."""
        found = self._content, self._is_cut
        self._content, self._begin, self._is_cut = Pieces(self._spool), None, False
        return found


class RecordedContent:
    """Keeps the content of one message that its records bring."""

    __slots__ = (
        "codings",
        "is_event_stream",
        "is_base64",
        "has_other_charset",
        "_content",
        "_is_cut",
    )

    def __init__(self, head: RequestRecord | ResponseRecord, spool: Spool) -> None:
        self.codings = head.codings
        self.is_event_stream = isinstance(head, ResponseRecord) and head.transport == "sse"
        self.is_base64 = is_base64(head.headers)
        self.has_other_charset = has_other_charset(head.headers)
        self._content = Pieces(spool)
        self._is_cut = False

    def add(self, record: ChunkRecord | DataRecord | Http2DataRecord | Http3DataRecord) -> None:
        """Take the next piece; of what comes after one that is unknown nobody knows the place."""
        if self._is_cut:
            return
        data = content_bytes(record)
        room = MAX_CONTENT - self._content.size
        self._content.add(data[:room])
        self._is_cut = len(data) > room or (record.data is None and record.size > 0)

    def taken(self, body: BodyRecord) -> tuple[Pieces, bool]:
        """Return what came of the body, and whether there was more."""
        return self._content, self._is_cut or self._content.size < body.size

    def discard(self) -> None:
        """Be of no use any more."""
        self._content.discard()


class RecordedContents:
    """The content of all messages of which only records tell, until their bodies end."""

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self._open: dict[int, dict[tuple[int, Sender], RecordedContent]] = {}

    @staticmethod
    def has(record: Record) -> bool:
        """Whether the content of what a record belongs to is kept here."""
        return isinstance(record, Sent) and (record.layer != "tcp" or record.stream_id is not None)

    def take(self, record: Record) -> RecordedContent | None:
        """Take the next record; return the content of the body that it ends."""
        if not self.has(record) or not isinstance(record, Sent):
            return None
        messages = self._open.setdefault(record.connection, {})
        key = record.exchange, record.sender
        if isinstance(record, RequestRecord | ResponseRecord):
            messages[key] = RecordedContent(record, self._spool)
        elif isinstance(record, BodyRecord):
            return messages.pop(key, None)
        elif key in messages and isinstance(
            record, ChunkRecord | DataRecord | Http2DataRecord | Http3DataRecord
        ):
            messages[key].add(record)
        return None

    def forget(self, connection: int) -> None:
        """Take note that a connection has ended."""
        self._open.pop(connection, None)

    def forget_exchange(self, connection: int, exchange: int) -> None:
        """Take note that an exchange is over, whether its bodies have ended or not."""
        messages = self._open.get(connection, {})
        for sender in SENDERS:
            if (found := messages.pop((exchange, sender), None)) is not None:
                found.discard()


def decode_content(
    coded: Pieces, is_cut: bool, body: BodyRecord, policy: Policy | Rules, report: Report,
    *, spool: Spool, memory: Memory, codings: Sequence[str], is_base64: bool,
    has_other_charset: bool, is_event_stream: bool,
) -> Content:  # fmt: skip
    """Return a body's content as text if it is UTF-8 without NUL, else in base64, without its
    secrets. ``memory`` bounds what all bodies together may unfold to.

    What a coding still hides is masked whole, as in records and packets: nobody can look into it.
    ``coded`` is of no use after it. Raises OSError if there is no room.
    """
    rules = Rules.of(policy)
    decoded = _Decoded(coded, codings, memory)
    shown: Iterable[bytes] = decoded
    if rules.is_thorough:
        whole = b"".join(decoded)
        is_hidden = not decoded.undoes_all or has_other_charset or hides_secret(
            whole, is_base64=is_base64, is_event_stream=is_event_stream,
            is_cut=is_cut or decoded.is_cut, patterns=rules.patterns,
        )  # fmt: skip
        shown = (_masked(whole, rules, report, is_hidden, is_event_stream),)
    try:
        text, in_base64 = json_pieces.text(shown, spool), False
    except (UnicodeDecodeError, json_pieces.NotText):
        text, in_base64 = json_pieces.base64_text(shown, spool), True
    coded.discard()
    return Content(text, in_base64, body.decoded_size, is_cut or decoded.is_cut)


class _Decoded:
    """Content without its codings, up to MAX_CONTENT: may be iterated over more than once."""

    def __init__(self, coded: Iterable[bytes], codings: Sequence[str], memory: Memory) -> None:
        self.is_cut = False
        """Whether there was more, once it has been iterated over."""
        self._coded = coded
        self._codings = codings
        self._memory = memory

    @property
    def undoes_all(self) -> bool:
        """Whether no coding is left on it."""
        return ContentDecoder(self._codings).undoes_all

    def __iter__(self) -> Iterator[bytes]:
        decoder = ContentDecoder(self._codings, self._memory)
        room = MAX_CONTENT
        for coded in self._coded:
            for piece in decoder.receive_data(coded):
                yield piece[:room]
                room -= len(piece)
                if room < 0:
                    self.is_cut = True
                    return


def _masked(
    whole: bytes, rules: Rules, report: Report, is_hidden: bool, is_event_stream: bool
) -> bytes:
    if is_hidden:
        report.left_out += 1
        return MASK.encode() * len(whole)
    finder = ContentFinder(is_event_stream=is_event_stream, patterns=rules.patterns)
    spans = merged(finder.feed(whole.decode("latin-1")))
    report.masked += len(spans)
    return mask_bytes(whole, spans)
