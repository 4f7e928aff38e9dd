"""What results were measured on: without it a number of seconds says nothing."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
from pathlib import Path

PEERS = {"tshark": ("tshark", "--version"), "tcpflow": ("tcpflow", "-V")}
VERSION = re.compile(r"[0-9]+\.[0-9.]+")


def facts() -> dict[str, object]:
    """Return what is known of the machine, of Python, and of the peers that are installed."""
    found: dict[str, object] = {
        "processor": processor(),
        "cores": os.cpu_count(),
        "load": [round(load, 2) for load in os.getloadavg()],
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": platform.python_version(),
        "compiler": platform.python_compiler(),
    }
    for name, command in PEERS.items():
        found[name] = version(command)
    return found


def processor() -> str:
    """Return the name of the processor, as the kernel has it."""
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        return platform.processor()
    names = re.findall(r"(?m)^model name\s*: (.*)$", text)
    return str(names[0]) if names else platform.processor()


def version(command: tuple[str, ...]) -> str | None:
    """Return the version that a peer says it is; None if it is not installed."""
    if shutil.which(command[0]) is None:
        return None
    said = subprocess.run(command, capture_output=True, text=True, check=False)
    found = VERSION.search(said.stdout + said.stderr)
    return None if found is None else found[0]
