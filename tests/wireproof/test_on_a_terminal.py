"""What reaches a terminal that is standard output: nothing that a stranger wrote is obeyed."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryFile

import pytest
from support.command_lines import READERS, WRITERS, reading, writing
from support.forked import Forked
from support.talk import Talk, Tape
from support.terminal import TERMINAL, Terminal

from wireproof.output import open_text
from wireproof.text.escape import escape_as_json

COMMAND = [sys.executable, "-m", "wireproof"]
EVIL = "\x1b]0;owned\x07\x9b31m\x7f\u202eevil\u2066\u200f\U000e0041\x00"
OURS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
"""Styles, and what moves the cursor: tables and progress bars write these."""
OBEYED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    talk = Talk(Tape()).open()
    evil = EVIL.encode()
    talk.client(b"GET /a?\xe2\x80\xae\xc2\x9b1 HTTP/1.1\r\nHost: x\r\nX-A: " + evil + b"\r\n\r\n")
    talk.server(b"HTTP/1.1 200 \xe2\x80\xaeOK\r\nContent-Type: text/event-stream\r\n")
    talk.server(b"X-B: \xc2\x9b\xe2\x80\xae\r\nTransfer-Encoding: chunked\r\n\r\n")
    for event in (b"data: " + evil + b"\n\n", b"id: " + evil + b"\ndata: 2\n\n"):
        talk.server(b"%x\r\n%s\r\n" % (len(event), event))
    talk.server(b"0\r\n\r\n")
    talk.close()
    path = tmp_path_factory.mktemp("hostile") / "hostile.pcapng"
    path.write_bytes(talk.tape.file())
    return path


def shown(commands: Forked, arguments: list[str]) -> str:
    """Return what a command writes to a terminal."""
    with Terminal() as terminal, TemporaryFile() as said:
        with terminal.theirs() as stdout:
            commands.start(arguments, stdout=stdout, stderr=said.fileno(), **TERMINAL)
        data = terminal.shown()
        code = commands.code()
        said.seek(0)
        assert code in (0, 1, 2), said.read()
        return data.decode(errors="surrogateescape")


@pytest.mark.slow
@pytest.mark.parametrize("name", READERS)
def test_readers(name: str, hostile: Path, commands: Forked) -> None:
    text = shown(commands, reading(name, hostile))
    assert text
    assert not OBEYED.search(OURS.sub("", text))


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in WRITERS if name != "plot svg"])
def test_writers_to_standard_output(name: str, hostile: Path, commands: Forked) -> None:
    text = shown(commands, [*writing(name, hostile, hostile.parent)[0][:-1], "-"])
    assert not OBEYED.search(OURS.sub("", text))


@pytest.mark.parametrize("form", ["ndjson", "csv", "json"])
def test_data_on_a_terminal(form: str, hostile: Path, commands: Forked) -> None:
    text = shown(commands, ["decode", str(hostile), "--format", form])
    assert "\x1b" not in text and not OBEYED.search(text)
    if form == "ndjson":
        written = subprocess.run(
            [*COMMAND, "decode", str(hostile), "--format", form], capture_output=True, check=True
        )
        assert [json.loads(line) for line in text.splitlines()] == [
            json.loads(line) for line in written.stdout.splitlines()
        ]


EVERYTHING = (
    "SELECT e.target, data, '=1+1' AS sum FROM exchanges AS e JOIN elements USING (connection)"
)
NAMES = "PIVOT (SELECT target, 1 AS one FROM exchanges) ON target USING sum(one)"


@pytest.mark.parametrize("sql", [EVERYTHING, NAMES], ids=["cells", "names"])
@pytest.mark.parametrize("form", ["table", "csv", "json"])
def test_rows_of_a_query(form: str, sql: str, hostile: Path, commands: Forked) -> None:
    text = shown(commands, ["query", str(hostile), sql, "--data", "--format", form])
    assert "evil" in text or sql == NAMES
    assert not OBEYED.search(OURS.sub("", text) if form == "table" else text)


def test_a_terminal_that_is_named_as_output() -> None:
    with Terminal() as terminal:
        with terminal.theirs() as device, ExitStack() as stack:
            open_text(os.ttyname(device), stack, is_data=True).write(EVIL)
        text = terminal.shown().decode(errors="surrogateescape")
    assert "evil" in text and not OBEYED.search(text)


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("plain\n", "plain\n"),
        ("a\tb\nc", "a\tb\nc"),
        ("\x1b[0m", "\\u001b[0m"),
        ("\x7f\x85\u2028", "\\u007f\\u0085\\u2028"),
        ("é\u3000漢", "é\u3000漢"),
        ("\U000e0041", "\\udb40\\udc41"),
    ],
)
def test_escapes_are_jsons(text: str, escaped: str) -> None:
    assert escape_as_json(text) == escaped
    assert json.loads(f'"{escape_as_json(text.strip())}"', strict=False) == text.strip()
