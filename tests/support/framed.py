"""Messages of AWS event streams and of gRPC, built by their definitions alone."""

from __future__ import annotations

from zlib import crc32

AwsHeader = tuple[bytes, int, bytes]
"""Name, type, and the value as it stands after the type: with its length, if it has one."""


def aws_string(value: bytes) -> bytes:
    """Return a string's, or a byte array's, value."""
    return len(value).to_bytes(2, "big") + value


def aws_message(
    headers: list[AwsHeader], payload: bytes, *, crc_flip: int = 0, prelude_flip: int = 0
) -> bytes:
    """Return one message; the flips are XORed into its CRCs."""
    head = b"".join(
        bytes([len(name)]) + name + bytes([kind]) + value for name, kind, value in headers
    )
    lengths = (16 + len(head) + len(payload)).to_bytes(4, "big") + len(head).to_bytes(4, "big")
    message = lengths + (crc32(lengths) ^ prelude_flip).to_bytes(4, "big") + head + payload
    return message + (crc32(message) ^ crc_flip).to_bytes(4, "big")


def grpc_frame(flags: int, message: bytes) -> bytes:
    """Return a length-prefixed message."""
    return bytes([flags]) + len(message).to_bytes(4, "big") + message
