"""Where the conformance vectors and public captures lie, when they are at hand."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


def _folder(variable: str, default: str) -> Path:
    folder = Path(os.environ.get(variable, ROOT.parent / "shared" / default))
    if not folder.is_dir():
        pytest.skip(f"no {default} at hand: {variable} names their folder", allow_module_level=True)
    return folder


def vectors(name: str) -> list[dict[str, Any]]:
    """Return the vectors of ``name.json``; skip if there are none on this machine."""
    document = json.loads((_folder("WIREPROOF_VECTORS", "vectors") / f"{name}.json").read_text())
    found: list[dict[str, Any]] = document["vectors"]
    return found


def captures_folder() -> Path:
    """Return the folder of public captures; skip if there is none on this machine."""
    return _folder("WIREPROOF_CORPUS", "captures")
