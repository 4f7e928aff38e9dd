"""What the kernel's table says of sockets."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

import pytest
from support.exchanges import connected, listening

from capture import socket_table
from capture.socket_table import LISTEN, Socket, sockets

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has the table")


def of(port: int, peer_port: int) -> Socket:
    (found,) = [one for one in sockets() if (one.port, one.peer_port) == (port, peer_port)]
    return found


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_both_ends_of_a_connection(host: str) -> None:
    with listening(host) as listener, connected(listener) as (client, server):
        ports = client.getsockname()[1], server.getsockname()[1]
        assert of(ports[1], 0).state == LISTEN
        assert of(*ports).unacknowledged == of(*reversed(ports)).unacknowledged == 0


def test_what_a_sender_has_that_its_receiver_has_no_room_for() -> None:
    with listening() as listener, connected(listener) as (client, server):
        ports = client.getsockname()[1], server.getsockname()[1]
        client.setblocking(False)
        sent = client.send(bytes(16 << 20))
        owed = of(*ports).unacknowledged
        assert 0 < owed < sent
        client.close()
        assert 0 < of(*ports).unacknowledged <= owed + 1, "its FIN comes last"
        while server.recv(1 << 20):
            continue
        assert not any(one.unacknowledged for one in sockets() if one.port == ports[0])


def test_a_system_without_the_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket_table, "TABLES", (tmp_path / "tcp",))
    with socket.create_server(("127.0.0.1", 0)):
        assert list(sockets()) == []
