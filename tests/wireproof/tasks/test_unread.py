"""Connections that hold nothing to read are told of."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from support.attack import request, response
from support.corpus import ROOT
from support.handmade import Wire
from support.talk import Talk
from support.tls_live import dialogue

from wireproof.cli import run
from wireproof.tasks.unread import CaptureFaults

FIELD = ROOT / "fixtures" / "field"


@pytest.mark.parametrize("command", ["explain", "ls", "hops", "latency"])
@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("tls-to-tls", "1 TLS connection not decrypted"),
        ("refused-again", "3 connections refused"),
        ("nobody-answers", "1 connection not answered"),
        ("words-without-tls", "1 connection of another protocol"),
        ("socks5-that-refuses", "connection 0: the SOCKS proxy refused the connection"),
        ("filtered", "connection 0: ICMP: a packet of this connection could not be delivered"),
        ("half-closed", ""),
    ],
)
def test_what_cannot_be_read_is_said(
    command: str, name: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = FIELD / f"{name}.pcap"
    run([command, str(path)])
    found = [line for line in capsys.readouterr().err.splitlines() if " connection" in line]
    assert [line.startswith(f"wireproof: {path}: {said}") for line in found] == [True] * bool(said)


def test_what_was_decrypted_and_asked_for_nothing_is_not_said_to_be_hidden(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = dialogue([])
    capture, keys = tmp_path / "tls.pcapng", tmp_path / "tls.keys"
    capture.write_bytes(said.talk().tape.file())
    keys.write_bytes(said.keys)
    run(["ls", str(capture), "--keylog", str(keys)])
    assert "not decrypted" not in capsys.readouterr().err
    run(["ls", str(capture)])
    assert "1 TLS connection not decrypted" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["explain", "ls"])
def test_what_a_connection_lacks_is_said(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    talk = Talk().midstream()
    talk.client(request("/"))
    talk.lose("server", 300)
    talk.server(response("200 OK", "Content-Length: 2") + b"ok")
    talk.lose("client", 1)
    talk.fin("server")
    path = tmp_path / "lacking.pcapng"
    path.write_bytes(talk.tape.file())
    run([command, str(path)])
    said = capsys.readouterr().err
    assert "connection 0: " in said
    assert "at least 300 bytes of the server's" in said
    assert "who closed the connection first is unknown" in said


@pytest.mark.parametrize(
    "command",
    [
        ["explain"],
        ["ls"],
        ["ls", "--jobs", "2"],
        ["hops"],
        ["latency"],
        ["export", "--format", "har"],
        ["export", "--format", "csv"],
        ["follow", "--connection", "0"],
        ["follow", "--connection", "0", "--layer", "body"],
        ["plot", "-o", "PLOT"],
        pytest.param(["compare"], marks=pytest.mark.tshark),
    ],
    ids=" ".join,
)
def test_a_file_that_is_cut_is_said(
    command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = (ROOT / "fixtures" / "sse" / "plain.pcapng").read_bytes()
    path = tmp_path / "cut.pcapng"
    path.write_bytes(whole[:3001])
    command = [str(tmp_path / "plot.png") if word == "PLOT" else word for word in command]
    is_one_leg = command == ["hops"]
    assert run([*command, str(path)]) == is_one_leg
    said = capsys.readouterr().err
    assert said.count(f"wireproof: {path}: the capture file ends inside a record: ") == 1
    path.write_bytes(whole)
    assert run([*command, str(path)]) == is_one_leg
    assert "inside a record" not in capsys.readouterr().err


def test_of_many_faults_the_first_of_a_kind_is_said() -> None:
    faults = CaptureFaults()
    for summary in ("one", "two", "three"):
        fault = Wire().fault(code="capture-damaged", summary=summary, severity="warning")
        fault = msgspec.structs.replace(fault, connection=None)
        faults.note([fault])
    faults.note([msgspec.structs.replace(fault, severity="note"), Wire().body()])
    assert list(faults.sentences()) == ["one; 2 more like it"]


def test_who_records_beginnings_of_packets_is_told_to_record_whole_ones() -> None:
    faults = CaptureFaults()
    fault = Wire().fault(code="packet-cut", summary="packet 4 is the first", severity="note")
    faults.note([fault, msgspec.structs.replace(fault, connection=None)])
    [said] = faults.sentences()
    assert said == "packet 4 is the first; record whole packets (tcpdump -s 0)"
