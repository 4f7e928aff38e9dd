"""One side's encrypted records: which key and which number opens the next one.

Strategy: records are numbered from 0 with each key (RFC 8446 section 5.3), and the number is not
sent, so it is counted. Where records may be missing the tag tells which number is right: those that
the missing bytes have room for are tried, then the same with the keys that follow. What was lost is
then known as well: so many records, and the bytes that are left when their overhead is taken off.
"""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from ..limits import MAX_TLS_SEARCH
from ..provenance import Element, Ending
from ..records import Sender
from .handshake import CLIENT_HELLO, ENCRYPTED_EXTENSIONS, SERVER_HELLO, HandshakeReader
from .key_chain import Epoch, KeyChain, Step
from .protection import Opened
from .records import TlsRecord

FAILURES = 8
"""Records that did not open, though nothing is missing, that may have had a number all the same."""
AHEAD = 3
"""Keys that are tried after missing bytes: the present one, and after it a Finished or a KeyUpdate
that was lost, or two."""
SHORTEST = 22
"""Bytes of the shortest record where the key is not known: header, type and tag."""
_READ = frozenset((CLIENT_HELLO, SERVER_HELLO, ENCRYPTED_EXTENSIONS))


class LostContent(Element, frozen=True):
    """Content that is missing, before what comes next: of records that are lost or do not open."""

    start: int
    end: int
    length: int
    """Bytes of it, without padding; those of messages that are no content are among them."""


class Found(NamedTuple):
    """An opened record, and where its key stands."""

    ahead: int
    number: int
    opened: Opened


class SealedSide:
    """Where one side is in its keys and numbers, and its records that wait."""

    def __init__(self, sender: Sender) -> None:
        self.sender = sender
        self.queue: deque[TlsRecord | Ending] = deque()
        self.queued = 0
        """Bytes of the records that wait."""
        self.epoch: Epoch = "handshake"
        """Whose keys are looked for next."""
        self.chain: KeyChain | None = None
        self.joined_at = 0
        """The number of the first record, where it had to be found."""
        self.is_sealed = False
        """Whether a record that may be encrypted was seen."""
        self.has_switched = False
        """Whether a ChangeCipherSpec was seen in the clear."""
        self.is_unsure = False
        """Whether records under a key that is not known come first: they are not counted."""
        self.messages = HandshakeReader(_READ)
        self.offset = 0
        """Where the next record should begin."""
        self.is_joined = False
        """Whether it begins somewhere in the middle."""
        self.is_new = True
        """Whether no record has come yet."""
        self.is_over = False
        self.ending: Ending | None = None
        """How it ended, once all before has been taken."""
        self.has_close_notify = False
        self.why = ""
        """Why its records do not open."""
        self.opened = 0
        self.unread = 0
        """Records that came before those of the first key that is known."""
        self.closed = 0
        """Records that were not opened, and may have held content."""
        self.lost = 0
        """Bytes of records that are missing from the capture, as they were sent."""
        self.sequence = 0
        self.doubt = 0
        """Records that may be missing before the next one, at most."""
        self._unread = 0  # bytes at the end that may be records
        self._failures = 0
        self._passed = 0  # bytes that were passed over since the last record that opened
        self._trials = 0

    @property
    def step(self) -> Step | None:
        return None if self.chain is None else self.chain.peek()

    # --- what waits ---

    def wait(self, record: TlsRecord) -> int:
        """Let a record wait; return how many bytes that are more."""
        self.queue.append(record)
        size = record.end - record.start
        self.queued += size
        return size

    def end(self, ending: Ending, unread: int) -> None:
        """Let the end wait for the records before it."""
        self.queue.append(ending)
        self.is_over = True
        self._unread = unread

    def next(self) -> int:
        """Let go of the first that waits: it has been taken; return how many bytes that are."""
        item = self.queue.popleft()
        if isinstance(item, str):
            return 0
        size = item.end - item.start
        self.queued -= size
        return size

    @property
    def is_read_to_end(self) -> bool:
        """Whether its last record was opened."""
        return self.ending in ("close", "reset") and not self._passed and bool(self.opened)

    # --- what is missing ---

    def end_here(self, ending: Ending) -> None:
        """Take note that nothing follows."""
        self.ending = ending
        if self._unread:
            self._lose(self._unread)

    def go_on_at(self, record: TlsRecord) -> None:
        """Take note of what is missing before a record."""
        if record.start > self.offset and not (self.is_joined and self.is_new):
            self._lose(record.start - self.offset)
        self.is_new = False
        self.offset = record.end

    def _lose(self, length: int) -> None:
        """Take note that so many bytes between two records are missing."""
        step = self.step
        least = SHORTEST if step is None else step.protection.least
        self.lost += length
        self._pass(length, max(1, length // least))

    def miss(self, record: TlsRecord) -> None:
        """Take note that one whole record is not there."""
        self.lost += record.missing
        self._pass(record.end - record.start, 1)

    def _pass(self, length: int, records: int) -> None:
        self._passed += length
        self.doubt += records
        self.messages.forget()
        if (step := self.step) is not None:
            step.protection.pass_by(None)

    def fail(self, record: TlsRecord) -> None:
        """Take note that a record does not open."""
        self.closed += 1
        if self.chain is None:
            self.doubt += 1
        self._failures = min(self._failures + 1, FAILURES)
        self._passed += record.end - record.start
        self.messages.forget()

    # --- keys and numbers ---

    def open(self, record: TlsRecord, fragment: bytes) -> Found | None:
        """Return what a record holds, and where; None if no key and number fits."""
        step = self.step
        if step is None:
            return None
        opened = step.protection.open(self.sequence, record.header, fragment)
        found = None if opened is None else Found(0, self.sequence, opened)
        if found is None and (self.doubt or self._failures):
            found = self._search(record.header, fragment)
        if found is not None and found.ahead and (later := self._peek(found.ahead)) is not None:
            step = later
        step.protection.pass_by(fragment)
        return found

    def _peek(self, ahead: int) -> Step | None:
        return None if self.chain is None else self.chain.peek(ahead)

    def _search(self, header: bytes, fragment: bytes) -> Found | None:
        """Try the numbers, and the keys, that may come next after what is missing."""
        room = self.doubt + self._failures
        for ahead in range(AHEAD):
            step = self._peek(ahead)
            if step is None:
                return None
            first = 0 if ahead else self.sequence + 1
            for number in range(first, first + room):
                if self._trials >= MAX_TLS_SEARCH:
                    return None
                self._trials += 1
                opened = step.protection.open(number, header, fragment)
                if opened is not None:
                    return Found(ahead, number, opened)
        return None

    def go_to(self, found: Found) -> int:
        """Go on after a record that opened; return how much content is missing before it."""
        missing, step = 0, self._peek(found.ahead)
        assert step is not None
        assert self.chain is not None
        # Of a key that is over, a Finished or a KeyUpdate at least is among what is lost.
        records = found.number + 1 if found.ahead else found.number - self.sequence
        if records and self._passed:
            missing = self._passed - records * step.protection.overhead
            missing = max(int(step.protection.pads), missing)
        self.chain.move(found.ahead)
        self.epoch = step.epoch
        self.settle(found.number + 1)
        self.opened += 1
        self.is_unsure = False
        return missing

    @property
    def is_certain(self) -> bool:
        """Whether the next record has the next number of traffic's key, and nothing waits."""
        return (
            self.epoch in ("traffic", "sealed")
            and not (self.queue or self.doubt or self._failures or self.is_unsure)
            and (step := self.step) is not None
            and not step.protection.pads
            and bool(self.opened)
        )

    def count_run(self, records: int, sequence: int, offset: int) -> None:
        """Take note of records that were opened one after another, up to ``offset``."""
        self.opened += records
        self.sequence = sequence
        self.offset = offset

    def settle(self, sequence: int) -> None:
        """Be certain of the next number."""
        self.sequence = sequence
        self.doubt = self._failures = self._passed = self._trials = 0

    def join(self, epoch: Epoch, sequence: int) -> None:
        """Begin with a key and a number that were found by trial."""
        self.epoch = epoch
        self.joined_at = sequence
        self.sequence = sequence

    def shift(self, epoch: Epoch) -> None:
        """Go on with the next key, which is one of ``epoch``."""
        if self.chain is not None:
            self.chain.move(1)
            if (step := self.chain.peek()) is None or step.epoch != epoch:
                self.chain = None  # to be looked for
        self.epoch = epoch
        self.settle(0)

    def last_loss(self) -> int:
        """Return how much content may be missing at the end."""
        step = self.step
        overhead = SHORTEST if step is None else step.protection.overhead
        return max(0, self._passed - overhead)
