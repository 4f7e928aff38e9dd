"""The content of bodies, put together for formats that carry it whole.

Strategy: of a stream that carries one message after another the bytes are cut by its records. Where
the bytes of several messages alternate, or lie in TLS, the records themselves have the content.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from typing import NamedTuple

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
from ..redact.undeclared import is_base64

MAX_CONTENT = 16 * MiB
"""Bytes of one body that are kept, coded, and decoded again."""


class Content(NamedTuple):
    """A body's content, decoded."""

    text: str
    is_base64: bool
    size: int
    """Bytes of it, decoded, those that were left out too."""
    is_cut: bool


class ContentStream(ElementStream):
    """Keeps the content of the body that is coming."""

    def __init__(self) -> None:
        super().__init__()
        self._content = bytearray()
        self._begin: int | None = None  # of the content in its stream
        self._is_cut = False
        self.is_base64 = False
        """Whether the content is in base64 by its type."""

    def head(self, record: RequestRecord | ResponseRecord, data: bytes, start: int) -> None:
        self.is_base64 = is_base64(record.headers)

    def content(self, data: bytes, start: int) -> None:
        if self._is_cut:
            return
        if self._begin is None:
            self._begin = start
        end = start + len(data)
        holes = [hole[0] for hole in self.holes if hole[0] < end and hole[1] > self._begin]
        # Of what comes after bytes that the capture lacks nobody knows how it goes on.
        whole = max(min(holes, default=end) - start, 0)
        room = min(MAX_CONTENT - len(self._content), whole)
        self._content += data[:room]
        self._is_cut = len(data) > room

    def take_content(self) -> tuple[bytes, bool]:
        """Return what came of the body that has ended, and whether there was more."""
        found = bytes(self._content), self._is_cut
        self._content, self._begin, self._is_cut = bytearray(), None, False
        return found


class RecordedContent:
    """Keeps the content of one message that its records bring."""

    def __init__(self, head: RequestRecord | ResponseRecord) -> None:
        self.codings = head.codings
        self.is_event_stream = isinstance(head, ResponseRecord) and head.transport == "sse"
        self.is_base64 = is_base64(head.headers)
        self._content = bytearray()
        self._is_cut = False

    def add(self, record: ChunkRecord | DataRecord | Http2DataRecord | Http3DataRecord) -> None:
        """Take the next piece; of what comes after one that is unknown nobody knows the place."""
        if self._is_cut:
            return
        data = content_bytes(record)
        room = MAX_CONTENT - len(self._content)
        self._content += data[:room]
        self._is_cut = len(data) > room or (record.data is None and record.size > 0)

    def taken(self, body: BodyRecord) -> tuple[bytes, bool]:
        """Return what came of the body, and whether there was more."""
        return bytes(self._content), self._is_cut or len(self._content) < body.size


class RecordedContents:
    """The content of all messages of which only records tell, until their bodies end."""

    def __init__(self) -> None:
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
            messages[key] = RecordedContent(record)
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


def decode_content(
    coded: bytes, is_cut: bool, body: BodyRecord, policy: Policy | Rules, report: Report,
    *, codings: Sequence[str], is_base64: bool, is_event_stream: bool,
) -> Content:  # fmt: skip
    """Return a body's content as text if it is UTF-8, else in base64, without its secrets.

    What a coding still hides is masked whole, as in records and packets: nobody can look into it.
    """
    rules = Rules.of(policy)
    data = bytearray()
    decoder = ContentDecoder(codings)
    for piece in decoder.receive_data(coded):
        room = MAX_CONTENT - len(data)
        data += piece[:room]
        if len(piece) > room:
            is_cut = True
            break
    whole = bytes(data)
    if rules.is_thorough and (not decoder.undoes_all or hides_secret(
        whole, is_base64=is_base64, is_event_stream=is_event_stream, is_cut=is_cut,
        patterns=rules.patterns,
    )):  # fmt: skip
        report.left_out += 1
        whole = MASK.encode() * len(whole)
    elif rules.is_thorough:
        finder = ContentFinder(is_event_stream=is_event_stream, patterns=rules.patterns)
        spans = merged(finder.feed(whole.decode("latin-1")))
        report.masked += len(spans)
        whole = mask_bytes(whole, spans)
    size = body.decoded_size
    try:
        return Content(whole.decode(), False, size, is_cut)
    except UnicodeDecodeError:
        return Content(b64encode(whole).decode(), True, size, is_cut)
