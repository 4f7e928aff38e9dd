"""The Pythons of this machine, from 3.11: those on PATH, and those that pyenv keeps."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

OLDEST, LAST = 11, 20
"""Minor versions that are looked for."""
SYSTEM = "/usr/bin/python3"
"""What Debian's own packages run with."""
ASK = "import sys, venv; print(sys.executable, *sys.version_info[:2])"


def find_pythons() -> dict[tuple[int, int], str]:
    """Return an interpreter for each minor version, oldest first."""
    found: dict[tuple[int, int], str] = {}
    for candidate in _candidates():
        if (told := _ask(candidate)) is not None:
            executable, version = told
            if version >= (3, OLDEST):
                found.setdefault(version, executable)
    return dict(sorted(found.items()))


def system_version() -> str | None:
    """Return the whole version of the system's Python, None if it is too old, or not there."""
    if not Path(SYSTEM).exists():
        return None
    ask = "import platform, venv; print(platform.python_version())"
    done = subprocess.run([SYSTEM, "-c", ask], capture_output=True, text=True)
    version = done.stdout.strip()
    if done.returncode or tuple(map(int, version.split(".")[:2])) < (3, OLDEST):
        return None
    return version


def _candidates() -> Iterator[str]:
    yield sys.executable
    for minor in range(OLDEST, LAST):
        yield from filter(None, [shutil.which(f"python3.{minor}")])
    kept = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    if os.access(kept, os.R_OK | os.X_OK):  # it may be another user's
        yield from (str(path) for path in sorted(kept.glob("3.*/bin/python3")))


def _ask(candidate: str) -> tuple[str, tuple[int, int]] | None:
    """Run it: a pyenv shim is there for versions too that it then refuses to start."""
    done = subprocess.run([candidate, "-c", ASK], capture_output=True, text=True)
    if done.returncode:
        return None
    executable, major, minor = done.stdout.rsplit(maxsplit=2)
    return executable, (int(major), int(minor))
