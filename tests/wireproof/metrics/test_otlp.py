"""What a collector is sent, taken by a server of the test and read by OpenTelemetry's own types."""

from __future__ import annotations

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)

from wireproof.metrics.otlp import PATH, OtlpExport

Received = list[tuple[str, ExportMetricsServiceRequest]]


@pytest.fixture
def collector() -> Iterator[tuple[str, Received]]:
    received: Received = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            received.append((self.path, ExportMetricsServiceRequest.FromString(body)))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing on standard error."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Collector) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/", received
        server.shutdown()
        thread.join()


def test_all_is_sent_when_the_block_is_left(collector: tuple[str, Received]) -> None:
    endpoint, received = collector
    with OtlpExport(endpoint) as export:
        export.count("wireproof.verdicts", 1, ("ending", "whole", "ok", ""))
        export.observe("gen_ai.server.time_to_first_token", [0.3, 0.6], ("chat", "openai", ""))
    [(path, request)] = received
    assert path == PATH
    [resource] = request.resource_metrics
    assert {one.key: one.value.string_value for one in resource.resource.attributes}[
        "service.name"
    ] == "wireproof"
    metrics = {one.name: one for one in resource.scope_metrics[0].metrics}
    [count] = metrics["wireproof.verdicts"].sum.data_points
    assert {one.key: one.value.string_value for one in count.attributes} == {
        "question": "ending",
        "answer": "whole",
        "severity": "ok",
    }
    histogram = metrics["gen_ai.server.time_to_first_token"]
    assert histogram.unit == "s"
    [point] = histogram.histogram.data_points
    assert (point.count, point.sum) == (2, pytest.approx(0.9))
    assert list(point.explicit_bounds)[-1] == 10.0
