"""From a capture to a report: what is masked is nowhere in it."""

from __future__ import annotations

import json
import os
import signal
import stat
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.corpus import ROOT
from support.planted import Secrets, planted
from support.reports import answers
from support.talk import Talk, Tape
from support.tls_live import dialogue

from parsers import KeyLog
from wireproof.cli import run
from wireproof.redact import Policy
from wireproof.web import bundles, reporting
from wireproof.web.reporting import Reported, report_capture

FIXTURE = str(ROOT / "fixtures/sse/plain.pcapng")


def report(source: str, output: Path, policy: Policy = "headers") -> Reported:
    said: list[str] = []
    done = report_capture(source, str(output), policy, said.append)
    assert said == []
    return done


def shown(path: Path) -> tuple[str, bytes]:
    """All that a report holds: its answers as text, and the bytes of its packets in one piece."""
    found = answers(path.read_text())
    frames = [answer for where, answer in found.items() if where.startswith("packet/")]
    return json.dumps(found), b"".join(b64decode(frame["data"]) for frame in frames)


@pytest.fixture
def secret(tmp_path: Path) -> tuple[str, Secrets]:
    tape, secrets = planted()
    path = tmp_path / "secret.pcapng"
    path.write_bytes(tape.file())
    return str(path), secrets


def test_redacted_no_secret_is_in_any_answer_or_any_byte(
    secret: tuple[str, Secrets], tmp_path: Path
) -> None:
    source, secrets = secret
    output = tmp_path / "report.html"
    done = report(source, output, "all")
    assert done.report.masked > 20
    text, data = shown(output)
    assert secrets.found_in(text) == []
    assert secrets.found_in(data) == []


def test_secret_headers_are_masked_unless_one_asks_to_keep_them(
    secret: tuple[str, Secrets], tmp_path: Path
) -> None:
    source, secrets = secret
    masked, kept = tmp_path / "masked.html", tmp_path / "kept.html"
    report(source, masked)
    report(source, kept, "none")
    text, _ = shown(masked)
    everything, _ = shown(kept)
    assert len(secrets.found_in(text)) < len(secrets.found_in(everything))
    assert '"authorization"' in text.lower() and "Bearer ***" in text
    assert '"policy": "headers"' in text and '"policy": "none"' in everything


def test_a_connection_without_an_exchange_counts_as_none(tmp_path: Path) -> None:
    tape = Tape()
    Talk(tape).open().close()
    whole = tape.file()
    path = tmp_path / "cut.pcapng"
    path.write_bytes(whole[:-9])  # the file's own row is none either
    done = report(str(path), tmp_path / "report.html")
    assert (done.packets, done.exchanges) == (len(tape.packets) - 1, 0)


def test_masked_or_not_packets_keep_their_lengths_and_elements(
    secret: tuple[str, Secrets], tmp_path: Path
) -> None:
    source, _ = secret
    masked, kept = tmp_path / "masked.html", tmp_path / "kept.html"
    one, other = report(source, masked, "all"), report(source, kept, "none")
    assert (one.packets, one.exchanges) == (other.packets, other.exchanges)
    assert len(shown(masked)[1]) == len(shown(kept)[1])


def test_only_its_owner_can_read_a_report(tmp_path: Path) -> None:
    output = tmp_path / "report.html"
    report(FIXTURE, output)
    assert stat.S_IMODE(output.stat().st_mode) == 0o600


def test_what_cannot_be_reported_costs_nobody_a_file(tmp_path: Path) -> None:
    output = tmp_path / "report.html"
    output.write_text("mine")
    for source in ("-", str(output), str(tmp_path / "missing.pcapng"), str(tmp_path)):
        with pytest.raises((ValueError, OSError)):
            report(source, output)
    assert output.read_text() == "mine"


def test_what_is_said_of_a_part_is_what_the_page_has(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tape = Tape()
    for number in range(2):
        talk = Talk(tape, client_port=40_000 + number).open()
        talk.client(b"GET / HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer abcdefgh\r\n\r\n")
        talk.server(b"HTTP/1.1 204 No Content\r\n\r\n")
        talk.close()
    source, output = tmp_path / "two.pcapng", tmp_path / "report.html"
    source.write_bytes(tape.file())
    total, half = len(tape.packets), len(tape.packets) // 2
    assert run(["report", str(source), "--exchange", "1/0", "-o", str(output)]) == 0
    said = capsys.readouterr().err
    assert f"{half} of {total} packets, 1 exchange\n" in said
    assert "secrets masked in 1 packet of these\n" in said
    summary = answers(output.read_text())["summary"]
    size = sum(len(packet[4]) for packet in tape.packets[half:])
    assert summary["held"] == {"packets": half, "bytes": size, "connections": 1}
    assert run(["report", str(source), "-o", str(output)]) == 0
    said = capsys.readouterr().err
    assert f"{total} packets, 2 exchanges\n" in said and "2 secrets masked\n" in said


@pytest.mark.parametrize("policy", ["all", "headers", "none"])
def test_what_tls_carries_is_shown_where_nothing_is_masked(policy: Policy, tmp_path: Path) -> None:
    secret = "sk-0123456789abcdef0123456789abcdef"
    request = f"GET /sse?api_key={secret} HTTP/1.1\r\nHost: a\r\nAuthorization: {secret}\r\n\r\n"
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
    said = dialogue([("client", request.encode()), ("server", answer)])
    source, output = tmp_path / "tls.pcap", tmp_path / "report.html"
    source.write_bytes(said.talk().tape.file())
    keylog = KeyLog()
    keylog.read(said.keys)
    done = report_capture(str(source), str(output), policy, lambda _: None, keylog=keylog)
    is_shown = secret in shown(output)[0]
    assert (is_shown, bool(done.not_looked_into)) == (policy == "none", policy != "none")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="one process makes it here")
def test_a_process_that_makes_it_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def killed(*_: object) -> Iterator[None]:
        os.kill(os.getpid(), signal.SIGKILL)
        yield None

    monkeypatch.setattr(reporting, "workers_for", lambda *_: 2)
    monkeypatch.setattr(bundles, "_parts", killed)
    path, output = ROOT / "fixtures/sse/plain.pcapng", tmp_path / "page.html"
    output.write_text("before")
    assert run(["report", str(path), "-o", str(output)]) == 137
    line = f"worker 0 was killed by SIGKILL: {output} was not written"
    assert capfd.readouterr().err == f"wireproof: {path}: {line}\n"
    assert output.read_text() == "before"
