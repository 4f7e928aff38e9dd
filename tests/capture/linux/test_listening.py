"""Whether somebody listens, asked of the kernel."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from capture import socket_table
from capture.linux.listening import is_listening, listening_addresses


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0", "::1", "::"])
def test_somebody_listens(host: str) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, 0), family=family) as server:
        port = server.getsockname()[1]
        assert is_listening(port)
        with socket.create_connection(server.getsockname()[:2], 10) as client:
            assert not is_listening(client.getsockname()[1]), "a client does not listen"
    assert not is_listening(port)


def test_a_machine_without_ipv6(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket_table, "TABLES", ("tcp", tmp_path / "tcp6"))
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert is_listening(server.getsockname()[1])


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0", "::1", "::"])
def test_where_somebody_listens(host: str) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, 0), family=family) as server:
        port = server.getsockname()[1]
        assert listening_addresses(port) == [host]
    assert listening_addresses(port) == []
