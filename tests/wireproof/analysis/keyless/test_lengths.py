"""What sizes give away, and what hides it."""

from __future__ import annotations

from typing import Any

import pytest
from support.sealed import FLIGHT, HTTP2, Line, answers, events, judged, records

from wireproof.analysis.keyless.sealed import SealedConnections


def lengths(*lines: Line, **changed: Any) -> list[str]:
    return answers(judged([*FLIGHT, *HTTP2, *lines], **changed), "sizes")


def test_token_lengths() -> None:
    found = judged([*FLIGHT, *HTTP2, *events(116, 49, 47, 50, 35)])
    (said,) = [one for one in found.verdicts if one.question == "sizes"]
    assert (said.answer, said.severity) == ("token-lengths", "note")
    assert said.numbers["sizes"] == [52, 64, 66, 67, 133]
    assert "4 records of 4 sizes from 52 to 67 bytes" in said.summary
    assert said.summary.endswith(
        "each size gives away the length of its event, and where a model streams token by token,"
        " the length of each token"
    )


@pytest.mark.parametrize("block", [16, 64, 128])
def test_padded(block: int) -> None:
    """RFC 8446 section 5.4: content, type and padding are a multiple together."""
    sizes = [block * factor - 1 for factor in (3, 4, 2, 5, 3)]
    assert lengths(*events(*sizes)) == ["padded"]


@pytest.mark.parametrize(
    "sizes",
    [
        (116, 47, 79, 48, 96),  # one byte off
        (116, 47, 79, 47, 79),  # two sizes may have a divisor by chance
        (116, 39, 47, 55, 63),  # blocks of eight are none
    ],
)
def test_not_padded(sizes: tuple[int, ...]) -> None:
    assert lengths(*events(*sizes)) == ["token-lengths"]


def test_even() -> None:
    assert lengths(*events(116, 40, 40, 40, 40)) == ["even"]


def counted(first: int, last: int, *, apart: float = 10) -> list[Line]:
    """Events that hold nothing but a number."""
    sizes = [2_000 + len(str(number)) for number in range(first, last)]
    return [("server", 40, 120), *events(*sizes, start=41, apart=apart)]


@pytest.mark.parametrize(
    ("first", "last", "steps"),
    [(0, 130, "10 and 100"), (1, 130, "9 and 99"), (0, 30, "10")],
)
def test_a_counter_tells_no_lengths(first: int, last: int, steps: str) -> None:
    found = judged([*FLIGHT, *HTTP2, *counted(first, last)])
    (said,) = [one for one in found.verdicts if one.question == "sizes"]
    assert (said.answer, said.severity) == ("even", "ok")
    assert f"which grow after {steps} records, as when a counter gains a digit" in said.summary
    assert said.summary.endswith("how many events there were, but not what each says")


def test_lengths_that_hardly_differ() -> None:
    found = judged([*FLIGHT, *HTTP2, *events(2_000, 2_001, 2_003, 2_000, 2_002)])
    (said,) = [one for one in found.verdicts if one.question == "sizes"]
    assert said.answer == "token-lengths"
    assert said.summary.endswith("they differ by 3 bytes at most, and give away no more than that")


def test_batched() -> None:
    lines: list[Line] = []
    for at, many in ((300, 3), (600, 4), (900, 3), (1200, 2)):
        lines += [("server", at, 40 + number) for number in range(many)]
    assert lengths(*lines) == ["batched"]


def test_cbc_pads() -> None:
    cipher = {"version": "TLSv1.2", "cipher": "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA"}
    taken = SealedConnections()
    lines: list[Line] = [("client", 3, 143), *events(111, 63, 79, 63, 79)]
    found = [one for record in records(lines, **cipher) if (one := taken.add(record))]
    assert answers(found[0], "sizes") == ["padded"]


@pytest.mark.parametrize(
    "lines",
    [[("server", 500, 141)], events(90, 40, 41), events(*[900] * 9, apart=0.1)],
)
def test_no_stream_gives_nothing_away(lines: list[Line]) -> None:
    assert lengths(*lines) == []
