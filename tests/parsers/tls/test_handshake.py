"""Handshake messages, whatever records they lie in."""

from __future__ import annotations

import pytest
from support.tls import HELLO, message

from parsers.limits import MAX_TLS_HELLO
from parsers.tls.handshake import ENCRYPTED_EXTENSIONS, HandshakeReader

FLIGHT = HELLO + message(11, bytes(500)) + message(14)


@pytest.mark.parametrize("step", [1, 3, 100, 10_000])
def test_messages_span_records(step: int) -> None:
    reader = HandshakeReader()
    found = []
    for start in range(0, len(FLIGHT), step):
        found += reader.read(FLIGHT[start : start + step], 1000 + start)
    hello, certificate, done = found
    assert (hello.type, hello.start, hello.end) == (1, 1000, 1000 + len(HELLO))
    assert hello.body == HELLO[4:]
    assert (certificate.type, certificate.size, certificate.body) == (11, 500, b"")
    assert (done.type, done.size, done.end) == (14, 0, 1000 + len(FLIGHT))
    assert reader.open_offsets == ()


def test_what_is_open_and_forgotten() -> None:
    reader = HandshakeReader()
    assert reader.read(HELLO[:9], 50) == []
    assert reader.open_offsets == (50,)
    reader.forget()
    assert [one.type for one in reader.read(message(14), 70)] == [14]


def test_of_a_long_hello_not_all_is_kept() -> None:
    (found,) = HandshakeReader().read(message(1, bytes(MAX_TLS_HELLO + 1)), 0)
    assert (found.size, len(found.body)) == (MAX_TLS_HELLO + 1, MAX_TLS_HELLO)


def test_other_types_are_kept_where_they_are_wanted() -> None:
    sent = bytes((ENCRYPTED_EXTENSIONS,)) + b"\0\0\x02ab"
    wanted = HandshakeReader(frozenset((ENCRYPTED_EXTENSIONS,)))
    assert [found.body for found in wanted.read(sent, 0)] == [b"ab"]
    assert [found.body for found in HandshakeReader().read(sent, 0)] == [b""]
