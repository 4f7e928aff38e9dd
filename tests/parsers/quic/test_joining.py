"""Connections that are found by the keys that open one of their packets."""

from __future__ import annotations

from typing import Literal

import pytest
from support.quic import CLIENT_ID, SERVER_ID, SUITES, Known, Talk

from parsers.limits import MAX_QUIC_TRIALS
from parsers.quic.joining import NUMBERS, Joined, Joiner


@pytest.mark.parametrize("suite", sorted(SUITES))
@pytest.mark.parametrize("sender", ["client", "server"])
def test_whose_a_packet_is(suite: int, sender: Literal["client", "server"]) -> None:
    talk = Talk(suite=suite)
    data = talk.packet(sender, "1-rtt", b"\x01" * 40, number=7)
    other: Literal["client", "server"] = "server" if sender == "client" else "client"
    wanted = Joined(sender, SERVER_ID if sender == "client" else CLIENT_ID, 7)
    assert Joiner(talk.keys).find(data) == wanted
    assert Joiner(talk.keys).find(data, sender) == wanted
    assert Joiner(talk.keys).find(data, other) is None


@pytest.mark.parametrize("size", range(21))
def test_ids_of_every_length(size: int) -> None:
    talk = Talk(client_id=bytes(range(1, size + 1)))
    data = talk.packet("server", "1-rtt", bytes(40))
    assert Joiner(talk.keys).find(data) == Joined("server", talk.client_id, 0)


@pytest.mark.parametrize("number", [0, 0x1FF, 0x7FFF, 0x12345, 0x2FFFF, max(NUMBERS)])
def test_numbers_that_are_cut(number: int) -> None:
    talk = Talk()
    found = Joiner(talk.keys).find(talk.packet("client", "1-rtt", bytes(40), number=number))
    assert found is not None
    assert found.number == number


def test_what_no_key_opens() -> None:
    talk = Talk()
    data = talk.packet("client", "1-rtt", bytes(40))
    others = Talk(secrets=dict.fromkeys(talk.secrets, b"?" * 32))
    assert Joiner(others.keys).find(data) is None
    assert Joiner(Known()).find(data) is None
    assert Joiner(talk.keys).find(data[:-1] + bytes((data[-1] ^ 1,))) is None
    for other in (b"", b"\x40", bytes(60), b"\xc0" * 60, data[:20]):
        assert Joiner(talk.keys).find(other) is None


def test_it_does_not_look_for_ever() -> None:
    talk = Talk()
    joiner = Joiner(talk.keys)
    for _ in range(MAX_QUIC_TRIALS // 100):
        assert joiner.find(b"\x40" + b"?" * 60) is None
    assert joiner.find(talk.packet("client", "1-rtt", bytes(40))) is None
