"""TLS from a capture file to every view of it, by the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.talk import Talk
from support.tls import TLS13

from wireproof.cli import run

FACTS = "TLS 1.3, api.example.test, h2 or http/1.1 offered, TLS_AES_256_GCM_SHA384"
AMOUNTS = "5 records from the client, 7 from the server"
ENDS = "most likely close_notify from the client; most likely close_notify from the server"


@pytest.fixture
def capture(tmp_path: Path) -> str:
    talk = Talk().open()
    for sender, data in TLS13:
        talk.segment(sender, data)
    talk.close()
    path = tmp_path / "tls.pcapng"
    path.write_bytes(talk.tape.file())
    return str(path)


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert run(["decode", *arguments]) == 0
    return capsys.readouterr().out


def test_the_table(capture: str, capsys: pytest.CaptureFixture[str]) -> None:
    shown = " ".join(printed(capsys, "--format", "table", capture).split())
    assert f"{FACTS}; {AMOUNTS}; {ENDS} (not decrypted: no keys)" in shown
    assert "Packet" not in shown, "rows are shown where they are asked for"


def test_the_table_of_records(capture: str, capsys: pytest.CaptureFixture[str]) -> None:
    lines = printed(capsys, "--format", "table", "--records", capture).splitlines()
    rows = [line.split() for line in lines if "  TLS " in line]
    assert [row[0] for row in rows] == ["4", "5", "5", "5", "5", "6", "6", "7", "8", "8", "9", "10"]
    assert rows[1][1:] == ["←", "1.0", "ms", "1.0", "ms", "82", "TLS", "handshake"]
    assert rows[3][1:] == ["←", "1.0", "ms", "0", "µs", "40", "TLS", "application", "data"]


def test_the_packet_list(capture: str, capsys: pytest.CaptureFixture[str]) -> None:
    lines = printed(capsys, "--view", "wireshark", "--records", capture).splitlines()
    (row,) = [line for line in lines if line.split()[:1] == ["7"]]
    assert " TLS 179 ▸ TLS record, application_data, 120 bytes" in row
    assert any(f"▸ {FACTS} ▸ connection 0 closed" in line for line in lines)
    (fin,) = [line for line in lines if line.split()[:1] == ["11"]]
    assert " TCP " in fin


def test_devtools(capture: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert f"{FACTS}; {AMOUNTS}\nConnection 0: " in printed(capsys, "--view", "devtools", capture)


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_records_of_any_number_of_jobs(
    jobs: str, capture: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    output = tmp_path / "found.ndjson"
    assert run(["decode", "--records", "--jobs", jobs, capture, "-o", str(output)]) == 0
    kinds = [json.loads(line)["record"] for line in output.read_text().splitlines()]
    assert kinds == ["tls_record"] * 12 + ["tls", "connection"]


@pytest.mark.parametrize("form", ["csv", "json"])
def test_the_other_formats(form: str, capture: str, capsys: pytest.CaptureFixture[str]) -> None:
    shown = printed(capsys, "--format", form, "--records", capture)
    assert shown.count("tls_record") == 12
    assert "TLS_AES_256_GCM_SHA384" in shown


@pytest.mark.parametrize("command", [["explain"], ["ls"], ["annotate"], ["redact"], ["report"]])
def test_other_commands_take_it(command: list[str], capture: str, tmp_path: Path) -> None:
    output = [] if command[0] in ("explain", "ls") else ["-o", str(tmp_path / "out")]
    assert run([*command, capture, *output]) == 0
