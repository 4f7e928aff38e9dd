"""What the pages quote of wireproof's output is what it prints."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import pytest
from support.corpus import ROOT

SCRIPT = ROOT / "docs" / "outputs.py"
WRITTEN: dict[str, Any] = runpy.run_path(str(SCRIPT))
PAGES = [path for path in WRITTEN["PAGES"] if WRITTEN["MARK"] in path.read_text()]
TRUNCATED = "decode fixtures/chunked/truncated.pcapng --format table"


def marked(lines: str, text: str) -> str:
    return (
        f"Before.\n\n<!-- wireproof {TRUNCATED} | lines {lines} -->\n```text\n{text}```\nAfter.\n"
    )


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_quoted_output_is_what_is_printed(path: Path) -> None:
    assert path.read_text() == WRITTEN["filled"](path.read_text()), "write it anew: make reference"


def test_the_readme_quotes_every_transport() -> None:
    readme = (ROOT / "README.md").read_text()
    commands = [block["command"] for block in WRITTEN["BLOCK"].finditer(readme)]
    for transport in ("chunked", "sse", "websocket"):
        assert any(f"fixtures/{transport}/" in command for command in commands), transport


def test_a_stale_block_is_written_anew() -> None:
    page = WRITTEN["filled"](marked("3-4, 20", "what it once said\n"))
    shown = page.split("```")[1].splitlines()[1:]
    assert shown[0].startswith("→ GET /stream/truncated HTTP/1.1 ")
    assert shown[1:3] == ["    Host: 127.0.0.1:41573", "..."]
    assert shown[3].startswith("← body INCOMPLETE (connection closed too early)")
    assert page.startswith("Before.\n") and page.endswith("```\nAfter.\n")
    assert WRITTEN["filled"](page) == page


@pytest.mark.parametrize(
    ("wanted", "shown"),
    [
        ("1-", ["one", "  two", "three"]),
        ("2", ["  two"]),
        ("1, 3", ["one", "...", "three"]),
        ("1,2-3", ["one", "  ...", "  two", "three"]),
        ("2-9", ["  two", "three"]),
    ],
)
def test_lines_are_cut(wanted: str, shown: list[str]) -> None:
    assert WRITTEN["cut"](["one", "  two", "three"], wanted) == shown


def test_lines_that_are_not_there_are_refused() -> None:
    with pytest.raises(ValueError, match="lines 4-: the output has 3"):
        WRITTEN["cut"](["one", "two", "three"], "4-")


def test_a_mark_without_a_block_is_refused() -> None:
    with pytest.raises(ValueError, match="not followed by a block"):
        WRITTEN["filled"](marked("1-", "").replace("```text", "```console"))


def test_pages_without_marks_stay_as_they_are() -> None:
    assert WRITTEN["filled"]("# A page\n\n```text\nwhat it says\n```\n").endswith("says\n```\n")
