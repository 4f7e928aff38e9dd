"""ClientHello and ServerHello: what is offered and what is chosen (RFC 8446 section 4.1, RFC 5246
section 7.4.1)."""

from __future__ import annotations

from ..provenance import Element

_SERVER_NAME = 0  # RFC 6066 section 3
_ALPN = 16  # RFC 7301 section 3.1
_ENCRYPT_THEN_MAC = 22  # RFC 7366 section 2
_PRE_SHARED_KEY = 41  # RFC 8446 section 4.2.11
_EARLY_DATA = 42  # section 4.2.10
_SUPPORTED_VERSIONS = 43  # section 4.2.1
_TRANSPORT_PARAMETERS = 57  # RFC 9001 section 8.2
_ENCRYPTED_CLIENT_HELLO = 0xFE0D  # RFC 9849 section 5
_RETRY_RANDOM = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")
"""SHA-256 of "HelloRetryRequest" (RFC 8446 section 4.1.3)."""
_VERSIONS = {
    0x0300: "SSLv3", 0x0301: "TLSv1.0", 0x0302: "TLSv1.1", 0x0303: "TLSv1.2", 0x0304: "TLSv1.3",
}  # fmt: skip


class ClientHello(Element, frozen=True):
    """What a client offers."""

    start: int
    end: int
    random: bytes
    session_id: bytes
    sni: str | None
    """The host name that it asks for; the outer one where ECH hides another."""
    alpn: list[str]
    """The protocols that it offers, the preferred one first."""
    has_psk: bool
    """Whether it offers to resume a session, or another key that both know."""
    has_early_data: bool
    """Whether it sends data before the server has answered."""
    has_ech: bool
    """Whether it has an encrypted ClientHello; many clients send one that holds nothing."""
    transport_parameters: bytes | None = None
    """Of QUIC, as they stand in it; None if it has none."""


class ServerHello(Element, frozen=True):
    """What a server chooses."""

    start: int
    end: int
    is_retry: bool
    """Whether it is a HelloRetryRequest: another ClientHello follows."""
    version: str
    """``TLSv1.3``."""
    session_id: bytes
    cipher_suite: int
    alpn: str | None
    """The protocol that it chose; None in TLS 1.3, where that is encrypted."""
    has_psk: bool
    """Whether it took a key that was offered (RFC 8446 section 4.2.11)."""
    random: bytes = bytes(32)
    has_encrypt_then_mac: bool = False
    """Whether CBC's MAC is that of what is encrypted (RFC 7366)."""
    compression: int = 0
    """The method of compression, 0 for none (RFC 3749)."""


class EncryptedExtensions(Element, frozen=True):
    """What a server answers in TLS 1.3, encrypted (RFC 8446 section 4.3.1)."""

    start: int
    end: int
    alpn: str | None
    """The protocol that it chose."""
    has_early_data: bool
    """Whether it takes the early data."""
    transport_parameters: bytes | None
    """Of QUIC, as they stand in it; None if it has none."""


class Malformed(ValueError):
    """A hello whose lengths or values contradict one another; the text says which."""


class _Reader:
    """Reads vectors one after the other (RFC 8446 section 3.4)."""

    def __init__(self, data: bytes, what: str) -> None:
        self._data = data
        self._pos = 0
        self._what = what

    def __bool__(self) -> bool:
        return self._pos < len(self._data)

    def take(self, size: int) -> bytes:
        found = self._data[self._pos : self._pos + size]
        if len(found) < size:
            raise Malformed(f"{self._what} ends early")
        self._pos += size
        return found

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size))

    def vector(self, size: int) -> bytes:
        """Take what has a length of ``size`` bytes before it."""
        return self.take(self.number(size))


def read_client_hello(body: bytes, start: int, end: int) -> ClientHello:
    """Read a ClientHello's body, which lies at [start, end). Raises Malformed."""
    reader = _Reader(body, "ClientHello")
    reader.take(2)
    random, session_id = reader.take(32), reader.vector(1)
    reader.vector(2)  # cipher suites
    reader.vector(1)  # compression methods
    extensions = _extensions(reader)
    return ClientHello(
        start,
        end,
        random,
        session_id,
        _server_name(extensions.get(_SERVER_NAME)),
        _protocols(extensions.get(_ALPN)),
        _PRE_SHARED_KEY in extensions,
        _EARLY_DATA in extensions,
        _ENCRYPTED_CLIENT_HELLO in extensions,
        extensions.get(_TRANSPORT_PARAMETERS),
    )


def read_server_hello(body: bytes, start: int, end: int) -> ServerHello:
    """Read a ServerHello's body, which lies at [start, end). Raises Malformed."""
    reader = _Reader(body, "ServerHello")
    version = reader.number(2)
    random, session_id = reader.take(32), reader.vector(1)
    suite, compression = reader.number(2), reader.number(1)
    extensions = _extensions(reader)
    if (chosen := extensions.get(_SUPPORTED_VERSIONS)) is not None:
        version = _Reader(chosen, "supported_versions").number(2)
    alpn = _protocols(extensions.get(_ALPN))
    return ServerHello(
        start,
        end,
        random == _RETRY_RANDOM,
        _VERSIONS.get(version, f"0x{version:04X}"),
        session_id,
        suite,
        alpn[0] if alpn else None,
        _PRE_SHARED_KEY in extensions,
        random,
        _ENCRYPT_THEN_MAC in extensions,
        compression,
    )


def read_encrypted_extensions(body: bytes, start: int, end: int) -> EncryptedExtensions:
    """Read the body of EncryptedExtensions, which lies at [start, end). Raises Malformed."""
    extensions = _extensions(_Reader(body, "EncryptedExtensions"))
    alpn = _protocols(extensions.get(_ALPN))
    return EncryptedExtensions(
        start,
        end,
        alpn[0] if alpn else None,
        _EARLY_DATA in extensions,
        extensions.get(_TRANSPORT_PARAMETERS),
    )


def _extensions(reader: _Reader) -> dict[int, bytes]:
    """Return the extensions that end a hello; old ones have none. Of two of a type the first."""
    found: dict[int, bytes] = {}
    if reader:
        rest = _Reader(reader.vector(2), "the list of extensions")
        while rest:
            kind = rest.number(2)
            found.setdefault(kind, rest.vector(2))
    return found


def _server_name(data: bytes | None) -> str | None:
    """Return the host name in a server_name extension (RFC 6066 section 3)."""
    if not data:
        return None  # a server's is empty
    names = _Reader(_Reader(data, "server_name").vector(2), "server_name")
    while names:
        kind, name = names.number(1), names.vector(2)
        if kind == 0:
            return _text(name)
    return None


def _protocols(data: bytes | None) -> list[str]:
    """Return the protocol names in an ALPN extension (RFC 7301 section 3.1)."""
    if data is None:
        return []
    names = _Reader(_Reader(data, "ALPN").vector(2), "ALPN")
    found: list[str] = []
    while names:
        found.append(_text(names.vector(1)))
    return found


def _text(name: bytes) -> str:
    """Return a name; bytes that are no UTF-8 are a character each."""
    try:
        return name.decode()
    except UnicodeDecodeError:
        return name.decode("latin-1")
