"""What one side says in the clear, and what of it is certain to be in the clear."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.cuts import at, byte_by_byte, events, whole
from support.http1 import of
from support.tls import (
    CHOOSES_TLS13,
    CLOSE_NOTIFY,
    HELLO,
    RETRY_RANDOM,
    SWITCH,
    client_hello,
    message,
    record,
    sealed,
    server_hello,
    server_name,
)

from parsers.diagnostics import Diagnostic
from parsers.limits import MAX_TLS_HELLO
from parsers.tls.hello import ClientHello, ServerHello
from parsers.tls.side import Alert, TlsSideDecoder

FLIGHT = record(22, server_hello() + message(11, bytes(100)) + message(14)) + SWITCH
FATAL = record(21, b"\x02\x46")


def test_a_hello_over_many_records() -> None:
    data = b"".join(record(22, HELLO[start : start + 9]) for start in range(0, len(HELLO), 9))
    for split in (whole, byte_by_byte):
        (found,) = of(ClientHello, events(TlsSideDecoder(), data, split))
        assert found.alpn == ["h2", "http/1.1"]
        assert (found.start, found.end) == (5, len(data))


def test_what_is_encrypted_is_not_read() -> None:
    """After the switch a record that happens to begin as an alert or a message does."""
    encrypted = record(21, b"\x02\x28" + bytes(24)) + record(22, b"\x01\x00\x00\x05hello" * 4)
    found = events(TlsSideDecoder(), FLIGHT + encrypted)
    assert not of(Alert, found)
    assert not of(Diagnostic, found)
    assert not of(ClientHello, found)
    assert len(of(ServerHello, found)) == 1


def test_a_second_hello_comes_after_a_switch() -> None:
    retry = record(22, server_hello(CHOOSES_TLS13, random=RETRY_RANDOM))
    server = events(TlsSideDecoder(), retry + SWITCH + record(22, server_hello(CHOOSES_TLS13)))
    assert [hello.is_retry for hello in of(ServerHello, server)] == [True, False]
    client = events(TlsSideDecoder(), record(22, HELLO) + SWITCH + record(22, HELLO))
    assert len(of(ClientHello, client)) == 2


def test_alerts_in_the_clear() -> None:
    found = of(Alert, events(TlsSideDecoder(), record(22, HELLO) + SWITCH + FATAL + CLOSE_NOTIFY))
    assert [(alert.level, alert.description) for alert in found] == [(2, 70), (1, 0)]
    assert not of(Alert, events(TlsSideDecoder(), record(21, b"\x03\x46") + record(21, b"\x02")))


@pytest.mark.parametrize("split", [whole, byte_by_byte])
def test_a_hello_after_missing_bytes(split) -> None:
    decoder = TlsSideDecoder()
    found = decoder.receive_gap(1000)
    found += events(decoder, record(22, server_hello(CHOOSES_TLS13)) + sealed(30), split)
    assert [hello.version for hello in of(ServerHello, found)] == ["TLSv1.3"]


def test_the_rest_of_a_message_after_missing_bytes_is_none() -> None:
    decoder = TlsSideDecoder()
    data = record(22, HELLO[:50]) + record(22, HELLO[50:60]) + record(22, HELLO[60:])
    found = decoder.receive_data(data[:40]) + decoder.receive_gap(30)
    found += events(decoder, data[70:])
    assert not of(ClientHello, found)
    assert [fault.code for fault in of(Diagnostic, found)] == ["tls-resynchronised"]


def test_a_hello_that_contradicts_itself() -> None:
    found = events(TlsSideDecoder(), record(22, client_hello((16, b"\0\x05\x09h2"))))
    (fault,) = of(Diagnostic, found)
    assert (fault.code, fault.start) == ("tls-hello-invalid", 5)
    assert fault.summary.endswith(": ALPN ends early")


def test_a_hello_that_is_too_long() -> None:
    hello = client_hello(server_name(b"x"), *[(99, bytes(60_000))] * 1)
    hello = message(1, hello[4:] + bytes(MAX_TLS_HELLO))
    data = b"".join(
        record(22, hello[start : start + 16_384]) for start in range(0, len(hello), 16_384)
    )
    (fault,) = of(Diagnostic, events(TlsSideDecoder(), data))
    assert fault.code == "tls-hello-limit"


@given(st.binary(max_size=400), st.sets(st.integers(0, 900)))
def test_any_bytes_after_a_hello(data: bytes, cuts: set[int]) -> None:
    stream = record(22, HELLO) + record(22, data) + data
    assert events(TlsSideDecoder(), stream, at(cuts)) == events(TlsSideDecoder(), stream)


@pytest.mark.parametrize("is_at_border", [True, False])
def test_bytes_that_came_before(is_at_border: bool) -> None:
    decoder = TlsSideDecoder()
    decoder.join(is_at_border=is_at_border)
    assert {*decoder.open_offsets} == (set() if is_at_border else {0})
    found = decoder.receive_data(record(22, server_hello(CHOOSES_TLS13)) + sealed(30) * 3)
    assert [hello.version for hello in of(ServerHello, found)] == ["TLSv1.3"]
    assert not of(Diagnostic, found), "it begins where the bytes do"


def test_records_that_another_has_read_are_passed_over() -> None:
    decoder = TlsSideDecoder()
    assert (decoder.offset, decoder.left) == (0, None)
    decoder.receive_data(sealed(40))
    decoder.pass_over(90)
    assert decoder.offset == 45 + 90
    (found,) = decoder.receive_data(sealed(10))
    assert (found.start, found.end) == (135, 150)
    decoder.receive_data(sealed(30)[:15])
    assert (decoder.offset, decoder.left) == (165, 20)
