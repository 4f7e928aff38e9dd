"""The benchmarks' workloads hold what they say, and their measure measures."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks import high_rate, instructions, live_rate, processes
from benchmarks.__main__ import commands, told
from benchmarks.commands import AIMS, ratios
from benchmarks.commands import commands as other_commands
from benchmarks.encrypted import key_log, sse_in_tls, streams_in_tls
from benchmarks.instructions import grown
from benchmarks.machine import facts
from benchmarks.measure import Failed, Result, compare, run, run_alone
from benchmarks.packets import checksum, write
from benchmarks.scale.making import COPIES, make_streams, multiply
from benchmarks.workloads import (
    WORKLOADS,
    bulk_connection,
    chat_connection,
    damaged,
    interleaved,
    make,
    short_exchanges,
    sse,
    sse_event,
    sse_said,
    timed,
    websocket_connection,
)
from wireproof import decode
from wireproof.query import ask
from wireproof.tables import TableOptions
from wireproof.tables.exporting import ExportJob
from wireproof.tables.exporting import run as export


def kinds(frames: Iterator[bytes], folder: Path, secrets: bytes = b"") -> Counter[str]:
    path = folder / "made.pcapng"
    write(path, timed(frames), secrets)
    return Counter(record.record for record in decode(path))


def test_sse_connections(tmp_path: Path) -> None:
    found = kinds(sse(3, 20), tmp_path)
    assert found["sse_event"] == 3 * 20
    assert found["chunk"] == 3 * 21
    assert found["body"] == found["connection"] == 3
    assert not found["diagnostic"]


def test_chat_connections(tmp_path: Path) -> None:
    found = kinds(chat_connection(0, 20), tmp_path)
    assert (found["sse_event"], found["chunk"], found["body"]) == (21, 22, 2)
    assert not found["diagnostic"]


def test_websocket_connections(tmp_path: Path) -> None:
    found = kinds(websocket_connection(0, 20), tmp_path)
    assert found["websocket_frame"] == found["websocket_message"] == 22
    assert not found["diagnostic"]


def test_bulk_connections(tmp_path: Path) -> None:
    found = kinds(bulk_connection(0, 3), tmp_path)
    assert (found["chunk"], found["body"], found["diagnostic"]) == (4, 1, 0)


def test_short_exchanges(tmp_path: Path) -> None:
    found = kinds(short_exchanges(0, 10), tmp_path)
    assert found["request"] == found["response"] == found["body"] == 10
    assert not found["diagnostic"]


@pytest.mark.parametrize("secrets", [key_log(2), b""], ids=["keys", "no-keys"])
def test_what_tls_carries(secrets: bytes, tmp_path: Path) -> None:
    said = interleaved([sse_in_tls(number, sse_said(20)) for number in range(2)])
    found = kinds(said, tmp_path, secrets)
    assert found["sse_event"] == (2 * 20 if secrets else 0)
    assert (found["tls"], found["connection"], found["diagnostic"]) == (2, 2, 0)
    streams = streams_in_tls(0, 3, [sse_event(index) for index in range(20)])
    found = kinds(streams, tmp_path, secrets)
    assert found["sse_event"] == (3 * 20 if secrets else 0)
    assert (found["tls"], found["connection"], found["diagnostic"]) == (1, 1, 0)


def test_damage_is_the_same_on_every_run() -> None:
    whole = list(sse(2, 200))
    first, again = list(damaged(iter(whole))), list(damaged(iter(whole)))
    assert first == again
    assert set(first) < set(whole)


def test_a_checksum_sums_to_nothing() -> None:
    """RFC 1071: a packet with its checksum in place sums up to -0."""
    data = bytes(range(20))
    assert checksum(data + checksum(data).to_bytes(2, "big")) == 0


def test_a_workload_is_made_once(tmp_path: Path) -> None:
    path = make("small", tmp_path)
    made = path.stat().st_mtime_ns
    assert make("small", tmp_path).stat().st_mtime_ns == made
    for name in WORKLOADS:
        assert commands(name, path, tmp_path)["wireproof"][0] == sys.executable


def test_runs_are_measured_in_turn() -> None:
    results = compare(
        {"quick": ["true"], "python": [sys.executable, "-c", "b'.' * (32 << 20)"]}, rounds=2
    )
    assert results["python"].peak_mib > results["quick"].peak_mib
    assert results["python"].wall > 0


def test_a_command_that_fails_is_no_result() -> None:
    with pytest.raises(Failed, match="exit 3: no such thing"):
        run([sys.executable, "-c", "import sys; sys.stderr.write('no such thing'); sys.exit(3)"])


@pytest.mark.namespaces
def test_the_rate_is_measured() -> None:
    found = high_rate.measure(2_000, 0.5)
    assert found.sent == found.recorded + found.dropped
    assert 1_000 <= found.sent < 1_000 + high_rate.BATCH
    assert found.size > found.recorded * len(high_rate.frame())
    assert found.cpu > 0


@pytest.mark.namespaces
def test_what_is_watched_as_it_arrives_is_counted() -> None:
    found = live_rate.measure(2_000, 0.5)
    assert found.seen == found.events == 500
    assert found.sent > 2 * found.events
    assert "0 dropped by the kernel" in found.summary
    assert found.cpu > 0


def test_one_process_is_timed_beside_two() -> None:
    one, two = (processes.command("decode", Path("k.pcapng"), jobs) for jobs in (1, 2))
    assert one[one.index("--jobs") + 1] == "1"
    assert [a for a, b in zip(one, two, strict=True) if a != b] == ["1"]


def test_an_answer_is_no_failure_and_what_breaks_off_is_none() -> None:
    no = [sys.executable, "-c", "raise SystemExit(1)"]
    assert run(no, (0, 1)).cpu > 0
    with pytest.raises(Failed, match="ZeroDivisionError"):
        run([sys.executable, "-c", "1 / 0"], (0, 1))


def test_what_a_command_starts_can_be_left_out() -> None:
    found = run_alone(["-m", "platform"])
    assert found.peak_mib > 0 and found.wall > 0
    with pytest.raises(Failed, match="exit 2"):
        run_alone(["-m", "json.tool", "--no-such-option"])


def test_what_grows_beyond_what_is_tolerated_is_said() -> None:
    stored = {"start": 1_000, "decode": 2_000}
    assert grown(stored, {"start": 1_050, "decode": 1_000}) == []
    assert grown(stored, {"start": 900, "decode": 2_200}) == ["decode: 2,200 instructions, +10.0%"]


def test_the_counted_capture_holds_every_usual_kind(tmp_path: Path) -> None:
    found = kinds(instructions.small(), tmp_path)
    assert found["sse_event"] == 4 * 150
    assert found["websocket_message"] == 2 * (150 + 15)
    assert found["connection"] == 26
    assert not found["diagnostic"]


def test_other_commands_beside_decode(tmp_path: Path) -> None:
    ours = other_commands(tmp_path / "x.pcapng", tmp_path)
    assert set(AIMS) < set(ours)
    results = {name: Result(1.0, 2.0 + (name == "har"), 3.0) for name in ours}
    found = ratios(results)
    assert "decode" not in found
    assert (found["har"], found["ls"]) == (1.5, 1.0)


def test_results_name_the_machine() -> None:
    found = told({"small": {"wireproof": Result(1.0, 2.0, 3.0)}}, 1)
    assert found["workloads"] == {
        "small": {"wireproof": {"wall": 1.0, "cpu": 2.0, "peak_mib": 3.0}}
    }
    assert {"processor", "cores", "load", "python", "tshark"} <= set(facts())


def test_copies_of_a_data_set_count(tmp_path: Path) -> None:
    made, place = make_streams(tmp_path / "streams", 2_000, captures=2), tmp_path / "set"
    export(ExportJob([str(made)], str(place), TableOptions()), print)
    counted = "SELECT count(*) AS number FROM elements"
    [before] = ask(str(place), counted).to_pylist()
    multiply(place)
    told: list[str] = []
    [after] = ask(str(place), counted, told.append).to_pylist()
    assert after["number"] == COPIES * before["number"] > 0
    assert not told
