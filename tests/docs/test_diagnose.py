"""The page of symptoms: its links lead somewhere, and its assertions find what it quotes."""

from __future__ import annotations

import ast
import re

import pytest
from support.corpus import ROOT

from wireproof.testing import WireFailure
from wireproof.testing.captures import StoredCapture
from wireproof.testing.exchange import Exchange

PAGE = (ROOT / "docs" / "diagnose.md").read_text()
HEADING = re.compile(r"^## (?P<number>\d+)\. .*$", re.MULTILINE)
STORED = re.compile(
    r"<!-- wireproof \w+ (?P<path>\S+\.pcap)(?: --(?:exchange|verdict) (?P<of>\S+))?"
)
CALL = re.compile(r"\.(?P<call>assert_\w+\([^)]*\))")
SECTIONS = {int(one["number"]): one for one in HEADING.finditer(PAGE)}
FAILS = {
    1: "assert_streamed",
    3: "assert_clean_end",
    4: "assert_no_gap_longer_than",
    6: "assert_resumed_exactly",
    7: "assert_closed",
    8: "assert_verdict",
    9: "assert_client_left_noticed",
}
"""Of each question the assertion that fails with the capture that is quoted there."""
OTHER_LIMITS = {
    "assert_no_gap_longer_than(30,": "assert_no_gap_longer_than(0.5,",
    "assert_client_left_noticed(within=1)": "assert_client_left_noticed(within=0.1)",
}
"""Those captures took a second, not a minute."""


def section(number: int) -> str:
    start = SECTIONS[number].start()
    after = [one.start() for one in HEADING.finditer(PAGE) if one.start() > start]
    return PAGE[start : min(after, default=PAGE.index("## In CI"))]


def quoted(number: int) -> Exchange:
    """Return the exchange that a section quotes: the first, or the one that it chooses."""
    shown = STORED.search(section(number))
    assert shown is not None
    capture = StoredCapture(ROOT / shown["path"], lambda _: "", lambda *_: None)
    return capture.exchanges()[1 if shown["of"] == "lost" else 0]


def calls(number: int) -> list[str]:
    return [one["call"] for one in CALL.finditer(section(number))]


def make(exchange: Exchange, call: str) -> None:
    """Make an assertion as the page writes it."""
    node = ast.parse(call, mode="eval").body
    assert isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    named = {one.arg: ast.literal_eval(one.value) for one in node.keywords if one.arg}
    getattr(exchange, node.func.id)(*map(ast.literal_eval, node.args), **named)


def test_there_are_ten_questions_and_each_is_in_the_table() -> None:
    assert list(SECTIONS) == [*range(1, 11)]
    for number, heading in SECTIONS.items():
        title = re.sub(r"[^\w -]", "", heading[0].removeprefix("## ").lower()).replace(" ", "-")
        assert f"[{number}](#{title})" in PAGE


@pytest.mark.parametrize("number", SECTIONS)
def test_each_says_what_to_do_and_how_to_prove_it(number: int) -> None:
    assert "**Prove it" in section(number)
    assert number == 10 or (calls(number) and "**Do.**" in section(number))


@pytest.mark.parametrize("number", FAILS)
def test_the_assertion_fails_with_what_is_quoted(number: int) -> None:
    (call,) = (one for one in calls(number) if one.startswith(f"{FAILS[number]}("))
    for usual, short in OTHER_LIMITS.items():
        call = call.replace(usual, short)
    with pytest.raises(WireFailure):
        make(quoted(number), call)


@pytest.mark.parametrize("number", FAILS)
def test_the_other_assertions_exist(number: int) -> None:
    for call in calls(number):
        assert callable(getattr(Exchange, call.partition("(")[0]))


def test_tokens_may_be_slower() -> None:
    exchange = quoted(5)
    for call in calls(5):
        make(exchange, call)
    with pytest.raises(WireFailure):
        exchange.assert_time_to_first_token(below=0.4)
