"""The bytes of a capture file, decompressed, for a reader that wants them in large pieces.

Strategy: a :class:`Source` is anything with ``read(size)``; sources stack (file, gzip, zstd).
:class:`CaptureInput` stands on top: it looks ahead (to sniff), and hands out a buffer to parse in
place, refilled with the unfinished record in front. Only that rest is ever copied again, and a
buffer grows only with bytes that have come, never by a length that the file declares.

Compressed data goes to the decoder in steps so small that what one step can make is bounded:
DEFLATE makes at most 1,032 bytes of one, zstd at most 128 KiB of a block of four bytes.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable
from typing import Protocol, TypeGuard, runtime_checkable

from msgspec import Struct

from ..limits import MAX_ZSTD_FILE_WINDOW, KiB

WINDOW = 256 * KiB
"""How much is read at once: what stays in the processor's cache (10 % faster than 1 MiB)."""
CODED_WINDOW = 64 * KiB
"""The same for compressed data."""
NOT_PADDING = re.compile(rb"[^\0]")


class Readable(Protocol):
    """The one method that is asked of a stream; it may return less than ``size``."""

    def read(self, size: int, /) -> bytes: ...


@runtime_checkable
class Seekable(Readable, Protocol):
    """A stream that can be read anywhere, unless it says that it is a pipe."""

    def tell(self) -> int: ...

    def seek(self, position: int, /) -> object: ...


def is_seekable(stream: object) -> TypeGuard[Seekable]:
    """Whether a stream can be read anywhere: to ask by its type takes 20 microseconds."""
    return hasattr(stream, "seek") and hasattr(stream, "tell")


class Source(Readable, Protocol):
    """A stream that says, when it has ended, whether it ended badly."""

    @property
    def fault(self) -> tuple[str, str] | None:
        """A diagnostic's code and detail."""


class CaptureInput:
    """A source with a look-ahead, and buffers to parse in place."""

    __slots__ = ("_source", "_ahead", "_position")

    def __init__(self, source: Source) -> None:
        self._source = source
        self._ahead = b""
        self._position = 0

    @property
    def fault(self) -> tuple[str, str] | None:
        return self._source.fault

    def peek(self, size: int) -> bytes:
        """Return the next ``size`` bytes and leave them; fewer only if the source ends."""
        while len(self._ahead) - self._position < size:
            data = self._source.read(size)
            if not data:
                break
            self._ahead = self._ahead[self._position :] + data
            self._position = 0
        return self._ahead[self._position : self._position + size]

    def read(self, size: int) -> bytes:
        """Return up to ``size`` of the next bytes, none if the source has ended."""
        if self._position >= len(self._ahead):
            return self._source.read(size)
        start = self._position
        self._position += size
        return self._ahead[start : self._position]

    def refill(self, rest: bytes, need: int, window: int = WINDOW) -> bytes:
        """Return ``rest`` and what follows it, ``need`` bytes at least unless the source ends.

        It reads as little as it can, so that a live stream is not waited for, and returns no
        more than the larger of ``need`` and ``window``.
        """
        size = max(need, window)
        buffer = rest + self.read(min(WINDOW, size - len(rest)))
        if len(buffer) >= need or len(buffer) == len(rest):
            return buffer
        grown = bytearray(buffer)
        while len(grown) < need:
            data = self.read(min(WINDOW, size - len(grown)))
            if not data:
                break
            grown += data
        return bytes(grown)


class FileSource:
    """The file itself."""

    __slots__ = ("_stream",)

    def __init__(self, stream: Readable) -> None:
        self._stream = stream

    @property
    def fault(self) -> None:
        return None

    def read(self, size: int) -> bytes:
        return self._stream.read(size)


class Decompressor(Protocol):
    """Decodes one member of a compressed file."""

    error: type[Exception]
    """What ``decompress`` raises for what it cannot decode."""

    def decompress(self, data: bytes, /) -> bytes:
        """Decode the next bytes."""

    def salvage(self, data: bytes, /) -> bytes:
        """Return what can be decoded of the bytes that have just raised."""

    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes:
        """What came after the end."""


class GzipMember:
    """A member of a gzip file (RFC 1952 section 2.2)."""

    error: type[Exception] = zlib.error

    def __init__(self) -> None:
        self._decoder = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)  # 16: with gzip's header
        self._before = self._decoder

    def decompress(self, data: bytes) -> bytes:
        self._before = self._decoder.copy()  # for salvage; 1 % of the time that decoding takes
        return self._decoder.decompress(data)

    def salvage(self, data: bytes) -> bytes:
        decoded = bytearray()
        for position in range(len(data)):
            try:
                decoded += self._before.decompress(data[position : position + 1])
            except zlib.error:
                break
        return bytes(decoded)

    @property
    def eof(self) -> bool:
        return self._decoder.eof

    @property
    def unused_data(self) -> bytes:
        return self._decoder.unused_data


class ZstdFrame:
    """A frame of a zstd file, of data or skippable (RFC 8878 section 3.1)."""

    def __init__(self) -> None:
        import zstandard  # the library of few captures

        self.error: type[Exception] = zstandard.ZstdError
        limits = zstandard.ZstdDecompressor(max_window_size=MAX_ZSTD_FILE_WINDOW)
        self._decoder = limits.decompressobj()

    def decompress(self, data: bytes) -> bytes:
        return self._decoder.decompress(data)

    def salvage(self, data: bytes) -> bytes:
        return b""  # the library cannot be asked again: what these few bytes made is lost

    @property
    def eof(self) -> bool:
        return self._decoder.eof

    @property
    def unused_data(self) -> bytes:
        return self._decoder.unused_data


class Compression(Struct, frozen=True, gc=False):
    """A compressed file format: members, one after the other."""

    name: str
    member: str
    make: Callable[[], Decompressor]
    step: int
    """How many bytes the decoder gets at once: see the module's strategy."""


GZIP = Compression("gzip", "member", GzipMember, 4 * KiB)  # 4 MiB a step
ZSTD = Compression("zstd", "frame", ZstdFrame, 512)  # 16 MiB a step


def compression_of(head: bytes) -> Compression | None:
    """Return how a file that begins with the four bytes ``head`` is compressed.

    RFC 1952 section 2.3.1: ID1 ID2 CM = 1F 8B 08. RFC 8878 sections 3.1.1 and 3.1.2: 28 B5 2F FD,
    or a skippable frame's 5? 2A 4D 18, all little-endian numbers.
    """
    if head[:3] == b"\x1f\x8b\x08":
        return GZIP
    if head == b"\x28\xb5\x2f\xfd" or (head[1:] == b"\x2a\x4d\x18" and head[0] >> 4 == 5):
        return ZSTD
    return None


class DecompressedSource:
    """What a compressed source holds, member after member, as far as it can be decoded."""

    def __init__(self, source: CaptureInput, compression: Compression) -> None:
        self._source = source
        self._compression = compression
        self._decoder: Decompressor | None = None  # None between two members
        self._members = 0
        self._coded = b""
        self._next = 0  # in _coded, of the first byte that has not gone to the decoder
        self._offset = 0  # of _coded in the compressed data
        self._decoded = b""
        self._position = 0  # in _decoded, of the first byte that has not been read
        self._fault: tuple[str, str] | None = None

    @property
    def fault(self) -> tuple[str, str] | None:
        return self._fault or self._source.fault

    def read(self, size: int) -> bytes:
        while self._position >= len(self._decoded):
            if self._fault or not self._decode():
                return b""
        start = self._position
        self._position += size
        return self._decoded[start : self._position]

    def _decode(self) -> bool:
        """Decode one step; return False if there is no more."""
        if self._next >= len(self._coded) and not self._read_more():
            return False
        if self._decoder is None:
            if self._members and self._skip_padding():
                return True
            self._decoder = self._compression.make()
            self._members += 1
        data = self._coded[self._next : self._next + self._compression.step]
        self._next += len(data)
        try:
            self._decoded = self._decoder.decompress(data)
        except self._decoder.error as error:
            self._fail("capture-damaged", str(error))
            self._decoded = self._decoder.salvage(data)
        self._position = 0
        if self._decoder.eof:
            self._next -= len(self._decoder.unused_data)
            self._decoder = None
        return True

    def _read_more(self) -> bool:
        self._offset += len(self._coded)
        self._coded = self._source.read(CODED_WINDOW)
        self._next = 0
        if not self._coded and self._decoder is not None:
            self._fail("capture-cut", f"the {self._compression.member} has no end")
        return bool(self._coded)

    def _skip_padding(self) -> bool:
        """Skip zeros after a member, a tape's padding, as gzip(1) does; True if nothing is left."""
        found = NOT_PADDING.search(self._coded, self._next)
        self._next = found.start() if found else len(self._coded)
        return found is None

    def _fail(self, code: str, detail: str) -> None:
        name, member = self._compression.name, self._compression.member
        where = f"{name} {member} {self._members}, by byte {self._offset + self._next:,}"
        self._fault = code, f"{where} of the {name} data: {detail}"
