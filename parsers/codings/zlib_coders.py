"""gzip and deflate (RFC 1952, RFC 1950, RFC 1951), bounded by ``max_length`` of zlib."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from functools import partial

from ..diagnostics import excerpt
from ..limits import CHECKPOINT, MAX_DECODED_STEP, MAX_GZIP_MEMBERS
from .coder import Coder, Fault, up_to_damage, without


class Inflating:
    """A stream of zlib that gives all that lies before damage, however its input was cut.

    zlib drops what it has made of an input in which it meets damage. So the state is kept as it was
    a while ago, and what came since: from there the input is taken byte by byte.
    """

    __slots__ = ("_stream", "_before", "_since", "_size", "_given", "_wbits")

    def __init__(self, wbits: int) -> None:
        self._wbits = wbits
        self._stream = zlib.decompressobj(wbits=wbits)
        self._before: zlib._Decompress | None = None  # where nothing came before
        self._since: list[bytes] = []
        self._size = 0
        self._given = 0  # of what came since

    @property
    def eof(self) -> bool:
        return self._stream.eof

    @property
    def unused_data(self) -> bytes:
        return self._stream.unused_data

    def decode(self, data: bytes) -> Iterator[bytes]:
        """Yield what ``data`` inflates to, up to the stream's end; raises zlib.error after it."""
        self._since.append(data)
        self._size += len(data)
        try:
            for piece in inflate(self._stream, data):
                self._given += len(piece)
                yield piece
        except zlib.error:
            yield from without(self._given, self._bytewise())
            raise
        if self._size > CHECKPOINT:
            self._before = self._stream.copy()
            self._since.clear()
            self._size = self._given = 0

    def _bytewise(self) -> Iterator[bytes]:
        stream = self._before or zlib.decompressobj(wbits=self._wbits)
        return up_to_damage(partial(inflate, stream), b"".join(self._since), zlib.error)


class GzipCoder(Coder):
    """gzip (RFC 1952): members one after another."""

    damage = zlib.error

    def __init__(self, name: str, faults: list[Fault]) -> None:
        super().__init__(name, faults)
        self._member = Inflating(31)
        self._members = 1

    def _decode(self, data: bytes) -> Iterator[bytes]:
        while data:
            if self._member.eof and not self._begin_member(data):
                return
            yield from self._member.decode(data)
            data = self._member.unused_data

    def _begin_member(self, data: bytes) -> bool:
        if data[0] != 0x1F:  # RFC 1952 section 2.3.1: ID1 = 31
            self.stop("content-coding-trailing", excerpt(data))
        elif self._members == MAX_GZIP_MEMBERS:
            self.stop("content-coding-limit", f"more than {MAX_GZIP_MEMBERS:,} members")
        else:
            if self._members == 1:
                self._faults.append(("content-coding-members", "node and aiohttp read all"))
            self._members += 1
            self._member = Inflating(31)
        return not self.stopped

    def _at_end(self) -> bool:
        return self._member.eof


class DeflateCoder(Coder):
    """deflate: the zlib format (RFC 1950); or, against the rule, raw DEFLATE (RFC 1951)."""

    damage = zlib.error

    def __init__(self, name: str, faults: list[Fault]) -> None:
        super().__init__(name, faults)
        self._header = b""
        self._stream: Inflating | None = None

    def _decode(self, data: bytes) -> Iterator[bytes]:
        if self._stream is None:
            data = self._header = self._header + data
            if len(data) < 2:
                return
            self._stream = Inflating(15 if self._is_zlib(data) else -15)
        if not self._stream.eof:
            yield from self._stream.decode(data)
            data = self._stream.unused_data
        if data:
            self.stop("content-coding-trailing", excerpt(data))

    def _is_zlib(self, data: bytes) -> bool:
        # RFC 1950 section 2.2: CM = 8, and CMF*256 + FLG is a multiple of 31.
        if data[0] & 0x0F == 8 and int.from_bytes(data[:2]) % 31 == 0:
            return True
        self._faults.append(("content-coding-deflate-raw", f"it begins with {excerpt(data[:2])}"))
        return False

    def _at_end(self) -> bool:
        return self._stream is not None and self._stream.eof


def inflate(stream: zlib._Decompress, data: bytes) -> Iterator[bytes]:
    """Yield what ``data`` inflates to, up to the stream's end."""
    while True:
        piece = stream.decompress(data, MAX_DECODED_STEP)
        if piece:
            yield piece
        data = stream.unconsumed_tail
        # A full piece may leave the rest of a match behind, with no input left.
        if not data and len(piece) < MAX_DECODED_STEP:
            return
