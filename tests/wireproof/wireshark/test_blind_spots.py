"""What tshark does not show, though it has the same packets and the same keys: and we do."""

from __future__ import annotations

import subprocess
from io import BytesIO
from pathlib import Path

import pytest
from support.capture_files import Blocks
from support.http1 import of
from support.http2 import EVENTS, GET, OK, SETTINGS, SETTINGS_ACK, Http2Talk, Speaker, data
from support.talk import Side, Tape
from support.tls_live import Dialogue, dialogue
from support.websocket_frames import frame

from parsers import KeyLog
from parsers.decode.capture import decode
from parsers.http2.elements import PREFACE
from parsers.records import BodyRecord, Record, SseEventRecord, WebSocketMessageRecord

pytestmark = pytest.mark.tshark
PORT = "tcp.port==8000"
TLS_KEY_LOG = 0x544C534B
"""What a Decryption Secrets Block holds (draft-ietf-opsawg-pcapng section 4.7)."""
WORDS = [f"word {number}" for number in range(6)]


def tshark(path: Path, protocol: str, *arguments: str, keys: Path | None = None) -> list[str]:
    """Return what tshark prints, once it is told what is spoken on the port."""
    command = ["tshark", "-n", "-r", str(path), "-d", f"{PORT},{protocol}"]
    command += [] if keys is None else ["-o", f"tls.keylog_file:{keys}"]
    shown = subprocess.run([*command, *arguments], capture_output=True, text=True, check=True)
    return shown.stdout.splitlines()


def data_frames(path: Path, keys: Path | None = None) -> int:
    shown = tshark(
        path, "tls", "-Y", "http2.type==0", "-T", "fields", "-e", "http2.streamid", keys=keys
    )
    return len(shown)


def read(path: Path, keys: bytes | None = None) -> list[Record]:
    log = KeyLog()
    log.read(keys or b"")
    return list(decode(BytesIO(path.read_bytes()), keylog=None if keys is None else log))


def events(records: list[Record]) -> list[str]:
    return [one.data for one in of(SseEventRecord, records)]


@pytest.fixture(scope="module")
def said() -> Dialogue:
    """Six events in a stream of HTTP/2 over TLS: a record, a packet each."""
    client, server = Speaker(), Speaker()
    lines: list[tuple[Side, bytes]] = [
        ("client", PREFACE + SETTINGS),
        ("server", SETTINGS + SETTINGS_ACK),
        ("client", SETTINGS_ACK + client.head(1, GET, ends=True)),
        ("server", server.head(1, EVENTS)),
        *[("server", data(1, b"data: %b\n\n" % word.encode())) for word in WORDS],
        ("server", data(1, b"", ends=True)),
    ]
    return dialogue(lines, alpn=("h2",))


def stored(folder: Path, said: Dialogue, left_out: slice = slice(0)) -> tuple[Path, Path]:
    """Write a capture without some of its packets, and the keys of it."""
    tape = Tape()
    tape.packets = said.talk().tape.packets
    del tape.packets[left_out]
    capture, keys = folder / "said.pcapng", folder / "said.keys"
    capture.write_bytes(tape.file())
    keys.write_bytes(said.keys)
    return capture, keys


def test_it_shows_what_is_whole(said: Dialogue, tmp_path: Path) -> None:
    capture, keys = stored(tmp_path, said)
    assert data_frames(capture, keys) == len(WORDS) + 1
    assert events(read(capture, said.keys)) == WORDS


def test_one_lost_packet(said: Dialogue, tmp_path: Path) -> None:
    """All that comes after it is lost to tshark; to us, what it held."""
    capture, keys = stored(tmp_path, said, slice(-11, -10))
    assert events(read(capture, said.keys)) == WORDS[:1] + WORDS[2:]
    assert data_frames(capture, keys) == 1


def test_the_middle_of_a_connection(said: Dialogue, tmp_path: Path) -> None:
    capture, keys = stored(tmp_path, said, slice(0, -10))
    assert events(read(capture, said.keys)) == WORDS[2:]
    assert data_frames(capture, keys) == 0


def test_keys_that_come_after_what_they_open(said: Dialogue, tmp_path: Path) -> None:
    capture, _ = stored(tmp_path, said)
    capture.write_bytes(capture.read_bytes() + Blocks().secrets(TLS_KEY_LOG, said.keys))
    assert events(read(capture)) == WORDS
    assert data_frames(capture) == 0


def test_a_websocket_in_a_stream(tmp_path: Path) -> None:
    talk = Http2Talk().begin()
    asked = [(":method", "CONNECT"), (":protocol", "websocket"), *GET[1:]]
    talk.say("client", talk.client.head(1, [*asked, ("sec-websocket-version", "13")]))
    talk.say("server", talk.server.head(1, OK), *[data(1, frame(1, one.encode())) for one in WORDS])
    path = tmp_path / "websocket.pcapng"
    path.write_bytes(talk.talk.tape.file())
    assert [one.data for one in of(WebSocketMessageRecord, read(path))] == WORDS
    assert len(tshark(path, "http2", "-Y", "http2.type==0")) == len(WORDS)
    assert tshark(path, "http2", "-Y", "websocket") == []


def test_an_event_in_two_frames_of_a_stream_that_goes_on(tmp_path: Path) -> None:
    """tshark shows the bytes of each frame, and no event."""
    talk = Http2Talk().begin()
    talk.say("client", talk.client.head(1, GET, ends=True))
    talk.say("server", talk.server.head(1, EVENTS), data(1, b"data: the whole "))
    last = talk.say("server", data(1, b"of an event\n\n"))
    path = tmp_path / "events.pcapng"
    path.write_bytes(talk.talk.tape.file())
    (found,) = of(SseEventRecord, read(path))
    assert (found.data, found.last_packet) == ("the whole of an event", last)
    assert len(tshark(path, "http2", "-Y", "http2.type==0")) == 2
    assert not [line for line in tshark(path, "http2", "-V") if "the whole of an event" in line]


def test_a_silent_end(tmp_path: Path) -> None:
    """A body that ends with the connection may have been cut if no close_notify came."""
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
    lines: list[tuple[Side, bytes]] = [
        ("client", b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"), ("server", head + b"data: 1\n\n"),
    ]  # fmt: skip
    said = dialogue(lines, ends=())
    capture, keys = stored(tmp_path, said)
    (body,) = of(BodyRecord, read(capture, said.keys))
    assert (body.complete, body.ended_by) == (False, "close-notify-missing")
    assert len(tshark(capture, "tls", "-Y", "http.request", keys=keys)) == 1
    warnings = "_ws.expert.severity >= 6291456"  # "warning" and worse
    assert tshark(capture, "tls", "-Y", warnings, keys=keys) == []
