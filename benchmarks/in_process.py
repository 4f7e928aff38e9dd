"""``python -m benchmarks.in_process view|metrics FILE``: what needs a browser or a recording.

It is run over a stored capture: the inspector's index with what its page asks for first, and
metrics.
"""

from __future__ import annotations

import sys
from contextlib import closing
from pathlib import Path

from wireproof import decode
from wireproof.live.verdicts import LiveVerdicts
from wireproof.metrics.observing import Observer
from wireproof.metrics.prometheus import PrometheusPage
from wireproof.web.api import Answers
from wireproof.web.feed import FileFeed
from wireproof.web.index import Index

ASKED = 64
"""Exchanges whose lanes, rows and bodies are asked for."""


def view(path: Path) -> None:
    """Read a capture as ``wireproof view`` does, and answer as a page that somebody looks at."""
    with path.open("rb") as stream, closing(Index(path.name)) as index:
        FileFeed(index, stream).read_all()
        answers = Answers(index)
        names = [exchange.name for exchange in index.order[:ASKED]]
        asked = [f"body/{name}/server" for name in names]
        asked += [f"{what}/{name}" for name in names for what in ("verdicts", "reading")]
        for one in ("summary", "exchanges/0", *asked):
            answers.answer(one)


def metrics(path: Path) -> None:
    """Count and measure a capture as ``wireproof watch --metrics`` does."""
    observer, verdicts = Observer(PrometheusPage("127.0.0.1", 0)), LiveVerdicts()
    for record in decode(path):
        observer.record(record)
        for one in verdicts.add([record]):
            observer.explained(one)


if __name__ == "__main__":
    {"view": view, "metrics": metrics}[sys.argv[1]](Path(sys.argv[2]))
