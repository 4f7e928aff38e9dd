"""What this machine permits and has: each way to record, and what wireproof works beside.

Strategy: every backend is tried for real, one after the other, as ``capture`` would; tools are
looked for where the commands that run them look.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from typing import NamedTuple

from capture.backends import BACKENDS
from capture.backends.relay import lacks_redirection

TOOL_TIMEOUT = 20.0
"""Seconds in which a tool has told its version."""
CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


class Finding(NamedTuple):
    """One thing that was looked at."""

    kind: str
    """``backend`` or ``tool``."""
    name: str
    works: bool
    summary: str
    """What it does, or which one it is."""
    remedy: str = ""
    """What is lacking, and what would give it."""


def findings() -> Iterator[Finding]:
    """Yield what there is, as it is found."""
    for backend in BACKENDS:
        lacking = backend.lacks()
        yield Finding("backend", backend.name, lacking is None, backend.summary, lacking or "")
    lacking = lacks_redirection()
    yield Finding(
        "tool",
        "redirection",
        lacking is None,
        "COMMAND finds the relay without being told of it",
        lacking or "",
    )
    yield _tool("tshark", ("tshark",), "what wireproof is compared with", "tshark")
    yield _tool("chromium", CHROMIUM, "a browser for the pages of the demo server", "chromium")


def _tool(name: str, programs: tuple[str, ...], use: str, package: str) -> Finding:
    path = next(filter(None, map(shutil.which, programs)), None)
    if path is None:
        remedy = f"not installed (Debian: sudo apt install {package})"
        return Finding("tool", name, False, use, remedy)
    return Finding("tool", name, True, f"{use}: {_version(path)}")


def _version(path: str) -> str:
    """Return the first line of what a program says of its version, or where it is."""
    try:
        told = subprocess.run(
            [path, "--version"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=TOOL_TIMEOUT,
            check=True,
        )
    except (OSError, subprocess.SubprocessError) as error:
        return f"{path}, which does not run: {error}"
    lines = told.stdout.decode(errors="replace").splitlines()
    return lines[0].strip() if lines else path
