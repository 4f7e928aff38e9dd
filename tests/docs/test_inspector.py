"""docs/inspector.md promises nothing that no test holds the page to: inspector.txt names a test of
each sentence, and of each row of a table. What is told of speed, a benchmark measures.

A sentence stands there with its first words; below it, tests, from tests/wireproof on.
"""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest
from support.corpus import ROOT

PAGE = (ROOT / "docs" / "inspector.md").read_text()
TABLE = Path(__file__).with_suffix(".txt").with_name("inspector.txt")
HEAD = re.compile(r"^\|.*\|\n\|[-|]+\|$", re.MULTILINE)
SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z`*(])")
NAMED = re.compile(r"`((?:wireproof/[a-z_/]+)?/?[a-z_]+\.py|wireproof/[a-z/]+)`")


def sentences() -> list[str]:
    """The sentences of the page and the rows of its tables, without pictures, code and headings."""
    text = HEAD.sub("", re.sub(r"```.*?```", "", PAGE, flags=re.DOTALL))
    found: list[str] = []
    for block in re.split(r"\n\s*\n", text):
        lines = [line for line in block.strip().splitlines() if "![" not in line]
        if not lines or lines[0].startswith("#"):
            continue
        found += lines if lines[0].startswith("|") else SENTENCE.split(" ".join(lines))
    return found


def table() -> dict[str, list[str]]:
    """The tests of each sentence, by its first words."""
    found: dict[str, list[str]] = {}
    for line in TABLE.read_text().splitlines():
        if line.startswith("    "):
            found[next(reversed(found))].append(line.strip())
        else:
            found[line] = []
    return found


@cache
def functions(path: Path) -> set[str]:
    tree = ast.parse(path.read_text())
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def test_every_sentence_has_a_test_and_every_test_a_sentence() -> None:
    begun = table()
    told = {one: [begin for begin in begun if one.startswith(begin)] for one in sentences()}
    assert [one for one, begins in told.items() if len(begins) != 1] == []
    assert len(told) == len(begun)


@pytest.mark.parametrize("name", sorted({name for names in table().values() for name in names}))
def test_tests_that_are_named_are_there(name: str) -> None:
    path, _, function = name.partition("::")
    assert function in functions((ROOT / "tests" / "wireproof" / f"{path}.py").resolve())


def test_no_sentence_is_without_one() -> None:
    assert all(table().values())


def test_files_that_are_named_are_there() -> None:
    for row in re.findall(r"^\| `(?:wireproof/).*\|$", PAGE, re.MULTILINE):
        names = NAMED.findall(row)
        assert names, row
        folder = ROOT / "wireproof" / "web"
        for name in names:
            places = (ROOT / name, folder / name, ROOT / "wireproof" / name)
            assert any(place.exists() for place in places), name
