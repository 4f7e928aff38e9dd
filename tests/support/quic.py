"""QUIC as a peer sends it: packets sealed, and put into the packets of a capture.

It shares no code with what opens them: HKDF is that of ``cryptography``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import AESCCM, AESGCM, ChaCha20Poly1305
from cryptography.hazmat.primitives.ciphers.algorithms import AES, ChaCha20
from cryptography.hazmat.primitives.ciphers.modes import ECB
from cryptography.hazmat.primitives.hashes import SHA256, SHA384
from cryptography.hazmat.primitives.hmac import HMAC
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from parsers.decode.packets import PacketDecoder
from parsers.files.packets import Packet
from parsers.records import DiagnosticRecord, Record, SseEventRecord
from parsers.tls.key_finder import KeySource
from parsers.tls.key_log import KeyLog

from .frames import ipv4, udp
from .tls import alpn, client_hello, extensions, message, server_hello, server_name

V1, V2 = 1, 0x6B3343CF
SALTS = {
    V1: bytes.fromhex("38762cf7f55934b34d179ae6a4c80cadccbb7f0a"),
    V2: bytes.fromhex("0dede3def700a6db819381be6e269dcbf9bd2ed9"),
}
PREFIXES = {V1: "quic", V2: "quicv2"}
TYPES = {
    V1: {"initial": 0, "0-rtt": 1, "handshake": 2, "retry": 3},
    V2: {"initial": 1, "0-rtt": 2, "handshake": 3, "retry": 0},
}
SUITES = {
    0x1301: (AESGCM, SHA256, 16), 0x1302: (AESGCM, SHA384, 32),
    0x1303: (ChaCha20Poly1305, SHA256, 32), 0x1304: (AESCCM, SHA256, 16),
}  # fmt: skip
RANDOM = bytes(32)
"""The client random of every hello that ``support.tls`` makes."""
CLIENT_ID, SERVER_ID, FIRST_ID = b"client01", b"server-1", b"chosen-1"


def varint(value: int) -> bytes:
    """RFC 9000 section 16."""
    for bits, size in enumerate((1, 2, 4, 8)):
        if value < 1 << 8 * size - 2:
            return (value | bits << 8 * size - 2).to_bytes(size, "big")
    raise ValueError(value)


def expand(secret: bytes, label: str, size: int, suite: int = 0x1301) -> bytes:
    full = b"tls13 " + label.encode()
    info = size.to_bytes(2, "big") + bytes((len(full),)) + full + b"\0"
    return HKDFExpand(SUITES[suite][1](), size, info).derive(secret)


def initial_secret(version: int, destination: bytes, sender: str) -> bytes:
    extract = HMAC(SALTS[version], SHA256())
    extract.update(destination)
    return expand(extract.finalize(), f"{sender} in", 32)


class Known:
    """Keys that are all there from the beginning: a source of them for the decoder."""

    waits = False
    waiting = 0
    is_possible = True

    def __init__(self, text: bytes = b"") -> None:
        self.log = KeyLog()
        self.log.read(text)

    def refresh(self) -> bool:
        return False


@dataclass
class Keys:
    """What seals one side's packets at one level; ``updates`` is the generation."""

    secret: bytes
    suite: int = 0x1301
    version: int = V1
    updates: int = 0

    def seal(self, header: bytes, number_size: int, number: int, payload: bytes) -> bytes:
        """Return a protected packet; ``header`` ends with the packet number."""
        aead, _, key_size = SUITES[self.suite]
        prefix, secret = PREFIXES[self.version], self.secret
        mask_key = expand(secret, f"{prefix} hp", key_size, self.suite)
        for _update in range(self.updates):
            secret = expand(secret, f"{prefix} ku", len(secret), self.suite)
        key = expand(secret, f"{prefix} key", key_size, self.suite)
        iv = int.from_bytes(expand(secret, f"{prefix} iv", 12, self.suite), "big")
        nonce = (iv ^ number).to_bytes(12, "big")
        sealed = aead(key).encrypt(nonce, payload, header)  # type: ignore[abstract]
        sample = sealed[4 - number_size : 20 - number_size]
        if self.suite == 0x1303:
            mask = Cipher(ChaCha20(mask_key, sample), None).encryptor().update(bytes(5))
        else:
            mask = Cipher(AES(mask_key), ECB()).encryptor().update(sample)
        first = header[0] ^ mask[0] & (0x0F if header[0] & 0x80 else 0x1F)
        hidden = bytes(
            one ^ other for one, other in zip(header[-number_size:], mask[1:], strict=False)
        )
        return bytes((first,)) + header[1:-number_size] + hidden + sealed


def crypto(data: bytes, offset: int = 0) -> bytes:
    return b"\x06" + varint(offset) + varint(len(data)) + data


def stream(stream_id: int, offset: int, data: bytes, *, fin: bool = False) -> bytes:
    head = bytes((0x0E | fin,)) + varint(stream_id) + varint(offset)
    return head + varint(len(data)) + data


def ack(first: int, last: int) -> bytes:
    return b"\x02" + varint(last) + varint(0) + varint(0) + varint(last - first)


def close(error: int, reason: bytes = b"", *, is_application: bool = True) -> bytes:
    head = b"\x1d" + varint(error) if is_application else b"\x1c" + varint(error) + varint(0)
    return head + varint(len(reason)) + reason


def h3_frame(kind: int, payload: bytes) -> bytes:
    return varint(kind) + varint(len(payload)) + payload


def literal(name: bytes, value: bytes) -> bytes:
    """A field line with both in the clear, without Huffman's code (RFC 9204 section 4.5.6)."""
    assert len(name) < 7 + 127 and len(value) < 127
    size = bytes((0x20 | len(name),)) if len(name) < 7 else bytes((0x27, len(name) - 7))
    return size + name + bytes((len(value),)) + value


def headers(*fields: tuple[bytes, bytes]) -> bytes:
    """A HEADERS frame that refers to no table."""
    return h3_frame(1, b"\0\0" + b"".join(literal(*one) for one in fields))


GET = headers(
    (b":method", b"GET"), (b":scheme", b"https"), (b":authority", b"a.test"), (b":path", b"/")
)
OK = headers((b":status", b"200"), (b"content-type", b"text/event-stream"))


def data(content: bytes) -> bytes:
    return h3_frame(0, content)


@dataclass
class Talk:
    """A dialogue between two ends, datagram by datagram."""

    version: int = V1
    suite: int = 0x1301
    protocols: tuple[bytes, ...] = (b"h3",)
    updates: dict[str, int] = field(default_factory=lambda: {"client": 0, "server": 0})
    destination: bytes = FIRST_ID
    client_id: bytes = CLIENT_ID
    packets: list[Packet] = field(default_factory=list)
    numbers: dict[tuple[str, str], int] = field(default_factory=dict)
    ports: tuple[int, int] = 50_000, 443
    secrets: dict[str, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        size = 48 if self.suite == 0x1302 else 32
        for index, label in enumerate(
            (
                "CLIENT_EARLY_TRAFFIC_SECRET", "CLIENT_HANDSHAKE_TRAFFIC_SECRET",
                "SERVER_HANDSHAKE_TRAFFIC_SECRET", "CLIENT_TRAFFIC_SECRET_0",
                "SERVER_TRAFFIC_SECRET_0",
            )
        ):  # fmt: skip
            self.secrets.setdefault(label, bytes((index + 1,)) * size)

    @property
    def keys(self) -> Known:
        return Known(self.key_log)

    @property
    def key_log(self) -> bytes:
        lines = (f"{label} {RANDOM.hex()} {one.hex()}" for label, one in self.secrets.items())
        return "\n".join(lines).encode() + b"\n"

    def keys_of(self, sender: str, kind: str) -> Keys:
        if kind == "initial":
            return Keys(
                initial_secret(self.version, self.destination, sender), 0x1301, self.version
            )
        names = {"0-rtt": "EARLY_TRAFFIC_SECRET", "handshake": "HANDSHAKE_TRAFFIC_SECRET"}
        label = f"{sender.upper()}_{names.get(kind, 'TRAFFIC_SECRET_0')}"
        updates = self.updates[sender] if kind == "1-rtt" else 0
        return Keys(self.secrets[label], self.suite, self.version, updates)

    def packet(
        self, sender: str, kind: str, payload: bytes, *, number: int | None = None, size: int = 2
    ) -> bytes:
        """Return a packet of a side, of its next number unless one is given."""
        space = sender, "1-rtt" if kind == "0-rtt" else kind
        if number is None:
            number = self.numbers.get(space, 0)
        self.numbers[space] = max(self.numbers.get(space, 0), number + 1)
        payload += bytes(max(0, 4 - size - len(payload)))
        written = (number & (1 << 8 * size) - 1).to_bytes(size, "big")
        source, target = (
            (self.client_id, self.destination if kind in ("initial", "0-rtt") else SERVER_ID)
            if sender == "client"
            else (SERVER_ID, self.client_id)
        )
        keys = self.keys_of(sender, kind)
        if kind == "1-rtt":
            phase = 0x04 if self.updates[sender] & 1 else 0
            header = bytes((0x40 | phase | size - 1,)) + target + written
        else:
            first = 0xC0 | TYPES[self.version][kind] << 4 | size - 1
            header = bytes((first,)) + self.version.to_bytes(4, "big")
            header += bytes((len(target),)) + target + bytes((len(source),)) + source
            header += b"\0" if kind == "initial" else b""
            header += (0x4000 | size + len(payload) + 16).to_bytes(2, "big") + written
        return keys.seal(header, size, number, payload)

    def send(self, sender: str, *packets: bytes, ports: tuple[int, int] | None = None) -> None:
        """Put packets into one datagram of the capture."""
        client, server = ports or self.ports
        source, target = (client, server) if sender == "client" else (server, client)
        addresses = ("10.0.0.1", "10.0.0.2") if sender == "client" else ("10.0.0.2", "10.0.0.1")
        datagram = udp(source, target, b"".join(packets))
        frame = ipv4(datagram, 17, source=addresses[0], destination=addresses[1])
        number = len(self.packets) + 1
        time = 1_700_000_000_000_000_000 + number * 10**6
        self.packets.append((number, time, 1, len(frame), frame))

    def say(self, sender: str, *frames: bytes, number: int | None = None) -> None:
        """Send a datagram with one packet of 1-RTT."""
        self.send(sender, self.packet(sender, "1-rtt", b"".join(frames), number=number))

    def shake_hands(self) -> None:
        """Send the handshake: a client's hello, the server's flight, both Finished."""
        hello = client_hello(
            server_name(b"a.test"), alpn(*self.protocols), (57, b"\x01\x04\x80\x00\x75\x30")
        )
        self.send("client", self.packet("client", "initial", crypto(hello) + bytes(900)))
        listed = extensions([alpn(self.protocols[0]), (57, b"\x08\x01\x10")])
        flight = message(8, listed) + message(20, bytes(32))
        chosen = server_hello((43, b"\x03\x04"), suite=self.suite, random=b"\x07" * 32, session=b"")
        self.send(
            "server",
            self.packet("server", "initial", ack(0, 0) + crypto(chosen)),
            self.packet("server", "handshake", crypto(flight)),
        )
        finished = crypto(message(20, bytes(32)))
        self.send("client", self.packet("client", "handshake", finished))

    def settle(self) -> None:
        """Send both control streams."""
        settings = b"\0" + h3_frame(4, b"\x01\x50\x00\x07\x10")
        self.say("client", stream(2, 0, settings))
        self.say("server", stream(3, 0, settings))

    def ask(self, stream_id: int = 0) -> None:
        """Send a request without content."""
        self.say("client", stream(stream_id, 0, GET, fin=True))

    def answer(self, *events: bytes, stream_id: int = 0, fin: bool = True) -> None:
        """Send a response, a datagram for its head and for each event."""
        offset = 0
        for index, part in enumerate((OK, *(data(one) for one in events))):
            ends = fin and index == len(events)
            self.say("server", stream(stream_id, offset, part, fin=ends))
            offset += len(part)


def dialogue(*events: bytes, talk: Talk | None = None) -> Talk:
    """A whole connection with one exchange."""
    talk = talk or Talk()
    talk.shake_hands()
    talk.settle()
    talk.ask()
    talk.answer(*(events or (b"data: one\n\n", b"data: two\n\n")))
    talk.say("client", close(0x100, b"done"))
    return talk


def shuffled(packets: Sequence[Packet], order: Sequence[int]) -> list[Packet]:
    """The same frames in another order, with the numbers and times of the places they come to."""
    return [
        (place + 1, packets[place][1], *packets[index][2:]) for place, index in enumerate(order)
    ]


def decoded_talk(talk: Talk) -> list[Record]:
    """All records of a dialogue, with its keys."""
    decoder = PacketDecoder(keys=talk.keys)
    return decoder.receive(talk.packets) + decoder.finish()


def decoded(
    packets: Sequence[Packet], keys: KeySource | None = None, step: int = 1000
) -> list[Record]:
    decoder = PacketDecoder(keys=keys)
    records: list[Record] = []
    for start in range(0, len(packets), step):
        records += decoder.receive(packets[start : start + step])
    return records + decoder.finish() + decoder.report([])


def only(records: Sequence[Record], kind: type) -> list:  # type: ignore[type-arg]
    return [record for record in records if type(record) is kind]


def codes(records: Sequence[Record]) -> list[str]:
    return [record.code for record in records if isinstance(record, DiagnosticRecord)]


def events(records: Sequence[Record]) -> list[str | None]:
    return [record.data for record in records if isinstance(record, SseEventRecord)]
