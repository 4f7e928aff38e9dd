"""Lines of chunks without what they say."""

from __future__ import annotations

import pytest

from wireproof.redact.structure.streams import masked_chunk_line


@pytest.mark.parametrize(
    "line, masked",
    [
        (b"1a\r\n", b"1a\r\n"),
        (b"1A;name=secret\r\n", b"1A;***********\r\n"),
        (b"  1a  \n", b"  1a  \n"),
        (b"secret\r\n", b"******\r\n"),
    ],
)
def test_a_line(line: bytes, masked: bytes) -> None:
    assert masked_chunk_line(line) == masked
