"""A record's beginning is found where another follows, or the end does; nowhere else."""

from __future__ import annotations

from random import Random

import pytest
from support.tls import sealed

from parsers.limits import MAX_TLS_RECORD
from parsers.tls.resynchronise import RecordSearch, fragment_length


@pytest.mark.parametrize(
    ("header", "length"),
    [
        (b"\x17\x03\x03\x00\x20", 32), (b"\x18\x03\x01\x00\x00", 0),
        (b"\x17\x03\x03\xff\xff", 65535),
        (b"\x19\x03\x03\x00\x20", None), (b"\x17\x02\x03\x00\x20", None),
        (b"\x17\x03\x03\x00", None),
    ],
)  # fmt: skip
def test_headers(header: bytes, length: int | None) -> None:
    assert fragment_length(header) == length


@pytest.mark.parametrize("step", [1, 7, 1 << 20])
def test_a_false_header_is_passed_over(step: int) -> None:
    """It is refuted by what stands where its length says that it ends."""
    data = b"\x17\x03\x03\x00\x09noise" + sealed(20) + sealed(30)
    search = RecordSearch(1000)
    found = None
    for start in range(0, len(data), step):
        found = found or search.receive_data(data[start : start + step])
    assert found is not None
    assert found[0] == 1010
    assert data[10:].startswith(found[1])


def test_text_and_noise_have_none() -> None:
    search = RecordSearch(0)
    noise = Random(5).randbytes(300_000)
    assert search.receive_data(noise) is None
    assert search.receive_data(b"data: {}\n\n" * 10_000) is None
    assert search.receive_eof() is None


def test_little_is_kept() -> None:
    search = RecordSearch(0)
    for _ in range(50):
        search.receive_data(b"\x17\x03\x03\x40\x00" + bytes(1000))
        assert len(search._kept) <= MAX_TLS_RECORD + 2000
    assert search.open_offset > 20_000
