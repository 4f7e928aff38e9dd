"""Lines of chunks without what they say."""

from __future__ import annotations

import pytest

from wireproof.redact.structure.streams import masked_chunk_line, masked_header


@pytest.mark.parametrize(
    "line, masked",
    [
        (b"1a\r\n", b"1a\r\n"),
        (b"1A;name=secret\r\n", b"1A;***********\r\n"),
        (b"  1a  \n", b"  1a  \n"),
        (b"secret\r\n", b"******\r\n"),
        (b"5\r\nsecret", b"5\r\n******"),
        (b"5\r\nsecret\r\n", b"5\r\n********"),
        (b"00decafbad\r\n", b"00decafbad\r\n"),
        (b"0decafbad9;x\r\n", b"0999999999;*\r\n"),
    ],
)
def test_a_line(line: bytes, masked: bytes) -> None:
    assert masked_chunk_line(line) == masked


@pytest.mark.parametrize(
    "header, masked",
    [
        (b"\x81\x05", b"\x81\x05"),
        (b"\xc2\x85abcd", b"\xc2\x85abcd"),
        (b"s\x85ecre", b"******"),
        (b"\x83\x85abcd", b"******"),
        (b"HI", b"**"),
    ],
)
def test_the_header_of_a_frame(header: bytes, masked: bytes) -> None:
    assert masked_header(header) == masked
