"""The list of exchanges: for people within 100 columns, for scripts and for spreadsheets."""

from __future__ import annotations

import csv
import json
from io import StringIO

import pytest
from rich.console import Console
from support.outcomes import EVIL, listed

from wireproof.analysis.listing import Listed, SessionName
from wireproof.views.exchange_list import FORMATS, TableList, brief

CHAT = listed(
    number=12,
    method="POST",
    target="/v1/chat/completions",
    sessions=[SessionName("mcp-session-id", "7f3a")],
)
PING = listed(
    number=13,
    target="/ping?" + "x" * 60,
    transport="http",
    status=404,
    first=None,
    last=None,
    count=0,
    verdict="",
    end="",
    severity="ok",
    client=None,
    sessions=[SessionName("mcp-session-id", "7f3a")],
)
EXPECTED = """\
   # Ports       Request                  Transport   First    Last  Count Verdict, end
  12 40000→8000  POST /v1/chat/compl… 200 sse        951 ms  951 ms     16 held, whole
  13 ?→8000      GET /ping?xxxxxxxxx… 404 http                           0

mcp-session-id 7f3a: exchanges 12, 13
"""


def printed(*rows: Listed, width: int = 100, sources: tuple[str, ...] = ("a",)) -> str:
    stream = StringIO()
    view = TableList(Console(file=stream), width, named=len(sources) > 1)
    for source in sources:
        for row in rows:
            view.add(source, row)
    view.close()
    return stream.getvalue()


def test_a_line_for_each_and_the_sessions_below() -> None:
    assert printed(CHAT, PING) == EXPECTED


@pytest.mark.parametrize("width", [60, 100, 160])
def test_lines_fit_the_width(width: int) -> None:
    long = listed(verdict="keep-alive-masked", end="app-incomplete", number=123_456)
    lines = printed(CHAT, PING, long, width=width).splitlines()
    assert max(map(len, lines)) <= width
    if width == 160:
        assert "POST /v1/chat/completions " in lines[1]


def test_a_verdict_that_is_longer_than_its_column_goes_on_below() -> None:
    """In the words of `explain`, whole: scripts look for them."""
    sealed = listed(verdict="streamed", end="close-notify-missing", number=None)
    _, first, below = printed(sealed, sources=("a",)).splitlines()
    assert first.endswith(" 16 streamed,")
    assert below == " " * first.index("streamed") + "close-notify-missing"


def test_each_of_several_files_is_named() -> None:
    text = printed(CHAT, sources=("a.pcapng", "b\n.pcapng"))
    assert [line for line in text.splitlines() if "pcapng" in line] == ["a.pcapng", "b\\n.pcapng"]


def test_sessions_of_two_files_are_apart() -> None:
    assert "mcp-session-id" not in printed(CHAT, sources=("a", "b"))


def test_nothing_from_the_wire_commands_the_terminal() -> None:
    assert "\x1b" not in printed(EVIL.listed, width=160)
    assert "\\x1b[31m\\u202e" in printed(EVIL.listed, width=160)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, ""),
        (0.000_02, "20 µs"),
        (0.0128, "12.8 ms"),
        (0.0995, "100 ms"),
        (0.9512, "951 ms"),
        (1.5, "1.50 s"),
        (61.4, "61.40 s"),
        (3_600.0, "3600 s"),
        (-0.003, "-3.0 ms"),
    ],
)
def test_times_are_brief(seconds: float | None, text: str) -> None:
    assert brief(seconds) == text
    assert len(text) <= 7


def exported(form: str, *rows: Listed) -> str:
    stream = StringIO()
    view = FORMATS[form](stream, False)
    for row in rows:
        view.add("a.pcapng", row)
    view.close()
    return stream.getvalue()


def test_json_is_an_array_with_an_exchange_a_line() -> None:
    text = exported("json", CHAT, EVIL.listed)
    found = json.loads(text)
    assert [(one["number"], one["file"]) for one in found] == [(12, "a.pcapng"), (6, "a.pcapng")]
    assert found[0]["sessions"] == [{"field": "mcp-session-id", "id": "7f3a"}]
    assert text.count("\n") == 4
    assert json.loads(exported("json")) == []


def test_csv_has_a_row_for_each_under_one_header() -> None:
    rows = list(csv.DictReader(StringIO(exported("csv", CHAT, EVIL.listed))))
    assert [row["number"] for row in rows] == ["12", "6"]
    assert rows[0]["first"] == "0.951"
    assert json.loads(rows[0]["sessions"]) == [{"field": "mcp-session-id", "id": "7f3a"}]
    assert rows[1]["target"] == EVIL.listed.target
    assert exported("csv").count("\n") == 1
