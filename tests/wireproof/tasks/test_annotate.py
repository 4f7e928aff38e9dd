"""Annotated captures: the comments are there, and everything else is as it was."""

from __future__ import annotations

import gzip
import os
import subprocess
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.capture_files import Blocks, every_block, option, pad, pcap_header, read_all, record
from support.corpus import ROOT
from support.stored import SMALL, name
from support.talk import Talk, Tape

from parsers.files.packets import Packet
from parsers.files.reader import CaptureReader
from wireproof.analysis.packet_comments import PacketComments
from wireproof.cli import run
from wireproof.tasks import annotate as module
from wireproof.tasks.annotate import Annotated, Comments, annotate, with_comment

FIXTURES = ROOT / "fixtures"
SECTION_HEADER = 132
"""Bytes that it takes in ``websocket/close-code``: without it there is no capture."""
NG = Blocks()
GET = b"GET / HTTP/1.1\r\nHost: example\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"


def conversation() -> list[Packet]:
    talk = Talk(Tape()).open()
    talk.client(GET)
    talk.server(OK)
    talk.close()
    return talk.tape.packets


class Result:
    """An annotated capture, and what was said of it."""

    def __init__(self, tmp_path: Path, data: bytes) -> None:
        source, self.path = tmp_path / "in", tmp_path / "out.pcapng"
        source.write_bytes(data)
        self.said: list[str] = []
        self.done: Annotated = annotate(str(source), str(self.path), self.said.append)
        self.data = self.path.read_bytes()
        self.packets, self.reader = read_all(self.data)

    @property
    def comments(self) -> dict[int, list[str]]:
        found: dict[int, list[str]] = {}
        for about, text in self.reader.comments:
            if about is not None:
                found.setdefault(about, []).append(text)
        return found


def tshark(path: Path, *fields: str) -> list[list[str]]:
    command = ["tshark", "-r", str(path), "-T", "fields"]
    for field in fields:
        command += ["-e", field]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return [line.split("\t") for line in shown.splitlines()]


# --- real captures ---


@pytest.mark.parametrize("path", SMALL, ids=name)
def test_packets_are_as_they_were(path: Path, tmp_path: Path) -> None:
    before, reader = read_all(path.read_bytes())
    result = Result(tmp_path, path.read_bytes())
    assert result.packets == before
    assert result.reader.interfaces == reader.interfaces
    assert result.reader.faults == []
    assert result.done == Annotated(len(result.comments), len(before))
    assert result.said == []
    assert max(map(len, (text for texts in result.comments.values() for text in texts))) < 1_200


def test_what_is_said_of_an_event_stream(tmp_path: Path) -> None:
    comments = Result(tmp_path, (FIXTURES / "sse" / "plain.pcapng").read_bytes()).comments
    assert {
        packet: texts[0] for packet, texts in comments.items() if packet in (4, 16, 18, 32)
    } == {
        4: "request GET /sse",
        16: "chunk 4 of 12, 39 bytes; SSE event 3 `message` completes here:  being",
        18: "chunk 5 of 12, 10 bytes; SSE comment:  ping",
        32: "last chunk; body complete (last chunk): 452 bytes",
    }


def test_faults_are_named_on_their_packet(tmp_path: Path) -> None:
    comments = Result(tmp_path, (FIXTURES / "chunked" / "truncated.pcapng").read_bytes()).comments
    assert comments[16] == [
        "chunk 4, 9 bytes:  streamed; ! error: the stream ended without the last chunk: after 5 "
        "chunks (chunk-last-missing); body INCOMPLETE (connection closed too early): 39 bytes"
    ]


@pytest.mark.tshark
@pytest.mark.parametrize(
    "path", [path for path in SMALL if path.stem in ("plain", "deflate")], ids=name
)
def test_tshark_shows_the_comments_on_their_frames(path: Path, tmp_path: Path) -> None:
    result = Result(tmp_path, path.read_bytes())
    shown = tshark(result.path, "frame.number", "frame.comment", "frame.time_epoch", "frame.len")
    expected = {number: texts[0] for number, texts in result.comments.items()}
    # tshark writes a backslash twice.
    found = {int(number): text.replace("\\\\", "\\") for number, text, *_ in shown if text}
    assert found == expected
    before = tshark(path, "frame.time_epoch", "frame.len")
    assert [row[2:] for row in shown] == before


@pytest.mark.tshark
def test_the_command_line_of_the_documentation(tmp_path: Path) -> None:
    source, output = FIXTURES / "websocket" / "plain.pcapng", tmp_path / "out.pcapng"
    assert run(["annotate", str(source), "-o", str(output)]) == 0
    command = ["tshark", "-r", str(output), "-Y", "frame.comment", "-T", "fields"]
    command += ["-e", "frame.number", "-e", "frame.comment"]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "12\tPing, answered in frame 14 after 0.1 ms\n" in shown


# --- what a capture may hold ---


@pytest.mark.parametrize("order", ["<", ">"])
def test_comments_options_and_other_blocks_survive(tmp_path: Path, order: str) -> None:
    blocks = Blocks(order)
    end = blocks.option(0, b"")
    own = blocks.option(1, b"mine") + blocks.option(2, b"\1\0\0\0")
    data = blocks.section(options=blocks.option(1, b"about the file") + end)
    data += blocks.interface(options=blocks.option(2, b"lo") + blocks.option(9, b"\x09") + end)
    data += blocks.secrets(0x544C534B, b"CLIENT_RANDOM") + blocks.block(0x777, b"whatever")
    for number, time_ns, _, _, frame in conversation():
        assert time_ns is not None
        options = own + end if number == 4 else own if number == 5 else b""
        data += blocks.enhanced(time_ns, frame, options=options)
    data += blocks.statistics(0, blocks.option(5, bytes(8)))
    result = Result(tmp_path, data)
    assert result.packets == read_all(data)[0]
    assert (None, "about the file") in result.reader.comments
    assert result.comments[4] == ["request GET /", "mine"]
    assert result.comments[5] == [
        "response 200 OK; data, 2 bytes: hi; body complete (Content-Length reached): 2 bytes",
        "mine",
    ]
    assert result.reader.secrets == [(0x544C534B, b"CLIENT_RANDOM")]
    written = every_block(CaptureReader(BytesIO(result.data)))
    read = every_block(CaptureReader(BytesIO(data)))
    assert [(block.type, number) for block, number in written] == [
        (block.type, number) for block, number in read
    ]
    for (after, number), (before, _) in zip(written, read, strict=True):
        if number is None or number not in result.comments:
            assert after.body == before.body
        else:
            options = 20 + len(pad(result.packets[number - 1][4]))
            assert after.body.startswith(before.body[:options])
            assert after.body.endswith(before.body[options:])


def test_a_section_no_longer_says_how_long_it_is(tmp_path: Path) -> None:
    inner = NG.interface() + b"".join(
        NG.enhanced((time_ns or 0) // 1000, frame) for _, time_ns, _, _, frame in conversation()
    )
    result = Result(tmp_path, NG.section(length=len(inner)) + inner)
    assert result.reader.faults == []
    assert result.done.commented == 3


def test_obsolete_packets_have_comments_and_simple_ones_cannot(tmp_path: Path) -> None:
    data = NG.section() + NG.interface()
    for number, time_ns, _, _, frame in conversation():
        ticks = (time_ns or 0) // 1000
        data += NG.simple(frame) if number == 5 else NG.obsolete(ticks, frame)
    result = Result(tmp_path, data)
    assert result.packets == read_all(data)[0]
    assert set(result.comments) == {4, 8}
    assert result.done == Annotated(2, 8, 1)
    assert result.said == [
        "1 packet cannot have a comment: there is no room in a Simple Packet Block"
    ]


@pytest.mark.parametrize(
    ("magic", "ticks"), [(0xA1B2C3D4, 10**6), (0xA1B23C4D, 10**9), (0xA1B2CD34, 10**6)]
)
@pytest.mark.parametrize("order", ["<", ">"])
def test_pcap_becomes_pcapng(tmp_path: Path, order: str, magic: int, ticks: int) -> None:
    data = pcap_header(order, magic, snaplen=1_500)
    more = bytes(8) if magic == 0xA1B2CD34 else b""
    for number, time_ns, _, _, frame in conversation():
        seconds, fraction = divmod(time_ns or 0, 10**9)
        fraction = fraction * ticks // 10**9 + number % 2
        data += record(seconds, fraction, frame, len(frame) + 7, order, more)
    before, reader = read_all(data)
    result = Result(tmp_path, gzip.compress(data))
    assert result.packets == before
    (interface,) = result.reader.interfaces
    assert (interface.link_type, interface.snaplen) == (1, 1_500)
    assert interface.ticks_per_second == reader.interfaces[0].ticks_per_second == ticks
    assert (result.reader.format, result.reader.compression) == ("pcapng", ())
    assert set(result.comments) == {4, 5, 8}


@pytest.mark.tshark
def test_tshark_reads_what_was_a_pcap_file(tmp_path: Path) -> None:
    data = pcap_header(link_type=101)
    for _, time_ns, _, _, frame in conversation():
        seconds, fraction = divmod(time_ns or 0, 10**9)
        data += record(seconds, fraction // 1000, frame[14:])
    result = Result(tmp_path, data)
    fields = "frame.time_epoch", "frame.len", "tcp.seq", "_ws.col.Time"
    assert tshark(result.path, *fields) == tshark(tmp_path / "in", *fields)
    ((_, shown), *_) = [
        row for row in tshark(result.path, "frame.number", "frame.comment") if row[1]
    ]
    assert shown == "request GET /"


def test_a_damaged_capture_is_copied_as_far_as_it_can_be_read(tmp_path: Path) -> None:
    data = (FIXTURES / "chunked" / "plain.pcapng").read_bytes()[:-10]
    result = Result(tmp_path, data)
    assert result.packets == read_all(data)[0]
    assert result.reader.faults == []
    (said,) = result.said
    assert "a block: " in said


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_whatever_is_damaged_packets_stay_as_they_are(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    damaged = bytearray((FIXTURES / "websocket" / "close-code.pcapng").read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(SECTION_HEADER, len(damaged) - 1))
        damaged[place] = data.draw(st.integers(0, 255))
    before, _ = read_all(bytes(damaged))
    assert Result(tmp_path_factory.mktemp("damaged"), bytes(damaged)).packets == before


# --- limits ---


def test_many_remarks_of_one_packet_are_counted(tmp_path: Path) -> None:
    talk = Talk(Tape()).open()
    talk.client(GET)
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    talk.server(head, b"1\r\nx\r\n" * 1_000)
    talk.close()
    result = Result(tmp_path, talk.tape.file())
    (comment,) = result.comments[6]
    assert comment.startswith("chunk 0, 1 byte: x; chunk 1, 1 byte: x; ")
    assert comment.endswith(" more comments")
    assert len(comment) < 1_200


@pytest.mark.parametrize("most", [1_000, 30])
@pytest.mark.parametrize("path", SMALL, ids=name)
def test_a_chunk_and_its_event_together_have_the_comment_that_they_have_alone(
    path: Path, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_COMMENT", most)

    def said() -> list[str | None]:
        comments = Comments()
        with path.open("rb") as stream:
            comments.take(stream)
        return [comments.of(packet) for packet in range(1, 200)]

    together = said()
    monkeypatch.setattr(PacketComments, "add_event", lambda self, chunk, event: None)
    assert together == said()


def test_more_may_be_said_of_a_packet_with_an_event(tmp_path: Path) -> None:
    talk = Talk(Tape()).open()
    talk.client(GET)
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Type: text/event-stream\r\n"
    talk.server(head + b"\r\n", b"9\r\ndata: a\n\n\r\n" * 2, b"0\r\n\r\n")
    talk.close()
    assert Result(tmp_path, talk.tape.file()).comments[6] == [
        "chunk 0 of 2, 9 bytes; SSE event 0 `message` completes here: a; "
        "chunk 1 of 2, 9 bytes; SSE event 1 `message` completes here: a"
    ]


def test_comments_end_at_their_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_COMMENTS", 200)
    data = (FIXTURES / "sse" / "plain.pcapng").read_bytes()
    result = Result(tmp_path, data)
    assert result.packets == read_all(data)[0]
    assert max(result.comments) == 8
    assert result.said == ["comments end at frame 8: more than 200 characters"]


def test_a_block_of_the_greatest_length_has_no_room(monkeypatch: pytest.MonkeyPatch) -> None:
    data = NG.section() + NG.interface() + NG.enhanced(1, b"packet")
    *_, (block, _) = every_block(CaptureReader(BytesIO(data)))
    assert with_comment(block, "12345678") is not None
    monkeypatch.setattr(module, "MAX_BLOCK", len(block.body) + 12 + 15)
    assert with_comment(block, "12345678") is None


def test_faults_of_no_packet_have_no_comment() -> None:
    comments = Comments()
    comments.take(BytesIO(NG.section(length=77)))
    assert comments.of(0) is comments.of(None) is comments.of(1) is None


def test_an_option_that_is_longer_than_its_block_stays(tmp_path: Path) -> None:
    data = NG.section() + NG.interface()
    for number, time_ns, _, _, frame in conversation():
        broken = b"\x01\x00\xff\xff" if number == 4 else b""
        data += NG.enhanced((time_ns or 0) // 1000, frame, options=broken)
    result = Result(tmp_path, data)
    (comment,) = result.comments[4]
    assert comment.startswith("request GET /; ! error: the capture file is damaged: option 1 is ")
    assert result.packets == read_all(data)[0]
    assert option(1, comment.encode()) + b"\x01\x00\xff\xff" in result.data


# --- the command ---


def failure(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert run(["annotate", *arguments]) == 2
    captured = capsys.readouterr()
    assert (captured.out, captured.err.count("\n")) == ("", 1)
    return captured.err


def test_the_output_is_not_the_input(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = tmp_path / "a.pcapng"
    source.write_bytes((FIXTURES / "chunked" / "plain.pcapng").read_bytes())
    other = tmp_path / "b.pcapng"
    os.link(source, other)
    for output in (source, other):
        assert "the output is the capture itself" in failure(capsys, str(source), "-o", str(output))
    assert source.read_bytes() == (FIXTURES / "chunked" / "plain.pcapng").read_bytes()


def test_what_is_no_capture_costs_nobody_a_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, output = tmp_path / "a", tmp_path / "b"
    source.write_bytes(b"no capture at all")
    assert "not a capture file" in failure(capsys, str(source), "-o", str(output))
    assert not output.exists()
    source.write_bytes(NG.section()[:-4] + bytes(4))
    assert "no block can be read: the block's length is 28 at its beginning, 0 at" in failure(
        capsys, str(source), "-o", str(output)
    )
    assert not output.exists()
    assert "No such file" in failure(capsys, str(tmp_path / "none"), "-o", str(output))
    assert "it is read twice" in failure(capsys, "-", "-o", str(output))


def test_standard_output_gets_the_capture(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    source = FIXTURES / "chunked" / "plain.pcapng"
    assert run(["annotate", str(source), "-o", "-"]) == 0
    captured = capfdbinary.readouterr()
    assert read_all(captured.out)[0] == read_all(source.read_bytes())[0]
    assert captured.err == b"wireproof: standard output: 12 of 28 packets have a comment\n"
