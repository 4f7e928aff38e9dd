"""Recorded by relay: real bytes, order, times and ends, in packets that were made."""

from __future__ import annotations

import os
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.exchanges import Segment, ask, frames, segments, served, spoken
from support.frames import ACK, FIN, PSH, RST, SYN

from capture import CaptureError, Relay
from capture.relay.forwarder import Forwarder
from capture.relay.recorder import Segments

PATIENCE = 60
MiB = 1024 * 1024


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "relayed.pcapng"


@pytest.fixture
def behind() -> Iterator[socket.socket]:
    """A listener that a relay passes on to."""
    with socket.create_server(("127.0.0.1", 0)) as one:
        one.settimeout(PATIENCE)
        yield one


def relay_to(behind: socket.socket, path: Path) -> Relay:
    return Relay(path, port=behind.getsockname()[1])


def connect(relay: Relay, behind: socket.socket) -> tuple[socket.socket, socket.socket]:
    client = socket.create_connection(("127.0.0.1", relay.port), PATIENCE)
    server, _ = behind.accept()
    server.settimeout(PATIENCE)
    return client, server


def flags(found: list[Segment], port: int) -> list[tuple[str, int]]:
    return [("server" if one.source == port else "client", one.flags) for one in found]


def test_a_whole_connection(path: Path) -> None:
    with served(b"answer") as port, Relay(path, port=port) as relay:
        before = time.time_ns()
        assert ask(relay.port, b"question") == b"answer"
        assert relay.wait_closed(PATIENCE)
        after = time.time_ns()
        assert len(frames(path)) == relay.statistics.captured, "all is in the file"
    found = segments(path)
    assert spoken(found, port) == (b"question", b"answer")
    assert flags(found, port) == [
        ("client", SYN),
        ("server", SYN | ACK),
        ("client", ACK),
        ("client", PSH | ACK),
        ("server", ACK),
        ("client", FIN | ACK),
        ("server", ACK),
        ("server", PSH | ACK),
        ("client", ACK),
        ("server", FIN | ACK),
        ("client", ACK),
    ]
    assert relay.statistics == (11, 0)
    assert all(before <= one.time_ns <= after for one in found)
    assert path.stat().st_mode & 0o777 == 0o600


def test_megabytes(path: Path) -> None:
    question, answer = os.urandom(3 * MiB), os.urandom(2 * MiB)
    with served(answer) as port, Relay(path, port=port) as relay:
        assert ask(relay.port, question) == answer
        assert relay.wait_closed(PATIENCE)
    assert spoken(segments(path), port) == (question, answer)


def test_times_are_those_of_arrival(path: Path, behind: socket.socket) -> None:
    """However late the relay is to read."""
    relay = relay_to(behind, path)
    with relay:
        client, server = connect(relay, behind)
        relay.drain()
        with relay._changed:  # the thread comes no further than this
            relay._wakeup.notify()
            time.sleep(0.05)
            before = time.time_ns()
            server.sendall(b"a")
            after = time.time_ns()
            time.sleep(0.3)
        relay.drain()
        client.close()
        server.close()
    (found,) = [one for one in segments(path) if one.payload]
    assert before <= found.time_ns <= after


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells what is under way")
def test_a_tail_that_waits_for_an_acknowledgment(path: Path, behind: socket.socket) -> None:
    """Nagle's algorithm keeps it in the client's kernel when the client has sent it."""
    relay = relay_to(behind, path)
    with relay:
        client, server = connect(relay, behind)
        for _ in range(4):  # after this the relay's kernel acknowledges late
            client.sendall(b"?")
            server.sendall(server.recv(1))
            assert client.recv(1) == b"?"
        client.sendall(b"head")
        assert server.recv(4) == b"head"
        client.sendall(b"tail")
    client.close()
    server.close()
    assert spoken(segments(path), relay.server_port)[0] == b"????headtail"


def test_a_connection_that_is_still_being_made(
    path: Path, behind: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What its client has sent is read when the server has accepted, and not before."""
    relay = relay_to(behind, path)
    attend = Forwarder.attend
    looks = 0

    def attend_late(self: Forwarder, descriptor: int, mask: int) -> bool:
        nonlocal looks
        pair, side = self._pairs.get(descriptor, (None, 0))
        if pair is not None and pair.connecting:
            looks += 1
            if looks < 5:
                return False
        return attend(self, descriptor, mask)

    monkeypatch.setattr(Forwarder, "attend", attend_late)
    with relay, socket.create_connection(("127.0.0.1", relay.port), PATIENCE) as client:
        client.sendall(b"question")
    assert spoken(segments(path), relay.server_port)[0] == b"question"


def test_a_connection_that_is_never_made_is_given_up(
    path: Path, behind: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("capture.relay.recorder.PATIENCE", 0.05)
    monkeypatch.setattr(Forwarder, "_attend_connecting", lambda *about: None)
    relay = relay_to(behind, path)
    with relay, socket.create_connection(("127.0.0.1", relay.port), PATIENCE) as client:
        client.sendall(b"question")
    assert [one.flags for one in segments(path)] == [SYN]


def test_an_endless_stream_is_in_the_file_as_it_goes(path: Path, behind: socket.socket) -> None:
    relay = relay_to(behind, path)
    with relay:
        client, server = connect(relay, behind)
        for number in range(1, 6):
            server.sendall(b"%d" % number)
            relay.drain()
            assert b"".join(one.payload for one in segments(path)) == b"12345"[:number]
        assert not relay.wait_closed(0.05)
    assert client.recv(10) == b"12345"
    assert client.recv(10) == b"", "the relay has gone, and its connections with it"
    client.close()
    server.close()


@pytest.mark.parametrize("who", ["client", "server"])
def test_a_reset(path: Path, behind: socket.socket, who: str) -> None:
    relay = relay_to(behind, path)
    with relay:
        client, server = connect(relay, behind)
        resetting, other = (client, server) if who == "client" else (server, client)
        resetting.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        resetting.close()
        with pytest.raises(ConnectionResetError):
            other.recv(1)
        other.close()
        assert relay.wait_closed(PATIENCE)
    assert flags(segments(path), relay.server_port)[-1] == (who, RST | ACK)


def test_a_server_that_does_not_listen(path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    with Relay(path, port=port) as relay:
        with (
            pytest.raises(ConnectionResetError),  # as soon as it is connected, or a little later
            socket.create_connection(("127.0.0.1", relay.port), PATIENCE) as client,
        ):
            client.recv(1)
        assert relay.wait_closed(PATIENCE)
    assert flags(segments(path), port) == [("client", SYN), ("server", RST | ACK)]


def test_a_port_to_listen_on(path: Path, behind: socket.socket) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with Relay(path, port=behind.getsockname()[1], listen=port) as relay:
        assert relay.port == port
    with (
        pytest.raises(OSError, match="in use"),
        Relay(path, port=1, listen=behind.getsockname()[1]),
    ):
        pytest.fail("two listen on one port")


def test_a_fault_breaks_the_recording_off(
    path: Path, behind: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(packets: object) -> None:
        raise OSError(28, "No space left on device")

    relay = relay_to(behind, path)
    monkeypatch.setattr(relay, "_write", full)
    with pytest.raises(CaptureError, match="broke off after 0 packets: .*No space"), relay:
        socket.create_connection(("127.0.0.1", relay.port), PATIENCE).close()
        relay.drain()


@pytest.mark.tshark
def test_what_tshark_says_of_it(path: Path) -> None:
    with served(os.urandom(MiB)) as port, Relay(path, port=port) as relay:
        ask(relay.port, os.urandom(MiB))
        assert relay.wait_closed(PATIENCE)
    checks = ["-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE"]
    fields = ["tcp.checksum.status", "ip.checksum.status", "tcp.analysis.flags"]
    shown = subprocess.run(
        ["tshark", "-r", path, *checks, "-T", "fields", *(f"-e{field}" for field in fields)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert shown.stdout.split() == ["1", "1"] * relay.statistics.captured, "all good, no anomalies"
    told = subprocess.run(["capinfos", "-M", path], capture_output=True, text=True, check=True)
    assert "Name = relay" in told.stdout
    assert "Description = recorded by a relay: packet borders are its reads" in told.stdout
    assert "Hardware = wireproof relay" in told.stdout


def test_sequence_numbers_wrap() -> None:
    made = Segments(("127.0.0.1", 40_000), 8_000)
    made._next = [2**32 - 2, 5]
    first, second = made.segment(0, ACK, b"abc"), made.segment(1, ACK)
    assert struct.unpack_from("!I", first, 38) == (2**32 - 2,)
    assert struct.unpack_from("!I", second, 42) == (1,)
