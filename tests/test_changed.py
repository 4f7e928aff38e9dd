"""What ``make check`` picks."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from support.changed import changed_files, modules_for


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ([], ["tests"]),
        (["parsers/http1/head.py"], ["tests/parsers/http1/test_head.py"]),
        (["parsers/http1/states.py"], ["tests/parsers/http1"]),  # it has no module of its own
        (["wireproof/commands/plot.py"], ["tests/wireproof/commands"]),
        (["wireproof/web/page/dom.js"], ["tests/wireproof/web"]),  # nor has its folder
        (["docs/diagnostics.md"], ["tests/docs/test_diagnostics.py"]),
        (["docs/watch.md"], ["tests/docs"]),
        (["tests/parsers/sse/test_stream.py"], ["tests/parsers/sse/test_stream.py"]),
        (["tests/parsers/sse/test_gone.py"], ["tests/parsers/sse"]),
        (
            ["parsers/http1/head.py", "parsers/http1/states.py", "parsers/sse/stream.py"],
            ["tests/parsers/http1", "tests/parsers/sse/test_stream.py"],
        ),
        (["pyproject.toml", "parsers/sse/stream.py"], ["tests"]),
        (["tests/support/talk.py"], ["tests"]),
        (["fixtures/sse/plain.txt"], ["tests"]),
        (["README.md"], ["tests/docs"]),
    ],
)
def test_what_belongs_to_what(changed: list[str], expected: list[str]) -> None:
    assert modules_for(changed) == expected


def git(root: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    subprocess.run(["git", "-C", root, *identity, *arguments], check=True, capture_output=True)


def test_a_branch_and_what_is_not_committed(tmp_path: Path) -> None:
    git(tmp_path, "init", "-b", "main")
    (tmp_path / "old.py").write_text("1")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-m", "Begin.")
    assert changed_files(tmp_path) == []
    git(tmp_path, "switch", "-c", "branch")
    (tmp_path / "committed.py").write_text("1")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-m", "Go on.")
    (tmp_path / "old.py").write_text("2")
    (tmp_path / "new.py").write_text("1")
    assert changed_files(tmp_path) == ["committed.py", "old.py", "new.py"]


def test_without_a_repository_nothing_is_known(tmp_path: Path) -> None:
    assert changed_files(tmp_path) == []
