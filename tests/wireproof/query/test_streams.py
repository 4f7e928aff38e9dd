"""Streams that run across files are whole, though each file was exported by itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from support.corpus import ROOT
from support.rings import packets, split

from benchmarks.packets import write
from wireproof.query import ask
from wireproof.query.named import NAMED
from wireproof.tables import TableOptions
from wireproof.tables.exporting import ExportJob, run


def exported(folder: Path, place: Path, *, together: bool) -> str:
    run(ExportJob([str(folder)], str(place), TableOptions(), together=together), print)
    return str(place)


def rows(place: str, sql: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = ask(place, sql).to_pylist()
    return found


ASKED = """
    SELECT method, target, status, transport, streams.end, first_token, round(seconds, 3) AS seconds
    FROM streams ORDER BY start_time, client
"""
COUNTS = "SELECT count, pieces FROM streams ORDER BY start_time, client"


@pytest.mark.parametrize(
    ("name", "files"),
    [("sse/plain.pcapng", 3), ("websocket/plain.pcapng", 2), ("sse/fastapi.pcapng", 2)],
)
def test_pieces_make_the_streams_that_the_ring_has(tmp_path: Path, name: str, files: int) -> None:
    ring = split(tmp_path / "ring", packets(name), files)
    whole = exported(ring, tmp_path / "whole", together=True)
    pieces = exported(ring, tmp_path / "pieces", together=False)
    assert rows(pieces, ASKED) == rows(whole, ASKED) and len(rows(whole, ASKED)) == 1
    [one], [several] = rows(whole, COUNTS), rows(pieces, COUNTS)
    assert one["pieces"] == 1 and several["pieces"] == files
    assert abs(several["count"] - one["count"]) < files, "what lies across a border"
    assert rows(whole, NAMED["across-files"].sql) == []
    [spanning] = rows(pieces, NAMED["across-files"].sql)
    assert spanning["captures"] == [str(path) for path in sorted(ring.iterdir())]


@pytest.mark.parametrize("border", range(4, 9))
def test_the_first_element_may_come_in_the_second_file(tmp_path: Path, border: int) -> None:
    """Borders from after the request to amid the first elements."""
    found = packets("sse/plain.pcapng")
    for name, some in (("whole", [found]), ("pieces", [found[:border], found[border:]])):
        (tmp_path / name).mkdir()
        for number, part in enumerate(some):
            write(tmp_path / name / f"web1_{number + 1:05}_2026013112000{number}.pcapng", part)
    sql = "SELECT pieces, first, first_token FROM streams"
    [one] = rows(exported(tmp_path / "whole", tmp_path / "1", together=False), sql)
    [two] = rows(exported(tmp_path / "pieces", tmp_path / "2", together=False), sql)
    assert (one["pieces"], two["pieces"]) == (1, 2)
    assert two["first"] == pytest.approx(one["first"], abs=1e-6)
    assert two["first_token"] in (None, one["first_token"])


def test_streams_that_do_not_span_files_are_the_exchanges(tmp_path: Path) -> None:
    place = exported(ROOT / "fixtures" / "sse", tmp_path / "set", together=False)
    columns = "method, target, status, count, first_token, round(start_time, 6) AS began"
    streams = rows(place, f"SELECT {columns} FROM streams WHERE pieces = 1 ORDER BY ALL")
    assert streams == rows(place, f"SELECT {columns} FROM exchanges ORDER BY ALL")


def test_a_rest_without_a_beginning_stays_a_stream_of_its_own(tmp_path: Path) -> None:
    """Nothing before it was open: the recorder was started in its midst."""
    ring = split(tmp_path / "ring", packets("sse/plain.pcapng")[20:], 1)
    [row] = rows(exported(ring, tmp_path / "set", together=False), "SELECT * FROM streams")
    assert (row["method"], row["pieces"], row["not_recorded"]) == (None, 1, None)
    assert (row["verdict"], row["end"]) == ("undecided", "unknowable"), "its beginning is unknown"
    sql = "SELECT summary FROM verdicts WHERE question = 'streaming'"
    [said] = rows(str(tmp_path / "set"), sql)
    assert said["summary"].endswith("apart; what came before them was not captured")


def test_a_first_element_behind_what_was_not_recorded_is_not_known(tmp_path: Path) -> None:
    found = packets("sse/plain.pcapng")
    (tmp_path / "ring").mkdir()
    for number, some in enumerate((found[:5], found[9:])):
        write(tmp_path / "ring" / f"web1_0000{2 * number + 1}_2026013112000{number}.pcapng", some)
    options = TableOptions(host="web1")
    run(ExportJob([str(tmp_path / "ring")], str(tmp_path / "set"), options, together=False), print)
    [row] = rows(
        str(tmp_path / "set"), "SELECT pieces, first, first_token, not_recorded FROM streams"
    )
    assert row["pieces"] == 2 and row["not_recorded"] > 0
    assert (row["first"], row["first_token"]) == (None, None)


def restarted(tmp_path: Path, second: str) -> str:
    """A stream whose recorder was killed in its midst and began again 0.9 s later."""
    found = packets("sse/plain.pcapng")
    (tmp_path / "ring").mkdir()
    write(tmp_path / "ring" / "web1_00001_20260131120000.pcapng", found[:18])
    later = [one._replace(time_ns=one.time_ns + 900_000_000) for one in found[22:]]
    write(tmp_path / "ring" / second, later)
    options = TableOptions(host="web1")
    run(ExportJob([str(tmp_path / "ring")], str(tmp_path / "set"), options, together=False), print)
    return str(tmp_path / "set")


@pytest.mark.parametrize(
    "second",
    [
        "web1_00001_20260131120005.pcapng",
        "web1_00003_20260131120005.pcapng",
        "web2_00002_20260131120005.pcapng",
        "other.pcapng",
    ],
    ids=["restarted", "a file is missing", "another recorder", "no ring"],
)
def test_a_stream_that_was_not_recorded_for_a_time_says_so(tmp_path: Path, second: str) -> None:
    sql = "SELECT pieces, not_recorded, longest_gap, verdict, streams.end FROM streams"
    place = restarted(tmp_path, second)
    [row] = rows(place, sql)
    assert row["pieces"] == 2
    assert 0.9 < row["not_recorded"] < 0.95
    assert 0.01 < row["longest_gap"] < 0.02, "what was not recorded is no gap of the sender's"
    assert (row["verdict"], row["end"]) == ("undecided", "unknowable")
    [across] = rows(place, NAMED["across-files"].sql)
    assert across["not_recorded"] == round(row["not_recorded"], 6)


def test_a_silence_between_files_is_a_gap_of_the_stream(tmp_path: Path) -> None:
    """The recorder went on: nothing lacks, and the wait is the server's."""
    found = packets("sse/plain.pcapng")
    later = [one._replace(time_ns=one.time_ns + 2_000_000_000) for one in found[20:]]
    ring = split(tmp_path / "ring", [*found[:20], *later], 2)
    sql = "SELECT longest_gap, verdict, streams.end, not_recorded FROM streams"
    [whole] = rows(exported(ring, tmp_path / "whole", together=True), sql)
    [pieces] = rows(exported(ring, tmp_path / "pieces", together=False), sql)
    assert pieces["longest_gap"] == pytest.approx(whole["longest_gap"], abs=1e-6) != 0
    assert pieces["longest_gap"] > 2 and pieces["not_recorded"] is None
    assert pieces["end"] == whole["end"] == "whole"


def test_the_worst_piece_says_how_a_stream_came(tmp_path: Path) -> None:
    """The first file has three events one by one, the second one more, and the others together."""
    found = packets("sse/plain.pcapng")
    since = found[-1].time_ns + 1_500_000_000
    held = [one._replace(time_ns=since + number) for number, one in enumerate(found)]
    ring = tmp_path / "ring"
    ring.mkdir()
    write(ring / "web1_00001_20260131120000.pcapng", found[:14])
    write(ring / "web1_00002_20260131120001.pcapng", [*found[14:16], *held[16:]])
    sql = "SELECT verdict FROM exchanges ORDER BY start_time"
    place = exported(ring, tmp_path / "set", together=False)
    pieces = [row["verdict"] for row in rows(place, sql)]
    [row] = rows(place, "SELECT verdict FROM streams")
    assert (pieces, row["verdict"]) == (["streamed", "held"], "held")


def test_an_older_data_set_without_a_column_can_be_asked_all_the_same(tmp_path: Path) -> None:
    place = exported(split(tmp_path / "ring", packets("sse/plain.pcapng"), 1), tmp_path / "set",
                     together=False)  # fmt: skip
    [path] = (tmp_path / "set" / "connections").iterdir()
    pq.write_table(pq.read_table(path, partitioning=None).drop_columns(["midstream"]), path)
    [manifest] = (tmp_path / "set" / "manifest").iterdir()
    said = json.loads(manifest.read_text())
    del said["files"]  # nor did manifests say how large files are
    manifest.write_text(json.dumps(said))
    assert rows(place, "SELECT count(*) AS number FROM connections") == [{"number": 1}]
    [column] = rows(place, "SELECT any_value(midstream) AS it, count(*) AS number FROM connections")
    assert column == {"it": None, "number": 1}
    assert rows(place, "SELECT pieces FROM streams") == [{"pieces": 1}]
