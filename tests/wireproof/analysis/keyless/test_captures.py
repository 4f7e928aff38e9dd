"""Real captures with their keys withheld, beside what tshark decrypts with them."""

from __future__ import annotations

import subprocess
from itertools import pairwise
from pathlib import Path
from statistics import median

import pytest
from support.corpus import tls_captures_at_hand

from parsers import decode_stream
from wireproof.analysis.keyless.sealed import SealedConnection, SealedConnections

SHORTEST = 0.0008
"""Seconds: what follows at once is one write."""
CAPTURES = {path.stem: path for path in tls_captures_at_hand()}
PAIRED = [
    path
    for name, path in CAPTURES.items()
    if path.with_suffix(".keys").exists() and not name.startswith("h3_") and "held" not in name
]


def judged(path: Path) -> list[SealedConnection]:
    taken = SealedConnections()
    with path.open("rb") as stream:
        records = list(decode_stream(stream, shows_records=True))
    return [found for record in records if (found := taken.add(record))]


def content_times(path: Path, stream: int, server_port: str) -> list[float]:
    """When DATA frames or chunks with content came from the server, as tshark decrypts it."""
    keys = path.with_suffix(".keys")
    command = ["tshark", "-n", "-r", str(path), "-o", f"tls.keylog_file:{keys}"]
    command += ["-o", "tcp.reassemble_out_of_order:TRUE"]
    command += ["-Y", f"tcp.stream == {stream} && tcp.srcport == {server_port}", "-T", "fields"]
    command += [
        "-e",
        "frame.time_epoch",
        "-e",
        "http2.type",
        "-e",
        "http2.length",
        "-e",
        "tls.app_data",
    ]
    rows = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    times = []
    for time, types, lengths, *_ in (row.split("\t") for row in rows):
        frames = zip(types.split(","), lengths.split(","), strict=False)
        if any(kind == "0" and size not in ("", "0") for kind, size in frames):
            times.append(float(time))
    return times


def waits(times: list[float]) -> list[float]:
    return [after - before for before, after in pairwise(times) if after - before >= SHORTEST]


@pytest.mark.tshark
@pytest.mark.parametrize("path", PAIRED, ids=lambda path: path.stem)
def test_the_usual_gap_is_that_of_what_was_encrypted(path: Path) -> None:
    """Within a tenth: each answer's that streamed, beside the frames that came while it did."""
    for found in judged(path):
        port = found.connection.server.rpartition(":")[2]
        times = content_times(path, found.connection.connection, port)
        for answer in found.answers:
            start, end = answer.elements[0].time, answer.elements[-1].time
            within = waits([time for time in times if start - 1e-6 <= time <= end + 1e-6])
            if len(answer.elements) >= 3 and within and answer.gap_median is not None:
                assert answer.gap_median == pytest.approx(median(within), rel=0.1)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("nginx_h2_sse_nokeys", [("streamed", 7), ("undecided", 1)]),
        ("nginx_h2_sse_lost", [("streamed", 6), ("undecided", 1)]),
        ("nginx_h2_held", [("held", 1)]),
        ("nginx_h2_tls12", [("streamed", 5)]),
        ("uvicorn_h2_sse", [("streamed", 5)]),
        ("httpx_h2_sse", [("streamed", 7), ("streamed", 4)]),
        ("go_h2_sse", [("streamed", 6), ("streamed", 4)]),
        ("node_h2_chacha", [("streamed", 8)]),
        ("node_h2_keepping", [("streamed", 9)]),
        ("hypercorn_h2_die", [("streamed", 3)]),
        ("node_h2_die", [("streamed", 4)]),
        ("keyupdate_h1", [("streamed", 8)]),
        ("hypercorn_mux20_midstream", [("streamed", 44)]),
    ],
)
def test_answers(name: str, expected: list[tuple[str, int]]) -> None:
    if name not in CAPTURES:
        pytest.skip("no captures with TLS at hand: WIREPROOF_TLS names the folder")
    (found,) = judged(CAPTURES[name])
    said = [one for one in found.verdicts if one.question == "streaming"]
    assert [(one.answer, one.numbers["events"]) for one in said] == expected
