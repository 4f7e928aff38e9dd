"""Secrets in tunnels are masked as they are without: over segments, and with right checksums."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.talk import Talk
from support.tunnels import AROUND_FRAMES, OK, tunnelled

from wireproof.cli import run

HEAD = b"GET / HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer begin"


@pytest.mark.parametrize(
    "header", [header for header, _ in AROUND_FRAMES.values()], ids=AROUND_FRAMES
)
def test_a_secret_over_two_segments_in_a_tunnel(header: Callable[[], Any], tmp_path: Path) -> None:
    talk = Talk().open()
    talk.client(HEAD, b"-planted\r\n\r\n")
    talk.server(OK, b"hi")
    talk.close()
    path, masked = tmp_path / "in.pcapng", tmp_path / "out.pcapng"
    path.write_bytes(tunnelled(header, is_frame=True, talk=talk).file())
    assert b"-planted" in path.read_bytes()
    assert run(["redact", str(path), "-o", str(masked)]) == 0
    data = masked.read_bytes()
    assert b"begin" not in data
    assert b"-planted" not in data
    assert data.count(b"GET / HTTP/1.1") == 1
