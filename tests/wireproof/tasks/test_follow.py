"""The bytes of streams: exactly those that tshark follows, and those that a client received."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest
from support.http2 import data
from support.stored import SMALL, name
from support.talk import Talk

from fixtures.tls.record import STORED, Stored
from parsers import KeyLog
from parsers.records import BodyRecord, ConnectionRecord, GapRecord
from wireproof import decode
from wireproof.cli import run
from wireproof.tasks.follow import FollowOptions, NothingToFollow, follow

ROOT = Path(__file__).parents[3]
PLAIN = ROOT / "fixtures/sse/plain.pcapng"
SENDERS = ("client", "server")
ENCRYPTED = [one for one in STORED if one.served.tls]
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


def talked(path: Path, *said: tuple[str, bytes]) -> Path:
    """Store a connection on which this was said."""
    talk = Talk().open()
    for side, text in said:
        (talk.client if side == "client" else talk.server)(text)
    path.write_bytes(talk.tape.file())
    return path


def followed(path: Path, tmp_path: Path, **options: object) -> bytes:
    out = tmp_path / "followed"
    wanted = FollowOptions(str(path), is_raw=True, output=str(out), **options)  # type: ignore[arg-type]
    follow(wanted)
    return out.read_bytes()


def tshark_follows(
    path: Path, connection: int, layer: str = "tcp", *more: str
) -> tuple[bytes, bytes]:
    """Return what tshark follows: the bytes of its node 0 and of its node 1."""
    command = ["tshark", "-n", "-r", str(path), "-q", "-z", f"follow,{layer},raw,{connection}"]
    command += ["-o", "tcp.reassemble_out_of_order:TRUE", *more]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    sides = bytearray(), bytearray()
    for line in shown.splitlines():
        if line.strip() and all(char in "0123456789abcdef" for char in line.strip()):
            sides[line.startswith("\t")].extend(bytes.fromhex(line.strip()))
    return bytes(sides[0]), bytes(sides[1])


@pytest.mark.tshark
@pytest.mark.slow
@pytest.mark.parametrize("path", SMALL, ids=name)
def test_tshark_follows_the_same_bytes(path: Path, tmp_path: Path) -> None:
    records = list(decode(path))
    gaps = {record.connection for record in records if isinstance(record, GapRecord)}
    connections = [record for record in records if isinstance(record, ConnectionRecord)]
    compared = 0
    for record in connections[:4]:
        number = record.connection
        if number in gaps or record.midstream:
            continue
        ours = [followed(path, tmp_path, connection=number, sender=one) for one in SENDERS]
        assert sorted(ours) == sorted(tshark_follows(path, number))
        assert [len(side) for side in ours] == [record.client_bytes, record.server_bytes]
        compared += 1
    assert compared or not connections or gaps or connections[0].midstream


@pytest.mark.tshark
@pytest.mark.slow
@pytest.mark.parametrize("one", ENCRYPTED, ids=[one.name for one in ENCRYPTED])
def test_tshark_decrypts_the_same_bytes(one: Stored, tmp_path: Path) -> None:
    options: dict[str, object] = {"layer": "tls", "keylog": KeyLog.open(one.keys)}
    ours = [followed(one.path, tmp_path, connection=0, sender=side, **options) for side in SENDERS]
    theirs = tshark_follows(one.path, 0, "tls", "-o", f"tls.keylog_file:{one.keys}")
    assert sorted(ours) == sorted(theirs)
    assert all(ours)


def test_one_exchange_of_tls(capsys: pytest.CaptureFixture[str]) -> None:
    one = ENCRYPTED[0]
    words = ["follow", str(one.path), "--exchange", "0/0", "--keylog", str(one.keys)]
    assert run([*words, "--layer", "tls"]) == 0
    assert capsys.readouterr().out.splitlines()[1] == "GET /sse HTTP/1.1\\r"
    assert run(words) == 2
    assert "exchange 0 lies in tls: --layer tls" in capsys.readouterr().err
    assert run(["follow", str(one.path), "--connection", "0", "--layer", "tls"]) == 2
    assert "no TLS that can be decrypted" in capsys.readouterr().err


@pytest.mark.parametrize("path", SMALL, ids=name)
def test_both_sides_together_are_each_side(path: Path, tmp_path: Path) -> None:
    sides = [followed(path, tmp_path, connection=0, sender=one) for one in SENDERS]
    both = followed(path, tmp_path, connection=0)
    assert sorted(both) == sorted(b"".join(sides))


@pytest.mark.parametrize("scenario", ["plain", "gzip", "burst", "unicode"])
def test_the_content_of_a_body(scenario: str, tmp_path: Path) -> None:
    path = ROOT / f"fixtures/sse/{scenario}.pcapng"
    content = followed(path, tmp_path, connection=0, exchange=0, layer="body", sender="server")
    body = next(
        record
        for record in decode(path)
        if isinstance(record, BodyRecord) and record.sender == "server"
    )
    assert len(content) == body.decoded_size
    assert sha256(content).hexdigest() == body.sha256


def test_one_exchange_of_several(tmp_path: Path) -> None:
    request = b"GET /%d HTTP/1.1\r\nHost: x\r\n\r\n"
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nno%d"
    said = [
        turn
        for number in (0, 1)
        for turn in (("client", request % number), ("server", answer % number))
    ]
    path = talked(tmp_path / "two.pcapng", *said)
    for number in (0, 1):
        assert followed(path, tmp_path, connection=0, exchange=number) == (
            request % number + answer % number
        )
        assert followed(path, tmp_path, connection=0, exchange=number, layer="body") == (
            b"no%d" % number
        )


def test_as_text(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["follow", str(PLAIN), "--connection", "0"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "client  packet 4  +0.000000 s  180 bytes"
    assert lines[1] == "GET /sse HTTP/1.1\\r"
    assert "server  packet 8  +0.021517 s  59 bytes" in lines
    assert lines.count("") == 1, "a line between turns"


def test_nothing_raw_goes_to_a_terminal() -> None:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "wireproof", "follow", str(PLAIN), "--connection", "0"]
    ended = subprocess.run([*command, "--raw"], stdout=theirs, stderr=subprocess.PIPE)
    os.close(theirs)
    os.close(ours)
    assert ended.returncode == 2
    assert b"raw bytes are not for a terminal" in ended.stderr


def test_what_would_obey_is_escaped(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = talked(tmp_path / "a.pcapng", ("client", b"\x1b]0;owned\x07\r\n\xff\x00 \xe2\x80\xae"))
    assert run(["follow", str(path), "--connection", "0"]) == 0
    out = capsys.readouterr().out
    assert out.splitlines()[1:] == ["\\x1b]0;owned\\x07\\r", "\\xff\\x00 \\u202e"]


def test_a_character_that_two_packets_share(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "é€😀".encode() + b"\xf0\x9f"
    path = talked(tmp_path / "a.pcapng", *(("client", bytes([byte])) for byte in text))
    run(["follow", str(path), "--connection", "0"])
    out = [line for line in capsys.readouterr().out.splitlines() if "packet" not in line]
    assert out == ["é", "€", "😀", "client, at the end: \\xf0\\x9f"]


def test_what_is_missing_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    talk = Talk().open()
    talk.client(b"one")
    talk.lose("client", 4)
    talk.client(b"two")
    talk.server(b"")
    talk.close()
    path = tmp_path / "a.pcapng"
    path.write_bytes(talk.tape.file())
    assert run(["follow", str(path), "--connection", "0"]) == 1
    shown = capsys.readouterr()
    assert any(line.endswith("4 bytes missing") for line in shown.out.splitlines())
    assert shown.err.endswith("4 bytes are missing\n")
    assert followed(path, tmp_path, connection=0) == b"onetwo"


def test_what_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(NothingToFollow, match="there is no connection 7"):
        followed(PLAIN, tmp_path, connection=7)
    with pytest.raises(NothingToFollow, match="connection 0 has no exchange 5"):
        followed(PLAIN, tmp_path, connection=0, exchange=5)
    assert run(["follow", str(PLAIN)]) == 2
    assert "--connection N or --exchange C/E" in capsys.readouterr().err


def test_of_a_pipe(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "wireproof", "follow", "-", "--exchange", "0/0", "--raw"]
    with subprocess.Popen(["cat", str(PLAIN)], stdout=subprocess.PIPE) as cat:
        said = subprocess.run(command, stdin=cat.stdout, capture_output=True, check=True)
    assert said.stdout == followed(PLAIN, tmp_path, connection=0, exchange=0)


def test_an_exchange_of_http2_has_frames_of_others_between(tmp_path: Path) -> None:
    head = b"\0\0\x04\x01\x04\0\0\0\x01\x82\x84\x86\x81"
    hello = b"\0\0\0\x04\0\0\0\0\0"
    path = talked(
        tmp_path / "a.pcapng",
        ("client", PREFACE + hello + head),
        ("server", hello + b"\0\0\x01\x01\x04\0\0\0\x01\x88" + data(1, b"it", ends=True)),
    )
    assert followed(path, tmp_path, connection=0, exchange=0, layer="body") == b"it"
    with pytest.raises(NothingToFollow, match="frames of other streams"):
        followed(path, tmp_path, connection=0, exchange=0)
