"""The public name: ``import wireproof``."""

from __future__ import annotations

import subprocess
import sys
from io import BytesIO

import pytest
from support.corpus import ROOT

import wireproof

PLAIN = ROOT / "fixtures" / "chunked" / "plain.pcapng"


def test_a_path_a_text_and_a_stream_give_the_same() -> None:
    expected = list(wireproof.decode(PLAIN))
    assert [record.record for record in expected][:3] == ["request", "response", "chunk"]
    assert list(wireproof.decode(str(PLAIN))) == expected
    assert list(wireproof.decode(BytesIO(PLAIN.read_bytes()))) == expected


def test_payloads_can_be_left_out() -> None:
    chunks = [r for r in wireproof.decode(PLAIN, keep_data=False) if r.record == "chunk"]
    assert {getattr(chunk, "data", "") for chunk in chunks} == {None}


def test_errors() -> None:
    with pytest.raises(FileNotFoundError):
        next(wireproof.decode("/nowhere/a.pcapng"))
    with pytest.raises(ValueError, match="capture"):
        next(wireproof.decode(BytesIO(b"no capture file at all, only text")))


def test_the_name_alone_imports_nothing_of_ours() -> None:
    code = "import wireproof, sys; print([m for m in sys.modules if m.startswith('parsers')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
