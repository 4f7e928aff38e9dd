"""Every command when Ctrl-C is pressed, and its progress on a terminal."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryFile

import pytest
from support.command_lines import READERS, WRITERS, reading, writing
from support.forked import Forked
from support.talk import Talk, Tape
from support.terminal import TERMINAL, Terminal

from parsers import CaptureReader
from parsers.files.packets import Packet
from wireproof.cli import run
from wireproof.text.progress import WORTH_SHOWING

# --- Ctrl-C ---


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A capture of six thousand packets, an exchange in every eight."""
    tape = Tape()
    for port in range(20_000, 20_750):
        talk = Talk(tape, client_port=port).open()
        talk.client(b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n")
        talk.server(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
        talk.close()
    path = tmp_path_factory.mktemp("long") / "long.pcapng"
    path.write_bytes(tape.file())
    return path


@pytest.fixture
def interrupted(long: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A capture in whose reading Ctrl-C is pressed, after thousands of packets."""
    read = CaptureReader.__iter__

    def packets(self: CaptureReader) -> Iterator[Packet]:
        for packet in read(self):
            yield packet
            if packet[0] == 5_500:
                raise KeyboardInterrupt

    monkeypatch.setattr(CaptureReader, "__iter__", packets)
    return long


KEPT = ("decode json", "decode ndjson", "decode csv", "ls json", "ls csv", "explain json")
"""Of these what was done before Ctrl-C is shown, in a form that is whole."""


@pytest.mark.slow
@pytest.mark.parametrize("name", READERS)
def test_an_interrupted_reader(
    name: str, interrupted: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(reading(name, interrupted)) == 130
    said = capsys.readouterr()
    assert said.err == ""
    if name in KEPT:
        assert "/a" in said.out
    if name in ("decode json", "ls json", "explain json"):
        assert json.loads(said.out)


@pytest.mark.slow
@pytest.mark.parametrize("name", WRITERS)
def test_an_interrupted_writer(
    name: str, interrupted: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments, output = writing(name, interrupted, folder)
    assert run(arguments) == 130
    assert capsys.readouterr().err == ""
    assert list(folder.iterdir()) == [], output


# --- on a terminal ---


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A capture that takes so long that one wants to know how long."""
    talk = Talk(Tape()).open()
    talk.client(b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n")
    talk.server(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (16_000 * 250))
    talk.server(*[b"x" * 16_000] * 250)
    talk.close()
    path = tmp_path_factory.mktemp("large") / "large.pcapng"
    path.write_bytes(talk.tape.file())
    assert path.stat().st_size > WORTH_SHOWING
    return path


def on_a_terminal(commands: Forked, arguments: list[str]) -> tuple[int, str, str]:
    """Run a command whose standard error is a terminal; return its code, and both outputs."""
    with TemporaryFile() as output, Terminal() as terminal:
        with terminal.theirs() as stderr:
            commands.start(arguments, stdout=output.fileno(), stderr=stderr, **TERMINAL)
        shown = terminal.shown()
        code = commands.code()
        output.seek(0)
        return code, output.read().decode(), shown.decode()


BY_CAPTURE = ("query parquet", "diff", "diff baseline")
"""What counts captures on the way, and has nothing to show of one."""
SLOW = ["decode ndjson", "decode grep", "ls json", "explain json", "hops json", "latency json"]


@pytest.mark.slow
@pytest.mark.parametrize("name", [*SLOW, *(name for name in WRITERS if name not in BY_CAPTURE)])
def test_progress_shows_on_a_terminal_alone(
    name: str, large: Path, tmp_path: Path, commands: Forked
) -> None:
    arguments = reading(name, large) if name in SLOW else writing(name, large, tmp_path)[0]
    code, written, shown = on_a_terminal(commands, arguments)
    assert code in (0, 1), shown
    assert "MB" in shown and "\x1b[" in shown
    assert "\x1b" not in written  # which is a file
    with TemporaryFile() as output:
        code, said = commands.came_to(arguments, output.fileno())
    assert code in (0, 1) and "\x1b" not in said and "MB" not in said
