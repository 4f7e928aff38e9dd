"""Runs behind real proxies whose connections to the app go on: each request counts once.

Both legs are in each recording. A proxy keeps its connections for thousands of requests, and may
rewrite paths; several clients ask at once, for answers that are alike.
"""

from __future__ import annotations

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path

import pytest
from support.threaded import served

from capture import Recorder
from server.causes.proxies import proxy
from wireproof import __version__
from wireproof.diff.change import Change
from wireproof.diff.compare import compare
from wireproof.diff.profile import Profile
from wireproof.diff.reading import profile_of

pytestmark = [pytest.mark.packets, pytest.mark.slow]
NGINX = """daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 64; }}
http {{
  access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  keepalive_requests 100000; proxy_http_version 1.1; proxy_set_header Connection "";
  upstream app {{ server 127.0.0.1:{upstream}; keepalive 8; keepalive_requests 100000; }}
  server {{ listen 127.0.0.1:{port}; location {options} }}
}}
"""
HAPROXY = """global
  maxconn 64
defaults
  mode http
  timeout connect 5s
  timeout client 30s
  timeout server 30s
  http-reuse always
frontend front
  bind 127.0.0.1:{port}
  default_backend back
backend back
  {options}
  server app 127.0.0.1:{upstream}
"""
PLAIN = {"nginx": "/ {{ proxy_pass http://app; }}", "haproxy": ""}
REWRITING = {
    "nginx": "/api/ {{ proxy_pass http://app/; }}",
    "haproxy": r"http-request replace-path /api/(.*) /\1",
}
TEMPLATES = {"nginx": NGINX, "haproxy": HAPROXY}
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
JSON = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 11\r\n\r\n{"ok":true}'
EMPTY = b"HTTP/1.1 204 No Content\r\n\r\n"
TIMED = ("p50", "p99", "pauses", "first tokens", "bursts", "held", "packets")
"""How the names of what is compared end that depends on time."""
SLOW = 0.3
"""Seconds by which events are late where that is planted."""


class App:
    """Answers with a stream, with JSON, or with nothing, the same each time."""

    def __init__(self, thinking: float) -> None:
        self._thinking = thinking

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                await self._answer(await reader.readuntil(b"\r\n\r\n"), writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            return  # the proxy has closed it
        finally:
            writer.close()

    async def _answer(self, head: bytes, writer: asyncio.StreamWriter) -> None:
        if b"/chat" not in head:
            writer.write(JSON if b"/json" in head else EMPTY)
            return
        writer.write(HEAD)
        await asyncio.sleep(self._thinking)
        for number in range(4):
            writer.write(b"9\r\ndata: %d\n\n\r\n" % number)
            await asyncio.sleep(0.002)
        writer.write(b"0\r\n\r\n")


def ask(port: int, paths: list[str], requests: int) -> None:
    """Ask for one after the other on one connection."""
    talk = HTTPConnection("127.0.0.1", port, timeout=30.0)
    for number in range(requests):
        talk.request("GET", paths[number % len(paths)])
        talk.getresponse().read()
    talk.close()


def recorded(
    program: str, options: str, path: Path, clients: list[list[str]], requests: int, thinking: float
) -> Profile:
    """Record clients, each of which asks for its paths, on both sides of a proxy."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        port = found.getsockname()[1]
    template = TEMPLATES[program].replace("{options}", options)
    with (
        served(App(thinking).talk) as app,
        proxy(program, port, app, "", template),
        Recorder(path, port=(port, app), comment="", version=__version__),
        ThreadPoolExecutor(len(clients)) as pool,
    ):
        list(pool.map(lambda paths: ask(port, paths, requests), clients))
    return profile_of([str(path)])


def worse(changes: list[Change]) -> list[str]:
    return [f"{one.group}: {one.what}" for one in changes if one.answer == "regression"]


PROXIES = [pytest.param(name, marks=pytest.mark.tool(name)) for name in TEMPLATES]


@pytest.mark.parametrize("program", PROXIES)
def test_thousands_of_requests_on_one_connection_count_once(program: str, tmp_path: Path) -> None:
    one = recorded(program, PLAIN[program], tmp_path / "a.pcapng", [["/json", "/empty"]], 3_000, 0)
    assert (one.exchanges, one.behind) == (3_000, 3_000)
    assert {name: group.exchanges for name, group in one.groups.items()} == {
        "GET /empty": 1_500,
        "GET /json": 1_500,
    }


@pytest.mark.parametrize("options", [PLAIN, REWRITING], ids=["as asked", "rewritten"])
@pytest.mark.parametrize("program", PROXIES)
def test_runs_of_the_same_app_are_the_same_and_a_slower_one_is_found(
    program: str, options: dict[str, str], tmp_path: Path
) -> None:
    prefix = "/api" if options is REWRITING else ""
    clients = [[f"{prefix}/chat", f"{prefix}/json", f"{prefix}/empty"]] * 6

    def run(name: str, thinking: float) -> Profile:
        path = tmp_path / f"{name}.pcapng"
        return recorded(program, options[program], path, clients, 60, thinking)

    before, same, slow = run("before", 0.0), run("same", 0.0), run("slow", SLOW)
    for one in (before, same, slow):
        assert (one.exchanges, one.behind) == (360, 360)
        assert set(one.groups) == {f"GET {path}" for path in clients[0]}
    # What else the machine does may slow a run down, but not what came of it.
    assert [name for name in worse(compare(before, same)) if not name.endswith(TIMED)] == []
    assert any(f"GET {prefix}/chat: " in name for name in worse(compare(before, slow)))
