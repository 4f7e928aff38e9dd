"""Packets opened: the examples of the standards, and packets that were sealed elsewhere."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.quic import SUITES, V1, V2, Keys, Talk

from parsers.limits import MAX_QUIC_GENERATIONS
from parsers.quic.key_schedule import SUITES as OURS
from parsers.quic.key_schedule import initial_secret
from parsers.quic.packets import PacketHeader, read_packets
from parsers.quic.protection import LevelKeys, decode_number
from parsers.tls.key_schedule import expand_label

DESTINATION = bytes.fromhex("8394c8f03e515708")


@pytest.mark.parametrize(
    ("version", "sender", "secret", "key", "iv", "hp"),
    [
        (
            *(V1, "client", "c00cf151ca5be075ed0ebfb5c80323c42d6b7db67881289af4008f1f6c357aea"),
            *("1f369613dd76d5467730efcbe3b1a22d", "fa044b2f42a3fd3b46fb255c"),
            "9f50449e04a0e810283a1e9933adedd2",
        ),
        (
            *(V1, "server", "3c199828fd139efd216c155ad844cc81fb82fa8d7446fa7d78be803acdda951b"),
            *("cf3a5331653c364c88f0f379b6067e37", "0ac1493ca1905853b0bba03e"),
            "c206b8d9b9f0f37644430b490eeaa314",
        ),
        (
            *(V2, "client", "14ec9d6eb9fd7af83bf5a668bc17a7e283766aade7ecd0891f70f9ff7f4bf47b"),
            *("8b1a0bc121284290a29e0971b5cd045d", "91f73e2351d8fa91660e909f"),
            "45b95e15235d6f45a6b19cbcb0294ba9",
        ),
    ],
)
def test_keys_of_initial_packets(
    version: int, sender: str, secret: str, key: str, iv: str, hp: str
) -> None:
    """RFC 9001 appendix A.1, RFC 9369 appendix A.1."""
    made = initial_secret(version, DESTINATION, sender)  # type: ignore[arg-type]
    prefix = "quic" if version == V1 else "quicv2"
    assert made.hex() == secret
    assert expand_label("sha256", made, f"{prefix} key", 16).hex() == key
    assert expand_label("sha256", made, f"{prefix} iv", 12).hex() == iv
    assert expand_label("sha256", made, f"{prefix} hp", 16).hex() == hp


def test_the_server_initial_of_the_standard() -> None:
    """RFC 9001 appendix A.3."""
    packet = bytes.fromhex(
        "cf000000010008f067a5502a4262b5004075c0d95a482cd0991cd25b0aac406a"
        "5816b6394100f37a1c69797554780bb38cc5a99f5ede4cf73c3ec2493a1839b3"
        "dbcba3f6ea46c5b7684df3548e7ddeb9c3bf9c73cc3f3bded74b562bfb19fb84"
        "022f8ef4cdd93795d77d06edbb7aaf2f58891850abbdca3d20398c276456cbc4"
        "2158407dd074ee"
    )
    (header,) = read_packets(packet, 0)
    assert isinstance(header, PacketHeader)
    secret = initial_secret(V1, DESTINATION, "server")
    opened = LevelKeys(OURS[0x1301], "quic", secret, may_update=False).open(packet, header, 0)
    assert opened is not None
    assert opened.number == 1
    assert opened.payload.hex().startswith("02000000000600405a020000560303eefce7f7b37ba1d163")


def test_the_short_header_of_the_standard() -> None:
    """RFC 9001 appendix A.5: ChaCha20, an empty connection id, and a number of three bytes."""
    secret = bytes.fromhex("9ac312a7f877468ebe69422748ad00a15443f18203a07d6060f688f30f21632b")
    packet = bytes.fromhex("4cfe4189655e5cd55c41f69080575d7999c25a5bfb")
    (header,) = read_packets(packet, 0)
    assert isinstance(header, PacketHeader)
    keys = LevelKeys(OURS[0x1303], "quic", secret, may_update=True)
    opened = keys.open(packet, header, 654_360_564)
    assert opened is not None
    assert (opened.number, opened.payload) == (654_360_564, b"\x01")


@pytest.mark.parametrize(
    ("truncated", "bits", "expected", "full"),
    [
        (0x9B32, 16, 0xA82F30EA + 1, 0xA82F9B32),  # RFC 9000 appendix A.3
        (0, 8, 0, 0),
        (255, 8, 0, 255),
        (0, 8, 255, 256),
        (255, 8, 256, 255),
        (1, 8, 300, 257),
    ],
)
def test_packet_numbers(truncated: int, bits: int, expected: int, full: int) -> None:
    assert decode_number(truncated, bits, expected) == full


@given(
    st.sampled_from(sorted(SUITES)),
    st.binary(min_size=1, max_size=60),
    st.integers(0, 1 << 30),
    st.integers(1, 4),
    st.integers(0, 400),
)
def test_what_is_damaged_is_not_opened(
    suite: int, payload: bytes, number: int, size: int, flipped: int
) -> None:
    talk = Talk(suite=suite)
    payload = payload.ljust(4, b"\0")
    packet = talk.packet("client", "1-rtt", payload, number=number, size=size)
    (header,) = read_packets(packet, 8)
    assert isinstance(header, PacketHeader)
    secret = talk.secrets["CLIENT_TRAFFIC_SECRET_0"]

    def opened(data: bytes) -> object:
        keys = LevelKeys(OURS[suite], "quic", secret, may_update=True)
        found = keys.open(data, header, number)
        return None if found is None else (found.number, found.payload)

    assert opened(packet) == (number, payload)
    damaged = bytearray(packet)
    damaged[flipped % len(packet)] ^= 1 << flipped % 8
    if damaged[0] & 0x80 == packet[0] & 0x80:
        assert opened(bytes(damaged)) is None


def test_key_updates_of_packets_that_come_late() -> None:
    """RFC 9001 section 6: packets of the generation before still come, and are opened."""
    secret = bytes(range(32))
    ours = LevelKeys(OURS[0x1301], "quic", secret, may_update=True)

    def send(number: int, updates: int) -> object:
        phase = 0x04 if updates & 1 else 0
        header = bytes((0x41 | phase,)) + number.to_bytes(2, "big")
        packet = Keys(secret, updates=updates).seal(header, 2, number, b"\x01" + bytes(20))
        found = ours.open(packet, PacketHeader("1-rtt", 0, b"", b"", 0, 1, len(packet)), number)
        return None if found is None else found.number

    assert [send(number, 0) for number in (0, 1, 3)] == [0, 1, 3]
    assert [send(4, 1), send(2, 0), send(5, 1)] == [4, 2, 5]
    assert ours.updates == 1
    assert [send(7, 2), send(6, 1)] == [7, 6]
    assert send(8, 4) is None, "two generations at once cannot be"
    assert ours.updates == 2


def test_what_is_too_short_has_no_sample() -> None:
    keys = LevelKeys(OURS[0x1301], "quic", bytes(32), may_update=True)
    for size in range(1, 40):
        packet = b"\x40" + bytes(size)
        assert keys.open(packet, PacketHeader("1-rtt", 0, b"", b"", 0, 1, len(packet)), 0) is None


@pytest.mark.parametrize("generation", [0, 1, 2, 3, 10, MAX_QUIC_GENERATIONS])
def test_a_connection_joined_after_key_updates(generation: int) -> None:
    """Its first packet that was captured is of any generation; from there on it is as always."""
    secret = bytes(range(32))
    ours = LevelKeys(OURS[0x1301], "quic", secret, may_update=True, is_joined=True)

    def send(number: int, updates: int) -> object:
        phase = 0x04 if updates & 1 else 0
        header = bytes((0x41 | phase,)) + number.to_bytes(2, "big")
        packet = Keys(secret, updates=updates).seal(header, 2, number, b"\x01" + bytes(20))
        found = ours.open(packet, PacketHeader("1-rtt", 0, b"", b"", 0, 1, len(packet)), number)
        return None if found is None else found.number

    assert send(5, generation) == 5
    assert ours.updates == generation
    assert [send(7, generation + 1), send(6, generation)] == [7, 6]
    assert send(9, generation + 4) is None


def test_later_generations_are_tried_for_a_few_packets_alone() -> None:
    secret, foreign = bytes(range(32)), bytes(32)
    ours = LevelKeys(OURS[0x1301], "quic", secret, may_update=True, is_joined=True)

    def send(by: bytes, updates: int) -> bool:
        packet = Keys(by, updates=updates).seal(b"\x41\0\1", 2, 1, b"\x01" + bytes(20))
        header = PacketHeader("1-rtt", 0, b"", b"", 0, 1, len(packet))
        return ours.open(packet, header, 1) is not None

    # What is reserved in a foreign packet's header mostly tells at once that it is none.
    assert not any(send(foreign, updates) for updates in range(100))
    assert not send(secret, MAX_QUIC_GENERATIONS + 2)
