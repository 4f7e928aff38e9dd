"""The captures of bodies are what scapy builds, and every body that arrives over time has rows."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from fixtures.bodies.build import FOLDER, STEP, STREAMS
from fixtures.building import Built
from fixtures.record import expected_text
from parsers.records import BodyElement, DataRecord, DiagnosticRecord, Record
from wireproof import cli, decode
from wireproof.analysis.evidence import Evidence, collect
from wireproof.analysis.judges import explain
from wireproof.analysis.streaming import Wanted, find_collected, find_gap

ELEMENTS = {
    "counted": (0, ""),
    "ndjson-close-delimited": (4, "json_line"),
    "json-seq": (2, "json_line"),
    "json-array": (3, "json_line"),
    "json-values": (3, "json_line"),
    "multipart-replace": (3, "part"),
    "multipart-boundary-missing": (2, "part"),
    "aws-event-stream": (4, "aws_event"),
    "aws-crc-wrong": (4, "aws_event"),
    "grpc-web": (4, "grpc_message"),
    "grpc-web-text": (4, "grpc_message"),
    "chunked-twice": (0, ""),
}
FAULTS = {
    "ndjson-close-delimited": {"json-value-invalid"},
    "json-seq": {"json-value-unfinished"},
    "json-values": {"json-lines-undeclared"},
    "multipart-replace": {"multipart-close-missing"},
    "multipart-boundary-missing": {"multipart-boundary-missing"},
    "aws-crc-wrong": {"aws-crc-wrong", "aws-prelude-wrong", "aws-resynchronised"},
    "chunked-twice": {"content-chunked-twice", "sse-field-unknown"},
}
every = pytest.mark.parametrize("stream", STREAMS, ids=lambda one: one.name)


def records(stream: Built) -> list[Record]:
    return list(decode(stream.path))


@every
def test_a_rebuild_gives_the_same_bytes(stream: Built, tmp_path: Path) -> None:
    again = tmp_path / "again.pcapng"
    stream.write(again)
    assert again.read_bytes() == stream.path.read_bytes()


def test_all_that_is_stored_is_built() -> None:
    assert {path.stem for path in FOLDER.glob("*.pcapng")} == set(ELEMENTS)
    assert sum(path.stat().st_size for path in FOLDER.iterdir() if path.is_file()) < 100_000


@every
def test_the_transcript(stream: Built) -> None:
    assert expected_text(stream.path) == stream.path.with_suffix(".txt").read_text()


@every
def test_what_each_body_is_made_of(stream: Built) -> None:
    found = records(stream)
    elements = [one for one in found if isinstance(one, BodyElement)]
    number, kind = ELEMENTS[stream.name]
    assert [one.index for one in elements] == list(range(number))
    assert all(one.record == kind for one in found if isinstance(one, BodyElement))
    codes = {one.code for one in found if isinstance(one, DiagnosticRecord)}
    assert codes == FAULTS.get(stream.name, set())


@every
def test_every_body_streamed_and_paused(stream: Built) -> None:
    """What the plugin asserts: elements of any kind count, else chunks, else packets' runs."""
    (evidence,) = collect(records(stream), Evidence)
    (explained,) = explain(records(stream))
    assert len(evidence.elements) >= 2
    assert find_collected(evidence, explained.trace, Wanted(2, 2, 0.8 * STEP)) is None
    assert find_gap(evidence, 3.5 * STEP, keep_alives=False) is None
    gap = find_gap(evidence, 0.5 * STEP, keep_alives=False)
    assert gap is not None
    assert evidence.element_name in gap.summary or "the end" in gap.summary


def test_runs_have_the_times_of_their_packets() -> None:
    (counted,) = (one for one in STREAMS if one.name == "counted")
    runs = [one for one in records(counted) if isinstance(one, DataRecord)]
    assert [one.data for one in runs] == ["first", "second", "third", "last"]
    for before, after in pairwise(runs):
        assert after.last_time - before.last_time == pytest.approx(STEP, abs=1e-6)


@pytest.mark.parametrize("view", ["table", "json", "ndjson", "csv", "devtools", "wireshark"])
@every
def test_every_view_shows_it(stream: Built, view: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["decode", "--format", view, str(stream.path)]) == 0
    said = capsys.readouterr()
    assert said.out
    assert said.err == ""


@pytest.mark.tshark
@pytest.mark.parametrize("name", ["counted", "ndjson-close-delimited", "grpc-web"])
def test_as_wireshark_has_it(name: str) -> None:
    """It shows neither runs nor elements: nothing in them can differ."""
    assert cli.run(["compare", str(FOLDER / f"{name}.pcapng")]) == 0
