"""One test's servers and captures: how they are found, told of and let go of."""

from __future__ import annotations

import os
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from support.demo import get, serving
from support.wire_apps import app

from capture import CaptureError
from wireproof.testing import Wire, WireFailure
from wireproof.testing.environments import choose

pytestmark = pytest.mark.packets

FIXTURES = Path(__file__).resolve().parents[3] / "fixtures"


@pytest.fixture
def wire(tmp_path: Path) -> Iterator[Wire]:
    place = choose("packet-socket")
    test_file = tmp_path / "tests" / "test_x.py"
    test_file.parent.mkdir()
    found = Wire(tmp_path, test_file, "tests/test_x.py::test_y", lambda: place, update=False)
    yield found
    found.close(keep=False)


def test_exchanges_of_all_captures_stand_in_their_order(wire: Wire) -> None:
    old = wire.replay(FIXTURES / "sse" / "plain.pcapng")
    with wire.serve(app) as first, wire.serve(app) as second:
        httpx.get(first.url + "/chat?n=1")
        httpx.get(second.url + "/chat?n=2")
        httpx.get(first.url + "/chat?n=3")
    assert [found.target for found in wire.exchanges()] == [
        old.exchange().target,
        "/chat?n=1",
        "/chat?n=2",
        "/chat?n=3",
    ]
    assert len(wire.exchange("/chat?n=2").events) == 3


def test_a_capture_of_a_port_has_only_its_own(wire: Wire) -> None:
    with serving() as address, wire.capture(port=[address.port, address.raw_port]) as capture:
        get(address.host, address.port, "/stream")
        capture.exchange("/stream").assert_clean_end()
        with wire.serve(app) as server:
            httpx.get(server.url + "/chat?n=1")
        assert [found.target for found in capture.exchanges()] == ["/stream"]
    assert len(wire.exchanges()) == 2


def test_what_a_block_raises_is_raised(wire: Wire) -> None:
    with pytest.raises(KeyError, match="mine"), wire.capture(port=9):
        raise KeyError("mine")
    with pytest.raises(KeyError, match="mine"), wire.serve(app):
        raise KeyError("mine")


def test_only_captures_that_hold_something_are_kept(wire: Wire, tmp_path: Path) -> None:
    with wire.capture(port=9), socket.create_server(("127.0.0.1", 0)):
        pass
    with wire.serve(app) as server:
        httpx.get(server.url + "/chat?n=1")
    kept = Path(".wireproof", "tests", "test_x.py", "test_y-2.pcapng")
    assert f"capture: {tmp_path / kept}" in wire.report().splitlines()
    wire.close(keep=True)
    found = [path for path in (tmp_path / ".wireproof").rglob("*") if path.is_file()]
    assert sorted(found) == [tmp_path / ".wireproof" / ".gitignore", tmp_path / kept]


def test_what_is_not_kept_has_no_name(tmp_path: Path) -> None:
    place = choose("packet-socket")
    found = Wire(tmp_path, Path(__file__), "t.py::x", lambda: place, update=False, may_keep=False)
    with found.serve(app) as server:
        httpx.get(server.url + "/chat?n=1")
    assert "capture: not kept" in found.report().splitlines()
    assert ".pcapng" not in found.report()
    found.close(keep=False)


def test_the_report_tells_what_there_was_and_how_it_was_recorded(wire: Wire) -> None:
    assert wire.report() == "nothing was recorded"
    with wire.serve(app) as server:
        httpx.get(server.url + "/chat?n=1")
    lines = wire.report().splitlines()
    assert lines[0] == "there were:"
    assert lines[1].startswith("  GET /chat?n=1 200 sse: 2 events over")
    assert lines[2] == "recorded by: packet-socket"


def test_a_recording_that_broke_off_is_told(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: Wire) -> None:
        raise CaptureError("broke off after 3 packets")

    monkeypatch.setattr(Wire, "_all", broken)
    assert wire.report() == "the recording is not whole: broke off after 3 packets"


def test_an_app_is_imported_as_the_test_would(wire: Wire, tmp_path: Path) -> None:
    path = wire._import_path(None)
    assert path[: len(sys.path)] == [entry or os.getcwd() for entry in sys.path]  # noqa: PTH109
    assert path[-2:] == [str(tmp_path), str(tmp_path / "tests")]
    assert wire._import_path(tmp_path / "elsewhere")[len(sys.path)] == str(tmp_path / "elsewhere")


def test_a_transcript_lies_beside_the_test(wire: Wire, tmp_path: Path) -> None:
    capture = wire.replay(FIXTURES / "sse" / "plain.pcapng")
    stored = tmp_path / "tests" / "__wire__" / "test_x" / "plain.txt"
    with pytest.raises(WireFailure, match="there is no transcript") as failure:
        capture.assert_matches("plain")
    assert str(stored) in str(failure.value)
    updating = Wire(tmp_path, wire._test_file, "t.py::x", lambda: choose("auto"), update=True)
    updating.replay(FIXTURES / "sse" / "plain.pcapng").exchange().assert_matches("plain")
    assert stored.exists()
    capture.assert_matches("plain")
    wire.assert_matches("plain", capture.exchange())


def test_servers_of_several_threads_do_not_mix(wire: Wire) -> None:
    def ask(number: int) -> None:
        with wire.serve(app) as server:
            httpx.get(server.url + f"/chat?n={number}")

    threads = [threading.Thread(target=ask, args=(number,)) for number in (1, 2, 3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {len(found.events) for found in wire.exchanges("/chat")} == {2, 3, 4}
