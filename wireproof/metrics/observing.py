"""Turns records and judged exchanges into observations for whoever counts them.

Strategy: what is counted of records is counted when they come; what is measured of an exchange,
when it has been judged. Where the numbers go is a sink's affair: it takes a name of
:mod:`.instruments`, a value and labels.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from parsers.records import (
    BodyElement,
    ChunkRecord,
    ConnectionRecord,
    DataRecord,
    DiagnosticRecord,
    Record,
    SseEventRecord,
    WebSocketMessageRecord,
)

from ..analysis.judges import Explained
from ..analysis.latency.definitions import OTEL
from ..analysis.latency.times import COUNTED, Times, times_of
from ..analysis.recorded import first_element, recorded_waits
from .instruments import MAX_MODELS, OTHER

Labels = Sequence[str]
"""A value for each label of the instrument, in its order."""
OPERATIONS = {
    "openai-chat": ("chat", "openai"),
    "openai-responses": ("chat", "openai"),
    "anthropic": ("chat", "anthropic"),
    "gemini": ("generate_content", "gcp.gen_ai"),
    "ollama": ("chat", "ollama"),
    "bedrock": ("chat", "aws.bedrock"),
    "vercel-lines": ("chat", "vercel"),
    "vercel-ui": ("chat", "vercel"),
}
"""``gen_ai.operation.name`` and ``gen_ai.provider.name``, by dialect: which format the stream has,
as the conventions want it, not who runs the model."""
NO_ERROR = ""


class Sink(Protocol):
    """Where observations go."""

    def count(self, name: str, number: int, labels: Labels) -> None:
        """Add to a counter."""

    def observe(self, name: str, values: Sequence[float], labels: Labels) -> None:
        """Take the values of a histogram."""


class Observer:
    """Makes observations of a stream of records and of what is said of its exchanges."""

    def __init__(self, sink: Sink, models: set[str] | None = None) -> None:
        """``models`` are the names that have been told before, if there are any, and get more."""
        self._sink = sink
        self._models: set[str] = set() if models is None else models

    def record(self, record: Record) -> None:
        """Count a record."""
        match record:
            case SseEventRecord():
                if record.dispatched:
                    self._element(record.record)
            case ChunkRecord(sender="server"):
                if record.size:
                    self._element(record.record)
            case BodyElement(sender="server") | DataRecord(sender="server"):
                self._element(record.record)
            case WebSocketMessageRecord(sender="server"):
                self._element(record.record)
            case ConnectionRecord():
                closed_by = record.closed_by or "nobody"
                self._sink.count("wireproof.connections", 1, (record.close, closed_by))
            case DiagnosticRecord():
                self._sink.count("wireproof.diagnostics", 1, (record.severity, record.code))

    def explained(self, one: Explained) -> None:
        """Observe an exchange that was judged."""
        exchange, sink = one.exchange, self._sink
        transport = exchange.transport
        status = "none" if exchange.response is None else f"{exchange.response.status // 100}xx"
        sink.count("wireproof.exchanges", 1, (transport, status))
        for verdict in one.verdicts:
            cause = verdict.causes[0].code if verdict.causes else ""
            labels = verdict.question, verdict.answer, verdict.severity, cause
            sink.count("wireproof.verdicts", 1, labels)
        times = times_of(one.trace)
        if times is None:
            return
        self._some("wireproof.exchange.duration", times.end, (transport,))
        first = first_element(one.trace)
        self._some("wireproof.exchange.time_to_first_element", first, (transport,))
        if waits := recorded_waits(one.trace):
            longest = max(waits).seconds
            self._some("wireproof.exchange.longest_wait", longest, (transport,))
        if times.dialect in OPERATIONS:
            self._generated(one, times)

    def _element(self, kind: str) -> None:
        self._sink.count("wireproof.elements", 1, (kind,))

    def _some(self, name: str, value: float | None, labels: Labels) -> None:
        if value is not None:
            self._sink.observe(name, [value], labels)

    def _generated(self, one: Explained, times: Times) -> None:
        """Observe what the conventions for generative AI have a name for."""
        labels = (*OPERATIONS[times.dialect], self._model(_model_of(one)))
        for metric in OTEL:
            value = metric.formula(times)
            values = [value] if isinstance(value, float | int) else list(value or ())
            if metric.name == "operation.duration":
                self._sink.observe(
                    "gen_ai.client.operation.duration", values, (*labels, _error_type(one))
                )
            elif values:
                side = "server" if metric.name.endswith("token") else "client.operation"
                self._sink.observe(f"gen_ai.{side}.{metric.name}", values, labels)
        if times.tokens_from == COUNTED:
            usage = [float(times.tokens)]
            self._sink.observe("gen_ai.client.token.usage", usage, (*labels, "output"))

    def _model(self, name: str) -> str:
        """Return the name of a model, or OTHER once there have been too many."""
        if name not in self._models:
            if len(self._models) >= MAX_MODELS:
                return OTHER
            self._models.add(name)
        return name


def _model_of(one: Explained) -> str:
    """Return the model that a stream says it comes from, empty if it says none."""
    dialect = one.trace.reader.dialect
    return "" if dialect is None else dialect.shared.get("model", "")


def _error_type(one: Explained) -> str:
    """Return the class of error that an operation ended with, empty if with none."""
    response = one.exchange.response
    if response is not None and response.status >= 400:
        return str(response.status)
    endings = (verdict for verdict in one.verdicts if verdict.question == "ending")
    return next((verdict.answer for verdict in endings if verdict.is_fault), NO_ERROR)
