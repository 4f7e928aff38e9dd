"""What is said of another connection, behind real proxies: an app that names each answer decides.

Every event carries the ID of its answer, which wireproof knows nothing of. Whenever an exchange is
explained by another connection, "the leg behind the proxy" for one, an answer with the same ID must
have been on that connection.
"""

from __future__ import annotations

import asyncio
import re
import socket
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from typing import NamedTuple

import pytest
from support.threaded import served

from capture import Recorder
from parsers.records import Record, SseEventRecord
from server.causes.proxies import proxy
from wireproof import __version__, decode
from wireproof.analysis.judges import Explained, explain

pytestmark = [pytest.mark.packets, pytest.mark.slow]
EVENTS = 8
GAP = 0.04
"""Seconds between two events."""
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
UNBUFFERED = {
    "nginx": "proxy_buffering off; proxy_http_version 1.1; proxy_read_timeout 1s;",
    "haproxy": "option httpclose",
}
NAMED = re.compile(r"connection (\d+)")


class Client(NamedTuple):
    """What one client asks for, of whom, and when it leaves."""

    direct: bool = False
    path: str = "/whole"
    body: bytes = b""
    leaves_after: int = EVENTS + 1
    """Events; with more than there are it stays to the end."""


DIRECT = Client(direct=True)
THROUGH = Client()
TALKS = {
    "two at once": [THROUGH, THROUGH],
    "one proxied, one direct": [THROUGH, DIRECT],
    "the same bodies": [Client(body=b"x=1"), Client(body=b"x=1")],
    "one leaves": [THROUGH, Client(leaves_after=3), DIRECT],
    "both leave": [Client(leaves_after=3), Client(leaves_after=4), DIRECT],
    "cut beside whole": [
        Client(path="/cut"),
        Client(path="/cut"),
        Client(direct=True, path="/cut"),
    ],
    "silent": [Client(path="/silent"), Client(path="/silent"), DIRECT],
    "all of it": [
        *([THROUGH, Client(path="/cut"), Client(leaves_after=3)] * 2),
        Client(direct=True, path="/cut"),
        Client(direct=True, leaves_after=3),
        Client(body=b"x=1"),
        Client(direct=True, body=b"x=1"),
    ],
}

TOLD = {"one leaves", "both leave", "cut beside whole"}
"""Where something must be said of another connection: why the proxy left, or what it passed on."""


class NamingApp:
    """Streams events that carry the ID of their answer; it may cut them off, or fall silent."""

    def __init__(self) -> None:
        self._numbers = count(1)

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await self._answer(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError):
            return  # the client has left, which is what some are asked to do
        finally:
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Answer a request; return whether the connection goes on."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        if length := re.search(r"(?i)content-length: (\d+)", head):
            await reader.readexactly(int(length[1]))
        writer.write(HEAD)
        number = next(self._numbers)
        for index in range(EVENTS):
            event = b"id: %d\ndata: answer %04d\n\n" % (index, number)
            writer.write(b"%x\r\n%s\r\n" % (len(event), event))
            await writer.drain()
            await asyncio.sleep(GAP)
            if index == EVENTS // 2 and "/cut" in head:
                return False
            if index == EVENTS // 2 and "/silent" in head:
                await asyncio.sleep(2.0)
        writer.write(b"0\r\n\r\n")
        await writer.drain()
        return "connection: close" not in head.lower()


def ask(client: Client, port: int) -> None:
    """Ask and read, until the answer ends or the client has had enough."""
    method = b"POST" if client.body else b"GET"
    received = b""
    with socket.create_connection(("127.0.0.1", port), timeout=30.0) as talk:
        talk.sendall(
            b"%s %s HTTP/1.1\r\nHost: app\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s"
            % (method, client.path.encode(), len(client.body), client.body)
        )
        while received.count(b"\n\n") < client.leaves_after and (data := talk.recv(65_536)):
            received += data


def recorded(program: str, clients: list[Client], path: Path) -> list[Record]:
    """Record a talk on both sides of a proxy, and return its records."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        port = found.getsockname()[1]
    with (
        served(NamingApp().talk) as app,
        proxy(program, port, app, UNBUFFERED[program]),
        Recorder(path, port=(port, app), comment="", version=__version__) as recorder,
    ):
        with ThreadPoolExecutor(len(clients)) as pool:
            list(pool.map(lambda one: ask(one, app if one.direct else port), clients))
        recorder.wait_closed(5.0)
    return list(decode(path))


def answers_on(records: list[Record]) -> dict[int, set[str]]:
    """Return the IDs of the answers that each connection carried."""
    found = defaultdict(set)
    for record in records:
        if isinstance(record, SseEventRecord):
            found[record.connection].add(record.data)
    return dict(found)


def claims(explained: Explained) -> Iterator[tuple[int, str]]:
    """Yield each other connection that an exchange is explained by, and the sentence."""
    for verdict in explained.verdicts:
        for text in (verdict.summary, *verdict.evidence, *(one.summary for one in verdict.causes)):
            for named in NAMED.findall(text):
                if int(named) != explained.exchange.key.connection:
                    yield int(named), text


@pytest.mark.parametrize("talk", TALKS)
@pytest.mark.parametrize(
    "program", [pytest.param(name, marks=pytest.mark.tool(name)) for name in UNBUFFERED]
)
def test_only_connections_with_the_same_answer_explain_each_other(
    program: str, talk: str, tmp_path: Path
) -> None:
    records = recorded(program, TALKS[talk], tmp_path / "talk.pcapng")
    answers = answers_on(records)
    found = sorted(explain(records), key=lambda one: one.exchange.number)
    assert len(found) == sum(1 if one.direct else 2 for one in TALKS[talk])
    said = [
        (one.exchange.key.connection, other, text) for one in found for other, text in claims(one)
    ]
    assert [
        (here, other, text)
        for here, other, text in said
        if not answers.get(here, set()) & answers.get(other, set())
    ] == []
    assert said or talk not in TOLD
