"""Every exchange is explained once, when its connection has ended or the capture has."""

from __future__ import annotations

from support.timed import Stream

from wireproof.analysis.judges import Explanations, explain, judge
from wireproof.analysis.trace import Trace
from wireproof.analysis.verdict import Verdict


def counted(trace: Trace) -> Verdict:
    return Verdict("streaming", "counted", "ok", f"{trace.elements.count} events")


def test_an_exchange_is_explained_with_what_its_connection_tells() -> None:
    records = Stream().events(5, every=0.1).end().tape.records()
    [explained] = explain(records)
    assert explained.exchange.connection is not None
    assert explained.trace.elements.count == 5
    assert explained.trace.streamed is explained.trace.elements
    assert judge(explained.trace, [counted]) == [counted(explained.trace)]


def test_an_exchange_whose_connection_goes_on_is_explained_at_the_end() -> None:
    records = Stream().events(2, every=0.1).end().tape.records()
    explanations = Explanations([counted])
    early = [one for record in records[:-1] for one in explanations.add(record)]
    assert early == []
    [explained] = explanations.finish()
    assert [verdict.answer for verdict in explained.verdicts] == ["counted"]
    assert not explained.is_fault
