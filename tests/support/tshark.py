"""What tshark shows of the public captures."""

from __future__ import annotations

import subprocess
from functools import cache
from pathlib import Path

from support.corpus import captures_folder

FIELDS = (
    "frame.number",
    "frame.time_epoch",
    "frame.len",
    "frame.cap_len",
    "ip.src",
    "ip.dst",
    "ip.proto",
    "ipv6.src",
    "ipv6.dst",
    "tcp.hdr_len",
    "tcp.len",
    "udp.length",
)


def captures() -> list[Path]:
    """Return every public capture; skip if there are none on this machine."""
    beside = (".keys", ".tsv", ".md")
    return sorted(path for path in captures_folder().iterdir() if path.suffix not in beside)


@cache
def tshark_fields(path: Path) -> list[dict[str, str]]:
    """Return the fields of each packet as tshark shows them; of several values the first."""
    command = ["tshark", "-n", "-r", str(path), "-o", "ip.defragment:TRUE", "-T", "fields"]
    command += ["-E", "occurrence=f"]
    for name in FIELDS:
        command += ["-e", name]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    rows = (line.split("\t") for line in shown.splitlines())
    return [dict(zip(FIELDS, row, strict=True)) for row in rows]
