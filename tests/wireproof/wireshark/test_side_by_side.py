"""The comparison as a whole: what agrees, what is found, what is printed."""

from __future__ import annotations

import json
from collections.abc import Callable
from io import BytesIO, TextIOWrapper
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from scapy.layers.inet import ICMP, IP
from scapy.layers.l2 import Ether
from scapy.packet import Raw
from support.beside import (
    CHUNKED,
    GET,
    OK,
    answered,
    explained,
    rows,
    rows_of,
    tamper,
    unexplained,
    upgraded,
    without_pyshark,
)
from support.corpus import ROOT
from support.stored import STORED, name, packets
from support.talk import Talk, Tape
from support.tshark import captures

from parsers.decode.capture import decode
from parsers.records import (
    BodyRecord,
    ChunkRecord,
    ConnectionRecord,
    Record,
    RequestRecord,
    ResponseRecord,
    WebSocketFrameRecord,
    WebSocketMessageRecord,
)
from wireproof import cli
from wireproof.wireshark import side_by_side
from wireproof.wireshark.compare import Row
from wireproof.wireshark.locate import find_tshark

pytestmark = pytest.mark.tshark

PLAIN = ROOT / "fixtures" / "chunked" / "plain.pcapng"
TRAILERS = ROOT / "fixtures" / "chunked" / "trailers.pcapng"
TRUNCATED = ROOT / "fixtures" / "chunked" / "truncated.pcapng"
WEBSOCKET = ROOT / "fixtures" / "websocket" / "close-code.pcapng"


@pytest.fixture(autouse=True)
def _ask_tshark_directly(monkeypatch: pytest.MonkeyPatch) -> None:
    """What pyshark says instead is compared in its own module."""
    without_pyshark(monkeypatch)


# --- both agree ---


@pytest.fixture(scope="module")
def together(tmp_path_factory: pytest.TempPathFactory) -> dict[Path, list[Row]]:
    """What is found of each stored capture in a file of them all: tshark takes longer to start than
    to read one of them."""
    tape = Tape()
    owners: list[Path] = []
    for path in sorted(STORED, key=lambda path: packets(path)[0][1] or 0):
        tape.packets += packets(path)
        with path.open("rb") as stream:
            owners += [path] * sum(isinstance(one, ConnectionRecord) for one in decode(stream))
    file = tmp_path_factory.mktemp("together") / "all.pcapng"
    file.write_bytes(tape.file())
    found: dict[Path, list[Row]] = {path: [] for path in STORED}
    with pytest.MonkeyPatch.context() as patch:
        without_pyshark(patch)
        for row in rows(file):
            found[owners[row.stream]].append(row)
    return found


@pytest.mark.parametrize("path", STORED, ids=name)
def test_stored_captures_agree_with_wireshark(path: Path, together: dict[Path, list[Row]]) -> None:
    found = together[path]
    assert unexplained(found) == []
    is_cut = path.parent.name != "websocket" and path.stem in ("reset", "truncated")
    assert explained(found) == ({"unfinished-body"} if is_cut else set())
    elements = {row.element for row in found if row.verdict == "equal"}
    assert {"connection", "request", "chunk"} <= elements or "websocket_frame" in elements


def test_public_captures_agree_with_wireshark() -> None:
    found = {path.name: rows(path) for path in captures()}
    assert {path: differs for path in found if (differs := unexplained(found[path]))} == {}
    assert sum(row.verdict == "equal" for all_ in found.values() for row in all_) > 3_000


@pytest.mark.parametrize(
    "pieces",
    [
        (CHUNKED, b"3;a=b\r\nabc\r\n0;x\r\nT: 1\r\n\r\n"),
        (OK + b"Content-Length: 5\r\n\r\na\0b\xffc",),
        (b"HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n", OK + b"Content-Length: 0\r\n\r\n"),
        (OK + b"\r\nuntil", b" the close"),
        (OK + b"A: 1\r\nB:2 \r\nA:\t3\r\nContent-Length: 1\r\n\r\n", b"x"),
    ],
    ids=["extension", "nul", "interim", "close", "headers"],
)
def test_responses_agree(pieces: tuple[bytes, ...], tmp_path: Path) -> None:
    found = rows_of(tmp_path, answered(*pieces))
    assert unexplained(found) == []
    assert explained(found) == set()


def test_pipelined_responses_in_one_segment_agree(tmp_path: Path) -> None:
    """Positions count in the packet for some of its layers, in a put-together buffer for others."""
    talk = Talk().open()
    talk.client(GET * 4)
    chunked = CHUNKED + b"3\r\nabc\r\n0\r\n\r\n"
    fixed = OK + b"Content-Length: 2\r\n\r\nhi"
    talk.server(chunked * 2, fixed[:-1], fixed[-1:] + fixed)
    talk.close()
    found = rows_of(tmp_path, talk.tape.file())
    assert unexplained(found) == []
    assert explained(found) == set()
    assert sum(row.element == "response" and row.field == "status" for row in found) == 4


def test_segments_out_of_order_agree_about_arrival(tmp_path: Path) -> None:
    talk = Talk().open()
    talk.client(GET)
    late, early = (talk.frame("server", data) for data in (CHUNKED, b"3\r\nabc\r\n0\r\n\r\n"))
    talk.tape.add(early)
    talk.tape.add(late)
    talk.close()
    found = rows_of(tmp_path, talk.tape.file())
    assert unexplained(found) == []
    chunk = {row.field: row.wireshark for row in found if row.element == "chunk"}
    assert (chunk["first_packet"], chunk["last_packet"]) == (5, 6)


def test_binary_messages_and_fragments_agree(tmp_path: Path) -> None:
    frames = b"\x82\x03\0\xff\1", b"\x02\x02\0\xff\0\1\1", b"\x80\1a\x81\0\x88\x05\x03\xe9bye"
    found = rows_of(tmp_path, upgraded(*frames))
    assert unexplained(found) == []
    assert explained(found) == set()
    messages = [row.wireshark for row in found if row.field == "message"]
    assert messages == [b"\x00\xff\x01", b"\x00\xff\x01a", None]


@pytest.mark.parametrize("is_asked", [True, False], ids=["tshark", "pyshark"])
def test_what_an_icmp_error_quotes_is_no_packet_of_tcp(
    is_asked: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor is a connection of which nothing but that was captured."""
    if not is_asked:
        monkeypatch.undo()
    talk = Talk().open()
    talk.client(GET)
    unseen = Talk(client_port=40_007).frame("client", GET)
    for quoted in (talk.tape.packets[-1][4], unseen):
        talk.tape.add(bytes(icmp_error(quoted)))
    talk.server(OK + b"Content-Length: 0\r\n\r\n")
    talk.close()
    found = rows_of(tmp_path, talk.tape.file())
    assert unexplained(found) == []
    assert explained(found) == set()


def icmp_error(frame: bytes) -> Ether:
    """A router's error about a packet, of which it quotes as much as RFC 792 asks for."""
    router = IP(src="192.0.2.9", dst="127.0.0.1")
    return Ether(frame[:14]) / router / ICMP(type=3, code=3) / Raw(frame[14:42])


# --- tampered decodings are found ---

Change = Callable[[Any], Any]


def set_(**values: Any) -> Change:
    def change(record: Any) -> Any:
        assert all(getattr(record, field) != value for field, value in values.items())
        return replace(record, **values)

    return change


def swap_headers(record: Any) -> Any:
    first, second, *rest = record.headers
    return replace(record, headers=[second, first, *rest])


def add(field: str, difference: float) -> Change:
    def change(record: Any) -> Any:
        return replace(record, **{field: getattr(record, field) + difference})

    return change


TAMPERED: list[tuple[str, Path, type, Change, str]] = [
    ("chunk size", PLAIN, ChunkRecord, set_(size=8), "size"),
    ("chunk data", PLAIN, ChunkRecord, set_(data="This iS"), "data"),
    ("arrival time", PLAIN, ChunkRecord, add("last_time", 0.000_01), "last_time"),
    ("arrival packet", PLAIN, ChunkRecord, set_(first_packet=7), "first_packet"),
    ("method", PLAIN, RequestRecord, set_(method="POST"), "method"),
    ("swapped header", PLAIN, RequestRecord, swap_headers, "header 0"),
    ("status", PLAIN, ResponseRecord, set_(status=201), "status"),
    ("content", PLAIN, BodyRecord, set_(sha256="00" * 32), "content"),
    ("offset", PLAIN, ResponseRecord, add("offset", 1), "all"),
    ("stream", PLAIN, ConnectionRecord, add("packets", 1), "packets"),
    ("trailer", TRAILERS, ChunkRecord, set_(trailers=[("A", "1")]), "trailers"),
    ("masking key", WEBSOCKET, WebSocketFrameRecord, set_(masking_key="00" * 4), "masking_key"),
    ("fin", WEBSOCKET, WebSocketFrameRecord, set_(fin=False), "fin"),
    ("rsv", WEBSOCKET, WebSocketFrameRecord, set_(rsv1=True), "rsv"),
    ("opcode", WEBSOCKET, WebSocketFrameRecord, set_(opcode=2), "opcode"),
    ("length", WEBSOCKET, WebSocketFrameRecord, add("payload_length", 1), "payload_length"),
    ("text", WEBSOCKET, WebSocketMessageRecord, set_(data="This was"), "message"),
    ("close code", WEBSOCKET, WebSocketFrameRecord, set_(close_code=1002), "close_code"),
]


@pytest.mark.parametrize(
    ("path", "kind", "change", "field"),
    [case[1:] for case in TAMPERED],
    ids=[case[0] for case in TAMPERED],
)
def test_a_tampered_decoding_is_found(
    path: Path, kind: type, change: Change, field: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def tampered(records: list[Record]) -> list[Record]:
        of_kind = [record for record in records if isinstance(record, kind)]
        # The last of its kind: of frames the close, of chunks the one with the trailers.
        is_last = field in ("close_code", "trailers", "fin", "masking_key")
        chosen = of_kind[-1] if is_last else of_kind[0]
        return [change(record) if record is chosen else record for record in records]

    tamper(monkeypatch, tampered)
    found = unexplained(rows(path))
    assert field in [name for _, _, name in found]


@pytest.mark.parametrize(
    ("path", "kind", "verdict"),
    [(PLAIN, ChunkRecord, "chunk"), (WEBSOCKET, WebSocketFrameRecord, "websocket_frame")],
)
def test_a_lost_element_is_found(
    path: Path, kind: type, verdict: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lose(records: list[Record]) -> list[Record]:
        lost = next(record for record in records if isinstance(record, kind))
        return [record for record in records if record is not lost]

    tamper(monkeypatch, lose)
    assert ("only Wireshark", verdict, "all") in unexplained(rows(path))


# --- what is printed ---


def test_the_table_prints_differences_first_then_counts(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def tampered(records: list[Record]) -> list[Record]:
        chunk = next(record for record in records if isinstance(record, ChunkRecord))
        changed = replace(chunk, data="This\x1b[0m" + "x" * 100)
        request = next(record for record in records if isinstance(record, RequestRecord))
        request.headers.append(("X", "1"))
        return [changed if record is chunk else record for record in records]

    tamper(monkeypatch, tampered)
    assert cli.run(["compare", str(PLAIN)]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("only wireproof: frame 4, stream 0, request from the client at 0, ")
    assert lines[0].endswith(": wireproof 'X: 1', Wireshark nothing")
    assert lines[1].startswith("differs: frame 8, stream 0, chunk from the server at 223, data: ")
    assert "\\x1b[0mxxx" in lines[1]
    assert "…" in lines[1]
    assert lines[1].endswith("Wireshark 'This is'")
    assert lines[2:] == [
        f"{find_tshark()}: 1 differs, 1 only wireproof, 0 only Wireshark, 0 explained, 108 equal"
    ]


def test_the_table_cites_what_explains(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["compare", str(TRUNCATED)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("explained: 6 differences (unfinished-body; tshark 4.0 and later): ")
    assert lines[1].startswith("  first: frame 18, stream 0, response from the server at 0, all: ")
    assert lines[2].endswith("wireproof 'size 9', Wireshark nothing")
    assert "0 differs" in lines[3]


def test_a_single_explained_difference_is_cited_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "empty.pcapng"
    path.write_bytes(upgraded(b"\x01\x02h\xc3", b"\x80\0"))
    assert cli.run(["compare", str(path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("explained: 1 difference (empty-last-fragment; ")
    assert lines[1].endswith("message: wireproof 68 c3, Wireshark nothing")
    assert len(lines) == 3


def test_json_has_every_row(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["compare", str(TRUNCATED), "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["wireshark"] == str(find_tshark())
    verdicts = [row["verdict"] for row in found["rows"]]
    assert found["counts"] == {verdict: verdicts.count(verdict) for verdict in found["counts"]}
    assert len(verdicts) == 57
    cited = [row for row in found["rows"] if row["explanation"] == "unfinished-body"]
    assert len(cited) == 6
    assert all(row["reason"] and row["versions"] for row in cited)


def test_json_has_bytes_in_hex(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "binary.pcapng"
    path.write_bytes(upgraded(b"\x82\x02\0\xff"))
    assert cli.run(["compare", str(path), "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)["rows"]
    message = next(row for row in found if row["field"] == "message")
    assert (message["wireproof"], message["wireshark"]) == ("hex:00ff", "hex:00ff")


def test_a_capture_without_tcp_has_no_rows(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "nothing.pcapng"
    path.write_bytes(Talk().tape.file())
    assert cli.run(["compare", str(path), "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["rows"] == []


def test_standard_input_is_compared(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", TextIOWrapper(BytesIO(PLAIN.read_bytes())))
    assert cli.run(["compare", "-"]) == 0
    assert "109 equal" in capsys.readouterr().out


def test_a_capture_that_is_cut_is_compared(tmp_path: Path) -> None:
    path = tmp_path / "cut.pcapng"
    path.write_bytes(PLAIN.read_bytes()[:-250])
    assert unexplained(rows(path)) == []


# --- what cannot be done ---


def test_without_tshark_it_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    assert cli.run(["compare", str(PLAIN)]) == 3
    said = capsys.readouterr().err
    assert said.startswith("wireproof: tshark is not on PATH; get it with: apt-get install tshark")
    assert said.count("\n") == 1


def test_what_is_no_capture_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "text"
    path.write_bytes(b"no capture at all")
    assert cli.run(["compare", str(path)]) == 2
    assert cli.run(["compare", str(tmp_path / "none")]) == 2
    said = capsys.readouterr().err.splitlines()
    assert ["not a capture file" in said[0], "No such file" in said[1], len(said)] == [
        True,
        True,
        2,
    ]


def test_a_crash_of_tshark_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fake = tmp_path / "tshark"
    fake.write_text(
        '#!/bin/sh\n[ "$1" = --version ] && echo "TShark (Wireshark) 4.0.17" && exit 0\n'
        'echo "Running as user root" >&2; echo "out of luck" >&2; exit 4\n'
    )
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    assert cli.run(["compare", str(PLAIN)]) == 2
    said = capsys.readouterr().err
    assert said == f"wireproof: {PLAIN}: tshark ended with exit code 4: out of luck\n"


def test_a_reader_that_leaves_ends_it_quietly(monkeypatch: pytest.MonkeyPatch) -> None:
    def leave(*_: object) -> bool:
        raise BrokenPipeError

    monkeypatch.setattr(side_by_side, "run", leave)
    monkeypatch.setattr("os.dup2", lambda *_: None)
    assert cli.run(["compare", str(PLAIN)]) == cli.UNREAD


def test_the_table_prints_numbers_as_they_are(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def tampered(records: list[Record]) -> list[Record]:
        response = next(found for found in records if isinstance(found, ResponseRecord))
        changed = replace(response, status=201)
        return [changed if record is response else record for record in records]

    tamper(monkeypatch, tampered)
    assert cli.run(["compare", str(PLAIN)]) == 1
    assert "status: wireproof 201, Wireshark 200\n" in capsys.readouterr().out
