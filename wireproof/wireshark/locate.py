"""Where tshark is, and which version of it.

Strategy: the first ``tshark`` on PATH is the one; it is asked for its version once, since field
names, types and known limits depend on it.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from functools import cache
from typing import NamedTuple

VERSION = re.compile(r"TShark \(Wireshark\) (\d+)\.(\d+)\.(\d+)")
VERSION_SECONDS = 20
"""How long tshark may take to say its version: loading its plugins takes it a fifth of a second."""

HOW_TO_GET_IT = (
    "tshark is not on PATH; get it with: apt-get install tshark (Debian, Ubuntu), "
    "dnf install wireshark-cli (Fedora), brew install wireshark (macOS)"
)


class TsharkMissing(Exception):
    """There is no tshark that runs; the message says how to get one."""


class Tshark(NamedTuple):
    """An installed tshark."""

    path: str
    version: tuple[int, int, int]

    def __str__(self) -> str:
        return "tshark " + ".".join(map(str, self.version))


def find_tshark() -> Tshark:
    """Return the tshark on PATH. Raises TsharkMissing if there is none, or none that runs."""
    path = shutil.which("tshark")
    if path is None:
        raise TsharkMissing(HOW_TO_GET_IT)
    return Tshark(path, _version(path))


@cache
def _version(path: str) -> tuple[int, int, int]:
    """Return which version a tshark is; it takes as long to say so as to read a small capture."""
    try:
        said = subprocess.run(
            [path, "--version"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=VERSION_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise TsharkMissing(f"{path} does not run: {error}") from error
    found = VERSION.search(said.stdout.decode(errors="replace"))
    if found is None:
        raise TsharkMissing(f"{path} does not say its version (exit code {said.returncode})")
    major, minor, patch = map(int, found.groups())
    return major, minor, patch
