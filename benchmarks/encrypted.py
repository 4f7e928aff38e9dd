"""Workloads in TLS 1.3, sealed by hand and seeded: their secrets are in the capture itself."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from .packets import Conversation, Endpoint

HTTPS = 443
HANDSHAKE, ALERT, APPLICATION_DATA = 22, 21, 23
VERSION = bytes.fromhex("002b00020304")
"""supported_versions of a ServerHello: TLS 1.3."""
LABELS = {
    ("client", "handshake"): "CLIENT_HANDSHAKE_TRAFFIC_SECRET",
    ("server", "handshake"): "SERVER_HANDSHAKE_TRAFFIC_SECRET",
    ("client", "traffic"): "CLIENT_TRAFFIC_SECRET_0",
    ("server", "traffic"): "SERVER_TRAFFIC_SECRET_0",
}


def _random(number: int) -> bytes:
    """Return the random of a connection's ClientHello."""
    return sha256(b"random %d" % number).digest()


def _secret(number: int, sender: str, epoch: str) -> bytes:
    return sha256(f"{number} {sender} {epoch}".encode()).digest()


def key_log(connections: int) -> bytes:
    """Return the secrets of so many connections as SSLKEYLOGFILE has them."""
    lines = [
        f"{label} {_random(number).hex()} {_secret(number, *of).hex()}\n"
        for number in range(connections)
        for of, label in LABELS.items()
    ]
    return "".join(lines).encode()


class _Seal:
    """Seals one side's records of one epoch (RFC 8446 section 5.2)."""

    def __init__(self, secret: bytes) -> None:
        self._aead = AESGCM(self._expand(secret, b"tls13 key", 16))
        self._iv = int.from_bytes(self._expand(secret, b"tls13 iv", 12))
        self._number = 0

    @staticmethod
    def _expand(secret: bytes, label: bytes, size: int) -> bytes:
        info = size.to_bytes(2) + bytes([len(label)]) + label + b"\0"
        return HKDFExpand(SHA256(), size, info).derive(secret)

    def __call__(self, kind: int, content: bytes) -> bytes:
        header = b"\x17\x03\x03" + (len(content) + 17).to_bytes(2)
        nonce = (self._iv ^ self._number).to_bytes(12)
        self._number += 1
        return header + self._aead.encrypt(nonce, content + bytes([kind]), header)


def _message(kind: int, body: bytes) -> bytes:
    return bytes([kind]) + len(body).to_bytes(3) + body


def _plain(content: bytes) -> bytes:
    return b"\x16\x03\x03" + len(content).to_bytes(2) + content


def _sized(data: bytes) -> bytes:
    return len(data).to_bytes(2) + data


def _alpn(protocol: bytes) -> bytes:
    names = bytes([len(protocol)]) + protocol
    return b"\0\x10" + _sized(_sized(names))


class TlsConversation:
    """A made-up connection whose sides say what they send in TLS, a record and a segment a time."""

    def __init__(self, number: int, protocol: bytes) -> None:
        self._talk = Conversation(number, HTTPS)
        self._number = number
        self._protocol = protocol
        self._seals = {side: _Seal(_secret(number, side, "traffic")) for side in SIDES}

    def open(self) -> Iterator[bytes]:
        """Yield the handshakes of TCP and of TLS, without a certificate: nobody verifies it."""
        talk, number = self._talk, self._number
        versions = bytes.fromhex("002b0003020304")
        client = b"\x03\x03" + _random(number) + b"\0\0\x02\x13\x01\x01\0"
        server = b"\x03\x03" + bytes(32) + b"\0\x13\x01\0"
        hello = _plain(_message(1, client + _sized(versions + _alpn(self._protocol))))
        answer = _plain(_message(2, server + _sized(VERSION)))
        extensions = _message(8, _sized(_alpn(self._protocol)))
        finished = _message(20, bytes(32))
        seals = {side: _Seal(_secret(number, side, "handshake")) for side in SIDES}
        yield from talk.open()
        yield from talk.send(talk.client, hello)
        sealed = seals["server"](HANDSHAKE, extensions + finished)
        yield from talk.send(talk.server, answer + sealed)
        yield from talk.send(talk.client, seals["client"](HANDSHAKE, finished))

    def say(self, side: str, data: bytes) -> Iterator[bytes]:
        """Yield a record that holds ``data``, and its acknowledgement."""
        yield from self._talk.send(self._end(side), self._seals[side](APPLICATION_DATA, data))

    def close(self) -> Iterator[bytes]:
        """Yield both close_notify, and what ends TCP."""
        for side in ("server", "client"):
            yield from self._talk.send(self._end(side), self._seals[side](ALERT, b"\1\0"))
        yield from self._talk.close()

    def _end(self, side: str) -> Endpoint:
        return self._talk.client if side == "client" else self._talk.server


SIDES = ("client", "server")
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
SETTINGS, SETTINGS_ACK = bytes.fromhex("000000040000000000"), bytes.fromhex("000000040100000000")
WINDOW = bytes.fromhex("000004080000000000") + (1 << 30).to_bytes(4)
"""The connection's window, opened: nobody is held."""
REQUEST = bytes.fromhex("82878441") + b"\x07example"
"""GET https://example/ by HPACK's static table (RFC 7541 appendix A)."""
RESPONSE = b"\x88\x0f\x10\x11text/event-stream"
"""200, text/event-stream."""


def http2_frame(kind: int, flags: int, stream_id: int, payload: bytes) -> bytes:
    """A frame (RFC 9113 section 4.1)."""
    head = len(payload).to_bytes(3) + bytes([kind, flags])
    return head + stream_id.to_bytes(4) + payload


def sse_in_tls(number: int, said: list[tuple[str, bytes]]) -> Iterator[bytes]:
    """One connection of HTTP/1.1 in TLS that says what is given."""
    talk = TlsConversation(number, b"http/1.1")
    yield from talk.open()
    for side, data in said:
        yield from talk.say(side, data)
    yield from talk.close()


def streams_in_tls(number: int, streams: int, events: list[bytes]) -> Iterator[bytes]:
    """One connection of HTTP/2 in TLS whose streams each send the events, in turns."""
    talk = TlsConversation(number, b"h2")
    ids = range(1, 2 * streams, 2)
    opened = [http2_frame(8, 0, one, (1 << 30).to_bytes(4)) for one in ids]
    asked = [http2_frame(1, 5, one, REQUEST) for one in ids]
    yield from talk.open()
    yield from talk.say("client", PREFACE + SETTINGS + WINDOW)
    yield from talk.say("server", SETTINGS + SETTINGS_ACK)
    pairs = zip(asked, opened, strict=True)
    yield from talk.say("client", SETTINGS_ACK + b"".join(a + b for a, b in pairs))
    yield from talk.say("server", b"".join(http2_frame(1, 4, one, RESPONSE) for one in ids))
    for event in events:
        for one in ids:
            yield from talk.say("server", http2_frame(0, 0, one, event))
    yield from talk.say("server", b"".join(http2_frame(0, 1, one, b"") for one in ids))
    yield from talk.close()
