"""What is counted and measured of records and exchanges."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Sequence

import pytest
from support.timed import Stream, TimedTape, event

from parsers.records import Record
from wireproof.analysis.judges import Explanations
from wireproof.analysis.trace import Trace
from wireproof.analysis.verdict import Cause, Verdict
from wireproof.dialects.table import DIALECTS
from wireproof.metrics import observing as module
from wireproof.metrics.instruments import BY_NAME, OTHER
from wireproof.metrics.observing import Labels, Observer


class Sheet:
    """A sink that keeps everything."""

    def __init__(self) -> None:
        self.counts: Counter[tuple[str, ...]] = Counter()
        self.values: dict[tuple[str, ...], list[float]] = defaultdict(list)

    def count(self, name: str, number: int, labels: Labels) -> None:
        self.check(name, "counter", labels)
        self.counts[name, *labels] += number

    def observe(self, name: str, values: Sequence[float], labels: Labels) -> None:
        self.check(name, "histogram", labels)
        self.values[name, *labels] += values

    def check(self, name: str, kind: str, labels: Labels) -> None:
        assert BY_NAME[name].kind == kind
        assert len(labels) == len(BY_NAME[name].labels)


def held(trace: Trace) -> Verdict:
    return Verdict("streaming", "held", "error", "held", causes=(Cause("proxy-buffer"),))


def cut(trace: Trace) -> Verdict:
    return Verdict("ending", "cut", "error", "cut")


def observed(records: Sequence[Record]) -> Sheet:
    sheet = Sheet()
    observer = Observer(sheet)
    explanations = Explanations([held, cut])
    for record in records:
        observer.record(record)
        for one in explanations.add(record):
            observer.explained(one)
    for one in explanations.finish():
        observer.explained(one)
    return sheet


def openai(model: str, tape: TimedTape | None = None, port: int = 40_000) -> Stream:
    head = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": model}
    deltas: list[dict[str, object]] = [{"role": "assistant", "content": ""}]
    deltas += [{"content": f"token {n}"} for n in range(4)]
    pieces = [
        {**head, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]}
        for delta in deltas
    ]
    pieces.append({**head, "choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 9}})
    data = [b"data: %s\n\n" % json.dumps(piece).encode() for piece in pieces]
    stream = Stream("/v1/chat/completions", tape=tape, client_port=port)
    return stream.chunks([*data, b"data: [DONE]\n\n"], every=0.1).end()


def test_a_stream_of_its_own_kind() -> None:
    sheet = observed(Stream().events(3, every=0.2).end().tape.records())
    assert sheet.counts["wireproof.elements", "sse_event"] == 3
    assert sheet.counts["wireproof.elements", "chunk"] == 3
    assert sheet.counts["wireproof.exchanges", "sse", "2xx"] == 1
    assert sheet.counts["wireproof.connections", "fin", "server"] == 1
    assert sheet.counts["wireproof.verdicts", "streaming", "held", "error", "proxy-buffer"] == 1
    first = sheet.values["wireproof.exchange.time_to_first_element", "sse"]
    assert first == pytest.approx([0.2], abs=0.01)
    longest = sheet.values["wireproof.exchange.longest_wait", "sse"]
    assert longest == pytest.approx([0.2], abs=0.01)
    assert not [key for key in sheet.values if key[0].startswith("gen_ai")]


def test_what_was_not_recorded_is_not_measured() -> None:
    stream = Stream().chunks([event(1)], every=0.5)
    del stream.tape.packets[-1]
    stream.talk.ack("client")
    sheet = observed(stream.events(3, every=0.1).end().tape.records())
    assert ("wireproof.exchange.time_to_first_element", "sse") not in sheet.values
    assert sheet.values["wireproof.exchange.longest_wait", "sse"] == pytest.approx([0.1], abs=0.01)


def test_a_model_s_answer_has_the_names_of_the_conventions() -> None:
    sheet = observed(openai("lab-1").tape.records())
    labels = ("chat", "openai", "lab-1")
    assert sheet.values["gen_ai.client.operation.duration", *labels, "cut"]
    chunks = sheet.values["gen_ai.client.operation.time_per_output_chunk", *labels]
    assert chunks == pytest.approx([0.1] * 5, abs=0.01)
    first = sheet.values["gen_ai.server.time_to_first_token", *labels]
    assert first == pytest.approx([0.2], abs=0.01)
    each = sheet.values["gen_ai.server.time_per_output_token", *labels]
    assert each == pytest.approx([0.3 / 8], abs=0.01)
    assert sheet.values["gen_ai.client.token.usage", *labels, "output"] == [9.0]


def test_operations_are_named_by_dialects_that_there_are() -> None:
    assert set(module.OPERATIONS) <= {dialect.name for dialect in DIALECTS}


def test_names_of_models_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_MODELS", 2)
    tape = TimedTape()
    for number in range(4):
        openai(f"model-{number}", tape, 40_000 + number)
    sheet = observed(tape.records())
    models = {key[3] for key in sheet.values if key[0] == "gen_ai.server.time_to_first_token"}
    assert models == {"model-0", "model-1", OTHER}


def test_what_did_not_stream_is_counted_and_not_measured() -> None:
    stream = Stream(fields=b"Content-Length: 0\r\n")
    stream.talk.close()
    sheet = observed(stream.tape.records())
    assert sheet.counts["wireproof.exchanges", "http", "2xx"] == 1
    assert not sheet.values
