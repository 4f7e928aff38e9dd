"""Where frames of HTTP/3 begin again after missing bytes."""

from __future__ import annotations

import pytest
from support.quic import h3_frame

from parsers.http3.resume import follow_frames
from parsers.limits import MAX_RESYNCHRONISE

TWO = h3_frame(0, b"one") + h3_frame(1, b"x" * 80)


def test_a_chain_that_rules_out_chance() -> None:
    chain = TWO + h3_frame(0, b"") + h3_frame(0, b"y" * 70)[:3]
    assert follow_frames(chain) == "frames"
    for size in range(len(chain) - 1):
        assert follow_frames(chain[:size]) == "unknown"


@pytest.mark.parametrize(
    ("data", "answer"), [(TWO, "frames"), (TWO[:-1], "none"), (TWO[:5], "none"), (b"", "none")]
)
def test_at_the_end_fewer_frames_prove_it_if_they_end_with_it(data: bytes, answer: str) -> None:
    assert follow_frames(data, at_end=True) == answer


@pytest.mark.parametrize(
    "data",
    [
        b"data: one\n\n",
        b"\x04\x01a",  # of a control stream
        b"\x00\x40\x03abc",  # a length that is longer than it has to be
        b"\x00" + (0x80000000 | MAX_RESYNCHRONISE + 1).to_bytes(4),
        h3_frame(0, b"one") + b"two",
    ],
)
def test_what_is_no_frame(data: bytes) -> None:
    assert follow_frames(data) == "none"
