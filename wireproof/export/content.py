"""The content of bodies, put together from a side's stream, for formats that carry it whole."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from typing import NamedTuple

from parsers.content import ContentDecoder
from parsers.limits import MiB
from parsers.records import BodyRecord, RequestRecord, ResponseRecord

from ..bytes.dissection import ElementStream
from ..redact import Policy
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


def decode_content(
    coded: bytes, is_cut: bool, body: BodyRecord, policy: Policy, report: Report,
    *, codings: Sequence[str], is_base64: bool, is_event_stream: bool,
) -> Content:  # fmt: skip
    """Return a body's content as text if it is UTF-8, else in base64, without its secrets.

    What a coding still hides is masked whole, as in records and packets: nobody can look into it.
    """
    data = bytearray()
    decoder = ContentDecoder(codings)
    for piece in decoder.receive_data(coded):
        room = MAX_CONTENT - len(data)
        data += piece[:room]
        if len(piece) > room:
            is_cut = True
            break
    whole = bytes(data)
    if policy == "all" and (not decoder.undoes_all or hides_secret(
        whole, is_base64=is_base64, is_event_stream=is_event_stream, is_cut=is_cut
    )):  # fmt: skip
        report.left_out += 1
        whole = MASK.encode() * len(whole)
    elif policy == "all":
        spans = merged(ContentFinder(is_event_stream=is_event_stream).feed(whole.decode("latin-1")))
        report.masked += len(spans)
        whole = mask_bytes(whole, spans)
    size = body.decoded_size
    try:
        return Content(whole.decode(), False, size, is_cut)
    except UnicodeDecodeError:
        return Content(b64encode(whole).decode(), True, size, is_cut)
