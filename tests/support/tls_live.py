"""TLS that Python's ssl speaks with itself, with the secrets that it logs: a witness of ours.

Nothing is sent: both ends write into memory, and a dialogue is what they wrote, in order.
"""

from __future__ import annotations

import ssl
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import trustme
from support.talk import Side, Talk

NAME = "api.example.test"


@cache
def _authority() -> tuple[trustme.CA, trustme.LeafCert]:
    authority = trustme.CA()
    return authority, authority.issue_cert(NAME)


@dataclass
class Dialogue:
    """What both ends wrote, one piece a write, and the key log of the client."""

    pieces: list[tuple[Side, bytes]] = field(default_factory=list)
    keys: bytes = b""
    cipher: str = ""

    def talk(self, step: int = 1 << 30) -> Talk:
        """Return it as packets, in segments of ``step`` bytes at most."""
        talk = Talk().open()
        for sender, data in self.pieces:
            for start in range(0, len(data), step):
                talk.segment(sender, data[start : start + step])
        talk.close()
        return talk


def dialogue(
    lines: list[tuple[Side, bytes]],
    *,
    ciphers: str | None = None,
    version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3,
    alpn: tuple[str, ...] = (),
    ends: tuple[Side, ...] = ("client", "server"),
) -> Dialogue:
    """Return what is sent if ``lines`` are said, and those of ``ends`` say that they have done."""
    client_context, server_context = _contexts(ciphers, version, alpn)
    found = Dialogue()
    with TemporaryDirectory() as folder:
        path = Path(folder) / "keys"
        client_context.keylog_filename = str(path)
        _speak(client_context, server_context, lines, ends, found)
        found.keys = path.read_bytes()
    return found


def _contexts(
    ciphers: str | None, version: ssl.TLSVersion, alpn: tuple[str, ...]
) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    authority, certificate = _authority()
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.configure_trust(client)
    certificate.configure_cert(server)
    for context in (client, server):
        context.minimum_version = context.maximum_version = version
        if ciphers is not None:
            context.set_ciphers(ciphers)
        if alpn:
            context.set_alpn_protocols(list(alpn))
    return client, server


def _speak(
    client_context: ssl.SSLContext,
    server_context: ssl.SSLContext,
    lines: list[tuple[Side, bytes]],
    ends: tuple[Side, ...],
    found: Dialogue,
) -> None:
    to: dict[Side, ssl.MemoryBIO] = {"client": ssl.MemoryBIO(), "server": ssl.MemoryBIO()}
    of: dict[Side, ssl.MemoryBIO] = {"client": ssl.MemoryBIO(), "server": ssl.MemoryBIO()}
    peers: dict[Side, ssl.SSLObject] = {
        "client": client_context.wrap_bio(to["client"], of["client"], server_hostname=NAME),
        "server": server_context.wrap_bio(to["server"], of["server"], server_side=True),
    }

    def carry(sender: Side) -> None:
        if data := of[sender].read():
            found.pieces.append((sender, data))
            to["server" if sender == "client" else "client"].write(data)

    for _ in range(3):
        for sender, peer in peers.items():
            with suppress(ssl.SSLWantReadError):  # what the other one says comes next
                peer.do_handshake()
            carry(sender)
    found.cipher = (peers["client"].cipher() or ("",))[0]
    for sender, data in lines:
        peers[sender].write(data)
        carry(sender)
        with suppress(ssl.SSLWantReadError):
            peers["server" if sender == "client" else "client"].read(1 << 20)
    for sender in ends:
        with suppress(ssl.SSLWantReadError):  # the other one's close_notify has not come
            peers[sender].unwrap()
        carry(sender)
