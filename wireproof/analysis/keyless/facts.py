"""What is known of a TLS connection that was not decrypted, as scripts read it."""

from __future__ import annotations

import msgspec
from parsers.records import Sender, TlsConnectionRecord

from .holes import missing_of
from .sealed import SealedConnection


class TlsSide(msgspec.Struct, frozen=True, kw_only=True):
    """What one side of a TLS connection sent."""

    records: int
    bytes: int
    """Of its TCP stream."""
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
            records=tls.client_records,
            bytes=connection.client_bytes,
            close_notify=tls.client_close_notify,
            ends_with_alert=tls.client_ends_with_alert,
        ),
        server=TlsSide(
            records=tls.server_records,
            bytes=connection.server_bytes,
            close_notify=tls.server_close_notify,
            ends_with_alert=tls.server_ends_with_alert,
        ),
        alert=None if tls.alert is None else tls.alert["name"],
        closed_by=connection.closed_by,
        close=connection.close,
        requests=len(found.answers),
        missing_bytes=missing_of(connection),
    )


def _handshake(tls: TlsConnectionRecord) -> float | None:
    begun = tls.client_hello_time
    ended = tls.client_finished_time or tls.server_finished_time or tls.server_hello_time
    return None if begun is None or ended is None else ended - begun
