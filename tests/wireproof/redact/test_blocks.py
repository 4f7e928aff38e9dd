"""Values in the lines below a name."""

from __future__ import annotations

import re

import pytest

from wireproof.redact.blocks import CODED_ENTRIES, ENTRIES, SEQUENCE, last_line, values_of
from wireproof.redact.patterns import patterns
from wireproof.redact.secrets import Finder, mask_spans, mask_text


@pytest.mark.parametrize(
    "form, text, values",
    [
        (SEQUENCE, "x:\n  - a\n  - 'b c'\n  - d: e\nf", ["a", "b c"]),
        (SEQUENCE, "x:\\n- a\\n- b\\nf", ["a", "b"]),
        (ENTRIES, "x:\n  a: b\n  c: |\n    d e\n  f:\n    g: h\ni", ["b", "d e", "h"]),
        (CODED_ENTRIES, "data:\n  a: aGFsbG8h\n  b: plain\n  c: YQ==\n  d: YWFhYQ==\n",
         ["aGFsbG8h", "YWFhYQ=="]),
    ],
)  # fmt: skip
def test_where_the_values_are(form: str, text: str, values: list[str]) -> None:
    match = re.compile(f"x?{form}").match(text)
    assert match is not None and match.lastgroup is not None
    assert [text[start:end] for start, end in values_of(match, match.lastgroup)] == values


def test_what_tells_how_lines_go_on() -> None:
    match = re.compile(f"x{SEQUENCE}").match("x:\n - a\n - b")
    assert match is not None
    assert last_line(match, "items") == ("x:", "\n - b")


LONG_LISTS = [
    "passwords:\n" + "".join(f"  - item{number:04}\n" for number in range(60)),
    "stringData:\n" + "".join(f"  key{number}: item{number:04}\n" for number in range(60)),
    "data:\n" + "".join(f"  key{number}: item{number:04}\n" for number in range(60)),
    '{"apiVersion":"v1","data":{'
    + ",".join(f'"k{number}":"item{number:04}"' for number in range(60))
    + "}}",
]


@pytest.mark.parametrize("text", LONG_LISTS)
@pytest.mark.parametrize("size", [1, 2, 7, 16, 97])
def test_lists_that_are_cut_anywhere(text: str, size: int) -> None:
    text = f"a: b\n{text}"
    assert "item" not in mask_text(text)
    finder = Finder()
    pieces = [text[at : at + size] for at in range(0, len(text), size)]
    shown = "".join(mask_spans(one, finder.feed(one)) for one in pieces)
    if "key" in text or size > 1:
        assert re.search(r"item\d{2}", shown) is None
    assert "item" not in shown.partition("\n")[0]


def test_a_block_ends_with_its_indentation() -> None:
    text = "stringData:\n  a: bc\nmetadata:\n  d: ef\n"
    assert mask_text(text) == "stringData:\n  a: **\nmetadata:\n  d: ef\n"


def test_a_list_whose_name_is_kept() -> None:
    text = "passwords:\n  - abc\n"
    assert mask_text(text, patterns(keep=frozenset({"passwords"}))) == text
