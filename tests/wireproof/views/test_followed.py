"""Bytes as text: a heading for each packet, turns apart, and nothing that a terminal obeys."""

from __future__ import annotations

from io import StringIO

from rich.console import Console

from wireproof.bytes.followed import Piece
from wireproof.views.followed import MAX_CELLS, FollowedText
from wireproof.views.painter import Painter


def printed(*pieces: Piece, colours: bool = False) -> list[str]:
    stream = StringIO()
    system = "standard" if colours else None
    console = Console(file=stream, color_system=system, force_terminal=colours)  # type: ignore[arg-type]
    text = FollowedText(Painter(console))
    for piece in pieces:
        text.add(piece)
    text.close()
    return stream.getvalue().splitlines()


def test_turns_stand_apart_and_packets_of_one_do_not() -> None:
    assert printed(
        Piece("client", b"a\r\nb", 4, 10.0),
        Piece("client", b"c\n", 5, 10.25),
        Piece("server", b"d", 7, 11.0),
    ) == [
        "client  packet 4  +0.000000 s  3 bytes".replace("3", "4"),
        "a\\r",
        "b",
        "client  packet 5  +0.250000 s  2 bytes",
        "c",
        "",
        "server  packet 7  +1.000000 s  1 byte",
        "d",
    ]


def test_what_is_missing_and_whose_content_it_is() -> None:
    assert printed(Piece("server", b"", 9, 1.0, 3, 12)) == [
        "server  exchange 3  packet 9  +0.000000 s  12 bytes missing"
    ]


def test_a_line_without_an_end_is_cut() -> None:
    lines = printed(Piece("client", b"x" * (2 * MAX_CELLS + 1), 1, 0.0))
    assert [len(line) for line in lines[1:]] == [MAX_CELLS, MAX_CELLS, 1]


def test_colours_are_ours_alone() -> None:
    lines = printed(Piece("client", b"\x1b[31mred", 1, 0.0), colours=True)
    assert "\x1b[" in lines[0]
    assert lines[1] == "\\x1b[31mred"
