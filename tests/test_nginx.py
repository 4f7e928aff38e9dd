"""A chat behind nginx as a distribution has it: the same verdicts live as of what is stored."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from capture import Recorder
from capture.clients.plain import ask
from fixtures.nginx.record import SIDES, Side, record
from server.causes.process import CauseServer
from server.causes.proxies import proxy
from server.causes.registry import BUFFERED, cause
from wireproof import __version__, decode
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


GZIP = "gzip on; gzip_types *; gzip_proxied any;"
OF_1_0 = BUFFERED.replace("proxy_buffers 8 4k;", "")
"""Versions before 1.29.7 ask an app by HTTP/1.0, by default."""
ASKED = b"GET /chat HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\nConnection: close\r\n\r\n"


@pytest.mark.packets
@pytest.mark.slow
@pytest.mark.tool("nginx")
@pytest.mark.parametrize(
    ("options", "said"),
    [
        (f"{OF_1_0} {GZIP}", "held"),
        (f"{OF_1_0} {GZIP} proxy_buffering off;", "streamed"),
        (f"{OF_1_0} gzip off;", "held"),
        ("proxy_http_version 1.1; gzip off;", "streamed"),
    ],
)
def test_what_a_remedy_takes(tmp_path: Path, options: str, said: str) -> None:
    path = tmp_path / "chat.pcapng"
    with socket.create_server(("127.0.0.1", 0)) as found:
        free_port = found.getsockname()[1]
    with (
        CauseServer(cause("terminator-missing"), "cure") as app,
        proxy("nginx", free_port, app.app_port, options),
        Recorder(path, port=free_port, comment="", version=__version__) as recorder,
    ):
        ask("127.0.0.1", free_port, ASKED)
        assert recorder.wait_closed(10.0)
    assert streaming(path) == [said]
