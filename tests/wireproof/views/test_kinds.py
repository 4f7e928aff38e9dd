"""Every view by its name."""

from __future__ import annotations

import subprocess
import sys
from io import BytesIO, StringIO
from itertools import pairwise
from pathlib import Path
from typing import get_args

import pytest
from support.corpus import ROOT
from support.handmade import Wire, chunked

from parsers import OrderedCapture
from parsers.decode.capture import decode
from wireproof.cli import run
from wireproof.views.csv import CsvView
from wireproof.views.json import JsonView
from wireproof.views.kinds import (
    KINDS,
    VIEWS,
    ExportKind,
    ExportName,
    RecordsKind,
    export,
    open_export,
)
from wireproof.views.ndjson import NdjsonView
from wireproof.views.packet_list import PacketList
from wireproof.views.target import Target

FIXTURES = ROOT / "fixtures"


@pytest.mark.parametrize(
    ("name", "view"), [("ndjson", NdjsonView), ("json", JsonView), ("csv", CsvView)]
)
def test_open_export(name: str, view: type) -> None:
    assert isinstance(open_export(name, BytesIO()), view)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", get_args(ExportName))
def test_records_can_be_encoded_one_by_one_elsewhere(name: ExportName) -> None:
    records = [*chunked(), Wire().chunk('a\r\nb\n"\u2028\x85')]
    data, ends = export(name).encode(records)
    parts = [data[start:end] for start, end in pairwise([0, *ends])]
    assert [export(name).encode([record]) for record in records] == [
        (part, [len(part)]) for part in parts
    ]
    assert b"".join(parts) == data
    assert len(parts) == len(records)
    written = []
    together = [data[: ends[2]], data[ends[2] :]]
    for given, what in (("write", records), ("write_encoded", parts), ("write_encoded", together)):
        stream = BytesIO()
        view = open_export(name, stream)
        for batch in (what[:3], [], what[3:]):
            getattr(view, given)(batch)
        view.close()
        written.append(stream.getvalue())
    assert written[0] == written[1] == written[2]


@pytest.mark.parametrize("name", ["out.foo", "out.ndjson.gz", "out.txt"])
def test_an_unknown_ending_is_refused(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, output = str(FIXTURES / "sse" / "plain.pcapng"), tmp_path / name
    assert run(["decode", source, "-o", str(output)]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"wireproof: {output}: {output.suffix} is not one of the endings ")
    assert ".ndjson, .jsonl, .json, .csv" in said
    assert not output.exists()
    assert run(["decode", source, "-o", str(output), "--format", "ndjson"]) == 0
    assert output.exists()


@pytest.mark.parametrize(
    ("name", "beginning"), [("a.NDJSON", "{"), ("a.jsonl", "{"), ("a.json", "["), ("a", "{")]
)
def test_what_an_ending_asks_for(name: str, beginning: str, tmp_path: Path) -> None:
    output = tmp_path / name
    assert run(["decode", str(FIXTURES / "sse" / "plain.pcapng"), "-o", str(output)]) == 0
    assert output.read_text().startswith(beginning)


def target(stream: BytesIO, text: StringIO) -> Target:
    return Target(lambda: stream, lambda: text)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_every_view_of_the_table_shows_a_capture(kind: ExportKind | RecordsKind) -> None:
    stream, text = BytesIO(), StringIO()
    view = kind.open(target(stream, text))
    with (FIXTURES / "sse" / "plain.pcapng").open("rb") as capture:
        if isinstance(view, PacketList):
            assert view.show(OrderedCapture(capture))
        else:
            view.write(list(decode(capture)))
            view.close()
    assert b"event" in stream.getvalue() or "event" in text.getvalue()


@pytest.mark.parametrize("option", ["--view", "--format"])
@pytest.mark.parametrize("name", VIEWS)
def test_both_options_choose_from_the_table(
    option: str, name: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    output = tmp_path / "out"
    path = str(FIXTURES / "chunked" / "plain.pcapng")
    assert run(["decode", path, option, name, "-o", str(output)]) == 0
    assert output.stat().st_size
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            ["--view", "devtools", "--format", "csv"],
            "cannot be combined: they choose the same thing",
        ),
        (["--filter"], "--filter requires --view wireshark or devtools"),
        (["--view", "table", "--filter"], "--filter requires --view wireshark or devtools"),
        (["--format", "wireshark", "--transport", "sse"], "does not work with --view"),
    ],
)
def test_what_a_view_cannot_be_combined_with(
    options: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["decode", "FILE", *options]) == 2
    assert said in capsys.readouterr().err


def test_the_table_needs_no_view_to_be_read() -> None:
    """So that ``--help``, which names them all, starts in a blink."""
    code = "import sys, wireproof.views.kinds; print(*sys.modules)"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"rich", "msgspec", "parsers.records"} & set(said.stdout.split())
