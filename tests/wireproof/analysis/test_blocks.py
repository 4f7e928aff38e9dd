"""What is known of several blocks at once is what each of them says."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from support.handmade import Wire

from parsers.records import SseEventRecord
from wireproof.analysis.blocks import Blocks


def block(data: str, dispatched: bool) -> SseEventRecord:
    return Wire().event(("data", data), data=data, dispatched=dispatched)


@given(st.lists(st.tuples(st.sampled_from(["", "one", "[DONE]"]), st.booleans()), max_size=8))
def test_blocks_are_what_each_of_them_is(told: list[tuple[str, bool]]) -> None:
    blocks = [block(data, dispatched) for data, dispatched in told]
    found = Blocks.of(blocks)
    assert found.blocks == blocks
    assert found.data == [one.data for one in blocks]
    assert found.dispatched == sum(dispatched for _, dispatched in told)
    assert found.are_dispatched == all(dispatched for _, dispatched in told)
