"""What this machine permits and has: each way to record, and what wireproof works beside.

Strategy: every backend is tried for real, one after the other, as ``capture`` would; tools are
looked for where the commands that run them look, libraries in what is installed.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import version
from typing import NamedTuple

from capture.backends import BACKENDS
from capture.backends.relay import lacks_redirection

from ..extras import Extra, lacks

TOOL_TIMEOUT = 20.0
"""Seconds in which a tool has told its version."""
CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


class Finding(NamedTuple):
    """One thing that was looked at."""

    kind: str
    """``backend``, ``tool`` or ``library``."""
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
        "COMMAND reaches the relay without being told about it",
        lacking or "",
    )
    yield _rights()
    yield _confinement()
    yield _calls()
    yield _library("cryptography", "decrypts TLS if the keys are known", "tls")
    yield _library("trustme", "certificates for wire.serve(tls=True) and the demo", "https")
    yield _library("hypercorn", "serves HTTP/2 for wire.serve(http2=True) and the demo", "https")
    yield _tool("tshark", ("tshark",), "decodes for wireproof compare", "tshark")
    yield _tool("chromium", CHROMIUM, "a browser for the demo server's pages", "chromium")


def _rights() -> Finding:
    """Return what commands that parse give up here."""
    use = "commands that parse hold no capability, and gain none from programs they start"
    if sys.platform != "linux":
        return Finding("tool", "rights", False, use, "only Linux has capabilities")
    if os.geteuid() == 0:
        use += (
            "; as root they become another user too, if that user can read and write the same files"
        )
    return Finding("tool", "rights", True, use)


def _confinement() -> Finding:
    """Return whether commands that parse can be kept from all other files."""
    use = "commands that parse open only input, libraries, the output's folder and temporary files"
    if sys.platform != "linux":
        return Finding("tool", "landlock", False, use, "only Linux has Landlock")
    from capture.linux.rights import landlock_version

    version = landlock_version()
    if not version:
        remedy = (
            "this kernel lacks Landlock, or it is off: it takes Linux 5.13 with landlock in lsm="
        )
        return Finding("tool", "landlock", False, use, remedy)
    return Finding("tool", "landlock", True, f"{use}: version {version}")


def _calls() -> Finding:
    """Return whether commands that parse can be kept from calls that they have no use for."""
    use = "commands that parse open no socket, and look into no other process"
    if sys.platform != "linux":
        return Finding("tool", "seccomp", False, use, "only Linux has seccomp")
    from capture.linux.calls import can_refuse_calls

    if not can_refuse_calls():
        remedy = f"no list of system calls for {platform.machine()}, or a kernel without seccomp"
        return Finding("tool", "seccomp", False, use, remedy)
    return Finding("tool", "seccomp", True, use)


def _library(name: str, use: str, extra: Extra) -> Finding:
    """Return whether a library of an extra is there, and in which version."""
    for lack in lacks(extra):
        if lack.name == name:
            found = f"{lack} is not installed" if lack.found is None else str(lack)
            remedy = f"{found}: pip install 'wireproof[{extra}]'"
            return Finding("library", name, False, use, remedy)
    return Finding("library", name, True, f"{use}: {version(name)}")


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
