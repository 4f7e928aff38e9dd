"""Where the conformance vectors and public captures lie, when they are at hand."""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


def _folder(variable: str, default: str) -> Path:
    return Path(os.environ.get(variable, ROOT.parent / "shared" / default))


def _vectors(name: str) -> Path:
    return _folder("WIREPROOF_VECTORS", "vectors") / f"{name}.json"


def vectors(name: str) -> list[dict[str, Any]]:
    """Return the vectors of ``name.json``; skip the test if there are none on this machine."""
    if not _vectors(name).exists():
        pytest.skip(f"no {name} vectors at hand: WIREPROOF_VECTORS names their folder")
    return vectors_at_hand(name)


def vectors_at_hand(name: str) -> list[dict[str, Any]]:
    """Return the vectors of ``name.json``, none if there are none: for parameters of a test.

    pytest skips a test that has no parameters, and says so.
    """
    path = _vectors(name)
    found: list[dict[str, Any]] = json.loads(path.read_text())["vectors"] if path.exists() else []
    return found


def tls_vectors_at_hand() -> list[dict[str, Any]]:
    """Return the vectors of TLS, none if there are none: for parameters of a test."""
    path = _folder("WIREPROOF_TLS", "tls_h2") / "tls.json"
    found: list[dict[str, Any]] = json.loads(path.read_text())["vectors"] if path.exists() else []
    return found


def http2_vectors_at_hand(name: str) -> list[dict[str, Any]]:
    """Return the vectors of HTTP/2 in ``name.json``, none if there are none."""
    path = _folder("WIREPROOF_TLS", "tls_h2") / f"{name}.json"
    found: list[dict[str, Any]] = json.loads(path.read_text())["vectors"] if path.exists() else []
    return found


def tls_captures_at_hand() -> list[Path]:
    """Return captures with TLS in them, none if there are none: for parameters of a test."""
    return sorted(_folder("WIREPROOF_TLS", "tls_h2").glob("captures/*.pcap*"))


def captures_folder() -> Path:
    """Return the folder of public captures; skip the test if there is none on this machine."""
    folder = _folder("WIREPROOF_CORPUS", "captures")
    if not folder.is_dir():
        pytest.skip("no public captures at hand: WIREPROOF_CORPUS names their folder")
    return folder


def captures_at_hand() -> dict[str, str]:
    """Return what tshark showed of each public capture, by file name: for parameters of a test."""
    path = _folder("WIREPROOF_CORPUS", "captures") / "INDEX.tsv"
    lines = path.read_text().splitlines() if path.exists() else []
    return {row["file"]: row["tshark_4.0.17"] for row in csv.DictReader(lines, delimiter="\t")}


def attacks_at_hand() -> list[Path]:
    """Return captures that do harm, and those of faults found before, none if there are none."""
    folder = _folder("WIREPROOF_ATTACKS", "attacks")
    return sorted(folder.glob("*cap*")) + sorted((folder.parent / "corpus").glob("*.pcap*"))
