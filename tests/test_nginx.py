"""A chat behind nginx as a distribution has it: the same verdicts live as of what is stored."""

from __future__ import annotations

from pathlib import Path

import pytest

from fixtures.nginx.record import SIDES, Side, record
from wireproof import decode
from wireproof.analysis.hops.report import hops
from wireproof.analysis.judges import Explained, explain

FAULT, CURE = SIDES
LIVE = [pytest.mark.packets, pytest.mark.slow, pytest.mark.tool("nginx")]


@pytest.fixture(params=["stored", pytest.param("live", marks=LIVE)])
def live(request: pytest.FixtureRequest) -> bool:
    return bool(request.param == "live")


def recorded(side: Side, folder: Path, live: bool) -> Path:
    if not live:
        return side.path
    path = folder / side.name
    record(side, path)
    return path


def answer(explained: Explained, question: str) -> str:
    return next(one.answer for one in explained.verdicts if one.question == question)


def streaming(path: Path) -> list[str]:
    """Return whether the client's leg streamed, and the app's: the proxy asks after the client."""
    found = sorted(explain(decode(path)), key=lambda one: one.exchange.number)
    assert {answer(one, "ending") for one in found} <= {"whole", "unknowable"}
    return [answer(one, "streaming") for one in found]


def hop(path: Path) -> tuple[str, set[str]]:
    """Return what is said of nginx, and the causes."""
    (found,) = hops([(path.name, decode(path))]).hops
    return found.verdict.answer, {cause.code for cause in found.verdict.causes}


def test_nginx_holds_what_it_compresses(tmp_path: Path, live: bool) -> None:
    path = recorded(FAULT, tmp_path, live)
    assert streaming(path) == ["held", "streamed"]
    said, causes = hop(path)
    assert said == "holds"
    assert "compressor-not-flushed" in causes


def test_the_remedy_makes_it_stream(tmp_path: Path, live: bool) -> None:
    path = recorded(CURE, tmp_path, live)
    assert streaming(path) == ["streamed", "streamed"]
    assert hop(path) == ("transparent", set())
