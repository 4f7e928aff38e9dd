"""Decryption by the command line, in tests of users, and from files with secrets in them."""

from __future__ import annotations

import json
from importlib import metadata
from io import BytesIO
from pathlib import Path
from struct import pack

import pytest
from support.talk import Side
from support.tls_live import dialogue

from parsers.decode.capture import decode
from parsers.records import SseEventRecord, TlsConnectionRecord
from wireproof.cli import run
from wireproof.testing import Capture, Wire

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
LINES: list[tuple[Side, bytes]] = [
    ("client", b"GET /sse HTTP/1.1\r\nHost: api.example.test\r\n\r\n"),
    ("server", HEAD),
    *[("server", b"9\r\ndata: %d\n\n\r\n" % number) for number in range(3)],
    ("server", b"0\r\n\r\n"),
]
SAID = dialogue(LINES)


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    path = tmp_path / "tls.pcapng"
    path.write_bytes(SAID.talk().tape.file())
    return path


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    path = tmp_path / "sslkeys.log"
    path.write_bytes(SAID.keys)
    return path


def events(capsys: pytest.CaptureFixture[str], *arguments: object) -> list[str]:
    assert run(["decode", "--format", "ndjson", *map(str, arguments)]) == 0
    rows = map(json.loads, capsys.readouterr().out.splitlines())
    return [row["data"] for row in rows if row["record"] == "sse_event"]


def test_with_a_key_log(capture: Path, keys: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert events(capsys, capture) == []
    assert events(capsys, capture, "--keylog", keys) == ["0", "1", "2"]


def test_any_number_of_jobs_writes_the_same(capture: Path, keys: Path, tmp_path: Path) -> None:
    written = []
    for jobs in ("1", "2"):
        output = tmp_path / f"{jobs}.ndjson"
        options = ["--records", "--jobs", jobs, "--keylog", str(keys), "-o", str(output)]
        assert run(["decode", str(capture), *options]) == 0
        written.append(output.read_bytes())
    assert written[0] == written[1]
    assert b'"sse_event"' in written[0]


def test_what_the_environment_names(
    capture: Path,
    keys: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("SSLKEYLOGFILE", str(keys))
    assert events(capsys, capture) == ["0", "1", "2"]
    monkeypatch.setenv("SSLKEYLOGFILE", str(keys.with_name("none")))
    assert events(capsys, capture) == []


@pytest.mark.parametrize(
    ("command", "found"),
    [
        (["ls"], "/sse"),
        (["explain"], "3 events"),
        (["latency"], "/sse"),
        (["decode", "--view", "wireshark"], "GET /sse"),
        (["decode", "--grep", "data: 2"], "/sse"),
    ],
)
def test_other_commands(
    command: list[str], found: str, capture: Path, keys: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*command, str(capture), "--keylog", str(keys)]) in (0, 1)
    shown = capsys.readouterr().out
    assert found in shown
    assert all(line.split()[2] not in shown for line in SAID.keys.decode().splitlines()[1:])


def test_a_key_log_that_is_not_there(
    capture: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = tmp_path / "none"
    assert run(["decode", str(capture), "--keylog", str(missing)]) == 2
    assert capsys.readouterr().err == f"wireproof: {missing}: No such file or directory\n"


def test_without_the_library(
    capture: Path,
    keys: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(metadata, "requires", lambda _: ["other>=1; extra == 'tls'"])
    assert run(["ls", str(capture), "--keylog", str(keys)]) == 3
    said = "wireproof: --keylog needs other: pip install 'wireproof[tls]'\n"
    assert capsys.readouterr().err == said


# --- secrets in the file ---


def block(secrets: bytes, kind: int = 0x544C534B) -> bytes:
    """A Decryption Secrets Block."""
    body = pack("<II", kind, len(secrets)) + secrets + bytes(-len(secrets) % 4)
    length = pack("<I", len(body) + 12)
    return pack("<I", 10) + length + body + length


def blocks_of(file: bytes) -> list[bytes]:
    found, at = [], 0
    while at < len(file):
        size = int.from_bytes(file[at + 4 : at + 8], "little")
        found.append(file[at : at + size])
        at += size
    return found


@pytest.mark.parametrize("place", [2, 5, 9, 100])
def test_a_block_anywhere(place: int) -> None:
    blocks = blocks_of(SAID.talk().tape.file())
    file = b"".join(blocks[:place]) + block(SAID.keys) + b"".join(blocks[place:])
    records = list(decode(BytesIO(file)))
    assert [one.data for one in records if isinstance(one, SseEventRecord)] == ["0", "1", "2"]
    (found,) = [one for one in records if isinstance(one, TlsConnectionRecord)]
    assert found.decrypted == "yes"


def test_a_block_of_another_kind_opens_nothing() -> None:
    blocks = blocks_of(SAID.talk().tape.file())
    file = b"".join(blocks[:2]) + block(SAID.keys, kind=0x57474B4C) + b"".join(blocks[2:])
    assert not [one for one in decode(BytesIO(file)) if isinstance(one, SseEventRecord)]


def test_several_blocks_add_up() -> None:
    blocks = blocks_of(SAID.talk().tape.file())
    lines = SAID.keys.splitlines(keepends=True)
    file = b"".join(blocks[:2]) + b"".join(map(block, lines)) + b"".join(blocks[2:])
    assert len([one for one in decode(BytesIO(file)) if isinstance(one, SseEventRecord)]) == 3


class Piped:
    """What can be read once, a little at a time."""

    def __init__(self, data: bytes) -> None:
        self._stream = BytesIO(data)

    def read(self, size: int, /) -> bytes:
        return self._stream.read(min(size, 100))


def test_a_block_amid_the_packets_of_a_pipe() -> None:
    from parsers import decode_batches

    blocks = blocks_of(SAID.talk().tape.file())
    for place in (2, 8, 12):
        file = b"".join(blocks[:place]) + block(SAID.keys) + b"".join(blocks[place:])
        batches = decode_batches(Piped(file), is_live=True, batch=1)
        found = [one for batch in batches for one in batch if isinstance(one, SseEventRecord)]
        assert [one.data for one in found] == ["0", "1", "2"]


# --- tests of users ---


@pytest.mark.parametrize("keylog", [None, "others.log"])
def test_replay(keylog: str | None, capture: Path, keys: Path) -> None:
    folder = capture.parent
    keys.rename(folder / (keylog or "tls.keys"))
    test_file = folder / "test_x.py"
    wire = Wire(
        folder, test_file, "test_x.py::test_y", lambda: pytest.fail("recorded"), update=False
    )
    found: Capture = wire.replay("tls.pcapng", keylog=keylog)
    assert [event.data for event in found.exchange("/sse").events] == ["0", "1", "2"]
    with pytest.raises(FileNotFoundError, match="no key log none.keys"):
        wire.replay("tls.pcapng", keylog="none.keys")
