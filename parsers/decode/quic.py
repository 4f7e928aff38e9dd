"""One QUIC connection as its records are written: who its ends are, its streams, how it ended.

Strategy: what application protocol its streams carry, the handshake says (ALPN); HTTP/3 is read,
of others the bytes are counted. The numbers of these connections are their own: they begin far
above those of TCP, so that neither depends on how many there are of the other.
"""

from __future__ import annotations

from collections.abc import Callable

from ..diagnostics import Diagnostic, amount, diagnose
from ..http2.flow import Stall
from ..http3.elements import error_name
from ..limits import CHARGE_STEP, MAX_PATH_FACTS, QUIC_CONNECTION_COST
from ..memory import Account, Holding
from ..net.table import reverse_key
from ..provenance import Completion
from ..quic.connection import QuicConnection, Told
from ..quic.frames import ConnectionClose
from ..quic.packets import VERSIONS, PacketHeader
from ..quic.streams import QuicStream
from ..records import (
    FIRST_QUIC_CONNECTION,
    ConnectionRecord,
    DiagnosticRecord,
    End,
    QuicClose,
    QuicLoss,
    QuicPacketRecord,
    QuicRecord,
    Record,
    Sender,
    StallRecord,
    TlsConnectionRecord,
)
from ..tls.cipher_suites import suite_name
from ..tls.key_finder import KeySource
from .connection import peers_of
from .http3_connection import Http3Connection
from .silent import UNHEARD
from .taps import QuicTap, Tapped
from .writer import RecordWriter, wire_text

TRANSPORT_ERRORS: dict[int, str] = {
    0x00: "NO_ERROR", 0x01: "INTERNAL_ERROR", 0x02: "CONNECTION_REFUSED",
    0x03: "FLOW_CONTROL_ERROR", 0x04: "STREAM_LIMIT_ERROR", 0x05: "STREAM_STATE_ERROR",
    0x06: "FINAL_SIZE_ERROR", 0x07: "FRAME_ENCODING_ERROR", 0x08: "TRANSPORT_PARAMETER_ERROR",
    0x09: "CONNECTION_ID_LIMIT_ERROR", 0x0A: "PROTOCOL_VIOLATION", 0x0B: "INVALID_TOKEN",
    0x0C: "APPLICATION_ERROR", 0x0D: "CRYPTO_BUFFER_EXCEEDED", 0x0E: "KEY_UPDATE_ERROR",
    0x0F: "AEAD_LIMIT_REACHED", 0x10: "NO_VIABLE_PATH", 0x11: "VERSION_NEGOTIATION_ERROR",
}  # fmt: skip
"""RFC 9000 section 20.1, RFC 9368 section 6."""
CRYPTO_ERROR = 0x0100
"""With a TLS alert in its last byte (RFC 9001 section 4.8)."""


class QuicFollower:
    """Follows one connection; ``key`` is its client's first address and port, then the server's."""

    def __init__(
        self,
        number: int,
        key: bytes,
        keys: KeySource | None,
        *,
        keep_data: bool,
        shows_packets: bool,
        tunnel: str | None,
        tap: QuicTap | None,
        closed: Callable[[int], None],
        account: Account,
    ) -> None:
        self.account = account
        """What the connection holds is charged to it."""
        account.charge(QUIC_CONNECTION_COST)
        self._holding = Holding(account)
        self._since = self._streams = 0  # when what is held was charged
        self.connection: QuicConnection[Record] = QuicConnection(keys, self)
        self._number = number
        self._key = key
        self._keys = keys
        self._keep_data = keep_data
        self._shows_packets = shows_packets
        self._tunnel = tunnel
        self._tap = tap
        self._tell_closed = closed
        self._first: Completion | None = None
        self._last: Completion = 0, 0.0
        self._packets = 0
        self._migrations = 0
        self._http3: Http3Connection | None = None

    # --- what the table tells ---

    def note_packet(self, sender: Sender, size: int, came: Completion) -> None:
        self._first = self._first or came
        self._last = came
        self._packets += 1
        self._since += size
        streams = len(self.connection.streams)
        if self._since > CHARGE_STEP or streams != self._streams:
            self._since, self._streams = 0, streams
            blocked = 0 if self._http3 is None else self._http3.held
            self._holding.hold(self.connection.held + blocked)

    def let_go(self, detail: str) -> list[Record]:
        """Say why it is followed no further, before its end."""
        return self.receive_fault("client", diagnose("memory-limit", 0, 0, detail), self._last)

    @property
    def last_packet(self) -> int:
        """The number of its last packet."""
        return self._last[0]

    def migrate(self, key: bytes, sender: Sender, came: Completion) -> list[Record]:
        self._migrations += 1
        client, server = peers_of(key if sender == "client" else reverse_key(key))
        fault = diagnose("quic-migration", 0, 0, f"{client} and {server}")
        return self.receive_fault(sender, fault, came)

    # --- what the connection tells ---

    def open_stream(self, first: QuicStream[Record]) -> None:
        self._open_receivers(first)
        if self._tap is None:
            return
        for stream in (first,) if first.stream_id & 2 else (first, first.peer):
            tap = self._tap(self._index, stream.sender, stream.stream_id, stream)
            if tap is not None:
                receiver = stream.receiver
                Tapped(stream, tap).receiver = receiver

    def _open_receivers(self, first: QuicStream[Record]) -> None:
        if self._speaks_http3:
            self._http3 = self._http3 or Http3Connection(
                self._writer_of, self.connection.lacks_packets
            )
            self._http3.open_stream(first)
            return
        first.receiver = first.peer.receiver = UNHEARD

    @property
    def _speaks_http3(self) -> bool:
        """Whether HTTP/3 was chosen, or offered alone where what was chosen is not known."""
        handshake = self.connection.handshake
        chosen, asked = handshake.encrypted_extensions, handshake.client_hello
        if chosen is not None and chosen.alpn is not None:
            return chosen.alpn == "h3"
        offered = [] if asked is None else asked.alpn
        if asked is None and self.connection.is_midstream:
            return True  # nothing says otherwise
        return bool(offered) and all(name.split("-")[0] == "h3" for name in offered)

    def receive_told(self, sender: Sender, frame: Told, came: Completion) -> list[Record]:
        if not isinstance(frame, ConnectionClose):
            return [] if self._http3 is None else self._http3.receive_told(sender, frame, came)
        name, reason = close_name(frame), wire_text(frame.reason)
        is_error = frame.error != 0 and name != "H3_NO_ERROR"
        detail = f"{name} by the {sender}" + (f": {reason!r}" if reason else "")
        fault = diagnose("quic-closed-error" if is_error else "quic-closed", 0, 0, detail)
        return self.receive_fault(sender, fault, came)

    def receive_fault(self, sender: Sender, fault: Diagnostic, came: Completion) -> list[Record]:
        packet, time = came
        return [
            DiagnosticRecord(
                self._index, None, sender, packet, packet, time, time, 0, 0, fault.severity,
                fault.code, fault.summary, fault.reference, layer="quic",
            )
        ]  # fmt: skip

    def receive_packet(
        self, sender: Sender, packet: PacketHeader, came: Completion, *, is_open: bool
    ) -> list[Record]:
        if not self._shows_packets:
            return []
        number, time = came
        return [
            QuicPacketRecord(
                self._index, None, sender, number, number, time, time, packet.start,
                packet.end - packet.start, packet.kind, packet.end - packet.start,
                "yes" if is_open else "no", layer="quic",
            )
        ]  # fmt: skip

    def receive_stall(self, sender: Sender, stall: Stall, came: Completion) -> list[Record]:
        stream_id, opened = stall.stream_id, stall.opened
        is_request = self._http3 is not None and stream_id is not None and not stream_id & 3
        until = came[1] if opened is None else opened[1]
        return [
            StallRecord(
                self._index, stream_id >> 2 if is_request and stream_id is not None else None,
                sender, stall.since[0], came[0], stall.since[1], came[1], stall.offset, 0,
                "connection" if stream_id is None else "stream", until - stall.since[1],
                None if opened is None else opened[0], layer="quic", stream_id=stream_id,
            )
        ]  # fmt: skip

    # --- the end ---

    def close(self, came: Completion) -> list[Record]:
        self._tell_closed(self._index)
        connection = self.connection
        records = connection.end("capture-end" if connection.closed is None else "reset", came)
        if self._http3 is not None:
            records += self._http3.finish()
        records += self._last_words()
        self.account.close()
        return [*records, self._tls_record(), self._quic_record(), self.record()]

    def _last_words(self) -> list[Record]:
        """Say what only the end tells."""
        connection, records = self.connection, list[Record]()
        if connection.is_midstream:
            records += self.receive_fault("client", diagnose("quic-midstream", 0, 0), self._last)
        for sender, side in connection.sides.items():
            if side.unopened and side.opened:
                detail = f"{amount(side.unopened, 'packet')} of the {sender}"
                fault = diagnose("quic-packets-unopened", 0, 0, detail)
                records += self.receive_fault(sender, fault, self._last)
            lost = sum(whose == sender for whose, _ in connection.losses)
            if lost:
                detail = f"{amount(lost, 'packet')} of the {sender}"
                fault = diagnose("quic-packets-lost", 0, 0, detail)
                records += self.receive_fault(sender, fault, self._last)
        return records

    @property
    def _index(self) -> int:
        return FIRST_QUIC_CONNECTION + self._number

    def _writer_of(self, stream: QuicStream[Record]) -> RecordWriter:
        return RecordWriter(
            self._index,
            stream.sender,
            stream.origins,
            self._keep_data,
            "quic",
            stream.stream_id,
            self.account,
        )

    def record(self) -> ConnectionRecord:
        """Return the connection's own record, as it is by now."""
        connection = self.connection
        client, server = peers_of(self._key)
        first = self._first or self._last
        sides = connection.sides
        closed = connection.closed
        ends: list[End] = []
        if closed is not None:
            sender, _, (packet, time) = closed
            ends = [{"sender": sender, "packet": packet, "time": time, "kind": "connection-close"}]
        has_requests = self._http3 is not None and self._http3.has_requests
        return ConnectionRecord(
            self._index, client, server, "http/3" if has_requests else "quic", first[0],
            self._last[0], first[1], self._last[1], self._packets, sides["client"].bytes,
            sides["server"].bytes, sides["client"].resent + sides["server"].resent, 0,
            None if closed is None else closed[0],
            "open" if closed is None else "connection-close", connection.is_midstream,
            tunnel=self._tunnel, ends=ends, copies=connection.copies,
        )  # fmt: skip

    def _quic_record(self) -> QuicRecord:
        connection = self.connection
        client, server = connection.sides["client"], connection.sides["server"]
        first = self._first or self._last
        return QuicRecord(
            self._index, None, None, first[0], self._last[0], first[1], self._last[1], None, None,
            version=VERSIONS[connection.version].name,
            number=self._number,
            client_ids=[one.hex() for one in client.ids],
            server_ids=[one.hex() for one in server.ids],
            retried=connection.is_retried,
            migrations=self._migrations,
            client_key_updates=client.updates,
            server_key_updates=server.updates,
            client_parameters=connection.parameters("client"),
            server_parameters=connection.parameters("server"),
            losses=self._losses(),
            client_uncaptured=sum(space.uncaptured for space in client.spaces),
            server_uncaptured=sum(space.uncaptured for space in server.spaces),
            client_unaccounted=sum(space.unaccounted for space in client.spaces),
            server_unaccounted=sum(space.unaccounted for space in server.spaces),
            unopened=client.unopened + server.unopened,
            closed=self._closed(),
        )  # fmt: skip

    def _losses(self) -> list[QuicLoss]:
        return [
            {
                "sender": sender, "packet_number": loss.number, "packet": loss.sent[0],
                "time": loss.sent[1], "shown_by": loss.shown[0],
            }
            for sender, loss in self.connection.losses[:MAX_PATH_FACTS]
        ]  # fmt: skip

    def _closed(self) -> QuicClose | None:
        if self.connection.closed is None:
            return None
        sender, frame, (packet, time) = self.connection.closed
        return {
            "sender": sender, "error_code": close_name(frame),
            "is_application": frame.is_application, "reason": wire_text(frame.reason),
            "packet": packet, "time": time,
        }  # fmt: skip

    def _tls_record(self) -> TlsConnectionRecord:
        """Return what the handshake says, in the words of TLS over TCP."""
        connection = self.connection
        handshake, sides = connection.handshake, connection.sides
        asked, chosen = handshake.client_hello, handshake.server_hello
        answered = handshake.encrypted_extensions
        unopened = sum(side.unopened for side in sides.values())
        opened = sum(side.opened for side in sides.values())
        first = handshake.first or self._first or self._last
        return TlsConnectionRecord(
            self._index,
            None,
            None,
            first[0],
            self._last[0],
            first[1],
            self._last[1],
            None,
            None,
            version=None if chosen is None else chosen.version,
            cipher=None if chosen is None else suite_name(chosen.cipher_suite),
            sni=None if asked is None else asked.sni,
            alpn=None if answered is None else answered.alpn,
            alpn_offered=[] if asked is None else asked.alpn,
            resumed=None if chosen is None else chosen.has_psk,
            retried=handshake.is_retried,
            early_data=None if asked is None else asked.has_early_data,
            ech=None if asked is None else asked.has_ech,
            decrypted="no" if not opened else "part" if unopened else "yes",
            reason=self._why_not(unopened, opened),
            client_close_notify=None,
            server_close_notify=None,
            client_ends_with_alert=None,
            server_ends_with_alert=None,
            alert=None,
            client_hello_time=handshake.times.get("client_hello"),
            server_hello_time=handshake.times.get("server_hello"),
            client_finished_time=handshake.times.get("client_finished"),
            server_finished_time=handshake.times.get("server_finished"),
            client_records=0,
            server_records=0,
            layer="quic",
        )

    def _why_not(self, unopened: int, opened: int) -> str | None:
        if not unopened:
            return None
        if self._keys is None or not len(self._keys.log):
            return "no keys"
        if self.connection.handshake.client_hello is None:
            return "its ClientHello is not in the capture"
        if not opened:
            return "the key log has no secrets of this connection"
        return f"{amount(unopened, 'packet')} could not be opened"


def close_name(frame: ConnectionClose) -> str:
    """Return the name of the code that a connection was closed with."""
    if frame.is_application:
        return error_name(frame.error)
    if frame.error & ~0xFF == CRYPTO_ERROR:
        from ..tls.alerts import description_of

        return f"CRYPTO_ERROR ({description_of(frame.error & 0xFF)})"
    return TRANSPORT_ERRORS.get(frame.error, f"0x{frame.error:x}")
