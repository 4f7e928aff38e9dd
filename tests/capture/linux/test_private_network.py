"""A network of one's own, and the way back."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from capture.errors import CaptureNotPermitted
from capture.linux import private_network as module
from capture.linux.private_network import OURS, private_network, refusal
from capture.linux.spawn_child import Refused


def network() -> int:
    return OURS.stat().st_ino


@pytest.mark.packets
def test_within_there_is_nothing_but_loopback() -> None:
    before = network()
    with private_network():
        assert network() != before
        assert [name for _, name in socket.if_nameindex()] == ["lo"]
        with socket.create_server(("127.0.0.1", 0)) as server:
            socket.create_connection(server.getsockname()).close()
    assert network() == before


@pytest.mark.packets
def test_whatever_ends_it_leads_back() -> None:
    before = network()
    with pytest.raises(KeyboardInterrupt), private_network():
        raise KeyboardInterrupt
    assert network() == before


def test_what_is_refused_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def call(step: str, *_: object) -> None:
        raise Refused(f"{step}: Operation not permitted")

    monkeypatch.setattr(module, "call", call)
    said = (
        "making a network of its own: Operation not permitted: it needs root, or a user namespace"
        " (CAP_SYS_ADMIN)"
    )
    assert refusal() == said
    with pytest.raises(CaptureNotPermitted), private_network():
        pytest.fail("it was not made")
    assert Path("/proc/self/ns/net").exists()
