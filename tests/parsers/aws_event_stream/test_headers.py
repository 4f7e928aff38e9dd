"""Headers of all ten types, and those that are cut."""

from __future__ import annotations

import pytest
from support.framed import aws_message, aws_string

from parsers.aws_event_stream.headers import read_headers


def section(*headers: tuple[bytes, int, bytes]) -> bytes:
    message = aws_message(list(headers), b"")
    return message[12:-4]


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        (0, b"", "true"),
        (1, b"", "false"),
        (2, b"\xff", "-1"),
        (3, b"\x01\x00", "256"),
        (4, b"\xff\xff\xff\xfe", "-2"),
        (5, b"\x00" * 7 + b"\x07", "7"),
        (6, aws_string(b"\x00\x01"), "AAE="),
        (7, aws_string("ä".encode()), "ä"),
        (7, aws_string(b"\xff"), "\ufffd"),
        (8, (1_790_000_000_123).to_bytes(8, "big"), "2026-09-21T14:13:20.123Z"),
        (8, b"\x7f" + b"\xff" * 7, str(2**63 - 1)),
        (9, bytes(range(16)), "00010203-0405-0607-0809-0a0b0c0d0e0f"),
    ],
)
def test_each_type(kind: int, value: bytes, text: str) -> None:
    read = read_headers(section((b"name", kind, value), (b"b", 0, b"")))
    assert read == ([("name", text), ("b", "true")], "")


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b"\x05ab", "a name of 5 bytes, 2 are left"),
        (b"\x01a", "a name of 1 bytes, 1 are left"),
        (b"\x01a\x0a", "type 10"),
        (b"\x01a\x04\x00", "a value of 4 bytes, 1 are left"),
        (b"\x01a\x07\x00", "a value of 0 bytes, 0 are left"),
        (b"\x01a\x07\x00\x05x", "a value of 5 bytes, 1 are left"),
    ],
)
def test_what_is_cut_is_said(data: bytes, fault: str) -> None:
    assert read_headers(b"\x01b\x00" + data) == ([("b", "true")], fault)
