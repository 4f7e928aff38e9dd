"""Servers of every kind: ready when the block is entered, recorded, and gone when it is left."""

from __future__ import annotations

import asyncio
import re
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from support.wire_apps import app, create_app, without_database
from websockets.sync.client import connect

from wireproof.testing import ServerDidNotStart, Wire
from wireproof.testing.environments import choose

pytestmark = pytest.mark.packets

APP = "support.wire_apps:app"
HTTP_SERVER = "import sys, http.server; http.server.test(http.server.SimpleHTTPRequestHandler, "
HTTP_SERVER += "port=int(sys.argv[2]), bind=sys.argv[1])"
WITH_DESCRIPTOR = """
import socket, sys
listener = socket.socket(fileno=int(sys.argv[1]))
listener.listen()
while True:
    connection, _ = listener.accept()
    connection.recv(65_536)
    connection.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nhi")
    connection.close()
"""


@pytest.fixture
def wire(tmp_path: Path) -> Iterator[Wire]:
    place = choose("packet-socket")
    found = Wire(tmp_path, Path(__file__), "t.py::x", lambda: place, update=False)
    yield found
    found.close(keep=False)


def nobody_listens(url: str) -> bool:
    try:
        httpx.get(url)
    except httpx.ConnectError:
        return True
    return False


def test_uvicorn_in_a_process_of_its_own(wire: Wire, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("from support.wire_apps import app")
    with wire.serve("mine:app", env={"GIVEN": "here"}, cwd=tmp_path) as server:
        assert httpx.get(server.url + "/where").text == str(tmp_path)
        assert httpx.get(server.url + "/environment?name=GIVEN").text == "here"
        assert server.url == f"http://127.0.0.1:{server.port}"
        assert server.ws_url == f"ws://127.0.0.1:{server.port}"
        url = server.url
    assert nobody_listens(url)
    assert wire.exchange("/environment").status == 200
    with pytest.raises(RuntimeError, match="the server does not run"):
        server.url


def test_uvicorns_options_are_uvicorns(wire: Wire) -> None:
    options = {"http": "h11", "root_path": "/api", "factory": True, "server_header": False}
    with wire.serve("support.wire_apps:create_app", **options) as server:
        assert "server" not in httpx.get(server.url + "/environment?name=x").headers


def test_events_are_sent_at_once(wire: Wire) -> None:
    """The listening socket keeps what makes asyncio turn Nagle's algorithm off."""
    with wire.serve(APP) as server:
        httpx.get(server.url + "/chat")
    exchange = wire.exchange("/chat")
    exchange.assert_streamed(min_events=7)
    exchange.assert_clean_end(app_terminator="[DONE]")


def test_ipv6(wire: Wire) -> None:
    with wire.serve(APP, host="::1") as server:
        assert server.url == f"http://[::1]:{server.port}"
        httpx.get(server.url + "/chat?n=1")
    assert wire.exchange("/chat").is_complete


def test_an_endless_stream_that_the_test_leaves(wire: Wire) -> None:
    with (
        wire.serve(APP) as server,
        httpx.stream("GET", server.url + "/endless") as response,
    ):
        lines = response.iter_lines()
        assert [next(lines) for _ in range(9)][::2] == [f"data: token {n}" for n in range(5)]
        wire.exchange("/endless").assert_streamed(min_events=5)  # while it goes on
    exchange = wire.exchange("/endless")
    exchange.assert_streamed(min_events=5)
    assert not exchange.is_complete
    assert exchange.body is not None
    assert exchange.body.ended_by in ("close", "reset")


def test_a_websocket(wire: Wire) -> None:
    with wire.serve(APP) as server, connect(server.ws_url + "/ws") as client:
        client.send("one")
        assert client.recv() == "echo one"
        client.send("two")
        assert client.recv() == "echo two"
        with pytest.raises(Exception, match="1000"):
            client.recv()
    exchange = wire.exchange("/ws")
    assert [found.data for found in exchange.elements] == ["echo one", "echo two"]
    exchange.assert_closed(code=1000, by="server")
    exchange.assert_clean_end()


@pytest.mark.parametrize("kind", ["app", "factory"])
def test_an_app_of_this_process_is_served_by_a_thread(kind: str, wire: Wire) -> None:
    threads = threading.active_count()
    with wire.serve(create_app, factory=True) if kind == "factory" else wire.serve(app) as server:
        httpx.get(server.url + "/chat")
        url = server.url
    wire.exchange("/chat").assert_streamed(min_events=5)
    assert nobody_listens(url)
    assert threading.active_count() == threads


@pytest.mark.parametrize(
    ("command", "path"),
    [
        ([sys.executable, "-c", HTTP_SERVER, "{host}", "{port}"], "/"),
        ([sys.executable, "-c", WITH_DESCRIPTOR, "{fd}"], "/any"),
    ],
    ids=["port", "descriptor"],
)
def test_any_command_that_serves(command: list[str], path: str, wire: Wire, tmp_path: Path) -> None:
    with wire.serve(command, cwd=tmp_path) as server:
        assert httpx.get(server.url + path).status_code == 200
        url = server.url
    assert nobody_listens(url)
    exchange = wire.exchange()  # and no connection that asked whether it listens
    assert exchange.target == path
    assert exchange.connection is not None
    assert exchange.connection.connection == 0


def test_a_command_whose_port_is_known(wire: Wire, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-c", HTTP_SERVER, "127.0.0.1", str(port)]
    with wire.serve(command, port=port, cwd=tmp_path) as server:
        assert server.port == port
        httpx.get(server.url + "/")
    assert wire.exchange("/").status == 200


@pytest.mark.parametrize(
    ("served", "said"),
    [
        ("support.wire_apps:ap", r'Attribute "ap" not found in module "support.wire_apps"'),
        ("no_such_module:app", 'Could not import module "no_such_module"'),
        ("broken:app", r'File ".*broken.py", line 2, in <module>\n.*ZeroDivisionError'),
        ("support.wire_apps:without_database", "RuntimeError: no database"),
        ("app", r'Import string "app" must be in format'),
        ([sys.executable, "-c", "print('no config'); exit(3)"], "ended with code 3\n\nno config"),
        (["/no/such/server"], r"ended with code 127\n\n/no/such/server: No such file"),
        (without_database, "could not be served: SystemExit"),
    ],
    ids=["attribute", "module", "import", "start", "no app", "exit", "no command", "thread"],
)
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_what_does_not_start_says_why(
    served: object, said: str, wire: Wire, tmp_path: Path
) -> None:
    (tmp_path / "broken.py").write_text("def f(): pass\n1 / 0\n")
    started = threading.active_count()
    with pytest.raises(ServerDidNotStart) as failure, wire.serve(served, cwd=tmp_path):  # type: ignore[arg-type]
        pytest.fail("it was served")
    text = str(failure.value)
    assert re.search(said, text, re.DOTALL), text
    assert "importlib" not in text
    assert threading.active_count() == started


@pytest.mark.parametrize("served", [APP, app, create_app])
def test_a_project_without_uvicorn(
    served: object, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wireproof.testing.servers.find_spec", lambda name: None)
    with pytest.raises(ServerDidNotStart, match=r": uvicorn is not installed: pip"):
        wire.serve(served).__enter__()  # type: ignore[arg-type]


def test_what_never_serves_is_given_up(wire: Wire) -> None:
    command = [sys.executable, "-c", "import time; time.sleep(60)"]
    with (
        pytest.raises(ServerDidNotStart, match=r"did not serve within 0\.3 s"),
        wire.serve(command, start_timeout=0.3),
    ):
        pytest.fail("it was served")


def test_an_event_loop_goes_on_while_a_server_starts_and_stops(wire: Wire) -> None:
    async def test() -> int:
        turns = 0

        async def count() -> None:
            nonlocal turns
            while True:
                await asyncio.sleep(0.005)
                turns += 1

        counting = asyncio.create_task(count())
        async with wire.serve(APP) as server, httpx.AsyncClient() as client:
            before = turns
            await client.get(server.url + "/chat")
        counting.cancel()
        return before

    assert asyncio.run(test()) > 5
    wire.exchange("/chat").assert_streamed(min_events=5)


def test_a_server_whose_block_is_never_left_ends_with_the_test(tmp_path: Path) -> None:
    place = choose("packet-socket")
    wire = Wire(tmp_path, Path(__file__), "t.py::x", lambda: place, update=False)
    server = wire.serve(APP).__enter__()
    url = server.url
    wire.close(keep=False)
    assert nobody_listens(url)


def test_a_port_that_is_taken_is_named(wire: Wire) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        expected = f"cannot listen on 127.0.0.1:{port}: Address already in use"
        with pytest.raises(ServerDidNotStart, match=expected), wire.serve(app, port=port):
            raise AssertionError("it serves")


def test_a_command_beside_this_python_is_found(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether its environment is activated or not; what a test says of PATH itself counts."""
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    command = [Path(sys.executable).name, "-c", WITH_DESCRIPTOR, "{fd}"]
    with wire.serve(command) as server:
        assert httpx.get(server.url).text == "hi"
    read = ["sh", "-c", 'exec "$0" -c "$1" "$2"', sys.executable, WITH_DESCRIPTOR, "{fd}"]
    with wire.serve(read, env={"PATH": "/usr/bin:/bin"}) as server:
        assert httpx.get(server.url).text == "hi"
