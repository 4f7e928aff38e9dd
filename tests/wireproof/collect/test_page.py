"""What a collector says of itself to Prometheus."""

from __future__ import annotations

from pathlib import Path

from prometheus_client import CollectorRegistry, generate_latest

from capture import Statistics
from wireproof.collect.exporter import Exports
from wireproof.collect.messages import Order
from wireproof.collect.page import Figures
from wireproof.collect.ring import Ring
from wireproof.redact import Rules


def test_every_number(tmp_path: Path) -> None:
    ring = Ring(tmp_path, 10_000, 100, lambda _: None)
    order = Order(place="set", folder=str(tmp_path), host="a", rules=Rules())
    exports = Exports(order, ring, lambda _: None)
    path = tmp_path / "a_00001_20260131120000.pcapng"
    path.write_bytes(bytes(70))
    ring.ended(path, Statistics(5, 2))
    ring.held("full")
    registry = CollectorRegistry()
    registry.register(Figures(lambda: Statistics(5, 2), ring, exports))
    shown = generate_latest(registry).decode().splitlines()
    assert [line for line in shown if not line.startswith("#")] == [
        'wireproof_collect_packets_total{what="recorded"} 5.0',
        'wireproof_collect_packets_total{what="dropped"} 2.0',
        'wireproof_collect_files_total{what="recorded"} 1.0',
        'wireproof_collect_files_total{what="exported"} 0.0',
        'wireproof_collect_files_total{what="unreadable"} 0.0',
        'wireproof_collect_files_total{what="deleted"} 0.0',
        "wireproof_collect_waiting_files 1.0",
        "wireproof_collect_ring_bytes 70.0",
        'wireproof_collect_works{part="ring"} 0.0',
        'wireproof_collect_works{part="data_set"} 1.0',
    ]
