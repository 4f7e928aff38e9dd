"""Both ends of HTTP/3 by aioquic, without a network: what they send is handed over, or lost.

Each datagram that the capture sees has a packet; a network may lose it before the capture or after.
"""

from __future__ import annotations

import random
import ssl
from collections.abc import Callable, Sequence
from functools import cache
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory

import trustme
from aioquic.buffer import Buffer
from aioquic.h3.connection import H3Connection
from aioquic.h3.events import DataReceived, H3Event, HeadersReceived
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.connection import QuicConnection
from aioquic.quic.events import StreamReset
from aioquic.quic.packet import pull_quic_header
from aioquic.tls import CipherSuite

from parsers.files.packets import Packet

from .frames import ipv4, udp

CLIENT, SERVER = ("127.0.0.1", 50_000), ("127.0.0.1", 4_433)
START = 1_700_000_000.0
HOP = 0.002
"""Seconds that a datagram takes."""
Answer = Sequence[bytes]
"""The pieces of content that the server sends, one after the other."""


@cache
def certificate() -> tuple[bytes, bytes]:
    """A throw-away certificate for ``localhost`` and its key."""
    issued = trustme.CA().issue_cert("localhost")
    return issued.cert_chain_pems[0].bytes(), issued.private_key_pem.bytes()


class Ends:
    """A client and a server, and the capture of what passes between them."""

    def __init__(
        self,
        answer: Callable[[int], Answer],
        *,
        suite: CipherSuite = CipherSuite.AES_128_GCM_SHA256,
        loss: float = 0.0,
        seed: int = 0,
    ) -> None:
        self.packets: list[Packet] = []
        self.received: dict[int, bytes] = {}
        """What the client received, by stream."""
        self.ended: set[int] = set()
        self._log = StringIO()
        self._answer = answer
        self._random = random.Random(seed)
        self._loss = loss
        self._suite = suite
        self._now = START
        self._under_way: list[tuple[float, int, bytes]] = []
        self._count = 0
        self.client = QuicConnection(configuration=self._configuration(is_client=True))
        self.client.connect(SERVER, now=self._now)
        self._server: QuicConnection | None = None
        self.h3 = H3Connection(self.client)
        self._server_h3: H3Connection | None = None

    @property
    def key_log(self) -> bytes:
        return self._log.getvalue().encode()

    @property
    def server(self) -> QuicConnection:
        assert self._server is not None
        return self._server

    def _configuration(self, *, is_client: bool) -> QuicConfiguration:
        made = QuicConfiguration(
            is_client=is_client, alpn_protocols=["h3"], secrets_log_file=self._log,
            cipher_suites=[self._suite],
        )  # fmt: skip
        if is_client:
            made.server_name, made.verify_mode = "localhost", ssl.CERT_NONE
            return made
        with TemporaryDirectory() as folder:
            paths = [Path(folder, name) for name in ("chain.pem", "key.pem")]
            for path, text in zip(paths, certificate(), strict=True):
                path.write_bytes(text)
            made.load_cert_chain(*paths)
        return made

    # --- the network ---

    def run(self, seconds: float = 2.0) -> None:
        """Let both ends talk for so long, by a clock of their own."""
        end = self._now + seconds
        while self._now < end:
            self._send(self.client, CLIENT, SERVER)
            if self._server is not None:
                self._send(self._server, SERVER, CLIENT)
            self._now = min([end, *(self._due())])
            self._deliver()
            for one in filter(None, (self.client, self._server)):
                timer = one.get_timer()
                if timer is not None and timer <= self._now:
                    one.handle_timer(now=self._now)
                self._take_events(one)

    def _due(self) -> list[float]:
        timers = [one.get_timer() for one in (self.client, self._server) if one is not None]
        return [due for due, _, _ in self._under_way[:1]] + [
            max(timer, self._now) for timer in timers if timer is not None
        ]

    def _send(self, end: QuicConnection, source: tuple[str, int], target: tuple[str, int]) -> None:
        for data, _ in end.datagrams_to_send(now=self._now):
            before, after = (self._random.random() < self._loss for _ in range(2))
            self._now += 1e-6
            if before:
                continue
            self._capture(data, source[1], target[1])
            if not after:
                self._under_way.append((self._now + HOP, target[1], data))

    def _capture(self, data: bytes, source: int, target: int) -> None:
        frame = ipv4(udp(source, target, data), 17)
        self._count += 1
        time_ns = round(self._now * 1e6) * 1000
        self.packets.append((self._count, time_ns, 1, len(frame), frame))

    def _deliver(self) -> None:
        while self._under_way and self._under_way[0][0] <= self._now:
            _, port, data = self._under_way.pop(0)
            if port == CLIENT[1]:
                self.client.receive_datagram(data, SERVER, now=self._now)
                continue
            if self._server is None:
                self._accept(data)
            self.server.receive_datagram(data, CLIENT, now=self._now)

    def _accept(self, data: bytes) -> None:
        header = pull_quic_header(Buffer(data=data), host_cid_length=8)
        self._server = QuicConnection(
            configuration=self._configuration(is_client=False),
            original_destination_connection_id=header.destination_cid,
        )
        self._server_h3 = H3Connection(self._server)

    # --- the application ---

    def ask(self, path: str = "/") -> int:
        """Send a request; return its stream."""
        number = self.client.get_next_available_stream_id()
        fields = [
            (b":method", b"GET"), (b":scheme", b"https"), (b":authority", b"localhost"),
            (b":path", path.encode()), (b"user-agent", b"aioquic"),
        ]  # fmt: skip
        self.h3.send_headers(number, fields, end_stream=True)
        return number

    def leave(self, stream_id: int) -> None:
        """Give a stream up, as a client that has read enough."""
        self.client.stop_stream(stream_id, 0x10C)

    def hold(self, *, connection: bool) -> None:
        """Let the client give no more room: neither to the connection, or not to any stream."""
        name = "_write_connection_limits" if connection else "_write_stream_limits"
        setattr(self.client, name, lambda **_: None)

    def let_go(self) -> None:
        """Let the client give room as it does by itself."""
        for name in ("_write_connection_limits", "_write_stream_limits"):
            vars(self.client).pop(name, None)

    def _take_events(self, end: QuicConnection) -> None:
        h3 = self.h3 if end is self.client else self._server_h3
        assert h3 is not None
        while (event := end.next_event()) is not None:
            if isinstance(event, StreamReset):
                self.ended.add(event.stream_id)
            for found in h3.handle_event(event):
                self._take(h3, found)

    def _take(self, h3: H3Connection, event: H3Event) -> None:
        if h3 is not self.h3:
            if isinstance(event, HeadersReceived):
                self._reply(event.stream_id)
        elif isinstance(event, DataReceived):
            self.received[event.stream_id] = self.received.get(event.stream_id, b"") + event.data
            if event.stream_ended:
                self.ended.add(event.stream_id)

    def _reply(self, stream_id: int) -> None:
        h3 = self._server_h3
        assert h3 is not None
        fields = [
            (b":status", b"200"), (b"content-type", b"text/event-stream"),
            (b"x-stream", b"%d" % stream_id), (b"server", b"aioquic"),
        ]  # fmt: skip
        h3.send_headers(stream_id, fields)
        for piece in self._answer(stream_id):
            h3.send_data(stream_id, piece, end_stream=False)
        h3.send_data(stream_id, b"", end_stream=True)
