"""TLS records: their borders in one side's bytes (RFC 8446 section 5.1, RFC 5246 section 6.2).

Strategy: a header of five bytes says how long its record is. Fragments are kept of the kinds that
may be in the clear, and are no longer than a record. Missing bytes of a record leave its border
certain. Where a border is lost, by missing bytes or by what is no record, :class:`RecordSearch`
finds the next one; that is said, for until then records may have passed unseen.
"""

from __future__ import annotations

from ..diagnostics import amount, diagnose
from ..kept import KeptBytes
from ..limits import MAX_TLS_RECORD
from ..provenance import Element, Ending, Event
from .resynchronise import HEADER_SIZE, RecordSearch, fragment_length

CHANGE_CIPHER_SPEC = 20
ALERT = 21
HANDSHAKE = 22
APPLICATION_DATA = 23
HEARTBEAT = 24
TYPE_NAMES = {
    CHANGE_CIPHER_SPEC: "change_cipher_spec", ALERT: "alert", HANDSHAKE: "handshake",
    APPLICATION_DATA: "application_data", HEARTBEAT: "heartbeat",
}  # fmt: skip
_MAY_BE_CLEAR = (CHANGE_CIPHER_SPEC, ALERT, HANDSHAKE)
"""Types whose fragments may be in the clear."""
_SEARCH_STEP = 512


class TlsRecord(Element, frozen=True):
    """One record, whose last byte is there, or is known to be missing."""

    start: int
    end: int
    type: int
    """As its header says: in TLS 1.3 all that is encrypted is ``APPLICATION_DATA``."""
    size: int
    """Bytes of its fragment, without the header."""
    missing: int
    """Bytes of them that the capture lacks."""
    fragment: bytes | None
    """None if bytes are missing, and for application data unless all are kept."""
    header: bytes


class RecordDecoder:
    """Finds the records in one side's bytes; ``offset`` is the number of the first one.

    With ``keeps_all`` the fragments of application data are kept too.
    """

    __slots__ = (
        "_offset", "_header", "_start", "_type", "_length", "_missing", "_fragment", "_search",
        "_lost_at", "_whole_header", "_kept",
    )  # fmt: skip

    def __init__(self, offset: int = 0, *, keeps_all: bool = False) -> None:
        self._kept = tuple(TYPE_NAMES) if keeps_all else _MAY_BE_CLEAR
        self._whole_header = b""  # of the open record
        self._offset = offset  # of the next byte that has not been read
        self._header = b""
        self._start = offset  # of the open record
        self._type: int | None = None  # of the open record, once its header is whole
        self._length = 0
        self._missing = 0
        self._fragment = KeptBytes(0)
        self._search: RecordSearch | None = None
        self._lost_at = offset

    def search(self) -> None:
        """Take note that what follows may begin amid a record."""
        self._lost_at = self._offset
        self._search = RecordSearch(self._offset)

    def receive_data(self, data: bytes) -> list[Event]:
        """Take the next bytes, and return the records that they completed."""
        events: list[Event] = []
        rest = [(data, 0)]  # what is to be read, the last one first
        while rest:
            data, pos = rest.pop()
            while pos < len(data):
                before = pos
                if self._search is None:
                    read = self._read_header if self._type is None else self._read_fragment
                    pos = read(data, pos, events)
                    self._offset += pos - before
                    continue
                # Step by step: what a search gives back is copied, and another may soon begin.
                pos = min(pos + _SEARCH_STEP, len(data))
                self._offset += pos - before
                if (found := self._search.receive_data(data[before:pos])) is not None:
                    rest.append((data, pos))
                    data, pos = self._go_on(*found, events), 0
        return events

    def receive_gap(self, length: int) -> list[Event]:
        """Go on after missing bytes: in the open record, at its end, or where one proves itself."""
        events: list[Event] = []
        left = length
        if self._type is not None:
            taken = min(length, self._length - self._fragment.size)
            self._missing += taken
            self._fragment.size += taken
            self._end_if_whole(self._offset + taken, events)
            left -= taken
        self._offset += length
        if left:
            self._lose(self._offset - left)
            self._search = RecordSearch(self._offset)
        return events

    def receive_eof(self, ending: Ending = "close") -> list[Event]:
        """Return what the end proves: records that end where the stream does."""
        events: list[Event] = []
        if self._search is not None and (found := self._search.receive_eof()) is not None:
            events += self.receive_data(self._go_on(*found, events))
        return events

    @property
    def offset(self) -> int:
        """The number of the byte that comes next."""
        return self._offset

    def pass_over(self, size: int) -> None:
        """Take note of records that were read already: at a border, up to another one."""
        self._offset += size

    @property
    def left(self) -> int | None:
        """How many bytes the open record still takes; None if none is open, or that is unknown."""
        return None if self._type is None else self._length - self._fragment.size

    @property
    def unread(self) -> int:
        """How many bytes may be records, since a border was lost that has not been found again."""
        return 0 if self._search is None else self._offset - self._lost_at

    @property
    def is_at_border(self) -> bool:
        """Whether the bytes so far end where a record does."""
        return self._search is None and self._type is None and not self._header

    @property
    def open_offsets(self) -> tuple[int, ...]:
        """Where the open record begins, or may."""
        if self._search is not None:
            return (self._lost_at, self._search.open_offset)
        return () if self.is_at_border else (self._start,)

    # --- states: each takes the piece and a position, and returns how far it came ---

    def _read_header(self, data: bytes, pos: int, events: list[Event]) -> int:
        if not self._header:
            self._start = self._offset
        end = pos + HEADER_SIZE - len(self._header)
        self._header += data[pos:end]
        if len(self._header) < HEADER_SIZE:
            return len(data)
        header, self._header = self._header, b""
        length = fragment_length(header)
        if length is None or length > MAX_TLS_RECORD:
            self._refuse(header, length, events)
            return end
        self._whole_header = header
        self._type, self._length, self._missing = header[0], length, 0
        self._fragment = KeptBytes(MAX_TLS_RECORD if header[0] in self._kept else 0)
        self._end_if_whole(self._start + HEADER_SIZE, events)
        return end

    def _read_fragment(self, data: bytes, pos: int, events: list[Event]) -> int:
        end = min(pos + self._length - self._fragment.size, len(data))
        self._fragment.add(data[pos:end])
        self._end_if_whole(self._offset + end - pos, events)
        return end

    def _end_if_whole(self, end: int, events: list[Event]) -> None:
        kind = self._type
        if kind is None or self._fragment.size < self._length:
            return
        is_kept = kind in self._kept and not self._missing
        fragment = self._fragment.take() if is_kept else None
        size, missing, header = self._length, self._missing, self._whole_header
        events.append(TlsRecord(self._start, end, kind, size, missing, fragment, header))
        self._type = None

    # --- lost borders ---

    def _refuse(self, header: bytes, length: int | None, events: list[Event]) -> None:
        """Say that no record begins here, and look for the next one behind its first byte."""
        place = self._start, self._start + HEADER_SIZE
        if length is None:
            events.append(diagnose("tls-record-invalid", *place, header.hex(" ")))
        else:
            detail = f"{length:,} bytes, of at most {MAX_TLS_RECORD:,}"
            events.append(diagnose("tls-record-too-long", *place, detail))
        self._lose(self._start)
        self._search = RecordSearch(self._start + 1)
        self._search.receive_data(header[1:])

    def _lose(self, place: int) -> None:
        if self._search is None:
            self._lost_at = self._start if self._header else place
        self._header = b""

    def _go_on(self, place: int, data: bytes, events: list[Event]) -> bytes:
        """Go on at ``place``, where ``data`` begins, which is all there is from there on."""
        if place > self._lost_at:
            detail = f"after {amount(place - self._lost_at, 'byte')}"
            events.append(diagnose("tls-resynchronised", place, place + HEADER_SIZE, detail))
        self._search = None
        self._offset = self._start = place
        return data
