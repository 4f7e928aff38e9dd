"""The process that exports as the other one sees it: it fails, it dies, it is replaced."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from capture import Statistics
from wireproof.collect import exporter
from wireproof.collect.exporter import Exporter, Exports, ProcessEnded, StoreFailed
from wireproof.collect.messages import File, Numbers, Order
from wireproof.collect.ring import Ring
from wireproof.redact import Rules

SCRIPT = """
import json, os, sys
order = json.loads(sys.stdin.readline())
for line in sys.stdin:
    path = json.loads(line)["path"]
    with open(path) as file:
        said = file.read()
    if said == "die":
        os.remove(path)
        sys.exit(7)
    if said == "fail":
        open(path, "w").close()
        print(json.dumps({"type": "failed", "reason": "no room"}), flush=True)
        continue
    print(json.dumps({
        "type": "exported",
        "error": said,
        "counts": [[["wireproof.exchanges", "sse", "2xx"], 2]],
        "values": [[["wireproof.exchange.duration", "sse"], [0.5]]],
        "models": [*order["models"], str(os.getpid())],
    }), flush=True)
"""
"""A process that says what it is told to, in place of the one that exports."""


@pytest.fixture(autouse=True)
def _child(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporter, "CHILD", [sys.executable, "-S", "-c", SCRIPT])
    monkeypatch.setattr(exporter, "FIRST_PAUSE", 0.01)


@pytest.fixture
def order(tmp_path: Path) -> Order:
    return Order(place="set", folder=str(tmp_path), host="web1", rules=Rules())


def file(folder: Path, said: str, number: int = 1) -> Path:
    path = folder / f"a_{number:05}_20260131120000.pcapng"
    path.write_text(said)
    return path


def asked(folder: Path, said: str) -> File:
    return File(path=str(file(folder, said)))


def test_one_process_exports_many_files(tmp_path: Path, order: Order) -> None:
    exporting = Exporter(order)
    first = exporting.export(asked(tmp_path, ""))
    second = exporting.export(asked(tmp_path, "no capture"))
    assert (first.error, second.error) == ("", "no capture")
    assert first.models == second.models
    assert exporting.close() == 0


@pytest.mark.parametrize(
    ("said", "reason"),
    [("fail", "no room"), ("die", "the export process ended with code 7")],
)
def test_one_that_fails_is_replaced(tmp_path: Path, order: Order, said: str, reason: str) -> None:
    exporting = Exporter(order)
    before = exporting.export(asked(tmp_path, "")).models
    with pytest.raises(StoreFailed, match=reason):
        exporting.export(asked(tmp_path, said))
    after = exporting.export(asked(tmp_path, "")).models
    assert len(after) == 2 and before[0] == after[0], "names of models are handed on"
    exporting.close()


def test_one_that_is_killed_is_replaced(tmp_path: Path, order: Order) -> None:
    exporting = Exporter(order)
    exporting.export(asked(tmp_path, ""))
    exporting.kill()
    with pytest.raises(ProcessEnded, match=r"the export process ended by signal 9 \(Killed\)"):
        exporting.export(asked(tmp_path, ""))
    assert exporting.export(asked(tmp_path, "")).error == ""
    exporting.close()


def exported(tmp_path: Path, order: Order, *files: str) -> tuple[list[str], Ring, Numbers]:
    said: list[str] = []
    ring, sink = Ring(tmp_path, 10_000, 100, said.append), Numbers()
    with Exports(order, ring, said.append, sink) as exports:
        exports.start()
        for number, text in enumerate(files, 1):
            ring.ended(file(tmp_path, text, number), Statistics(1, 0))
        _wait(lambda: not ring.waiting)
        assert exports.fault is None
    return said, ring, sink


def _wait(condition: Callable[[], object]) -> None:
    import time

    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_files_go_one_after_the_other(tmp_path: Path, order: Order) -> None:
    said, ring, sink = exported(tmp_path, order, "", "bad", "")
    assert vars(ring.told) == {"recorded": 3, "exported": 2, "unreadable": 1, "deleted": 0}
    assert said == [f"{tmp_path}/a_00002_20260131120000.pcapng: bad"]
    assert sink.counts == {("wireproof.exchanges", "sse", "2xx"): 6}
    assert sink.values == {("wireproof.exchange.duration", "sse"): [0.5] * 3}


def test_what_fails_is_tried_again_and_said_once(tmp_path: Path, order: Order) -> None:
    said, ring, sink = exported(tmp_path, order, "fail", "")
    assert ring.told.exported == 2
    assert said[0] == f"set cannot be written: no room; files wait in {tmp_path}"
    assert said[1].startswith("set is written again; ") and len(said) == 2
    assert sink.counts == {("wireproof.exchanges", "sse", "2xx"): 4}


def test_the_end_does_not_wait_for_a_store_that_fails(
    tmp_path: Path, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporter, "CHILD", ["false"])
    said: list[str] = []
    ring = Ring(tmp_path, 10_000, 100, said.append)
    ring.ended(file(tmp_path, ""), Statistics(1, 0))
    with Exports(order, ring, said.append) as exports:
        exports.start()
    assert (ring.waiting, len(said)) == (1, 1)


def test_a_process_that_hangs_is_ended(
    tmp_path: Path, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporter, "CHILD", ["sleep", "1000"])
    monkeypatch.setattr(exporter, "PATIENCE", 0.1)
    said: list[str] = []
    ring = Ring(tmp_path, 10_000, 100, said.append)
    ring.ended(file(tmp_path, ""), Statistics(1, 0))
    with Exports(order, ring, said.append) as exports:
        exports.start()
    assert (ring.waiting, len(said)) == (1, 1)
    killed = "the export process ended by signal 9 (Killed) while it wrote set: another one goes on"
    assert said == [f"{killed}; files wait in {tmp_path}"]


def test_what_never_began_ends(tmp_path: Path, order: Order) -> None:
    with Exports(order, Ring(tmp_path, 10_000, 100, print), print) as exports:
        assert exports.fault is None
