from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
from support.demo import PATIENCE, connect, needs_ipv6, request

from server import content, process
from server.process import DemoServer, ServerStartError
from server.scenarios import scenario

pytestmark = pytest.mark.slow


def test_it_runs_and_stops() -> None:
    server = DemoServer(delay=0)
    with server as entered:
        assert entered is server
        assert server.host == "127.0.0.1"
        assert server.port != server.raw_port
        for name in ("plain", "trailers"):  # one of each server
            response = httpx.get(server.url(scenario("chunked", name)))
            assert response.content == b"".join(content.STREAM)
        assert server.process.poll() is None
        port = server.port
    assert server.process.returncode == -signal.SIGTERM
    assert server.stderr == ""
    with pytest.raises(ConnectionRefusedError):
        connect("127.0.0.1", port)


def test_the_options_reach_the_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And a folder of the same name, where the user stands, is not taken for the package."""
    (tmp_path / "server").mkdir()
    (tmp_path / "server" / "__main__.py").write_text("raise SystemExit('the wrong one')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with DemoServer(delay=0.02, ping_interval=0.01, deflate=False) as server:
        start = time.monotonic()
        body = httpx.get(server.url(scenario("sse"))).content
        assert time.monotonic() - start >= 0.17
    assert b": ping\r\n\r\n" in body


@needs_ipv6
def test_ipv6() -> None:
    with DemoServer(host="::1", delay=0) as server:
        assert server.url(scenario("sse")) == f"http://[::1]:{server.port}/sse"
        assert httpx.get(server.url(scenario("sse"))).content == b"".join(content.EVENT_STREAM)


def test_what_it_is_not_before_and_after() -> None:
    server = DemoServer()
    server.stop()
    assert server.stderr == ""
    with pytest.raises(RuntimeError, match="is not running"):
        server.port  # noqa: B018
    with pytest.raises(RuntimeError, match="has not been started"):
        server.process  # noqa: B018
    with server:
        pass
    server.stop()
    with pytest.raises(RuntimeError, match="is not running"):
        server.url(scenario("sse"))


def test_a_taken_port_is_reported() -> None:
    with DemoServer() as server:
        second = DemoServer(port=server.port)
        with pytest.raises(ServerStartError, match=r"\(exit code 2\): 127.0.0.1, port \d+: .*use"):
            second.start()
        assert second.process.returncode == 2


def test_a_server_that_is_too_slow_is_killed() -> None:
    server = DemoServer(start_timeout=0)
    with pytest.raises(ServerStartError, match=r"within 0 s \(exit code -9\): it said nothing"):
        server.start()


def test_a_server_that_will_not_stop_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "STOP_TIMEOUT", 0.1)
    with DemoServer() as server:
        os.kill(server.process.pid, signal.SIGSTOP)
    assert server.process.returncode == -signal.SIGKILL


def test_what_the_server_reports_can_be_read() -> None:
    with DemoServer() as server:
        with connect(server.host, server.port) as client:
            client.sendall(b"this is not HTTP\r\n\r\n")
            assert client.recv(1000).startswith(b"HTTP/1.1 400 ")
        assert "Invalid HTTP request received" in server.stderr
        with connect(server.host, server.port) as client:
            client.sendall(request("/stream?delay=0", "Connection: close"))
            assert client.recv(1000)
    assert server.stderr == "Invalid HTTP request received."


PARENT = """
import os, signal, sys
from server import DemoServer
server = DemoServer()
server.start()
print(server.port, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_it_does_not_outlive_a_killed_parent() -> None:
    parent = subprocess.run(
        [sys.executable, "-c", PARENT], stdout=subprocess.PIPE, timeout=PATIENCE, check=False
    )
    assert parent.returncode == -signal.SIGKILL
    port = int(parent.stdout)
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            connect("127.0.0.1", port).close()
        except ConnectionRefusedError:
            return
        time.sleep(0.05)
    pytest.fail(f"port {port} is still served {PATIENCE:g} s after its parent was killed")
