"""Rows of many connections as they come: whose each is, and nothing that waits."""

from __future__ import annotations

import re
from io import StringIO
from time import localtime, strftime
from typing import Any

import pytest
from rich.cells import cell_len
from rich.console import Console
from support.handmade import Wire, chunked
from support.outcomes import BAD, EVIL, GOOD

from parsers.records import ConnectionRecord, Record
from wireproof.views.live import LiveTableView
from wireproof.views.table import TableView

SGR = re.compile(r"\x1b\[[0-9;]*m")


def view(width: int = 100, **options: Any) -> tuple[LiveTableView, StringIO]:
    stream = StringIO()
    console = Console(file=stream, width=width, **options)
    return LiveTableView(console), stream


def shown(*batches: list[Record], **options: Any) -> list[str]:
    live, stream = view(**options)
    for records in batches:
        live.write(records)
    live.close()
    return stream.getvalue().splitlines()


def rows_of(number: int, lines: list[str]) -> list[str]:
    """What stands after the number of a connection."""
    gutter = f"{number:>3} │"
    return [line.removeprefix(gutter)[1:] for line in lines if line.startswith(gutter)]


def table(records: list[Record], width: int) -> list[str]:
    stream = StringIO()
    alone = TableView(Console(file=stream, width=width), "FILE")
    alone.write(records)
    alone.close()
    return stream.getvalue().rstrip("\n").splitlines()


def test_the_rows_are_those_of_the_table() -> None:
    """After the number, and but for the title, which is longer there."""
    records = chunked(7)
    rows = rows_of(7, shown(records))
    assert rows[1:] == table(records, 100 - len("  7 │ "))[1:]
    end = records[-1]
    assert isinstance(end, ConnectionRecord)
    clock = strftime("%H:%M:%S", localtime(end.first_time))
    assert rows[0].startswith(f"Connection 7: {end.client} → {end.server}, begun at {clock} ──")


def test_rows_come_in_the_order_of_their_records() -> None:
    pairs = list(zip(chunked(0), chunked(1), strict=True))
    lines = shown([record for pair in pairs for record in pair])
    firsts = [line for line in lines if "This is" in line or "a large" in line]
    assert [line[:5] for line in firsts] == ["  0 │", "  1 │", "  0 │", "  1 │"]
    for number in (0, 1):
        assert rows_of(number, lines)[1:] == table(chunked(number), 94)[1:]


def test_a_row_is_there_when_its_batch_is() -> None:
    live, stream = view()
    wire = Wire()
    live.write([wire.request(), wire.events()])
    live.write([wire.chunk("data: half")])
    assert stream.getvalue().endswith("chunk 0    data: half\n")
    live.write([wire.chunk("data: more\n\n"), wire.event(("data", "halfmore"))])
    assert "halfmore" in stream.getvalue()


def test_two_halves_of_a_row_in_one_batch_make_one_row() -> None:
    wire = Wire()
    lines = shown(
        [wire.request(), wire.events()],
        [wire.chunk("data: x\n\n"), wire.event(("data", "x"))],
    )
    assert sum("data: x" in line for line in lines) == 1


def test_what_is_held_comes_before_the_row_of_another() -> None:
    one, two = Wire(1), Wire(2)
    lines = shown(
        [one.request(), one.events(), two.request(), two.response()],
        [one.chunk("data: held"), two.chunk("other"), one.chunk("x\n\n")],
    )
    texts = [line for line in lines if "chunk" in line and "│ " in line]
    assert [line[:3] for line in texts if " chunk " in line] == ["  1", "  2", "  1"]


def test_who_a_connection_is_between_is_said_when_it_begins() -> None:
    end = Wire(4).end()
    assert isinstance(end, ConnectionRecord)
    stream = StringIO()
    known = {4: end}
    live = LiveTableView(Console(file=stream, width=100), known.get)
    live.write([Wire(4).request()])
    live.write([Wire(5).request()])
    title, other = (line for line in stream.getvalue().splitlines() if "Connection" in line)
    assert title.startswith(f"  4 │ Connection 4: {end.client} → {end.server}, begun at ")
    assert other.startswith("  5 │ Connection 5 ──")


def test_that_it_began_earlier_is_said_when_it_is_seen_first() -> None:
    end = Wire(4).end(midstream=True)
    assert isinstance(end, ConnectionRecord)
    stream = StringIO()
    live = LiveTableView(Console(file=stream, width=100), {4: end}.get)
    live.write([Wire(4, exchange=None).fault()])
    assert f"{end.server}, begun before " in stream.getvalue()


def test_a_connection_that_ends_is_forgotten() -> None:
    live, _ = view()
    for number in range(10):
        live.write(chunked(number))
    assert live._open == {}


def test_faults_of_no_connection_stand_before_none() -> None:
    said = {"summary": "packets were lost", "code": "packets-dropped", "reference": ""}
    fault = Wire().fault(connection=None, exchange=None, last_packet=7, first_packet=7, **said)
    assert shown([fault]) == ["    │ ! error: packets were lost (packet 7; packets-dropped)"]


def test_a_long_number_moves_its_own_rows_only() -> None:
    lines = shown(chunked(12_345), chunked(2))
    assert {line.index("│") for line in lines if line.startswith("12345")} == {6}
    assert {line.index("│") for line in lines if line.startswith("  2")} == {4}
    assert all(cell_len(line) <= 100 for line in lines)


@pytest.mark.parametrize("width", [20, 40, 60, 100, 200])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    wire = Wire()
    lines = shown(
        [wire.request("/" + "漢字" * 50, ("X-Long", "y" * 300)), wire.response()],
        [
            wire.chunk("漢字かな交じり文" * 20),
            wire.chunk("e\u0301" * 200),
            wire.chunk("👩\u200d👩\u200d👧" * 40),
        ],
        [wire.fault(summary="a long word " + "w" * 300), wire.end()],
        width=width,
    )
    assert len(lines) > 8
    assert max(map(cell_len, lines)) <= max(width, 40)


def test_the_width_is_asked_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    stream = StringIO()
    live = LiveTableView(Console(file=stream, force_terminal=True, color_system=None))
    wire = Wire()
    live.write([wire.request(), wire.response(), wire.chunk("a" * 200)])
    live._painter._console = Console(file=stream, width=60)
    before = len(stream.getvalue())
    live.write([wire.chunk("b" * 200)])
    assert max(map(cell_len, stream.getvalue()[before:].splitlines())) == 60


def test_colours_tell_connections_apart_and_change_nothing_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    options = {"force_terminal": True, "color_system": "truecolor"}
    coloured = shown(chunked(0), chunked(1), **options)
    assert [SGR.sub("", line).rstrip() for line in coloured] == shown(chunked(0), chunked(1))
    gutters = {line.partition("│")[0] for line in coloured}
    assert len(gutters) == 2
    assert len({SGR.findall(gutter)[0] for gutter in gutters}) == 2


def test_nothing_from_the_wire_reaches_the_terminal_as_it_is() -> None:
    wire = Wire()
    lines = shown([wire.request("/\x1b[2J\u202e"), wire.response(), wire.chunk("\x1b]0;x\x07")])
    assert not any("\x1b" in line or "\u202e" in line or "\x07" in line for line in lines)


# --- verdicts ---


def test_what_came_of_an_exchange_stands_below_its_rows() -> None:
    live, stream = view()
    live.write(chunked(1)[:-1])
    live.tell(GOOD)
    live.tell(BAD)
    lines = stream.getvalue().splitlines()
    assert [line for line in lines if " /ok " in line or "/chat (" in line] == [
        "  1 │ ok      GET /ok (exchange 5, packets 12-88): streamed, whole: 16 events from 12.8 ms"
        " to 486.4",
        "  1 │ error   GET /chat (exchange 3, packets 12-88): 16 events came together, 951.0 ms"
        " after the",
    ]
    assert lines[-1] == "  1 │         request"


def test_a_verdict_of_a_connection_that_is_over_has_its_number() -> None:
    live, stream = view()
    live.write(chunked(1))
    live.tell(GOOD)
    assert stream.getvalue().splitlines()[-2].startswith("  1 │ ok      GET /ok")


def test_a_verdict_commands_no_terminal() -> None:
    live, stream = view()
    live.tell(EVIL)
    assert "\x1b" not in stream.getvalue()
