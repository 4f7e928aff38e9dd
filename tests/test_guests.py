"""What projects are visited with: our lower bounds, and every Python of the machine."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import pytest
from guests import combinations, pythons


def numbers(version: str) -> list[int]:
    """Return a version's numbers, without zeros at the end: 3.7.0 is 3.7."""
    return [int(part) for part in re.sub(r"(\.0)+$", "", version).split(".")]


def test_the_oldest_project_pins_our_lower_bounds() -> None:
    bounds = combinations.lower_bounds()
    pins = {name: combinations.OLDEST[name] for name in bounds}
    assert {name: numbers(pin) for name, pin in pins.items()} == {
        name: numbers(bound) for name, bound in bounds.items()
    }


def test_every_project_pins_what_the_table_shows() -> None:
    for guest in (*combinations.GUESTS, combinations.newest()):
        assert set(combinations.BESIDE) <= set(guest.pins), guest.name


def test_this_python_is_found() -> None:
    assert pythons.find_pythons()[sys.version_info[:2]]


def test_one_that_does_not_run_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for minor in (12, 13):  # as pyenv's shims are, without a version that is chosen
        shim = tmp_path / f"python3.{minor}"
        shim.write_text("#!/bin/sh\nexit 127\n")
        shim.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    assert list(pythons.find_pythons()) == [sys.version_info[:2]]


def test_the_systems_python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    python = tmp_path / "python3"
    monkeypatch.setattr(pythons, "SYSTEM", str(python))
    assert pythons.system_version() is None
    for version, found in (("3.9.2", None), ("3.11.2", "3.11.2"), ("3.13.5", "3.13.5")):
        python.write_text(f"#!/bin/sh\necho {version}\n")
        python.chmod(0o755)
        assert pythons.system_version() == found
    python.write_text("#!/bin/sh\nexit 127\n")
    assert pythons.system_version() is None


def test_pyenvs_of_another_user_are_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Path] = []
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    monkeypatch.setattr(os, "access", lambda path, mode: asked.append(path) or False)
    monkeypatch.setattr(Path, "glob", lambda *about: pytest.fail("it may not be read"))
    assert list(pythons.find_pythons()) == [sys.version_info[:2]]
    assert asked == [tmp_path / "versions"]


def test_pyenvs_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = tmp_path / "versions" / "3.19.1" / "bin"
    kept.mkdir(parents=True)
    python = kept / "python3"
    python.write_text(f"#!/bin/sh\necho {python} 3 19\n")
    python.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    assert pythons.find_pythons()[3, 19] == str(python)
