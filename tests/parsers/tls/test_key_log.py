"""Key logs: every kind of line, lines that say nothing, files that grow, and hostile ones."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.corpus import tls_vectors_at_hand

from parsers import limits
from parsers.tls import key_log
from parsers.tls.key_log import (
    CLIENT_EARLY,
    CLIENT_HANDSHAKE,
    CLIENT_TRAFFIC,
    MASTER,
    SERVER_HANDSHAKE,
    SERVER_TRAFFIC,
    KeyLog,
    Secret,
)

RANDOM = bytes(range(32))
SHORT, LONG = bytes(range(100, 132)), bytes(range(100, 148))


def line(label: str, secret: bytes, random: bytes = RANDOM) -> bytes:
    return f"{label} {random.hex()} {secret.hex()}".encode()


def held(text: bytes) -> KeyLog:
    keys = KeyLog()
    keys.read(text)
    return keys


@pytest.mark.parametrize("secret", [SHORT, LONG])
@pytest.mark.parametrize(
    "label", [CLIENT_EARLY, CLIENT_HANDSHAKE, SERVER_HANDSHAKE, CLIENT_TRAFFIC, SERVER_TRAFFIC]
)
def test_traffic_secrets(label: str, secret: bytes) -> None:
    assert held(line(label, secret)).of(RANDOM) == {label: secret}


def test_a_master_secret_has_48_bytes() -> None:
    assert held(line(MASTER, LONG)).of(RANDOM) == {MASTER: LONG}
    assert not held(line(MASTER, SHORT))


def test_older_kinds_of_lines() -> None:
    keys = held(
        b"RSA 0011223344556677 " + LONG.hex().encode() + b"\n"
        b"RSA Session-ID:AABB Master-Key:" + LONG.hex().upper().encode() + b"\n"
    )
    assert keys.of_premaster(bytes.fromhex("0011223344556677 8899")) == LONG
    assert keys.of_session(b"\xaa\xbb") == LONG
    assert keys.of_session(b"\xaa") is None
    assert keys.of_premaster(b"") is None
    assert len(keys) == 2


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r", b" \n", b"\n\n"])
@pytest.mark.parametrize("is_upper", [False, True])
def test_ends_of_lines_and_letters(end: bytes, is_upper: bool) -> None:
    text = end.join([b"# a comment", line(SERVER_TRAFFIC, LONG), line(CLIENT_TRAFFIC, LONG)])
    text = text.replace(RANDOM.hex().encode(), RANDOM.hex().upper().encode()) if is_upper else text
    assert held(text).of(RANDOM) == {SERVER_TRAFFIC: LONG, CLIENT_TRAFFIC: LONG}


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"#" + line(SERVER_TRAFFIC, LONG),
        b" " + line(SERVER_TRAFFIC, LONG),
        line(SERVER_TRAFFIC, LONG) + b"0",
        line(SERVER_TRAFFIC, LONG)[:-1],
        line(SERVER_TRAFFIC, LONG) + b" and more",
        line(SERVER_TRAFFIC, LONG[:20]),
        line(SERVER_TRAFFIC, LONG, RANDOM[:31]),
        line("EXPORTER_SECRET", LONG),
        line("server_traffic_secret_0", LONG),
        line("SERVER_TRAFFIC_SECRET_1", LONG),
        b"RSA Session-ID: Master-Key:" + LONG.hex().encode(),
        b"RSA Session-ID:ABC Master-Key:" + LONG.hex().encode(),
    ],
)
def test_what_does_not_fit_is_passed_over(text: bytes) -> None:
    keys = held(text + b"\n" + line(CLIENT_TRAFFIC, SHORT))
    assert keys.of(RANDOM) == {CLIENT_TRAFFIC: SHORT}
    assert keys.revision == 1


def test_of_two_lines_the_last_one_counts() -> None:
    keys = held(line(SERVER_TRAFFIC, LONG) + b"\n" + line(SERVER_TRAFFIC, SHORT))
    assert keys.of(RANDOM) == {SERVER_TRAFFIC: SHORT}
    keys.read(line(SERVER_TRAFFIC, LONG))
    assert keys.of(RANDOM) == {SERVER_TRAFFIC: LONG}


def test_the_newest_come_first() -> None:
    other = bytes(32)
    keys = held(line(MASTER, LONG) + b"\n" + line(SERVER_TRAFFIC, SHORT, other))
    assert list(keys.newest()) == [(other, {SERVER_TRAFFIC: SHORT}), (RANDOM, {MASTER: LONG})]
    assert keys.of(bytes(31)) == {}


def test_a_secret_is_never_shown() -> None:
    keys = held(line(SERVER_TRAFFIC, SHORT))
    shown = f"{keys!r} {keys} {keys.of(RANDOM)!r} {keys.of(RANDOM)[SERVER_TRAFFIC]}"
    assert SHORT.hex() not in shown
    assert repr(SHORT)[2:-1] not in shown
    assert shown.count("<secret of 32 bytes>") == 2
    assert Secret(SHORT) == SHORT


def test_what_is_held_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_log, "MAX_KEY_LOG_CONNECTIONS", 3)
    randoms = [bytes([number]) * 32 for number in range(5)]
    keys = held(b"\n".join(line(MASTER, LONG, random) for random in randoms))
    assert [random for random, _ in keys.newest()] == randoms[:1:-1]
    keys.read(line(SERVER_TRAFFIC, LONG, randoms[2]))  # another one of the oldest
    assert len(keys) == 3
    assert set(keys.of(randoms[2])) == {MASTER, SERVER_TRAFFIC}


# --- files ---


def test_a_file(tmp_path: Path) -> None:
    path = tmp_path / "keys.log"
    path.write_bytes(line(SERVER_TRAFFIC, LONG) + b"\n")
    keys = KeyLog.open(path)
    assert keys.of(RANDOM) == {SERVER_TRAFFIC: LONG}
    assert (keys.path, KeyLog().path) == (str(path), None)
    assert repr(keys) == "<KeyLog of 1 connections>"
    assert keys.may_grow
    assert not keys.refresh()
    with pytest.raises(FileNotFoundError):
        KeyLog.open(tmp_path / "none")
    assert not KeyLog().may_grow
    assert not KeyLog().refresh()


def test_a_file_that_grows_anywhere(tmp_path: Path) -> None:
    path = tmp_path / "keys.log"
    whole = b"\n".join([line(CLIENT_TRAFFIC, LONG), line(SERVER_TRAFFIC, LONG), b"# end"])
    path.write_bytes(b"")
    keys = KeyLog.open(path)
    for size in range(len(whole)):
        with path.open("ab") as file:
            file.write(whole[size : size + 1])
        keys.refresh()
    assert keys.of(RANDOM) == {CLIENT_TRAFFIC: LONG, SERVER_TRAFFIC: LONG}


def test_a_file_that_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "keys.log"
    path.write_bytes(line(CLIENT_TRAFFIC, LONG) + b"\n")
    keys = KeyLog.open(path)
    path.write_bytes(line(CLIENT_EARLY, LONG)[:40])  # truncated, and begun anew
    assert not keys.refresh()
    path.unlink()
    assert not keys.refresh()
    path.write_bytes(line(SERVER_TRAFFIC, LONG) + b"\n" + b"#" * 300)
    assert keys.refresh()
    assert keys.of(RANDOM) == {CLIENT_TRAFFIC: LONG, SERVER_TRAFFIC: LONG}


@pytest.mark.parametrize("step", [100, 1_000, 1 << 20])
def test_a_line_without_an_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int) -> None:
    monkeypatch.setattr(key_log, "_STEP", step)
    path = tmp_path / "keys.log"
    endless = b"x" * (5 * limits.MAX_KEY_LOG_LINE)
    path.write_bytes(endless + line(CLIENT_TRAFFIC, LONG) + b"\n" + line(SERVER_TRAFFIC, LONG))
    keys = KeyLog.open(path)
    assert keys.of(RANDOM) == {SERVER_TRAFFIC: LONG}


def test_what_is_no_regular_file_is_read_once(tmp_path: Path) -> None:
    keys = KeyLog.open("/dev/null")
    assert not keys.may_grow
    assert not keys.refresh()


@given(st.binary(), st.integers(0, 300))
def test_any_bytes(data: bytes, place: int) -> None:
    text = line(SERVER_TRAFFIC, LONG) + b"\n"
    held(text[:place] + data + text[place:])
    assert held(data + b"\n" + text).of(RANDOM)[SERVER_TRAFFIC] == LONG


@pytest.mark.parametrize("vector", tls_vectors_at_hand(), ids=lambda vector: vector["id"])
def test_key_logs_of_others(vector) -> None:
    text = vector["keylog"].encode()
    labels = {key_log.MASTER.encode(), b"TRAFFIC_SECRET"}
    assert bool(held(text)) == any(label in text for label in labels)
