"""What is remembered of an exchange: the same before it is over and after, without columns."""

from __future__ import annotations

from support.timed import Stream, chunk

from wireproof.analysis.past import Past
from wireproof.analysis.trace import Trace
from wireproof.exchanges import Exchanges


def test_what_is_remembered_stays_when_the_trace_is_let_go() -> None:
    stream = Stream("/chat")
    stream.talk.server(chunk(b"id: 7\ndata: a\n\n") + chunk(b"data: [DONE]\n\n"))
    exchanges: Exchanges[Trace] = Exchanges(Trace)
    for record in stream.tape.records():
        one = exchanges.add(record)
        if one is not None:
            one[1].add(record)
        for about, trace in exchanges.over():
            past = Past(trace)
            before = past.ids, past.gaps, past.words
            assert past.about is about and past.trace is trace
            assert past.ids.kept == ["7"] and past.words["done"].packet == about.last_packet
            past.end(trace)
            assert (past.ids, past.gaps, past.words) == before and past.trace is None
            return
    raise AssertionError("nothing was over")
