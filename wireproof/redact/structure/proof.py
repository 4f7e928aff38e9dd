"""The proof of a copy without content: it is decoded again, and every word in it is on a list.

Strategy: nothing here knows how content was masked. A word is a run of letters and digits, in any
alphabet; of the texts of all records together, and of the payloads of all frames, each has to be
one that standards or an API list (:mod:`.words`), a small number, or nines. Where bytes are no
text (HTTP/2, TLS, masked frames) the records say what they hold. Only if there is a word that is on
no list, the record or frame is looked for that has it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterator, Sequence
from functools import cache
from itertools import chain
from typing import Any, BinaryIO

from parsers import BATCH, MASK_CHARACTERS, OrderedCapture, Packet, PacketDecoder
from parsers.records import (
    BodyRecord,
    ChunkRecord,
    ConnectionRecord,
    DataRecord,
    DiagnosticRecord,
    GapRecord,
    Http2DataRecord,
    Http2FrameRecord,
    Record,
    RequestRecord,
    ResponseRecord,
    SseEventRecord,
    StallRecord,
    TlsConnectionRecord,
    TlsRecordRecord,
    WebSocketFrameRecord,
)
from parsers.wants import KINDS, Wants

from ...collector import collect_much
from ...exchange import PING
from ...text.progress import shown
from ..proof import MAX_LEFT, LeftSecret, texts_of
from ..records import plain_bytes
from .content import GRPC, media_type
from .headers import headers_of, kept_of, usual_payload
from .heads import SAMPLE_ACCEPT, SAMPLE_KEY, WRONG_ACCEPT
from .lines import MARK
from .words import COUNT, FIELD_NAMES, LISTED, METHODS, REASONS, event_names, members, words

WORD = re.compile(rb"[0-9A-Za-z\x80-\xff]+")
SIZE_ENDS = rb"(?=[ \t]*(?:;\**)?\r\n)"
NO_CHUNK_SIZE = re.compile(
    rb"(?:(?<=\r\n)0*[0-9A-Fa-f]{1,8}" + SIZE_ENDS + rb")|([0-9A-Za-z\x80-\xff]+)"
)
"""A word, or nothing in the place of a chunk's size."""
CHUNK_LINE = re.compile(rb"(?:(?<=\r\n)|\A\n?)0*[0-9A-Fa-f]{1,8}" + SIZE_ENDS)
CUT_SIZE = re.compile(
    rb"(?:(?<=\r\n)|(?<=\*)|\A\n?)([0-9A-Fa-f]{1,16})(?=[ \t]*(?:;\**)?(?:\r\n|\r?\Z))"
)
"""What may be the size of a chunk, or the part of it that a segment has; there are asterisks before
it in what comes again and begins before its stream does."""
NO_WORD = 3
"""Digits that are too few for a word: of a chunk that never ends the decoder tells no size."""
MAX_SIZES, MAX_CUT = 65_536, 4_096
"""Parts of sizes, and packets with some, that are remembered; of more than that none is known."""
RAW = (ChunkRecord, DataRecord, Http2DataRecord)
NOTHING = frozenset((b"",))
BEFORE, AFTER = (b"", b"\n", b"\r\n"), (b"", b"\r", b"\r\n")
"""What stands next to a word that a chunk or a segment cuts: nothing, or a line end, of which a
segment may have half; or a mask, where a segment overlaps others."""
BETWEEN = b"\0\r\n"
"""What stands between payloads that are looked at together: a word ends, and a line begins."""
MAX_PREFIXED = 4_096
"""Messages of gRPC that may go on at the same time."""
FILLERS = MASK_CHARACTERS
ETHERNET_HEADER = 14
OTHERS = (
    b"http h2c h3 data event id retry done probe proxy unknown pri sm quit true false null".split()
)
"""Words of syntax."""
SHOWN_BY_OTHERS = frozenset((SseEventRecord, GapRecord, TlsRecordRecord, StallRecord))
"""Records that no sender wrote, or whose texts are those of the content that they came in."""
WANTED = Wants(frozenset(KINDS.values()) - SHOWN_BY_OTHERS, digests=False)
STANDS_FOR_KEYS = SAMPLE_KEY, SAMPLE_ACCEPT, WRONG_ACCEPT
SAMPLES = re.compile(
    rb"(?i:http2-settings): ?[\w-]+|(?m:^)[a-k](?=:(?:[\"{\[\r]|\Z))|%s"
    % b"|".join(map(re.escape, (*STANDS_FOR_KEYS, MARK)))
)
"""What takes the place of a WebSocket's key, and of what answers it (RFC 6455 section 1.3); and
numbers in base64; the letters that lines of the AI SDK's data streams begin with; and the mark that
an event stream may begin with."""
BEGUN_OR_ENDED = re.compile(
    rb"\A(?:%s)(?=[\r\n]|\Z)|(?<=[ :])(?:%s)\Z|\A\xbb?\xbf|\xef\xbb?\Z"
    % (
        b"|".join(re.escape(one[at:]) for one in STANDS_FOR_KEYS for at in range(len(one))),
        b"|".join(re.escape(one[:at]) for one in STANDS_FOR_KEYS for at in range(len(one), 0, -1)),
    )
)
"""The part of a key's stand-in, or of that mark, that a segment has if it ends or begins there."""
SETTINGS = "http2-settings"
OTHER_TEXTS: dict[type[Any], Callable[[Any], Iterator[str]]] = {
    ConnectionRecord: lambda _: iter(()),
    DiagnosticRecord: lambda _: iter(()),
    ChunkRecord: lambda one: chain([one.extension], *(one.trailers or ())),
    DataRecord: lambda _: iter(()),
    Http2DataRecord: lambda _: iter(()),
    Http2FrameRecord: lambda one: chain([one.debug or ""]),
    BodyRecord: lambda one: chain(*(one.trailers or ())),
    WebSocketFrameRecord: lambda one: iter([one.close_reason or ""]),
    TlsConnectionRecord: lambda one: chain([one.sni or "", one.alpn or ""]),
    RequestRecord: lambda one: chain([one.method, one.target, one.version], *_fields(one)),
    ResponseRecord: lambda one: chain([one.version, one.reason], *one.headers),
}
"""Texts of records that a sender wrote, but for their data: of other kinds all texts are taken."""


def _fields(record: Any) -> Iterator[tuple[str, str]]:
    for name, value in record.headers:
        yield name, "" if name.lower() == SETTINGS else value


@cache
def allowed() -> frozenset[bytes]:
    """Return the words that may stand in a copy, in lower case."""
    listed = chain(
        FIELD_NAMES,
        *LISTED.values(),
        METHODS,
        REASONS,
        members(),
        words(),
        event_names(),
        OTHERS,
        [MARK],
    )
    return frozenset(WORD.findall(b" ".join(listed).lower()))


def _unlisted(text: bytes, word: re.Pattern[bytes] = WORD) -> set[bytes]:
    """Return the words of a text that are on no list."""
    listed = allowed()
    found = set(word.findall(text)) - listed - NOTHING
    return {one for one in found if one.lower() not in listed and not COUNT.fullmatch(one)}


def has_content(text: bytes, fillers: frozenset[int] = frozenset()) -> bool:
    """Whether there is a word in a text that is on no list.

    Where a text or a chunk ends a word may be cut; ``fillers`` are bytes that say nothing.
    """
    text = CHUNK_LINE.sub(b"", BEGUN_OR_ENDED.sub(b"", SAMPLES.sub(b"", text)))
    words = _unlisted(text)
    if not words or any(text in one for one in STANDS_FOR_KEYS):
        return False
    for match in WORD.finditer(text):
        word = match[0].lower()
        if match[0] not in words or fillers.issuperset(match[0]):
            continue
        start, end = match.span()
        is_cut = text[max(start - 2, 0) : start] in BEFORE or text[end : end + 2] in AFTER
        is_cut = is_cut or b"*" in (text[max(start - 1, 0) : start], text[end : end + 1])
        if not is_cut or not any(word in one for one in allowed()):
            return True
    return False


class ChunkSizes:
    """What segments may have of chunks' sizes: parts of the sizes that the decoder has read."""

    def __init__(self) -> None:
        self._sizes: dict[int, int] = {}
        """Sizes, and the first packet of a chunk that has it."""
        self._parts: dict[bytes, int] = {}
        """Parts of sizes, and the first packet of a chunk that has it."""
        self._cut: dict[int, list[bytes]] = {}

    def add(self, record: ChunkRecord) -> None:
        """Take a chunk that more than one packet carried."""
        first = record.first_packet
        if self._sizes.get(record.size, first + 1) <= first or len(self._parts) >= MAX_SIZES:
            return
        self._sizes[record.size] = first
        digits = b"%x" % record.size
        for start in range(len(digits)):
            for end in range(start + 1, len(digits) + 1):
                part = digits[start:end]
                self._parts[part] = min(self._parts.get(part, first), first)

    def ask(self, packet: int, parts: list[bytes]) -> bool:
        """Take what a packet may have of sizes, which is told by what follows; return whether
        there is room for it."""
        if all(len(part.lstrip(b"0")) <= NO_WORD for part in parts):
            return True
        if len(self._cut) < MAX_CUT:
            self._cut[packet] = parts
        return packet in self._cut

    def unknown(self) -> list[int]:
        """Return the packets that have what is no part of a size."""
        return [number for number, parts in self._cut.items() if not self._explains(number, parts)]

    def _explains(self, packet: int, parts: list[bytes]) -> bool:
        digits = (part.lower().lstrip(b"0") for part in parts)
        return all(
            len(one) <= NO_WORD or self._parts.get(one, packet + 1) <= packet for one in digits
        )


class StructureProof:
    """Searches a copy for words that are on no list."""

    def __init__(self, opaque: Container[int]) -> None:
        self.left: list[LeftSecret] = []
        """What can still be read."""
        self._prefixed: set[tuple[Any, ...]] = set()
        self._sizes = ChunkSizes()
        self._opaque = opaque
        """Packets whose payload is no text: frames of HTTP/2, of TLS, and masked ones."""

    def search(self, written: BinaryIO) -> None:
        """Search the copy of a capture. Raises OSError."""
        decoder = PacketDecoder(keep_data=True, wants=WANTED)
        with shown(written, "proving") as stream:
            for batch in OrderedCapture(stream).batches(4 * BATCH, lambda: decoder.room):
                self._look_at_frames(batch)
                self._look_at(decoder.receive(batch))
        held = decoder.held
        self._look_at(decoder.finish())
        collect_much(held)
        for packet in self._sizes.unknown():
            self._note(packet, "frame")

    # --- records ---

    def _look_at(self, records: list[Record]) -> None:
        texts: list[bytes] = []
        for record in records:
            if isinstance(record, ChunkRecord) and record.first_packet != record.last_packet:
                self._sizes.add(record)
            texts += self._texts(record)
        if not _unlisted(SAMPLES.sub(b"", b"\n".join(texts))):
            return
        for record in records:
            fillers = FILLERS if _is_coded(record) else frozenset[int]()
            if any(has_content(text, fillers) for text in self._texts(record)):
                self._note(getattr(record, "last_packet", None) or 0, record.record)

    def _texts(self, record: Record) -> list[bytes]:
        """Return what a sender wrote of a record."""
        if isinstance(record, RequestRecord | ResponseRecord):
            self._note_type(record)
        texts: Callable[[Any], Any] = OTHER_TEXTS.get(record.__class__, texts_of)
        found = [text.encode(errors="surrogatepass") for text in texts(record)]
        data = getattr(record, "data", None)
        is_raw = record.__class__ in RAW and _key(record) in self._prefixed
        if isinstance(record, WebSocketFrameRecord):  # messages are records of their own
            is_raw = record.opcode < PING
        if data and not is_raw:
            found.append(plain_bytes(data, getattr(record, "encoding", None) or "utf-8"))
        return found

    def _note_type(self, record: RequestRecord | ResponseRecord) -> None:
        """Take note of content with lengths in it, which its messages have as records, and of
        tunnels in HTTP/2, whose frames are such."""
        connection, exchange, sender = _key(record)
        keys = [(connection, exchange, sender)]
        is_tunnel = isinstance(record, RequestRecord) and record.method == "CONNECT"
        if is_tunnel:
            keys.append((connection, exchange, "server"))
        if len(self._prefixed) >= MAX_PREFIXED:
            self._prefixed.clear()
        if is_tunnel or media_type(record.headers).startswith(GRPC):
            self._prefixed.update(keys)

    # --- frames ---

    def _look_at_frames(self, batch: Sequence[Packet]) -> None:
        payloads = [_payload(packet) for packet in batch if packet[0] not in self._opaque]
        words = _unlisted(BETWEEN.join([*payloads, b""]), NO_CHUNK_SIZE)
        if not words:
            return
        for packet in batch:
            if packet[0] in self._opaque or not has_content(payload := _payload(packet)):
                continue
            rest = CHUNK_LINE.sub(b"", payload)
            cut = CUT_SIZE.findall(rest)
            is_size = cut and not has_content(CUT_SIZE.sub(b"", rest))
            if not is_size or not self._sizes.ask(packet[0], cut):
                self._note(packet[0], "frame")

    def _note(self, packet: int, where: str) -> None:
        left = LeftSecret(packet, where, "a word that is no structure")
        if left not in self.left and len(self.left) < MAX_LEFT:
            self.left.append(left)


def _key(record: Any) -> tuple[Any, ...]:
    return record.connection, record.exchange, record.sender


def _is_coded(record: Any) -> bool:
    """Whether what a record says may have stood in the Huffman code, with other signs for masks."""
    has_fields = isinstance(record, RequestRecord | ResponseRecord | BodyRecord)
    return has_fields and record.stream_id is not None


def _payload(packet: Packet) -> bytes:
    if (begin := usual_payload(packet)) is not None:
        return packet[4][begin:]
    data = packet[4]
    packets, is_cut = headers_of(packet)
    if is_cut:
        return b""  # nothing but headers
    return data[kept_of(data, packets[-1]) :] if packets else data[ETHERNET_HEADER:]
