"""What a command of this process says, with its exit code."""

from __future__ import annotations

from pathlib import Path

import pytest

from wireproof import cli


def said(capfd: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, str, str]:
    """Run a command; return its exit code, and what it wrote to standard output and error."""
    code = cli.run(list(map(str, arguments)))
    return code, *capfd.readouterr()
