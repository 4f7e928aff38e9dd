"""Where tshark is: found, absent, or something else of that name."""

from __future__ import annotations

from pathlib import Path

import pytest

from wireproof.wireshark import locate
from wireproof.wireshark.locate import HOW_TO_GET_IT, Tshark, TsharkMissing, find_tshark


def named_tshark(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Make a program called tshark the only one on PATH."""
    path = folder / "tshark"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    return str(path)


@pytest.mark.tshark
def test_the_installed_tshark_says_its_version() -> None:
    found = find_tshark()
    assert found.version >= (3, 0, 0)
    assert str(found).startswith("tshark ")


def test_its_version_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = named_tshark(tmp_path, "echo 'TShark (Wireshark) 4.6.9 (Git v4).'", monkeypatch)
    assert find_tshark() == Tshark(path, (4, 6, 9))


def test_without_it_the_message_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(TsharkMissing) as raised:
        find_tshark()
    assert str(raised.value) == HOW_TO_GET_IT


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("exit 7", "does not say its version (exit code 7)"),
        ("exec sleep 60", "does not run: "),
    ],
)
def test_something_else_of_that_name_is_not_it(
    script: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locate, "VERSION_SECONDS", 0.5)
    named_tshark(tmp_path, script, monkeypatch)
    with pytest.raises(TsharkMissing) as raised:
        find_tshark()
    assert said in str(raised.value)
