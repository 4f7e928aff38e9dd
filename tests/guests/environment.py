"""A virtual environment of a project, and what is installed in it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

PATIENCE = 900.0
"""Seconds that a command may take, however busy the machine is."""
OURS = ("PYTHONPATH", "PYTEST_ADDOPTS", "PYTEST_XDIST_WORKER", "VIRTUAL_ENV", "WIREPROOF_")
"""Variables that would reach from this checkout into a project, by their beginnings."""


class Failed(Exception):
    """A command did not end as it should; the message has what it said."""


def run(
    *command: str | Path,
    cwd: Path,
    code: int = 0,
    user: int | None = None,
    home: Path | None = None,
) -> str:
    """Run a command and return what it said; ``code`` is the exit code that it must have.

    ``user`` is the number of who runs it, and of their group, if that is somebody else than we;
    ``home`` is where they may write.
    """
    words = [os.fspath(word) for word in command]
    kept = {name: text for name, text in os.environ.items() if not name.startswith(OURS)}
    try:
        done = subprocess.run(
            words,
            cwd=cwd,
            env=kept if home is None else kept | {"HOME": str(home), "TMPDIR": str(home)},
            user=user,
            group=user,
            extra_groups=None if user is None else [],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=PATIENCE,
        )
    except subprocess.TimeoutExpired as error:
        raise Failed(str(error)) from error
    if done.returncode != code:
        said = f"{' '.join(words)} ended with {done.returncode}, not {code}"
        raise Failed(f"{said}\n{done.stdout}")
    return done.stdout


class Environment:
    """A fresh environment; this checkout's pip installs into it, so that it has none of its own."""

    def __init__(self, folder: Path, python: str) -> None:
        self._folder = folder
        run(python, "-m", "venv", "--without-pip", folder, cwd=folder.parent)
        self.bin = folder / "bin"

    def install(self, *requirements: str | Path) -> None:
        """Install wheels: what has to be compiled needs more than a machine may have."""
        self._pip("install", "--quiet", "--only-binary", ":all:", *requirements)

    def check(self) -> None:
        """Fail if a requirement of something installed is not met."""
        self._pip("check")

    def installed(self) -> dict[str, str]:
        """Return names, as they are compared, and versions of what is installed."""
        listed = json.loads(self._pip("list", "--format", "json"))
        return {entry["name"].lower().replace("_", "-"): entry["version"] for entry in listed}

    def size(self) -> int:
        """Return the bytes of what is installed."""
        packages = self._folder.glob("lib/python*/site-packages/**/*")
        return sum(path.lstat().st_size for path in packages if path.is_file())

    def run(self, program: str, *arguments: str | Path, cwd: Path, **how: Any) -> str:
        """Run a program of the environment; ``how`` is what ``run`` takes."""
        return run(self.bin / program, *arguments, cwd=cwd, **how)

    def _pip(self, *arguments: str | Path) -> str:
        pip = (sys.executable, "-m", "pip", "--python", self.bin / "python")
        return run(*pip, "--disable-pip-version-check", *arguments, cwd=self._folder)
