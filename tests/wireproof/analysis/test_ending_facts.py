"""What is known of an end, whatever it is judged to be."""

from __future__ import annotations

from support.timed import CHUNKED, EVENT_STREAM, Stream

from wireproof.analysis.ending_facts import collect
from wireproof.analysis.judges import explain


def stream(*, closed: bool) -> Stream:
    found = Stream(fields=EVENT_STREAM + CHUNKED).events(3, every=0.07)
    if closed:
        found.talk.close()
    return found


def test_a_stream_that_its_server_closed() -> None:
    made = stream(closed=True)
    (explained,) = explain(made.tape.records())
    facts = collect(explained.trace)
    assert facts.end is not None and facts.end["sender"] == "server"
    assert (facts.left, facts.progress) == (None, "after 3 events")
    assert facts.codes == {"no-last-chunk"}
    assert facts.numbers["transport_whole"] is False
    assert facts.end["packet"] in facts.packets


def test_a_stream_that_is_open() -> None:
    (explained,) = explain(stream(closed=False).tape.records())
    facts = collect(explained.trace)
    assert (facts.end, facts.left) == (None, None)
