"""Every way to have a command read a capture, captures that do harm, and how commands may end."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from wireproof.cli import run

from .capture_files import Blocks, option
from .corpus import ROOT, attacks_at_hand
from .talk import Talk, Tape

COMMAND = [sys.executable, "-m", "wireproof"]
SUFFIX = {"csv": ".csv", "har": ".har", "parquet": ".parquet", "svg": ".svg", "png": ".png"}
ALL_FAMILIES = [word for name in ("wire", "vllm", "aiperf", "otel") for word in ("--as", name)]
QUERY = "SELECT * FROM elements LEFT JOIN packets ON last_packet = packets.number ORDER BY ALL"
TWICE = frozenset(("hops", "diff"))
"""Commands of two captures."""
READERS: dict[str, list[str]] = {
    **{f"decode {form}": ["decode", "--format", form] for form in ("table", "json", "csv")},
    "decode wireshark": ["decode", "--view", "wireshark", "--filter"],
    "decode devtools": ["decode", "--view", "devtools"],
    "decode ndjson": ["decode", "--format", "ndjson", "--records"],
    "decode grep": ["decode", "--grep", "x", "--no-data", "--format", "ndjson"],
    **{f"ls {form}": ["ls", "--format", form] for form in ("table", "json", "csv")},
    **{
        f"explain {form}": ["explain", "--format", form]
        for form in ("table", "json", "ndjson", "junit", "sarif", "github")
    },
    **{f"hops {form}": ["hops", "--format", form] for form in ("table", "json", "ndjson")},
    **{
        f"diff {form}": ["diff", "--format", form]
        for form in ("table", "json", "junit", "markdown")
    },
    **{
        f"query {form}": ["query", "--format", form, "--data", "--packets", QUERY]
        for form in ("table", "csv", "json")
    },
    **{
        f"latency {form}": ["latency", "--format", form, *ALL_FAMILIES]
        for form in ("table", "json", "ndjson", "csv")
    },
}
"""What writes to standard output, without its file."""
WRITERS: dict[str, list[str]] = {
    "decode": ["decode", "--format", "ndjson"],
    "follow": ["follow", "--connection", "0"],
    "explain": ["explain", "--format", "json"],
    **{
        f"export {form}": ["export", "--redact", "--format", form]
        for form in ("har", "csv", "parquet")
    },
    "annotate": ["annotate"],
    "redact": ["redact"],
    "report": ["report"],
    "plot svg": ["plot"],
    "hops": ["hops"],
    "query parquet": ["query", "--format", "parquet", QUERY],
    "diff": ["diff", "--format", "markdown"],
    "diff baseline": ["diff"],
    "explain junit": ["explain", "--format", "junit"],
}
"""What writes a file, without its capture and its output."""
ALSO = {
    "help": ["decode", "--help"],
    "version": ["--version"],
    "doctor": ["doctor"],
    "causes": ["demo", "--cause", "list"],
}
"""What reads no capture, and writes to standard output."""
LIVE = {
    "capture": ["capture", "sse", "-o", "-", "--backend", "relay"],
    "serve": ["serve", "--port", "0"],
}
"""What records and serves, and writes to standard output."""


def reading(name: str, capture: Path) -> list[str]:
    """The arguments of a reader for a capture."""
    command, *options = READERS[name]
    return [command, *_captures(command, capture), *options]


def _captures(command: str, capture: Path) -> list[str]:
    return [str(capture)] * (2 if command in TWICE else 1)


def writing(name: str, capture: Path, folder: Path) -> tuple[list[str], Path]:
    """The arguments of a writer for a capture, and the file that it writes."""
    command, *options = WRITERS[name]
    output = folder / f"out{SUFFIX.get(name.rpartition(' ')[2], '.out')}"
    if name == "diff baseline":
        return [command, str(capture), "--write-baseline", str(output)], output
    return [command, *_captures(command, capture), *options, "-o", str(output)], output


def making(capture: Path, place: Path) -> list[str]:
    """The arguments of a data set of a capture: many files in a folder."""
    return ["export", str(capture), "--merge", "--data", "--packets", "-o", f"{place}/"]


def small() -> bytes:
    """A capture with events, a fault of framing and two exchanges."""
    talk = Talk(Tape()).open()
    talk.client(b"GET /a HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer abcdefghijklmnop\r\n\r\n")
    talk.server(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n")
    talk.server(b"Transfer-Encoding: chunked\r\n\r\n")
    for event in (b"data: one\n\n", b": ping\n\n", b'data: {"id": 1}\n\n'):
        talk.server(b"%x\r\n%s\r\n" % (len(event), event))
    talk.server(b"0\r\n\r\n")
    talk.client(b"GET /b HTTP/1.1\r\nHost: x\r\n\r\n")
    talk.server(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"zz\r\n")
    talk.close()
    return talk.tape.file()


def _with_times(resolution: int, ticks: int) -> bytes:
    """The same packets, whose clock counts ``resolution`` a second, from ``ticks`` on."""
    talk = Talk(Tape()).open()
    talk.client(b"GET /x HTTP/1.1\r\nHost: x\r\n\r\n")
    talk.server(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
    talk.close()
    blocks = Blocks()
    clock = option(9, bytes([resolution])) + option(0, b"")
    found = [blocks.section(), blocks.interface(1, 262_144, clock)]
    found += [blocks.enhanced(ticks + row[0], row[4]) for row in talk.tape.packets]
    return b"".join(found)


def _with_odd_blocks() -> bytes:
    """The packets of ``small`` among ones of length 0, and blocks that are no packets."""
    blocks = Blocks()
    first = blocks.section() + blocks.interface(1, 262_144, option(9, b"\x09") + option(0, b""))
    odd = blocks.enhanced(1, b"", original=0) + blocks.block(0xBAD, b"\0\0\0\x2a????")
    odd += blocks.enhanced(2, b"", original=60) + blocks.statistics(0, b"")
    return first + odd + small()[len(first) :] + odd


ATTACKS = sorted((ROOT / "fixtures" / "attacks").glob("*.cap"))
"""Captures that once did harm: each says by its name what with."""
HARMFUL: dict[str, bytes] = {
    "length 0, no packets": _with_odd_blocks(),
    "times in seconds, beyond 64 bits": _with_times(0, (1 << 63) + 7),
    "times beyond 2^63 nanoseconds": _with_times(6, 1 << 54),
    "times at the end of 64 bits": _with_times(9, (1 << 64) - 100),
    "cut": small()[:-30],
    "empty section": Blocks().section(),
}


def harmful() -> Iterator[tuple[str, bytes]]:
    """Every capture that does harm to someone, by its name: ours, stored ones, those at hand."""
    yield from HARMFUL.items()
    stored = sorted((ROOT / "fixtures" / "hostile").glob("*.pcap*")) + ATTACKS
    seen: set[bytes] = set()
    for path in stored + attacks_at_hand():
        if (data := path.read_bytes()) not in seen:
            seen.add(data)
            yield path.name, data


def check(arguments: list[str], output: Path | None, capsys: pytest.CaptureFixture[str]) -> int:
    """Run a command in process: it ends as it may, and leaves what it may."""
    code = run(arguments)
    said = capsys.readouterr().err
    assert code in (0, 1, 2), said
    assert "Traceback" not in said
    if code == 2:
        assert said.count("\n") == 1 and said.startswith("wireproof: "), said
    if output is not None:
        left = {path.name for path in output.parent.iterdir()}
        assert left <= {output.name} if code < 2 else not left
        for path in output.parent.iterdir():
            path.unlink()
    return code
