"""Metrics for a collector of OpenTelemetry: sent by its own SDK, over HTTP.

Strategy: the SDK aggregates and sends; where to is its own convention, ``OTEL_EXPORTER_OTLP_*`` in
the environment, unless an endpoint is given. What the collector does not take is the SDK's to say.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import Self

from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource

from .. import __version__
from .instruments import BY_NAME, INSTRUMENTS
from .observing import Labels

PATH = "/v1/metrics"
"""Where a collector takes metrics (OTLP specification, OTLP/HTTP request)."""
EVERY_MS = 10_000
"""How often they are sent, in milliseconds."""


class OtlpExport:
    """Sends metrics within its ``with`` block, the last ones when it is left.

    ``endpoint`` is the collector's base URL, ``http://127.0.0.1:4318``; None for the environment's.
    """

    def __init__(self, endpoint: str | None, every_ms: int = EVERY_MS) -> None:
        url = None if endpoint is None else endpoint.rstrip("/") + PATH
        self._reader = PeriodicExportingMetricReader(
            OTLPMetricExporter(endpoint=url), export_interval_millis=every_ms
        )
        self._provider = MeterProvider(
            [self._reader],
            resource=Resource.create({"service.name": "wireproof"}),
            shutdown_on_exit=False,
        )
        meter = self._provider.get_meter("wireproof", __version__)
        self._counters = {
            one.name: meter.create_counter(one.name, one.unit, one.description)
            for one in INSTRUMENTS
            if one.kind == "counter"
        }
        self._histograms = {
            one.name: meter.create_histogram(
                one.name,
                one.unit,
                one.description,
                explicit_bucket_boundaries_advisory=one.bounds,
            )
            for one in INSTRUMENTS
            if one.kind == "histogram"
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._provider.shutdown()

    def count(self, name: str, number: int, labels: Labels) -> None:
        """Add to a counter."""
        self._counters[name].add(number, _attributes(name, labels))

    def observe(self, name: str, values: Sequence[float], labels: Labels) -> None:
        """Take the values of a histogram."""
        attributes = _attributes(name, labels)
        for value in values:
            self._histograms[name].record(value, attributes)


def _attributes(name: str, labels: Labels) -> dict[str, str]:
    """Return the attributes that have a value."""
    pairs = zip(BY_NAME[name].labels, labels, strict=True)
    return {label: value for label, value in pairs if value}
