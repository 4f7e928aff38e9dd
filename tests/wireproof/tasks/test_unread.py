"""Connections that hold nothing to read are told of."""

from __future__ import annotations

import pytest
from support.corpus import ROOT

from wireproof.cli import run

FIELD = ROOT / "fixtures" / "field"


@pytest.mark.parametrize("command", ["explain", "ls", "hops", "latency"])
@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("tls-to-tls", "1 TLS connection not decrypted"),
        ("refused-again", "3 connections refused"),
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
