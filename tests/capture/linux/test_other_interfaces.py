"""Recordings of other interfaces than loopback."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.exchanges import frames
from support.frames import SYN, ipv4, ipv6, tcp

from capture import CaptureError, InterfaceUnusable, Recorder, Statistics
from capture.linux import packet_socket

packets = pytest.mark.packets


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "recording.pcapng"


def ip(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["ip", "link", *words], capture_output=True, text=True, check=False)


@pytest.fixture
def ethernet() -> Iterator[tuple[str, str]]:
    """Two Ethernet interfaces with a cable between them."""
    near, far = f"wp{os.getpid()}a", f"wp{os.getpid()}b"
    made = ip("add", near, "type", "veth", "peer", "name", far)
    if made.returncode:
        pytest.skip(f"no pair of interfaces can be made: {made.stderr.strip()}")
    try:
        for name in (near, far):
            ip("set", name, "up")
        yield near, far
    finally:
        ip("del", near)


@packets
def test_ethernet_in_and_out(path: Path, ethernet: tuple[str, str]) -> None:
    near, far = ethernet
    incoming, outgoing = ipv4(tcp(1, 8000, SYN)), ipv6(tcp(8000, 1, SYN))
    with (
        Recorder(path, port=8000, interface=near) as recording,
        socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as there,
        socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as here,
    ):
        there.bind((far, 0))
        here.bind((near, 0))
        for number in range(1, 4):
            there.send(incoming)
            here.send(outgoing)
            there.send(ipv4(tcp(1, 8001, SYN)))
            recording.drain()
            assert len(frames(path)) == 2 * number
        assert not recording.wait_closed(0.02)
    assert [data for _, data, _ in frames(path)] == [incoming, outgoing] * 3
    assert recording.statistics == Statistics(6, 0)


@packets
def test_an_interface_that_is_down(path: Path, ethernet: tuple[str, str]) -> None:
    ip("set", ethernet[0], "down")
    with pytest.raises(InterfaceUnusable, match="Network is down"):
        Recorder(path, port=1, interface=ethernet[0]).__enter__()
    assert not path.exists()


@packets
def test_an_interface_that_goes_down(path: Path, ethernet: tuple[str, str]) -> None:
    with (
        pytest.raises(CaptureError, match=r"broke off after 0 packets: .*Network is down"),
        Recorder(path, port=1, interface=ethernet[0]) as recording,
    ):
        ip("set", ethernet[0], "down")
        recording._thread.join(10)


@packets
def test_an_interface_without_ethernet(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packet_socket, "ARPHRD_LOOPBACK", 65_534)
    with pytest.raises(InterfaceUnusable, match=r"lo has hardware type 772: only Ethernet"):
        Recorder(path, port=1).__enter__()
    assert not path.exists()
