from __future__ import annotations

import contextlib
import http.client
import signal
import socket
import threading
import time

import httpx
import pytest
from support.demo import PATIENCE, connect, get, needs_ipv6, request, serving

from server import content, service
from server.address import Address
from server.service import Service, serve
from server.settings import Settings


def test_both_servers_listen_when_it_is_ready() -> None:
    with serving() as address:
        assert address.port != address.raw_port
        for port in (address.port, address.raw_port):
            connect(address.host, port).close()


@needs_ipv6
def test_ipv6() -> None:
    with serving(host="::1") as address:
        response = httpx.get(address.origin() + "/stream")
        assert response.content == b"".join(content.STREAM)
        assert get("::1", address.raw_port, "/stream/burst").ending == "fin"


def test_nothing_joins_small_writes() -> None:
    """asyncio sets TCP_NODELAY only on sockets whose protocol is TCP by its number."""
    listener = service._listen("127.0.0.1", 0)
    with listener:
        assert listener.proto == socket.IPPROTO_TCP


def test_a_taken_port_is_reported() -> None:
    with serving() as address:
        with pytest.raises(OSError, match="in use"):
            Service(port=address.port)
        with pytest.raises(OSError, match="in use"):
            Service(raw_port=address.raw_port)


def test_the_first_listener_goes_when_the_second_fails() -> None:
    with serving() as address:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        with pytest.raises(OSError, match="in use"):
            Service(port=port, raw_port=address.raw_port)
        socket.create_server(("127.0.0.1", port)).close()  # it can be had again


def test_an_address_of_no_one_is_reported() -> None:
    with pytest.raises(OSError):
        Service(host="192.0.2.1")  # RFC 5737: nobody's


def test_stopping_before_it_runs_does_nothing() -> None:
    idle = Service()
    idle.stop()
    ready = threading.Event()
    thread = threading.Thread(target=idle.run, args=(ready.set,))
    thread.start()
    assert ready.wait(PATIENCE)
    idle.stop()
    thread.join(PATIENCE)
    assert not thread.is_alive()


def test_an_unfinished_stream_does_not_keep_it_from_stopping() -> None:
    with serving() as address:
        stuck = connect(address.host, address.port)
        stuck.sendall(request("/stream?delay=60"))
        assert stuck.recv(1000).startswith(b"HTTP/1.1 200 OK")
        raw = connect(address.host, address.raw_port)
        raw.sendall(request("/stream/burst?delay=60"))
        assert raw.recv(1000).startswith(b"HTTP/1.1 200 OK")
        start = time.monotonic()
    assert time.monotonic() - start < PATIENCE / 2
    for client in (stuck, raw):
        with client:
            assert b"\r\n0\r\n" not in client.recv(1000)


def _interrupt_when_served(address: Address) -> None:
    connection = http.client.HTTPConnection(address.host, address.port, timeout=PATIENCE)
    connection.request("GET", "/")
    connection.getresponse().read()
    connection.close()
    signal.raise_signal(signal.SIGINT)


def test_serve_until_interrupted(capfd: pytest.CaptureFixture[str]) -> None:
    seen: list[Address] = []

    def announce(address: Address) -> None:
        seen.append(address)
        threading.Thread(target=_interrupt_when_served, args=(address,)).start()

    serve(port=0, delay=0, announce=announce)
    out, err = capfd.readouterr()
    assert out == ""
    assert err.rstrip().endswith('"GET / HTTP/1.1" 200 OK')
    with pytest.raises(ConnectionRefusedError):
        connect(seen[0].host, seen[0].port)
    with serving() as address:  # and a later server's streams are whole
        assert httpx.get(address.origin() + "/sse").content == b"".join(content.EVENT_STREAM)


def test_serve_says_where_the_pages_are(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Service, "run", lambda self, ready: ready())
    serve(port=0, ping_interval=1, idle_timeout=2, deflate=False)
    out = capsys.readouterr().out
    for page in ("/", "/stream.html", "/sse.html", "/websocket.html"):
        assert f"{page} " in out or f"{page}\n" in out
    assert "Ctrl-C stops it" in out


@pytest.mark.parametrize(("interval", "given"), [(0.0, None), (3.0, 3.0)])
@pytest.mark.parametrize("deflate", [True, False])
def test_the_options_reach_uvicorn(interval: float, given: float | None, deflate: bool) -> None:
    settings = Settings(ping_interval=interval, deflate=deflate)
    with contextlib.closing(Service(settings)) as idle:
        config = idle._config()
    assert config.ws_ping_interval == given
    assert config.ws_per_message_deflate is deflate


def test_a_negative_time_is_refused() -> None:
    with pytest.raises(ValueError, match="delay must be 0 or more seconds, not -1"):
        serve(port=0, delay=-1)
