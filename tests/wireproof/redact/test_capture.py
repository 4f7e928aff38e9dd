"""``wireproof redact``: the copy of a capture that can be sent to someone."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import BinaryIO

import pytest
from support.capture_files import Blocks, codes, option, pcap_header, read_all, record
from support.corpus import ROOT
from support.http2 import GET, OK, Http2Talk
from support.planted import planted
from support.recut import file_of
from support.stored import SMALL, name
from support.summed import all_with_checksums
from support.talk import Talk, Tape, decoded

from parsers.records import Record
from wireproof.cli import run
from wireproof.redact.capture import find_in_frames, redact_capture
from wireproof.redact.frames import FrameMasks
from wireproof.redact.rules import Rules
from wireproof.redact.secrets import Policy

NG = Blocks()
TAPE, SECRETS = planted()


def redacted(tmp_path: Path, data: bytes, policy="all") -> bytes:
    source, output = tmp_path / "in.pcapng", tmp_path / "out.pcapng"
    source.write_bytes(data)
    redact_capture(str(source), str(output), policy, lambda _: None)
    return output.read_bytes()


def test_no_secret_is_left_in_the_file(tmp_path: Path) -> None:
    before, _ = read_all(TAPE.file())
    data = redacted(tmp_path, TAPE.file())
    after, reader = read_all(data)
    assert SECRETS.found_in(data) == []
    assert codes(reader) == []
    assert [(*packet[:4], len(packet[4])) for packet in after] == [
        (*packet[:4], len(packet[4])) for packet in before
    ]


@pytest.mark.parametrize("most", [96, 160, 300])
@pytest.mark.parametrize("policy", ["all", "structure"])
@pytest.mark.parametrize(
    "path", ["verdicts/hp09-caddy", "proxies/caddy-five-at-once", "links/nagle-filled"]
)
def test_packets_that_were_cut_stay_as_long_as_they_are(
    path: str, policy: Policy, most: int, tmp_path: Path
) -> None:
    """A mask may reach into what the capture cut off of a packet."""
    whole, _ = read_all((ROOT / f"fixtures/{path}.pcap").read_bytes())
    cut = [(*packet[:4], packet[4][:most]) for packet in whole]
    after, reader = read_all(redacted(tmp_path, file_of(cut), policy))
    assert codes(reader) == []
    assert [(*packet[:4], len(packet[4])) for packet in after] == [
        (*packet[:4], len(packet[4])) for packet in cut
    ]


@pytest.mark.parametrize("path", SMALL, ids=name)
def test_captures_without_secrets_stay_as_they_are(path: Path, tmp_path: Path) -> None:
    before, reader = read_all(path.read_bytes())
    after, again = read_all(redacted(tmp_path, path.read_bytes()))
    assert after == before
    assert again.interfaces == reader.interfaces and not again.faults


def test_what_the_file_says_of_itself(tmp_path: Path) -> None:
    comment = option(1, b"sent api_key=abcdefgh") + option(0, b"")
    data = NG.section(comment) + NG.interface() + NG.secrets(0x544C534B, b"CLIENT_RANDOM ab cd")
    data += NG.enhanced(1, bytes(60), options=comment)
    found = redacted(tmp_path, data)
    assert b"abcdefgh" not in found and b"CLIENT_RANDOM" not in found
    packets, reader = read_all(found)
    assert reader.comments == [(None, "sent api_key=********"), (1, "sent api_key=********")]
    assert (len(packets), reader.secrets, reader.faults) == (1, [], [])


def test_pcap_becomes_pcapng(tmp_path: Path) -> None:
    data = pcap_header() + b"".join(record(1, 2, packet[4]) for packet in TAPE.packets)
    found = redacted(tmp_path, data)
    assert SECRETS.found_in(found) == []
    packets, reader = read_all(found)
    assert reader.format == "pcapng" and len(packets) == len(TAPE.packets)


@pytest.mark.tshark
def test_tshark_finds_the_same_packets_and_no_wrong_checksum(tmp_path: Path) -> None:
    tape = Tape()
    tape.packets = all_with_checksums(TAPE.packets)
    redacted(tmp_path, tape.file())
    path = tmp_path / "out.pcapng"
    bad = [
        "-o",
        "tcp.check_checksum:TRUE",
        "-Y",
        'tcp.checksum.status == 0 and frame contains "**"',
    ]
    command = ["tshark", "-r", str(path), *bad, "-T", "fields", "-e", "frame.number"]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert shown == ""
    found = subprocess.run(
        ["tshark", "-r", str(path), "-x"], capture_output=True, text=True, check=True
    ).stdout
    assert SECRETS.found_in(found) == []


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, output = tmp_path / "in.pcapng", tmp_path / "out.pcapng"
    source.write_bytes(TAPE.file())
    assert run(["redact", str(source), "-o", str(output)]) == 0
    said = capsys.readouterr().err
    assert "packets changed" in said and "secrets masked; 13 payloads left out whole" in said
    assert run(["redact", str(source), "--headers-only", "-o", str(output)]) == 0
    assert "17 secrets masked" in capsys.readouterr().err


@pytest.mark.parametrize("file", ["-", "missing.pcapng", "nothing.pcapng", "in.pcapng"])
def test_what_cannot_be_done(
    file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in.pcapng").write_bytes(TAPE.file())
    (tmp_path / "nothing.pcapng").write_bytes(b"nothing")
    output = file if file == "in.pcapng" else "out.pcapng"
    assert run(["redact", file, "-o", output]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert not (tmp_path / "out.pcapng").exists()


@pytest.mark.parametrize(("command", "output"), [("redact", "a.pcapng"), ("report", "a.html")])
def test_the_secrets_of_http2_are_masked(
    command: str, output: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "h2.pcap"
    talk = Http2Talk().begin()
    talk.say(
        "client", talk.client.head(1, [*GET, ("authorization", "Bearer secret1234")], ends=True)
    )
    talk.say("server", talk.server.head(1, OK, ends=True))
    talk.talk.close()
    source.write_bytes(talk.talk.tape.file())
    assert run([command, str(source), "-o", str(tmp_path / output)]) == 0
    assert "1 secret masked" in capsys.readouterr().err


def test_what_is_appended_while_it_is_read_is_not_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was not searched: a capture is redacted as it was when it was opened."""
    source, output = tmp_path / "in.pcap", tmp_path / "out.pcapng"
    packets = [record(1, 2, packet[4]) for packet in TAPE.packets]
    source.write_bytes(pcap_header() + b"".join(packets[:2]))

    def find_and_append(file: BinaryIO, policy: Policy | Rules) -> FrameMasks:
        masks = find_in_frames(file, policy)
        with source.open("ab") as stream:
            stream.write(b"".join(packets[2:]))
        return masks

    monkeypatch.setattr("wireproof.redact.capture.find_in_frames", find_and_append)
    redact_capture(str(source), str(output), "all", lambda _: None)
    after, _ = read_all(output.read_bytes())
    assert len(after) == 2 < len(packets)
    assert SECRETS.found_in(output.read_bytes()) == []


@pytest.mark.parametrize(
    "word", ["HTTP/1.1 200", "Transfer-Encoding", "content-length", "text/event-stream"]
)
def test_what_messages_are_made_of_is_no_secret_elsewhere(word: str, tmp_path: Path) -> None:
    talk = Talk(Tape()).open()
    for _ in range(2):
        talk.client(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        body = b'{"api_key":"%s"}' % word.encode()
        head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
        talk.server(head + b"Transfer-Encoding: chunked\r\nX-Content-Length: 3\r\n\r\n")
        talk.server(b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body))
    talk.close()
    before, _ = read_all(talk.tape.file())
    after, _ = read_all(redacted(tmp_path, talk.tape.file()))
    assert [kind(one) for one in decoded(after)] == [kind(one) for one in decoded(before)]
    assert b'{"api_key":"%s"}' % word.encode() not in b"".join(packet[4] for packet in after)


def kind(one: Record) -> tuple[str, object]:
    return type(one).__name__, getattr(one, "status", None)
