"""HPACK's Huffman code, beside another's."""

from __future__ import annotations

import pytest
from hpack.huffman import HuffmanEncoder
from hpack.huffman_constants import REQUEST_CODES, REQUEST_CODES_LENGTH
from hypothesis import given
from hypothesis import strategies as st

from parsers.http2.huffman import LENGTHS, HuffmanError, decode, encode

ENCODER = HuffmanEncoder(REQUEST_CODES, REQUEST_CODES_LENGTH)


def test_the_lengths_are_those_of_another_implementation() -> None:
    assert list(LENGTHS) == list(REQUEST_CODES_LENGTH)


@given(st.binary(max_size=60))
def test_what_is_coded_is_decoded(text: bytes) -> None:
    assert decode(ENCODER.encode(text)) == text


@pytest.mark.parametrize(
    ("coded", "text"),
    [
        ("f1e3c2e5f23a6ba0ab90f4ff", b"www.example.com"),
        ("a8eb10649cbf", b"no-cache"),
        ("25a849e95ba97d7f", b"custom-key"),
        ("", b""),
    ],
)
def test_the_examples(coded: str, text: bytes) -> None:
    """RFC 7541 appendix C.4."""
    assert decode(bytes.fromhex(coded)) == text


@pytest.mark.parametrize(
    "coded",
    [
        pytest.param("ffffffff", id="EOS"),
        pytest.param("1fff", id="eleven bits of padding"),
        pytest.param("18", id="padding of zeros"),
        pytest.param("ff", id="padding alone, of eight bits"),
    ],
)
def test_what_is_no_coded_string(coded: str) -> None:
    with pytest.raises(HuffmanError):
        decode(bytes.fromhex(coded))


@given(st.binary(max_size=60))
def test_what_is_coded_is_what_another_implementation_codes(text: bytes) -> None:
    assert encode(text) == HuffmanEncoder(REQUEST_CODES, REQUEST_CODES_LENGTH).encode(text)
    assert decode(encode(text)) == text
