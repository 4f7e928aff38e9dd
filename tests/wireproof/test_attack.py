"""A capture that attacks whoever shows it: what reaches a terminal or a spreadsheet is harmless."""

from __future__ import annotations

import csv
import io
import os
import pty
import re
import sys
from pathlib import Path

import pytest
from support.attack import ALL, PROBES, attack

from parsers.decode.capture import decode
from wireproof.cli import run
from wireproof.views.csv import FORMULA

pytestmark = pytest.mark.slow

OWN_SEQUENCES = re.compile(rb"\x1b\[[0-9;]*m")
"""What our own views print: colours, and nothing else."""


@pytest.fixture(scope="module")
def capture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("attack") / "attack.pcapng"
    path.write_bytes(attack())
    return path


def on_a_terminal(*arguments: str) -> bytes:
    """What a command prints to a terminal, its errors too."""
    command = [sys.executable, "-c", "import sys; from wireproof.cli import main; main()"]
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ |= {"TERM": "xterm-256color", "COLUMNS": "200"}
        os.environ.pop("NO_COLOR", None)
        os.execv(command[0], [*command, *arguments])
    shown = b""
    while data := _read(terminal):
        shown += data
    os.close(terminal)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) in (0, 2)
    return shown


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65_536)
    except OSError:  # the other end is closed
        return b""


def assert_harmless(shown: bytes) -> None:
    plain = OWN_SEQUENCES.sub(b"", shown).replace(b"\r\n", b"\n")
    text = plain.decode()  # a raw C1 byte would be no UTF-8
    controls = {char for char in text if char < " " and char != "\n" or "\x7f" <= char <= "\x9f"}
    assert controls == set()
    assert not {char for char in text if char in "\u202e\u2066\u2069\u200f\ufeff\u2028\u2029"}


def test_the_probes_are_there() -> None:
    records = list(decode(io.BytesIO(attack())))
    said = {record.data for record in records if record.record == "websocket_message"}
    assert {probe for probe in ALL if probe} <= said
    assert len(PROBES["html"]) > 12 and len(records) > 900


@pytest.mark.parametrize(
    "arguments",
    [
        ("decode", "--format", "table"),
        ("decode", "--view", "devtools", "--filter"),
        ("decode", "--view", "wireshark", "--filter"),
        ("decode",),
    ],
    ids=" ".join,
)
def test_views_on_a_terminal(arguments: tuple[str, ...], capture: Path) -> None:
    command, *options = arguments
    shown = on_a_terminal(command, str(capture), *options)
    assert b"\\x1b]52" in shown and len(shown) > 10_000
    assert_harmless(shown)


@pytest.mark.parametrize("command", ["decode", "export", "redact", "plot", "annotate"])
def test_names_of_files_on_a_terminal(command: str, tmp_path: Path) -> None:
    name = str(tmp_path / "\x1b]0;owned\x07\x9b31m.pcapng")
    suffix = "har" if command == "export" else "png"
    output = [] if command == "decode" else ["-o", str(tmp_path / f"out.{suffix}")]
    shown = on_a_terminal(command, name, *output)
    assert b"\\x1b]0;owned" in shown
    assert_harmless(shown)


def test_no_cell_of_a_spreadsheet_is_a_formula(capture: Path, tmp_path: Path) -> None:
    output = tmp_path / "out.csv"
    assert run(["export", str(capture), "--no-redact", "-o", str(output)]) == 0
    with output.open(newline="") as stream:
        cells = [cell for row in csv.reader(stream) for cell in row if cell]
    formulas = [cell for cell in cells if cell.lstrip(" ").startswith(FORMULA)]
    assert formulas == []
    assert "'=cmd|' /C calc'!A0" in cells and "'=HYPERLINK(\"" in " ".join(cells)


def test_what_files_are_written(capture: Path, tmp_path: Path) -> None:
    """No name from the wire becomes the name of a file."""
    for number, arguments in enumerate(
        (["export", "--format", "har"], ["export", "--format", "csv"], ["redact"], ["annotate"])
    ):
        command, *options = arguments
        run([command, str(capture), *options, "-o", str(tmp_path / f"{number}.out")])
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"{n}.out" for n in range(4)]
