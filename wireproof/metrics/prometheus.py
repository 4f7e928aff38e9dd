"""Metrics for Prometheus: a page that it fetches.

Strategy: prometheus-client keeps the numbers and writes the page; a name of OpenTelemetry becomes
Prometheus's as its own exporters do it: dots become underscores, a unit is a suffix. The registry
holds nothing else, so that the page is about the wire alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from threading import Thread
from types import TracebackType
from typing import TYPE_CHECKING, Self
from wsgiref.simple_server import WSGIServer

from capture.ports import naming_port
from prometheus_client import CollectorRegistry, Counter, Histogram, start_http_server

from .instruments import BY_NAME, INSTRUMENTS, Instrument
from .observing import Labels

if TYPE_CHECKING:
    from prometheus_client.metrics import MetricWrapperBase

UNITS = {"s": "_seconds"}


class PrometheusPage:
    """Keeps metrics, and serves them at ``http://HOST:PORT/metrics`` within its ``with`` block.

    Entering raises OSError if the port cannot be listened on.
    """

    def __init__(self, host: str, port: int) -> None:
        self._address = host, port
        self.registry = CollectorRegistry()
        self._metrics = {one.name: _metric(one, self.registry) for one in INSTRUMENTS}

    @property
    def url(self) -> str:
        """Where the page is, within the block."""
        host, port = self._server.server_address[:2]
        shown = host.decode() if isinstance(host, bytes) else host
        return f"http://{f'[{shown}]' if ':' in shown else shown}:{port}/metrics"

    def __enter__(self) -> Self:
        self._server: WSGIServer
        self._thread: Thread
        host, port = self._address
        with naming_port(host, port):
            self._server, self._thread = start_http_server(port, host, registry=self.registry)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def count(self, name: str, number: int, labels: Labels) -> None:
        """Add to a counter."""
        counter = self._metrics[name].labels(*labels)
        assert isinstance(counter, Counter)
        counter.inc(number)

    def observe(self, name: str, values: Sequence[float], labels: Labels) -> None:
        """Take the values of a histogram."""
        histogram = self._metrics[name].labels(*labels)
        assert isinstance(histogram, Histogram)
        for value in values:
            histogram.observe(value)


def _metric(one: Instrument, registry: CollectorRegistry) -> MetricWrapperBase:
    name = prometheus_name(one.name)
    labels = [label.replace(".", "_") for label in BY_NAME[one.name].labels]
    if one.kind == "counter":
        return Counter(name, one.description, labels, registry=registry)
    return Histogram(name, one.description, labels, registry=registry, buckets=one.bounds)


def prometheus_name(name: str) -> str:
    """Return an instrument's name as Prometheus has it; of counters without ``_total``."""
    return name.replace(".", "_") + UNITS.get(BY_NAME[name].unit, "")
