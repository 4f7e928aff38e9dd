"""Styles become what a terminal obeys, and text does not."""

from __future__ import annotations

from io import StringIO

import pytest
from rich.console import Console
from rich.style import Style
from rich.text import Text

from wireproof.views.painter import MIN_WIDTH, STYLES, Painter


def painter(**options: object) -> tuple[Painter, StringIO]:
    stream = StringIO()
    return Painter(Console(file=stream, **options)), stream  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def colours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)


@pytest.mark.parametrize("system", ["standard", "256", "truecolor"])
@pytest.mark.parametrize("name", STYLES)
def test_a_style_looks_as_rich_has_it(name: str, system: str) -> None:
    made, _ = painter(force_terminal=True, color_system=system, width=80)
    expected = StringIO()
    console = Console(file=expected, force_terminal=True, color_system=system, width=80)  # type: ignore[arg-type]
    console.print(Text("[red]text", style=Style.parse(STYLES[name])), end="")
    assert made.paint([[("[red]text", name)]]) == [expected.getvalue()]


def test_pieces_stand_side_by_side() -> None:
    made, stream = painter(force_terminal=True, color_system="standard", width=80)
    made.print(made.paint([[("a", ""), ("b", "title")], []]))
    assert stream.getvalue() == "a\x1b[1mb\x1b[0m\n\n"


def test_no_colours_no_codes_and_no_trailing_blanks() -> None:
    made, stream = painter(width=80)
    made.print(made.paint([[("a ", "error"), ("  ", "title")]]))
    assert stream.getvalue() == "a\n"


def test_no_color_is_respected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    made, _ = painter(force_terminal=True, color_system="standard", width=80)
    assert made.paint([[("a", "error")]]) == ["a"]


def test_no_lines_write_nothing() -> None:
    made, stream = painter(width=80)
    made.print([])
    assert stream.getvalue() == ""


def test_the_width() -> None:
    assert painter(width=80)[0].width == 80
    assert painter(width=10)[0].width == MIN_WIDTH
    assert Painter(Console(file=StringIO(), width=80), 120).width == 120
