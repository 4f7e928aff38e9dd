"""What both sides say together, and what sizes alone tell."""

from __future__ import annotations

import pytest
from support.talk import Side
from support.tls import (
    CHOOSES_TLS13,
    CLOSE_NOTIFY,
    HELLO,
    RETRY_RANDOM,
    SWITCH,
    TLS13,
    client_hello,
    message,
    record,
    sealed,
    server_hello,
)

from parsers.provenance import Ending
from parsers.tls.hello import EncryptedExtensions
from parsers.tls.records import TlsRecord
from parsers.tls.session import TlsSession
from parsers.tls.side import TlsSideDecoder

TLS12 = server_hello(suite=0xC02F, session=b"")
DONE = message(11, bytes(9)) + message(14)
ENCRYPTED = record(22, bytes(40))
"""A Finished after a switch."""
TICKET = client_hello((35, b"ticket"), session=b"")


def known(lines: list[tuple[Side, bytes]], ending: Ending = "close") -> TlsSession:
    session = TlsSession()
    decoders: dict[Side, TlsSideDecoder] = {"client": TlsSideDecoder(), "server": TlsSideDecoder()}
    for sender, data in lines:
        for event in decoders[sender].receive_data(data):
            session.receive(sender, event)
    for sender, decoder in decoders.items():
        for event in decoder.receive_eof(ending):
            session.receive(sender, event)
        session.end(sender, ending, decoder.is_at_border)
    return session


def test_tls_1_3() -> None:
    session = known(TLS13)
    assert (session.version, session.alpn) == ("TLSv1.3", None)
    assert (session.resumed, session.early_data, session.is_retried) == (False, False, False)
    assert {side: facts.records for side, facts in session.sides.items()} == {
        "client": 5, "server": 7,
    }  # fmt: skip


def test_the_finished_of_a_client_is_told_by_its_length() -> None:
    session = known(TLS13)
    finished = session.sides["client"].finished
    assert finished is not None
    assert finished.size == 69
    assert session.sides["server"].finished is None
    early = client_hello((42, b""), (41, b""))
    assert known([("client", record(22, early)), *TLS13[1:]]).sides["client"].finished is None


def test_the_finished_of_both_after_a_switch() -> None:
    session = known(
        [
            ("client", record(22, HELLO)), ("server", record(22, TLS12 + DONE)),
            ("client", SWITCH + ENCRYPTED), ("server", SWITCH + ENCRYPTED),
        ]
    )  # fmt: skip
    assert all(side.finished and side.finished.size == 40 for side in session.sides.values())


@pytest.mark.parametrize(
    ("asked", "server", "resumed"),
    [
        (HELLO, record(22, server_hello(CHOOSES_TLS13)), False),
        (HELLO, record(22, server_hello(CHOOSES_TLS13, (41, b"\0\0"))), True),
        (HELLO, record(22, server_hello(suite=0xC02F)) + SWITCH, True),
        (HELLO, record(22, TLS12 + DONE), False),
        (TICKET, record(22, TLS12 + message(4)) + SWITCH + ENCRYPTED, True),
        (TICKET, record(22, TLS12 + DONE) + SWITCH, False),
        (TICKET, record(22, TLS12), None),
        (HELLO, b"", None),
    ],
)
def test_resumption(asked: bytes, server: bytes, resumed: bool | None) -> None:
    assert known([("client", record(22, asked)), ("server", server)]).resumed is resumed


def test_a_retry() -> None:
    retry = server_hello(CHOOSES_TLS13, random=RETRY_RANDOM)
    session = known([("client", record(22, HELLO)), ("server", record(22, retry))])
    assert session.is_retried
    assert session.version is None, "a retry is not what was agreed on"


@pytest.mark.parametrize(
    ("lines", "ending", "said", "last"),
    [
        (TLS13, "close", None, True),
        (TLS13[:-1], "close", None, False),
        (TLS13[:-1], "reset", None, False),
        (TLS13, "capture-end", None, None),
        ([*TLS13, ("client", b"\x17\x03")], "close", None, None),
        ([("client", record(22, HELLO) + CLOSE_NOTIFY)], "close", True, True),
        ([("client", record(22, HELLO))], "close", False, False),
        ([("server", record(22, TLS12)), ("client", sealed(60))], "close", False, False),
        ([("server", record(22, TLS12)), ("client", sealed(26, 1, 21))], "close", None, True),
    ],
)
def test_how_a_client_ends(
    lines: list[tuple[Side, bytes]], ending: Ending, said: bool | None, last: bool | None
) -> None:
    session = known(lines, ending)
    assert session.close_notify("client") is said
    assert session.ends_with_alert("client") is last


def test_the_length_of_an_alert_is_the_suite_s() -> None:
    short = server_hello(CHOOSES_TLS13, suite=0x1305)
    lines: list[tuple[Side, bytes]] = [("server", record(22, short)), ("client", sealed(11))]
    assert known(lines).ends_with_alert("client") is True


def test_a_fatal_alert() -> None:
    session = known([("client", record(22, HELLO)), ("server", record(21, b"\x02\x46"))])
    assert session.alert is not None
    sender, alert = session.alert
    assert (sender, alert.description) == ("server", 70)


def test_records_that_may_have_passed_unseen() -> None:
    session = known(
        [("client", record(22, HELLO)), ("server", b"HTTP/1.1 400 Bad Request\r\n\r\n")]
    )
    assert (session.sides["client"].is_whole, session.sides["server"].is_whole) == (True, False)


def test_records_that_are_counted_without_being_looked_at() -> None:
    session = known(TLS13)
    side = session.sides["server"]
    before, encrypted = side.records, side.encrypted
    last = TlsRecord(900, 940, 23, 35, 0, None, b"\x17\x03\x03\0\x23")
    session.count("server", 4, last)
    assert (side.records, side.encrypted, side.last_of_all) == (before + 4, encrypted + 4, last)
    session.receive("server", EncryptedExtensions(0, 9, "h2", False, None))
    assert side.records == before + 4
