"""TLS: what is known of it on a connection, and its records."""

from __future__ import annotations

from typing import ClassVar, Literal, TypedDict

from .place import ByteSpace, Placed, Sender


class TlsAlert(TypedDict):
    """An alert, in the clear or decrypted (RFC 8446 section 6)."""

    sender: Sender
    """Who sent it."""
    level: Literal["warning", "fatal"]
    """The severity its sender gives it."""
    description: int
    """Its number: 70."""
    name: str
    """Its name: ``protocol_version``; the number if it has none."""
    packet: int
    """The packet that completed it, from 1."""
    time: float
    """Of ``packet`` in the capture, in seconds since the epoch."""


class TlsConnectionRecord(ByteSpace, frozen=True, tag_field="record", tag="tls"):
    """TLS on one connection (RFC 8446, RFC 5246); just before the connection's record."""

    record: ClassVar[Literal["tls"]] = "tls"
    connection: int
    exchange: int | None
    """The exchange whose tunnel it is in; null if it is in none."""
    sender: Sender | None
    """Always null: it is about both sides."""
    first_packet: int
    """The packet with its first byte."""
    last_packet: int
    """The connection's last packet."""
    first_time: float
    last_time: float
    offset: int | None
    """Always null."""
    length: int | None
    """Always null."""
    version: str | None
    """``TLSv1.3``, ``TLSv1.2``: the version that ServerHello chose (RFC 8446 section 4.2.1); null
    without a ServerHello."""
    cipher: str | None
    """The cipher suite that ServerHello chose: its IANA name, or its number in hexadecimal; null
    without a ServerHello."""
    sni: str | None
    """The host name that ClientHello asks for (RFC 6066 section 3); null if it names none or was
    not captured. With ``ech``, the outer name."""
    alpn: str | None
    """The protocol that the server chose (RFC 7301); null if none, or if it was not decrypted: TLS
    1.3 encrypts it."""
    alpn_offered: list[str]
    """The protocols that ClientHello offers, most preferred first."""
    resumed: bool | None
    """Whether it resumes a session or uses a pre-shared key (RFC 8446 section 2.2, RFC 5077); null
    if unknown."""
    retried: bool
    """Whether the server asked for another ClientHello (RFC 8446 section 4.1.4)."""
    early_data: bool | None
    """Whether the client sent data before the server answered (RFC 8446 section 4.2.10); whether
    the server accepted it is encrypted. Null without a ClientHello."""
    ech: bool | None
    """Whether ClientHello contains an encrypted one (RFC 9849); many clients send one that is
    empty. Null without a ClientHello."""
    decrypted: Literal["yes", "no", "part"]
    """How much of it was decrypted."""
    reason: str | None
    """Why not all of it was decrypted."""
    client_close_notify: bool | None
    """Whether the client sent a close_notify (RFC 8446 section 6.1); null if unknown, because it
    was not decrypted or the end was not captured."""
    server_close_notify: bool | None
    """Whether the server sent a close_notify; null as in ``client_close_notify``."""
    client_ends_with_alert: bool | None
    """Whether the client's last record is an alert or, in TLS 1.3, as long as an alert without
    padding: then it is most likely a close_notify. Null if the end was not captured."""
    server_ends_with_alert: bool | None
    """The same for the server's last record."""
    alert: TlsAlert | None
    """The first fatal alert, in the clear or decrypted."""
    client_hello_time: float | None
    """When the first ClientHello was complete, in seconds since the epoch."""
    server_hello_time: float | None
    """When the ServerHello was complete, in seconds since the epoch."""
    client_finished_time: float | None
    """When the client's Finished was complete, in seconds since the epoch. In TLS 1.3, if it was
    not decrypted, its length identifies it; null if that is ambiguous."""
    server_finished_time: float | None
    """When the server's Finished was complete, in seconds since the epoch; null in TLS 1.3 if it
    was not decrypted, because nothing else identifies it."""
    client_records: int
    """Number of records seen from the client."""
    server_records: int
    """Number of records seen from the server."""


class TlsRecordRecord(Placed, frozen=True, tag_field="record", tag="tls_record"):
    """One TLS record (RFC 8446 section 5.1); only if records are asked for."""

    record: ClassVar[Literal["tls_record"]] = "tls_record"
    type: str
    """``handshake``, ``application_data``, ``alert``, ``change_cipher_spec``, ``heartbeat``, as in
    its header: in TLS 1.3 every encrypted record is ``application_data``."""
    size: int
    """Size of its fragment, after the header, in bytes; an encrypted fragment is longer than its
    content."""
    missing: int
    """How many of its bytes the capture lacks."""
    decrypted: Literal["yes", "no"]
    """Whether it was decrypted."""
    content_type: str | None
    """The type of its content, in the words of ``type``: TLS 1.3 encrypts it. Null if it was not
    decrypted."""
    content_size: int | None
    """Size of its content in bytes, without padding; null if it was not decrypted."""
    plaintext_offset: int | None
    """Where its content begins in its sender's decrypted stream, the byte space that ``layer``
    calls ``tls``; null if it holds no such bytes or was not decrypted."""
