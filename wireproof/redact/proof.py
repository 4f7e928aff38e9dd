"""The proof of a redaction: what was written is decoded again and searched for every secret.

Strategy: the copy is read as any capture is. The frames of each batch are searched together, and so
are the texts of its records, in which codings are undone, pieces are put together and payloads are
unmasked. A secret that a frame still holds is masked there too, whoever put it there, and the copy
is written once more; one that only shows when the packets are decoded is named.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import lru_cache
from itertools import accumulate
from typing import Any, BinaryIO, NamedTuple
from zlib import MAX_WBITS, decompressobj, error

from msgspec.structs import fields
from parsers import BATCH, Memory, OrderedCapture, Packet, PacketDecoder
from parsers.content import ContentDecoder
from parsers.records import (
    BodyRecord,
    ChunkRecord,
    ConnectionRecord,
    DataRecord,
    Encoding,
    Http2DataRecord,
    Http3DataRecord,
    Record,
    RequestRecord,
    ResponseRecord,
    SseEventRecord,
    WebSocketFrameRecord,
    WebSocketMessageRecord,
)
from parsers.wants import Wants

from ..collector import collect_much
from ..text.progress import shown
from .found import LEAST, MOST, FoundSecrets
from .frames import FrameMasks
from .records import plain_bytes
from .said import SaidTexts

MAX_FLOWS = 4_096
"""Contents that may go on, of which the end is kept; then the one that was quiet longest is not."""
MAX_LEFT = 20
"""Places that are named."""
LONGEST_FORM = 4 * MOST
"""Bytes at the end of a text in which a form may begin that goes on."""
SHORT = 2 * LONGEST_FORM
"""Characters of an event's data that are looked at whole, whatever they are."""
GZIP = b"\x1f\x8b\x08"
"""How gzip begins (RFC 1952 section 2.3.1), where nothing says that it is coded."""
GZIP_SIZE = 65_536
"""Bytes of each such that are unfolded, and of what it unfolds to."""
GZIP_WORK, GZIP_RATIO = 1 << 20, 16
"""Bytes that are read and made of one text for this, and for each byte of it: time is linear."""
CODED = (ChunkRecord, DataRecord, Http2DataRecord, Http3DataRecord)
"""Records whose data is as it was sent."""
SKIPPED = frozenset(
    ("record", "data", "encoding", "sha256", "masking_key", "layer", "sender", "extents")
)
"""Fields that no sender writes."""
USUAL_TEXTS: dict[type[Any], Callable[[Any], Any]] = {
    # What else is in an event's fields stands in the content that it came in.
    SseEventRecord: lambda record: (record.event or record.id) and (record.event, record.id),
    ChunkRecord: lambda record: (record.extension or record.trailers) and texts_of(record),
    DataRecord: lambda _: (),
    Http2DataRecord: lambda _: (),
    Http3DataRecord: lambda _: (),
    WebSocketFrameRecord: lambda record: record.close_reason and (record.close_reason,),
    WebSocketMessageRecord: lambda _: (),
}
"""Texts of the most frequent records, which mostly have none."""


class LeftSecret(NamedTuple):
    """Where a secret can still be read."""

    packet: int
    where: str
    """The kind of record that shows it."""
    form: str

    def __str__(self) -> str:
        return f"packet {self.packet}, {self.where}, {self.form}"


class _Said(NamedTuple):
    """What the records of a flow hold that one batch has brought, in order."""

    records: list[Any]
    texts: list[str | bytes]
    """Of each record."""

    def record_at(self, end: int) -> Any:
        """Return the record in which what ends at ``end`` bytes of all texts does."""
        ends = accumulate(len(_joined([text])) for text in self.texts)
        return self.records[min(sum(one < end for one in ends), len(self.records) - 1)]


def _joined(texts: list[Any]) -> bytes:
    """Return texts as bytes, all of them encoded at once if none is bytes already."""
    try:
        return "".join(texts).encode(errors="surrogatepass")
    except TypeError:
        plain = (one if isinstance(one, bytes) else _joined([one]) for one in texts)
        return b"".join(plain)


class Proof:
    """Searches what became of a capture for the secrets that ``masks`` have found."""

    def __init__(self, masks: FrameMasks) -> None:
        self.left: list[LeftSecret] = []
        """What can still be read."""
        self.holds_frames = False
        """Whether a frame itself holds something: :meth:`clean` masks that."""
        self._masks = masks
        self._found: FoundSecrets = masks.report.found
        self._flows: dict[tuple[Any, ...], _Said] = {}
        """What records of the batch at hand hold, each flow in order."""
        self._tails: dict[tuple[Any, ...], bytes] = {}
        self._decoders: dict[tuple[Any, ...], ContentDecoder] = {}
        self._texts = SaidTexts(reads_all=True)
        self._memory = Memory()
        """What those unfold to: what is too much was masked."""

    def search(self, written: BinaryIO) -> None:
        """Search the copy of a capture. Raises OSError."""
        if not self._found.values or not self._masks.rules.is_thorough:
            return
        decoder = PacketDecoder(keep_data=True, wants=Wants(digests=False, contents=False))
        with shown(written, "proving") as stream:
            for batch in OrderedCapture(stream).batches(4 * BATCH, lambda: decoder.room):
                self._look_at_frames(batch)
                self._look_at(decoder.receive(batch))
        held = decoder.held
        for ended in decoder.endings():
            self._look_at(ended)
        collect_much(held)

    def clean(self, file: BinaryIO) -> None:
        """Mask what frames of the capture ``file`` still hold as they will be written."""
        self.left.clear()
        self.holds_frames = False
        with shown(file, "masking") as stream:
            for batch in OrderedCapture(stream).batches(BATCH):
                for packet in batch:
                    for start, end, _ in list(self._found.left_in(self._masks.masked(packet))):
                        self._masks.hide(packet[0], start, end)

    # --- frames ---

    def _look_at_frames(self, batch: Sequence[Packet]) -> None:
        joined = b"".join([packet[4] for packet in batch])
        if next(self._found.left_in(joined), None) is not None:
            for packet in batch:
                for _, _, form in self._found.left_in(packet[4]):
                    self.holds_frames = True
                    self._note(packet[0], "frame", form)
        if any(self._in_gzip(joined)):
            for packet in batch:
                for form in self._in_gzip(packet[4]):
                    self._note(packet[0], "frame", form)

    def _in_gzip(self, data: bytes) -> Iterator[str]:
        """Yield in what form a secret stands in what begins as gzip, anywhere in ``data``.

        Nothing says that it is coded: where something does, the decoder has undone it.
        """
        at, left = data.find(GZIP), GZIP_WORK + GZIP_RATIO * len(data)
        while at >= 0 and left > 0:
            plain = b""
            with suppress(error):  # it only begins so
                coding = decompressobj(16 + MAX_WBITS)
                plain = coding.decompress(data[at : at + GZIP_SIZE], GZIP_SIZE)
            left -= min(len(data) - at, GZIP_SIZE) + len(plain)
            for _, _, form in self._found.left_in(plain):
                yield f"inside gzip, {form}"
            at = data.find(GZIP, at + 1)

    # --- records ---

    def _look_at(self, records: list[Record]) -> None:
        for thread, elements, texts in self._texts.read(records):
            first = elements[0]
            flow = (first.connection, first.exchange, first.sender, thread)
            for element, text in zip(elements, texts, strict=True):
                self._add(flow, element, text)
        self._look_at_records(records)

    def _look_at_records(self, records: list[Record]) -> None:
        for record in records:
            kind = record.__class__
            if kind is SseEventRecord or kind is ChunkRecord:
                self._take_usual(record)
            elif kind is not ConnectionRecord:
                self._take(record)
        flows, self._flows = self._flows, {}
        for flow, said in flows.items():
            before = self._tails.pop(flow, b"")
            text = before + _joined(said.texts)
            self._tails[flow] = text[-LONGEST_FORM:]
            for _, end, form in self._found.left_in(text):
                self._note_record(said.record_at(end - len(before)), form)
            for form in self._in_gzip(text):
                self._note_record(said.records[-1], form)
        while len(self._tails) > MAX_FLOWS:
            del self._tails[next(iter(self._tails))]

    def _take_usual(self, record: Any) -> None:
        """Take a chunk or an event, as nearly all records are: at a third of the cost if it has
        plain text, and else nothing that could be as long as a secret."""
        data = record.data
        kind = record.__class__
        if kind is SseEventRecord:
            names = record.event + record.id
            is_plain = names.isascii() and len(names) < LEAST and len(data or "") <= SHORT
        else:
            is_plain = record.encoding == "utf-8" and not (record.extension or record.trailers)
            is_plain = is_plain and not self._decoders
        if not is_plain:
            self._take(record)
        elif data:
            self._add((record.connection, record.exchange, record.sender, kind), record, data)

    def _take(self, record: Any) -> None:
        kind = record.__class__
        owner = record.connection, getattr(record, "exchange", None), record.sender
        if data := getattr(record, "data", None):
            if kind is SseEventRecord:
                data = _ends_of_line(data)
            encoding: Encoding = getattr(record, "encoding", None) or "utf-8"
            self._take_data(owner, record, plain_bytes(data, encoding))
        texts: Callable[[Any], Any] = USUAL_TEXTS.get(kind, texts_of)
        if others := texts(record):
            self._add((*owner, kind, "texts"), record, "\n".join(filter(None, others)) + "\n")
        if kind is RequestRecord or kind is ResponseRecord:
            if record.codings:
                self._decoders[owner] = ContentDecoder(record.codings, self._memory)
                if len(self._decoders) > MAX_FLOWS:
                    del self._decoders[next(iter(self._decoders))]
        elif kind is BodyRecord:
            self._decoders.pop(owner, None)

    def _take_data(self, owner: tuple[Any, ...], record: Any, data: bytes) -> None:
        """Take data as what follows the last of its kind, and what it decodes to."""
        self._add((*owner, record.__class__), record, data)
        if isinstance(record, CODED) and (decoder := self._decoders.get(owner)) is not None:
            plain = b"".join(decoder.receive_data(data))
            decoder.take_faults()
            self._add((*owner, record.__class__, "decoded"), record, plain)

    def _add(self, flow: tuple[Any, ...], record: Any, text: str | bytes) -> None:
        said = self._flows.get(flow)
        if said is None:
            said = self._flows[flow] = _Said([], [])
        said.records.append(record)
        said.texts.append(text)

    def _note_record(self, record: Any, form: str) -> None:
        self._note(getattr(record, "last_packet", None) or 0, record.record, form)

    def _note(self, packet: int, where: str, form: str) -> None:
        left = LeftSecret(packet, where, form)
        if left not in self.left and len(self.left) < MAX_LEFT:
            self.left.append(left)


def _ends_of_line(data: str) -> str:
    """Return the beginning and the end of an event's data if it is one long line.

    All of it stands as it is in the content that it came in, which is looked at by itself.
    """
    if len(data) <= SHORT or "\n" in data:
        return data
    return data[:LONGEST_FORM] + "\n" + data[-LONGEST_FORM:]


@lru_cache(64)
def _names_of_texts(kind: Any) -> list[str]:
    """Return which fields of a kind of record may hold texts of a sender."""
    told = {field.name: str(field.type) for field in fields(kind)}
    return [
        name
        for name, type_ in told.items()
        if name not in SKIPPED and ("str" in type_ or "list" in type_)
    ]


def texts_of(record: Any) -> Iterator[str]:
    """Yield the texts of a record but for its data."""
    for name in _names_of_texts(record.__class__):
        value = getattr(record, name)
        if isinstance(value, str):
            yield value
        elif isinstance(value, list):
            for item in value:
                if isinstance(item, tuple | list):
                    yield from (part for part in item if isinstance(part, str))
                elif isinstance(item, str):
                    yield item
