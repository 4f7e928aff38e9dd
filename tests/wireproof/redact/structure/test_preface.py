"""What a proxy says first, without addresses."""

from __future__ import annotations

import pytest

from wireproof.redact.structure.preface import V2, masked_preface

CASES = [
    (b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n", b"PROXY UNKNOWN ********************\r\n"),
    (b"PROXY UNKNOWN\r\n", b"PROXY UNKNOWN\r\n"),
    (b"PROXY TCP\r\n", b"*********\r\n"),
    (b"other", b"*****"),
    (V2 + b"\x21\x11\0\x0c" + bytes(range(12)), V2 + b"\x20\0\0\x0c" + b"*" * 12),
]


@pytest.mark.parametrize("data, masked", CASES)
def test_a_preface(data: bytes, masked: bytes) -> None:
    assert masked_preface(data) == masked
