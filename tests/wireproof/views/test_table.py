"""Tables of all connections: whose turn it is, what may wait, and what reaches the terminal."""

from __future__ import annotations

import re
from io import StringIO
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from rich.console import Console
from support.handmade import Wire, chunked

from parsers.records import ChunkRecord, Record, SseEventRecord
from wireproof.analysis.packet_comments import with_events
from wireproof.views import table
from wireproof.views.connection import ConnectionTable
from wireproof.views.painter import STYLES
from wireproof.views.sse import MAX_FIELDS_SHOWN, _usual_lines, count_lines, plain_lines
from wireproof.views.table import TableView

SGR = re.compile(r"\x1b\[[0-9;]*m")


def view(width: int = 100, source: str = "FILE", **options: Any) -> tuple[TableView, StringIO]:
    stream = StringIO()
    console = Console(file=stream, width=width, **options)
    return TableView(console, source), stream


def terminal(records: list[Record], **options: Any) -> str:
    shown, stream = view(force_terminal=True, color_system="truecolor", **options)
    shown.write(records)
    shown.close()
    return stream.getvalue()


def connections_of(text: str) -> list[str]:
    return re.findall(r"^Connection (\d+)", text, re.MULTILINE)


def test_the_oldest_connection_prints_as_its_records_come() -> None:
    shown, stream = view()
    records = chunked()
    shown.write(records[:3])
    assert "This is" in stream.getvalue()
    assert "a large" not in stream.getvalue()
    shown.write(records[3:4])
    assert stream.getvalue().endswith(" a large\n")


def test_others_wait_for_their_turn_and_then_go_on_live() -> None:
    shown, stream = view()
    first, second, third = chunked(0), chunked(1), chunked(2)
    shown.write([first[0], *second[:3], *third])
    assert connections_of(stream.getvalue()) == ["0"]
    shown.write(first[1:])
    # The second one has its turn, and what it had; it is open, so the third one still waits.
    assert connections_of(stream.getvalue()) == ["0", "1"]
    assert stream.getvalue().count("This is") == 2
    shown.write(second[3:4])
    assert stream.getvalue().endswith("a large\n")
    shown.write(second[4:])
    assert connections_of(stream.getvalue()) == ["0", "1", "2"]
    before = stream.getvalue()
    shown.close()
    assert stream.getvalue() == before


def test_interleaved_connections_give_what_they_give_one_by_one() -> None:
    shown, stream = view()
    shown.write([record for pair in zip(chunked(0), chunked(1), strict=True) for record in pair])
    shown.close()
    alone, expected = view()
    alone.write(chunked(0) + chunked(1))
    alone.close()
    assert stream.getvalue() == expected.getvalue()


def test_close_prints_what_still_waits() -> None:
    shown, stream = view()
    shown.write([*chunked(0)[:2], *chunked(1)[:3]])
    shown.close()
    assert connections_of(stream.getvalue()) == ["0", "1"]
    assert stream.getvalue().endswith("This is\n")


@pytest.mark.parametrize("end", ["flush", "close"])
def test_what_is_held_for_its_meaning_is_printed_at_the_end(end: str) -> None:
    shown, stream = view()
    shown.flush()
    wire = Wire()
    shown.write([wire.request(), wire.events(), wire.chunk("data: half")])
    assert "half" not in stream.getvalue()
    getattr(shown, end)()
    assert "chunk 0    data: half" in stream.getvalue()


def test_faults_of_the_file_are_printed_at_once() -> None:
    shown, stream = view()
    fault = Wire().fault(connection=None, exchange=None, summary="the capture file is damaged")
    shown.write([fault])
    assert stream.getvalue().startswith("! error: the capture file is damaged (")


def test_lines_that_wait_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "MAX_WAITING_LINES", 6)
    shown, stream = view(width=200, source="a\x1b.pcap")
    first = chunked(0)
    shown.write([first[0], *chunked(1), *chunked(2), *chunked(3)])
    shown.write(first[1:])
    shown.write(chunked(4))
    shown.close()
    text = stream.getvalue()
    assert connections_of(text) == ["0", "1", "4"]
    left_out = [line for line in text.splitlines() if "left out" in line]
    kept = text.partition("Connection 1")[2].partition("… ")[0].strip("\n").count("\n") + 1
    whole = len(text.partition("Connection 4")[2].strip("\n").splitlines())
    assert left_out == [
        f"… {whole - kept} lines left out, more waited than are kept: "
        "wireproof decode a\\x1b.pcap --connection 1 shows them",
        "… 14 records of further connections left out, more lines waited than are kept: "
        "wireproof decode a\\x1b.pcap --format ndjson shows them",
    ]


def test_what_was_left_out_is_said_at_the_end_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "MAX_WAITING_LINES", 1)
    shown, stream = view()
    shown.write([chunked(0)[0], *chunked(1)[:3], *chunked(2)[:3]])
    shown.close()
    assert "--connection 1" in stream.getvalue()
    assert "… 3 records of further connections left out" in stream.getvalue()


def test_a_pipe_gets_no_colours_and_no_trailing_blanks() -> None:
    shown, stream = view()
    shown.write(chunked())
    assert "\x1b" not in stream.getvalue()
    assert not re.search(r" $", stream.getvalue(), re.MULTILINE)


def test_a_terminal_gets_colours_unless_it_asks_for_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert SGR.search(terminal(chunked()))
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in terminal(chunked())


def test_colours_change_nothing_but_colours() -> None:
    shown, stream = view()
    shown.write(chunked())
    shown.close()
    plain = [line.rstrip() for line in SGR.sub("", terminal(chunked())).splitlines()]
    assert plain == stream.getvalue().splitlines()


def test_every_style_that_is_used_is_known() -> None:
    assert all(isinstance(style, str) for style in STYLES.values())
    wire = Wire()
    records: list[Record] = [
        *wire.upgrade(),
        wire.frame("text", "x", "client", rsv2=True),
        wire.fault(severity="warning"),
        wire.fault(severity="note"),
        wire.gap(),
        wire.event(("data", "x"), dispatched=False),
        wire.body(complete=False, ended_by="close"),
        wire.end(close="reset"),
    ]
    assert terminal(records).count("\n") > 12


HOSTILE = st.text(
    st.one_of(
        st.sampled_from("\x1b\x9b\x07\r\n\x7f\u202e\u2028\u2029[]/\\;m"),
        st.characters(),
    ),
    max_size=40,
)


@given(HOSTILE, HOSTILE)
@settings(deadline=None, max_examples=60)
def test_no_text_from_the_wire_commands_the_terminal(name: str, value: str) -> None:
    wire = Wire()
    records: list[Record] = [
        wire.request("/" + value, (name, value), ("Upgrade", value)),
        wire.response((name, value), ("Content-Type", value), ("Sec-WebSocket-Accept", value)),
        wire.events(),
        wire.chunk(value + "x", extension=name),
        wire.event((name, value), ("data", value)),
        wire.chunk(trailers=[(name, value)]),
        wire.frame("text", value, "client"),
        wire.frame("close", "", close_code=1000, close_reason=value),
        wire.message(value, frames=2),
        wire.fault(summary=value),
        wire.body(content_encoding=value or None),
        wire.end(),
    ]
    shown = SGR.sub("", terminal(records, source=value))
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e]", shown)


def test_markup_of_the_sender_is_text() -> None:
    assert "[bold red]x[/]" in SGR.sub("", terminal([Wire().chunk("[bold red]x[/]")]))
    wire = Wire()
    assert "[link=http://x]" in terminal([wire.request("/[link=http://x]")])


EVENTS = st.builds(
    dict,
    name=st.sampled_from(("data", "event", "", "x")),
    value=st.one_of(st.text(max_size=90), st.sampled_from(('{"a": 1}', "[DONE]", "\u8a9e" * 40))),
    id=st.text(max_size=3),
    dispatched=st.booleans(),
    begun=st.sampled_from((0, 0, 0, 1, None)),
    size=st.sampled_from((9, 9, 0)),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(EVENTS, max_size=8), st.sampled_from((40, 60, 100)), st.booleans())
def test_an_event_with_its_chunk_gives_the_same_as_one_after_the_other(
    events: list[dict[str, Any]], width: int, is_json: bool
) -> None:
    wire = Wire()
    json = ("Content-Type", "application/json")
    records: list[Record] = [wire.request("/e"), wire.response(json) if is_json else wire.events()]
    for one in events:
        records.append(wire.chunk("x" * one["size"]))
        event = wire.event(
            (one["name"], one["value"]), ("id", one["id"]), data=one["value"], id=one["id"],
            dispatched=one["dispatched"],
        )  # fmt: skip
        if (begun := one["begun"]) is None:
            event = replace(event, first_chunk=None, last_chunk=None)
        elif event.last_chunk is not None:
            event = replace(event, first_chunk=max(event.last_chunk - begun, 0))
        records.append(event)
    (together, first_stream), (apart, second_stream) = view(width), view(width)
    together.write(records)
    for record in records:
        apart.write([record])
    together.close()
    apart.close()
    assert first_stream.getvalue() == second_stream.getvalue()


@given(
    events=st.lists(
        st.lists(
            st.tuples(
                st.sampled_from(["", "data", "id", "event", "e\u0301"]),
                st.text("ab \x1b\u4e00", max_size=40),
            ),
            max_size=MAX_FIELDS_SHOWN + 1,
        ),
        max_size=4,
    ),
    width=st.integers(40, 130),
    far=st.sampled_from([0, 1_000_000_000]),
)
def test_without_colours_rows_say_the_same(
    events: list[list[tuple[str, str]]], width: int, far: int
) -> None:
    wire = Wire()
    wire.packet += far  # what is wider than its column pushes the rest
    records: list[Record] = [wire.request(), wire.events()]
    for fields in events:
        records += [wire.chunk("x"), wire.event(*fields)]
    painted = SGR.sub("", terminal(records, width=width))
    shown, stream = view(width=width)
    shown.write(records)
    shown.close()
    assert stream.getvalue() == "".join(f"{line.rstrip()}\n" for line in painted.split("\n")[:-1])
    heard = [record for record in records if isinstance(record, SseEventRecord)]
    for event in heard:
        for room in (12, width):
            usual = ["".join(text for text, _ in line) for line in _usual_lines(event, room)]
            assert plain_lines(event, room) == usual
            assert count_lines(event, room) == len(usual)
    for is_plain in (True, False):
        made, skipped = (ConnectionTable(0, width, is_plain=is_plain) for _ in range(2))
        for record, after in with_events(records):
            if after is None or not isinstance(record, ChunkRecord):
                assert made.add(record) == skipped.add(record)
                continue
            lines = made.add_event(record, after)
            assert skipped.skip_event(record, after) == (None if lines is None else len(lines))
            if lines is None:
                for one in (record, after):
                    assert made.add(one) == skipped.add(one)


def test_events_for_which_there_is_no_room_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "MAX_WAITING_LINES", 6)

    def printed() -> str:
        shown, stream = view(width=100)
        wire = Wire(1)
        records: list[Record] = [chunked(0)[0], wire.request(), wire.events()]
        for text in ("a", "b" * 60, "c"):
            records += [wire.chunk(f"data: {text}\n\n"), wire.event(("data", text), data=text)]
        shown.write(records)
        shown.close()
        return stream.getvalue()

    skipped = printed()
    assert "lines left out" in skipped
    monkeypatch.setattr(
        ConnectionTable,
        "skip_event",
        lambda self, chunk, event: len(self.add_event(chunk, event) or []) or None,
    )
    assert skipped == printed()
