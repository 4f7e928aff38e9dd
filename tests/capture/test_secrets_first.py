"""Secrets of a recording before its packets, wherever they came, and nothing else changed."""

from __future__ import annotations

import io
from pathlib import Path
from struct import pack

import pytest
from support.exchanges import frames
from support.frames import SYN, ipv4, tcp

from capture.output import Limits, Output, Source
from capture.secrets_first import copy_secrets_first, put_secrets_first
from parsers.files.blocks import DECRYPTION_SECRETS, TLS_KEY_LOG

FRAME = ipv4(tcp(40_000, 443, SYN, payload=bytes(101)))
SOURCE = Source("lo", "tcp port 443")
NOW = 1_700_000_000_000_000_000


def line(number: int) -> bytes:
    return b"CLIENT_RANDOM %064x %096x\n" % (number, number)


def recorded(path: Path, count: int, secrets: dict[int, bytes]) -> list[tuple[int, bytes, int]]:
    """Record packets; ``secrets`` come before the packets of these numbers."""
    new: list[bytes] = []

    def take() -> bytes:
        taken, new[:] = b"".join(new), []
        return taken

    output = Output(path, SOURCE, limits=Limits(), secrets=take)
    packets = [(NOW + number, FRAME, len(FRAME)) for number in range(count)]
    for number, packet in enumerate(packets):
        new += [secrets[number]] if number in secrets else []
        output.write([packet])
        output.flush()
    new += [secrets[count]] if count in secrets else []
    output.finish()
    return packets


def blocks(data: bytes) -> list[bytes]:
    found, at = [], 0
    while at < len(data):
        length = int.from_bytes(data[at + 4 : at + 8], "little")
        found.append(data[at : at + length])
        at += length
    assert at == len(data)
    return found


def secret_block(text: bytes) -> bytes:
    padding = bytes(-len(text) % 4)
    body = pack("<II", TLS_KEY_LOG, len(text)) + text + padding + bytes(4)
    length = len(body) + 12
    return pack("<II", DECRYPTION_SECRETS, length) + body + pack("<I", length)


CASES = {
    "before": {0: line(1)},
    "amid": {2: line(1), 3: line(2) + line(3)},
    "after": {5: line(1)},
    "everywhere": {number: line(number)[: 70 + number] for number in range(6)},
}


@pytest.mark.parametrize("secrets", CASES.values(), ids=CASES)
def test_they_stand_behind_the_header(secrets: dict[int, bytes], tmp_path: Path) -> None:
    path = tmp_path / "a.pcapng"
    packets = recorded(path, 5, secrets)
    before = blocks(path.read_bytes())
    assert put_secrets_first(path)
    after = blocks(path.read_bytes())
    keys = [secret_block(text) for text in secrets.values()]
    assert after == [before[0], *keys, *(one for one in before[1:] if one not in keys)]
    assert len(after) == len(before)
    assert path.stat().st_mode & 0o777 == 0o600
    assert frames(path) == packets
    assert list(tmp_path.iterdir()) == [path], "nothing lies beside it"


def test_without_secrets_the_file_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.pcapng"
    recorded(path, 5, {})
    before = path.stat()
    assert not put_secrets_first(path)
    after = path.stat()  # reading may set its time of access
    assert (after.st_ino, after.st_size) == (before.st_ino, before.st_size)
    assert after.st_mtime_ns == before.st_mtime_ns


@pytest.mark.parametrize("cut", range(1, 150, 7))
def test_a_recording_that_breaks_off(cut: int, tmp_path: Path) -> None:
    path = tmp_path / "a.pcapng"
    recorded(path, 5, {2: line(1)})
    data = path.read_bytes()[:-cut]
    target = io.BytesIO()
    copy_secrets_first(io.BytesIO(data), target)
    assert sorted(target.getvalue()) == sorted(data), "not a byte is lost"


@pytest.mark.parametrize("data", [b"", b"\0", bytes(64), b"\xff" * 64])
def test_what_is_no_recording_is_copied_as_it_is(data: bytes) -> None:
    target = io.BytesIO()
    copy_secrets_first(io.BytesIO(data), target)
    assert target.getvalue() == data


def test_each_file_of_a_ring_begins_with_what_came_before(tmp_path: Path) -> None:
    new = [line(1)]

    def take() -> bytes:
        taken, new[:] = b"".join(new), []
        return taken

    output = Output(tmp_path / "a.pcapng", SOURCE, limits=Limits(2_000), secrets=take)
    for number in range(30):
        output.write([(NOW + number, FRAME, len(FRAME))])
        output.flush()
        new += [line(2)] if number == 12 else []
    output.finish()
    held = [
        [one for one in blocks(path.read_bytes()) if one[:4] == b"\x0a\0\0\0"]
        for path in sorted(tmp_path.iterdir())
    ]
    assert held[0] == [secret_block(line(1))]
    amid = next(number for number, found in enumerate(held) if len(found) > 1)
    assert held[amid] == [secret_block(line(1)), secret_block(line(2))]
    assert {len(found) for found in held[amid + 1 :]} == {1}
    assert held[-1] == [secret_block(line(1) + line(2))]
