"""Content codings and transfer codings undone, within bounds (RFC 9110 section 8.4.1).

Strategy: one coder for each coding, in a chain, each a generator of bounded pieces: a coder is
asked for the next piece only when the piece before it has gone through the whole chain, so a bomb
never stands in memory. Where one coder stops, all do. A coder gives what its input holds at once,
up to the last flush, so that an event shows with the packet that completed it. Input goes in by
small steps, since zlib and gzip hand back what they did not use as a copy. Each coder's output is
counted against the bytes that came over the wire: past MAX_DECODED_RATIO it stops.

What each library needs to stay bounded: zlib takes ``max_length``; brotli takes
``output_buffer_limit`` and goes over it by half at most, before 1.2 it is fed byte by byte;
zstandard bounds nothing that is pushed into it, so its blocks are counted here (RFC 8878 section
3.1.1): one block at a time goes in, and no block gives more than 128 KiB.
"""

from __future__ import annotations

import zlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from itertools import chain

import brotli
import zstandard

from .diagnostics import excerpt
from .limits import (
    CHECKPOINT,
    CODER_COST,
    MAX_CODINGS,
    MAX_DECODED_FREE,
    MAX_DECODED_RATIO,
    MAX_DECODED_SHARE,
    MAX_DECODED_STEP,
    MAX_GZIP_MEMBERS,
    MAX_ZSTD_WINDOW,
    USUAL_RATIO,
)
from .memory import Memory

Fault = tuple[str, str]
"""A diagnostic's code and its detail."""

INPUT_STEP = 16 * 1024
"""Bytes that a coder takes at once: what it hands back of them is copied for each piece."""


class Coder(ABC):
    """Undoes one coding. Once stopped, by a fault, it gives nothing more."""

    def __init__(self, name: str, faults: list[Fault]) -> None:
        self.decoded = 0
        """Bytes that it gave."""
        self.stopped = False
        """Whether it gives nothing more."""
        self._name = name
        self._faults = faults
        self._begun = False
        self.window = 0
        """The bytes of its window, where that is declared and larger than zlib's."""

    @property
    def held(self) -> int:
        """What it is reckoned to hold, in bytes."""
        return CODER_COST

    def receive_data(self, data: bytes) -> Iterator[bytes]:
        """Yield what ``data`` decodes to, in pieces of at most MAX_DECODED_STEP bytes."""
        self._begun = self._begun or bool(data)
        for start in range(0, len(data), INPUT_STEP):
            if self.stopped:
                return
            try:
                yield from self._decode(data[start : start + INPUT_STEP])
            except (zlib.error, brotli.error, zstandard.ZstdError) as error:
                self.stop("content-coding-damaged", str(error))

    def finish(self) -> None:
        """Note a fault if the content ends inside its coding."""
        if self._begun and not self._at_end():
            self.stop("content-coding-cut", f"after {self.decoded:,} decoded bytes")

    def stop(self, code: str, detail: str) -> None:
        """Note a fault, and give nothing more."""
        self._faults.append((code, f"{self._name}: {detail}"))
        self.stopped = True

    @abstractmethod
    def _decode(self, data: bytes) -> Iterator[bytes]:
        """Yield what at most INPUT_STEP bytes decode to; may raise the library's error."""

    @abstractmethod
    def _at_end(self) -> bool:
        """Say whether the content may end here."""


def _up_to_damage(
    decode: Callable[[bytes], Iterator[bytes]], data: bytes, damage: type[Exception]
) -> Iterator[bytes]:
    """Yield what ``data`` decodes to, byte by byte, up to where ``damage`` is raised, as it is."""
    bytewise = (data[place : place + 1] for place in range(len(data)))
    with suppress(damage):
        yield from chain.from_iterable(map(decode, bytewise))


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
            for piece in _inflate(self._stream, data):
                self._given += len(piece)
                yield piece
        except zlib.error:
            yield from _without(self._given, self._bytewise())
            raise
        if self._size > CHECKPOINT:
            self._before = self._stream.copy()
            self._since.clear()
            self._size = self._given = 0

    def _bytewise(self) -> Iterator[bytes]:
        stream = self._before or zlib.decompressobj(wbits=self._wbits)
        return _up_to_damage(partial(_inflate, stream), b"".join(self._since), zlib.error)


class GzipCoder(Coder):
    """gzip (RFC 1952): members one after another."""

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


class BrotliCoder(Coder):
    """br (RFC 7932).

    The library fills its window before it gives any of it, also where little is asked for: so what
    it has made unseen is as much as that.
    """

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
            yield from _without(self._given, self._bytewise())
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
        return _up_to_damage(partial(_drain, stream), b"".join(self._since), brotli.error)

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


class ZstdCoder(Coder):
    """zstd (RFC 8878): frames one after another, with windows of 8 MiB at most (RFC 9659).

    ``_element`` is what is being read: a method that takes the whole of it and sets what comes
    next. Blocks and skippable frames are not kept: their bytes are only counted.
    """

    def __init__(self, name: str, faults: list[Fault]) -> None:
        super().__init__(name, faults)
        self._library = zstandard.ZstdDecompressor(max_window_size=MAX_ZSTD_WINDOW)
        self._frame = self._library.decompressobj()
        self._frames = 0
        self._has_checksum = False
        self._is_last = False
        self._descriptor = 0
        self._kept = b""  # the beginning of an element
        self._left = 4  # bytes of it to come
        self._element: Callable[[bytes], None] = self._magic_number

    @property
    def held(self) -> int:
        return super().held + min(self.window, self.decoded)

    def _decode(self, data: bytes) -> Iterator[bytes]:
        pos = 0
        while pos < len(data) and not self.stopped:
            part = data[pos : pos + self._left]
            pos += len(part)
            self._left -= len(part)
            if self._element == self._block:
                if piece := self._frame.decompress(part):
                    yield piece
            elif self._element != self._skippable_frame:
                self._kept += part
            if not self._left:
                kept, self._kept = self._kept, b""
                self._element(kept)

    # RFC 8878 section 3.1: a frame is Magic_Number, Frame_Header, blocks, [Content_Checksum].

    def _magic_number(self, data: bytes) -> None:
        magic = int.from_bytes(data, "little")
        if magic == 0xFD2FB528:
            self._frame = self._library.decompressobj()
            self._frame.decompress(data)
            self._frames += 1
            self._expect(self._frame_header_descriptor, 1)
        elif magic & 0xFFFFFFF0 == 0x184D2A50:
            self._expect(self._skippable_size, 4)
        else:
            trailing = "content-coding-trailing" if self._frames else "content-coding-damaged"
            self.stop(trailing, f"no magic number in {excerpt(data)}")

    def _frame_header_descriptor(self, data: bytes) -> None:
        # Section 3.1.1.1.1: Frame_Content_Size_flag 7-6, Single_Segment_flag 5,
        # Content_Checksum_flag 2, Dictionary_ID_flag 1-0.
        self._descriptor = data[0]
        self._has_checksum = bool(data[0] & 4)
        single = data[0] >> 5 & 1
        window = 1 - single
        dictionary = (0, 1, 2, 4)[data[0] & 3]
        content_size = (single, 2, 4, 8)[data[0] >> 6]
        self._frame.decompress(data)
        self._expect(self._frame_header, window + dictionary + content_size)

    def _frame_header(self, data: bytes) -> None:
        if self._descriptor >> 5 & 1:
            # Section 3.1.1.1.4: without a window, the content is it; two bytes count from 256.
            size = (1, 2, 4, 8)[self._descriptor >> 6]
            window = int.from_bytes(data[-size:], "little") + (256 if size == 2 else 0)
        else:
            # Section 3.1.1.1.2: Exponent 7-3, Mantissa 2-0.
            base = 1 << 10 + (data[0] >> 3)
            window = base + base // 8 * (data[0] & 7)
        if window > MAX_ZSTD_WINDOW:
            detail = f"a window of {window:,} bytes, allowed {MAX_ZSTD_WINDOW:,}"
            self.stop("content-coding-limit", detail)
            return
        self.window = window
        self._frame.decompress(data)
        self._expect(self._block_header, 3)

    def _block_header(self, data: bytes) -> None:
        # Section 3.1.1.2: Last_Block 0, Block_Type 2-1, Block_Size 23-3. An RLE block is one byte.
        header = int.from_bytes(data, "little")
        self._is_last = bool(header & 1)
        size = 1 if header >> 1 & 3 == 1 else header >> 3
        self._frame.decompress(data)
        self._expect(self._block, size)
        if not size:
            self._block(b"")

    def _block(self, data: bytes) -> None:
        if not self._is_last:
            self._expect(self._block_header, 3)
        elif self._has_checksum:
            self._expect(self._content_checksum, 4)
        else:
            self._expect(self._magic_number, 4)

    def _content_checksum(self, data: bytes) -> None:
        self._frame.decompress(data)
        self._expect(self._magic_number, 4)

    def _skippable_size(self, data: bytes) -> None:
        # Section 3.1.2: User_Data of this size
        size = int.from_bytes(data, "little")
        self._expect(self._skippable_frame if size else self._magic_number, size or 4)

    def _skippable_frame(self, data: bytes) -> None:
        self._expect(self._magic_number, 4)

    def _expect(self, element: Callable[[bytes], None], size: int) -> None:
        self._element = element
        self._left = size

    def _at_end(self) -> bool:
        return self._element == self._magic_number and self._left == 4


def brotli_window(first: int) -> int:
    """Return the window that a stream's first byte declares, in bytes (RFC 7932 section 9.1)."""
    bits = 16
    if first & 1:
        bits = 17 + (first >> 1 & 7)
        if bits == 17 and first >> 4 & 7:
            bits = 8 + (first >> 4 & 7)
    return 1 << bits


def _without(length: int, pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Yield pieces without their first ``length`` bytes."""
    for piece in pieces:
        if left := piece[length:]:
            yield left
        length = max(length - len(piece), 0)


def _drain(stream: brotli.Decompressor, data: bytes) -> Iterator[bytes]:
    """Yield what ``data`` decodes to."""
    # Not by can_accept_more_data(): it says yes, with and without a limit, while output waits.
    while piece := stream.process(data, output_buffer_limit=MAX_DECODED_STEP // 4):
        yield piece
        data = b""


def _inflate(stream: zlib._Decompress, data: bytes) -> Iterator[bytes]:
    """Yield what ``data`` inflates to, up to the stream's end."""
    while True:
        piece = stream.decompress(data, MAX_DECODED_STEP)
        if piece:
            yield piece
        data = stream.unconsumed_tail
        # A full piece may leave the rest of a match behind, with no input left.
        if not data and len(piece) < MAX_DECODED_STEP:
            return


def _bounds_output() -> bool:
    """Say whether the brotli library takes a limit of its output: since 1.2."""
    try:
        brotli.Decompressor().process(b"", output_buffer_limit=1)
    except TypeError:
        return False
    return True


CODERS: dict[str, type[Coder]] = {
    "br": BrotliCoder if _bounds_output() else UnboundedBrotliCoder,
    "deflate": DeflateCoder,
    "gzip": GzipCoder,
    "x-gzip": GzipCoder,
    "zstd": ZstdCoder,
}


class ContentDecoder:
    """Undo ``codings``, in this order: names in lower case, as heads give them.

    At a coding that is not known the chain ends: what the codings before it gave is given.
    """

    def __init__(self, codings: Sequence[str], memory: Memory | None = None) -> None:
        self._memory = Memory() if memory is None else memory
        self.faults: list[Fault] = []
        """Codes and details of what was wrong; the owner takes them (:meth:`take_faults`)."""
        self._received = 0
        self._has_stopped = self._begun = False
        self._coders: list[Coder] = []
        for coding in codings:
            if coding == "identity":
                continue
            if coding not in CODERS:
                self.faults.append(("content-coding-unknown", repr(coding)))
                break
            if len(self._coders) == MAX_CODINGS:
                detail = f"more than {MAX_CODINGS} codings over one another"
                self.faults.append(("content-coding-limit", detail))
                break
            self._coders.append(CODERS[coding](coding, self.faults))
        self.undoes_all = not self.faults
        """Whether no coding is left on what is given: all are known, and not too many."""
        self.undoes_any = bool(self._coders)
        """Whether what is given is not what came."""

    def receive_data(self, data: bytes) -> Iterator[bytes]:
        """Yield what ``data`` decodes to, in pieces of at most MAX_DECODED_STEP bytes.

        All that it yields must be taken before the next call.
        """
        self._received += len(data)
        self._memory.folded += len(data)
        if self._coders:
            if not self._begun and self._memory.unfolds_too_much and self._is_wide(data):
                self.stop(self._memory.unfolded_text)
            self._begun = True
            yield from self._through(0, data)
            if any(coder.stopped for coder in self._coders):
                self._release()
        elif not self._has_stopped:
            for start in range(0, len(data), MAX_DECODED_STEP):
                yield data[start : start + MAX_DECODED_STEP]

    def finish(self) -> None:
        """Note the faults of content that ends here. No coding holds anything back till then."""
        for coder in self._coders:
            if not any(coder.stopped for coder in self._coders):
                coder.finish()

    def stop(self, detail: str) -> None:
        """Give nothing more: what was decoded is more than its owner takes."""
        self._coders[-1].stop("content-coding-limit", detail)

    @property
    def held(self) -> int:
        """What its coders are reckoned to hold, in bytes."""
        return sum(coder.held for coder in self._coders)

    def take_faults(self) -> list[Fault]:
        """Return the faults since the last call."""
        taken = self.faults[:]
        self.faults.clear()
        return taken

    def _is_wide(self, data: bytes) -> bool:
        """Whether the first of ``data`` may make the library do much before it gives anything."""
        coder = self._coders[0]
        return isinstance(coder, BrotliCoder) and brotli_window(data[0]) > MAX_DECODED_FREE

    def _release(self) -> None:
        """Keep no coder: where one has stopped, nothing comes out of the chain any more."""
        for coder in self._coders:
            if coder.stopped and isinstance(coder, BrotliCoder):
                self._memory.unfolded += coder.window  # what it may have made unseen
        self._coders.clear()
        self._has_stopped = True

    def _through(self, index: int, data: bytes) -> Iterator[bytes]:
        if index == len(self._coders):
            yield data
            return
        coder = self._coders[index]
        for piece in coder.receive_data(data):
            coder.decoded += len(piece)
            self._memory.unfolded += len(piece)
            if fault := self._excess(coder):
                coder.stop("content-coding-limit", fault)
                return
            yield from self._through(index + 1, piece)
            if any(coder.stopped for coder in self._coders):
                return

    def _excess(self, coder: Coder) -> str:
        """Return what is too much of what a coder has given; empty if nothing is.

        Bodies that unfold as text does are not stopped for the sake of others.
        """
        received = self._received
        if coder.decoded > MAX_DECODED_FREE + MAX_DECODED_RATIO * received:
            return f"{coder.decoded:,} bytes out of {received:,}"
        if coder.decoded > MAX_DECODED_SHARE + USUAL_RATIO * received:
            return self._memory.unfolded_text if self._memory.unfolds_too_much else ""
        return ""
