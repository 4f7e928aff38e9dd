"""Where frames begin again: certain by several headers, and never by chance alone."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.http2 import data, framed

from parsers.http2.resume import PROOF, find_frames, is_beginning

EVENT = data(5, b"data: token\n\n")


def test_three_headers_prove_it() -> None:
    sent = b"rest of a frame" + EVENT * 2 + EVENT[:9]
    assert find_frames(sent, "server") == (15, PROOF)
    assert find_frames(sent[:-1], "server") == (15, 0)


def test_at_the_end_fewer_do_if_they_end_with_it() -> None:
    assert find_frames(b"rest" + EVENT, "server", at_end=True) == (4, 1)
    assert find_frames(b"rest" + EVENT + b"x", "server", at_end=True)[1] == 0
    assert find_frames(b"", "server", at_end=True) == (0, 0)


@pytest.mark.parametrize(
    ("first", "is_one"),
    [
        (framed(4, 0, 0, bytes(6)), True),
        (framed(4, 0, 0), True),
        (framed(4, 1, 0), False),
        (framed(4, 0, 0, bytes(5)), False),
        (framed(6, 0, 0, bytes(8)), False),
        (b"HTTP/1.1 200 OK\r\n", False),
        (b"", False),
    ],
)
def test_a_server_begins_with_settings(first: bytes, is_one: bool) -> None:
    further = framed(8, 0, 0, bytes(4)) + framed(4, 1, 0)
    assert is_beginning(first + further) is is_one
    assert not is_beginning(first), "one frame alone proves nothing"


@pytest.mark.parametrize(
    ("flags", "payload", "may_be"), [(0, bytes(12), True), (1, b"", True), (1, bytes(6), False)]
)
def test_settings_after_missing_bytes(flags: int, payload: bytes, may_be: bool) -> None:
    sent = framed(4, flags, 0, payload) + framed(4, 1, 0) * 2
    assert (find_frames(sent, "server") == (0, PROOF)) is may_be


def test_a_promising_beginning_is_waited_for() -> None:
    assert find_frames(b"abc\0\0", "server") == (3, 0)


def test_a_client_s_headers_have_odd_streams() -> None:
    headers = framed(1, 4, 2, b"\x82") * 3
    assert find_frames(headers, "client")[1] == 0
    assert find_frames(headers, "server") == (0, PROOF)


@settings(max_examples=300)
@given(st.binary(max_size=400))
def test_random_bytes_prove_nothing(sent: bytes) -> None:
    assert find_frames(sent, "server")[1] == 0


@given(st.text(max_size=300))
def test_text_proves_nothing(text: str) -> None:
    assert find_frames(text.encode().replace(b"\0", b""), "server", at_end=True)[1] == 0


@given(st.integers(0, 80))
def test_the_place_does_not_depend_on_cuts(cut: int) -> None:
    sent = b"rest of it" + EVENT * 4
    held = bytearray(sent[:cut])
    place, headers = find_frames(held, "server")
    if not headers:
        held = held[place:] + sent[cut:]
        further, headers = find_frames(held, "server")
        place += further
    assert (place, headers) == (10, PROOF)
