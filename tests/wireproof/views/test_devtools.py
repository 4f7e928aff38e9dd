"""The panels of DevTools, from records."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from io import StringIO
from pathlib import Path

import pytest
from msgspec.structs import replace
from rich.cells import cell_len
from support.corpus import ROOT
from support.handmade import Wire, chunked
from support.stored import SMALL, name

from parsers.records import Record
from wireproof import decode
from wireproof.cli import run
from wireproof.text.moments import clock
from wireproof.views import devtools
from wireproof.views.devtools import DevToolsView

FIXTURES = ROOT / "fixtures"
SENT = "    tcp.stream == 0 && frame.number == "


def shown(records: Sequence[Record], width: int | None = None, filters: bool = False) -> list[str]:
    stream = StringIO()
    view = DevToolsView(stream, width, filters=filters)
    view.write(records)
    view.flush()
    view.close()
    return stream.getvalue().splitlines()


def panel(lines: list[str], title: str) -> list[str]:
    """Return the lines of a panel, without their indent."""
    start = next(n for n, line in enumerate(lines) if line.startswith(title)) + 1
    end = next(n for n in range(start, len(lines)) if not lines[n].startswith("  "))
    return [line[2:] for line in lines[start:end]]


def test_an_event_stream() -> None:
    lines = shown(list(decode(FIXTURES / "sse" / "plain.pcapng")))
    assert lines[0] == "── Exchange 0 of connection 0, frames 4-32 ──"
    general = panel(lines, "Headers: General")
    assert general[0].startswith("Request URL: http://127.0.0.1:")
    assert general[1:] == ["Request Method: GET", "Status Code: 200 OK"]
    assert "content-type: text/event-stream; charset=utf-8" in panel(lines, "Headers: Response")
    assert "Accept: text/event-stream" in panel(lines, "Headers: Request")
    events = panel(lines, "EventStream")
    assert len(events) == 10
    assert events[0].startswith("1  message  This is  19:55:27.073")
    assert events[8].startswith("9  done  8 messages\\n84 characters  ")
    assert events[9] == "not shown by DevTools: 3 comments"
    response = panel(lines, "Response (raw)")
    assert response[:4] == [
        "body complete (last chunk): 452 bytes",
        "id: 1\\r",
        "event: message\\r",
        "data: This is\\r",
    ]
    connection, first, second, _ = lines[-4:]
    assert connection.startswith("Connection 0: 127.0.0.1:")
    assert connection.endswith("http/1.1, closed by the client (FIN), then the server")
    assert first.startswith("  FIN by the client (packet 34, 19:55:27.161")
    assert second.startswith("  FIN by the server (packet 35, 19:55:27.161")


def test_a_websocket() -> None:
    lines = shown(list(decode(FIXTURES / "websocket" / "plain.pcapng")))
    messages = panel(lines, "Messages")
    assert messages[0].startswith("↓       7  ")
    assert messages[0].endswith("  This is")
    assert [message[0] for message in messages[8:12]] == ["↑", "↓", "↑", "↓"]
    assert messages[10].startswith("↑   Close  ")
    assert messages[10].endswith("1000 normal closure")
    assert messages[12:] == ["not shown by DevTools: 3 pings, 3 pongs"]
    assert not any(line.startswith("Response (raw)") for line in lines)


def test_filters() -> None:
    lines = shown(list(decode(FIXTURES / "sse" / "plain.pcapng")), filters=True)
    assert panel(lines, "EventStream")[1] == (SENT + "8")[2:]
    assert panel(lines, "Headers: Request")[-1] == (SENT + "4")[2:]
    assert panel(lines, "Headers: Response")[-1] == (SENT + "6")[2:]
    assert lines[-2] == "    tcp.stream == 0"
    records = list(decode(FIXTURES / "websocket" / "plain.pcapng"))
    assert panel(shown(records, filters=True), "Messages")[1] == (SENT + "8")[2:]


@pytest.mark.parametrize("path", SMALL, ids=name)
def test_every_capture_is_safe_to_print_and_as_wide_as_the_terminal(path: Path) -> None:
    records = list(decode(path))
    whole, narrow = shown(records), shown(records, 40)
    assert len(whole) == len(narrow)
    assert max(map(cell_len, narrow)) <= 40
    assert all(line.replace("\u200d", "").isprintable() for line in whole)


def test_what_comes_from_the_wire_is_escaped() -> None:
    evil = "\x1b]0;evil\x07\u202e"
    wire = Wire()
    records = [
        wire.request(f"/{evil}", (evil, evil)),
        wire.response((evil, evil)),
        wire.chunk(evil),
        wire.event(event=evil, data=evil, id=evil),
        wire.message(evil),
        wire.frame("close", close_code=1000, close_reason=evil),
        wire.fault(summary=evil),
    ]
    lines = shown(records)
    assert all(line.isprintable() for line in lines)
    assert sum(line.count("\\x1b]0;evil\\x07\\u202e") for line in lines) >= 10


def test_a_request_that_has_no_host_or_names_it() -> None:
    wire = Wire()
    absolute = wire.request("http://example/a")
    assert "  Request URL: http://example/a" in shown([absolute])
    absolute.headers.clear()
    assert "  Request URL: /b" in shown([replace(absolute, target="/b")])


def test_a_response_whose_request_was_not_captured() -> None:
    wire = Wire()
    lines = shown([wire.response(("A", "b")), wire.chunk("x"), wire.chunk(), wire.body()])
    assert lines[1:] == [
        "Headers: General",
        "  Status Code: 200 OK",
        "Headers: Response Headers",
        "  A: b",
        "Response (raw)",
        "  body complete (last chunk): 98 bytes",
        "  x",
        "",
    ]


def test_what_a_request_carries_has_no_panel() -> None:
    wire = Wire()
    records = [wire.chunk("upload", sender="client"), wire.body(sender="client")]
    assert shown(records) == []


def test_a_response_that_is_no_text() -> None:
    data = b64encode(bytes(range(250, 256)) * 3).decode()
    lines = shown([Wire().chunk(data, "base64", size=18)])
    assert lines[1:] == [
        "Response (raw)",
        "  fa fb fc fd fe ff fa fb fc fd fe ff fa fb fc fd",
        "  fe ff",
        "",
    ]


def test_a_long_response_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devtools, "MAX_RESPONSE", 6)
    wire = Wire()
    text = "ab\ncä€"  # the limit lies inside the last character but one
    data = text.encode()
    chunks = [wire.chunk(text, size=len(data)), wire.chunk("more", size=4)]
    assert shown(chunks)[1:] == [
        "Response (raw)",
        "  ab",
        "  cä",
        f"  … {len(data) - 2} more bytes",
        "",
    ]


def test_a_long_response_that_is_no_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devtools, "MAX_RESPONSE", 4)
    lines = shown([Wire().chunk("//79/A==", "base64", size=4)])
    assert lines[2] == "  ff fe fd fc"


def test_chunks_without_their_data_are_counted() -> None:
    wire = Wire()
    assert shown([wire.chunk("", size=7, trailers=None)])[1:] == [
        "Response (raw)",
        "  … 7 more bytes",
        "",
    ]


def test_blocks_that_are_no_events() -> None:
    wire = Wire()
    records = [
        wire.event(("", "a"), dispatched=False),
        wire.event(("id", "a"), dispatched=False),
        wire.event(dispatched=False),
        wire.event(data=None, id="7", event="tok"),
    ]
    lines = shown(records)
    assert panel(lines, "EventStream") == [
        f"7  tok    {clock(records[-1].last_time)}",
        "not shown by DevTools: 1 comment",
        "not shown by DevTools: 2 undispatched blocks",
    ]


def test_binary_messages_and_closes_without_a_reason() -> None:
    wire = Wire()
    data = b64encode(bytes(100)).decode()
    lines = shown(
        [
            wire.message(data, type="binary", encoding="base64", size=100, sender="client"),
            wire.message("AAE=", type="binary", encoding="base64", size=2),
            replace(wire.message(size=9), data=None),
            wire.frame("close", close_code=None),
            wire.frame("close", close_code=4000, close_reason="why"),
            wire.frame("text"),
        ]
    )
    messages = panel(lines, "Messages")
    assert messages[0].startswith("↑     100  ")
    assert messages[0].endswith(f"Binary: {'00 ' * 47}00…")
    assert messages[1].endswith("Binary: 00 01")
    assert messages[2].startswith("↓       9  ")
    assert messages[3].endswith("no status code")
    assert messages[4].endswith('4000 private use "why"')
    assert len(messages) == 5


def test_issues_stand_with_their_exchange_or_by_themselves() -> None:
    wire = Wire()
    lines = shown([wire.request(), wire.gap(), wire.fault()], filters=True)
    assert panel(lines, "Issues") == [
        "! 52 bytes not captured (frame 5)",
        SENT[2:] + "5",
        "! error: the stream ended without the last chunk (frame 5; chunk-last-missing; RFC 9112 "
        "section 8)",
        SENT[2:] + "5",
    ]
    outside = [
        wire.fault(connection=None, exchange=None, reference=""),
        wire.fault(connection=None, exchange=None, first_packet=0, last_packet=0),
    ]
    lines = shown(outside, filters=True)
    assert lines[:2] == [
        "  ! error: the stream ended without the last chunk (frame 5; chunk-last-missing)",
        "    frame.number == 5",
    ]
    assert len(lines) == 3


def test_exchanges_are_printed_when_the_next_one_is_answered() -> None:
    """Not at the end of their body: after that surplus bytes may come, and are theirs."""
    stream = StringIO()
    view = DevToolsView(stream, None)
    *records, _ = chunked()
    view.write(records)
    view.write([Wire().fault(code="http-surplus")])
    assert "Exchange 0" not in stream.getvalue()
    view.write([Wire(exchange=1).request(), Wire(exchange=1).response()])
    assert stream.getvalue().count("Exchange") == 1
    assert "http-surplus" in stream.getvalue()
    view.close()
    assert stream.getvalue().count("Exchange") == 2


def test_surplus_bytes_stand_with_what_they_follow() -> None:
    lines = shown(list(decode(FIXTURES / "field" / "sse-content-length-0.pcap")))
    assert [line for line in lines if line.startswith("──")] == [
        "── Exchange 0 of connection 0, frames 4-14 ──"
    ]
    assert "surplus bytes" in panel(lines, "Issues")[0]


def test_one_without_a_body_is_printed_when_the_next_one_is_answered() -> None:
    first, second = Wire(exchange=0), Wire(exchange=1)
    records = [first.request("/a"), first.response(status=304, framing="none")]
    records += [second.request("/b"), second.response(), second.body()]
    titles = [line for line in shown(records) if line.startswith("──")]
    assert [title.split(" of ")[0] for title in titles] == ["── Exchange 0", "── Exchange 1"]


def test_open_exchanges_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devtools, "MAX_EXCHANGES", 2)
    stream = StringIO()
    view = DevToolsView(stream, None)
    for number in range(5):
        view.write([Wire(exchange=number).request()])
    assert stream.getvalue().count("Exchange") == 3
    view.close()
    assert stream.getvalue().count("Exchange") == 5


def test_what_is_kept_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devtools, "MAX_KEPT", 10_000)
    wire = Wire()
    records = [wire.event(data="x" * 5_000) for _ in range(30)]
    lines = shown(records)
    assert sum(line.startswith("──") for line in lines) > 1
    assert sum("x" * 1_000 + "…" in line for line in lines) == 30


def test_lines_of_a_panel_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devtools, "MAX_PANEL_LINES", 3)
    wire = Wire()
    lines = shown([wire.event(data=str(n)) for n in range(5)])
    assert panel(lines, "EventStream")[3:] == ["… 2 more lines"]


def test_the_time_of_day() -> None:
    assert clock(1_790_000_000.25) == "14:13:20.250000"


def test_the_command(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path, output = FIXTURES / "sse" / "plain.pcapng", tmp_path / "out.txt"
    assert run(["decode", str(path), "--view", "devtools", "--transport", "sse"]) == 0
    text = capsys.readouterr().out
    assert text.splitlines() == shown(list(decode(path)))
    arguments = ["--view", "devtools", "--filter", "--jobs", "2", "-o", str(output)]
    assert run(["decode", str(path), *arguments]) == 0
    assert output.read_text().splitlines() == shown(list(decode(path)), filters=True)
    assert run(["decode", str(path), "--view", "devtools", "--transport", "websocket"]) == 0
    assert "no websocket exchange" in capsys.readouterr().err


def test_what_a_relay_recorded_says_so() -> None:
    relayed = Wire().end(recorded_by="relay")
    assert shown([relayed])[1] == "recorded by relay: packet boundaries are its reads"
