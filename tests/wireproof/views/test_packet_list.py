"""The packet list: tshark's rows, and in them what tshark leaves out."""

from __future__ import annotations

import os
import re
import subprocess
from io import BytesIO, StringIO, TextIOWrapper
from pathlib import Path
from typing import NamedTuple

import pytest
from rich.cells import cell_len
from support.capture_files import Blocks, pcap_header, record
from support.corpus import ROOT
from support.frames import ACK, FIN, ipv4, udp
from support.stored import STORED, name
from support.talk import Talk, Tape

from parsers import OrderedCapture
from wireproof.cli import run
from wireproof.views.packet_list import ListedPackets, PacketList

FIXTURES = ROOT / "fixtures"
ROW = re.compile(r" *(\d+) +(-?\d+\.\d+)? +(\S*) → (\S*) +(.+?) (\d+) (.*)")


class Row(NamedTuple):
    number: str
    time: str
    source: str
    destination: str
    protocol: str
    length: str
    info: str


def listing(
    data: bytes, width: int | None = None, connection: int | None = None, filters: bool = False
) -> list[str]:
    stream = StringIO()
    view = PacketList(stream, width, ListedPackets(connection=connection, filters=filters))
    rows = view.show(OrderedCapture(BytesIO(data)))
    lines = stream.getvalue().splitlines()
    assert rows == sum(1 for line in lines if ROW.match(line)) or width is not None
    return lines


def rows(lines: list[str]) -> list[Row]:
    return [
        Row(*(part or "" for part in match.groups()))
        for line in lines
        if (match := ROW.match(line))
    ]


def tshark_rows(path: Path) -> list[Row]:
    command = ["tshark", "-r", str(path), "-T", "tabs"]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found = []
    for line in shown.splitlines():
        cells = [cell.strip() for cell in line.split("\t", 7)]  # the fourth is an arrow
        found.append(Row(*cells[:3], *cells[4:]))
    return found


@pytest.mark.tshark
@pytest.mark.parametrize("path", STORED, ids=name)
def test_rows_are_tsharks(path: Path) -> None:
    ours, theirs = rows(listing(path.read_bytes())), tshark_rows(path)
    assert len(ours) == len(theirs)
    for our, their in zip(ours, theirs, strict=True):
        assert our[:4] == their[:4]
        assert our.length == their.length
        if their.protocol == "TCP" and "[TCP" not in their.info and "reassembled" not in their.info:
            assert our.info.partition(" ▸ ")[0] == their.info.rstrip()
        if their.protocol in ("HTTP", "WebSocket") and not their.info.startswith("HTTP/1.1 200"):
            assert our.protocol == their.protocol
            assert our.info.startswith(their.info.rstrip())


def infos(path: str) -> dict[int, str]:
    """Return what is said of each packet of a stored capture."""
    data = (FIXTURES / f"{path}.pcapng").read_bytes()
    return {int(row.number): f"{row.protocol}: {row.info}" for row in rows(listing(data))}


def test_what_tshark_leaves_out_is_marked() -> None:
    assert {number: infos("sse/plain")[number] for number in (4, 6, 8, 18, 32)} == {
        4: "HTTP: GET /sse HTTP/1.1",
        6: "HTTP: HTTP/1.1 200 OK",
        8: "HTTP: ▸ chunk 0, 53 bytes ▸ SSE event 0 `message` completes here: This is",
        18: "HTTP: ▸ chunk 5, 10 bytes ▸ SSE comment:  ping",
        32: "HTTP: ▸ last chunk ▸ body complete (last chunk): 452 bytes",
    }
    found = infos("websocket/plain")
    assert {number: found[number] for number in (8, 12, 14, 30)} == {
        8: "WebSocket: WebSocket Text [FIN] ▸ 7 bytes: This is",
        12: "WebSocket: WebSocket Ping [FIN]",
        14: "WebSocket: WebSocket Pong [FIN] [MASKED] ▸ answers frame 12 after 0.1 ms",
        30: "WebSocket: WebSocket Connection Close [FIN] [MASKED] ▸ 1000 normal closure",
    }
    assert "WebSocket message of 3 frames completes here" in infos("websocket/fragments")[14]


def test_what_shows_later_has_a_line_of_its_own() -> None:
    lines = listing((FIXTURES / "chunked" / "truncated.pcapng").read_bytes())
    row = next(n for n, line in enumerate(lines) if line.startswith("   18 "))
    assert lines[row + 1 : row + 3] == [
        "      ▸ frame 16: ! error: the stream ended without the last chunk: after 5 chunks "
        "(chunk-last-missing)",
        "      ▸ frame 16: body INCOMPLETE (connection closed too early): 39 bytes",
    ]
    assert lines[-1].endswith("▸ connection 0 closed by the server (FIN), then the client")


def test_a_fin_behind_what_a_packet_carries_is_marked() -> None:
    talk = Talk().open()
    talk.client(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
    talk.segment("server", answer, FIN | ACK)
    talk.reset("client")
    *_, closing, reset = rows(listing(talk.tape.file()))
    assert closing.info.endswith("▸ TCP FIN")
    assert "[RST, ACK]" in reset.info
    assert "▸ TCP" not in reset.info


def test_filters_follow_what_they_select() -> None:
    data = (FIXTURES / "sse" / "plain.pcapng").read_bytes()
    lines = listing(data, filters=True)
    row = next(n for n, line in enumerate(lines) if line.startswith("    8 "))
    assert lines[row + 1] == "      tcp.stream == 0 && frame.number == 8"
    assert lines[row + 2].startswith("    9 ")
    # The last chunk, and the body that it ends.
    row = next(n for n, line in enumerate(lines) if line.startswith("   32 "))
    assert lines[row + 1 : row + 3] == [
        "      tcp.stream == 0 && frame.number == 32",
        "      tcp.stream == 0 && frame.number >= 8 && frame.number <= 32 && tcp.len > 0",
    ]
    assert lines[-1] == "      tcp.stream == 0"


def test_filters_of_what_shows_later() -> None:
    data = (FIXTURES / "chunked" / "truncated.pcapng").read_bytes()
    lines = listing(data, filters=True)
    fault = next(n for n, line in enumerate(lines) if "chunk-last-missing" in line)
    assert lines[fault + 1] == "      tcp.stream == 0 && frame.number == 16"


def two_connections() -> bytes:
    tape = Tape()
    first, second = Talk(tape, client_port=1).open(), Talk(tape, client_port=2).open()
    for talk in (second, first):
        talk.client(b"GET /\x1b[2J HTTP/1.1\r\nHost: a\r\n\r\n")
        talk.server(b"HTTP/1.1 204 No\x1b]0;\r\n\r\n")
        talk.close()
    tape.add(ipv4(udp(5, 6), 17))
    return tape.file()


def test_one_connection() -> None:
    data = two_connections()
    assert len(rows(listing(data))) == 17
    assert [row.number for row in rows(listing(data, connection=1))] == list("456") + [
        "7", "8", "9", "10", "11"
    ]  # fmt: skip
    assert "2 → 8000" in listing(data, connection=1)[1]
    assert rows(listing(data, connection=7)) == []


def test_what_comes_from_the_wire_is_escaped() -> None:
    lines = listing(two_connections())
    assert all(line.isprintable() for line in lines)
    assert any("GET /\\x1b[2J HTTP/1.1" in line for line in lines)


@pytest.mark.parametrize("width", [40, 80])
def test_a_terminal_gets_lines_of_its_width(width: int) -> None:
    lines = listing((FIXTURES / "websocket" / "fragments.pcapng").read_bytes(), width)
    assert max(map(cell_len, lines)) == width
    filters = listing((FIXTURES / "sse" / "plain.pcapng").read_bytes(), 40, filters=True)
    assert any(len(line) > 40 for line in filters)  # a filter is whole: it is to be copied


def test_times_have_the_digits_of_the_clock_and_may_go_back() -> None:
    data = pcap_header() + b"".join(record(2, n, ipv4(udp(1, 2), 17)) for n in (5, 9, 1))
    assert [row.time for row in rows(listing(data))] == ["0.000000", "0.000004", "-0.000004"]
    fine = Blocks().section() + Blocks().interface(options=Blocks().option(9, b"\x09"))
    fine += b"".join(Blocks().enhanced(n, ipv4(udp(1, 2), 17)) for n in (5, 9))
    assert [row.time for row in rows(listing(fine))] == ["0.000000000", "0.000000004"]


def test_a_packet_without_a_time() -> None:
    data = Blocks().section() + Blocks().interface() + Blocks().simple(ipv4(udp(1, 2), 17))
    (row,) = rows(listing(data))
    assert (row.number, row.time, row.protocol) == ("1", "", "UDP")


def test_faults_of_the_file_come_last() -> None:
    data = pcap_header() + record(1, 1, ipv4(udp(1, 2), 17)) + b"cut"
    assert "▸ frame 1: ! warning: the capture file ends inside a record" in listing(data)[-1]
    nothing = listing(pcap_header() + b"cut")
    assert nothing[0].startswith("      ▸ no frame: ! warning: ")


# --- the command ---


def test_the_command(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    path = FIXTURES / "chunked" / "plain.pcapng"
    monkeypatch.setenv("COLUMNS", "50")  # of a terminal, which this is not
    assert run(["decode", str(path), "--view", "wireshark", "--filter", "--no-data"]) == 0
    captured = capsys.readouterr()
    assert captured.out.splitlines() == without_data(path)
    assert "chunk 0, 7 bytes\n" in captured.out
    assert captured.err == ""


def without_data(path: Path) -> list[str]:
    stream = StringIO()
    view = PacketList(stream, None, ListedPackets(filters=True, keep_data=False))
    with path.open("rb") as capture:
        view.show(OrderedCapture(capture))
    return stream.getvalue().splitlines()


def test_an_output_file(tmp_path: Path) -> None:
    output = tmp_path / "list.txt"
    path = FIXTURES / "chunked" / "plain.pcapng"
    assert run(["decode", str(path), "--view", "wireshark", "-o", str(output)]) == 0
    assert output.read_text().splitlines() == listing(path.read_bytes())


def test_a_capture_that_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    data = (FIXTURES / "chunked" / "plain.pcapng").read_bytes()
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as source, TextIOWrapper(BytesIO(), encoding="utf-8") as output:
        monkeypatch.setattr("sys.stdin", TextIOWrapper(source))
        monkeypatch.setattr("sys.stdout", output)
        os.write(writing, data)
        os.close(writing)
        assert run(["decode", "-", "--view", "wireshark"]) == 0
        output.seek(0)
        assert output.read().splitlines() == listing(data)


def test_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(TextIOWrapper):
        def isatty(self) -> bool:
            return True

    with Terminal(BytesIO(), encoding="utf-8") as terminal:
        monkeypatch.setattr("sys.stdout", terminal)
        monkeypatch.setenv("COLUMNS", "64")
        path = FIXTURES / "sse" / "plain.pcapng"
        assert run(["decode", str(path), "--view", "wireshark"]) == 0
        terminal.seek(0)
        lines = terminal.read().splitlines()
    assert max(map(cell_len, lines)) == 64
    assert not any("\x1b" in line for line in lines)


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--filter"], "--filter requires --view"),
        (
            ["--view", "wireshark", "--format", "csv"],
            "cannot be combined: they choose the same thing",
        ),
        (["--view", "wireshark", "--transport", "sse"], "does not work with --view"),
        (["--view", "chrome"], "Invalid value for '--view'"),
    ],
)
def test_what_does_not_go_together(
    arguments: list[str], line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["decode", str(FIXTURES / "sse" / "plain.pcapng"), *arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert line in captured.err


def test_nothing_to_show_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    path = FIXTURES / "sse" / "plain.pcapng"
    assert run(["decode", str(path), "--view", "wireshark", "--connection", "9"]) == 0
    assert "no connection 9" in capsys.readouterr().err


def test_what_a_relay_recorded_says_so_at_once() -> None:
    blocks = Blocks()
    relay = blocks.section() + blocks.interface(options=blocks.option(15, b"wireproof relay"))
    lines = listing(relay + blocks.enhanced(1, Talk().frame("client", b"a")))
    assert lines[0] == "recorded by relay: packet boundaries are its reads"
    assert [row.number for row in rows(lines)] == ["1"]
