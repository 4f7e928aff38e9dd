"""Two recordings compared in three sections: a difference stands in the one that it belongs to."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from support.timed import CHUNKED, EVENT_STREAM, Handmade, Socket, Stream, TimedTape, event
from support.websocket_frames import KEY, frame

from wireproof.testing.exchange import Exchange
from wireproof.testing.golden import TOLERANCE, Difference, compare, differences, read, text
from wireproof.testing.golden_text import Writer

PING = b": ping\n\n"
EVENTS = [event(number) for number in range(1, 5)]


def recorded(
    pieces: Sequence[bytes] = (*EVENTS[:2], PING, *EVENTS[2:]),
    *,
    every: float = 0.05,
    fields: bytes = EVENT_STREAM + CHUNKED,
    port: int = 40_000,
    late: int | None = None,
) -> Stream:
    """A stream of these chunks, one of which is 300 ms ``late``."""
    stream = Stream("/chat", fields=fields, client_port=port)
    for number, piece in enumerate(pieces):
        stream.tape.wait(0.3 if number == late else 0)
        stream.chunks([piece], every=every)
    return stream.end()


def found(*streams: Stream) -> list[Difference]:
    """What two recordings differ in."""
    before, after = ([Writer({}).write(stream.exchange)] for stream in streams)
    assert read(text(before)) == before
    return list(differences(before, after))


def test_two_recordings_of_one_app_do_not_differ() -> None:
    dated = EVENT_STREAM + CHUNKED + b"Date: Sun, 22 Nov 2026 19:55:%d GMT\r\n"
    one = recorded(fields=dated % 26, every=0.05)
    other = recorded(fields=dated % 59, every=0.09, port=51_234)
    assert found(one, other) == []


def crlf(piece: bytes) -> bytes:
    return piece.replace(b"\n", b"\r\n")


@pytest.mark.parametrize(
    ("other", "section", "stored", "now"),
    [
        (
            recorded([crlf(piece) for piece in (*EVENTS[:2], PING, *EVENTS[2:])]),
            "framing",
            ["lines end with LF"],
            ["lines end with CRLF"],
        ),
        (
            recorded([EVENTS[0] + EVENTS[1], PING, *EVENTS[2:]]),
            "framing",
            ["each event in a chunk of its own"],
            [
                "each event in a chunk of its own, but:",
                "event 1 begins in the chunk of event 0",
            ],
        ),
        (recorded(EVENTS), "content", [": ping"], []),
        (
            recorded([*EVENTS[:2], PING, *EVENTS[3:]]),
            "content",
            ["id: 3  data: token 3"],
            [],
        ),
        (recorded(late=3), "timing", ["event 2 after 0.10 s"], ["event 2 after 0.40 s"]),
    ],
    ids=["CRLF", "merged chunk", "lost ping", "lost event", "late event"],
)
def test_a_difference_is_one_entry_in_its_section(
    other: Stream, section: str, stored: list[str], now: list[str]
) -> None:
    (difference,) = found(recorded(), other)
    assert difference == Difference("GET /chat", section, stored, now)  # type: ignore[arg-type]


def test_a_cut_stream_differs_in_framing() -> None:
    cut = Stream("/chat").chunks([*EVENTS[:2], PING, *EVENTS[2:]], every=0.05)
    cut.talk.close()
    (difference,) = found(recorded(), cut)
    assert difference.section == "framing"
    assert difference.now == ["body INCOMPLETE (connection closed too early)"]


def test_times_differ_only_beyond_what_a_busy_machine_makes_of_them() -> None:
    assert found(recorded(EVENTS, every=0.0), recorded(EVENTS, every=TOLERANCE - 0.01)) == []
    assert found(recorded(every=2.0), recorded(every=3.0)) == []
    assert found(recorded(late=0), recorded()) == []  # a server that has to warm up
    assert {entry.section for entry in found(recorded(every=2.0), recorded(every=5.0))} == {
        "timing"
    }


def test_chunks_of_text_are_framing_and_their_text_is_content() -> None:
    fields = CHUNKED + b"Content-Type: text/plain\r\n"
    plain = recorded([b"one ", b"two\n", b"three"], fields=fields)
    (difference,) = found(plain, recorded([b"one two\n", b"three"], fields=fields))
    assert difference.section == "framing"
    assert difference.stored == ["chunk of 4 bytes", "chunk of 4 bytes"]
    (difference,) = found(plain, recorded([b"one ", b"TWO\n", b"three"], fields=fields))
    assert (difference.section, difference.stored) == ("content", ["one two"])


def talk(*, masked: bytes = KEY, echo: bytes = b"hi", code: int = 1000) -> Socket:
    socket = Socket()
    socket.talk.client(frame(1, b"hello", key=masked))
    socket.talk.server(frame(9, b"1"), frame(1, echo))
    socket.talk.client(frame(10, b"1", key=masked), frame(8, code.to_bytes(2), key=masked))
    socket.talk.server(frame(8, code.to_bytes(2)))
    socket.talk.close()
    return socket


def test_websockets() -> None:
    assert found(talk(), talk(masked=b"abcd")) == []
    (difference,) = found(talk(), talk(echo=b"ho"))
    assert (difference.section, difference.now) == ("content", ["server: text ho"])
    (difference,) = found(talk(), talk(code=1001))
    assert difference.section == "framing"
    assert difference.now == [
        "Close by the client: 1001 going away",
        "Close by the server: 1001 going away",
    ]
    written = Writer({}).write(talk().exchange).sections
    assert "all frames of the client are masked" in written["framing"]
    assert "no frames of the server are masked" in written["framing"]
    assert list(written["content"][-2:]) == ["ping by the server", "pong by the client"]


def test_exchanges_that_are_gone_or_new() -> None:
    writer = Writer({})
    one, other = writer.write(recorded().exchange), writer.write(Stream("/more").end().exchange)
    assert list(differences([one], [one, other])) == [
        Difference("GET /more", "framing", [], ["an exchange GET /more"])
    ]
    assert list(differences([one, other], [other])) == [
        Difference("GET /chat", "framing", ["an exchange GET /chat"], [])
    ]


def exchanges(stream: Stream) -> list[Exchange]:
    return stream.capture.exchanges()


def check(path: Path, stream: Stream, *, update: bool = False) -> str | None:
    return compare(path, exchanges(stream), update=update, replace={})


def test_a_transcript_is_written_only_when_it_is_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "__wire__" / "test_x" / "chat.txt"
    said = check(path, recorded())
    assert said == f"there is no transcript {path}: pytest --wire-update writes it"
    assert not path.exists()
    assert check(path, recorded(), update=True) is None
    assert check(path, recorded()) is None
    assert "[framing]\n  > HTTP/1.1\n" in path.read_text()


def test_a_difference_is_told_with_its_sections(tmp_path: Path) -> None:
    path = tmp_path / "chat.txt"
    check(path, recorded(), update=True)
    said = check(
        path, recorded([*map(crlf, EVENTS[:2]), crlf(PING), *map(crlf, EVENTS[2:])], late=1)
    )
    assert said == (
        f"the wire differs in framing and timing from {path}"
        " (- stored, + now; pytest --wire-update accepts it)\n"
        "GET /chat, framing:\n"
        "  - lines end with LF\n"
        "  + lines end with CRLF\n"
        "GET /chat, timing:\n"
        "  - event 1 after 0.05 s\n"
        "  + event 1 after 0.35 s"
    )


def test_rewriting_keeps_what_does_not_differ(tmp_path: Path) -> None:
    path = tmp_path / "chat.txt"
    check(path, recorded(every=0.05), update=True)
    before = path.read_text().splitlines()
    check(path, recorded(every=0.09), update=True)
    assert path.read_text().splitlines() == before
    check(path, recorded(every=0.09, late=1), update=True)
    after = path.read_text().splitlines()
    changed = [(old, new) for old, new in zip(before, after, strict=True) if old != new]
    assert changed == [("  event 1 after 0.05 s", "  event 1 after 0.39 s")]


def test_a_file_that_was_edited_by_hand(tmp_path: Path) -> None:
    path = tmp_path / "chat.txt"
    check(path, recorded(), update=True)
    path.write_text(
        path.read_text().replace("event 0 after", "event 0 soon after").replace("# W", "W")
    )
    said = check(path, recorded())
    assert said is not None
    assert "- event 0 soon after 0.05 s" in said
    path.write_text("nothing of ours")
    said = check(path, recorded())
    assert said is not None
    assert "+ an exchange GET /chat" in said


def test_a_capture_with_several_exchanges(tmp_path: Path) -> None:
    tape = TimedTape()
    for number in range(2):
        Stream(f"/{number}", tape=tape, client_port=40_000 + number).events(1, every=0).end()
    path = tmp_path / "both.txt"
    assert compare(path, Handmade(tape).exchanges(), update=True, replace={}) is None
    assert path.read_text().count("== GET /") == 2
