"""Serving and recording on the machine, in a namespace, and behind a relay: with one result."""

from __future__ import annotations

import ctypes
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from support.wire_apps import app

from capture import Namespace, can_capture
from wireproof.testing import Exchange, Wire, WireFailure
from wireproof.testing.environments import BackendUnavailable, Place, check_may_capture, choose

pytestmark = pytest.mark.slow

PR_CAPBSET_DROP = 24
PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL = 47, 4
"""linux/prctl.h."""
LAST_CAP = 40
"""linux/capability.h."""


@pytest.fixture(
    params=[
        pytest.param("packet-socket", marks=pytest.mark.packets),
        pytest.param("namespace", marks=pytest.mark.namespaces),
        "relay",
    ]
)
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    with closing(choose(request.param)) as found:
        yield found


@pytest.fixture
def wire(place: Place, tmp_path: Path) -> Iterator[Wire]:
    found = Wire(tmp_path, Path(__file__), "t.py::x", lambda: place, update=False)
    yield found
    found.close(keep=False)


def told(exchange: Exchange) -> list[object]:
    """What must be the same wherever it was recorded."""
    return [
        exchange.method,
        exchange.target,
        exchange.status,
        exchange.is_complete,
        [(event.data, event.id, event.first_chunk) for event in exchange.events],
        [chunk.size for chunk in exchange.chunks],
    ]


def test_every_place_shows_the_same_exchanges(wire: Wire) -> None:
    with wire.serve("support.wire_apps:app", env={"GIVEN": "x"}) as server:
        httpx.get(server.url + "/chat?n=5")
        httpx.get(server.url + "/collected")
        assert httpx.get(server.url + "/environment?name=GIVEN").text == "x"
        path = httpx.get(server.url + "/environment?name=PATH").text
        assert path == os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
    exchange = wire.exchange("/chat")
    tokens = [(f"token {number}", "", number) for number in range(5)]
    sizes = [17, 17, 17, 17, 17, 16, 0]
    events = [*tokens, ("[DONE]", "", 5)]
    assert told(exchange) == ["GET", "/chat?n=5", 200, True, events, sizes]
    exchange.assert_streamed(min_events=6)
    exchange.assert_clean_end(app_terminator="[DONE]")
    with pytest.raises(WireFailure, match="burst|in one segment"):
        wire.exchange("/collected").assert_streamed(min_events=5)


def test_an_app_of_this_process_is_served_in_every_place(wire: Wire) -> None:
    with wire.serve(app) as server:
        httpx.get(server.url + "/chat")
    wire.exchange("/chat").assert_streamed(min_events=6)


def test_a_command_finds_its_port_in_every_place(wire: Wire, tmp_path: Path) -> None:
    script = "import sys, http.server as h; h.test(h.SimpleHTTPRequestHandler, "
    script += "port=int(sys.argv[1]), bind='127.0.0.1')"
    with wire.serve([sys.executable, "-c", script, "{port}"], cwd=tmp_path) as server:
        assert httpx.get(server.url + "/").status_code == 200
    assert wire.exchange("/").is_complete


@pytest.mark.namespaces
def test_in_a_namespace_nothing_of_the_server_is_seen_outside(tmp_path: Path) -> None:
    with closing(choose("namespace")) as place:
        wire = Wire(tmp_path, Path(__file__), "t.py::x", lambda: place, update=False)
        with wire.serve(app) as server:
            httpx.get(server.url + "/chat?n=1")
            exchange = wire.exchange("/chat")
            assert exchange.connection is not None
            inside = int(exchange.connection.server.rpartition(":")[2])
            assert inside != server.port
            with socket.socket() as client, pytest.raises(ConnectionRefusedError):
                client.connect(("127.0.0.1", inside))
        wire.close(keep=False)


def without_capabilities(script: str) -> subprocess.CompletedProcess[str]:
    """Run a script without any right, even those of root."""

    def drop() -> None:
        for capability in range(LAST_CAP + 1):
            ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)
        # What `python -m capture` gives to a user's tests outlives exec() without the above.
        ctypes.CDLL(None).prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)

    return subprocess.run(
        [sys.executable, "-c", script],
        preexec_fn=drop,
        capture_output=True,
        text=True,
        timeout=240,
        check=True,
    )


def test_without_any_right_the_first_that_works_is_taken() -> None:
    script = (
        "from capture import Namespace, can_capture; "
        "from wireproof.testing.environments import choose; "
        "place = choose('auto'); print(can_capture(), Namespace.available() is None, place.name); "
        "place.close()"
    )
    may_record, may_isolate, name = without_capabilities(script).stdout.split()
    assert may_record == "False"
    assert name == ("namespace" if may_isolate == "True" else "relay")


def test_what_is_asked_for_and_cannot_be_is_said() -> None:
    script = (
        "from wireproof.testing.environments import *\n"
        "for wanted in (lambda: choose('packet-socket'), check_may_capture):\n"
        "    try: wanted()\n"
        "    except BackendUnavailable as error: print(error)"
    )
    forced, captured = without_capabilities(script).stdout.splitlines()
    assert forced.startswith(
        "--wire-backend packet-socket: this process may not open a packet socket"
    )
    assert "in a network namespace: wireproof capture --backend namespace" in captured


@pytest.mark.packets
def test_where_all_may_be_recorded_nothing_stands_in_the_way() -> None:
    assert can_capture()
    check_may_capture()
    assert choose("auto").name == "packet-socket"


def test_a_namespace_that_is_refused_is_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    from capture import NamespaceUnavailable

    def refuse(self: Namespace) -> Namespace:
        raise NamespaceUnavailable("refused by a test")

    monkeypatch.setattr(Namespace, "__enter__", refuse)
    monkeypatch.setattr("wireproof.testing.environments.can_capture", lambda: False)
    assert choose("auto").name == "relay"
    with pytest.raises(BackendUnavailable, match="--wire-backend namespace: refused by a test"):
        choose("namespace")
