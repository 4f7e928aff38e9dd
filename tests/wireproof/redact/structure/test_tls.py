"""Records of TLS without what they say."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.tls import CHOOSES_TLS13, client_hello, record, server_hello, server_name

from wireproof.redact.structure.masking import Veil
from wireproof.redact.structure.tls import masked_record

VEIL = Veil(b"key")


def test_a_client_hello_names_no_server() -> None:
    hello = record(22, client_hello(server_name(b"secret.example")))
    masked = masked_record(hello, VEIL)
    assert len(masked) == len(hello)
    assert b"secret" in hello and b"secret" not in masked
    assert masked[:11] == hello[:11]
    assert masked_record(hello[:40], VEIL) == hello[:6] + b"*" * 34  # its kind tells who sent it


@pytest.mark.parametrize("kind", [10, 13, 43, 50])
def test_numbers_that_read_as_a_text_are_none(kind: int) -> None:
    text, grease = b"\0\6secret", b"\0\4ZZ\x13\1"
    for other in ("\u0441\u0435\u043a", "\u79d8\u5bc6"):  # with as many bytes
        told = b"\0\6" + other.encode()
        assert told[2:] not in masked_record(record(22, client_hello((kind, told))), VEIL)
    masked = masked_record(record(22, client_hello((kind, text), (kind, grease))), VEIL)
    assert b"secret" not in masked and b"\0\x08********" in masked
    assert grease in masked


def test_a_server_hello_chooses_the_same() -> None:
    hello = record(22, server_hello(CHOOSES_TLS13))
    masked = masked_record(hello, VEIL)
    assert CHOOSES_TLS13[1] in masked
    assert masked_record(masked, VEIL) != b"*" * len(masked)


def test_other_records() -> None:
    assert masked_record(b"\x15\3\3\0\2\1\0", VEIL) == b"\x15\3\3\0\2\1\0"
    assert masked_record(b"\x14\3\3\0\1\1", VEIL) == b"\x14\3\3\0\1\1"
    assert masked_record(b"\x17\3\3\0\3abc", VEIL) == b"\x17\3\3\0\3***"
    assert masked_record(b"\x16\3\3\0\7\x0b\0\0\3abc", VEIL) == b"\x16\3\3\0\7\x0b\0\0\3***"
    assert masked_record(b"\x16\3\3\0\4\xffabc", VEIL) == b"\x16\3\3\0\4****"


@given(st.sampled_from([b"\1", b"\2"]), st.binary(max_size=200))
def test_whatever_a_hello_holds(kind: bytes, body: bytes) -> None:
    message = kind + len(body).to_bytes(3) + body
    data = b"\x16\3\1" + len(message).to_bytes(2) + message
    assert len(masked_record(data, VEIL)) == len(data)
