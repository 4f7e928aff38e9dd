"""Frames made by hand, right and wrong (RFC 6455 section 5.2)."""

from __future__ import annotations

import zlib

KEY = bytes.fromhex("37fa213d")  # of the examples in RFC 6455 section 5.7


def frame(
    opcode: int,
    payload: bytes = b"",
    *,
    fin: bool = True,
    rsv: int = 0,
    key: bytes | None = None,
    form: int | None = None,
) -> bytes:
    """Return a frame; ``rsv`` is the 3-bit value, ``form`` the 7 bits of the length."""
    length = len(payload)
    if form is None:
        form = length if length < 126 else 126 if length < 65_536 else 127
    extended = {126: 2, 127: 8}.get(form, 0)
    head = bytes([fin << 7 | rsv << 4 | opcode, (key is not None) << 7 | form])
    head += length.to_bytes(extended) if extended else b""
    if key is None:
        return head + payload
    masked = bytes(byte ^ key[index % 4] for index, byte in enumerate(payload))
    return head + key + masked


class Compressor:
    """A sender with permessage-deflate that keeps its window (RFC 7692 section 7.2.1)."""

    def __init__(self, window_bits: int = 15) -> None:
        self._stream = zlib.compressobj(wbits=-window_bits)

    def __call__(self, message: bytes) -> bytes:
        compressed = self._stream.compress(message) + self._stream.flush(zlib.Z_SYNC_FLUSH)
        return compressed.removesuffix(b"\x00\x00\xff\xff")


def deflated(message: bytes) -> bytes:
    """Return one message, compressed by itself."""
    return Compressor()(message)
