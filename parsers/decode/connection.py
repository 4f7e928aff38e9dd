"""One TCP connection above TCP: who listens to it, which end is the client, and its record.

Strategy: the application protocol is found and decoded over the connection's two streams; here
stands what only TCP knows of it. A tap is a receiver that gets everything a stream hands over
before what decodes it does; where there is none, nothing lies between the two.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from operator import itemgetter
from typing import TYPE_CHECKING, Any, TypeVar

from ..diagnostics import Diagnostic, amount, diagnose
from ..limits import CONNECTION_COST, MAX_KNOWN_ADDRESSES
from ..net.path import Path
from ..net.table import reverse_key
from ..net.tcp import Connection, Direction
from ..provenance import seconds
from ..records import (
    AckWait,
    ClosedWindow,
    ConnectionRecord,
    DiagnosticRecord,
    DuplicateAcks,
    End,
    Hole,
    Record,
    Resent,
    Sender,
)
from ..streams import ByteStream
from ..wants import EVERYTHING, Wants
from .protocol import ApplicationProtocol
from .silent import Ignored
from .taps import Listener, TlsTap, listened

if TYPE_CHECKING:
    from ..tls.key_finder import KeySource

Tap = Callable[[Connection[Record]], tuple[Listener, Listener]]
"""Gives a connection's first and second direction a receiver each, or None: see Tapped."""


def tapped(
    connection: Connection[Record], tap: Tap | None
) -> tuple[ByteStream[Record], ByteStream[Record]]:
    """Return a connection's streams: its directions, or what a tap listens to."""
    listeners = (None, None) if tap is None else tap(connection)
    return listened((connection.first, connection.second), listeners)


class ConnectionDecoder:
    """Decodes one connection, and knows its record."""

    def __init__(
        self,
        connection: Connection[Record],
        *,
        keep_data: bool,
        shows_records: bool = False,
        keys: KeySource | None = None,
        recorded_by: str | None = None,
        tap: Tap | None = None,
        tls_tap: TlsTap | None = None,
        wants: Wants = EVERYTHING,
    ) -> None:
        self.connection = connection
        self._recorded_by = recorded_by
        self._first, _ = streams = tapped(connection, tap)
        connection.is_understood = not connection.is_midstream
        self._protocol = ApplicationProtocol(
            streams,
            connection=connection.index,
            client=partial(_client_by_tcp, connection, streams),
            keep_data=keep_data,
            shows_records=shows_records,
            keys=keys,
            tls_tap=tls_tap,
            is_midstream=connection.is_midstream,
            decided=partial(_understand, connection, self._first),
            account=connection.account,
            wants=wants,
            peers=self._peers if wants.peers else None,
        )
        self._streams = streams

    @property
    def held(self) -> int:
        """What is held above TCP, in bytes, as it is charged."""
        connection = self.connection
        waiting = connection.first.held + connection.second.held
        return connection.account.held - CONNECTION_COST - waiting

    def let_go(self, fault: Diagnostic) -> list[Record]:
        """Decode no further: give what is unfinished as it stands, and say why."""
        first, second = self._streams
        records = self.connection.first.flush() + self.connection.second.flush()
        records += first.receiver.receive_fault(fault, self.connection.latest)
        for stream in (first, second):
            if not stream.is_ended:
                records += stream.receiver.receive_eof("capture-end")
            stream.receiver = Ignored(self._protocol.writer(stream), stream.origins.size)
        self._protocol.let_go()
        account = self.connection.account
        account.charge(-self.held)
        account.is_let_go = True
        return records

    def last_words(self) -> list[Record]:
        """Return what is to be said of the connection before its record."""
        connection = self.connection
        said = self._protocol.last_words(connection.latest)
        for direction in (connection.first, connection.second):
            if before := direction.missing_before:
                detail = f"at least {before:,} bytes of the {self._sender(direction)}'s"
                said.append(self._note(direction, "tcp-start-missing", detail))
        closer, missing = connection.closed_by, connection.missing
        if closer is not None and missing is None and connection.proven_closed_by is None:
            unseen = amount(closer.unseen_at_fin, "byte")
            detail = f"the {self._sender(closer)}'s FIN acknowledges {unseen} of the "
            detail += f"{self._sender(closer.peer)}'s that the capture lacks, maybe a FIN"
            said.append(self._note(closer.peer, "tcp-closer-unknown", detail))
        if missing is None:
            return said
        sender, size = self._sender(missing), missing.size_by_acks
        known = "how much it sent is unknown" if size is None else f"{size:,} bytes of it"
        detail = f"the {sender}'s was not captured: {known}"
        detail += "" if size is None else " were acknowledged"
        return [*said, self._note(missing, "tcp-direction-missing", detail)]

    def _sender(self, direction: Direction[Record]) -> Sender:
        is_client = (self._protocol.client is self._first) == (direction is self.connection.first)
        return "client" if is_client else "server"

    def _note(self, direction: Direction[Record], code: str, detail: str) -> DiagnosticRecord:
        """Return what is said of a direction as a whole, at the end of its connection."""
        fault = diagnose(code, 0, 0, detail)
        packet, time = self.connection.latest
        return DiagnosticRecord(
            self.connection.index, None, self._sender(direction), packet, packet, time, time, 0, 0,
            fault.severity, fault.code, fault.summary, fault.reference,
        )  # fmt: skip

    @property
    def _client(self) -> Direction[Record]:
        is_first = self._protocol.client is self._first
        return self.connection.first if is_first else self.connection.second

    def _peers(self) -> tuple[str, str]:
        key = self.connection.key
        return peers_of(key if self._client is self.connection.first else reverse_key(key))

    def record(self) -> ConnectionRecord:
        """Return the connection's own record."""
        connection = self.connection
        client = self._client
        closed_by = connection.proven_closed_by
        return ConnectionRecord(
            connection.index,
            *self._peers(),
            self._protocol.name,
            connection.first_packet,
            connection.last_packet,
            seconds(connection.first_time),
            seconds(connection.last_time),
            connection.packets,
            _size(client),
            _size(client.peer),
            connection.retransmissions,
            connection.out_of_order,
            None if closed_by is None else "client" if closed_by is client else "server",
            connection.close,
            connection.is_midstream,
            client.fin_packet,
            client.peer.fin_packet,
            self._recorded_by,
            connection.tunnel,
            _of_both(client, End, lambda path: path.ends),
            None if connection.rtt_ns is None else seconds(connection.rtt_ns),
            _of_both(client, ClosedWindow, lambda path: path.closed_windows),
            _of_both(client, Hole, lambda path: path.holes),
            _of_both(client, DuplicateAcks, lambda path: path.duplicate_acks),
            connection.copies,
            _of_both(client, Resent, lambda path: path.resent),
            None if connection.server_rtt_ns is None else seconds(connection.server_rtt_ns),
            client.mss,
            client.peer.mss,
            _acknowledged(client),
            _acknowledged(client.peer),
            _of_both(client, AckWait, lambda path: path.ack_waits),
        )


def _size(direction: Direction[Record]) -> int:
    """Return how long a direction's stream is: one that was not captured, by its peer's ACKs."""
    is_missing = direction is direction.connection.missing
    return (direction.size_by_acks or 0) if is_missing else direction.origins.size


def _acknowledged(direction: Direction[Record]) -> int | None:
    """Return how many of its peer's bytes an end has acknowledged; a FIN is none."""
    acknowledged = direction.acknowledged
    return None if acknowledged is None else min(max(acknowledged, 0), _size(direction.peer))


Fact = TypeVar("Fact")


def _of_both(
    client: Direction[Record],
    kind: type[Fact],
    rows: Callable[[Path], Sequence[Sequence[Any]]],
) -> list[Fact]:
    """Return the facts of one kind that both directions tell, in the order of their times."""
    of_client, of_server = rows(client.path), rows(client.peer.path)
    facts: list[Any] = []
    if not (of_client or of_server):
        return facts
    names = tuple(kind.__annotations__)
    for sender, told in (("client", of_client), ("server", of_server)):
        for values in told:
            facts.append(dict(zip(names, (sender, *values), strict=True)))
    # Packets may be stored in another order than that of their times.
    names_of_place = ("first_time", "first_packet") if kind is DuplicateAcks else ("time", "packet")
    facts.sort(key=itemgetter(*names_of_place))
    return facts


def _understand(
    connection: Connection[Record], first: ByteStream[Record], client: ByteStream[Record]
) -> None:
    """Take note that it is known what a connection speaks, and whose stream is the client's."""
    connection.is_understood = True
    connection.client = connection.first if client is first else connection.second


def _client_by_tcp(
    connection: Connection[Record], streams: tuple[ByteStream[Record], ByteStream[Record]]
) -> ByteStream[Record]:
    """Return the client's stream as far as TCP tells."""
    return streams[client_by_tcp(connection) is connection.second]


def client_by_tcp(connection: Connection[Record]) -> Direction[Record]:
    """Return what the client sent, by its SYN; where none was captured, by the higher port."""
    both = connection.first, connection.second
    for direction in both:
        if direction.base_seq is not None:
            is_first = (direction is connection.first) != direction.sent_syn_ack
            return both[not is_first]
    key = connection.key
    return both[key[-4:-2] < key[-2:]]


def peers_of(key: bytes) -> tuple[str, str]:
    """Return the addresses and ports of both ends of a connection, by its key: the first one's
    first."""
    size = len(key) // 2 - 2
    ports = key[2 * size :]
    return (
        address_text(key[:size], int.from_bytes(ports[:2], "big")),
        address_text(key[size : 2 * size], int.from_bytes(ports[2:], "big")),
    )


def address_text(address: bytes, port: int) -> str:
    """Return ``127.0.0.1:8000`` or ``[::1]:8000``."""
    shown = _shown(address)
    return f"{shown}:{port}" if len(address) == 4 else f"[{shown}]:{port}"


@lru_cache(MAX_KNOWN_ADDRESSES)
def _shown(address: bytes) -> str:
    """Return an address as text; those of a capture come again with every connection."""
    if len(address) == 4:
        return ".".join(map(str, address))
    from ipaddress import ip_address  # slow to load

    return str(ip_address(address))
