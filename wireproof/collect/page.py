"""What a collector says of itself on its page for Prometheus, beside what is on the wire.

Strategy: numbers are read when they are asked for, so that nothing has to keep a second count.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from capture import Statistics
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from .exporter import Exports
from .ring import Ring


class Figures(Collector):
    """Gives the numbers of a collector; ``statistics`` are those of its recording."""

    def __init__(self, statistics: Callable[[], Statistics], ring: Ring, exports: Exports) -> None:
        self._statistics = statistics
        self._ring = ring
        self._exports = exports

    def collect(self) -> Iterator[Metric]:
        """Yield what is true now."""
        captured, dropped = self._statistics()
        yield _counter("packets", "Packets.", {"recorded": captured, "dropped": dropped})
        yield _counter("files", "Files of the ring.", vars(self._ring.told))
        yield _gauge("waiting_files", "Files that are not in the data set yet.", self._ring.waiting)
        yield _gauge("ring_bytes", "Bytes of the ring's files.", self._ring.size)
        works = {"ring": self._ring.fault, "data_set": self._exports.fault}
        family = GaugeMetricFamily(
            "wireproof_collect_works", "1 if writing works, 0 if it fails.", labels=["part"]
        )
        for part, fault in works.items():
            family.add_metric([part], float(fault is None))
        yield family


def _counter(name: str, about: str, numbers: dict[str, int]) -> Metric:
    family = CounterMetricFamily(f"wireproof_collect_{name}", about, labels=["what"])
    for what, number in numbers.items():
        family.add_metric([what], number)
    return family


def _gauge(name: str, about: str, number: float) -> Metric:
    return GaugeMetricFamily(f"wireproof_collect_{name}", about, value=number)
