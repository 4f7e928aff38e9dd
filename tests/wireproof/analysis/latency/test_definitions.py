"""Each family's metrics on one and the same stream, worked out by hand from the published words.

The stream: the header after 0.1 s, a role alone at 0.2, reasoning at 0.5 and 0.6, text at 1.0, 1.2
and 1.5, the reason of the end at 1.6, usage at 1.7, ``[DONE]``, and the end at 1.8.
"""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from wireproof.analysis.latency.definitions import FAMILIES, SOURCES, Family, Value, measure
from wireproof.analysis.latency.times import ASSUMED, COUNTED, Times

TIMES = Times(
    dialect="openai-chat",
    connect=0.001,
    upload=0.0,
    headers=0.1,
    chunks=[0.2, 0.5, 0.6, 1.0, 1.2, 1.5, 1.6, 1.7],
    choices=[0.2, 0.5, 0.6, 1.0, 1.2, 1.5, 1.6],
    contents=[0.5, 0.6, 1.0, 1.2, 1.5],
    outputs=[1.0, 1.2, 1.5],
    texts=[1.0, 1.2, 1.5],
    end=1.8,
    tokens=11,
    tokens_from=COUNTED,
    first_tokens=None,
    left_out=0,
)
EXPECTED: dict[Family, dict[str, Value]] = {
    "wire": {
        "connect": 0.001,
        "upload": 0.0,
        "headers": 0.1,
        "first_event": 0.2,
        "ttft": 0.5,
        "ttfo": 1.0,
        "icl": [0.1, 0.4, 0.2, 0.3],
        "tpot": 0.1,
        "tokens_per_second": 10.0,
        "last_content": 1.5,
        "end": 1.8,
    },
    "vllm": {
        "ttft": 0.2,
        "itl": [0.3, 0.1, 0.4, 0.2, 0.3, 0.1],
        "tpot": 0.14,
        "e2el": 1.6,
    },
    "aiperf": {
        "ttft": 0.5,
        "ttst": 0.1,
        "ttfo": 1.0,
        "icl": [0.1, 0.4, 0.2, 0.3],
        "itl": 0.1,
        "itl_per_chunk_usage": None,
        "request_latency": 1.5,
    },
    "llmperf": {"ttft": 1.0, "inter_token_latency": 1.5 / 11, "end_to_end_latency": 1.8},
    "otel": {
        "time_to_first_chunk": 0.2,
        "time_per_output_chunk": [0.3, 0.1, 0.4, 0.2, 0.3, 0.1, 0.1],
        "time_to_first_token": 0.5,
        "time_per_output_token": 0.1,
        "operation.duration": 1.8,
    },
}


@pytest.mark.parametrize("family", FAMILIES)
def test_metrics_are_those_of_their_source(family: Family) -> None:
    found = measure(TIMES, family)
    expected = EXPECTED[family]
    assert list(found) == list(expected)
    for name, value in expected.items():
        assert found[name] == (None if value is None else pytest.approx(value)), name
    assert SOURCES[family]


def test_vllm_speaks_of_choices_which_other_dialects_have_not() -> None:
    assert set(measure(replace(TIMES, dialect="anthropic"), "vllm").values()) == {None}


def test_the_first_content_of_several_tokens_is_not_divided_by() -> None:
    found = measure(replace(TIMES, first_tokens=6), "aiperf")
    assert found["itl"] == pytest.approx(0.1)
    assert found["itl_per_chunk_usage"] == pytest.approx(0.2)


@pytest.mark.parametrize("first", [0, 1, 11, 12])
def test_usage_that_contradicts_itself_is_not_divided_by(first: int) -> None:
    assert measure(replace(TIMES, first_tokens=first), "aiperf")["itl_per_chunk_usage"] is None


@pytest.mark.parametrize("family", FAMILIES)
def test_one_token_and_none_have_no_time_between_tokens(family: Family) -> None:
    one = replace(TIMES, contents=[0.5], outputs=[0.5], texts=[], tokens=1, tokens_from=ASSUMED)
    assert measure(one, family).get("tpot") is None
    nothing = replace(one, chunks=[], choices=[], contents=[], outputs=[], tokens=0)
    values = [v for v in measure(nothing, family).values() if v not in (None, [])]
    assert set(values) <= {0.001, 0.0, 0.1, 1.8}
