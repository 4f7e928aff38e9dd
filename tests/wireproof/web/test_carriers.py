"""Which packets carried an element, and where in their frames."""

from __future__ import annotations

from support.answers import GET, SSE, Asked, asked, chunk
from support.talk import Talk

from wireproof.web.carriers import MAX_CARRIERS

HEADERS = 54
"""Bytes of a frame before what TCP carries."""


def carried(ask: Asked, kind: str) -> list[list[list[int]]]:
    return [row["carried"] for row in ask(f"rows/0.0/{kind}/0")["rows"]]


def test_an_element_that_lies_in_several_chunks() -> None:
    """It reaches from its first byte to its last one, over the framing in between."""
    talk = Talk().open()
    talk.client(GET)
    talk.server(SSE)
    first, second = talk.server(chunk(b"data: o")), talk.server(chunk(b"ne\n\n"))
    talk.close()
    with asked(talk) as ask:
        assert carried(ask, "e") == [[[first, 57, 66], [second, 54, 61]]]
        assert carried(ask, "k")[:2] == [
            [[first, HEADERS, HEADERS + 12]],
            [[second, HEADERS, HEADERS + 9]],
        ]


def test_packets_of_one_element_past_the_limit_are_counted() -> None:
    talk = Talk().open()
    talk.client(GET)
    talk.server(SSE)
    whole = chunk(b"data: " + b"x" * (MAX_CARRIERS + 8) + b"\n\n")
    for at in range(len(whole)):
        talk.server(whole[at : at + 1])
    talk.close()
    with asked(talk) as ask:
        (event,) = ask("rows/0.0/e/0")["rows"]
        assert len(event["carried"]) == MAX_CARRIERS
        assert event["more"] is True
