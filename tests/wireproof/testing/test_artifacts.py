"""Where the captures of failed tests are kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from wireproof.testing.artifacts import MAX_NAME, Kept


@pytest.mark.parametrize(
    ("test", "path"),
    [
        ("test_chat.py::test_x", "test_chat.py/test_x.pcapng"),
        ("tests/api/test_chat.py::test_x[a-b]", "tests/api/test_chat.py/test_x[a-b].pcapng"),
        ("test_chat.py::TestChat::test_x", "test_chat.py/TestChat.test_x.pcapng"),
        ("../out/test_x.py::test_x", "out/test_x.py/test_x.pcapng"),
        ("test_x.py", "test_x.py/test.pcapng"),
    ],
)
def test_a_tests_name_says_the_path(test: str, path: str, tmp_path: Path) -> None:
    assert Kept(tmp_path, test).path(0) == tmp_path / ".wireproof" / path


def test_further_captures_are_numbered(tmp_path: Path) -> None:
    assert Kept(tmp_path, "t.py::x").path(2).name == "x-3.pcapng"
    assert Kept(tmp_path, "t.py::x[1.5]").path(1).name == "x[1.5]-2.pcapng"


@pytest.mark.parametrize(
    "name", ["x[a/b]", "x[..]\n", "x" * 500, "x[\ud800]", "x[" + "ü" * 300 + "]", "x[\x1b]"]
)
def test_any_name_is_a_file_of_its_own_in_the_folder(name: str, tmp_path: Path) -> None:
    kept = Kept(tmp_path, f"t.py::{name}")
    path = kept.path(0)
    assert path.parent == tmp_path / ".wireproof" / "t.py"
    assert len(path.name.encode()) < MAX_NAME + 20
    assert path != Kept(tmp_path, f"t.py::{name}!").path(0)
    kept.prepare()
    path.write_bytes(b"")


def test_the_folder_ignores_itself(tmp_path: Path) -> None:
    kept = Kept(tmp_path, "t.py::x")
    kept.prepare()
    kept.prepare()
    assert (tmp_path / ".wireproof" / ".gitignore").read_text().endswith("\n*\n")


def test_what_an_earlier_run_left_is_forgotten(tmp_path: Path) -> None:
    kept = Kept(tmp_path, "t.py::x")
    kept.forget()
    kept.prepare()
    for number in range(3):
        kept.path(number).write_bytes(b"")
    other = Kept(tmp_path, "t.py::y")
    other.path(0).write_bytes(b"")
    kept.forget()
    assert [path.name for path in other.path(0).parent.iterdir()] == ["y.pcapng"]
