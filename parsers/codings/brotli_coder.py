"""Brotli (RFC 7932), bounded by ``output_buffer_limit`` of its library.

The library goes over the limit by half at most; before 1.2 it knows none and is fed byte by byte.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import brotli

from ..diagnostics import excerpt
from ..limits import CHECKPOINT, MAX_DECODED_STEP
from .coder import INPUT_STEP, Coder, Fault, up_to_damage, without


class BrotliCoder(Coder):
    """br (RFC 7932).

    The library fills its window before it gives any of it, also where little is asked for: so what
    it has made unseen is as much as that.
    """

    damage = brotli.error
    step = INPUT_STEP
    """Bytes that go into the library at once."""

    def __init__(self, name: str, faults: list[Fault]) -> None:
        super().__init__(name, faults)
        self._stream = brotli.Decompressor()
        self._before: brotli.Decompressor | None = None
        """The stream as it was before what came since: it cannot be copied."""
        self._since: list[bytes] = []
        self._size = 0
        self._given = 0  # of what came since

    @property
    def held(self) -> int:
        streams = 1 if self._before is None else 2
        return super().held + streams * min(self.window, self.decoded)

    def _decode(self, data: bytes) -> Iterator[bytes]:
        if data and not self.window:
            self.window = brotli_window(data[0])
        for start in range(0, len(data), self.step):
            if self._stream.is_finished():
                self.stop("content-coding-trailing", excerpt(data[start:]))
                return
            yield from self._pieces(data[start : start + self.step])

    def _pieces(self, data: bytes) -> Iterator[bytes]:
        """Yield what ``data`` decodes to; before an error all that lies before it."""
        self._since.append(data)
        self._size += len(data)
        try:
            for piece in _drain(self._stream, data):
                self._given += len(piece)
                yield piece
        except brotli.error:
            yield from without(self._given, self._bytewise())
            raise
        if self._size > CHECKPOINT:
            self._catch_up()

    def _catch_up(self) -> None:
        self._before = self._before or brotli.Decompressor()
        for kept in self._since:
            for _ in _drain(self._before, kept):
                pass
        self._since.clear()
        self._size = self._given = 0

    def _bytewise(self) -> Iterator[bytes]:
        stream = self._before or brotli.Decompressor()
        return up_to_damage(partial(_drain, stream), b"".join(self._since), brotli.error)

    def _at_end(self) -> bool:
        return bool(self._stream.is_finished())


class UnboundedBrotliCoder(BrotliCoder):
    """br by a library before 1.2, which gives at once all that its input holds.

    One byte never completes more than one meta-block, of 16 MiB at most (RFC 7932 section 9.2).
    """

    step = 1

    def _pieces(self, data: bytes) -> Iterator[bytes]:
        piece = self._stream.process(data)
        for start in range(0, len(piece), MAX_DECODED_STEP):
            yield piece[start : start + MAX_DECODED_STEP]


def brotli_window(first: int) -> int:
    """Return the window that a stream's first byte declares, in bytes (RFC 7932 section 9.1)."""
    bits = 16
    if first & 1:
        bits = 17 + (first >> 1 & 7)
        if bits == 17 and first >> 4 & 7:
            bits = 8 + (first >> 4 & 7)
    return 1 << bits


def _drain(stream: brotli.Decompressor, data: bytes) -> Iterator[bytes]:
    """Yield what ``data`` decodes to."""
    # Not by can_accept_more_data(): it says yes, with and without a limit, while output waits.
    while piece := stream.process(data, output_buffer_limit=MAX_DECODED_STEP // 4):
        yield piece
        data = b""


def bounds_output() -> bool:
    """Say whether the brotli library takes a limit of its output: since 1.2."""
    try:
        brotli.Decompressor().process(b"", output_buffer_limit=1)
    except TypeError:
        return False
    return True
