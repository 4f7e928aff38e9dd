"""The proof of a redaction: what will be written is decoded again and searched for every secret.

Strategy: packets are taken from the file once more, masked, and decoded as any capture is. Each
frame is searched, and the texts of all records, in which codings are undone, pieces are put
together and payloads are unmasked. A secret that a frame still holds in any form is masked there
too, whoever put it there; one that only shows when the packets are decoded is named.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from msgspec.structs import fields
from parsers import BATCH, OrderedCapture, PacketDecoder
from parsers.content import ContentDecoder
from parsers.records import (
    BodyRecord,
    ChunkRecord,
    ConnectionRecord,
    DataRecord,
    Encoding,
    Http2DataRecord,
    Record,
    RequestRecord,
    ResponseRecord,
)

from ..text.progress import shown
from .found import MOST, FoundSecrets
from .frames import FrameMasks
from .records import plain_bytes

MAX_FLOWS = 4_096
"""Contents that may go on, of which the end is kept; then the one that was quiet longest is not."""
MAX_LEFT = 20
"""Places that are named."""
CODED = (ChunkRecord, DataRecord, Http2DataRecord)
"""Records whose data is as it was sent."""
SKIPPED = frozenset(
    ("record", "data", "encoding", "sha256", "masking_key", "layer", "sender", "extents")
)
"""Fields that no sender writes."""


class LeftSecret(NamedTuple):
    """Where a secret can still be read."""

    packet: int
    where: str
    """The kind of record that shows it."""
    form: str

    def __str__(self) -> str:
        return f"packet {self.packet}, {self.where}, {self.form}"


class Proof:
    """Searches what becomes of a capture for the secrets that ``masks`` have found."""

    def __init__(self, masks: FrameMasks) -> None:
        self.left: list[LeftSecret] = []
        self._masks = masks
        self._found: FoundSecrets = masks.report.found
        self._texts: list[tuple[Any, bytes]] = []
        """What records of the batch at hand say."""
        self._tails: dict[tuple[Any, ...], bytes] = {}
        self._decoders: dict[tuple[Any, ...], ContentDecoder] = {}

    def search(self, source: str) -> list[LeftSecret]:
        """Search the capture file ``source`` as it will be written; mask what frames still hold.

        Returns what can still be read when that is decoded. Raises OSError.
        """
        if not self._found.values or self._masks.policy != "all":
            return []
        decoder = PacketDecoder(keep_data=True)
        with Path(source).open("rb") as file, shown(file, "proving") as stream:
            for batch in OrderedCapture(stream).batches(BATCH):
                frames = [(*packet[:4], self._cleaned(packet)) for packet in batch]
                self._look_at(decoder.receive(frames))
        self._look_at(decoder.finish())
        return self.left

    def _cleaned(self, packet: Any) -> bytes:
        """Return a frame as it will be written, without any secret that is known by now."""
        frame = self._masks.masked(packet)
        left = list(self._found.left_in(frame))
        if not left:
            return frame
        for start, end, _ in left:
            self._masks.hide(packet[0], start, end)
        return self._masks.masked(packet)

    def _look_at(self, records: list[Record]) -> None:
        for record in records:
            if not isinstance(record, ConnectionRecord):
                self._look_at_texts(record)
        looked_at, self._texts = self._texts, []
        # All at once: there mostly is none.
        if next(self._found.left_in(b"\n".join(text for _, text in looked_at)), None) is not None:
            for record, text in looked_at:
                self._note(record, text)

    def _look_at_texts(self, record: Any) -> None:
        data = getattr(record, "data", None)
        if data:
            encoding: Encoding = getattr(record, "encoding", None) or "utf-8"
            self._look_at_data(record, plain_bytes(data, encoding))
        if others := " ".join(_texts(record)):
            self._texts.append((record, others.encode(errors="surrogatepass")))
        if isinstance(record, RequestRecord | ResponseRecord) and record.codings:
            flow = record.connection, record.exchange, record.sender
            self._decoders[flow] = ContentDecoder(record.codings)
            _limit(self._decoders)
        elif isinstance(record, BodyRecord):
            self._decoders.pop((record.connection, record.exchange, record.sender), None)

    def _look_at_data(self, record: Any, data: bytes) -> None:
        """Look at data as what follows the last of its kind, and at what it decodes to."""
        owner = record.connection, getattr(record, "exchange", None), record.sender
        pieces = [data]
        if isinstance(record, CODED) and (decoder := self._decoders.get(owner)) is not None:
            pieces += decoder.receive_data(data)
            decoder.take_faults()
        for is_decoded, piece in enumerate(pieces):
            flow = (*owner, record.record, bool(is_decoded))
            text = self._tails.pop(flow, b"") + piece
            self._tails[flow] = text[-MOST:]
            _limit(self._tails)
            self._texts.append((record, text))

    def _note(self, record: Any, text: bytes) -> None:
        for _, _, form in self._found.left_in(text):
            packet = getattr(record, "last_packet", None) or 0
            left = LeftSecret(packet, record.record, form)
            if left not in self.left and len(self.left) < MAX_LEFT:
                self.left.append(left)


def _limit(flows: dict[tuple[Any, ...], Any]) -> None:
    if len(flows) > MAX_FLOWS:
        del flows[next(iter(flows))]


@lru_cache(64)
def _names_of_texts(kind: Any) -> list[str]:
    """Return which fields of a kind of record may hold texts of a sender."""
    told = {field.name: str(field.type) for field in fields(kind)}
    return [
        name
        for name, type_ in told.items()
        if name not in SKIPPED and ("str" in type_ or "list" in type_)
    ]


def _texts(record: Any) -> Iterator[str]:
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
