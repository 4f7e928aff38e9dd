"""``python -m wireproof``."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module

import wireproof
from wireproof import cli


def test_it_is_the_command_line() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "wireproof", "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout == f"wireproof {wireproof.__version__}\n"


def test_it_exits_with_the_code() -> None:
    done = subprocess.run([sys.executable, "-m", "wireproof", "no-such-command"], check=False)
    assert done.returncode == 2


def test_importing_it_runs_nothing() -> None:
    assert import_module("wireproof.__main__").main is not cli.main  # it came back, and is apart
