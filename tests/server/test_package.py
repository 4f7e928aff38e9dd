from __future__ import annotations

import subprocess
import sys

import pytest

import server


@pytest.mark.parametrize("name", server.__all__)
def test_every_public_name_is_there(name: str) -> None:
    assert name.isupper() or getattr(server, name).__module__.startswith("server.")
    assert getattr(server, name) is not None


def test_other_names_are_not() -> None:
    with pytest.raises(AttributeError, match="module 'server' has no attribute 'nothing'"):
        server.nothing  # noqa: B018


def test_who_only_drives_it_does_not_wait_for_fastapi() -> None:
    script = "import sys, server; server.DemoServer; print('fastapi' in sys.modules)"
    output = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    assert output.stdout == b"False\n"
