"""Why nothing was recorded: said by who listens, and where."""

from __future__ import annotations

import socket
import sys

import pytest

from wireproof.tasks.silence import why_silent

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells who listens")


@pytest.mark.parametrize(
    ("host", "interface", "hint"),
    [
        ("127.0.0.1", "lo", "127.0.0.1 listens on it; no client connected"),
        ("127.0.0.1", "eth0", "127.0.0.1 listens on it; record it with -i lo"),
        ("0.0.0.0", "lo", "0.0.0.0 listens on it; other machines and containers reach it through"),
        ("0.0.0.0", "any", "0.0.0.0 listens on it, but no client connected"),
    ],
)
def test_somebody_listens(host: str, interface: str, hint: str) -> None:
    with socket.create_server((host, 0)) as server:
        port = server.getsockname()[1]
        (line,) = why_silent((port,), interface)
    assert line.startswith(f"no packets on port {port} of {interface}: ")
    assert hint in line


def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    first, second = why_silent((port, port), "lo")
    assert first == second
    assert "nothing listens on it here; a container has its own ports and interfaces" in first
