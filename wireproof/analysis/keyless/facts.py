"""What is known of a TLS connection that was not decrypted, as scripts read it."""

from __future__ import annotations

import msgspec
from parsers.provenance import Layer
from parsers.records import Sender, TlsConnectionRecord

from .holes import missing_of
from .sealed import SealedConnection


class TlsSide(msgspec.Struct, frozen=True, kw_only=True):
    """What one side of a TLS connection sent."""

    records: int
    """Of QUIC, packets with short headers that were not decrypted."""
    bytes: int
    """Of its TCP stream; of QUIC, of these packets."""
    close_notify: bool | None
    """Whether it said that it sends no more: null if that is encrypted."""
    ends_with_alert: bool | None
    """Whether its last record is as long as an alert: then it most likely said so."""


class TlsFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a TLS connection that was not decrypted, or in part."""

    version: str | None
    cipher: str | None
    sni: str | None
    alpn: str | None
    alpn_offered: list[str]
    resumed: bool | None
    early_data: bool | None
    decrypted: str
    reason: str | None
    handshake: float | None
    """Seconds from the ClientHello to the client's Finished, else to the ServerHello."""
    client: TlsSide
    server: TlsSide
    alert: str | None
    """The name of the first fatal alert in the clear."""
    closed_by: Sender | None
    """Who ended the connection."""
    close: str
    """As the connection's record says it: ``fin``, ``reset``, ``open``, ``refused``."""
    layer: Layer
    """``quic`` if it is TLS as QUIC uses it, else ``tcp``."""
    requests: int
    """How many of the client's requests were answered, by its records' sizes."""
    missing_bytes: int = 0
    """How many bytes of it the capture is known to lack."""


def tls_facts_of(found: SealedConnection) -> TlsFacts:
    """Return the facts of a connection."""
    tls, connection = found.tls, found.connection
    return TlsFacts(
        version=tls.version,
        cipher=tls.cipher,
        sni=tls.sni,
        alpn=tls.alpn,
        alpn_offered=tls.alpn_offered,
        resumed=tls.resumed,
        early_data=tls.early_data,
        decrypted=tls.decrypted,
        reason=tls.reason,
        handshake=_handshake(tls),
        client=TlsSide(
            records=_sealed(found, "client")[0],
            bytes=_sealed(found, "client")[1],
            close_notify=tls.client_close_notify,
            ends_with_alert=tls.client_ends_with_alert,
        ),
        server=TlsSide(
            records=_sealed(found, "server")[0],
            bytes=_sealed(found, "server")[1],
            close_notify=tls.server_close_notify,
            ends_with_alert=tls.server_ends_with_alert,
        ),
        alert=None if tls.alert is None else tls.alert["name"],
        closed_by=connection.closed_by,
        close=connection.close,
        layer=tls.layer,
        requests=len(found.answers),
        missing_bytes=missing_of(connection),
    )


def _sealed(found: SealedConnection, sender: Sender) -> tuple[int, int]:
    """Return how many records a side sent, and how many bytes; of QUIC packets."""
    tls, connection = found.tls, found.connection
    if tls.layer == "quic":
        sizes = [one.size for one in found.records.all() if one.sender == sender]
        return len(sizes), sum(sizes)
    if sender == "client":
        return tls.client_records, connection.client_bytes
    return tls.server_records, connection.server_bytes


def _handshake(tls: TlsConnectionRecord) -> float | None:
    begun = tls.client_hello_time
    ended = tls.client_finished_time or tls.server_finished_time or tls.server_hello_time
    return None if begun is None or ended is None else ended - begun
