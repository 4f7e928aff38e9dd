"""Verdicts for people: a line for what is fine, a block for what is not."""

from __future__ import annotations

from io import StringIO

from rich.console import Console
from support.outcomes import EVIL, shown

from wireproof.analysis.outcomes import Outcome
from wireproof.views.verdicts.table import TableView

EXPECTED = """\
error   GET /chat (exchange 3, packets 12-88): 16 events came together, 951.0 ms after the request
  streaming  held: packets 12, 88
    either   compressor-not-flushed: gzip, 2 chunks → flush it
    or       proxy-buffer → turn buffering off
    seen     one segment has them all
    to tell  a capture in front of the proxy
  ending     whole: complete (last chunk); packet 88
note    GET /chat (exchange 4, packets 12-88): streamed, whole; nothing came for 3.000 s
  streaming  streamed: 16 events came one by one
  ending     whole: complete (last chunk); packet 88
  gap        sender-silent: packets 20, 21, 22, 23, 24, 25, 26, 27 and 3 more
    cause    sender-silent: the beat is lost (likely)
    do       send keep-alives
    see      RFC 9110
ok      GET /ok (exchange 5, packets 12-88): streamed, whole: 16 events from 12.8 ms to 486.4 ms
a.pcapng: 3 exchanges: 1 ok, 1 note, 1 error
"""


def printed(*outcomes: Outcome, width: int = 100, sources: tuple[str, ...] = ("a.pcapng",)) -> str:
    stream = StringIO()
    view = TableView(Console(file=stream), width)
    if outcomes:
        shown(view, outcomes, sources)
    else:
        shown(view, sources=sources)
    return stream.getvalue()


def test_what_is_fine_is_a_line_and_what_is_not_a_block() -> None:
    assert printed() == EXPECTED


def test_of_several_files_there_is_a_total() -> None:
    text = printed(sources=("a.pcapng", "b.pcapng"))
    assert text.endswith("2 files, 6 exchanges: 2 ok, 2 notes, 2 errors\n")


def test_prose_is_broken_at_the_width() -> None:
    lines = printed(width=50).splitlines()
    assert all(len(line) <= 50 for line in lines)
    assert "".join(printed(width=50).split()).count("onesegmenthasthemall") == 1


def test_what_is_fine_is_broken_at_the_width_and_never_cut() -> None:
    text = printed(width=50)
    assert "…" not in text
    said = (
        "GET /ok (exchange 5, packets 12-88): streamed, whole: 16 events from 12.8 ms to 486.4 ms"
    )
    assert said in " ".join(text.split())


def test_colours_are_for_terminals_alone() -> None:
    stream = StringIO()
    shown(TableView(Console(file=stream, force_terminal=True, color_system="standard"), 100))
    assert "\x1b[1;31merror" in stream.getvalue()
    assert "\x1b" not in printed()


def test_no_text_from_the_wire_commands_the_terminal() -> None:
    text = printed(EVIL)
    assert "\\x1b[31m\\u202e\\n::error::x" in text
    assert all(character.isprintable() or character == "\n" for character in text)
    assert "\n::" not in text
