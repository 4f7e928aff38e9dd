"""permessage-deflate: inflate the messages of one WebSocket sender (RFC 7692 section 7.2.2).

Strategy: an :class:`Inflater` gets each compressed message's payload in parts and yields what
they inflate to, in steps, so that a bomb never stands in memory. It keeps the LZ77 window from
message to message unless the sender has agreed not to use it. zlib does the work; three things
that zlib does not do are done here:

* A block with BFINAL set ends a DEFLATE stream, but not a message: the next block goes on with
  the same window (RFC 7692 section 7.2.3.4). A new stream is given the last 32 KiB as dictionary.
* A message has to end, once ``00 00 FF FF`` is appended, where a block ends: a copy of the state
  is asked whether it takes another block. Without that a cut message would damage the next one.
* Messages are inflated with the largest window whatever was agreed, so that a sender who breaks
  its word is still read; a second, small-windowed inflater beside it notices that.

After damage, a limit or missing bytes nothing is known of the window: the next message begins
with an empty one, and what it then inflates to is certain, as zlib refuses references to bytes
before the window's start. Input is fed in small steps, for zlib copies what it did not consume;
so time is linear in input and output together.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import NamedTuple

from ..limits import (
    MAX_DECODED_STEP,
    MAX_DEFLATE_STREAMS,
    MAX_INFLATED_FREE,
    MAX_INFLATED_RATIO,
    MAX_MESSAGE,
)
from ..memory import Memory
from ..records import Sender

_MAX_WINDOW_BITS = 15
# What the sender removed from the end of each message (RFC 7692 section 7.2.1)
_TAIL = b"\x00\x00\xff\xff"
# An empty block: BFINAL = 1, BTYPE = 01, end of block (RFC 1951 section 3.2.6)
_FINAL_BLOCK = b"\x03\x00"
_INPUT_STEP = 4096

_DAMAGED = "websocket-deflate-damaged"
_LIMIT = "websocket-deflate-limit"


class DeflateParameters(NamedTuple):
    """What client and server agreed (RFC 7692 section 7.1): the parameters of the response."""

    server_no_context_takeover: bool = False
    client_no_context_takeover: bool = False
    server_max_window_bits: int = _MAX_WINDOW_BITS
    client_max_window_bits: int = _MAX_WINDOW_BITS

    def inflater(self, sender: Sender, memory: Memory | None = None) -> Inflater:
        """Return the inflater for what ``sender`` sends."""
        if sender == "server":
            return Inflater(self.server_max_window_bits, self.server_no_context_takeover, memory)
        return Inflater(self.client_max_window_bits, self.client_no_context_takeover, memory)


class Inflater:
    """Inflate the compressed messages of one sender, one after the other.

    For each message: :meth:`begin`, :meth:`inflate` for each part, :meth:`finish`; or
    :meth:`abandon` if there is no rest. At a fault inflating stops until the next message
    (``is_stopped``). ``faults`` holds codes and details; whoever reports them clears it.
    """

    __slots__ = (
        "faults",
        "is_stopped",
        "_no_context_takeover",
        "_window",
        "_witness",
        "_received",
        "_inflated",
        "_memory",
    )

    def __init__(
        self,
        window_bits: int = _MAX_WINDOW_BITS,
        no_context_takeover: bool = False,
        memory: Memory | None = None,
    ) -> None:
        self._memory = Memory() if memory is None else memory
        self.faults: list[tuple[str, str]] = []
        self.is_stopped = False
        self._no_context_takeover = no_context_takeover
        self._window = _Window(_MAX_WINDOW_BITS)
        self._witness = _Window(window_bits) if window_bits < _MAX_WINDOW_BITS else None
        self._received = 0  # compressed bytes of this message
        self._inflated = 0

    def begin(self) -> None:
        """Begin a message."""
        self.is_stopped = False
        self._received = 0
        self._inflated = 0
        self._window.streams = 0
        if self._no_context_takeover:
            self._forget()

    def inflate(self, data: bytes) -> Iterator[bytes]:
        """Yield what the next part of the message inflates to, in steps of bounded size."""
        for start in range(0, len(data), _INPUT_STEP):
            if self.is_stopped:
                return
            yield from self._inflate_step(data[start : start + _INPUT_STEP])

    def finish(self) -> Iterator[bytes]:
        """End the message: yield what is left of it."""
        if not self.is_stopped:
            yield from self._inflate_step(_TAIL)
        if not self.is_stopped and not self._window.is_at_border():
            self._stop(_DAMAGED, "the message does not end where a block ends")

    def abandon(self) -> None:
        """Give up the message: bytes of it are missing, or its end never comes."""
        self.is_stopped = True
        self._forget()

    def _forget(self) -> None:
        self._window = _Window(_MAX_WINDOW_BITS)
        if self._witness is not None:
            self._witness = _Window(self._witness.bits)

    def _stop(self, code: str, detail: str) -> None:
        self.faults.append((code, detail))
        self.abandon()

    def _inflate_step(self, data: bytes) -> Iterator[bytes]:
        self._received += len(data)
        self._memory.folded += len(data)
        try:
            for inflated in self._window.decompress(data, MAX_DECODED_STEP):
                self._inflated += len(inflated)
                self._memory.unfolded += len(inflated)
                if not self._is_allowed():
                    return
                yield inflated
        except zlib.error as error:
            self._stop(_DAMAGED, f"{error} after {self._inflated:,} inflated bytes")
            return
        if self._witness is not None:
            self._witness_step(self._witness, data)

    def _is_allowed(self) -> bool:
        """Return whether the message keeps within the limits, and stop if it does not."""
        if self._inflated > MAX_MESSAGE:
            self._stop(_LIMIT, f"more than {MAX_MESSAGE:,} bytes")
        elif self._window.streams > MAX_DEFLATE_STREAMS:
            self._stop(_LIMIT, f"more than {MAX_DEFLATE_STREAMS:,} final blocks")
        elif self._inflated > max(MAX_INFLATED_FREE, self._received * MAX_INFLATED_RATIO):
            self._stop(_LIMIT, f"{self._received:,} bytes inflate to {self._inflated:,} and more")
        elif self._memory.unfolds_too_much:
            self._stop(_LIMIT, self._memory.unfolded_text)
        return not self.is_stopped

    def _witness_step(self, witness: _Window, data: bytes) -> None:
        """Let the agreed window see the same bytes.

        zlib can refer back to its window and to what it has put out in the same call: with steps
        of the window's size, a reference that goes twice as far as allowed is never missed.
        """
        try:
            for _ in witness.decompress(data, 1 << witness.bits):
                pass
        except zlib.error:
            self._witness = None
            detail = f"agreed {1 << witness.bits:,} bytes, found a reference further back"
            self.faults.append(("websocket-window-exceeded", detail))


class _Window:
    """An LZ77 window of 2**bits bytes, and the DEFLATE stream that goes on in it."""

    __slots__ = ("bits", "streams", "_stream", "_history")

    def __init__(self, bits: int) -> None:
        self.bits = bits
        self.streams = 0  # how many began because a final block ended the one before
        self._stream = zlib.decompressobj(-bits)
        self._history = bytearray()  # the window, for the stream after a final block

    def decompress(self, data: bytes, step: int) -> Iterator[bytes]:
        """Yield what ``data`` inflates to, at most ``step`` bytes at a time, and at least once.

        Raises zlib.error for what is not DEFLATE.
        """
        while True:
            inflated = self._stream.decompress(data, step)
            self._remember(inflated)
            if self._stream.eof:
                data = self._stream.unused_data
                self.streams += 1
                self._stream = zlib.decompressobj(-self.bits, zdict=bytes(self._history))
            else:
                data = self._stream.unconsumed_tail
            yield inflated
            # A full step may have left output in zlib even if it has taken all input.
            if not data and len(inflated) < step:
                return

    def is_at_border(self) -> bool:
        """Return whether a block could begin with the next byte."""
        probe = self._stream.copy()
        try:
            return not probe.decompress(_FINAL_BLOCK) and probe.eof
        except zlib.error:
            return False

    def _remember(self, inflated: bytes) -> None:
        size = 1 << self.bits
        self._history += inflated[-size:]
        if len(self._history) > 2 * size:  # not each time: deleting moves the rest
            del self._history[:-size]
