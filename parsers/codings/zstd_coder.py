"""Zstandard (RFC 8878), whose library bounds nothing that is pushed into it.

So its blocks are counted here (section 3.1.1): one block at a time goes in, and no block gives more
than 128 KiB.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import zstandard

from ..diagnostics import excerpt
from ..limits import MAX_ZSTD_WINDOW
from .coder import Coder, Fault


class ZstdCoder(Coder):
    """zstd (RFC 8878): frames one after another, with windows of 8 MiB at most (RFC 9659).

    ``_element`` is what is being read: a method that takes the whole of it and sets what comes
    next. Blocks and skippable frames are not kept: their bytes are only counted.
    """

    damage = zstandard.ZstdError

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
