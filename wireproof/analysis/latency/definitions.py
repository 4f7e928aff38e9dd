"""The published latency metrics, each a formula over the times of an answer.

Strategy: those who measure agree on names and not on what they mean: with one and the same stream
vLLM's TTFT may be 127 ms and AIPerf's 460. So each family is a table of its own, with the words of
its source; a metric that a stream does not have is None. Values are seconds, but for rates.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Literal, NamedTuple

from ..recorded import first_of, gaps, is_recorded
from .times import ASSUMED, Times

Family = Literal["wire", "vllm", "aiperf", "llmperf", "otel"]
Value = float | Sequence[float] | None
OPENAI = "openai-chat"
"""The dialect whose events have ``choices``, of which vLLM's definitions speak."""


class Metric(NamedTuple):
    """One metric of a family."""

    name: str
    """As its source names it."""
    meaning: str
    formula: Callable[[Times], Value]
    is_rate: bool = False
    """Whether it is a number of things a second instead of seconds."""


def _first(times: Times, of: Sequence[float]) -> float | None:
    """Return when the first of some elements came; None if another one may have come before."""
    return first_of(of, 0.0, times.holes)


def _last(times: Sequence[float]) -> float | None:
    return times[-1] if times else None


def _to_first(times: Times, of: Sequence[float]) -> float | None:
    """Return the seconds from the request to the first of some elements; None if unknown."""
    return _first(times, of) if times.is_asked else None


def _to_last(times: Times, of: Sequence[float]) -> float | None:
    """Return those to the last one."""
    return _last(of) if times.is_asked else None


def _per_token(times: Times, seconds: float | None, since: float | None, left: int) -> float | None:
    """Return what each of the tokens took that ``left`` others did not wait for."""
    divisor = times.tokens - left
    if seconds is None or since is None or divisor < 1:
        return None
    if times.tokens_from == ASSUMED and not is_recorded(since, seconds, times.holes):
        return None  # there were more tokens than came to be known
    return (seconds - since) / divisor


def _second(times: Times) -> float | None:
    if len(times.contents) < 2 or not is_recorded(0.0, times.contents[1], times.holes):
        return None
    return times.contents[1] - times.contents[0]


def first_content(times: Times) -> float | None:
    """Return the seconds to the first token."""
    return _to_first(times, times.contents)


def tpot(times: Times) -> float | None:
    """Return the seconds that each token after the first one took."""
    return _per_token(times, _last(times.contents), _first(times, times.contents), 1)


def _itl_by_usage(times: Times) -> float | None:
    """Return AIPerf's ITL with ``--per-chunk-usage``; None where that does not differ."""
    first = times.first_tokens
    if first is None or first <= 1 or first >= times.tokens:
        return None
    return _per_token(times, _last(times.contents), _first(times, times.contents), first)


def _rate(times: Times) -> float | None:
    each = tpot(times)
    return 1 / each if each else None


def _choices(formula: Callable[[Times], Value]) -> Callable[[Times], Value]:
    """Limit a formula to the dialect that it is defined for."""
    return lambda times: formula(times) if times.dialect == OPENAI else None


def _vllm_tpot(times: Times) -> float | None:
    return _per_token(times, _last(times.choices), _first(times, times.choices), 1)


NO_REASONING = "request to the first content that is not reasoning"
FIRST_OF_ANY = "request to the first event of any kind"
WIRE = (
    Metric("connect", "handshake of TCP", lambda t: t.connect),
    Metric("upload", "first byte of the request to its last", lambda t: t.upload),
    Metric("headers", "request to the response's headers", lambda t: t.headers),
    Metric("first_event", FIRST_OF_ANY, lambda t: _to_first(t, t.chunks)),
    Metric("ttft", "request to the first content", first_content),
    Metric("ttfo", NO_REASONING, lambda t: _to_first(t, t.outputs)),
    Metric("icl", "gaps between events with content", lambda t: gaps(t.contents, t.holes)),
    Metric("tpot", "(last content - first) / (tokens - 1)", tpot),
    Metric("tokens_per_second", "1 / tpot", _rate, is_rate=True),
    Metric("last_content", "request to the last content", lambda t: _to_last(t, t.contents)),
    Metric("end", "request to the end of the body", lambda t: t.end),
)
VLLM = (
    Metric(
        "ttft",
        "request to the first event with choices, even one with only a role",
        _choices(lambda t: _to_first(t, t.choices)),
    ),
    Metric("itl", "gaps between events with choices", _choices(lambda t: gaps(t.choices, t.holes))),
    Metric("tpot", "(e2el - ttft) / (tokens - 1)", _choices(_vllm_tpot)),
    Metric(
        "e2el", "request to the last event with choices", _choices(lambda t: _to_last(t, t.choices))
    ),
)
AIPERF = (
    Metric("ttft", "request to the first content, reasoning included", first_content),
    Metric("ttst", "first content to the second", _second),
    Metric("ttfo", NO_REASONING, lambda t: _to_first(t, t.outputs)),
    Metric("icl", "gaps between contents", lambda t: gaps(t.contents, t.holes)),
    Metric("itl", "(request_latency - ttft) / (tokens - 1)", tpot),
    Metric(
        "itl_per_chunk_usage",
        "(request_latency - ttft) / (tokens - those of the first content)",
        _itl_by_usage,
    ),
    Metric("request_latency", "request to the last content", lambda t: _to_last(t, t.contents)),
)
LLMPERF = (
    Metric(
        "ttft",
        "request to the first text; neither reasoning nor tools count",
        lambda t: _to_first(t, t.texts),
    ),
    Metric(
        "inter_token_latency",
        "request to the last text / tokens: the first wait is in it",
        lambda t: _per_token(t, _to_last(t, t.texts), 0.0, 0),
    ),
    Metric("end_to_end_latency", "request to the end of the body", lambda t: t.end),
)
OTEL = (
    Metric(
        "time_to_first_chunk",
        "request to the first chunk of any kind",
        lambda t: _to_first(t, t.chunks),
    ),
    Metric("time_per_output_chunk", "gaps between chunks", lambda t: gaps(t.chunks, t.holes)),
    Metric("time_to_first_token", "request to the first content", first_content),
    Metric("time_per_output_token", "(last content - first) / (tokens - 1)", tpot),
    Metric("operation.duration", "request to the end of the body", lambda t: t.end),
)
FAMILIES: Mapping[Family, Sequence[Metric]] = {
    "wire": WIRE,
    "vllm": VLLM,
    "aiperf": AIPERF,
    "llmperf": LLMPERF,
    "otel": OTEL,
}
SOURCES: Mapping[Family, str] = {
    "wire": "wireproof: the last byte of each element, as a client could have parsed it",
    "vllm": "vLLM, vllm/benchmarks/lib/endpoint_request_func.py (bench serve)",
    "aiperf": "AIPerf, src/aiperf/metrics/types/",
    "llmperf": "LLMPerf, openai_chat_completions_client.py and token_benchmark_ray.py",
    "otel": "OpenTelemetry semantic conventions for generative AI, metrics",
}
"""Where each family is defined."""


TTFT, TTFO = (next(metric for metric in WIRE if metric.name == name) for name in ("ttft", "ttfo"))
"""Those of ``wire`` that are asked for by themselves."""


def measure(times: Times, family: Family) -> dict[str, Value]:
    """Return the metrics of a family, in its order."""
    return {metric.name: metric.formula(times) for metric in FAMILIES[family]}
