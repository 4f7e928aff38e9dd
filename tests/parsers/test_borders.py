"""What the layers of ``parsers/`` load: each only what lies below it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import parsers

NET = sorted(path.stem for path in (Path(parsers.__file__).parent / "net").glob("*.py"))


@pytest.mark.parametrize("module", [name for name in NET if name != "__init__"])
def test_tcp_loads_nothing_that_lies_above_it(module: str) -> None:
    """In a process of its own: here all is loaded already."""
    program = f"import sys, parsers.net.{module}; print(*sys.modules)"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    loaded = {name for name in ran.stdout.split() if name.startswith("parsers.")}
    below = {"diagnostics", "faults", "limits", "memory", "provenance", "streams"}
    assert f"parsers.net.{module}" in loaded
    wings = {name.split(".")[1] for name in loaded}
    assert wings - {"net"} <= below


def test_the_face_lists_what_it_gives_and_nothing_else() -> None:
    named = dir(parsers)
    assert {"decode_stream", "read_packet"} <= {*named}
    assert named == sorted({*named})
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        parsers.nothing  # noqa: B018 (the look-up is what is tested)
