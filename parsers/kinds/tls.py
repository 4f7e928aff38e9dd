"""TLS: what is known of it on a connection, and its records."""

from __future__ import annotations

from typing import ClassVar, Literal, TypedDict

from .place import ByteSpace, Placed, Sender


class TlsAlert(TypedDict):
    """An alert, in the clear or decrypted (RFC 8446 section 6)."""

    sender: Sender
    """Who sent it."""
    level: Literal["warning", "fatal"]
    """How grave its sender says it is."""
    description: int
    """Its number: 70."""
    name: str
    """Its name: ``protocol_version``; the number where there is none."""
    packet: int
    """The packet that completed it, from 1."""
    time: float
    """Of ``packet`` in the capture, in seconds since the epoch."""


class TlsConnectionRecord(ByteSpace, frozen=True, tag_field="record", tag="tls"):
    """What is known of TLS on one connection (RFC 8446, RFC 5246); just before the connection's."""

    record: ClassVar[Literal["tls"]] = "tls"
    connection: int
    exchange: int | None
    """The exchange in whose tunnel it is, null if it is in none."""
    sender: Sender | None
    """Always null: it is about both."""
    first_packet: int
    """The packet that brought the first byte of it."""
    last_packet: int
    """The connection's last packet."""
    first_time: float
    last_time: float
    offset: int | None
    """Always null."""
    length: int | None
    """Always null."""
    version: str | None
    """``TLSv1.3``, ``TLSv1.2``: what ServerHello chose (RFC 8446 section 4.2.1), null without
    one."""
    cipher: str | None
    """The cipher suite that ServerHello chose, by its name in IANA's registry, or its number in
    hexadecimal; null without one."""
    sni: str | None
    """The host name that ClientHello asks for (RFC 6066 section 3), null if it names none, or is
    not in the capture; the outer one where ``ech``."""
    alpn: str | None
    """The protocol that the server chose (RFC 7301); null if none, or if it was not decrypted: in
    TLS 1.3 it is encrypted."""
    alpn_offered: list[str]
    """The protocols that ClientHello offers, the preferred one first."""
    resumed: bool | None
    """Whether it goes on with an earlier session or a key that both knew (RFC 8446 section 2.2, RFC
    5077); null if that is not known."""
    retried: bool
    """Whether the server asked for another ClientHello (RFC 8446 section 4.1.4)."""
    early_data: bool | None
    """Whether the client sent data before the server's answer (RFC 8446 section 4.2.10); whether
    that was taken is encrypted. Null without a ClientHello."""
    ech: bool | None
    """Whether ClientHello has an encrypted one in it (RFC 9849); many clients send one that holds
    nothing. Null without a ClientHello."""
    decrypted: Literal["yes", "no", "part"]
    """How much of it was decrypted."""
    reason: str | None
    """Why not all of it was decrypted."""
    client_close_notify: bool | None
    """Whether the client said that it sends no more (RFC 8446 section 6.1); null if that is not
    known, for it was not decrypted, or the end is not in the capture."""
    server_close_notify: bool | None
    """Whether the server said that it sends no more, as ``client_close_notify``."""
    client_ends_with_alert: bool | None
    """Whether the client's last record is an alert or, in TLS 1.3, as long as one without padding:
    then it most likely is a close_notify. Null if the end was not captured."""
    server_ends_with_alert: bool | None
    """The same of the server's last record."""
    alert: TlsAlert | None
    """The first fatal alert, in the clear or decrypted."""
    client_hello_time: float | None
    """When the first ClientHello was complete, in seconds since the epoch."""
    server_hello_time: float | None
    """When the ServerHello was complete, in seconds since the epoch."""
    client_finished_time: float | None
    """When the client's Finished was complete, in seconds since the epoch: if it was not decrypted
    in TLS 1.3 by its length, null where that does not tell."""
    server_finished_time: float | None
    """When the server's Finished was complete, in seconds since the epoch; null if it was not
    decrypted in TLS 1.3, where nothing else tells."""
    client_records: int
    """How many records of the client were seen."""
    server_records: int
    """How many records of the server were seen."""


class TlsRecordRecord(Placed, frozen=True, tag_field="record", tag="tls_record"):
    """One TLS record (RFC 8446 section 5.1); only where records are asked for."""

    record: ClassVar[Literal["tls_record"]] = "tls_record"
    type: str
    """``handshake``, ``application_data``, ``alert``, ``change_cipher_spec``, ``heartbeat``, as its
    header says: in TLS 1.3 all that is encrypted is ``application_data``."""
    size: int
    """Bytes of its fragment, which follows its header; encrypted ones are longer than what they
    hold."""
    missing: int
    """How many bytes of it the capture lacks."""
    decrypted: Literal["yes", "no"]
    """Whether it was decrypted."""
    content_type: str | None
    """What it holds, as ``type`` says it: in TLS 1.3 that is encrypted; null if it was not
    decrypted."""
    content_size: int | None
    """How many bytes it holds, without padding; null if it was not decrypted."""
    plaintext_offset: int | None
    """Where its content begins in what its sender sent, decrypted: in the byte space that ``layer``
    calls ``tls``. Null if it holds nothing of that, or was not decrypted."""
