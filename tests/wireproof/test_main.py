"""``python -m wireproof``."""

from __future__ import annotations

import runpy
import subprocess
import sys

import pytest

import wireproof


def test_it_is_the_command_line() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "wireproof", "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout == f"wireproof {wireproof.__version__}\n"


def test_it_exits_with_the_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["wireproof", "no-such-command"])
    with pytest.raises(SystemExit) as exit:
        runpy.run_module("wireproof", run_name="__main__")
    assert exit.value.code == 2


def test_importing_it_runs_nothing() -> None:
    assert runpy.run_module("wireproof.__main__", run_name="imported")["main"]
