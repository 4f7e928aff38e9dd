"""Records that are taken together leave the trace that they leave one by one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import pytest
from msgspec.structs import replace
from support.handmade import Wire

from parsers.records import Record
from wireproof.analysis.marks import KINDS
from wireproof.analysis.together import SEVERAL, Streaming, add_stream
from wireproof.analysis.trace import Trace
from wireproof.exchanges import Exchanges


def events(wire: Wire, *data: str) -> list[Record]:
    made: list[Record] = []
    for text in data:
        made += [wire.chunk(f"data: {text}\n\n"), wire.event(("data", text), data=text)]
    return made


def token(text: str) -> str:
    return f'{{"object":"chat.completion.chunk","choices":[{{"delta":{{"content":"{text}"}}}}]}}'


def of_events() -> tuple[list[Record], list[Record]]:
    wire = Wire()
    return [wire.request(), wire.events()], events(wire, *"abcdef", "[DONE]")


def of_tokens() -> tuple[list[Record], list[Record]]:
    wire = Wire()
    return [wire.request(), wire.events()], events(wire, *map(token, "abcdef"), "[DONE]")


def of_messages() -> tuple[list[Record], list[Record]]:
    wire = Wire()
    heads = wire.upgrade()
    said: list[Record] = []
    for text in "abcdef":
        said += [wire.frame("text", text), wire.message(text)]
    return heads, said


def of_pings() -> tuple[list[Record], list[Record]]:
    heads, said = of_messages()
    return heads, [*said, Wire().frame("ping", "")]


def of_chunks() -> tuple[list[Record], list[Record]]:
    wire = Wire()
    return [wire.request(), wire.response()], [wire.chunk(text) for text in "abcdef"]


def of_no_packet() -> tuple[list[Record], list[Record]]:
    heads, said = of_events()
    return heads, [replace(record, first_packet=0, last_packet=0) for record in said]


CASES = of_events, of_tokens, of_messages, of_pings, of_chunks, of_no_packet


def begun(heads: Sequence[Record]) -> tuple[Exchanges[Trace], Trace]:
    fold: Exchanges[Trace] = Exchanges(Trace)
    [*_, found] = map(fold.add, heads)
    assert found is not None
    return fold, found[1]


def left(heads: Sequence[Record], said: Sequence[Record], *, size: int) -> dict[str, object]:
    """What is left of records that are taken ``size`` at once, one by one if that is 0."""
    fold, trace = begun(heads)
    for start in range(0, len(said), size or 1):
        some = said[start : start + (size or 1)]
        if size:
            add_stream(trace, cast("Sequence[Streaming]", some))
            continue
        for record in some:
            fold.add(record)
            trace.add(record)
    marks = trace.elements, trace.pieces, trace.requested
    return {
        "exchange": repr(trace.about),
        "marks": [[list(one.times), list(one.packets), list(one.kinds)] for one in marks],
        "sizes": list(trace.piece_sizes),
        "flags": bytes(trace.is_chunk),
        "said": (trace.contents, trace.tokens, trace.last_payload, trace.words, trace.firsts),
        "hazards": trace.hazards_found,
        "ids": trace.ids.count,
    }


@pytest.mark.parametrize("size", [1, SEVERAL, 100])
@pytest.mark.parametrize("case", CASES)
def test_the_same_is_left_as_one_by_one(case, size: int) -> None:  # type: ignore[no-untyped-def]
    heads, said = case()
    assert left(heads, said, size=size) == left(heads, said, size=0)


def test_what_a_dialect_says_is_kept_as_its_kind() -> None:
    heads, said = of_tokens()
    _, trace = begun(heads)
    add_stream(trace, cast("Sequence[Streaming]", said))
    assert [KINDS[kind] for kind in trace.elements.kinds] == ["text"] * 6 + ["done"]
