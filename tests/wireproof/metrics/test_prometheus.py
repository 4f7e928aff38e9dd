"""The page that Prometheus fetches, over a real connection, read by its own parser."""

from __future__ import annotations

import socket
from urllib.request import urlopen

import pytest
from prometheus_client.parser import text_string_to_metric_families

from wireproof.metrics.instruments import INSTRUMENTS
from wireproof.metrics.prometheus import PrometheusPage, prometheus_name


def fetched(url: str) -> dict[str, list[tuple[str, dict[str, str], float]]]:
    with urlopen(url, timeout=60) as answer:
        text = answer.read().decode()
    return {
        family.name: [(sample.name, sample.labels, sample.value) for sample in family.samples]
        for family in text_string_to_metric_families(text)
    }


def test_what_was_counted_and_measured_is_on_the_page() -> None:
    with PrometheusPage("127.0.0.1", 0) as page:
        page.count("wireproof.connections", 2, ("fin", "server"))
        page.observe("wireproof.exchange.duration", [0.05, 3.0], ("sse",))
        found = fetched(page.url)
    named = {name for name in found if not name.endswith("_created")}
    assert named == {prometheus_name(one.name) for one in INSTRUMENTS}
    assert (
        "wireproof_connections_total",
        {"close": "fin", "closed_by": "server"},
        2.0,
    ) in found["wireproof_connections"]
    buckets = {
        labels["le"]: value
        for name, labels, value in found["wireproof_exchange_duration_seconds"]
        if name.endswith("_bucket")
    }
    assert (buckets["0.04"], buckets["0.08"], buckets["+Inf"]) == (0.0, 1.0, 2.0)


def test_the_page_is_gone_afterwards() -> None:
    with PrometheusPage("127.0.0.1", 0) as page:
        url = page.url
    with pytest.raises(OSError, match="refused"):
        urlopen(url, timeout=60)


def test_a_port_in_use_is_an_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with (
            pytest.raises(OSError, match=f"in use.*127.0.0.1:{port}"),
            PrometheusPage("127.0.0.1", port),
        ):
            pytest.fail("it listens where another does")
