"""Connections that hold nothing to read are told of."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.attack import request, response
from support.corpus import ROOT
from support.talk import Talk
from support.tls_live import dialogue

from wireproof.cli import run

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
